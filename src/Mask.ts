/**
 * Masks of people, `nick!user@address` with * for anything and ? for any one character.
 * Knows nothing of what a mask is for.
 */
import * as Name from "./Name.ts"

/** Longest mask, in characters. */
export const maxMask = 160

/** Someone as masks see them. */
export interface Marks {
  readonly nick: string
  readonly user: string
  readonly address: string
}

/** What masks are compared with. */
export const written = ({ address, nick, user }: Marks): string => `${nick}!${user}@${address}`

/** A mask with all its parts: `ana` is `ana!*@*`, `ana!x` is `ana!x@*`, `x@there` is `*!x@there`. */
export const whole = (mask: string): string => {
  const bang = mask.indexOf("!")
  const at = mask.indexOf("@", bang + 1)
  const nick = bang !== -1 ? mask.slice(0, bang) : at === -1 ? mask : ""
  const user = mask.slice(bang + 1, at === -1 ? undefined : at)
  const address = at === -1 ? "" : mask.slice(at + 1)
  const known = bang === -1 && at === -1 ? "" : user
  return `${nick || "*"}!${known || "*"}@${address || "*"}`
}

/**
 * Whether a text fits a pattern; upper and lower case ASCII letters are the same. Every star is gone back to only until the
 * next is reached, so the time is at most the product of the two lengths.
 */
export const fits = (pattern: string, text: string): boolean => {
  const p = Name.key(pattern)
  const t = Name.key(text)
  let i = 0
  let j = 0
  let star = -1
  let resume = 0
  while (j < t.length) {
    if (i < p.length && p[i] === "*") {
      star = i++
      resume = j
    } else if (i < p.length && (p[i] === "?" || p[i] === t[j])) {
      i++
      j++
    } else if (star !== -1) {
      i = star + 1
      j = ++resume
    } else return false
  }
  while (p[i] === "*") i++
  return i === p.length
}
