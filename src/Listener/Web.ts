/**
 * WebSockets as connections: one line a message, no ends of lines (RFC 6455). Knows subprotocols and the limits of frames;
 * who may come is told by whoever asks it to upgrade.
 */
import type { RawData, WebSocket } from "@effect/platform-node/NodeWS"
import type { IncomingMessage } from "node:http"
import { type Arrival, type Connection, ConnectionLost, type Peer } from "../Connection.ts"

/** What may be spoken, and by which subprotocol (https://ircv3.net/specs/extensions/websocket). */
export const subprotocols = {
  "chat.json": { speaks: "json", binary: false },
  "text.ircv3.net": { speaks: "irc", binary: false },
  "binary.ircv3.net": { speaks: "irc", binary: true }
} as const
export type Subprotocol = keyof typeof subprotocols

/** Longest message, in bytes. */
export const maxMessage = 65_536

/** More than this come and not asked for, and nothing more is read, in bytes. */
const maxAhead = 65_536

/** How many pings a client may send between two looks. */
const maxPings = 100

/** After this long a client is asked whether it is there, and after this much longer without an answer it is gone, in milliseconds. */
export const pingAfter = 25_000
export const pongWithin = 20_000

const newline = 10
const messagesOf = new WeakMap<Uint8Array, ReadonlyArray<Uint8Array>>()

/** Lines of what is given to many alike, cut once. */
const messages = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  let found = messagesOf.get(bytes)
  if (found === undefined) {
    const lines: Array<Uint8Array> = []
    for (let start = 0; start < bytes.length;) {
      const at = bytes.indexOf(newline, start)
      const end = at === -1 ? bytes.length : at
      const stop = end > start && bytes[end - 1] === 13 ? end - 1 : end
      if (stop > start) lines.push(bytes.subarray(start, stop))
      start = end + 1
    }
    messagesOf.set(bytes, found = lines)
  }
  return found
}

const bytesOf = (data: RawData): Buffer => Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)

const end = Buffer.from("\n")

export class WebConnection implements Connection {
  readonly peer: Peer
  readonly speaks: "json" | "irc"
  readonly #ws: WebSocket
  readonly #binary: boolean
  #arrived: Array<Buffer> = []
  #ahead = 0
  #ended = false
  #lost: ConnectionLost | undefined
  #bell: () => void = () => {}
  #ringWhenSent = false
  #given = 0
  #pings = 0
  /** When it was last heard of, and when it was asked whether it is there. */
  #heard: number
  #asked: number | undefined

  constructor(ws: WebSocket, request: IncomingMessage, now: number) {
    this.#ws = ws
    this.#heard = now
    this.peer = { address: request.socket.remoteAddress ?? "unknown", port: request.socket.remotePort ?? 0 }
    const { binary, speaks } = subprotocols[(ws.protocol || "chat.json") as Subprotocol]
    this.speaks = speaks
    this.#binary = binary
    ws.on("message", (data, isBinary) => this.#onMessage(bytesOf(data), isBinary))
    ws.on("ping", () => {
      if (++this.#pings > maxPings) ws.close(1008, "too many pings")
    })
    ws.on("pong", () => {
      this.#asked = undefined
    })
    ws.on("error", (cause) => {
      this.#lost ??= new ConnectionLost({ reason: "connection failed", cause })
    })
    ws.on("close", (code) => {
      if (code === 1000 || code === 1001 || code === 1005) this.#ended = true
      else this.#lost ??= new ConnectionLost({ reason: "connection closed" })
      this.#bell()
    })
  }
  #onMessage(bytes: Buffer, isBinary: boolean): void {
    if (isBinary !== this.#binary) return this.#ws.close(1003, isBinary ? "text messages only" : "binary messages only")
    // One message is one line: what holds more is none (SURVIVE row 12). JSON may be written over several lines.
    if (this.speaks === "irc" && bytes.includes(newline)) return
    const line = this.speaks === "json" && bytes.includes(newline) ? Buffer.from(bytes.map((byte) => byte === newline ? 32 : byte)) : bytes
    this.#arrived.push(line, end)
    this.#ahead += line.length + 1
    if (this.#ahead > maxAhead) this.#ws.pause()
    this.#bell()
  }
  /** Called every few seconds. */
  look(now: number): void {
    this.#pings = 0
    if (this.#asked !== undefined) {
      if (now - this.#asked >= pongWithin) {
        this.#lost ??= new ConnectionLost({ reason: "ping timeout" })
        this.#ws.terminate()
      }
    } else if (now - this.#heard >= pingAfter && this.#ws.readyState === this.#ws.OPEN) {
      this.#heard = this.#asked = now
      this.#ws.ping()
    }
  }
  take(): Arrival {
    if (this.#arrived.length > 0) {
      const bytes = Buffer.concat(this.#arrived)
      this.#arrived = []
      this.#ahead = 0
      if (this.#ws.isPaused) this.#ws.resume()
      return bytes
    }
    return this.#lost ?? (this.#ended ? "ended" : "nothing")
  }
  lost(): ConnectionLost | undefined {
    return this.#lost
  }
  gone(): boolean {
    return this.#ended || this.#lost !== undefined
  }
  give(bytes: Uint8Array): void {
    if (this.#lost !== undefined || this.#ws.readyState !== this.#ws.OPEN) return
    this.#given += bytes.length
    for (const message of messages(bytes)) this.#ws.send(message, { binary: this.#binary }, this.#sent)
  }
  readonly #sent = (): void => {
    if (!this.#ringWhenSent || this.#ws.bufferedAmount > 0) return
    this.#ringWhenSent = false
    this.#bell()
  }
  unsent(): number {
    return this.#lost === undefined ? this.#ws.bufferedAmount : 0
  }
  progress(): number {
    return this.#given - this.#ws.bufferedAmount
  }
  watch(bell: () => void): void {
    this.#bell = bell
  }
  ringWhenSent(): void {
    this.#ringWhenSent = true
    if (this.#ws.bufferedAmount === 0) setImmediate(this.#sent)
  }
  finish(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.close(1001)
  }
  finished(): boolean {
    return this.#ws.readyState === this.#ws.CLOSED
  }
  destroy(): void {
    this.#ws.terminate()
  }
}
