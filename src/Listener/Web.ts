/**
 * WebSockets as connections: one line a message, no ends of lines (RFC 6455). Knows subprotocols and the limits of frames;
 * who may come is told by whoever asks it to upgrade.
 */
import { type RawData, type WebSocket, WebSocketServer } from "@effect/platform-node/NodeWS"
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type Arrival, type Connection, ConnectionLost, type Peer } from "../Connection.ts"
import * as Frames from "./Frames.ts"

/** What may be spoken, and by which subprotocol (https://ircv3.net/specs/extensions/websocket). */
export const subprotocols = {
  "chat.json": { speaks: "json", binary: false },
  "text.ircv3.net": { speaks: "irc", binary: false },
  "binary.ircv3.net": { speaks: "irc", binary: true }
} as const
export type Subprotocol = keyof typeof subprotocols

/** Longest message, in bytes, and how many fragments it may come in. */
export const maxMessage = 65_536
export const maxFragments = 1000

/** How many pieces of a frame that is not whole are kept, however small the network cut them. */
const maxPieces = 16_384

/** More than this come and not asked for, and nothing more is read, in bytes. */
const maxAhead = 65_536

/** How many pings a client may send between two looks. */
export const maxPings = 100

/** How long somebody who broke the protocol has to read by which code, in milliseconds. */
const lingers = 1000

/** How long a client may take over the rest of what it was given and its own goodbye, in milliseconds; a session is not as patient. */
const closeTimeout = 15_000

/** More than this unsent, and it is the session that decides for how long nothing may be taken, in bytes. */
const muchUnsent = 65_536

/** After this long a client is asked whether it is there, and after this much longer without an answer it is gone, in milliseconds. */
export const pingAfter = 25_000
export const pongWithin = 20_000

const newline = 10
const noBytes = new Uint8Array(0)

const framed = Frames.framer()

const bytesOf = (data: RawData): Buffer => Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)

const end = Buffer.from("\n")

export class WebConnection implements Connection {
  readonly peer: Peer
  readonly speaks: "json" | "irc"
  readonly #ws: WebSocket
  readonly #socket: Socket
  readonly #binary: boolean
  #arrived: Array<Buffer> = []
  #ahead = 0
  #ended = false
  #lost: ConnectionLost | undefined
  #bell: () => void = () => {}
  #ringWhenSent = false
  #given = 0
  #pings = 0
  /** Why it is over, once the client did what it must not: it is not listened to any more. */
  #fault: ConnectionLost | undefined
  /** When it was last known to be there, and when it was asked whether it is. */
  #known: number
  #asked: number | undefined

  constructor(ws: WebSocket, request: IncomingMessage, now: number) {
    this.#ws = ws
    this.#socket = request.socket
    this.#known = now
    this.peer = { address: request.socket.remoteAddress ?? "unknown", port: request.socket.remotePort ?? 0 }
    const { binary, speaks } = subprotocols[(ws.protocol || "chat.json") as Subprotocol]
    this.speaks = speaks
    this.#binary = binary
    ws.on("message", (data, isBinary) => this.#onMessage(bytesOf(data), isBinary))
    ws.on("ping", () => {
      if (++this.#pings > maxPings) this.#refuse(1008, "too many pings")
    })
    ws.on("pong", () => {
      this.#asked = undefined
    })
    ws.on("error", (cause) => {
      // The client is being told by a code (RFC 6455 7.4.1), and lost when it had a moment to read it.
      this.#fail(new ConnectionLost({ reason: "connection failed", cause }))
    })
    ws.on("close", (code) => {
      if (this.#fault === undefined && (code === 1000 || code === 1001 || code === 1005)) this.#ended = true
      else this.#lost ??= this.#fault ?? new ConnectionLost({ reason: "connection closed" })
      this.#bell()
    })
  }
  #fail(fault: ConnectionLost): void {
    if (this.#fault !== undefined) return
    this.#fault = fault
    const timer = setTimeout(() => this.#ws.terminate(), lingers)
    this.#ws.once("close", () => clearTimeout(timer))
  }
  #refuse(code: number, reason: string): void {
    this.#ws.close(code, reason)
    this.#fail(new ConnectionLost({ reason }))
  }
  #onMessage(bytes: Buffer, isBinary: boolean): void {
    if (this.#fault !== undefined) return
    if (isBinary !== this.#binary) return this.#refuse(1003, isBinary ? "text messages only" : "binary messages only")
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
    // Who is not read cannot be heard to answer; who does not read is the session's to judge.
    if (this.#ws.isPaused || this.#socket.writableLength > muchUnsent) {
      this.#known = now
      this.#asked = undefined
    } else if (this.#asked !== undefined) {
      if (now - this.#asked < pongWithin) return
      this.#lost ??= new ConnectionLost({ reason: "ping timeout" })
      this.#ws.terminate()
    } else if (now - this.#known >= pingAfter && this.#ws.readyState === this.#ws.OPEN) {
      this.#known = this.#asked = now
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
    const frames = framed(bytes, this.#binary ? Frames.binary : Frames.text)
    this.#given += frames.length
    this.#socket.write(frames)
  }
  readonly #sent = (): void => {
    this.#ringWhenSent = false
    this.#bell()
  }
  unsent(): number {
    return this.#lost === undefined ? this.#socket.writableLength : 0
  }
  progress(): number {
    // What the kernel has taken of the write under way shows only in the handle.
    const handle = (this.#socket as { _handle?: { writeQueueSize?: number } })._handle
    return this.#given - this.#socket.writableLength - (handle?.writeQueueSize ?? 0)
  }
  watch(bell: () => void): void {
    this.#bell = bell
  }
  ringWhenSent(): void {
    if (this.#ringWhenSent || this.#lost !== undefined || this.#socket.writableEnded) return
    this.#ringWhenSent = true
    // Nothing, behind what is unsent: a callback for this one write costs less than one for each.
    this.#socket.write(noBytes, this.#sent)
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

/** What makes connections of requests to become a WebSocket, whoever sent them. */
export const upgrading = (now: () => number) => {
  const options = {
    noServer: true,
    maxPayload: maxMessage,
    maxFragments,
    maxBufferedChunks: maxPieces,
    // Too many pings have a limit of our own, which says why.
    maxPendingAutoPongs: 2 * maxPings,
    closeTimeout,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (wanted: Set<string>) => [...wanted].find((name) => Object.hasOwn(subprotocols, name)) ?? (false as const)
  }
  const server = new WebSocketServer(options)
  return (request: IncomingMessage, socket: Duplex, head: Buffer, accept: (connection: WebConnection, ws: WebSocket) => void): void =>
    server.handleUpgrade(request, socket, head, (ws) => accept(new WebConnection(ws, request, now()), ws))
}
