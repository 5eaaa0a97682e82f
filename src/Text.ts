/**
 * What may be shown of what people typed: no control byte, no hidden reordering, no half a character.
 * Knows nothing of who typed it or where it is shown.
 */

/** Anything that a terminal, a log or a page might act on: C0, DEL, C1, line and paragraph separators, bidi controls, invisible marks. */
const suspicious = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]/u

/**
 * Whether a text is printable ASCII, which is harmless everywhere: most messages are, and short. Looking at each character
 * touches less memory than an expression does, which tells where a message comes alone. Not said of a long one.
 */
export const isPlain = (text: string): boolean => {
  const { length } = text
  if (length > plainest) return false
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}

/** Longest text that is looked at for that, in characters. */
export const plainest = 512

let segmenter: Intl.Segmenter | undefined
const segments = () => segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })

const isolateStart = (code: number) => code >= 0x2066 && code <= 0x2068
const isolateEnd = 0x2069

const visible = (code: number): string =>
  code === 0x09
    ? " "
    : code === 0x1b
    ? "␛"
    : code < 0x20
    ? String.fromCharCode(0x2400 + code)
    : code === 0x7f
    ? "␡"
    : code === 0x9b
    ? "␛"
    : code === 0x2028 || code === 0x2029
    ? "␤"
    : code === 0x200e || code === 0x200f || code === 0x061c || code === 0x2060
    ? String.fromCodePoint(code)
    : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`

/**
 * The text as a person may be shown it: control characters become visible signs (ESC `␛`, BEL `␇`, TAB a space),
 * bidi overrides become `<U+202E>`, isolates are closed at the end of the line, lone surrogates and other invisible
 * marks are spelled out. Text without any of these comes back as it is. Idempotent.
 */
export const printable = (text: string): string => {
  if (isPlain(text) || !suspicious.test(text)) return text
  let out = ""
  let open = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (isolateStart(code)) {
      open++
      out += character
    } else if (code === isolateEnd) {
      if (open > 0) {
        open--
        out += character
      }
    } else out += suspicious.test(character) ? visible(code) : character
  }
  return out + "\u2069".repeat(open)
}

/** Bytes of the text in UTF-8. */
export const byteLength = (text: string): number => Buffer.byteLength(text)

/** At most `maxBytes` bytes of UTF-8, cut between characters as people see them, never inside an emoji. */
export const truncate = (text: string, maxBytes: number): string => {
  if (text.length * 3 <= maxBytes || byteLength(text) <= maxBytes) return text
  let bytes = 0
  let out = ""
  // One character more than can fit, so that what follows the last one that fits is seen to belong to it.
  for (const { segment } of segments().segment(text.slice(0, maxBytes + 2))) {
    bytes += byteLength(segment)
    if (bytes > maxBytes) break
    out += segment
  }
  return out
}

/** The same for one who must be given something: of a character that is longer by itself as many code points as fit. */
export const begun = (text: string, maxBytes: number): string => {
  const whole = truncate(text, maxBytes)
  if (whole !== "") return whole
  let bytes = 0
  let end = 0
  for (const point of text) {
    bytes += byteLength(point)
    if (bytes > maxBytes) break
    end += point.length
  }
  return text.slice(0, end)
}

/** UTF-8. */
export const encode = (text: string): Uint8Array => {
  const { length } = text
  if (length > plainest) return Buffer.from(text)
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return Buffer.from(text)
    bytes[i] = code
  }
  return bytes
}

/** The text without its last character as a person sees it (of which at most 64 UTF-16 units are looked at). */
export const withoutLast = (text: string): string => {
  const from = Math.max(0, text.length - 64)
  const end = text.slice(from)
  return text.slice(0, from + (segments().segment(end).containing(end.length - 1)?.index ?? 0))
}

const strict = new TextDecoder("utf-8", { fatal: true })

/** Bytes as text: UTF-8 where they are that, else each byte as the character of its number. */
export const readable = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes)
  } catch {
    return Buffer.from(bytes).toString("latin1")
  }
}

/** A number and its noun: `1 message`, `2 messages`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

// Everything that a terminal might act on and that JSON leaves as it is.
const active = /[\u007f-\u009f\u2028\u2029]/g
const escaped = (character: string) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0")

/** The same JSON, on which no terminal acts. */
export const inert = (json: string): string => json.replace(active, escaped)
