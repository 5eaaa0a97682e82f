/**
 * One port for everybody, as `chat serve` opens it: people, IRC clients and programs by TCP, browsers and programs by HTTP and
 * WebSocket. What the first browser needs is loaded when it comes. Knows no rules of the chat.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import type * as Net from "node:net"
import { join } from "node:path"
import * as ChatServer from "./ChatServer.ts"
import type { Connection } from "./Connection.ts"
import type * as Door from "./Http/Door.ts"
import type * as ApiLive from "./Http/ApiLive.ts"
import type { Given } from "./Given.ts"
import type { Hub } from "./Hub.ts"
import { type ListenError, Listener } from "./Listener.ts"
import * as Tcp from "./Listener/Tcp.ts"

/** Where to listen, how the server is run, and how it is reached by browsers. */
export interface Options extends Given<ChatServer.Options> {
  /** An IP address or a host name. */
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Host names by which browsers may reach this server, besides its own address. */
  readonly publicHosts?: ReadonlyArray<string> | undefined
  /** Who may write by the HTTP API, and how. */
  readonly api?: Omit<ApiLive.Options, "guard"> | undefined
}

/** The folder that the page for browsers was built into. */
const page = join(import.meta.dirname, "page")

/** Where they cannot be let in they are cut off, and nobody waits in vain. */
const letBrowsersIn = Effect.fnUntraced(
  function*(options: Omit<Door.Options, "first">) {
    const first = yield* Queue.take(options.sockets)
    const open = Effect.flatMap(Effect.promise(() => import("./Http/Door.ts")), (door) => door.open({ ...options, first }))
    return yield* Effect.onError(open, () => Effect.sync(() => first.destroy()))
  },
  Effect.scoped,
  Effect.catchDefect((cause) => Effect.logError("browsers are not let in any more", cause)),
  (letIn, { sockets }) => Effect.andThen(letIn, Effect.forever(Effect.map(Queue.take(sockets), (socket) => socket.destroy())))
)

/** Serve until the scope closes. HTTP is answered where the dialect is `auto`. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<ChatServer.ChatServer["Service"], ListenError, Hub | Scope.Scope> {
  const { backlog, dialect } = ChatServer.complete(options)
  const { api = {}, host, port, publicHosts = [] } = options
  const sockets = yield* Queue.unbounded<Net.Socket>()
  const accepted = yield* Queue.unbounded<Connection>()
  // Closed last: those who came by WebSocket are told goodbye by the server.
  const browsers = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
  const onHttp = (socket: Net.Socket) => Queue.offerUnsafe(sockets, socket)
  const listener = yield* Tcp.make({ host, port, backlog, accepted, ...(dialect === "auto" ? { onHttp } : {}) })
  const server = yield* Effect.provideService(ChatServer.ChatServer.make(options), Listener, listener)
  yield* letBrowsersIn({ sockets, accepted, page, api, host, publicHosts }).pipe(
    Effect.provideService(ChatServer.ChatServer, server),
    Effect.forkIn(browsers)
  )
  return server
})

/** The same as a layer. */
export const layer = (options: Options): Layer.Layer<ChatServer.ChatServer, ListenError, Hub> =>
  Layer.effect(ChatServer.ChatServer, make(options))
