/**
 * WebSockets as connections: one line a message, no ends of lines (RFC 6455). Knows subprotocols and how a connection opens
 * and closes; who may come is told by whoever asks it to upgrade.
 */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type Arrival, type Connection, ConnectionLost, nobody, type Peer, peerOf, type Watcher } from "../Connection.ts"
import * as Frames from "./Frames.ts"
import * as Handshake from "./Handshake.ts"
import { codes, Messages } from "./Messages.ts"
import { Outlet } from "./Outlet.ts"

/** What may be spoken, and by which subprotocol (https://ircv3.net/specs/extensions/websocket). */
const subprotocols = {
  "chat.json": { speaks: "json", binary: false },
  "text.ircv3.net": { speaks: "irc", binary: false },
  "binary.ircv3.net": { speaks: "irc", binary: true }
} as const
export type Subprotocol = keyof typeof subprotocols

/** Without one, as gamja comes: what is said first tells. */
const unnamed = { speaks: "either", binary: false } as const

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

const brace = 123
const newline = 10
const carriageReturn = 13
const space = 32
const end = Buffer.from("\n")
const noBytes = new Uint8Array(0)

const framed = Frames.framer()

const onError = (): void => {}

export class WebConnection extends Outlet implements Connection {
  readonly peer: Peer
  readonly speaks: "json" | "irc" | "either"
  readonly #messages: Messages
  readonly #opcode: Frames.Opcode
  #arrived: Array<Buffer> = []
  #ahead = 0
  /** Whether we have said goodbye; nothing is sent after that. */
  #closing = false
  /** The client said goodbye in order. */
  #ended = false
  #closed = false
  #lost: ConnectionLost | undefined
  #watcher = nobody
  #pings = 0
  /** Why it is over, once the client did what it must not: it is not listened to any more. */
  #fault: ConnectionLost | undefined
  #timer: NodeJS.Timeout | undefined
  /** When it was last known to be there, and when it was asked whether it is. */
  #known: number
  #asked: number | undefined

  /** A socket on which `head` was read already. */
  constructor(socket: Socket, head: Buffer, subprotocol: Subprotocol | undefined, now: number) {
    super(socket)
    this.#known = now
    this.peer = peerOf(socket)
    const { binary, speaks } = subprotocol === undefined ? unnamed : subprotocols[subprotocol]
    this.speaks = speaks
    this.#opcode = binary ? Frames.binary : Frames.text
    this.#messages = new Messages(this)
    socket.on("error", onError)
    socket.on("data", (bytes: Buffer) => this.#messages.receive(bytes))
    socket.on("end", () => this.#end())
    socket.on("close", () => {
      clearTimeout(this.#timer)
      this.#closed = true
      if (!this.#ended) this.#lost ??= this.#fault ?? new ConnectionLost({ reason: "connection closed" })
      this.#watcher.onStir()
    })
    if (head.length > 0) this.#messages.receive(head)
  }

  // --- what comes ----------------------------------------------------------------------------------------------------

  onMessage(bytes: Buffer, isBinary: boolean): void {
    if (this.#fault !== undefined) return
    if (isBinary !== (this.#opcode === Frames.binary)) return this.#refuse(codes.wrongType, isBinary ? "text messages only" : "binary messages only")
    const first = bytes.indexOf(newline)
    if (first !== -1) {
      // JSON may be written over several lines. Otherwise a message is one line, which may end as lines do elsewhere. Several lines in
      // one message become one with a CR in it, which the dialect refuses (row 12).
      const isJson = this.speaks === "json" || (this.speaks === "either" && bytes[0] === brace)
      const isMore = isJson || first < bytes.length - 1
      for (let at = first; at !== -1 && isMore; at = bytes.indexOf(newline, at + 1)) bytes[at] = isJson ? space : carriageReturn
    }
    this.#arrived.push(bytes, end)
    this.#ahead += bytes.length + 1
    if (this.#ahead > maxAhead) this.socket.pause()
    this.#watcher.onStir()
  }
  onPing(bytes: Buffer): void {
    if (++this.#pings > maxPings) this.#refuse(codes.policy, "too many pings")
    // Whoever asks and does not read the answers gets no more of them.
    else if (!this.#closing && this.unsent() <= muchUnsent) this.write(Frames.control("pong", bytes))
  }
  onPong(): void {
    this.#asked = undefined
  }
  onClose(code: number): void {
    if (this.#fault === undefined && (code === codes.normal || code === codes.goingAway || code === codes.none)) this.#ended = true
    this.#sayGoodbye(code === codes.none ? codes.normal : code)
    this.#end()
    this.#watcher.onStir()
  }
  onFault(code: number, reason: string): void {
    this.#refuse(code, reason)
  }

  /** The client sends no more: what it was given goes, and that is all. */
  #end(): void {
    this.#closing = true
    this.socket.end()
    this.#destroyAfter(closeTimeout)
  }
  #sayGoodbye(code: number, reason?: string): void {
    if (this.#closing) return
    this.#closing = true
    this.write(Frames.closing(code, reason))
  }
  /** The client is told why by a code, and lost when it had a moment to read it. */
  #refuse(code: number, reason: string): void {
    if (this.#fault !== undefined) return
    this.#fault = new ConnectionLost({ reason })
    this.#sayGoodbye(code, reason)
    // What it still sends is read, so that no reset overtakes the goodbye.
    this.socket.end()
    if (this.socket.isPaused()) this.socket.resume()
    this.#destroyAfter(lingers)
  }
  #destroyAfter(milliseconds: number): void {
    if (this.#closed || (this.#timer !== undefined && milliseconds > lingers)) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.socket.destroy(), milliseconds)
  }

  /** Called every few seconds. */
  look(now: number): void {
    this.#pings = 0
    // Who is not read cannot be heard to answer; who does not read is the session's to judge.
    if (this.socket.isPaused() || this.unsent() > muchUnsent) {
      this.#known = now
      this.#asked = undefined
    } else if (this.#asked !== undefined) {
      if (now - this.#asked < pongWithin) return
      this.#lost ??= new ConnectionLost({ reason: "ping timeout" })
      this.socket.destroy()
    } else if (now - this.#known >= pingAfter && !this.#closing) {
      this.#known = this.#asked = now
      this.write(Frames.control("ping", noBytes))
    }
  }

  // --- as a connection -----------------------------------------------------------------------------------------------

  take(): Arrival {
    if (this.#arrived.length > 0) {
      const bytes = Buffer.concat(this.#arrived)
      this.#arrived = []
      this.#ahead = 0
      if (this.socket.isPaused()) this.socket.resume()
      return bytes
    }
    return this.#lost ?? (this.#ended ? "ended" : "nothing")
  }
  peek(): Uint8Array | undefined {
    return this.#arrived.length === 0 ? undefined : Buffer.concat(this.#arrived)
  }
  lost(): ConnectionLost | undefined {
    return this.#lost
  }
  gone(): boolean {
    return this.#ended || this.#lost !== undefined
  }
  give(bytes: Uint8Array): void {
    if (this.#closing || this.#lost !== undefined) return
    this.write(framed(bytes, this.#opcode))
  }
  probe(): void {
    if (this.socket.isPaused() && this.#lost === undefined) this.knock()
  }
  watch(watcher: Watcher): void {
    this.#watcher = watcher
  }
  ringWhenSent(): void {
    if (this.#lost === undefined) this.whenSent(() => this.#watcher.onStir())
  }
  finish(): void {
    this.#sayGoodbye(codes.goingAway)
    this.#destroyAfter(closeTimeout)
  }
  finished(): boolean {
    return this.#closed
  }
  destroy(): void {
    this.socket.destroy()
  }
}

/** What makes connections of requests to become a WebSocket, whoever sent them. */
export const upgrading = (now: () => number) =>
(request: IncomingMessage, duplex: Duplex, head: Buffer, accept: (connection: WebConnection, socket: Socket) => void): void => {
  // Whatever comes by TCP or TLS.
  const socket = duplex as Socket
  const answer = Handshake.answer(request, Object.keys(subprotocols))
  if (!answer.agreed) {
    socket.on("error", onError)
    socket.end(answer.text)
  } else if (!socket.readable || !socket.writable) socket.destroy()
  else {
    socket.setTimeout(0)
    socket.setNoDelay()
    socket.write(answer.text)
    accept(new WebConnection(socket, head, answer.subprotocol as Subprotocol | undefined, now()), socket)
  }
}
