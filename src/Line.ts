/**
 * Bytes to lines and back: where a line ends, and what has come of one that has not ended.
 * Knows nothing of what a line says.
 */
import { also, none } from "./Few.ts"

const LF = 10
const CR = 13
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Bytes of a line that has not ended yet; what a dialect keeps between two chunks. */
export type Pending = Uint8Array

/** Nothing pending. */
export const nothing: Pending = new Uint8Array(0)

/** A line without its end; of one that is not valid UTF-8 only how many bytes it had, and how it starts, as far as that is ASCII. */
export type Line = string | { readonly invalid: number; readonly start: string }

/** Whole lines, and the beginning of the next. */
export interface Lines {
  readonly lines: ReadonlyArray<Line>
  readonly pending: Pending
}


const join = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}

const withoutCR = (line: string): string => line.endsWith("\r") ? line.slice(0, -1) : line

const decodeOne = (bytes: Uint8Array): Line => {
  try {
    return withoutCR(decoder.decode(bytes))
  } catch {
    return { invalid: bytes.length, start: Buffer.from(bytes.subarray(0, bytes.findIndex((byte) => byte > 127))).toString("latin1") }
  }
}

const decodeEach = (bytes: Uint8Array): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  let start = 0
  for (let end = bytes.indexOf(LF, start); end !== -1; end = bytes.indexOf(LF, start)) {
    lines.push(decodeOne(bytes.subarray(start, end)))
    start = end + 1
  }
  return lines
}

/** All of `bytes` ends in LF; decoded in one go, line by line only when some of it is not UTF-8. */
const decode = (bytes: Uint8Array): ReadonlyArray<Line> => {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return decodeEach(bytes)
  }
  const lines = text.split("\n")
  lines.pop()
  if (bytes.includes(CR)) { for (let i = 0; i < lines.length; i++) lines[i] = withoutCR(lines[i]!) }
  return lines
}

/** These bytes as a buffer: mostly they are one. */
export const bufferOf = (bytes: Uint8Array): Buffer => Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

/** Where the LF is of the line that starts at `from`, if the line is printable ASCII, as most are: then there is nothing in it but text. Else -1. */
export const simpleEnd = (chunk: Uint8Array, from: number): number => {
  for (let i = from; i < chunk.length; i++) {
    const byte = chunk[i]!
    if (byte >= 0x20 && byte <= 0x7e) continue
    if (byte === LF) return i
    if (byte !== CR || chunk[i + 1] !== LF) return -1
  }
  return -1
}

/** Where the text ends of a line that starts at `from` and whose LF is there. */
export const textEnd = (chunk: Uint8Array, from: number, end: number): number => end > from && chunk[end - 1] === CR ? end - 1 : end

/** The text of such bytes, made for itself, so that one that is kept keeps no other. */
export const simpleText = (chunk: Buffer, from: number, to: number): string => chunk.toString("latin1", from, to)

/** Words that came lately, each where a sum of its bytes says. */
const lately: Array<string> = new Array(1024).fill("")

/** The same, of a word that mostly came before, such as a room's name: then it is the same string, which is found again more quickly. */
export const word = (chunk: Buffer, from: number, to: number): string => {
  let sum = to - from
  for (let i = from; i < to; i++) sum = Math.imul(sum, 31) + chunk[i]! | 0
  const found = lately[sum & 1023]!
  return isWritten(found, chunk, from, to) ? found : lately[sum & 1023] = simpleText(chunk, from, to)
}

const isWritten = (text: string, chunk: Buffer, from: number, to: number): boolean => {
  if (text.length !== to - from) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== chunk[from + i]) return false
  return true
}

/** The lines of a chunk that is nothing but simple lines. `undefined` says nothing. */
export const simple = (chunk: Uint8Array): ReadonlyArray<string> | undefined => {
  const { length } = chunk
  if (chunk[length - 1] !== LF) return undefined
  const buffer = bufferOf(chunk)
  let lines: Array<string> = none
  for (let start = 0; start < length;) {
    const end = simpleEnd(buffer, start)
    if (end === -1) return undefined
    lines = also(lines, simpleText(buffer, start, textEnd(buffer, start, end)))
    start = end + 1
  }
  return lines
}

/**
 * The lines that end in `chunk`, LF or CRLF being an end. The caller bounds `pending`: it grows until a line ends.
 * What is kept is a copy, so the chunk's buffer can go.
 */
export const split = (pending: Pending, chunk: Uint8Array): Lines => {
  const lines = pending.length === 0 ? simple(chunk) : undefined
  if (lines !== undefined) return { lines, pending }
  const end = chunk.lastIndexOf(LF) + 1
  if (end === 0) return { lines: none, pending: chunk.length === 0 ? pending : join(pending, chunk) }
  const whole = end === chunk.length ? chunk : chunk.subarray(0, end)
  return {
    lines: decode(pending.length === 0 ? whole : join(pending, whole)),
    pending: end === chunk.length ? nothing : join(nothing, chunk.subarray(end))
  }
}

/** What is pending as the last line, for an input that ended without an LF; `undefined` when nothing is. */
export const last = (pending: Pending): Line | undefined => pending.length === 0 ? undefined : decodeOne(pending)

/** A byte order mark at the start of a stream is no part of its first line (row 8). */
export const withoutBOM = (line: string): string => line.charCodeAt(0) === 0xfeff ? line.slice(1) : line

/** Whether a line has more than `max` bytes. */
export const longerThan = (line: Line, max: number): boolean =>
  typeof line === "string"
    ? line.length > max || (line.length * 3 > max && Buffer.byteLength(line) > max)
    : line.invalid > max

/**
 * Whether what is pending can only become a line of more than `max` bytes. Together with `longerThan` on lines that
 * ended, a line is found too long wherever it was cut (the one byte more may be the CR of its end).
 */
export const outgrown = (pending: Pending, max: number): boolean => pending.length > max + 1
