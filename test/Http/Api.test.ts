/**
 * The HTTP API, over real sockets: every endpoint and every no, tokens, following with resuming, webhooks, and its document.
 */
import { Validator } from "@seriousme/openapi-schema-validator"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpMiddleware, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { TestClock } from "effect/testing"
import { createServer } from "node:http"
import * as Net from "node:net"
import { ChatServer } from "../../src/ChatServer.ts"
import * as Desk from "../../src/Http/Desk.ts"
import * as ApiLive from "../../src/Http/ApiLive.ts"
import * as Tokens from "../../src/Http/Tokens.ts"
import * as Http from "../../src/Http.ts"
import { guesses } from "../../src/Guesses.ts"
import { Hub } from "../../src/Hub.ts"
import { Log, LogError } from "../../src/Log.ts"
import { ringCapacity } from "../../src/Ring.ts"
import * as Secrets from "../../src/Secrets.ts"
import * as World from "../../src/World.ts"
import { ask as tell, fence, heard, hurried, open, person, program, say, settled, type Told, understood } from "../house.ts"
import { socket } from "../support.ts"
import * as Web from "./web.ts"
import { openWeb } from "./web.ts"

const secret = "tok-7h1s-1s-s3cr3t"
const other = "an0ther-s3cr3t"
const master = { name: "api", password: "m4ster-w0rd" }
const tokens = new Map([["ci", secret], ["ops", Secrets.hash(other)]])
const api: ApiLive.Options = { tokens, operator: master, rate: { burst: 1000, perSecond: 1000 } }
const isOperator = (name: string, password: string) => name === master.name && password === master.password
/** A house whose door knows two tokens: in clear and hashed. */
const usual = (options: Parameters<typeof openWeb>[0] = {}) => openWeb({ api, isOperator, ...options })
const messages = "/api/rooms/den/messages"
const texts = (answer: Web.Answer): ReadonlyArray<string> => answer.json.messages.map(({ text }: { text: string }) => text)
const post = (text: string, more: Web.Request = {}): Web.Request => ({ body: { text }, token: secret, ...more })
const setFlag = (flag: string, on = true) => ({ _tag: "SetFlag", room: "den", flag, on })

describe("reading", () => {
  it.effect("tells the rooms and who is in them, but none that is secret and nobody who hides", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const bo = yield* program(web, "bo", "den", "hole", "lobby")
      tell(ana, { _tag: "SetTopic", room: "den", topic: "bears" }, { _tag: "SetAway", message: "tea" })
      tell(bo, { ...setFlag("secret"), room: "hole" })
      yield* program(web, "cy", "den").pipe(Effect.tap((cy) => {
        tell(cy, { _tag: "SetTrait", trait: "invisible", on: true })
        return fence(cy)
      }))
      yield* fence(ana)
      yield* fence(bo)
      const { json } = yield* web.ask("/api/rooms")
      assert.deepStrictEqual(json, {
        rooms: [{ room: "den", topic: "bears", moderated: false, members: 3 }, { room: "lobby", topic: "", moderated: false, members: 1 }]
      })
      const { headers, json: members } = yield* web.ask("/api/rooms/%23DEN/members")
      assert.deepStrictEqual(members, { room: "den", members: [{ nick: "ana", rank: "operator", away: true }, { nick: "bo", rank: "member", away: false }] })
      assert.strictEqual(headers["cache-control"], "no-store")
      const reads = ["members", "messages", "events"]
      for (const what of reads) {
        const hidden = yield* web.ask(`/api/rooms/hole/${what}`)
        const absent = yield* web.ask(`/api/rooms/hulk/${what}`)
        assert.deepStrictEqual([hidden.status, absent.status], [404, 404])
        assert.deepStrictEqual(hidden.text.replaceAll("hole", "hulk"), absent.text, "row 41: as if it were not there")
      }
      for (const [path, request] of [["/api/nothing"], ["/nothing", { body: {} }]] as ReadonlyArray<readonly [string, Web.Request?]>) {
        const { headers, json, status } = yield* web.ask(path, request)
        assert.deepStrictEqual([status, json], [404, { _tag: "NotFound", reason: "there is nothing here; /api lists what there is" }])
        assert.strictEqual(headers["content-type"], "application/json")
      }
    }))

  it.effect("says so when a path is none, or leads nowhere by whatever method", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      for (const path of ["/%zz", "/api/rooms/%ff/messages", "/api/rooms/%e2%82/members?limit=1"]) {
        for (const request of [{}, { body: {} }]) {
          const { json, status } = yield* web.ask(path, request)
          assert.deepStrictEqual([status, json], [400, { _tag: "BadRequest", reason: "in a path % stands before two hex digits, and all of it is UTF-8" }], path)
        }
      }
      for (const [path, method] of [["/nothing", "PROPFIND"], [`/api/rooms/${"x".repeat(2000)}/messages`, "GET"]] as const) {
        const { json, status } = yield* web.ask(path, { method })
        assert.deepStrictEqual([status, json?._tag], [404, "NotFound"], method)
      }
      assert.strictEqual((yield* web.ask("/nothing", { method: "HEAD" })).status, 404)
    }))

  it.effect("gives what was said by pages, forwards and backwards", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      for (let i = 0; i < 10; i++) tell(ana, say("den", `m${i}`))
      yield* program(web, "bo", "den")
      yield* fence(ana)
      const all = yield* web.ask(messages)
      assert.deepStrictEqual(texts(all), Array.from({ length: 10 }, (_, i) => `m${i}`))
      assert.deepInclude(all.json, { room: "den", epoch: web.hub.epoch, more: false, complete: true })
      const [first] = all.json.messages
      assert.hasAllKeys(first, ["_tag", "room", "nick", "text", "kind", "seq", "at", "id"])
      const seq: ReadonlyArray<number> = all.json.messages.map(({ seq }: { seq: number }) => seq)
      const page = (query: string) => Effect.map(web.ask(`${messages}?${query}`), (answer) => [texts(answer).join(" "), answer.json.more, answer.json.complete])
      assert.deepStrictEqual(yield* page("limit=2"), ["m8 m9", true, true])
      assert.deepStrictEqual(yield* page(`limit=3&before=${seq[8]}`), ["m5 m6 m7", true, true])
      assert.deepStrictEqual(yield* page(`limit=8&before=${seq[8]}`), ["m0 m1 m2 m3 m4 m5 m6 m7", false, true])
      assert.deepStrictEqual(yield* page(`limit=3&after=${seq[1]}`), ["m2 m3 m4", true, true])
      assert.deepStrictEqual(yield* page(`limit=3&after=${seq[6]}`), ["m7 m8 m9", false, true])
      assert.deepStrictEqual(yield* page(`after=${seq[2]}&before=${seq[5]}`), ["m3 m4", false, true])
      assert.deepStrictEqual(yield* page("after=100000"), ["", false, true])
      for (const wrong of ["limit=0", "limit=501", "limit=x", "before=-1", "after=1.5", "after="]) {
        const { json, status } = yield* web.ask(`${messages}?${wrong}`)
        assert.strictEqual(status, 400, wrong)
        assert.match(json.reason, new RegExp(`^query: .*${wrong.split("=")[0]}`))
      }
    }))

  it.effect("finds what was said by its words, the last of it first asked for", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      for (const text of ["a red fox", "a dog", "Fox, red and quick", "red fox"]) tell(ana, say("den", text))
      yield* fence(ana)
      const find = (query: string) => Effect.map(web.ask(`/api/rooms/den/search?${query}`), (answer) => [texts(answer), answer.json.more, answer.json.complete])
      assert.deepStrictEqual(yield* find("q=RED%20fox"), [["a red fox", "Fox, red and quick", "red fox"], false, true])
      assert.deepStrictEqual(yield* find("q=red+fox&limit=2"), [["Fox, red and quick", "red fox"], true, true])
      const { json } = yield* web.ask("/api/rooms/den/search?q=fox&limit=1")
      assert.deepStrictEqual(yield* find(`q=fox&before=${json.messages[0].seq}`), [["a red fox", "Fox, red and quick"], false, true])
      assert.deepStrictEqual(yield* find("q=cat"), [[], false, true])
      for (const wrong of ["q=", "q=%20!", `q=${"a+".repeat(21)}`, "", "q=fox&limit=0", "q=fox&before=x"]) {
        assert.strictEqual((yield* web.ask(`/api/rooms/den/search?${wrong}`)).status, 400, wrong)
      }
      assert.strictEqual((yield* web.ask("/api/rooms/none/search?q=fox")).status, 404)
      tell(ana, { _tag: "SetKey", room: "den", key: "k3y" })
      yield* fence(ana)
      assert.strictEqual((yield* web.ask("/api/rooms/den/search?q=fox")).status, 403)
    }))

  it.effect("says what is forgotten, and what cannot be read", () =>
    Effect.gen(function*() {
      const failing = { now: false }
      const log = Layer.effect(
        Log,
        Effect.map(Log, (log) =>
          Log.of({ ...log, read: (query) => Effect.suspend(() => failing.now ? Effect.fail(new LogError({ message: "the disk is gone" })) : log.read(query)) }))
      ).pipe(Layer.provide(Log.layerMemory({ history: 5 })))
      const web = yield* usual({ log })
      const ana = yield* program(web, "ana", "den")
      for (let i = 0; i < 10; i++) tell(ana, say("den", `m${i}`))
      yield* fence(ana)
      const forgotten = yield* web.ask(`${messages}?after=1&limit=2`)
      assert.deepStrictEqual(texts(forgotten), ["m5", "m6"])
      assert.deepInclude(forgotten.json, { more: true, complete: false })
      assert.deepInclude((yield* web.ask(messages)).json, { more: false, complete: false })
      failing.now = true
      const { json, status } = yield* web.ask(messages)
      assert.deepStrictEqual([status, json], [503, { _tag: "Unavailable", reason: "it could not be read: the disk is gone" }])
    }))

  it.effect("row 41: leaves what is said in rooms with a key or for the invited to those inside", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      for (const change of [setFlag("invite-only"), { _tag: "SetKey", room: "den", key: "k3y" }]) {
        const follower = yield* web.follow("/api/rooms/den/events")
        tell(ana, change, say("den", "for us"))
        yield* fence(ana)
        yield* follower.ended
        assert.deepStrictEqual(follower.events(), [], "who followed hears no more")
        for (const what of ["messages", "events"]) {
          const { status, text } = yield* web.ask(`/api/rooms/den/${what}`)
          assert.strictEqual(status, 403)
          assert.notInclude(text, "k3y")
        }
        assert.strictEqual((yield* web.ask("/api/rooms/den/members")).status, 200)
        tell(ana, setFlag("invite-only", false), { _tag: "SetKey", room: "den" })
        yield* fence(ana)
      }
    }))

  it.effect("row 41: a room whose name begins with # is another than the closed one that is called so without it", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "#den", "##den")
      tell(ana, setFlag("secret"))
      yield* fence(ana)
      const follower = yield* web.follow("/api/rooms/%23%23den/events")
      tell(ana, say("den", "for us"), say("#den", "for all"))
      yield* fence(ana)
      const { json, status } = yield* web.ask("/api/rooms/%23%23den/messages", post("for all too"))
      assert.deepInclude({ ...json, status }, { status: 201, room: "#den", text: "for all too" })
      assert.deepStrictEqual((yield* follower.until(2)).map(({ data }) => data.text), ["for all", "for all too"])
    }))

  it.effect("row 41: tells who follows nothing that was said inside, though the room is open again before it is told", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      for (const [close, reopen] of [
        [setFlag("secret"), setFlag("secret", false)], [{ _tag: "SetKey", room: "den", key: "k3y" }, { _tag: "SetKey", room: "den" }]
      ] as const) {
        const follower = yield* web.follow("/api/rooms/den/events")
        tell(ana, say("den", "for all"), close, say("den", "for us"), reopen, say("den", "for all again"))
        yield* fence(ana)
        yield* follower.ended
        assert.deepStrictEqual(follower.events().map(({ data }) => data.text), ["for all"])
        const resumed = yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": follower.events()[0]!.id! } })
        assert.deepStrictEqual((yield* resumed.until(1)).map(({ data }) => data.text), ["for all again"])
      }
    }))

  it.effect("row 41: nor to who follows so late that nobody knows any more when it was closed", () =>
    Effect.gen(function*() {
      const web = yield* usual({ history: 10_000 })
      const ana = yield* person(web, "ana", "den")
      const received: Array<string> = []
      const late = yield* Effect.acquireRelease(
        Effect.sync(() => Net.connect(web.port, "127.0.0.1", () => late.write("GET /api/rooms/den/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).on("error", () => {}).pause()),
        (socket) => Effect.sync(() => socket.destroy())
      )
      while ((yield* web.connections) < 1) yield* settled
      const each = Effect.fnUntraced(function*(text: string, times: number) {
        for (let i = 0; i < times; i++) {
          ana.send(`${text}\n`)
          yield* understood(ana)
        }
      })
      for (let i = 0; i < 50; i++) {
        ana.send(`${"x".repeat(4000)}\n`.repeat(40))
        yield* understood(ana)
      }
      ana.send("/key k3y\n")
      yield* each("for us", ringCapacity)
      ana.send("/key\n")
      yield* each("for all", 3)
      const closed = new Promise((resolve) => late.once("close", resolve))
      late.on("data", (bytes: Buffer) => received.push(bytes.toString())).resume()
      yield* Effect.promise(() => closed)
      assert.include(received.join(""), "xxx")
      assert.notInclude(received.join(""), "for us")
    }), 20_000)

  it.effect("row 45: no terminal acts on what it is told, by whatever way it asks", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const follower = yield* web.follow("/api/rooms/den/events")
      const text = "fox \u009b31m \u007f \u0085 \u2028 \u2029"
      tell(ana, say("den", text))
      const posted = yield* web.ask(messages, post(text))
      yield* follower.until(2)
      const answers = [posted, yield* web.ask(messages), yield* web.ask("/api/rooms/den/search?q=fox")]
      assert.deepStrictEqual(posted.json.text, text)
      for (const answer of answers.slice(1)) assert.deepStrictEqual(texts(answer), [text, text])
      assert.deepStrictEqual(follower.events().map(({ data }) => data.text), [text, text])
      for (const told of [...answers.map(({ text }) => text), follower.text()]) assert.notMatch(told, /[\u007f-\u009f\u2028\u2029]/)
    }))

  it.effect("takes a token where the chat takes a password", () =>
    Effect.gen(function*() {
      const web = yield* usual({ api: { ...api, closed: true, password: "in" }, admits: (password) => password === "in" })
      for (const path of ["/api/rooms", "/api/rooms/lobby/messages", "/api/rooms/lobby/events"]) {
        const { headers, status } = yield* web.ask(path)
        assert.deepStrictEqual([status, headers["www-authenticate"]], [401, "Bearer realm=\"chat\""])
      }
      assert.strictEqual((yield* web.ask("/api/rooms", { token: other })).status, 200)
      assert.strictEqual((yield* web.ask("/api/rooms/lobby/messages", post("hi"))).status, 201, "who has a token needs no password")
    }))
})

describe("talking", () => {
  it.effect("is heard under the token's name, in order, by everybody in the room", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const first = yield* web.ask(messages, post("built"))
      assert.strictEqual(first.status, 201)
      yield* fence(ana)
      const [said] = heard(ana, "Said")
      assert.deepStrictEqual(first.json, said, "what is answered is what the others are told")
      assert.deepInclude(said, { room: "den", nick: "ci", text: "built", kind: "message" })
      assert.strictEqual((yield* web.ask("/api/rooms/%23Den/messages", { body: { text: "waves", kind: "action" }, token: other })).json.nick, "ops")
      const many = yield* Effect.forEach(Array.from({ length: 20 }, (_, i) => `n${i}`), (text) => web.ask(messages, post(text)), { concurrency: "unbounded" })
      yield* fence(ana)
      const told = heard(ana, "Said").map(({ text }) => text)
      assert.deepStrictEqual([...told].sort(), ["built", "waves", ...many.map(({ json }) => json.text)].sort())
      assert.deepStrictEqual(heard(ana, "Joined").map(({ nick }) => nick), ["ana", "ci", "ops"], "they come in once")
      assert.deepStrictEqual(World.room(yield* web.hub.world, "den")!.members.pipe((members) => [...members].length), 3)
    }))

  it.effect("comes in when it talks, leaves when it has not for a while, and comes again", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      yield* web.ask(messages, post("one"))
      yield* TestClock.adjust("4 minutes")
      yield* web.ask(messages, post("two"))
      yield* TestClock.adjust("4 minutes")
      yield* settled
      assert.isDefined(World.holder(yield* web.hub.world, "ci"), "it counts from what was asked last")
      yield* TestClock.adjust(Desk.idle)
      yield* settled
      yield* fence(ana)
      assert.isUndefined(World.holder(yield* web.hub.world, "ci"))
      assert.lengthOf(heard(ana, "Quit"), 1)
      assert.strictEqual((yield* web.ask(messages, post("three"))).status, 201)
      const killer = yield* program(web, "root", "den")
      const { hub } = web
      const seat = hub.open({ dialect: "test", address: "test", bell: { ring: () => {} } })
      yield* hub.submit(seat, [{ _tag: "Arrive", nick: "boss" }, { _tag: "Oper", ...master }, { _tag: "Kill", nick: "ci", reason: "noise" }])
      yield* settled
      yield* fence(killer)
      assert.isUndefined(World.holder(yield* hub.world, "ci"), "who is killed is gone")
      assert.strictEqual((yield* web.ask(messages, post("four"))).status, 201)
      yield* hub.close(seat, "bye")
    }))

  it.effect("is refused for every reason of the room's, with the reason", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den", "hole")
      const status = (request: Web.Request, path = messages) => Effect.map(web.ask(path, request), ({ json, status }) => [status, json?._tag, json?.code])
      const change = (...changes: ReadonlyArray<object>) => {
        tell(ana, ...changes)
        return fence(ana)
      }
      assert.deepStrictEqual(yield* status(post("hi"), "/api/rooms/nowhere/messages"), [404, "NotFound", "no-room"])
      yield* change({ ...setFlag("secret"), room: "hole" })
      assert.deepStrictEqual(yield* status(post("hi"), "/api/rooms/hole/messages"), [404, "NotFound", "no-room"])
      const mask = (mask: string, on = true) => ({ _tag: "SetMask", room: "den", list: "ban", mask, on })
      yield* change(mask("ci!*@*"))
      const banned = yield* web.ask(messages, post("hi"))
      assert.deepStrictEqual([banned.status, banned.json], [403, { _tag: "Forbidden", reason: "you are banned from #den", code: "banned" }])
      yield* change(mask("ci!*@*", false), { _tag: "SetLimit", room: "den", limit: 1 })
      assert.deepStrictEqual(yield* status(post("hi")), [409, "Conflict", "full"])
      yield* change({ _tag: "SetLimit", room: "den" }, setFlag("invite-only"))
      assert.deepStrictEqual(yield* status(post("hi")), [403, "Forbidden", "invite-only"])
      yield* change(setFlag("invite-only", false), { _tag: "SetKey", room: "den", key: "k" })
      assert.deepStrictEqual(yield* status(post("hi")), [403, "Forbidden", "wrong-key"])
      yield* change({ _tag: "SetKey", room: "den" }, { _tag: "SetModerated", room: "den", moderated: true })
      assert.deepStrictEqual(yield* status(post("hi")), [403, "Forbidden", "moderated"])
      yield* change({ _tag: "SetRank", room: "den", nick: "ci", rank: "voice" })
      assert.deepStrictEqual(yield* status(post("hi")), [201, "Said", undefined])
      yield* change({ _tag: "SetModerated", room: "den", moderated: false }, { _tag: "SetRank", room: "den", nick: "ci", rank: "member" }, mask("m:ci!*@*"))
      assert.deepStrictEqual(yield* status(post("hi")), [403, "Forbidden", "muted"])
      yield* change(mask("m:ci!*@*", false))
      for (const text of ["x".repeat(4097), "é".repeat(2049)]) assert.deepStrictEqual(yield* status(post(text)), [400, "BadRequest", "too-long"])
      for (const text of ["a\nb", "\u0000", "\ud800"]) assert.deepStrictEqual(yield* status(post(text)), [400, "BadRequest", "erroneous"])
      assert.deepStrictEqual(yield* status(post("")), [400, "BadRequest", "nothing-said"])
      assert.deepStrictEqual(yield* status(post("x".repeat(4096))), [201, "Said", undefined])
      yield* program(web, "ops")
      assert.deepStrictEqual(yield* status(post("hi", { token: other })), [409, "Conflict", "nick-taken"])
    }))

  it.effect("is refused when it cannot be kept, and goes on when it can", () =>
    Effect.gen(function*() {
      const failing = { now: false }
      const log = Layer.effect(
        Log,
        Effect.map(Log, (log) =>
          Log.of({ ...log, append: (drafts) => Effect.suspend(() => failing.now ? Effect.fail(new LogError({ message: "the disk is full" })) : log.append(drafts)) }))
      ).pipe(Layer.provide(Log.layerMemory({ history: 50 })))
      const web = yield* usual({ log })
      yield* program(web, "ana", "den")
      const refused = [503, { _tag: "Unavailable", reason: "it could not be kept: the disk is full" }]
      failing.now = true
      const before = yield* web.ask(messages, post("hi"))
      failing.now = false
      yield* web.ask(messages, post("hi"))
      failing.now = true
      const after = yield* web.ask(messages, post("hi"))
      assert.deepStrictEqual([[before.status, before.json], [after.status, after.json]], [refused, refused])
      failing.now = false
      assert.strictEqual((yield* web.ask(messages, post("again"))).status, 201)
    }))

  it.effect("is answered about itself, and not about what somebody else asked who did not wait", () =>
    Effect.gen(function*() {
      const keeping = Latch.makeUnsafe(true)
      const log = Layer.effect(Log, Effect.map(Log, (log) => Log.of({ ...log, append: (drafts) => Effect.andThen(keeping.await, log.append(drafts)) })))
      const web = yield* usual({ log: Layer.provide(log, Log.layerMemory({ history: 50 })) })
      const ana = yield* program(web, "ana", "den")
      yield* web.ask(messages, post("first"))
      for (const [given, expected] of [["gone", 201], ["a\nb", 201]] as const) {
        keeping.closeUnsafe()
        tell(ana, say("den", "held"))
        yield* settled
        const gone = yield* Effect.forkChild(web.ask(messages, post(given)), { startImmediately: true })
        yield* settled
        yield* Fiber.interrupt(gone)
        yield* settled
        const waiting = yield* Effect.forkChild(web.ask(messages, post("mine")), { startImmediately: true })
        yield* settled
        keeping.openUnsafe()
        const { json, status } = yield* Fiber.join(waiting)
        assert.deepStrictEqual([status, json.text], [expected, "mine"])
      }
    }))

  it.effect("is answered before what is asked behind it, which becomes no WebSocket before that", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      yield* program(web, "ana", "den")
      const client = yield* socket(web.port)
      const body = JSON.stringify({ text: "hi" })
      const head = "host: localhost\r\n"
      const upgrade = `GET /ws HTTP/1.1\r\n${head}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
      client.net.write(`POST ${messages} HTTP/1.1\r\n${head}authorization: Bearer ${secret}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}${upgrade}`)
      const statuses = () => [...client.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
      yield* Effect.promise(() => client.until(() => statuses().length === 2))
      assert.deepStrictEqual(statuses(), [201, 404])
      // Once all is answered it does.
      client.net.write(upgrade)
      yield* Effect.promise(() => client.until(() => statuses().length === 3))
      assert.strictEqual(statuses()[2], 101)
    }))

  it.effect("is slowed, each token by itself", () =>
    Effect.gen(function*() {
      const web = yield* usual({ api: { ...api, rate: { burst: 3, perSecond: 1 } } })
      yield* program(web, "ana", "den")
      const statuses = Effect.map(Effect.replicateEffect(web.ask(messages, post("hi")), 4), (answers) => answers.map(({ status }) => status))
      assert.deepStrictEqual(yield* statuses, [201, 201, 201, 429])
      assert.strictEqual((yield* web.ask(messages, post("hi"))).headers["retry-after"], "1")
      assert.strictEqual((yield* web.ask(messages, post("hi", { token: other }))).status, 201)
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(yield* statuses, [201, 201, 201, 429])
    }))

  it.effect("is understood only when it is a body as the document says", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const status = (body: string | Uint8Array | object, headers = {}) => Effect.map(web.ask(messages, { body, token: secret, headers }), ({ json, status }) => [status, json?._tag])
      for (const body of ["{", "", "null", "[]", "\"hi\"", "{\"text\":1}", { words: "hi" }, { text: "hi", kind: "shout" }, Uint8Array.of(0x7b, 0xff, 0xfe)]) {
        assert.deepStrictEqual(yield* status(body), [400, "BadRequest"], JSON.stringify(body))
      }
      assert.match((yield* web.ask(messages, { body: Buffer.from([0x22, 0xc3, 0x22]), token: secret })).json.reason, /UTF-8/, "row 6")
      const long = JSON.stringify({ text: "x".repeat(ApiLive.maxBody) })
      const large = yield* web.ask(messages, { body: long, token: secret })
      assert.deepStrictEqual([large.status, large.json], [413, { _tag: "TooLarge", reason: "a body has at most 65536 bytes" }])
      assert.deepStrictEqual(yield* status(long, { "transfer-encoding": "chunked" }), [413, "TooLarge"])
      assert.deepStrictEqual(yield* status("{}", { "content-type": "Application/JSON ; charset=utf-8" }), [400, "BadRequest"])
      assert.deepStrictEqual(yield* status("{}", { "content-type": "application/jsonl" }), [415, "NotJson"])
      assert.deepStrictEqual(yield* status(`{"text":"hi"${" ".repeat(ApiLive.maxBody - 13)}}`), [201, "Said"], "as long as can be")
      yield* fence(ana)
      assert.deepStrictEqual(heard(ana, "Said").map(({ text }) => text), ["hi"])
    }))
})

describe("kicking", () => {
  it.effect("puts somebody out of a room one need not be in", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const bo = yield* program(web, "bo", "den", "hole")
      tell(bo, { ...setFlag("secret"), room: "hole" })
      yield* fence(bo)
      const kick = (body: object, room = "den") => Effect.map(web.ask(`/api/rooms/${room}/kick`, { body, token: secret }), ({ json, status }) => [status, json?.code ?? json])
      const [status, kicked] = yield* kick({ nick: "bo", reason: "noise" })
      yield* fence(ana)
      yield* fence(bo)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(heard(ana, "Kicked"), [kicked])
      assert.deepStrictEqual(heard(bo, "Kicked"), [kicked])
      assert.deepInclude(kicked, { room: "den", nick: "bo", by: "ci", reason: "noise" })
      assert.deepStrictEqual(yield* kick({ nick: "bo" }), [404, "others-room"])
      assert.deepStrictEqual(yield* kick({ nick: "nobody" }), [404, "nobody"])
      assert.deepStrictEqual(yield* kick({ nick: "bo" }, "hole"), [404, "no-room"])
      assert.deepStrictEqual(yield* kick({ nick: "ana", reason: "x".repeat(400) }), [400, "too-long"])
      assert.isFalse(World.holder(yield* web.hub.world, "ci")!.operator, "the power is held for that alone")
      assert.strictEqual((yield* web.ask("/api/rooms/den/kick", { body: { nick: "ana" } })).status, 401)
    }))

  it.effect("takes a room's operator where the host gives no operator's name", () =>
    Effect.gen(function*() {
      const web = yield* usual({ api: { ...api, operator: undefined } as unknown as ApiLive.Options })
      const ana = yield* program(web, "ana", "den")
      const kick = Effect.map(web.ask("/api/rooms/den/kick", { body: { nick: "ana" }, token: secret }), ({ json, status }) => [status, json.code])
      assert.deepStrictEqual(yield* kick, [403, "not-in-room"])
      yield* web.ask(messages, post("hi"))
      assert.deepStrictEqual(yield* kick, [403, "not-operator"])
      tell(ana, { _tag: "SetRank", room: "den", nick: "ci", rank: "operator" })
      yield* fence(ana)
      assert.strictEqual((yield* kick)[0], 200)
    }))
})

describe("what there is", () => {
  it.effect("is answered to HEAD as to GET, but for the body", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      yield* program(web, "ana", "den")
      for (const path of ["/", "/page.js", "/healthz", "/readyz", "/metrics", "/api", "/api/openapi.json", "/api/rooms", messages]) {
        const [got, head] = [yield* web.ask(path), yield* web.ask(path, { method: "HEAD" })]
        assert.deepStrictEqual([head.status, head.headers["content-type"], head.text], [200, got.headers["content-type"], ""], path)
        // What is counted grows while it is asked for.
        if (path !== "/metrics") assert.strictEqual(head.headers["content-length"], got.headers["content-length"], path)
      }
      const events = yield* web.ask("/api/rooms/den/events", { method: "HEAD" })
      assert.deepStrictEqual([events.status, events.headers["content-type"]], [200, "text/event-stream"])
      assert.strictEqual((yield* web.ask("/api/rooms/nowhere/messages", { method: "HEAD" })).status, 404)
      for (const method of ["HEAD", "GET", "POST", "OPTIONS"]) assert.strictEqual((yield* web.ask("/nothing", { method })).status, 404, method)
    }))
})

describe("following", () => {
  it.effect("tells each message once, and after a lost connection what was missed", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den", "lobby")
      tell(ana, say("den", "before"))
      yield* fence(ana)
      const follower = yield* web.follow("/api/rooms/den/events")
      assert.strictEqual(follower.answer.headers["content-type"], "text/event-stream")
      tell(ana, say("lobby", "elsewhere"), say("den", "one"), { _tag: "Whisper", nick: "ana", text: "psst" }, { _tag: "SetTopic", room: "den", topic: "t" }, say("den", "two\u2028data: x"))
      const events = yield* follower.until(2)
      yield* fence(ana)
      const said = heard(ana, "Said").filter(({ room, text }) => room === "den" && text !== "before")
      const epoch = heard(ana, "Welcome")[0]!["epoch"]
      assert.deepStrictEqual(events, said.map((data) => ({ id: `${epoch}-${data.seq}`, data })))
      follower.leave()
      for (let i = 0; i < 5; i++) tell(ana, say("den", `missed ${i}`))
      yield* fence(ana)
      const resumed = yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": events[0]!.id! } })
      tell(ana, say("den", "three"))
      const told = (yield* resumed.until(7)).map(({ data }) => data.text)
      assert.deepStrictEqual(told, ["two\u2028data: x", "missed 0", "missed 1", "missed 2", "missed 3", "missed 4", "three"])
    }))

  it.effect("tells who has heard nothing yet, or was told that something is missed, from where to come back", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      /** What an EventSource comes back with: the id that stands last, whether or not an event goes with it. */
      const place = ({ text }: Web.Follower) => [...text().matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? "none"
      const resume = (id: string) => web.follow("/api/rooms/den/events", { headers: { "last-event-id": id } })
      const start = yield* web.follow("/api/rooms/den/events")
      assert.deepStrictEqual(start.events(), [])
      start.leave()
      tell(ana, say("den", "meanwhile"))
      yield* fence(ana)
      const back = yield* resume(place(start))
      assert.deepStrictEqual((yield* back.until(1)).map(({ data }) => data.text), ["meanwhile"])
      back.leave()
      const stranger = yield* resume("e0-1")
      assert.deepStrictEqual((yield* stranger.until(1)).map(({ data }) => data._tag), ["Missed"])
      stranger.leave()
      tell(ana, say("den", "and after that"))
      yield* fence(ana)
      assert.deepStrictEqual((yield* (yield* resume(place(stranger))).until(1)).map(({ data }) => data.text), ["and after that"])
    }))

  it.effect("is asked to try again by whoever comes back before anybody else has, as when the server began again", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const comeBack = (room: string, id: string) => web.ask(`/api/rooms/${room}/events`, { headers: { "last-event-id": id } })
      assert.strictEqual((yield* web.ask("/api/rooms/den/events")).status, 404, "who comes for the first time is told that there is no such room")
      const early = yield* comeBack("den", "e1-1")
      assert.deepStrictEqual([early.status, early.headers["content-type"], early.text], [200, "text/event-stream", "retry: 3000\n\n"])
      const ana = yield* program(web, "ana", "den", "attic")
      tell(ana, { _tag: "SetFlag", room: "attic", flag: "secret", on: true }, { _tag: "Join", room: "cellar" }, { _tag: "SetKey", room: "cellar", key: "k" })
      yield* fence(ana)
      assert.deepStrictEqual(yield* comeBack("attic", "e1-1"), { ...yield* comeBack("nowhere", "e1-1") }, "a secret one is as one that is not there")
      assert.strictEqual((yield* comeBack("cellar", "e1-1")).status, 403, "where there is nothing to wait for it is told so")
      tell(ana, say("den", "again"))
      yield* fence(ana)
      assert.deepStrictEqual((yield* (yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": `${heard(ana, "Welcome")[0]!["epoch"]}-1` } })).until(1)).map(({ data }) => data.text), ["again"])
    }))

  it.effect("has no hole and no double when people talk while one comes back", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const all: Array<string> = []
      let last = ""
      const got: Array<string> = []
      const talk = (n: number) => {
        for (let i = 0; i < n; i++) {
          all.push(`m${all.length}`)
          tell(ana, say("den", all.at(-1)!))
        }
      }
      const start = yield* web.follow("/api/rooms/den/events")
      talk(1)
      const [first] = yield* start.until(1)
      last = first!.id!
      got.push(first!.data.text)
      for (let round = 0; round < 20; round++) {
        talk(3)
        const following = yield* Effect.forkChild(web.follow("/api/rooms/den/events", { headers: { "last-event-id": last } }), { startImmediately: true })
        talk(3)
        const follower = yield* Fiber.join(following)
        talk(1)
        const events = yield* follower.until(all.length - got.length)
        follower.leave()
        got.push(...events.map(({ data }) => data.text))
        last = events.at(-1)!.id!
      }
      assert.deepStrictEqual(got, all)
    }))

  it.effect("has neither when the log takes its time to keep and to read", () =>
    Effect.gen(function*() {
      const keeping = Latch.makeUnsafe(true)
      const reading = Latch.makeUnsafe(true)
      let readers = 0
      const log = Layer.effect(
        Log,
        Effect.map(Log, (log) =>
          Log.of({
            ...log,
            append: (drafts) => Effect.tap(log.append(drafts), () => keeping.await),
            read: (query) =>
              Effect.tap(log.read(query), () => {
                readers++
                return reading.await
              })
          }))
      ).pipe(Layer.provide(Log.layerMemory({ history: 50 })))
      const web = yield* usual({ log })
      const ana = yield* program(web, "ana", "den")
      const resume = web.follow("/api/rooms/den/events", { headers: { "last-event-id": "1" } })
      keeping.closeUnsafe()
      tell(ana, say("den", "kept, and not shown yet"))
      yield* settled
      const early = yield* resume
      assert.lengthOf(yield* early.until(1), 1)
      keeping.openUnsafe()
      yield* fence(ana)
      tell(ana, say("den", "next"))
      assert.deepStrictEqual((yield* early.until(2)).map(({ data }) => data.text), ["kept, and not shown yet", "next"])
      reading.closeUnsafe()
      const late = yield* Effect.forkChild(resume, { startImmediately: true })
      while (readers < 2) yield* settled
      tell(ana, say("den", "while it reads"))
      yield* fence(ana)
      reading.openUnsafe()
      const told = yield* (yield* Fiber.join(late)).until(3)
      assert.deepStrictEqual(told.map(({ data }) => data.text), ["kept, and not shown yet", "next", "while it reads"])
    }))

  it.effect("tells all that was missed, however much it is", () =>
    Effect.gen(function*() {
      const web = yield* usual({ history: 2000 })
      const ana = yield* program(web, "ana", "den")
      const all = Array.from({ length: 1200 }, (_, i) => `m${i}`)
      for (const text of all) tell(ana, say("den", text))
      yield* fence(ana)
      const follower = yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": "0" } })
      tell(ana, say("den", "and on"))
      assert.deepStrictEqual((yield* follower.until(1201)).map(({ data }) => data.text), [...all, "and on"])
    }))

  it.effect("ends where what was missed cannot be read any further, so that whoever follows comes back for it", () =>
    Effect.gen(function*() {
      const log = Layer.effect(
        Log,
        Effect.map(Log, (log) =>
          Log.of({ ...log, read: (query) => query.after !== undefined && Number(query.after) > 500 ? Effect.fail(new LogError({ message: "the disk is gone" })) : log.read(query) }))
      ).pipe(Layer.provide(Log.layerMemory({ history: 2000 })))
      const web = yield* usual({ log })
      const ana = yield* program(web, "ana", "den")
      const all = Array.from({ length: 1200 }, (_, i) => `m${i}`)
      for (const text of all) tell(ana, say("den", text))
      yield* fence(ana)
      const follower = yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": "0" } })
      tell(ana, say("den", "and on"))
      const told = yield* follower.until(501)
      assert.deepStrictEqual(told.map(({ data }) => data.text), all.slice(0, 500))
      yield* follower.ended
      // To an EventSource 503 would be the end.
      const { status, text } = yield* web.ask("/api/rooms/den/events", { headers: { "last-event-id": String(told.at(-1)!.data.seq) } })
      assert.deepStrictEqual([status, text], [200, "retry: 3000\n\n"])
    }))

  it.effect("says what the log has forgotten", () =>
    Effect.gen(function*() {
      const web = yield* usual({ history: 3 })
      const ana = yield* program(web, "ana", "den")
      for (let i = 0; i < 9; i++) tell(ana, say("den", `m${i}`))
      yield* fence(ana)
      const follower = yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": "1" } })
      const [missed, ...rest] = yield* follower.until(4)
      assert.deepStrictEqual(missed, { event: "missed", data: { _tag: "Missed", room: "den", after: 1 } })
      assert.deepStrictEqual(rest.map(({ data }) => data.text), ["m6", "m7", "m8"])
      // An id from before the server began again, without a log that outlives it, says nothing of what was missed.
      for (const id of ["e0-1", "1000"]) {
        const stranger = yield* web.follow("/api/rooms/den/events", { headers: { "last-event-id": id } })
        const [{ data, event } = assert.fail()] = yield* stranger.until(1)
        assert.deepStrictEqual([event, data], ["missed", { _tag: "Missed", room: "den" }])
        stranger.leave()
      }
      const { json } = yield* web.ask("/api/rooms/den/messages?after=1000&epoch=e0&limit=2")
      assert.deepStrictEqual([(json as { readonly complete: boolean }).complete, (json as { readonly messages: ReadonlyArray<Told> }).messages.map(({ text }) => text)], [false, ["m7", "m8"]])
      assert.strictEqual((yield* web.ask("/api/rooms/den/events", { headers: { "last-event-id": "x" } })).status, 400)
    }))

  it.effect("row 49: whoever reads nothing is let go, and nobody waits for them", () =>
    Effect.gen(function*() {
      const web = yield* usual({ history: 10, patience: 300 })
      const ana = yield* program(web, "ana", "den")
      const stuck = yield* Effect.acquireRelease(
        Effect.sync(() => Net.connect(web.port, "127.0.0.1", () => stuck.write("GET /api/rooms/den/events HTTP/1.1\r\nhost: localhost\r\n\r\n")).on("error", () => {}).pause()),
        (socket) => Effect.sync(() => socket.destroy())
      )
      while ((yield* web.connections) < 1) yield* settled
      const text = "x".repeat(4096)
      let said = 0
      while ((yield* web.connections) > 0) {
        for (let i = 0; i < 200; i++) tell(ana, say("den", text))
        said += 200
        yield* fence(ana)
        assert.isBelow(said, 100_000, "what nobody takes is not kept")
      }
      yield* fence(ana)
      assert.lengthOf(heard(ana, "Said"), said)
      assert.strictEqual((yield* web.ask("/healthz")).status, 200)
    }))

  it.effect("sends a sign of life, and lets go of who is gone", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      yield* program(web, "ana", "den")
      const follower = yield* web.follow("/api/rooms/den/events")
      const beat = Effect.callback<string>((resume) => {
        follower.answer.once("data", (chunk: string) => resume(Effect.succeed(chunk)))
      })
      const fiber = yield* Effect.forkChild(beat, { startImmediately: true })
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), ":\n\n")
      // More than may at once: each place is free again once its follower has left.
      for (let round = 0; round <= ApiLive.maxFollowers / 50; round++) {
        const many = yield* Effect.forEach(Array.from({ length: 50 }), () => web.follow("/api/rooms/den/events"), { concurrency: "unbounded" })
        for (const one of many) {
          assert.strictEqual(one.answer.statusCode, 200)
          one.leave()
        }
        yield* Effect.forEach(many, ({ ended }) => ended)
      }
    }), 20_000)
})

describe("webhooks", () => {
  it.effect("take {\"text\"} and whatever else is in it, for the lobby or another room", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den", "lobby")
      const hook = (secret: string, body: object | string, query = "", name = "ci") => web.ask(`/api/hooks/${name}/${secret}${query}`, { body })
      const first = yield* hook(secret, { text: "deployed", username: "bot", channel: "#other", attachments: [{ color: "red" }] })
      assert.deepStrictEqual([first.status, first.text], [200, "ok"])
      assert.strictEqual((yield* hook(secret, { text: "one\r\n\n  two\n" }, "?room=den")).status, 200)
      assert.strictEqual((yield* hook(other, { text: "hashed" }, "", "ops")).status, 200)
      yield* fence(ana)
      assert.deepStrictEqual(heard(ana, "Said").map(({ nick, room, text }) => [room, nick, text]), [
        ["lobby", "ci", "deployed"],
        ["den", "ci", "one"],
        ["den", "ci", "  two"],
        ["lobby", "ops", "hashed"]
      ])
      const status = (request: Effect.Effect<Web.Answer>) => Effect.map(request, ({ status }) => status)
      assert.strictEqual(yield* status(hook(secret, { text: "x" }, "?room=nowhere")), 404)
      assert.strictEqual(yield* status(hook(secret, { text: "x\n".repeat(21) })), 400)
      assert.strictEqual(yield* status(hook(secret, { text: "\n \n" })), 400)
      assert.strictEqual(yield* status(hook(secret, { words: "x" })), 400)
      assert.strictEqual(yield* status(hook("wrong", { text: "x" })), 401)
      assert.strictEqual(yield* status(hook(other, { text: "x" })), 401, "another's token")
      assert.strictEqual(yield* status(web.ask(`/api/hooks/ci/${secret}`)), 404, "nothing to get there")
    }))

  it.effect("have secrets as long as anybody makes them", () =>
    Effect.gen(function*() {
      const long = "l0ng".repeat(100)
      const web = yield* usual({ api: { ...api, tokens: new Map([["ci", long]]) } })
      assert.strictEqual((yield* web.ask(`/api/hooks/ci/${long}`, { body: { text: "hi" } })).status, 200)
    }))
})

describe("tokens", () => {
  it.effect("are needed for whatever changes anything, and each is somebody", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const ana = yield* program(web, "ana", "den")
      const writes: ReadonlyArray<readonly [path: string, body: object]> = [[messages, { text: "hi" }], ["/api/rooms/den/kick", { nick: "ana" }]]
      for (const [path, body] of writes) {
        for (const headers of [{}, { authorization: "Bearer" }, { authorization: "Basic Y2k6eA==" }, { cookie: `token=${secret}` }, { "x-api-key": secret }]) {
          const { headers: told, json, status } = yield* web.ask(path, { body, headers })
          assert.deepStrictEqual([status, json._tag, told["www-authenticate"]], [401, "Unauthorized", "Bearer realm=\"chat\""])
        }
        assert.strictEqual((yield* web.ask(path, { body, token: `${secret}x` })).status, 401)
      }
      yield* fence(ana)
      assert.isEmpty(heard(ana, "Said", "Kicked"))
      assert.strictEqual((yield* web.ask(messages, { body: { text: "hi" }, headers: { authorization: `bearer  ${secret}` } })).status, 201)
      const none = yield* openWeb()
      assert.strictEqual((yield* none.ask("/api/rooms/lobby/messages", { body: { text: "hi" }, token: "" })).status, 401)
      assert.strictEqual((yield* none.ask("/api/rooms/lobby/messages", { body: { text: "hi" }, token: "undefined" })).status, 401)
    }))

  it("are told apart in clear and hashed, the second time as the first", () => {
    const match = Secrets.tokenMatcher(tokens)
    for (let i = 0; i < 2; i++) {
      assert.deepStrictEqual([secret, other, "", "x", tokens.get("ops")!].map(match), ["ci", "ops", undefined, undefined, undefined])
    }
    assert.deepStrictEqual(Secrets.parseTokens(` ci:a:b  ops:${tokens.get("ops")} `), new Map([["ci", "a:b"], ["ops", tokens.get("ops")!]]))
    for (const wrong of ["", "ci", "ci:", ":x", "9a:x", "server:x", "a b:c", "ci:x ops:y ci:z"]) assert.isUndefined(Secrets.parseTokens(wrong), wrong)
    const { is, word } = Secrets.pass()
    assert.deepStrictEqual([word, `${word}x`, "", Secrets.pass().word].map(is), [true, false, false, false])
  })

  it.effect("row 42: whoever tries out tokens is answered ever later, and others are not", () =>
    Effect.gen(function*() {
      const tried = yield* Effect.provide(Tokens.Tokens, Tokens.Tokens.layer(tokens), { local: true })
      const guess = (token = "wrong", address = "203.0.113.7") => Effect.map(Effect.flip(tried.nameOf(token, address)), ({ _tag }) => _tag)
      for (let i = 0; i < guesses.burst; i++) assert.strictEqual(yield* guess(), "Unauthorized")
      const waiting = yield* Effect.forEach(Array.from({ length: Tokens.maxWaiting }), () => Effect.forkChild(guess(), { startImmediately: true }))
      assert.strictEqual(yield* guess(), "TooMany")
      assert.strictEqual(yield* guess(secret), "TooMany", "not even a right one tells that it is")
      assert.strictEqual(yield* tried.nameOf(secret, "203.0.113.8"), "ci", "from elsewhere")
      assert.strictEqual(yield* guess("wrong", "2001:db8::1"), "Unauthorized")
      for (const [i, fiber] of waiting.entries()) {
        assert.isUndefined(fiber.pollUnsafe(), `${i} waits`)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(fiber), "Unauthorized")
      }
      const right = yield* Effect.forkChild(tried.nameOf(secret, "203.0.113.7"), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(right), "ci", "a right one waits for its turn")
      yield* TestClock.adjust("20 seconds")
      for (let i = 0; i < 100; i++) assert.strictEqual(yield* tried.nameOf(secret, "203.0.113.7"), "ci", "right ones are not slowed")
      for (let i = 0; i < guesses.burst + Tokens.maxWaiting; i++) yield* Effect.forkChild(guess("wrong", `2001:db8::${i}`), { startImmediately: true })
      assert.strictEqual(yield* guess("wrong", "2001:db8:0:0:ffff::1"), "TooMany", "a network of IPv6 is one address")
      assert.strictEqual(yield* guess("wrong", "2001:db8:0:1::1"), "Unauthorized")
    }))

  it.effect("row 42: over HTTP it is 429 with the time to come back", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const wrong = web.ask(messages, post("x", { token: "wrong" }))
      const first = yield* Effect.forEach(Array.from({ length: guesses.burst }), () => wrong)
      assert.isTrue(first.every(({ status }) => status === 401))
      const more = yield* Effect.forEach(Array.from({ length: Tokens.maxWaiting + 1 }), () => Effect.forkChild(wrong))
      const refused = yield* Effect.raceAll(more.map((fiber) => Fiber.join(fiber)))
      assert.deepStrictEqual([refused.status, refused.headers["retry-after"]], [429, "8"])
      const answers = yield* hurried(Effect.forEach(more, (fiber) => Fiber.join(fiber)))
      assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [...Array.from({ length: Tokens.maxWaiting }, () => 401), 429])
    }))

  it.effect("row 43: are in no log line, no error, no span, no answer and no history", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const formatted = Logger.map(Logger.formatLogFmt, (line) => {
        seen.push(line)
      })
      yield* Effect.gen(function*() {
        const web = yield* usual()
        const ana = yield* program(web, "ana", "den")
        const asked = [
          web.ask(messages, post("hi")),
          web.ask(messages, post("hi", { token: `${secret}wrong` })),
          web.ask(messages, post("a\nb")),
          web.ask(messages, post("hi", { token: other, body: "{" })),
          web.ask(`/api/hooks/ci/${secret}`, { body: { text: "hi" } }),
          web.ask(`/api/hooks/ci/${secret}wrong`, { body: { text: "hi" } }),
          web.ask(`/api/hooks/ci/${secret}?room=nowhere`, { body: { text: "hi" } }),
          web.ask(`/api/hooks/ci/${secret}`, { body: "{" }),
          web.ask(`/api/hooks/ci/${secret}/more`, { body: {} }),
          ...["/API/hooks", "/api//hooks", "/api/%68ooks", "/%61pi/ho%6Fks/%"].map((hooks) => web.ask(`${hooks}/ci/${secret}`, { body: { text: "hi" } })),
          web.ask("/api/rooms/den/kick", { body: { nick: "ana", reason: "x" }, token: secret }),
          web.ask(messages),
          web.ask("/metrics")
        ]
        for (const answer of yield* Effect.all(asked)) seen.push(answer.text, JSON.stringify(answer.headers))
        yield* fence(ana)
        seen.push(ana.text())
        for (const room of ["den", "lobby"]) seen.push(JSON.stringify(yield* web.hub.read({ room, after: 0, before: undefined, limit: 1000, messages: false })))
      }).pipe(
        Effect.scoped,
        Effect.provide(Logger.layer([formatted, Logger.map(Logger.formatStructured, (line) => seen.push(JSON.stringify(line)))])),
        Effect.provideService(Tracer.Tracer, tracer)
      )
      assert.isTrue(spans.some(({ attributes }) => [...attributes.values()].includes(messages)), "requests are traced")
      for (const { attributes, events, name } of spans) seen.push(name, JSON.stringify([[...attributes], events], (_, value) => typeof value === "bigint" ? String(value) : value))
      assert.isTrue(seen.some((line) => line.includes("a wrong token was refused")), "that somebody tried is told")
      for (const line of seen) for (const word of [secret, other, master.password]) assert.notInclude(line, word)
    }))
})

describe("pages of other sites", () => {
  it.effect("row 15: ask for nothing without a token, whatever they send", () =>
    Effect.gen(function*() {
      const web = yield* usual({ publicHosts: ["chat.example"] })
      const ana = yield* program(web, "ana", "den")
      const foreign = ["https://evil.example", "null", "file://", `http://127.0.0.1.evil.example:${web.port}`, "http://127.0.0.1:1", `http://evil.example@127.0.0.1:${web.port}`]
      const form = "application/x-www-form-urlencoded"
      for (const origin of foreign) {
        for (const path of ["/api/rooms", messages, "/api/rooms/den/events", "/api/rooms/den/members"]) {
          assert.strictEqual((yield* web.ask(path, { headers: { origin } })).status, 403, `${origin} reads ${path}`)
        }
        for (const type of ["application/json", "text/plain", form, "multipart/form-data; boundary=x"]) {
          const { status } = yield* web.ask(messages, { body: "{\"text\":\"hi\"}", headers: { origin, "content-type": type, cookie: `token=${secret}` } })
          assert.strictEqual(status, 403, `${origin} sends ${type}`)
        }
      }
      assert.strictEqual((yield* web.ask(messages, post("hi", { headers: { origin: foreign[0]! }, token: "wrong" }))).status, 401)
      const own = `http://127.0.0.1:${web.port}`
      assert.strictEqual((yield* web.ask("/api/rooms", { headers: { origin: own } })).status, 200)
      assert.strictEqual((yield* web.ask(messages, { body: { text: "hi" }, headers: { origin: own } })).status, 401, "its own page needs a token too")
      for (const type of ["text/plain", form]) {
        const { json, status } = yield* web.ask(messages, post("hi", { headers: { "content-type": type } }))
        assert.deepStrictEqual([status, json], [415, { _tag: "NotJson", reason: "a body is JSON, and its Content-Type is application/json" }])
      }
      assert.isEmpty(heard(ana, "Said"))
      assert.strictEqual((yield* web.ask("/api/rooms", { headers: { origin: foreign[0]! }, token: secret })).status, 200)
      assert.strictEqual((yield* web.ask(messages, post("hi", { headers: { origin: foreign[0]! } }))).status, 201, "with a token they may")
      assert.isUndefined((yield* web.ask("/api/rooms")).headers["access-control-allow-origin"])
      assert.strictEqual((yield* web.ask("/api/rooms", { headers: { host: "evil.example" } })).status, 421)
      // Balancers ask for signs of life as HTTP/1.0 has it; pages cannot.
      const old = (path: string) =>
        Effect.gen(function*() {
          const client = yield* socket(web.port)
          client.net.write(`GET ${path} HTTP/1.0\r\n\r\n`)
          yield* Effect.promise(() => client.ended)
          return Number(/^HTTP\/1\.1 (\d+) /.exec(client.text())?.[1])
        })
      assert.deepStrictEqual([yield* old("/healthz"), yield* old("/readyz?full"), yield* old("/api/rooms"), yield* old("/metrics")], [200, 200, 421, 421])
      assert.strictEqual((yield* web.ask("/healthz", { headers: { host: "evil.example" } })).status, 421)
    }))
})

describe("the document", () => {
  it.effect("is a valid one, and says all there is", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const { headers, json } = yield* web.ask("/api/openapi.json")
      assert.strictEqual(headers["content-type"], "application/json")
      const checked = yield* Effect.promise(() => new Validator().validate(json))
      assert.deepStrictEqual(checked.errors ?? [], [])
      assert.isTrue(checked.valid)
      const operations = Object.entries(json.paths as Record<string, object>).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
      assert.deepStrictEqual(operations.sort(), [
        "GET /api/rooms",
        "GET /api/rooms/{room}/events",
        "GET /api/rooms/{room}/members",
        "GET /api/rooms/{room}/messages",
        "GET /api/rooms/{room}/search",
        "POST /api/hooks/{name}/{secret}",
        "POST /api/rooms/{room}/kick",
        "POST /api/rooms/{room}/messages"
      ])
      assert.deepStrictEqual(json.servers, [{ url: "/" }])
      const schemas = Object.keys(json.components.schemas)
      assert.includeMembers(schemas, ["Said", "Page", "Room", "BadRequest", "Forbidden", "NotFound", "Conflict", "TooLarge", "NotJson", "TooMany", "Unauthorized", "Unavailable"])
      for (const path of ["/api/rooms/{room}/messages", "/api/rooms/{room}/kick", "/api/hooks/{name}/{secret}"]) assert.property(json.paths[path].post.responses, "415", path)
      assert.isEmpty(schemas.filter((name) => /Encoded|\d/.test(name)))
    }))

  it.effect("has a page that brings all it needs", () =>
    Effect.gen(function*() {
      const web = yield* usual()
      const { headers, status, text } = yield* web.ask("/api")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/html; charset=utf-8")
      assert.include(headers["content-security-policy"], "default-src 'none'; style-src 'self'")
      assert.notMatch(text, /<script|<img|<iframe|style=|<style|https?:/i)
      const links = [...text.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, link]) => link!)
      assert.sameMembers([...new Set(links)], ["/api/reference.css", "/api/openapi.json"])
      for (const link of links) assert.strictEqual((yield* web.ask(link)).status, 200, link)
      const ids = new Set([...text.matchAll(/id="([^"]+)"/g)].map(([, id]) => id))
      for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) assert.include([...ids], id)
      for (const words of ["How many at most", "everything after it is sent first", "The token"]) assert.include(text, words)
      for (const path of ["/api/rooms/{room}/events", "/api/hooks/{name}/{secret}"]) assert.include(text, path)
    }))
})

describe("in an app", () => {
  it.live("the routes are mounted beside its own, under a prefix, and go with it", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "lobby")
      const routes = Layer.mergeAll(
        HttpRouter.add("GET", "/", HttpServerResponse.text("the app's own")),
        Http.layer({ prefix: "/chat", tokens })
      ).pipe(Layer.provide([Layer.succeed(Hub, house.hub), Layer.succeed(ChatServer, house.server)]))
      const app = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provide(Http.untraced),
        Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 0 }))
      )
      for (let round = 0; round < 3; round++) {
        const scope = yield* Scope.make()
        const { address } = Context.get(yield* Layer.buildWithScope(app, scope), HttpServer.HttpServer)
        const port = "port" in address ? address.port : assert.fail()
        const ask = (path: string, request?: Web.Request) => Web.ask(port, path, request)
        assert.strictEqual((yield* ask("/")).text, "the app's own")
        assert.strictEqual((yield* ask("/chat/readyz")).text, "ready\n")
        assert.strictEqual((yield* ask("/chat/healthz")).text, "ok\n")
        assert.strictEqual((yield* ask("/api/rooms")).status, 404)
        const nothing = yield* ask("/chat/api/nothing")
        assert.deepStrictEqual([nothing.status, nothing.json], [404, { _tag: "NotFound", reason: "there is nothing here; /chat/api lists what there is" }])
        assert.strictEqual((yield* ask("/chat/nothing")).status, 404)
        assert.strictEqual((yield* ask("/nothing")).text, "")
        const said = yield* ask("/chat/api/rooms/lobby/messages", post(`hi ${round}`))
        assert.strictEqual(said.status, 201)
        assert.deepStrictEqual(texts(yield* ask(`/chat/api/rooms/lobby/messages?after=${said.json.seq - 1}`)), [`hi ${round}`])
        assert.strictEqual((yield* ask(`/chat/api/hooks/ci/${secret}`, { body: { text: "hook" } })).status, 200)
        const { json } = yield* ask("/chat/api/openapi.json")
        assert.deepStrictEqual(json.servers, [{ url: "/chat" }])
        const page = (yield* ask("/chat/api")).text
        assert.include(page, "href=\"/chat/api/reference.css\"")
        assert.include(page, "GET /chat/api/rooms")
        assert.strictEqual((yield* ask("/chat/api/reference.css")).status, 200)
        assert.strictEqual((yield* ask("/chat/api/rooms", { headers: { origin: "http://evil.example" } })).status, 403)
        assert.strictEqual((yield* ask("/chat/api/rooms", { headers: { origin: `http://127.0.0.1:${port}` } })).status, 200)
        yield* Scope.close(scope, Exit.void)
        assert.isUndefined(World.holder(yield* house.hub.world, "ci"), "nobody is left")
      }
      yield* fence(ana)
      assert.lengthOf(heard(ana, "Quit"), 3)
      yield* house.close
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))))

  it.effect("no request to a webhook is traced, and none that the app itself does not want traced", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(Http.untraced.pipe(Layer.provide(HttpMiddleware.layerTracerDisabledForUrls(["/own"]))))
      const isUntraced = Context.get(context, HttpMiddleware.TracerDisabledWhen)
      const asked = ["/chat/api/hooks/ci/secret", "/own", "/chat/api/rooms"].map((path) => HttpServerRequest.fromWeb(new Request(`http://127.0.0.1${path}`)))
      assert.deepStrictEqual(asked.map(isUntraced), [true, true, false])
    }).pipe(Effect.scoped))

  it.live("the routes of two chats are each about their own", () =>
    Effect.gen(function*() {
      const names = ["red", "blue"]
      const houses = yield* Effect.forEach(names, () => open())
      const routes = names.map((name, i) => Http.layer({ prefix: `/${name}`, tokens }).pipe(
        Layer.provide([Layer.succeed(Hub, houses[i]!.hub), Layer.succeed(ChatServer, houses[i]!.server)])
      ))
      const app = HttpRouter.serve(Layer.mergeAll(Layer.empty, ...routes), { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 0 }))
      )
      const { address } = Context.get(yield* Layer.build(app), HttpServer.HttpServer)
      const port = "port" in address ? address.port : assert.fail()
      for (const name of names) {
        assert.strictEqual((yield* Web.ask(port, `/${name}/readyz`)).text, "ready\n")
        assert.strictEqual((yield* Web.ask(port, `/${name}/api`)).status, 200)
        assert.strictEqual((yield* Web.ask(port, `/${name}/api/rooms/lobby/messages`, post(`hi ${name}`))).status, 201)
      }
      for (const name of names) assert.deepStrictEqual(texts(yield* Web.ask(port, `/${name}/api/rooms/lobby/messages`)), [`hi ${name}`])
      for (const house of houses) yield* house.close
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([]))))

  it.live("a client that effect makes of the Api talks, follows and resumes", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const app = HttpRouter.serve(Http.layer({ tokens }), { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provide([Layer.succeed(Hub, house.hub), Layer.succeed(ChatServer, house.server)]),
        Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 0 }))
      )
      const { address } = Context.get(yield* Layer.build(app), HttpServer.HttpServer)
      const client = yield* HttpApiClient.make(Http.Api, {
        baseUrl: HttpServer.formatAddress(address),
        transformClient: HttpClient.mapRequest(HttpClientRequest.bearerToken(secret))
      }).pipe(Effect.provide(FetchHttpClient.layer))
      const params = { room: "lobby" }
      const say = (text: string) => client.writing.say({ params, payload: { text } })
      const follow = (position: string, count: number) =>
        Effect.flatMap(client.reading.events({ params, headers: { "last-event-id": position } }), (told) =>
          // What comes of the past is answered, and that is heard as it happens.
          Stream.runCollect(Stream.take(Stream.tap(told, (one) => one._tag === "Said" && one.text === "first" ? say("second") : Effect.void), count)))
      const { seq } = yield* say("first")
      const { epoch } = yield* client.reading.messages({ params, query: {} })
      assert.deepStrictEqual((yield* follow(`${epoch}-${seq - 1}`, 2)).map((one) => one._tag === "Said" ? one.text : one._tag), ["first", "second"])
      assert.strictEqual((yield* follow("other-1", 1))[0]?._tag, "Missed")
      yield* house.close
    }).pipe(Effect.scoped, Effect.timeout("5 seconds"), Effect.provide(Logger.layer([]))))
})
