/**
 * The HTTP API at work: reading from the world and the log, following a room, talking from a seat under a token's name.
 * Every rule is the world's; what is decided here is who may ask by HTTP and how a refusal is put.
 */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type * as Etag from "effect/http/Etag"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as Admission from "../Admission.ts"
import type { Command } from "../Command.ts"
import type { Code, Entry, Message } from "../Event.ts"
import { Hub } from "../Hub.ts"
import { type LogError, stretch } from "../Log.ts"
import * as Measure from "../Measure.ts"
import * as Name from "../Name.ts"
import * as Rate from "../Rate.ts"
import * as Seat from "../Seat.ts"
import * as Search from "../Search.ts"
import * as Text from "../Text.ts"
import * as World from "../World.ts"
import * as Api from "./Api.ts"
import * as Desk from "./Desk.ts"
import * as Guard from "./Guard.ts"
import * as Reference from "./Reference.ts"
import { Tokens } from "./Tokens.ts"

export interface Options {
  /** Who may write: tokens by the nick they speak under, in clear or as `chat hash` writes them. */
  readonly tokens?: ReadonlyMap<string, string>
  /** Which pages are this server's own; without it, those of the host that a request is for. */
  readonly guard?: Guard.Options
  /** Whether reading takes a token too. */
  readonly closed?: boolean
  /** What the hub wants of those who come in. */
  readonly password?: string
  /** An operator of the server as the hub knows them, in whose name tokens kick; without it only as operators of a room. */
  readonly operator?: { readonly name: string; readonly password: string }
  /** What one token may write: so much at once, then so much a second. */
  readonly rate?: Rate.Rate
}

/** Longest body, in bytes. */
export const maxBody = 65_536
/** How many may follow rooms at once, and from one address that is not this machine's. */
export const maxFollowers = 1000
export const maxFollowersPerAddress = 32
/** Most lines that a webhook's text is made of. */
export const maxLines = 20
const rate: Rate.Rate = { burst: 30, perSecond: 5 }
/** A line that means nothing is sent to whoever follows a room this often, so that nobody on the way takes it for dead. */
const pulse = "20 seconds"

// --- who may ask -----------------------------------------------------------------------------------------------------

const addressOf = (request: HttpServerRequest.HttpServerRequest): string => Option.getOrElse(request.remoteAddress, () => "unknown")

const isOwnPage = (options: Options, { headers }: HttpServerRequest.HttpServerRequest): boolean =>
  Guard.isOrigin(options.guard ?? { host: "", publicHosts: [] }, headers["origin"], headers["host"])

const foreign = Effect.andThen(
  Metric.update(Metric.withAttributes(Measure.refused, { reason: "origin" }), 1),
  Effect.suspend(() => Effect.fail(new Api.Forbidden({ reason: "pages of other sites may not ask without a token" })))
)

const plainly = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const

/** What people said is shown by a terminal as it is by a page, for many ask with curl (row 45). */
const inert = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (body._tag !== "Uint8Array" || !body.contentType.startsWith("application/json")) return response
  const json = body.text ?? new TextDecoder().decode(body.body)
  const made = Text.inert(json)
  return made === json ? response : HttpServerResponse.setBody(response, HttpBody.text(made, body.contentType))
}

const answered = <E, R>(answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.map(answer, (response) => HttpServerResponse.setHeaders(inert(response), plainly))

const visiting = (options: Options) =>
  Layer.effect(
    Api.Visiting,
    Effect.map(Tokens, (tokens) => (answer) =>
      Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        const own = isOwnPage(options, request)
        if (own && options.closed !== true) return yield* answered(answer)
        const token = /^bearer +(.+)$/i.exec(request.headers["authorization"] ?? "")?.[1] ?? ""
        if (!own && token === "") return yield* foreign
        yield* tokens.nameOf(token, addressOf(request))
        return yield* answered(answer)
      }))
  )

const writing = (options: Options) =>
  Layer.effect(
    Api.Writing,
    Effect.map(Tokens, (tokens): Api.Writing["Service"] => ({
      token: (answer, { credential }) =>
        Effect.gen(function*() {
          const request = yield* HttpServerRequest.HttpServerRequest
          const token = Redacted.value(credential)
          if (token === "" && !isOwnPage(options, request)) return yield* foreign
          const name = yield* tokens.nameOf(token, addressOf(request))
          return yield* Effect.provideService(answered(answer), Api.Caller, { name })
        })
    }))
  )

const hooked = Layer.effect(
  Api.Hooked,
  Effect.map(Tokens, (tokens) => (answer) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { name = "", secret = "" } = yield* HttpRouter.params
      const holder = yield* tokens.nameOf(secret, addressOf(request))
      if (holder !== name) return yield* Effect.fail(Api.noToken("that is no token of this server"))
      return yield* Effect.provideService(answered(answer), Api.Caller, { name })
      // The address is the secret.
    }).pipe(HttpMiddleware.withLoggerDisabled))
)

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Whether this is what every body is, or none was named. */
const isJson = (type = "application/json"): boolean => type.split(";", 1)[0]!.trim().toLowerCase() === "application/json"

/** The body is read here, so that it is JSON by its name, not too long and UTF-8, before anything is made of it. */
const body = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (request.method === "GET" || request.method === "HEAD") return
  if (!isJson(request.headers["content-type"])) return yield* new Api.NotJson({ reason: "a body is JSON, and its Content-Type is application/json" })
  const bytes = yield* request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(maxBody)),
    Effect.mapError(({ reason }) =>
      reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
        ? new Api.TooLarge({ reason: `a body has at most ${maxBody} bytes` })
        : new Api.BadRequest({ reason: "the body cannot be read" })
    )
  )
  yield* Effect.try({ try: () => decoder.decode(bytes), catch: () => new Api.BadRequest({ reason: "the body is not UTF-8" }) })
})

const slots: Record<string, string> = { Params: "path", Query: "query", Headers: "headers", Payload: "body" }

const understood = Layer.succeed(Api.Understood, (answer) =>
  Effect.mapError(Effect.andThen(body, answer), (error) =>
    HttpApiError.HttpApiSchemaError.is(error) && Object.hasOwn(slots, error.kind)
      ? new Api.BadRequest({ reason: `${slots[error.kind]}: ${error.cause.message.replace(/\s+/g, " ")}` })
      : error))

// --- refusals --------------------------------------------------------------------------------------------------------

const statuses: Partial<Record<Code, "missing" | "conflict" | "forbidden">> = {
  "no-room": "missing",
  nobody: "missing",
  "others-room": "missing",
  "nick-taken": "conflict",
  full: "conflict",
  "too-many-rooms": "conflict",
  "list-full": "conflict",
  banned: "forbidden",
  "invite-only": "forbidden",
  moderated: "forbidden",
  muted: "forbidden",
  "no-ctcp": "forbidden",
  "not-in-room": "forbidden",
  "not-operator": "forbidden",
  password: "forbidden",
  "server-operator": "forbidden",
  "wrong-key": "forbidden"
}

const refusal = ({ code, reason }: Desk.NotGranted) => {
  if (code === undefined) return new Api.Unavailable({ reason })
  const why = { code, reason }
  switch (statuses[code]) {
    case "missing":
      return new Api.NotFound(why)
    case "conflict":
      return new Api.Conflict(why)
    case "forbidden":
      return new Api.Forbidden(why)
    default:
      return new Api.BadRequest(why)
  }
}

const unreadable = (error: LogError) => new Api.Unavailable({ reason: `it could not be read: ${error.message}` })

const noRoom = (name: string) => new Api.NotFound({ code: "no-room", reason: `there is no room ${Name.withHash(name.slice(0, Name.maxRoom))}` })

/** The room of this name, if it is there for whoever asks: secret ones are for those inside. */
const visible = (world: World.World, name: string, id?: string) => {
  const bare = Name.withoutHash(name)
  const room = World.room(world, bare)
  return room === undefined || (room.flags.has("secret") && (id === undefined || World.rank(room, id) === undefined))
    ? Effect.fail(noRoom(bare))
    : Effect.succeed(room)
}

/** Whether anybody may come in and hear what is said. */
const isOpen = (room: World.Room): boolean => !room.flags.has("secret") && !room.flags.has("invite-only") && room.key === undefined

/** Whether from here on what is said is for those inside. */
const closes = (message: Message): boolean =>
  (message._tag === "KeySet" && message.key !== undefined)
  || (message._tag === "FlagSet" && message.on && (message.flag === "secret" || message.flag === "invite-only"))

const open = (world: World.World, name: string) =>
  Effect.flatMap(visible(world, name), (room) =>
    isOpen(room) ? Effect.succeed(room) : Effect.fail(new Api.Forbidden({ reason: `what is said in ${Name.withHash(room.name)} is for those inside` })))

// --- what is told ----------------------------------------------------------------------------------------------------

const stampOf = ({ at, id, seq }: Entry) => ({ seq, at: new Date(at).toISOString(), id })

const said = (entry: Entry): ReadonlyArray<Api.Said> => entry.event._tag === "Said" ? [{ ...entry.event, ...stampOf(entry) }] : []

const encoder = new TextEncoder()
const line = (event: { readonly id?: string; readonly event?: string; readonly data: unknown }): Uint8Array =>
  encoder.encode(`${event.id === undefined ? "" : `id: ${event.id}\n`}${event.event === undefined ? "" : `event: ${event.event}\n`}data: ${Text.inert(JSON.stringify(event.data))}\n\n`)

const messageLine = (epoch: string, message: Api.Said): Uint8Array => line({ id: `${epoch}-${message.seq}`, data: message })
const missedLine = (missed: Api.Missed): Uint8Array => line({ event: "missed", data: missed })

/**
 * A first word, so that those who follow know that they are heard, and from where they are to come back if they hear nothing.
 * Not `retry`: a client that effect makes of the Api ends at that.
 */
const hello = (from?: string): Uint8Array => encoder.encode(`${from === undefined ? "" : `id: ${from}\n`}: following\n\n`)
const beat = encoder.encode(":\n\n")
/** For whoever comes back to a room that is not there, or not yet again, or cannot be read now: to an EventSource a 404 or 503 would be the end. */
const later = HttpServerResponse.text("retry: 3000\n\n", { contentType: "text/event-stream" })

/** How many follow rooms, from where. */
const makeFollowers = () => {
  let all = 0
  const from = new Map<string, number>()
  return (address: string) => {
    const network = Admission.network(address)
    return Effect.acquireRelease(
      Effect.suspend((): Effect.Effect<void, Api.TooMany | Api.Unavailable> => {
        const some = from.get(network) ?? 0
        if (some >= maxFollowersPerAddress && !Admission.isLoopback(address)) {
          return Effect.fail(Api.tooMany(`${maxFollowersPerAddress} follow rooms from there, the most that may`, 60))
        }
        if (all >= maxFollowers) return Effect.fail(new Api.Unavailable({ reason: "too many follow rooms now" }))
        all++
        from.set(network, some + 1)
        return Effect.void
      }),
      () =>
        Effect.sync(() => {
          all--
          const left = from.get(network)! - 1
          if (left === 0) from.delete(network)
          else from.set(network, left)
        })
    )
  }
}

// --- handlers --------------------------------------------------------------------------------------------------------

const byMembers = (a: { room: string; members: number }, b: { room: string; members: number }) => b.members - a.members || (a.room < b.room ? -1 : 1)

const reading = HttpApiBuilder.group(
  Api.Api,
  "reading",
  Effect.fnUntraced(function*(handlers) {
    const hub = yield* Hub
    const follow = makeFollowers()
    return handlers.handleAll({
      rooms: () =>
        Effect.map(hub.world, (world) => {
          const rooms = []
          for (const room of HashMap.values(world.rooms)) {
            if (!room.flags.has("secret")) {
              rooms.push({ room: room.name, topic: room.topic, moderated: room.moderated, members: HashMap.size(room.members) })
            }
          }
          return { rooms: rooms.sort(byMembers).slice(0, World.limits.list) }
        }),
      members: Effect.fnUntraced(function*({ params }) {
        const world = yield* hub.world
        const room = yield* visible(world, params.room)
        const members = World.membersOf(world, room).filter(([who]) => !who.traits.has("invisible"))
          .map(([who, rank]) => ({ nick: who.nick, rank, away: who.away !== undefined }))
        return { room: room.name, members: members.sort((a, b) => Name.key(a.nick) < Name.key(b.nick) ? -1 : 1) }
      }),
      messages: Effect.fnUntraced(function*({ params, query }) {
        const room = (yield* open(yield* hub.world, params.room)).name
        const { epoch = hub.epoch, limit = Api.someMessages } = query
        const isKnown = epoch === hub.epoch
        const { after, before } = isKnown ? query : {}
        const earliest = after !== undefined
        const page = yield* Effect.mapError(hub.read({ room, after, before, limit: limit + 1, messages: true, earliest }), unreadable)
        const more = page.entries.length > limit
        const entries = !more ? page.entries : earliest ? page.entries.slice(0, limit) : page.entries.slice(1)
        // Whether the log still knows what came first, when there is more than was read.
        const complete = !more
          ? page.complete
          : !earliest
          || (yield* Effect.mapError(hub.read({ room, after, before: entries[0]!.seq + 1, limit: 1, messages: true }), unreadable)).complete
        return { room, epoch: hub.epoch, messages: entries.flatMap(said), more, complete: complete && isKnown }
      }),
      search: Effect.fnUntraced(function*({ params, query: { before, limit = Api.someMessages, q } }) {
        const { name: room } = yield* open(yield* hub.world, params.room)
        const count = Search.words(q).length
        if (count === 0 || count > World.limits.words) {
          return yield* new Api.BadRequest({ reason: `q is what to search for, from one word to ${World.limits.words}` })
        }
        const { complete, entries } = yield* Effect.mapError(
          hub.search({ rooms: [room], words: q, limit: limit + 1, ...(before === undefined ? {} : { before }) }),
          unreadable
        )
        const more = entries.length > limit
        return { room, epoch: hub.epoch, messages: (more ? entries.slice(1) : entries).flatMap(said), more, complete: more || complete }
      }),
      events: Effect.fnUntraced(function*({ headers, params, request }) {
        const isBack = headers["last-event-id"] !== undefined
        const found = yield* Effect.catchTag(open(yield* hub.world, params.room), "NotFound", (none) => isBack ? Effect.succeed(undefined) : Effect.fail(none))
        if (found === undefined) return later
        const { name: room, number } = found
        yield* follow(addressOf(request))
        // Of what is not at hand any more one could be that the room was closed: whoever comes back is told the rest from the log.
        const neverClosed = Effect.map(hub.world, (world) => {
          const now = World.room(world, room)
          return now !== undefined && now.number === number && !now.wasClosed
        })
        const here = `${hub.epoch}-${yield* hub.newest}`
        const live = yield* Seat.listening(hub, [Name.withHash(room)], neverClosed)
        // From here on whatever closes it is heard in its place.
        yield* open(yield* hub.world, params.room)
        const [, epoch = hub.epoch, seq] = Api.position.exec(headers["last-event-id"] ?? "") ?? []
        const after = seq === undefined ? undefined : Number(seq)
        let last = 0
        /** A stretch of the past: what is told of it, and from where it goes on, if it does. */
        const past = (after: number) =>
          Effect.map(stretch(hub.read, { room, after, before: undefined, limit: Api.maxMessages, messages: true }), ({ complete, entries, more }) => {
            last = entries.at(-1)?.seq ?? last
            const told = entries.flatMap(said).map((message) => messageLine(hub.epoch, message))
            return [complete ? told : [missedLine({ _tag: "Missed", room, after }), ...told], more ? Option.some(last) : Option.none()] as const
          })
        const start = after === undefined
          ? [[], Option.none<number>()] as const
          : epoch !== hub.epoch || after > (yield* hub.newest)
          ? [[line({ id: here, event: "missed", data: { _tag: "Missed", room } })], Option.none<number>()] as const
          : yield* Effect.orElseSucceed(past(after), () => undefined)
        if (start === undefined) return later
        const [first, from] = start
        const rest = Option.match(from, { onNone: () => Stream.empty, onSome: (from) => Stream.paginate(from, past) })
        /** What of it is told; what the log was asked for already is not told again. */
        const told = (message: Message): ReadonlyArray<Uint8Array> => {
          if (message._tag === "Missed") return [missedLine({ ...message, room })]
          if (message._tag !== "Said" || message.seq === undefined || message.seq <= last) return []
          const { at = "", id = "", seq, ...rest } = message
          return [messageLine(hub.epoch, { ...rest, seq, at, id })]
        }
        const lines = live.pipe(
          Stream.takeUntil(closes),
          Stream.map(told),
          Stream.flattenIterable
        )
        const beats = Stream.map(Stream.tick(pulse), () => beat).pipe(Stream.drop(1))
        const before = Stream.concat(Stream.fromIterable([hello(after === undefined ? here : undefined), ...first]), rest)
        const all = Stream.concat(before, Stream.merge(lines, beats, { haltStrategy: "left" })).pipe(
          // Whoever is let down in the middle of the past is told nothing of what came after it, and comes back with what it has.
          Stream.catch(() => Stream.empty)
        )
        return HttpServerResponse.stream(all, {
          contentType: "text/event-stream",
          headers: { "x-accel-buffering": "no" }
        })
      })
    })
  })
)

/** What tokens may write. */
const makeLimits = (rate: Rate.Rate) => {
  const buckets = new Map<string, Rate.Bucket>()
  return (name: string, cost: number) =>
    Effect.gen(function*() {
      const now = Number((yield* Clock.monotonicTimeNanos) / 1_000_000n)
      const bucket = Rate.refill(rate, buckets.get(name) ?? Rate.full(rate, now), now)
      if (!Rate.affords(bucket, Math.min(cost, rate.burst))) {
        return yield* Effect.fail(Api.tooMany(`${name} writes too much at once`, Math.ceil(Rate.wait(rate, bucket, Math.min(cost, rate.burst)) / 1000)))
      }
      buckets.set(name, Rate.spend(bucket, cost))
    })
}

/** Talks under the tokens' names. */
class Writer extends Context.Service<Writer, Effect.Success<ReturnType<typeof makeWriter>>>()("effect-chat/Http/Writer") {}

const makeWriter = Effect.fnUntraced(function*(options: Options) {
  const hub = yield* Hub
  const desks = yield* Desk.Desks
  const limit = makeLimits(options.rate ?? rate)

  const granted = Effect.mapError((error: Desk.NotGranted | Api.NotFound) => error._tag === "NotGranted" ? refusal(error) : error)

  /** Say these lines, one after the other; the first refusal ends it. */
  const say = Effect.fnUntraced(function*(name: string, in_: string, lines: ReadonlyArray<Command & { readonly _tag: "Say" }>) {
    yield* limit(name, lines.length)
    return yield* granted(desks.at(name, (desk) =>
      Effect.gen(function*() {
        const room = yield* Effect.flatMap(hub.world, (world) => visible(world, in_, desk.id))
        const target = Name.withHash(room.name)
        if (World.rank(room, desk.id) === undefined) yield* desk.ask({ _tag: "Join", room: target })
        return (yield* Effect.forEach(lines, (line) => desk.ask({ ...line, target }))).flat().flatMap(said)
      })))
  })

  const kick = Effect.fnUntraced(function*(name: string, asked: Command & { readonly _tag: "Kick" }) {
    yield* limit(name, 1)
    const { operator } = options
    return yield* granted(desks.at(name, (desk) =>
      Effect.gen(function*() {
        const room = yield* Effect.flatMap(hub.world, (world) => visible(world, asked.room, desk.id))
        const kick = { ...asked, room: Name.withHash(room.name) }
        // The power is held for this one thing, and in one turn.
        const entries = yield* desk.ask(
          operator === undefined ? kick : { _tag: "Together", wishes: [{ _tag: "Oper", ...operator }, kick, { _tag: "Oper" }] }
        )
        return entries.flatMap((entry) => entry.event._tag === "Kicked" ? [{ ...entry.event, ...stampOf(entry) }] : [])
      })))
  })

  return { say, kick }
})

/** What was asked for was granted, so it is there. */
const only = <A>(found: ReadonlyArray<A>): Effect.Effect<A> =>
  found[0] === undefined ? Effect.die(new Error("what was granted was not heard")) : Effect.succeed(found[0])

const writers = HttpApiBuilder.group(
  Api.Api,
  "writing",
  Effect.fnUntraced(function*(handlers) {
    const { kick, say } = yield* Writer
    return handlers.handleAll({
      say: Effect.fnUntraced(function*({ params, payload }) {
        const { name } = yield* Api.Caller
        return yield* Effect.flatMap(say(name, params.room, [{ _tag: "Say", target: "", ...payload }]), only)
      }),
      kick: Effect.fnUntraced(function*({ params, payload }) {
        const { name } = yield* Api.Caller
        return yield* Effect.flatMap(kick(name, { _tag: "Kick", room: params.room, ...payload }), only)
      })
    })
  })
)

const hooks = HttpApiBuilder.group(
  Api.Api,
  "hooks",
  Effect.fnUntraced(function*(handlers) {
    const { say } = yield* Writer
    return handlers.handleAll({
      hook: Effect.fnUntraced(function*({ payload, query: { room = Name.lobby } }) {
        const { name } = yield* Api.Caller
        const lines = payload.text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
        if (lines.length > maxLines) return yield* new Api.BadRequest({ reason: `a text has at most ${maxLines} lines` })
        if (lines.length === 0) return yield* new Api.BadRequest({ reason: "there is nothing to say", code: "nothing-said" })
        yield* say(name, room, lines.map((text) => ({ _tag: "Say", target: "", text })))
        return "ok"
      })
    })
  })
)

/** What effect's builder asks for is for files, forms and their like, of which there are none here. */
type Unneeded = Etag.Generator | FileSystem.FileSystem | HttpPlatform.HttpPlatform | Path.Path
const built = HttpApiBuilder.layer(Api.Api)
const routes = built as Layer.Layer<never, never, Exclude<Layer.Services<typeof built>, Unneeded>>

/** The API's routes. */
export const layer = (options: Options = {}): Layer.Layer<never, never, Hub | HttpRouter.HttpRouter> =>
  Layer.merge(
    routes.pipe(
      Layer.provide([reading, writers, hooks]),
      Layer.provide([visiting(options), writing(options), hooked, understood, Layer.effect(Writer, makeWriter(options))]),
      Layer.provide([
        Tokens.layer(options.tokens ?? new Map()),
        Desk.Desks.layer(options.password === undefined ? {} : { password: options.password })
      ])
    ),
    Reference.routes
  )

const plain = (path: string): string => path.replace(/%([0-7][\da-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

/** Whether the path of a request holds a secret, so that nobody writes it down: however it is written that the router takes it. */
export const isSecret = (path: string): boolean => /\/api\/+hooks\//i.test(plain(path))
