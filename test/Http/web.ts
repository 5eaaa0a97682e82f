/**
 * A house with a door for HTTP on a free port, and a client that says exactly what a test wants it to.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { ChatServer } from "../../src/ChatServer.ts"
import type { Connection } from "../../src/Connection.ts"
import type * as ApiLive from "../../src/Http/ApiLive.ts"
import * as Door from "../../src/Http/Door.ts"
import { Hub } from "../../src/Hub.ts"
import * as Http from "node:http"
import * as Net from "node:net"
import { type HouseOptions, open } from "../house.ts"

export interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  /** The text as JSON. */
  readonly json: ReturnType<typeof JSON.parse>
}

export interface Request {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A body: an object is sent as JSON, a text or bytes as they are. */
  readonly body?: object | string | Uint8Array
  /** Whose token is given. */
  readonly token?: string
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const begin = (port: number, path: string, { body, headers, method, token }: Request, onResponse: (response: Http.IncomingMessage) => void) => {
  const isText = typeof body === "string" || body instanceof Uint8Array
  const request = Http.request({
    port,
    path,
    host: "127.0.0.1",
    agent: false,
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers
    }
  }, onResponse)
  request.end(body === undefined ? undefined : isText ? body : JSON.stringify(body))
  return request
}

/** Ask for something and take the whole answer. */
export const ask = (port: number, path: string, request: Request = {}): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const sent = begin(port, path, request, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
        const text = Buffer.concat(chunks).toString()
        resume(Effect.succeed({ status: response.statusCode!, headers: response.headers, text, json: parsed(text) }))
      })
    })
    sent.on("error", (error) => resume(Effect.die(error)))
    return Effect.sync(() => sent.destroy())
  })

export interface Event {
  readonly id?: string
  readonly event?: string
  readonly data: ReturnType<typeof JSON.parse>
}

/** Somebody who follows server-sent events until the test's scope closes. */
export interface Follower {
  readonly answer: Http.IncomingMessage
  /** The events so far. */
  readonly events: () => ReadonlyArray<Event>
  /** Everything that came. */
  readonly text: () => string
  /** Once there are so many events, or the stream has ended. */
  readonly until: (count: number) => Effect.Effect<ReadonlyArray<Event>>
  readonly ended: Effect.Effect<void>
  readonly leave: () => void
}

const parseEvents = (text: string): ReadonlyArray<Event> =>
  text.split("\n\n").slice(0, -1).flatMap((block) => {
    const fields = Object.fromEntries(block.split("\n").filter((line) => !line.startsWith(":")).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(": ") + 2)]))
    return fields["data"] === undefined ? [] : [{ ...fields, data: JSON.parse(fields["data"]) }]
  })

export const follow = (port: number, path: string, request: Request = {}) =>
  Effect.acquireRelease(
    Effect.callback<Follower>((resume) => {
      let text = ""
      let over = false
      const waiting = new Set<() => void>()
      const look = () => {
        for (const check of waiting) check()
      }
      const when = (done: () => boolean) =>
        Effect.callback<void>((resume) => {
          const check = () => {
            if (!done()) return
            waiting.delete(check)
            resume(Effect.void)
          }
          waiting.add(check)
          check()
        })
      const sent = begin(port, path, request, (answer) => {
        answer.setEncoding("utf8")
        const end = () => {
          over = true
          look()
        }
        answer.on("data", (chunk: string) => {
          text += chunk
          look()
        }).on("end", end).on("error", end).on("close", end)
        const events = () => parseEvents(text)
        const follower: Follower = {
          answer,
          events,
          text: () => text,
          until: (count) => Effect.map(when(() => over || events().length >= count), events),
          ended: when(() => over),
          leave: () => sent.destroy()
        }
        // The first word says that it is heard.
        Effect.runFork(Effect.andThen(when(() => over || text.includes(": following")), Effect.sync(() => resume(Effect.succeed(follower)))))
      })
      sent.on("error", () => {
        over = true
        look()
      })
    }),
    (follower) => Effect.sync(() => follower.leave())
  )

/** A house, and its door on a free port. */
export const openWeb = Effect.fnUntraced(function*(
  options: HouseOptions & { readonly api?: ApiLive.Options; readonly publicHosts?: ReadonlyArray<string>; readonly patience?: number; readonly wholeWithin?: number; readonly from?: () => string } = {}
) {
  const { api = {}, from, patience, publicHosts = [], wholeWithin, ...rest } = options
  const house = yield* open(rest)
  const sockets = yield* Queue.unbounded<Net.Socket>()
  const accepted = yield* Queue.unbounded<Connection>()
  const server = yield* Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
        socket.on("error", () => {})
        // As if it came from elsewhere than this machine.
        if (from !== undefined) Object.defineProperty(socket, "remoteAddress", { value: from() })
        Queue.offerUnsafe(sockets, socket)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
  yield* Effect.gen(function*() {
    const first = yield* Queue.take(sockets)
    return yield* Door.open({ first, sockets, accepted, page: "dist/page", api, host: "127.0.0.1", publicHosts, ...patience === undefined ? {} : { patience }, ...wholeWithin === undefined ? {} : { wholeWithin } })
  }).pipe(
    Effect.scoped,
    Effect.provideService(Hub, house.hub),
    Effect.provideService(ChatServer, house.server),
    Effect.forkScoped
  )
  const { port } = server.address() as Net.AddressInfo
  /** How many connections there are. */
  const connections = Effect.callback<number>((resume) => {
    server.getConnections((_, count) => resume(Effect.succeed(count)))
  })
  return { ...house, port, connections, ask: (path: string, request?: Request) => ask(port, path, request), follow: (path: string, request?: Request) => follow(port, path, request) }
})
