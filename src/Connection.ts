/**
 * One client's bytes, as a port: what has come, what is still to go, and word of when either changes.
 * Knows nothing of chat; what has not been taken stays where it is, so a client is slowed by not being listened to.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { ofOwnFamily } from "./Address.ts"

/** Where a client comes from. `address` is an IP address, or a name for connections that have none. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** Where the other end of a socket is. */
export const peerOf = (socket: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined }): Peer => ({
  address: ofOwnFamily(socket.remoteAddress ?? "unknown"),
  port: socket.remotePort ?? 0
})

/** The connection broke: what the network said. */
export class ConnectionLost extends Data.TaggedError("ConnectionLost")<{ readonly reason: string; readonly cause?: unknown }> {
  override get message(): string {
    return this.reason
  }
}

/** What there is to take: bytes, nothing yet, nothing ever again (the client ended its side), or a broken connection. */
export type Arrival = Uint8Array | "nothing" | "ended" | ConnectionLost

/** Whoever wants to know that something may have changed; told synchronously, so it must not block. */
export interface Watcher {
  readonly onStir: () => void
}

/** Who wants to know of nothing. */
export const nobody: Watcher = { onStir: () => {} }

/** The server's end of a connection. Nothing here waits: whoever must wait is told by its watcher. */
export interface Connection {
  readonly peer: Peer
  /** What is spoken on it, where that was agreed when it was made; `either`: JSON or IRC, whichever comes first. */
  readonly speaks?: "json" | "irc" | "either"
  /** For how long it was silent before it was handed on, in milliseconds. */
  readonly silentFor?: number
  /**
   * Take what has come. Bytes are lent until the taker returns to the event loop: what is to be kept of them is to be copied.
   * After `"ended"` bytes can still be given; after a `ConnectionLost` nothing can.
   */
  readonly take: () => Arrival
  /** What has come and was not taken, as far as it is known; it stays there. */
  readonly peek: () => Uint8Array | undefined
  /** Whether it is broken, even if something that came before is still to be taken. */
  readonly lost: () => ConnectionLost | undefined
  /** Whether the client has ended its side or is lost, even if something that came before is still to be taken. */
  readonly gone: () => boolean
  /** Hand bytes over; they go in order. Bytes given to a broken connection are dropped. */
  readonly give: (bytes: Uint8Array) => void
  /**
   * The same for bytes whose place is used again: false when it must not be, for not all of them have gone yet. Where it is not
   * there, a copy is given.
   */
  readonly lend?: (bytes: Uint8Array) => boolean
  /** Bytes given and not yet gone to the network. */
  readonly unsent: () => number
  /**
   * A number that changes whenever some of what was given has gone: two equal readings mean that the client took
   * nothing in between.
   */
  readonly progress: () => number
  /** Called now and then: notice that it is broken, where that does not show by itself because nothing is read of it. */
  readonly probe?: () => void
  /** Tell `watcher` whenever there may be something to take, or it is finished or lost. The last one set counts. */
  readonly watch: (watcher: Watcher) => void
  /** Of what is unsent now: tell the watcher once more when it has gone. */
  readonly ringWhenSent: () => void
  /** No more will be given: what is unsent goes, then the client is told. Input is still taken. */
  readonly finish: () => void
  /** Whether everything given has gone and both sides have ended. */
  readonly finished: () => boolean
  /** Be rid of it at once, unsent bytes and all. Idempotent. */
  readonly destroy: () => void
}

/** Wait until `ready` gives something, asking again whenever the connection stirs. */
const await_ = <A>(connection: Connection, ready: () => A | undefined): Effect.Effect<A> =>
  Effect.callback<A>((resume) => {
    let done = false
    const look = () => {
      if (done) return
      const found = ready()
      if (found === undefined) return
      done = true
      connection.watch(nobody)
      resume(Effect.succeed(found))
    }
    connection.watch({ onStir: look })
    look()
    if (!done && connection.unsent() > 0) connection.ringWhenSent()
    return Effect.sync(() => {
      done = true
    })
  })

/** Give bytes and wait until all of them have gone, or the connection is lost. */
export const send = (connection: Connection, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.suspend(() => {
    connection.give(bytes)
    return await_(connection, () => connection.unsent() === 0 || connection.lost() !== undefined ? true : undefined)
  }).pipe(Effect.asVoid)
