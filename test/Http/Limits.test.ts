/**
 * What HTTP and WebSockets are held to: requests that come slowly, addresses that come often, clients that never read. The rows
 * are those of docs/survive.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as Http from "node:http"
import type * as Net from "node:net"
import { Alarms } from "../../src/Alarms.ts"
import { json } from "../../src/Dialect/Json.ts"
import { limits } from "../../src/Http/Door.ts"
import * as Web from "../../src/Listener/Web.ts"
import { patience, run } from "../../src/Session.ts"
import { frame, upgraded } from "../frames.ts"
import { ask as tell, fence, heard, open, program, say } from "../house.ts"
import { eventually, socket } from "../support.ts"
import { openWeb } from "./web.ts"

const words = (body: string): string =>
  `POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer s3cret\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`

describe("a request", () => {
  it("row 20: has ten seconds for its headers and thirty in all, and 16 KiB of headers", () => {
    const { connectionsCheckingInterval, headersTimeout, maxHeaderSize, requestTimeout } = limits()
    assert.deepStrictEqual([connectionsCheckingInterval, headersTimeout, requestTimeout, maxHeaderSize], [1000, 10_000, 30_000, 16_384])
  })

  it.live("row 20: whose body comes slowly is told and cut off, and what came of it is heard by nobody", () =>
    Effect.gen(function*() {
      const web = yield* openWeb({ api: { tokens: new Map([["ci", "s3cret"]]) }, wholeWithin: 1500 })
      const ana = yield* program(web, "ana", "lobby")
      const body = JSON.stringify({ text: "slowly" })
      const quick = yield* socket(web.port)
      quick.net.write(words(body) + body)
      yield* Effect.promise(() => quick.until((text) => text.startsWith("HTTP/1.1 201 ")))
      const slow = yield* socket(web.port)
      const begun = performance.now()
      slow.net.write(words(body))
      let sent = 0
      const drip = setInterval(() => sent < body.length - 1 && slow.net.write(body[sent++]!), 100)
      yield* Effect.ensuring(Effect.promise(() => slow.ended), Effect.sync(() => clearInterval(drip)))
      assert.isAtLeast(performance.now() - begun, 1400)
      assert.match(slow.text(), /^HTTP\/1\.1 408 /)
      assert.isAtLeast(sent, 5)
      yield* fence(ana)
      assert.lengthOf(heard(ana, "Said"), 1)
    }))
})

describe("rows 13 and 22: an address", () => {
  it.effect("has so many connections at once, and one more when one is closed; others are not held to that", () =>
    Effect.gen(function*() {
      let from = "198.51.100.7"
      const web = yield* openWeb({ from: () => from, publicHosts: ["chat.example"] })
      const come = Effect.gen(function*() {
        const client = yield* socket(web.port)
        client.net.write("GET /healthz HTTP/1.1\r\nHost: chat.example\r\n\r\n")
        yield* Effect.promise(() => client.until((text) => /^HTTP\/1\.1 \d+ [^]*\r\n\r\n/.test(text)))
        return client
      })
      const clients = []
      for (let i = 0; i < 32; i++) clients.push(yield* come)
      assert.isTrue(clients.every((client) => client.text().startsWith("HTTP/1.1 200 ")))
      const refused = yield* come
      assert.match(refused.text(), /^HTTP\/1\.1 429 [^]*there are 32 connections from your address, the most there may be; close one first\n$/)
      yield* Effect.promise(() => refused.ended)
      // The same machine as IPv6 writes it, and one of another network.
      for (const [address, status] of [["::ffff:198.51.100.7", "429"], ["198.51.100.8", "200"], ["2001:db8::1", "200"]] as const) {
        from = address
        assert.include((yield* come).text(), `HTTP/1.1 ${status} `, address)
      }
      from = "198.51.100.7"
      clients[0]!.net.destroy()
      yield* eventually("its place is free", () => Effect.runPromise(Effect.scoped(Effect.map(come, (client) => client.text().startsWith("HTTP/1.1 200 ")))))
      from = "127.0.0.1"
      for (let i = 0; i < 40; i++) assert.include((yield* come).text(), "HTTP/1.1 200 ")
    }))
})

describe("row 30: a WebSocket", () => {
  it.effect("whose client never reads holds little, costs others nothing, and is closed with a reason", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 40 })
      const server = Http.createServer()
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => void server.close())
      )
      let stuck: Web.WebConnection | undefined
      const take = Web.upgrading(() => 0)
      server.on("upgrade", (request, socket, head) => take(request, socket, head, (connection) => {
        stuck = connection
      }))
      const client = yield* upgraded((server.address() as Net.AddressInfo).port)
      yield* eventually("it came", () => stuck !== undefined)
      const connection = stuck!
      yield* Effect.addFinalizer(() => Effect.sync(() => connection.destroy()))
      const options = { hello: { server: "x", echo: undefined }, rate: undefined, seated: new Set<never>(), closing: () => undefined, traced: false, logged: false, alarms: yield* Alarms.make, context: Context.empty() }
      const session = yield* Effect.forkChild(run(house.hub, connection, json, options, () => Effect.void))
      yield* client.write(frame(1, "{\"_tag\":\"SetNick\",\"nick\":\"stuck\"}"), frame(1, "{\"_tag\":\"Join\",\"room\":\"den\"}"))
      yield* client.until(() => client.texts().join().includes("RoomInfo"))
      client.socket.net.pause()
      const ana = yield* program(house, "ana", "den")
      const long = "x".repeat(4000)
      let most = 0
      let told = 0
      // The kernel takes some megabytes before it takes no more.
      for (let still = 0, before = -1; still < 50;) {
        tell(ana, ...Array.from({ length: 10 }, () => say("den", long)))
        told += 10
        yield* fence(ana)
        yield* Effect.promise(() => new Promise(setImmediate))
        most = Math.max(most, connection.unsent())
        still = connection.progress() === before ? still + 1 : 0
        before = connection.progress()
        assert.isBelow(told, 50_000)
      }
      assert.isAtLeast(most, 65_536)
      assert.isAtMost(most, 262_144)
      assert.lengthOf(heard(ana, "Said"), told, "others hear all of it")
      yield* TestClock.adjust(patience + 1000)
      yield* ana.until((text) => text.includes("\"nick\":\"stuck\",\"rooms\":[\"den\"],\"reason\":\"does not read\""))
      yield* TestClock.adjust("30 seconds")
      const { pollUnsafe } = session
      yield* eventually("the session is over", () => pollUnsafe.call(session) !== undefined)
      client.socket.net.resume()
      yield* client.until(() => client.texts().join().includes("\"_tag\":\"Closing\""))
      assert.strictEqual(yield* client.closed, 1001)
    }), 30_000)
})
