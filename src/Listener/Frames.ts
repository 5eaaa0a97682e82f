/**
 * Lines as the frames in which a server sends them, one unmasked frame each (RFC 6455 5.2). What is given to many alike is
 * framed once for all of them. Knows no dialect.
 */

/** How the payload is meant (RFC 6455 5.6). */
export const text = 1
export const binary = 2
export type Opcode = typeof text | typeof binary

const newline = 10
const carriageReturn = 13
const final = 0x80

const headSize = (length: number): number => length < 126 ? 2 : length < 65_536 ? 4 : 10

const writeHead = (frames: Buffer, at: number, opcode: Opcode, length: number): number => {
  frames[at] = final | opcode
  if (length < 126) {
    frames[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    frames[at + 1] = 126
    return frames.writeUInt16BE(length, at + 2)
  }
  frames[at + 1] = 127
  frames.writeUInt32BE(0, at + 2)
  return frames.writeUInt32BE(length, at + 6)
}

/** A control frame (RFC 6455 5.5): its payload has at most 125 bytes. */
export const control = (opcode: "close" | "ping" | "pong", payload: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(2 + payload.length)
  frame[0] = final | controls[opcode]
  frame[1] = payload.length
  frame.set(payload, 2)
  return frame
}

const controls = { close: 8, ping: 9, pong: 10 } as const

/** How a connection is closed: a code, and why in at most 123 bytes (RFC 6455 5.5.1). */
export const closing = (code: number, reason = ""): Buffer => {
  const payload = Buffer.from(`  ${reason}`)
  payload.writeUInt16BE(code)
  return control("close", payload)
}

/** Each line as a frame, without its end; empty lines are none. */
export const of = (bytes: Uint8Array, opcode: Opcode): Buffer => {
  const ends: Array<number> = []
  let size = 0
  for (let start = 0; start < bytes.length;) {
    const at = bytes.indexOf(newline, start)
    const next = at === -1 ? bytes.length : at
    const end = next > start && bytes[next - 1] === carriageReturn ? next - 1 : next
    if (end > start) {
      ends.push(start, end)
      size += headSize(end - start) + end - start
    }
    start = next + 1
  }
  const frames = Buffer.allocUnsafe(size)
  let at = 0
  for (let i = 0; i < ends.length; i += 2) {
    const start = ends[i]!
    const end = ends[i + 1]!
    at = writeHead(frames, at, opcode, end - start)
    frames.set(bytes.subarray(start, end), at)
    at += end - start
  }
  return frames
}

/** How much of what was framed last is kept, should somebody else be given the same: a room's members, of a few kinds. */
const kept = 4

/** What frames the same bytes once however often it is asked to. Bytes that it was given are not to change. */
export const framer = (): (bytes: Uint8Array, opcode: Opcode) => Buffer => {
  const last: Array<{ readonly bytes: Uint8Array; readonly opcode: Opcode; readonly frames: Buffer }> = []
  let next = 0
  return (bytes, opcode) => {
    for (let i = 0; i < last.length; i++) {
      const one = last[i]!
      if (one.bytes === bytes && one.opcode === opcode) return one.frames
    }
    const frames = of(bytes, opcode)
    last[next] = { bytes, opcode, frames }
    next = (next + 1) % kept
    return frames
  }
}
