/**
 * The door for browsers: sockets on which HTTP is spoken are handed to it; their requests are answered by routes, and those
 * that want a WebSocket become connections like any other. Loaded when the first of them comes. Knows no dialect.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as Admission from "../Admission.ts"
import type { Connection } from "../Connection.ts"
import * as Web from "../Listener/Web.ts"
import * as Measure from "../Measure.ts"
import { patience } from "../Session.ts"
import * as ApiLive from "./ApiLive.ts"
import * as Guard from "./Guard.ts"
import * as Routes from "./Routes.ts"

export interface Options extends Guard.Options {
  /** Sockets whose first bytes are HTTP, these bytes not yet read: the one that came first, and those after it. */
  readonly first: Net.Socket
  readonly sockets: Queue.Dequeue<Net.Socket>
  /** The folder that the page was built into. */
  readonly page: string
  /** Who may write by the API, and how. */
  readonly api?: ApiLive.Options
  /** Where connections go that became WebSockets. */
  readonly accepted: Queue.Enqueue<Connection>
  /** A client that is sent something and takes nothing for this long is let go, in milliseconds. */
  readonly patience?: number
  /** A request is to be whole within this long, in milliseconds. */
  readonly wholeWithin?: number
}

/** A request is whole within this long, in milliseconds. */
const wholeWithin = 30_000

/** Limits of requests (row 20). */
export const limits = (requestTimeout = wholeWithin): Http.ServerOptions => ({
  maxHeaderSize: 16_384,
  headersTimeout: Math.min(10_000, requestTimeout),
  requestTimeout,
  connectionsCheckingInterval: Math.min(1000, requestTimeout),
  keepAliveTimeout: 5000
})
const maxHeaders = 100

const lookEvery = "5 seconds"

/** A refusal as the last thing on a socket. */
const refuse = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

const turnedAway = Metric.withAttributes(Measure.refused, { reason: "address" })

/** How long somebody who is turned away may take to read why, in milliseconds. */
const lingers = 1000

/** One connection too many from an address (rows 13 and 22). */
const turnAway = (socket: Net.Socket): void => {
  const words = `there are ${Admission.perAddress} connections from your address, the most there may be; close one first\n`
  socket.end(`HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${words.length}\r\n\r\n${words}`)
  // What it sends is read, so that no reset overtakes these words.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingers)
  socket.once("close", () => clearTimeout(timer))
}

/** A request may name its host before the path (RFC 9112 3.2.2). */
const pathOf = (url = "/"): string => url.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0] || "/"

/** The last answer that was begun on each socket. */
type Answers = WeakMap<Net.Socket, Http.ServerResponse>

/**
 * Of other protocols that are offered, as HTTP/2 is by curl and Java, none is taken up: such a request is like any other. And
 * so is one for a WebSocket behind a request that is not answered yet, whose answer it would overtake. Node before 22.21 cannot
 * be told that: there the one is refused, and the other overtakes.
 */
const upgrades = (answers: Answers) => ({
  shouldUpgradeCallback: ({ headers, socket }: Http.IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket" && answers.get(socket)?.closed !== false
})

/** Asked for by address, and by some balancers in HTTP/1.0, without a Host; no page of another site asks so. */
const signsOfLife = new Set(["/healthz", "/readyz"])

/** Where a WebSocket may be opened: who was given a host and a port, as IRC clients are, asks for no path. */
const webSockets = new Set(["/", "/ws"])

const methodsThatOnlyRead = new Set(["GET", "HEAD", "OPTIONS"])

/** Why a request is not answered, if it is not. */
const objection = (
  options: Options,
  { headers, headersDistinct, method, rawHeaders, url }: Http.IncomingMessage
): readonly [status: number, words: string, reason: string] | undefined =>
  // Node leaves out what goes beyond, and that could be the Origin.
  rawHeaders.length >= 2 * maxHeaders
    ? [431, "too many headers", "headers"]
    : (headersDistinct["host"] ?? []).length > 1
    ? [400, "a request has one Host", "host"]
    : !Guard.isHost(options, headers.host) && !(headers.host === undefined && signsOfLife.has(pathOf(url)))
    ? [421, "this server does not go by that name; --public-host NAME gives it one", "host"]
    : !methodsThatOnlyRead.has(method ?? "") && headers.authorization === undefined && !Guard.isOrigin(options, headers.origin, headers.host)
    ? [403, "a page of another site cannot ask for that", "origin"]
    : undefined

/** Answer until the scope closes. */
export const open = Effect.fnUntraced(function*(options: Options) {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const api = ApiLive.layer({ ...options.api, guard: options })
  const routes = yield* HttpRouter.toHttpEffect(Layer.mergeAll(Routes.signs, Routes.page(options.page), api)).pipe(
    Effect.provideService(HttpRouter.RouterConfig, { maxParamLength: 1024 })
  )
  const app = Effect.catchReason(routes, "HttpServerError", "RouteNotFound", Routes.notFound("/api"))
  const answer = yield* NodeHttpServer.makeHandler(app, { scope }).pipe(
    Effect.provideService(HttpMiddleware.TracerDisabledWhen, ({ url }) => ApiLive.isSecret(url))
  )
  const context = yield* Effect.context<never>()
  const refused = (reason: string): void => Measure.refusedFor(reason).updateUnsafe(1, context)
  const connections = new Set<Web.WebConnection>()
  const upgrade = Web.upgrading(now)
  const answers: Answers = new WeakMap()
  const server = Http.createServer({ ...limits(options.wholeWithin), ...upgrades(answers) })
  server.maxHeadersCount = maxHeaders
  server.timeout = options.patience ?? patience
  // It never listens itself, and only when it does it begins to look after its connections' time.
  server.emit("listening")
  server.on("request", (request, response) => {
    answers.set(request.socket, response)
    const why = objection(options, request)
    if (why === undefined) return answer(request, response)
    refused(why[2])
    response.writeHead(why[0], { "content-type": "text/plain", connection: "close" }).end(`${why[1]}\n`)
  })
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {})
    const why = objection(options, request)
    if (why !== undefined) {
      refused(why[2])
      return refuse(socket, `${why[0]} ${Http.STATUS_CODES[why[0]]}`)
    }
    if (!Guard.isOrigin(options, request.headers.origin, request.headers.host)) {
      refused("origin")
      return refuse(socket, "403 Forbidden")
    }
    if (!webSockets.has(pathOf(request.url))) return refuse(socket, "404 Not Found")
    upgrade(request, socket, head, (connection, own) => {
      connections.add(connection)
      own.once("close", () => connections.delete(connection))
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
  const countRefused = yield* Effect.map(Effect.context<never>(), (context) => () => turnedAway.updateUnsafe(1, context))
  const open = new Map<string, number>()
  /** Whether there may be one more from where this one is; it counts until it is closed. */
  const mayCome = (socket: Net.Socket): boolean => {
    const address = socket.remoteAddress ?? ""
    if (Admission.isLoopback(address)) return true
    const block = Admission.network(address)
    const count = open.get(block) ?? 0
    if (count >= Admission.perAddress) return false
    open.set(block, count + 1)
    socket.once("close", () => {
      const left = open.get(block)! - 1
      if (left === 0) open.delete(block)
      else open.set(block, left)
    })
    return true
  }
  const take = (socket: Net.Socket): void => {
    if (socket.destroyed) return
    if (!mayCome(socket)) {
      countRefused()
      return turnAway(socket)
    }
    server.emit("connection", socket)
    // Whoever looked at its first bytes stopped it there.
    socket.resume()
  }
  take(options.first)
  return yield* Queue.take(options.sockets).pipe(Effect.map(take), Effect.forever)
}, Effect.provide(NodeFileSystem.layer))
