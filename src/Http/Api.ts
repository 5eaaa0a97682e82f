/**
 * What programs may ask over HTTP, as a value: endpoints, what they take and what they answer, from which handlers, clients
 * and the OpenAPI document are made. Knows nothing of how it is answered.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import { Kind, Rank, Tags } from "../Command.ts"
import { Code } from "../Event.ts"

/** Most messages that are asked for at once, and how many when nobody says. */
export const maxMessages = 500
export const someMessages = 100

// --- what there is ---------------------------------------------------------------------------------------------------

export const Room = Schema.Struct({
  room: Schema.String,
  topic: Schema.String,
  moderated: Schema.Boolean,
  members: Schema.Int.annotate({ description: "How many are in it" })
}).annotate({ identifier: "Room", description: "A room that is not secret" })

export const Member = Schema.Struct({ nick: Schema.String, rank: Rank, away: Schema.Boolean }).annotate({ identifier: "Member" })

const stamp = {
  seq: Schema.Int.annotate({ description: "Its place in the one order of everything, within an epoch" }),
  at: Schema.String.annotate({ description: "When, as an ISO 8601 date and time in UTC" }),
  id: Schema.String.annotate({ description: "Unique as long as the log exists" })
}

/** What was said, in the shape that the json dialect gives it. */
export const Said = Schema.TaggedStruct("Said", {
  room: Schema.String,
  nick: Schema.String,
  text: Schema.String,
  kind: Kind,
  tags: Schema.optionalKey(Tags),
  ...stamp
}).annotate({ identifier: "Said", description: "A message" })
export type Said = typeof Said.Type

export const Missed = Schema.TaggedStruct("Missed", {
  room: Schema.String,
  after: Schema.optionalKey(Schema.Int),
  count: Schema.optionalKey(Schema.Int)
}).annotate({ identifier: "Missed", description: "Messages that the server no longer has" })
export type Missed = typeof Missed.Type

export const Kicked = Schema.TaggedStruct("Kicked", {
  room: Schema.String,
  nick: Schema.String,
  by: Schema.String,
  reason: Schema.optionalKey(Schema.String),
  ...stamp
}).annotate({ identifier: "Kicked" })

export const Page = Schema.Struct({
  room: Schema.String,
  epoch: Schema.String.annotate({ description: "Names the order that seq counts in; when it changes, another order has begun" }),
  messages: Schema.Array(Said),
  more: Schema.Boolean.annotate({ description: "Whether there are more in the direction that was asked for" }),
  complete: Schema.Boolean.annotate({ description: "False if the server no longer has some of what was asked for" })
}).annotate({ identifier: "Page", description: "Messages, the oldest first" })

// --- what goes wrong -------------------------------------------------------------------------------------------------

const why = {
  reason: Schema.String.annotate({ description: "A sentence for a person" }),
  code: Schema.optionalKey(Code.annotate({ description: "A word for a program, if the room's rules refuse it" }))
}

export class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", why, { httpApiStatus: 400, description: "The request is malformed, or the text is not allowed" }) {}
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", why, { httpApiStatus: 403, description: "Not allowed" }) {}
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", why, { httpApiStatus: 404, description: "There is no such room or person" }) {}
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", why, { httpApiStatus: 409, description: "Conflicts with the current state" }) {}
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", why, { httpApiStatus: 413, description: "The body is too long" }) {}
export class NotJson extends Schema.TaggedError<NotJson>()("NotJson", why, { httpApiStatus: 415, description: "The body is not JSON, as its Content-Type says" }) {}
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", why, { httpApiStatus: 503, description: "Not possible now: nothing can be kept or read, or too many clients are here" }) {}

class NoToken extends Schema.TaggedError<NoToken>()("Unauthorized", why) {}
class TooOften extends Schema.TaggedError<TooOften>()("TooMany", { ...why, after: Schema.Int }) {}

/** No token, or not a right one. */
export const Unauthorized = NoToken.pipe(HttpApiSchema.encodeToWithHeaders({
  body: Schema.TaggedStruct("Unauthorized", why).annotate({ identifier: "Unauthorized", description: "A token is needed, and this is not one" }).pipe(HttpApiSchema.status(401)),
  headers: { "www-authenticate": Schema.String }
}, {
  decode: ({ body }) => new NoToken(body),
  encode: ({ code, reason }) => ({
    body: { _tag: "Unauthorized" as const, reason, ...(code === undefined ? {} : { code }) },
    headers: { "www-authenticate": "Bearer realm=\"chat\"" }
  })
}))
export const noToken = (reason: string) => new NoToken({ reason })

/** Too much at once; `after` is when to try again, in seconds. */
export const TooMany = TooOften.pipe(HttpApiSchema.encodeToWithHeaders({
  body: Schema.TaggedStruct("TooMany", why).annotate({ identifier: "TooMany", description: "Too much at once" }).pipe(HttpApiSchema.status(429)),
  headers: { "retry-after": Schema.Int }
}, {
  decode: ({ body, headers }) => new TooOften({ ...body, after: headers["retry-after"] }),
  encode: ({ after, code, reason }) => ({
    body: { _tag: "TooMany" as const, reason, ...(code === undefined ? {} : { code }) },
    headers: { "retry-after": after }
  })
}))
export const tooMany = (reason: string, after: number) => new TooOften({ reason, after })

export type Unauthorized = NoToken
export type TooMany = TooOften

// --- who asks --------------------------------------------------------------------------------------------------------

/** Whose token was given: the nick that messages appear under. */
export class Caller extends Context.Service<Caller, { readonly name: string }>()("effect-chat/Http/Caller") {}

/** Nothing is read from another site's page in a browser, and nothing at all without a token where the chat wants a password. */
export class Visiting extends HttpApiMiddleware.Service<Visiting>()("effect-chat/Http/Visiting", { error: [Forbidden, Unauthorized, TooMany] }) {}

/** A bearer token, without which nothing is written. */
export class Writing extends HttpApiMiddleware.Service<Writing, { provides: Caller }>()("effect-chat/Http/Writing", {
  error: [Forbidden, Unauthorized, TooMany],
  security: {
    token: HttpApiSecurity.bearer.pipe(
      HttpApiSecurity.annotate(OpenApi.Description, "A token that the server was started with: `chat serve --api-token name:token`")
    )
  }
}) {}

/** A token in the path, for programs that can be given an address and nothing else. */
export class Hooked extends HttpApiMiddleware.Service<Hooked, { provides: Caller }>()("effect-chat/Http/Hooked", { error: [Unauthorized, TooMany] }) {}

/** A body that is JSON and not too long, and is what it should be. */
export class Understood extends HttpApiMiddleware.Service<Understood>()("effect-chat/Http/Understood", { error: [BadRequest, TooLarge, NotJson] }) {}

// --- endpoints -------------------------------------------------------------------------------------------------------

const inRoom = { room: Schema.String.annotate({ description: "A room's name, with or without # (as %23)" }) }
/** An epoch and a sequence number, or the number alone. */
export const position = /^(?:([A-Za-z0-9]+)-)?(\d{1,15})$/
const place = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const optional = <S extends Schema.Top>(schema: S, description: string) => Schema.optionalKey(schema).pipe(Schema.annotateKey({ description }))
const described = (summary: string, description?: string) => OpenApi.annotations({ summary, ...(description === undefined ? {} : { description }) })

const reading = HttpApiGroup.make("reading").add(
  HttpApiEndpoint.get("rooms", "/api/rooms", {
    success: Schema.Struct({ rooms: Schema.Array(Room) }).annotate({ identifier: "Rooms", description: "The rooms, the largest first; at most 1000" })
  }).annotateMerge(described("List the rooms")),
  HttpApiEndpoint.get("members", "/api/rooms/:room/members", {
    params: inRoom,
    success: Schema.Struct({ room: Schema.String, members: Schema.Array(Member) }).annotate({ identifier: "Members", description: "The members" }),
    error: [NotFound]
  }).annotateMerge(described("List the members of a room", "Members who do not want to be seen by strangers are left out.")),
  HttpApiEndpoint.get("messages", "/api/rooms/:room/messages", {
    params: inRoom,
    query: {
      after: optional(place, "Only messages after this seq, the first ones"),
      before: optional(place, "Only messages before this seq, the last ones"),
      epoch: optional(Schema.String, "The epoch of after and before; if it is not the current one, they are ignored, and complete is false"),
      limit: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxMessages })), `How many at most: 1 to ${maxMessages}, default ${someMessages}`)
    },
    success: Page,
    error: [NotFound, Forbidden, Unavailable]
  }).annotateMerge(described(
    "Read what was said in a room",
    "The last messages; with `before` the last ones before it, with `after` the first ones after it. Rooms with a key or by invitation cannot be read here."
  )),
  HttpApiEndpoint.get("search", "/api/rooms/:room/search", {
    params: inRoom,
    query: {
      q: Schema.String.annotate({ description: "Words, in any case and order; a message must have all of them" }),
      before: optional(place, "Only messages before this seq"),
      limit: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxMessages })), `How many at most: 1 to ${maxMessages}, default ${someMessages}`)
    },
    success: Page,
    error: [BadRequest, NotFound, Forbidden, Unavailable]
  }).annotateMerge(described("Search what was said in a room", "The last messages that have all of these words; with `before` the last ones before it.")),
  HttpApiEndpoint.get("events", "/api/rooms/:room/events", {
    params: inRoom,
    headers: { "last-event-id": optional(Schema.String.check(Schema.isPattern(position)), "The id of an event, an epoch and a seq: everything after it is sent first. A seq alone is taken to be of the current epoch") },
    success: HttpApiSchema.StreamSse({ data: Schema.Union([Said, Missed]) }),
    error: [NotFound, Forbidden, Unavailable, TooMany]
  }).annotateMerge(described(
    "Follow a room",
    "Server-sent events: each message as JSON, with its epoch and its seq as the event's id (`e1-42`), so an EventSource that comes back gets everything it missed, even after a restart of the server. What the server no longer has, or cannot place because it is of another epoch, is reported as `Missed`, in an event called missed. The stream ends when the room is closed to strangers; whoever comes back with an id while there is no such room, or while what they missed cannot be read, gets an empty one, to come back again."
  ))
).middleware(Understood).middleware(Visiting).annotateMerge(OpenApi.annotations({ title: "Reading", description: "Open to everybody who can reach the server; if it has a password, a token is needed." }))

const text = Schema.String.annotate({ description: "One line of at most 4096 bytes" })

const writing = HttpApiGroup.make("writing").add(
  HttpApiEndpoint.post("say", "/api/rooms/:room/messages", {
    params: inRoom,
    payload: Schema.Struct({ text, kind: Schema.optionalKey(Kind) }).annotate({ identifier: "Saying" }),
    success: Said.pipe(HttpApiSchema.status(201)),
    error: [BadRequest, Forbidden, NotFound, Conflict, TooMany, Unavailable]
  }).annotateMerge(described("Say something in a room", "Under the token's name, which joins the room if necessary and leaves it after five minutes of silence.")),
  HttpApiEndpoint.post("kick", "/api/rooms/:room/kick", {
    params: inRoom,
    payload: Schema.Struct({ nick: Schema.String, reason: Schema.optionalKey(Schema.String) }).annotate({ identifier: "Kicking" }),
    success: Kicked,
    error: [BadRequest, Forbidden, NotFound, Conflict, TooMany, Unavailable]
  }).annotateMerge(described("Kick somebody out of a room", "With the rights of an operator of the server."))
).middleware(Understood).middleware(Writing).annotateMerge(OpenApi.annotations({ title: "Writing", description: "With a token." }))

const hooks = HttpApiGroup.make("hooks").add(
  HttpApiEndpoint.post("hook", "/api/hooks/:name/:secret", {
    params: { name: Schema.String, secret: Schema.String.annotate({ description: "The token" }) },
    query: { room: Schema.optionalKey(Schema.String.annotate({ description: "Default lobby" })) },
    payload: Schema.Struct({ text: Schema.String.annotate({ description: "At most 20 lines, each a message" }) }).annotate({ identifier: "Hook" }),
    success: Schema.String.pipe(HttpApiSchema.asText()).annotate({ description: "ok" }),
    error: [BadRequest, Forbidden, NotFound, Conflict, TooMany, Unavailable]
  }).annotateMerge(described("Say something by a webhook", "For programs that can only post {\"text\": \"…\"} to an address. Everybody who knows the address can post."))
).middleware(Understood).middleware(Hooked).annotateMerge(OpenApi.annotations({ title: "Webhooks" }))

/** The errors are known by the names they have over HTTP, which are those of the classes without a tail. */
const shortNames = (spec: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(spec).replace(/\b(BadRequest|Forbidden|NotFound|Conflict|TooLarge|NotJson|Unavailable)Encoded"/g, "$1\""))

/** All of it, as a value: `HttpApiClient.make(Api, { baseUrl })` is a client with these types. */
export const Api = HttpApi.make("effect-chat").add(reading, writing, hooks).annotateMerge(OpenApi.annotations({
  transform: shortNames,
  title: "effect-chat",
  version: "1",
  description: "The rooms that people on nc, IRC clients and browsers are in, for programs. A message's seq is its place in the one order of everything."
}))
