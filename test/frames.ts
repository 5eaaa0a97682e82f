/**
 * WebSockets as bytes: a connection that was upgraded, on which any frame can be sent and every frame is read (RFC 6455).
 */
import * as Effect from "effect/Effect"
import { type Socket, socket } from "./support.ts"

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
}

/** How a frame differs from a good one. */
export interface Written {
  readonly fin?: boolean
  readonly reserved?: number
  readonly masked?: boolean
  /** The length it claims to have. */
  readonly length?: bigint
}

export const frame = (opcode: number, payload: Uint8Array | string, { fin = true, length, masked = true, reserved = 0 }: Written = {}): Buffer => {
  const bytes = Buffer.from(payload as string)
  const claimed = length ?? BigInt(bytes.length)
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode]
  const mask = masked ? 0x80 : 0
  let long = Buffer.alloc(0)
  if (claimed < 126n) head.push(mask | Number(claimed))
  else if (claimed < 65_536n) {
    head.push(mask | 126)
    long = Buffer.alloc(2)
    long.writeUInt16BE(Number(claimed))
  } else {
    head.push(mask | 127)
    long = Buffer.alloc(8)
    long.writeBigUInt64BE(claimed)
  }
  const key = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([Buffer.from(head), long, ...(masked ? [key, bytes.map((byte, i) => byte ^ key[i % 4]!)] : [bytes])])
}

/** The frames that a server wrote, as far as they are whole. */
export const framesOf = (bytes: Buffer): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes[at + 1]! & 127
    const skip = short === 126 ? 4 : short === 127 ? 10 : 2
    if (at + skip > bytes.length) break
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
    if (at + skip + length > bytes.length) break
    frames.push({ opcode: bytes[at]! & 15, payload: bytes.subarray(at + skip, at + skip + length) })
    at += skip + length
  }
  return frames
}

export const upgrade = (port: number, headers: ReadonlyArray<string> = [], path = "/ws"): string =>
  [
    `GET ${path} HTTP/1.1`,
    ...(headers.some((line) => line.startsWith("Host:")) ? [] : [`Host: 127.0.0.1:${port}`]),
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "",
    ""
  ].join("\r\n")

export interface Upgraded {
  readonly socket: Socket
  /** What was answered to the upgrade. */
  readonly answer: string
  readonly frames: () => ReadonlyArray<Frame>
  readonly texts: () => ReadonlyArray<string>
  readonly until: (done: (frames: ReadonlyArray<Frame>) => boolean) => Effect.Effect<void>
  readonly write: (...frames: ReadonlyArray<Buffer>) => Effect.Effect<void>
  /** The code it is closed with. */
  readonly closed: Effect.Effect<number>
}

/** Upgraded, as far as the server does it. */
export const upgraded = Effect.fnUntraced(function*(port: number, headers: ReadonlyArray<string> = []) {
  const client = yield* socket(port)
  client.net.write(upgrade(port, headers))
  yield* Effect.promise(() => client.until((text) => text.includes("\r\n\r\n")))
  const bytes = client.bytes()
  const head = bytes.indexOf("\r\n\r\n") + 4
  const frames = () => framesOf(client.bytes().subarray(head))
  const until = (done: (frames: ReadonlyArray<Frame>) => boolean) => Effect.asVoid(Effect.promise(() => client.until(() => done(frames()))))
  const ofClose = () => frames().find(({ opcode }) => opcode === 8)
  return {
    socket: client,
    answer: bytes.subarray(0, head).toString(),
    frames,
    texts: () => frames().filter(({ opcode }) => opcode === 1 || opcode === 2).map(({ payload }) => payload.toString()),
    until,
    write: (...all) => Effect.sync(() => void client.net.write(Buffer.concat(all))),
    closed: Effect.map(until(() => ofClose() !== undefined), () => ofClose()!.payload.length < 2 ? 1005 : ofClose()!.payload.readUInt16BE(0))
  } satisfies Upgraded
})
