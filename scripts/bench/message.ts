/**
 * What is sent: "@", the sender as a letter, its number as four digits of six bits each, filling, "$". All of a length, one line,
 * and nothing in it that JSON writes in another way.
 */

const mark = "@".charCodeAt(0)
const endMark = "$".charCodeAt(0)
const firstSender = "A".charCodeAt(0)
const zero = "#".charCodeAt(0)
const backslash = "\\".charCodeAt(0)
export const newline = 10

const digit = (value: number): number => zero + value < backslash ? zero + value : zero + value + 1
const value = (of: number): number => of < backslash ? of - zero : of - zero - 1

/** A message to copy, with its newline. */
export const blank = (size: number): Buffer => {
  const message = Buffer.alloc(size + 1, "abcdefghijklmnopqrstuvwxyz")
  message[0] = mark
  message[size - 1] = endMark
  message[size] = newline
  return message
}

/** Make the copy that starts here a message of its own. */
export const stamp = (bytes: Buffer, start: number, sender: number, number: number): void => {
  bytes[start + 1] = firstSender + sender
  bytes[start + 2] = digit(number >> 18)
  bytes[start + 3] = digit((number >> 12) & 63)
  bytes[start + 4] = digit((number >> 6) & 63)
  bytes[start + 5] = digit(number & 63)
}

/** Whether a message may start here. */
export const startsAt = (bytes: Buffer, start: number): boolean => bytes[start] === mark

/** Whose message of this size starts here; -1 if it is none. */
export const senderAt = (bytes: Buffer, start: number, size: number): number =>
  start < 0 || bytes[start] !== mark || bytes[start + size - 1] !== endMark ? -1 : bytes[start + 1]! - firstSender

export const numberAt = (bytes: Buffer, start: number): number =>
  (value(bytes[start + 2]!) << 18) | (value(bytes[start + 3]!) << 12) | (value(bytes[start + 4]!) << 6) | value(bytes[start + 5]!)

/** What is sent only to see who hears it. */
export const probe = "?probe"

export const isProbe = (line: Buffer): boolean => line.includes(probe)
