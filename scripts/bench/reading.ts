/** How a crowd's members read: what comes is cut into lines, or into the texts of frames, as cheaply as it can be. */
import type { Socket } from "node:net"
import * as Frames from "./frames.ts"
import { newline, startsAt } from "./message.ts"

/** Who reads, and the start of what has not come whole. */
export interface Reader {
  readonly socket: Socket
  rest: Buffer | undefined
  /** Whether the request that a WebSocket begins with was answered. */
  answered: boolean
}

/** All that read share one buffer, of which this much was just read; what is whole of it is heard from there. */
export type Read<A extends Reader> = (reader: A, length: number, now: number) => void
type Hear<A extends Reader> = (reader: A, bytes: Buffer, start: number, end: number, now: number) => void

/** Lines, of which nearly all are `usual` bytes long, with a message that begins `size` bytes before their end. */
export const lines = <A extends Reader>(chunk: Buffer, usual: number, size: number, hear: Hear<A>): Read<A> => (reader, length, now) => {
  let at = 0
  if (reader.rest !== undefined) {
    const end = chunk.indexOf(newline)
    if (end === -1 || end >= length) {
      reader.rest = Buffer.concat([reader.rest, chunk.subarray(0, length)])
      return
    }
    const line = Buffer.concat([reader.rest, chunk.subarray(0, end + 1)])
    reader.rest = undefined
    hear(reader, line, 0, line.length - 1, now)
    at = end + 1
  }
  while (at < length) {
    // Where the line ends if it is a message, as nearly all are; looked for only if it does not.
    let end = at + usual - 1
    if (end >= length || chunk[end] !== newline || !startsAt(chunk, end - size)) {
      end = chunk.indexOf(newline, at)
      if (end === -1 || end >= length) break
    }
    hear(reader, chunk, at, end, now)
    at = end + 1
  }
  if (at < length) reader.rest = Buffer.from(chunk.subarray(at, length))
}

/** Texts of frames, after the answer to the request. */
export const frames = <A extends Reader>(chunk: Buffer, hear: Hear<A>, onAnswer: (reader: A) => void): Read<A> => (reader, length, now) => {
  const whole = reader.rest !== undefined
  const bytes = whole ? Buffer.concat([reader.rest!, chunk.subarray(0, length)]) : chunk
  const stop = whole ? bytes.length : length
  reader.rest = undefined
  let at = 0
  if (!reader.answered) {
    at = Frames.afterAnswer(bytes.subarray(0, stop))
    if (at === -1) {
      reader.rest = Buffer.from(bytes.subarray(0, stop))
      return
    }
    reader.answered = true
    onAnswer(reader)
  }
  while (at < stop) {
    const from = Frames.payloadAt(bytes, at, stop)
    const end = from === -1 ? Infinity : Frames.endsAt(bytes, at, from)
    if (end > stop) break
    if (Frames.isText(bytes, at)) hear(reader, bytes, from, end, now)
    else if (Frames.isPing(bytes, at)) reader.socket.write(Frames.pong)
    at = end
  }
  if (at < stop) reader.rest = Buffer.from(bytes.subarray(at, stop))
}
