/**
 * Passwords and tokens as they are given and as they are kept: in clear, or as `scrypt$salt$hash` (RFC 7914), which
 * `chat hash` writes. Knows what a secret is compared with, and never tells it.
 */
import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto"
import * as Name from "./Name.ts"

const size = 32
const cost = { N: 4096, r: 8, p: 1 } as const

const derive = (password: string, salt: Uint8Array): Buffer => scryptSync(password, salt, size, cost)

const kept = /^scrypt\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/

/** A password as it is kept where others may read it. */
export const hash = (password: string): string => {
  const salt = randomBytes(16)
  return `scrypt$${salt.toString("base64url")}$${derive(password, salt).toString("base64url")}`
}

/** What tells whether a password is this one, which is given in clear or hashed; it takes as long whatever it is asked. */
export const matcher = (secret: string): (password: string) => boolean => {
  const [, salt, expected] = kept.exec(secret) ?? kept.exec(hash(secret))!
  const bytes = Buffer.from(expected!, "base64url")
  return (password) => {
    const given = derive(password.slice(0, 1024), Buffer.from(salt!, "base64url"))
    return given.length === bytes.length && timingSafeEqual(given, bytes)
  }
}

/** `name:secret`, several of them with spaces between, no name twice; `undefined` when it is not that. */
export const parseOperators = (text: string): ReadonlyMap<string, string> | undefined => {
  const operators = new Map<string, string>()
  for (const word of text.trim().split(/\s+/)) {
    const colon = word.indexOf(":")
    const name = word.slice(0, colon)
    if (colon < 1 || colon === word.length - 1 || operators.has(name)) return undefined
    operators.set(name, word.slice(colon + 1))
  }
  return operators
}

/** What tells whether a name and a password are an operator's; it takes as long of names that are none's. */
export const operatorMatcher = (operators: ReadonlyMap<string, string>): (name: string, password: string) => boolean => {
  const matchers = new Map<string, (password: string) => boolean>()
  return (name, password) => {
    const secret = operators.get(name)
    const known = secret === undefined ? "" : name
    let matches = matchers.get(known)
    if (matches === undefined) matchers.set(known, matches = matcher(secret ?? randomBytes(size).toString("base64url")))
    return matches(password) && secret !== undefined
  }
}

/** `name:token`, several of them with spaces between, each name a nick; `undefined` when it is not that. */
export const parseTokens = (text: string): ReadonlyMap<string, string> | undefined => {
  const tokens = parseOperators(text)
  return tokens !== undefined && [...tokens.keys()].every((name) => Name.nickProblem(name) === undefined) ? tokens : undefined
}

/**
 * What tells whose token this is. Tokens are in clear or hashed; once a hashed one was given, it is compared as fast as the
 * others, by a digest that nobody outside this process can make.
 */
export const tokenMatcher = (tokens: ReadonlyMap<string, string>): (token: string) => string | undefined => {
  const key = randomBytes(32)
  const digest = (token: string): Buffer => createHmac("sha256", key).update(token).digest()
  const known = new Map<string, Buffer>()
  const hashed = new Map<string, (token: string) => boolean>()
  for (const [name, token] of tokens) {
    if (kept.test(token)) hashed.set(name, matcher(token))
    else known.set(name, digest(token))
  }
  return (token) => {
    const given = digest(token)
    let found: string | undefined
    for (const [name, expected] of known) { if (timingSafeEqual(expected, given)) found = name }
    if (found !== undefined) return found
    for (const [name, matches] of hashed) { if (matches(token)) found = name }
    if (found === undefined) return undefined
    known.set(found, given)
    hashed.delete(found)
    return found
  }
}

/** A password that nobody outside this process can know, and what tells it. */
export const pass = (): { readonly word: string; readonly is: (password: string) => boolean } => {
  const word = randomBytes(24).toString("base64url")
  const bytes = Buffer.from(word)
  return {
    word,
    is: (password) => {
      const given = Buffer.from(password)
      return given.length === bytes.length && timingSafeEqual(given, bytes)
    }
  }
}
