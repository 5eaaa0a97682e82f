/**
 * TCP by node:net: sockets that are not read while nobody listens, half-open ends, and errors that are only a disconnect.
 * Knows nothing of chat.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import { type Arrival, type Connection, ConnectionLost, nobody, type Peer, peerOf, type Watcher } from "../Connection.ts"
import { greetAfter, opening } from "../Dialect/Auto.ts"
import { ListenError, Listener } from "../Listener.ts"
import { Crowding } from "./Crowding.ts"
import * as Intake from "./Intake.ts"
import { Outlet } from "./Outlet.ts"

/** Where to listen. */
export interface Options {
  /** An IP address or a host name. */
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** How many connections the kernel keeps that are not accepted yet (listen(2)). */
  readonly backlog: number
  /** Takes over those whose first bytes are HTTP, for whom it is waited a moment; nobody is waited for without it. */
  readonly onHttp?: (socket: Net.Socket) => void
  /** Where connections are put; those that came another way may be put there too. */
  readonly accepted?: Queue.Queue<Connection>
}

/** For so long a connection may be silent before it is handed on as one that is no browser's, in milliseconds. */
export const silence = greetAfter

/** More than this taken from the kernel and not asked for, and the socket is paused, in bytes. */
const maxAhead = 16_384

/** After this long without a sign of life the kernel asks whether a peer is still there, in milliseconds. */
const keepAliveAfter = 60_000

/** That connections cannot be accepted is told at most this often, in milliseconds. */
const complainEvery = 60_000

/** Whose a socket is; so all sockets share what listens to them, and none has functions of its own to keep. */
const owner = Symbol("owner")
interface Owned extends Net.Socket {
  [owner]?: TcpConnection
}
function onData(this: Owned, bytes: Uint8Array): void {
  this[owner]!.onData(bytes)
}
function onRead(this: Owned, length: number): boolean {
  this[owner]!.onRead(length)
  return true
}
function onEnd(this: Owned): void {
  this[owner]!.onEnd()
}
function onFinish(this: Owned): void {
  this[owner]!.onFinish()
}
function onError(this: Owned, cause: NodeJS.ErrnoException): void {
  this[owner]!.onError(cause)
}
function onClose(this: Owned): void {
  this[owner]!.onClose()
}

const silent = (): void => {}

class TcpConnection extends Outlet implements Connection {
  #lost: ConnectionLost | undefined
  #finishing = false
  #paused = false
  #arrived: Uint8Array | undefined
  /** How many bytes, while the watcher is told of them, are in the shared buffer. */
  #lent = 0
  #ended = false
  #watcher = nobody
  readonly peer: Peer
  readonly silentFor: number

  /** A socket of which `head` was read already, after this much silence. */
  constructor(socket: Net.Socket, head?: Uint8Array, silentFor = 0) {
    super(socket)
    this.#arrived = head
    this.#ended = socket.readableEnded
    this.silentFor = silentFor
    this.peer = peerOf(socket)
    ;(socket as Owned)[owner] = this
    if (!Intake.open(socket, onRead)) socket.on("data", onData)
    socket.on("end", onEnd).on("finish", onFinish).on("error", onError).on("close", onClose)
  }
  /** So many bytes are in the shared buffer: mostly the watcher takes them from there, and they are not copied. */
  onRead(length: number): void {
    if (this.#arrived !== undefined) return this.onData(Intake.kept(length))
    this.#lent = length
    this.#watcher.onStir()
    if (this.#lent === 0) return
    this.#lent = 0
    this.#keep(Intake.kept(length))
  }
  onData(bytes: Uint8Array): void {
    this.#keep(bytes)
    this.#watcher.onStir()
  }
  #keep(bytes: Uint8Array): void {
    this.#arrived = this.#arrived === undefined ? bytes : Buffer.concat([this.#arrived, bytes])
    if (this.#arrived.length > maxAhead) {
      this.#paused = true
      this.socket.pause()
    }
  }
  onEnd(): void {
    this.#ended = true
    this.#watcher.onStir()
  }
  onFinish(): void {
    this.#watcher.onStir()
  }
  onError(cause: NodeJS.ErrnoException): void {
    this.#lost ??= new ConnectionLost({ reason: describe(cause), cause })
  }
  onClose(): void {
    if (!(this.#ended && this.socket.writableFinished)) this.#lost ??= new ConnectionLost({ reason: "connection closed" })
    this.#watcher.onStir()
  }
  take(): Arrival {
    const bytes = this.#arrived
    if (bytes !== undefined) {
      this.#arrived = undefined
      if (this.#paused) {
        this.#paused = false
        this.socket.resume()
      }
      return bytes
    }
    if (this.#lent > 0) {
      const length = this.#lent
      this.#lent = 0
      return Intake.lent(length)
    }
    return this.#lost ?? (this.#ended ? "ended" : "nothing")
  }
  peek(): Uint8Array | undefined {
    return this.#arrived
  }
  lost(): ConnectionLost | undefined {
    return this.#lost
  }
  gone(): boolean {
    return this.#ended || this.#lost !== undefined
  }
  give(bytes: Uint8Array): void {
    if (this.#lost !== undefined || this.#finishing) return
    this.write(bytes)
  }
  lend(bytes: Uint8Array): boolean {
    return this.#lost !== undefined || this.#finishing || this.writeLent(bytes)
  }
  probe(): void {
    if (this.#paused && this.#lost === undefined) this.knock()
  }
  watch(watcher: Watcher): void {
    this.#watcher = watcher
  }
  ringWhenSent(): void {
    // Once finished, the end of what is unsent rings by itself.
    if (!this.socket.writableEnded && this.#lost === undefined) this.whenSent(() => this.#watcher.onStir())
  }
  finish(): void {
    this.#finishing = true
    this.socket.end()
  }
  finished(): boolean {
    return this.#ended && this.socket.writableFinished
  }
  destroy(): void {
    this.socket.destroy()
  }
}

const words: Record<string, string> = {
  ECONNRESET: "connection reset",
  EPIPE: "connection closed",
  ETIMEDOUT: "ping timeout",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable"
}

const describe = (cause: NodeJS.ErrnoException): string => words[cause.code ?? ""] ?? "connection failed"

const cannotListen = ({ host, port }: Options, cause: NodeJS.ErrnoException): ListenError => {
  const message = host === ""
    ? "there is no host to listen on; 127.0.0.1 is this machine alone, :: all who reach it"
    : cause.code === "EADDRINUSE"
    ? `port ${port} of ${host} is in use; stop what uses it, or choose another with --port (0 for any free one)`
    : cause.code === "EACCES"
    ? `port ${port} is not allowed for this user; choose one from 1024 on with --port`
    : cause.code === "EADDRNOTAVAIL"
    ? `${host} is not an address of this machine; choose another with --host`
    : cause.code === "ENOTFOUND" || cause.code === "EAI_AGAIN"
    ? `there is no host ${host}; choose another with --host`
    : cause.code === "ERR_SOCKET_BAD_PORT"
    ? `there is no port ${port}; choose one from 0 to 65535`
    : `cannot listen on ${host} port ${port}: ${cause.message}`
  return new ListenError({ message, cause })
}

/** `host:port`, with brackets around an IPv6 address. */
const written = ({ address, port }: Net.AddressInfo): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`

/** How many files and sockets this process may have open at once, where the system tells (Linux). */
const descriptors = (): number => {
  try {
    return Number(/^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity)
  } catch {
    return Infinity
  }
}

const descriptor = (socket: Net.Socket): number => (socket as { _handle?: { fd?: number } | null })._handle?.fd ?? -1

const bind = (server: Net.Server, options: Options): Effect.Effect<void, ListenError> =>
  Effect.callback<void, ListenError>((resume) => {
    const failed = (cause: Error) => resume(Effect.fail(cannotListen(options, cause)))
    server.once("error", failed)
    // For Node that is every address of this machine.
    if (options.host === "") return failed(new Error("no host"))
    try {
      server.listen({ host: options.host, port: options.port, backlog: options.backlog }, () => {
        server.off("error", failed)
        resume(Effect.void)
      })
    } catch (cause) {
      failed(cause as Error)
    }
  })

/**
 * Reads a socket's first bytes: `onHttp` when they are HTTP's, else `onOther` with what was read and how long it was silent.
 * While it is not known, what is put into `looking` ends it.
 */
const look = (
  socket: Net.Socket,
  looking: Set<() => void>,
  onHttp: (socket: Net.Socket) => void,
  onOther: (head: Uint8Array | undefined, silentFor: number) => void
): void => {
  let head: Buffer | undefined
  const done = () => {
    looking.delete(onEnd)
    clearTimeout(timer)
    clearImmediate(late)
    socket.off("data", onData).off("end", onEnd).off("close", done).off("error", done)
  }
  const hand = (silentFor: number) => {
    done()
    onOther(head, silentFor)
  }
  const onEnd = () => hand(0)
  const onData = (bytes: Buffer) => {
    head = head === undefined ? bytes : Buffer.concat([head, bytes])
    const what = opening(head)
    if (what === "http") {
      done()
      socket.pause()
      socket.unshift(head)
      onHttp(socket)
    } else if (what !== "undecided") hand(0)
  }
  let late: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    // Where this process stood still, bytes may have come in time and not have been read.
    late = setImmediate(() => hand(head === undefined ? silence : 0))
  }, silence)
  looking.add(onEnd)
  socket.on("data", onData).once("end", onEnd).once("close", done).once("error", done)
}

/** Bind, and accept until the stream of connections ends or the scope closes. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Listener["Service"], ListenError, Scope.Scope> {
  const accepted = options.accepted ?? (yield* Queue.unbounded<Connection>())
  const { onHttp } = options
  /** What ends the looking at those of whom nothing is known yet. */
  const looking = new Set<() => void>()
  const open = new Set<Net.Socket>()
  const onGone = function(this: Net.Socket): void {
    open.delete(this)
  }
  const coming = new Crowding<Connection>((all) => Queue.offerAllUnsafe(accepted, all))
  const context = yield* Effect.context<never>()
  const limit = descriptors()
  let complained = -Infinity
  const complain = (message: string): void => {
    const now = performance.now()
    if (now - complained < complainEvery) return
    complained = now
    Effect.runForkWith(context)(Effect.logWarning(message))
  }
  /** Whether the server is done with all sockets, some of which may say that they are closed after that. */
  let over = false
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      Net.createServer({
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveAfter
      }, (socket) => {
        // From here on libuv accepts and closes at once whoever comes, and says nothing of it.
        if (descriptor(socket) >= limit - 1) {
          complain(`all ${limit} file descriptors are in use, and more connections are cut off; raise ulimit -n`)
        }
        open.add(socket)
        socket.on("close", onGone)
        // Whoever has it at the time hears more of it; while nobody does, as between two owners, it is only gone.
        socket.on("error", silent)
        if (onHttp === undefined) coming.add(new TcpConnection(socket))
        else look(socket, looking, onHttp, (head, silentFor) => coming.add(new TcpConnection(socket, head, silentFor)))
      })
    ),
    (server) =>
      Effect.callback<void>((resume) => {
        if (over || (!server.listening && open.size === 0)) return resume(Effect.void)
        server.once("close", () => resume(Effect.void))
        if (server.listening) server.close()
        for (const socket of open) socket.destroy()
      })
  )
  server.once("close", () => {
    over = true
  })
  // What is about to listen cannot be closed before it does.
  yield* Effect.uninterruptible(bind(server, options))
  server.on("error", (cause) => complain(`a connection could not be accepted: ${cause.message}`))
  const bound = server.address() as Net.AddressInfo
  return Listener.of({
    address: written(bound),
    port: bound.port,
    untaken: Effect.suspend(() => {
      for (const hand of looking) hand()
      coming.flush()
      return Queue.clear(accepted)
    }),
    connections: Stream.fromQueue(accepted).pipe(
      Stream.ensuring(Effect.sync(() => {
        if (server.listening) server.close()
      }))
    )
  })
})

/** A listener on TCP. */
export const layer = (options: Options): Layer.Layer<Listener, ListenError> => Layer.effect(Listener, make(options))
