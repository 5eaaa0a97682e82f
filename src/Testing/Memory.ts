/**
 * Connections and a listener without a network, whose bytes a test can cut, hold back, half-close, reset, or not read.
 * Everything happens at once and in order; time plays no part.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type Arrival, type Connection, ConnectionLost, nobody, type Peer } from "../Connection.ts"
import { Listener } from "../Listener.ts"

/** The other end of a connection: what a test does as the client. */
export interface Client {
  /** The server's end. */
  readonly connection: Connection
  /** Send bytes, or text as UTF-8. They arrive in pieces of `cutTo` bytes, or whole. */
  readonly send: (data: string | Uint8Array) => void
  /** From now on what is sent arrives in pieces of so many bytes. */
  readonly cutTo: (bytes: number) => void
  /** What is sent does not arrive until `release`. */
  readonly hold: () => void
  readonly release: () => void
  /** Send no more; still read. Happens by itself once the end of what the server gives was read, unless `lingering`. */
  readonly end: () => void
  /** Break it; `reason` is what the server's side is told. */
  readonly reset: (reason?: string) => void
  /** Do not read: what the server gives is unsent until `startReading`. */
  readonly stopReading: () => void
  /** Read on, or only so many bytes more. */
  readonly startReading: (bytes?: number) => void
  /** Everything that was read, as bytes and as text. */
  readonly bytes: () => Uint8Array
  readonly text: () => string
  /** The text, once this is in it, or `done` says so of it. Dies when the connection closes before. */
  readonly until: (done: string | ((text: string) => boolean)) => Effect.Effect<string>
  /** Once the server has ended its side or destroyed the connection. */
  readonly closed: Effect.Effect<void>
  readonly isClosed: () => boolean
}

const toBytes = (data: string | Uint8Array): Uint8Array => typeof data === "string" ? new TextEncoder().encode(data) : data

/** A connection and its other end. */
export const makeConnection = (
  peer: Peer = { address: "memory", port: 0 },
  options: { readonly lingering?: boolean } = {}
): Client => {
  const arrivals: Array<Uint8Array> = []
  const held: Array<Uint8Array> = []
  const unread: Array<Uint8Array> = []
  const read: Array<Uint8Array> = []
  const waiting = new Set<() => void>()
  let holding = false
  let endHeld = false
  /** How many bytes will be read. */
  let appetite = Infinity
  let piece = Infinity
  let ended = false
  let serverEnded = false
  let destroyed = false
  let lost: ConnectionLost | undefined
  let watcher = nobody
  let ringWhenSent = false
  let unsent = 0
  let taken = 0

  const notify = () => {
    for (const look of [...waiting]) look()
  }

  const arrive = (bytes: Uint8Array) => {
    for (let i = 0; i < bytes.length; i += piece) {
      if (lost !== undefined || ended || destroyed) return
      arrivals.push(bytes.slice(i, piece === Infinity ? undefined : i + piece))
      watcher.onStir()
    }
  }

  const sent = () => {
    if (!ringWhenSent || unsent > 0) return
    ringWhenSent = false
    watcher.onStir()
  }

  const readOn = () => {
    let some = 0
    while (appetite > 0 && unread.length > 0) {
      const [next] = unread as [Uint8Array]
      const part = next.subarray(0, appetite)
      if (part.length === next.length) unread.shift()
      else unread[0] = next.subarray(part.length)
      read.push(part)
      appetite -= part.length
      some += part.length
    }
    if (some === 0) return
    taken += some
    unsent -= some
    notify()
    sent()
  }

  const sawEnd = () => {
    if (options.lingering !== true) ended = true
    notify()
    watcher.onStir()
  }

  const connection: Connection = {
    peer,
    take: (): Arrival => arrivals.shift() ?? lost ?? (ended ? "ended" : "nothing"),
    peek: () => arrivals[0],
    lost: () => lost,
    gone: () => ended || lost !== undefined,
    give: (bytes) => {
      if (lost !== undefined || serverEnded || destroyed) return
      unread.push(bytes.slice())
      unsent += bytes.length
      readOn()
    },
    unsent: () => lost === undefined ? unsent : 0,
    progress: () => taken,
    watch: (next) => {
      watcher = next
    },
    ringWhenSent: () => {
      ringWhenSent = true
    },
    finish: () => {
      serverEnded = true
      if (unsent === 0) sawEnd()
    },
    finished: () => ended && serverEnded && unsent === 0,
    destroy: () => {
      if (destroyed) return
      destroyed = true
      if (!(ended && serverEnded && unsent === 0)) lost ??= new ConnectionLost({ reason: "connection closed" })
      unread.length = 0
      unsent = 0
      watcher.onStir()
      notify()
    }
  }

  const isClosed = () => destroyed || (serverEnded && unsent === 0)
  const bytes = () => Buffer.concat(read)
  // Decoded as it comes, for it is looked at again and again.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let decoded = ""
  const pieces: Array<string> = []
  const text = () => {
    while (pieces.length < read.length) {
      const piece = decoder.decode(read[pieces.length], { stream: true })
      pieces.push(piece)
      decoded += piece
    }
    return decoded
  }
  /** Whether these words were read: each time only what is new is looked at, for who waits for the end of much looks often. */
  const finder = (words: string) => {
    let looked = 0
    let rest = ""
    return () => {
      text()
      for (; looked < pieces.length; looked++) {
        rest += pieces[looked]
        if (rest.includes(words)) return true
        rest = rest.slice(Math.max(0, rest.length - words.length))
      }
      return false
    }
  }

  return {
    connection,
    send: (data) => {
      if (holding) held.push(toBytes(data))
      else arrive(toBytes(data))
    },
    cutTo: (size) => {
      piece = size
    },
    hold: () => {
      holding = true
    },
    release: () => {
      holding = false
      for (const one of held.splice(0)) arrive(one)
      if (endHeld) {
        ended = true
        watcher.onStir()
      }
    },
    end: () => {
      if (holding) endHeld = true
      else {
        ended = true
        watcher.onStir()
      }
    },
    reset: (reason = "connection reset") => {
      lost ??= new ConnectionLost({ reason })
      unsent = 0
      unread.length = 0
      watcher.onStir()
      notify()
    },
    stopReading: () => {
      appetite = 0
    },
    startReading: (bytes = Infinity) => {
      appetite = bytes
      readOn()
      if (serverEnded && unsent === 0) sawEnd()
    },
    bytes,
    text,
    until: (done) =>
      Effect.callback<string>((resume) => {
        const isDone = typeof done === "string" ? finder(done) : () => done(text())
        const look = () => {
          if (isDone()) {
            waiting.delete(look)
            resume(Effect.succeed(text()))
          } else if (isClosed() || lost !== undefined) {
            waiting.delete(look)
            resume(Effect.die(new Error(`the connection closed before that was read; what was read:\n${text()}`)))
          }
        }
        waiting.add(look)
        look()
        return Effect.sync(() => waiting.delete(look))
      }),
    closed: Effect.callback<void>((resume) => {
      const look = () => {
        if (!isClosed()) return
        waiting.delete(look)
        resume(Effect.void)
      }
      waiting.add(look)
      look()
      return Effect.sync(() => waiting.delete(look))
    }),
    isClosed
  }
}

/**
 * A listener that tests connect to. A server that closes waits for clients that do not read, or linger, for its `grace`: where time
 * stands still let that be 0.
 */
export interface MemoryListener {
  readonly listener: Listener["Service"]
  readonly layer: Layer.Layer<Listener>
  /** A new connection, as if accepted from this peer. */
  readonly connect: (peer?: Partial<Peer>, options?: { readonly lingering?: boolean }) => Client
}

export const makeListener: Effect.Effect<MemoryListener> = Effect.gen(function*() {
  const accepted = yield* Queue.unbounded<Connection>()
  let port = 0
  let accepting = true
  const listener = Listener.of({
    address: "memory:0",
    port: 0,
    connections: Stream.fromQueue(accepted).pipe(Stream.ensuring(Effect.suspend(() => {
      accepting = false
      return Effect.map(Queue.clear(accepted), (left) => {
        for (const connection of left) connection.destroy()
      })
    })))
  })
  return {
    listener,
    layer: Layer.succeed(Listener, listener),
    connect: (peer, options) => {
      const client = makeConnection({ address: "memory", port: ++port, ...peer }, options)
      if (accepting) Queue.offerUnsafe(accepted, client.connection)
      else client.connection.destroy()
      return client
    }
  }
})
