/**
 * WebSocket frames as the benchmark's clients speak them (RFC 6455): the bare bytes, for a library would cost the clients more
 * than either server. They take whole text frames, and answer pings.
 */

/** The request that a connection begins with. */
export const request = (port: number): Buffer =>
  Buffer.from(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
  )

/** How a client's frame begins whose payload is so long; its masking key is all zeros, which leaves the payload as it is. */
const head = (opcode: number, length: number): Buffer =>
  length < 126
    ? Buffer.from([0x80 | opcode, 0x80 | length, 0, 0, 0, 0])
    : Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0])

/** A text as a client sends it. */
export const frame = (text: string): Buffer => Buffer.concat([head(1, Buffer.byteLength(text)), Buffer.from(text)])

export const pong = head(10, 0)

/** Where the payload of a server's frame begins that begins here; -1 where its length is not there yet. */
export const payloadAt = (bytes: Buffer, at: number, end: number): number => {
  if (at + 2 > end) return -1
  const from = at + (bytes[at + 1]! < 126 ? 2 : bytes[at + 1] === 126 ? 4 : 10)
  return from > end ? -1 : from
}

/** Where it ends, then. */
export const endsAt = (bytes: Buffer, at: number, from: number): number => {
  const length = bytes[at + 1]!
  return from + (length < 126 ? length : length === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2)))
}

export const isText = (bytes: Buffer, at: number): boolean => bytes[at] === 0x81
export const isPing = (bytes: Buffer, at: number): boolean => bytes[at] === 0x89

const blankLine = Buffer.from("\r\n\r\n")

/** Where what comes after the answer to the request begins; -1 where it has not ended. */
export const afterAnswer = (bytes: Buffer): number => {
  const at = bytes.indexOf(blankLine)
  return at === -1 ? -1 : at + blankLine.length
}
