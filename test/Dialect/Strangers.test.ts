/** HTTP and banners where only one dialect is spoken: a page can have a browser send anything anywhere, and nobody hears of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Any } from "../../src/Dialect.ts"
import { irc } from "../../src/Dialect/Irc.ts"
import { isRequest } from "../../src/Dialect/Strangers.ts"
import { json } from "../../src/Dialect/Json.ts"
import { plain } from "../../src/Dialect/Plain.ts"
import { Arbitraries } from "../../src/testing.ts"
import * as Text from "../../src/Text.ts"
import { open, settled } from "../house.ts"

const head = (target = "/") => `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: text/plain\r\n\r\n`
const body: Record<string, string> = {
  plain: "hello everybody\n",
  json: "{\"_tag\":\"Join\",\"room\":\"lobby\"}\n{\"_tag\":\"Say\",\"target\":\"#lobby\",\"text\":\"hello everybody\"}\n",
  irc: "NICK eve\r\nUSER eve 0 * :eve\r\nJOIN #lobby\r\nPRIVMSG #lobby :hello everybody\r\n"
}

const outputs = (dialect: Any, parts: ReadonlyArray<Uint8Array>) => {
  let { state } = dialect.open({ server: "test", echo: undefined })
  for (const part of parts) {
    const step = dialect.receive(state, part)
    if (step.outputs.length > 0) return step.outputs
    state = step.state
  }
  return dialect.end(state).outputs
}

describe("row 14: a request", () => {
  for (const dialect of [plain, json, irc]) {
    it(`is the end of whoever makes it on ${dialect.name}, before anything else is understood of it`, () => {
      for (const target of ["/", "/ws?room=lobby", `/${"x".repeat(8000)}`]) {
        const bytes = Text.encode(head(target) + body[dialect.name]!)
        for (const size of [1, 7, bytes.length]) {
          const [first] = outputs(dialect, Arbitraries.pieces(bytes, [size]))
          assert.deepInclude(first, { _tag: "Close", reason: "spoke http on a chat port" })
          assert.match(Buffer.from((first as { readonly bytes: Uint8Array }).bytes).toString(), dialect.name === "irc" ? /^ERROR :This is not an HTTP server\r\n$/ : /^HTTP\/1\.1 400 /)
        }
      }
      assert.deepInclude(outputs(dialect, [Text.encode("GET / HTTP/1.0")])[0], { _tag: "Close", reason: "spoke http on a chat port" })
    })

    it.effect(`is heard by nobody on ${dialect.name}`, () =>
      Effect.gen(function*() {
        const house = yield* open({ dialect: dialect.name as "plain" })
        const page = house.connect()
        page.send(head() + body[dialect.name]!)
        yield* settled
        assert.match(page.text(), /HTTP server\r\n$|HTTP\/1\.1 400 Bad Request[^]*object a line\n$/)
        const { entries } = yield* Effect.orDie(house.hub.read({ room: "lobby", after: undefined, before: undefined, limit: 100, messages: true }))
        assert.isEmpty(entries)
      }))
  }

  it("is what it looks like, and only as the first line", () => {
    for (const line of ["GET / HTTP/1.1", "POST /a?b=c HTTP/1.0", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0", "GET http://127.0.0.1/ HTTP/1.1", "GET / HTTP/3"]) assert.isTrue(isRequest(line), line)
    for (const line of ["GET out of here", "GET /", "get / HTTP/1.1", "I like HTTP/1.1", "GET / HTTP/1.1 ", "say GET / HTTP/1.1", " HTTP/1.1", ""]) assert.isFalse(isRequest(line), line)
    assert.deepStrictEqual(outputs(plain, [Text.encode("\nhi\nGET / HTTP/1.1\n")]).map(({ _tag }) => _tag), ["Say", "Say"])
  })
})

describe("row 17: a banner of another protocol", () => {
  const banners = ["SSH-2.0-OpenSSH_9.2p1\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "\u0000\u0000\u0000EISMBr\r\n"]

  it.effect("is the end of whoever sends it on plain, and nobody hears of it", () =>
    Effect.gen(function*() {
      for (const banner of banners) {
        const house = yield* open({ dialect: "plain" })
        const stranger = house.connect()
        stranger.send(Buffer.from(`${banner}and on\n`, "latin1"))
        yield* stranger.closed
        assert.match(stranger.text(), /\nthis port speaks chat: [^\n]*\n$/)
        const { entries } = yield* Effect.orDie(house.hub.read({ room: "lobby", after: undefined, before: undefined, limit: 100, messages: true }))
        assert.isEmpty(entries)
      }
    }))

  it("is what it looks like, and only as the first line", () => {
    for (const line of ["SSH- what is that?", "PROXY is down", "proxy tcp4"]) {
      assert.deepInclude(outputs(plain, [Text.encode(`${line}\n`)])[0], { _tag: "Say", text: line })
    }
    assert.deepStrictEqual(outputs(plain, [Text.encode(`hi\n${banners.join("")}`)]).filter(({ _tag }) => _tag === "Close"), [])
  })
})
