/**
 * The door for browsers: sockets on which HTTP is spoken are handed to it; their requests are answered by routes, and those
 * that want a WebSocket become connections like any other. Loaded when the first of them comes.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { WebSocketServer } from "@effect/platform-node/NodeWS"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import type { Connection } from "../Connection.ts"
import * as Web from "../Listener/Web.ts"
import * as Guard from "./Guard.ts"
import * as Routes from "./Routes.ts"

export interface Options extends Guard.Options {
  /** Sockets whose first bytes are HTTP, these bytes not yet read: the one that came first, and those after it. */
  readonly first: Net.Socket
  readonly sockets: Queue.Dequeue<Net.Socket>
  /** The folder that the page was built into. */
  readonly page: string
  /** Where connections go that became WebSockets. */
  readonly accepted: Queue.Enqueue<Connection>
}

/** Limits of requests (SURVIVE row 20). */
const limits = { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5000, keepAliveTimeout: 5000 }
const maxHeaders = 100

const lookEvery = "5 seconds"

/** A refusal as the last thing on a socket. */
const refuse = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

const pathOf = (url: string | undefined): string => (url ?? "/").split("?", 1)[0]!

/** Answer until the scope closes. */
export const open = Effect.fnUntraced(function*(options: Options) {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const app = yield* HttpRouter.toHttpEffect(Layer.mergeAll(Routes.signs, Routes.page(options.page)))
  const answer = yield* NodeHttpServer.makeHandler(app, { scope })
  const connections = new Set<Web.WebConnection>()
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: Web.maxMessage,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (wanted) => [...wanted].find((name) => Object.hasOwn(Web.subprotocols, name)) ?? false
  })
  const server = Http.createServer(limits)
  server.maxHeadersCount = maxHeaders
  server.on("request", (request, response) => {
    if (Guard.isHost(options, request.headers.host)) return answer(request, response)
    response.writeHead(421, { "content-type": "text/plain", connection: "close" }).end("this server does not go by that name; --public-host NAME gives it one\n")
  })
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {})
    if (pathOf(request.url) !== "/ws") return refuse(socket, "404 Not Found")
    if (!Guard.isHost(options, request.headers.host)) return refuse(socket, "421 Misdirected Request")
    if (!Guard.isOrigin(options, request.headers.origin)) return refuse(socket, "403 Forbidden")
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const connection = new Web.WebConnection(ws, request, now())
      connections.add(connection)
      ws.once("close", () => connections.delete(connection))
      Queue.offerUnsafe(options.accepted, connection)
    })
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const connection of connections) connection.destroy()
      server.closeAllConnections()
      server.close()
    })
  )
  yield* Effect.sync(() => {
    for (const connection of connections) connection.look(now())
  }).pipe(Effect.delay(lookEvery), Effect.forever, Effect.forkScoped)
  const take = (socket: Net.Socket): void => {
    server.emit("connection", socket)
    // Whoever looked at its first bytes stopped it there.
    socket.resume()
  }
  take(options.first)
  return yield* Queue.take(options.sockets).pipe(Effect.map(take), Effect.forever)
})
