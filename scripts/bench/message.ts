/** What is sent: "@", the sender as a letter, its number as four digits of six bits each, filling, "$". One line, all of a length. */

const mark = "@".charCodeAt(0)
const endMark = "$".charCodeAt(0)
const firstSender = "A".charCodeAt(0)
const zero = "0".charCodeAt(0)
export const newline = 10

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
  bytes[start + 2] = zero + (number >> 18)
  bytes[start + 3] = zero + ((number >> 12) & 63)
  bytes[start + 4] = zero + ((number >> 6) & 63)
  bytes[start + 5] = zero + (number & 63)
}

/** Whether a message may start here. */
export const startsAt = (bytes: Buffer, start: number): boolean => bytes[start] === mark

/** Whose message of this size starts here; -1 if it is none. */
export const senderAt = (bytes: Buffer, start: number, size: number): number =>
  start < 0 || bytes[start] !== mark || bytes[start + size - 1] !== endMark ? -1 : bytes[start + 1]! - firstSender

export const numberAt = (bytes: Buffer, start: number): number =>
  ((bytes[start + 2]! - zero) << 18) | ((bytes[start + 3]! - zero) << 12) | ((bytes[start + 4]! - zero) << 6) | (bytes[start + 5]! - zero)

/** A line that is sent only to see who hears it. */
export const probe = Buffer.from("?probe\n")

export const isProbe = (line: Buffer): boolean => line.subarray(1 - probe.length).equals(probe.subarray(0, -1))
