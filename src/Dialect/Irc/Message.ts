/**
 * IRC's grammar: a line to tags, source, command and parameters, and back.
 * Knows no command and no meaning (https://modern.ircdocs.horse/#message-format, https://ircv3.net/specs/extensions/message-tags).
 */
import * as Line from "../../Line.ts"
import * as Text from "../../Text.ts"

export interface Message {
  /** Values unescaped; a tag without a value has the empty one. */
  readonly tags: Readonly<Record<string, string>>
  readonly source: string | undefined
  /** In upper case. */
  readonly command: string
  readonly params: ReadonlyArray<string>
}

/**
 * Longest line without its tags, its end included, and the longest tags of a client, `@` and space included, in bytes
 * (https://ircv3.net/specs/extensions/message-tags#size-limit); and how many tags one line may have.
 */
export const maxLine = 512
export const maxTags = 4096
export const maxTagCount = 512

const noTags: Message["tags"] = {}

const unescaped: Record<string, string> = { ":": ";", s: " ", r: "\r", n: "\n", "\\": "\\" }

const unescape = (value: string): string =>
  value.includes("\\") ? value.replace(/\\(.?)/gs, (_, character: string) => unescaped[character] ?? character) : value

const escaped: Record<string, string> = { ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n", "\\": "\\\\" }

const escape = (value: string): string => value.replace(/[; \r\n\\]/g, (character) => escaped[character]!)

const parseTags = (text: string): Message["tags"] => {
  const tags: Record<string, string> = Object.create(null) as Record<string, string>
  for (const part of text.split(";")) {
    const equals = part.indexOf("=")
    const name = equals === -1 ? part : part.slice(0, equals)
    if (name !== "") tags[name] = equals === -1 ? "" : unescape(part.slice(equals + 1))
  }
  return tags
}

/** How many characters of a line are its tags, with the spaces after them. */
const tagsLength = (line: string): number => {
  if (!line.startsWith("@")) return 0
  let end = line.indexOf(" ")
  if (end === -1) return line.length
  while (line[end] === " ") end++
  return end
}

/** Whether a client's line, without its end, is more than may be sent: too many bytes, or too many tags (rows 5 and 40). */
export const tooLong = (line: string): boolean => {
  const length = tagsLength(line)
  if (length === 0) return Line.longerThan(line, maxLine - 2)
  const tags = line.slice(0, length).trimEnd()
  return Line.longerThan(tags, maxTags - 1) || tags.split(";").length > maxTagCount || Line.longerThan(line.slice(length), maxLine - 2)
}

/** A line without its end; `undefined` when there is no command in it. */
export const parse = (line: string): Message | undefined => {
  let at = tagsLength(line)
  const tags = at === 0 ? noTags : parseTags(line.slice(1, at).trimEnd())
  while (line[at] === " ") at++
  let source: string | undefined
  if (line[at] === ":") {
    const end = line.indexOf(" ", at)
    if (end === -1) return undefined
    source = line.slice(at + 1, end)
    at = end
    while (line[at] === " ") at++
  }
  const params: Array<string> = []
  let command: string | undefined
  while (at < line.length) {
    if (command !== undefined && line[at] === ":") {
      params.push(line.slice(at + 1))
      break
    }
    const end = line.indexOf(" ", at)
    const word = line.slice(at, end === -1 ? undefined : end)
    if (command === undefined) command = word.toUpperCase()
    else params.push(word)
    if (end === -1) break
    at = end
    while (line[at] === " ") at++
  }
  return command === undefined || command === "" ? undefined : { tags, source, command, params }
}

const tagName = /^\+?[A-Za-z0-9.-]+(?:\/[A-Za-z0-9.-]+)*$/

/** Whether a tag may be called so, with a plus before it where clients tell each other. */
export const isTagName = (name: string): boolean => tagName.test(name)

/** Tags as they stand before a message, `@` and the space included; nothing for none. Those whose names are none are left out. */
export const printTags = (tags: Readonly<Record<string, string>>): string => {
  let out = ""
  for (const name in tags) {
    if (!isTagName(name)) continue
    const value = cleanTag(tags[name]!)
    out += `${out === "" ? "@" : ";"}${name}${value === "" ? "" : `=${escape(value)}`}`
  }
  return out === "" ? "" : `${out} `
}

// C0 but for CTCP's and colours' bytes, DEL, C1, and what is no character (row 3).
const unsafe = /[\u0000\u0005-\u000e\u0010\u0012-\u0015\u0017-\u001c\u007f-\u009f\u2028\u2029\ud800-\udfff]/u
const unsafes = new RegExp(unsafe, "gu")

/** Text without what no IRC client may be sent; a tab is a space. */
export const clean = (text: string): string => Text.isPlain(text) || !unsafe.test(text) ? text : text.replaceAll("\t", " ").replace(unsafes, "")

/** The same for the value of a tag, in which line ends are escaped. */
const cleanTag = (value: string): string => unsafeInTag.test(value) ? value.replace(unsafesInTag, "") : value
const unsafeInTag = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/u
const unsafesInTag = new RegExp(unsafeInTag, "gu")

const middle = (param: string): string => clean(param).replace(/[ \u0001-\u001f]/g, "_") || "*"

/** The longest source, in characters: what is longer is nobody's. */
const maxSource = 200

/**
 * Which parameter is what somebody wrote, or their new nick: it stands behind a colon if it is one word, too, for there sic and ii
 * look for it.
 */
const texts: Readonly<Record<string, number>> = {
  AWAY: 0, KICK: 2, KILL: 1, NICK: 0, PART: 1, QUIT: 0, SETNAME: 0, TOPIC: 1, WALLOPS: 0,
  301: 2, 311: 5, 312: 3, 314: 5, 322: 3, 332: 2
}

/** A line with its end, without tags; the last parameter may hold anything, the source and the others are made one word each. */
export const print = (source: string, command: string, ...params: ReadonlyArray<string>): string => {
  let out = `:${word(source).slice(0, maxSource)} ${command}`
  const last = params.length - 1
  for (let i = 0; i < last; i++) out += ` ${word(params[i]!)}`
  if (last >= 0) out += texts[command] !== last && isWord(params[last]!) ? ` ${params[last]!}` : ` :${clean(params[last]!)}`
  const length = maxLine - 2
  return (out.length * 3 <= length || Text.byteLength(out) <= length ? out : Text.truncate(out, length)) + "\r\n"
}

/** Printable ASCII without a space, which does not begin with a colon. */
const isWord = (text: string): boolean => {
  const { length } = text
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return length > 0 && text.charCodeAt(0) !== 0x3a
}

const notColon = (text: string): string => text.startsWith(":") ? `_${text.slice(1)}` : text

/** As it is where it is one word, and made one where it is not. */
export const word = (text: string): string => isWord(text) ? text : notColon(middle(text))

/** As much of a text as goes into one line between this beginning and this end, never half a character that would have room in one. */
export const fitted = (head: string, text: string, tail = ""): string =>
  fits(head, text, tail) ? text : Text.begun(text, Math.max(0, room(head) - tail.length))

/** Whether these are one line whatever they are made of, so that nothing needs to be counted. */
const fits = (head: string, text: string, tail: string): boolean => (head.length + text.length + tail.length) * 3 <= maxLine - 2

/** How much of a text goes into one line after this beginning, in bytes. */
const room = (head: string): number => maxLine - 2 - Text.byteLength(head)

/** As much of it as ends with a word, unless less than half of it does; with what parts it from the next. */
const untilWord = (part: string): string => {
  const end = part.lastIndexOf(" ") + 1
  return end * 2 > part.length ? part.slice(0, end) : part
}

/** `head` with a text behind it, as many lines as it takes; they end between words where they can. */
export const lines = (head: string, text: string, tail = ""): ReadonlyArray<string> => {
  const cleaned = clean(text)
  if (fits(head, cleaned, tail)) return [`${head}${cleaned}${tail}\r\n`]
  const most = room(head) - tail.length
  if (cleaned.length * 3 <= most || Text.byteLength(cleaned) <= most) return [`${head}${cleaned}${tail}\r\n`]
  const out: Array<string> = []
  for (let rest = cleaned; rest.length > 0;) {
    const begun = Text.begun(rest, Math.max(8, most))
    const part = begun.length === rest.length ? begun : untilWord(begun)
    out.push(`${head}${part}${tail}\r\n`)
    rest = rest.slice(part.length)
  }
  return out
}
