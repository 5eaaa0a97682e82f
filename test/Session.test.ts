import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { ChatServer } from "../src/ChatServer.ts"
import type { Dialect } from "../src/Dialect.ts"
import { plain } from "../src/Dialect/Plain.ts"
import type { State } from "../src/Dialect/Plain/State.ts"
import { Hub } from "../src/Hub.ts"
import { Listener } from "../src/Listener.ts"
import { Log } from "../src/Log.ts"
import { Memory } from "../src/testing.ts"
import { open, settled } from "./house.ts"
import { house, jsonClient, objects, plainClient } from "./support.ts"

describe("people on plain", () => {
  it.effect("who all talk at once are heard in one turn, however long it takes to understand them", () =>
    Effect.gen(function*() {
      const testClock = yield* Clock.Clock
      let passed = 0n
      const clock: Clock.Clock = Object.create(testClock, {
        monotonicTimeNanosUnsafe: { value: () => testClock.monotonicTimeNanosUnsafe() + passed }
      })
      const slow: Dialect<State> = {
        ...plain,
        receive: (state, bytes) => {
          passed += 200_000n
          return plain.receive(state, bytes)
        }
      }
      const server = yield* Effect.provideService(house({ dialect: slow }), Clock.Clock, clock)
      const [ana, bo, cy] = [yield* plainClient(server, "ana"), yield* plainClient(server, "bo"), yield* plainClient(server, "cy")]
      yield* settled
      passed += 1_000_000n
      ana.send("one\n")
      assert.include(cy.text(), "ana: one\n", "who is alone is heard at once")
      ana.send("two\n")
      bo.send("three\n")
      assert.notMatch(cy.text(), /two|three/)
      yield* cy.until((text) => text.includes("ana: two\nbo: three\n"))
    }))

  it.effect("hear each other and not themselves", () =>
    Effect.gen(function*() {
      const server = yield* house()
      const ana = yield* plainClient(server, "ana")
      const bo = yield* plainClient(server, "bo")
      ana.send("hello\n")
      yield* bo.until((text) => text.endsWith("ana: hello\n"))
      bo.send("hi\n")
      yield* ana.until((text) => text.endsWith("bo: hi\n"))
      assert.notInclude(ana.text(), "ana: hello")
    }))

  it.effect("who say their nick before the password that is wanted come in under it, whatever pieces that comes in", () =>
    Effect.gen(function*() {
      const server = yield* open({ admits: (password) => password === "sesame" })
      const bo = server.connect()
      bo.send("/pass sesame\n")
      yield* bo.until((text) => text.includes("-!- #lobby: 1 member"))
      for (const [nick, parts] of [["ana", ["/nick ana\n/pass sesame\nhi\n"]], ["cy", ["/nick eve\n/nick cy\n", "/pass sesame\n", "hi\n"]]] as const) {
        const client = server.connect()
        for (const part of parts) {
          client.send(part)
          yield* settled
        }
        yield* bo.until((text) => text.endsWith(`-!- ${nick} joined #lobby\n${nick}: hi\n`))
        assert.include(client.text(), `You are ${nick};`)
      }
    }))

  it.effect("and programs on json hear each other", () =>
    Effect.gen(function*() {
      const server = yield* house({ dialect: "auto" })
      const bot = yield* jsonClient(server, "bot")
      bot.send("{\"_tag\":\"Join\",\"room\":\"lobby\"}\n{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"beep\"}\n")
      yield* bot.until((text) => text.includes("beep"))
      assert.deepInclude(objects(bot).at(-1), { _tag: "Said", room: "lobby", nick: "bot", text: "beep" })
    }))

  it.effect("are greeted, shown what was said, and told who is there, in one go", () =>
    Effect.gen(function*() {
      const server = yield* house()
      const ana = yield* plainClient(server, "ana")
      ana.send("hello\n")
      yield* settled
      const bo = server.connect()
      let first = ""
      yield* bo.until((text) => {
        if (first === "") first = text
        return text.includes("-!- #lobby:")
      })
      for (const part of ["Welcome to", "ana: hello\n", "-!- #lobby:"]) assert.include(first, part)
    }))

  it.effect("are told later of who comes, the more there are", () =>
    Effect.gen(function*() {
      const server = yield* open({ dialect: "plain" })
      const come = Effect.gen(function*() {
        const bell = { ring: () => {} }
        const subscription = yield* Effect.acquireRelease(
          Effect.sync(() => server.hub.open({ dialect: "seat", address: "memory", bell })),
          (subscription) => Effect.sync(() => subscription.end())
        )
        yield* server.hub.submit(subscription, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }])
      })
      yield* Effect.forEach(Array.from({ length: 1500 }), () => come, { discard: true })
      const ana = yield* plainClient(server, "ana")
      yield* server.hub.settle
      yield* settled
      const before = ana.text()
      yield* come
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.strictEqual(ana.text(), before)
      yield* TestClock.adjust("1 second")
      yield* settled
      assert.match(ana.text().slice(before.length), /^-!- guest\d+ joined #lobby\n$/)
    }))

  it.effect("find what was said by its words", () =>
    Effect.gen(function*() {
      const server = yield* house({ dialect: "auto" })
      const bot = yield* jsonClient(server, "bot")
      bot.send("{\"_tag\":\"Join\",\"room\":\"lobby\"}\n{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"Beep, said the bot\"}\n")
      yield* bot.until((text) => text.includes("Beep"))
      const ana = server.connect()
      ana.send("/nick ana\nbeep beep\n/search BOT beep\n/search nobody\n")
      yield* ana.until((text) => text.endsWith("-!- nothing with these words in it is known in #lobby: nobody\n"))
      assert.include(ana.text(), "-!- 1 message in #lobby with these words (UTC): BOT beep\n1970-01-01 00:00 bot: Beep, said the bot\n")
      bot.send("{\"_tag\":\"Search\",\"room\":\"lobby\",\"words\":\"beep\",\"limit\":1}\n")
      yield* bot.until((text) => text.includes("\"words\":"))
      const { complete, entries, words } = objects(bot).at(-1) as unknown as { readonly complete: boolean; readonly words: string; readonly entries: ReadonlyArray<{ readonly text: string }> }
      assert.deepStrictEqual([words, complete, entries.map(({ text }) => text)], ["beep", false, ["beep beep"]])
    }))

  it.effect("row 3: NUL is never passed on, and other controls reach a terminal only as signs", () =>
    Effect.gen(function*() {
      const server = yield* house({ dialect: "auto" })
      const bo = server.connect()
      bo.send("/nick bo\n")
      yield* bo.until((text) => text.includes("-!- you are now bo\n"))
      const bot = yield* jsonClient(server, "bot")
      bot.send(String.raw`{"_tag":"Join","room":"lobby"}` + "\n")
      bot.send(String.raw`{"_tag":"Say","target":"lobby","text":"a\u0000b"}` + "\n")
      yield* bot.until((text) => text.includes("a message is one line of text"))
      bot.send(String.raw`{"_tag":"Say","target":"lobby","text":"\u0002bold\u000f \u0007 \u001b[2J"}` + "\n")
      yield* bo.until((text) => text.endsWith("bot: ␂bold␏ ␇ ␛[2J\n"))
      bo.send("x\u0000y\n")
      yield* bot.until((text) => text.includes(String.raw`"text":"xy"`))
      assert.notInclude(bo.text(), "a\u0000b")
    }))
})

describe("a dialect that breaks", () => {
  /** Plain, but for a word that it cannot bear to hear and one that it cannot say. */
  const brittle: Dialect<State> = {
    ...plain,
    receive: (state, bytes) => {
      if (Buffer.from(bytes).includes("unhearable")) throw new Error("broken on hearing")
      return plain.receive(state, bytes)
    },
    rendering: (state, room) => {
      const rendering = plain.rendering(state, room)
      return rendering && {
        render: (entries, key) => {
          if (entries.some(({ event }) => event._tag === "Said" && event.text === "unspeakable")) throw new Error("broken on telling")
          return rendering.render(entries, key)
        }
      }
    }
  }

  it.effect("is the end of the session it breaks in, and of no other's", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: brittle })
      const [ana, bo, cy] = [house.connect(), house.connect(), house.connect()]
      for (const [client, nick] of [[ana, "ana"], [bo, "bo"], [cy, "cy"]] as const) {
        client.send(`/nick ${nick}\n`)
        yield* client.until((text) => text.includes(`you are now ${nick}\n`))
      }
      yield* settled
      ana.send("unhearable\n")
      yield* ana.closed
      bo.send("still here\n")
      yield* cy.until((text) => text.includes("bo: still here\n"))
      bo.send("unspeakable\n")
      yield* cy.closed
      const dan = house.connect()
      dan.send("/nick dan\n")
      yield* bo.until((text) => text.includes("is now dan\n"))
      bo.send("and on\n")
      yield* dan.until((text) => text.includes("bo: and on\n"))
    }))
})

describe("a listener that breaks", () => {
  it.effect("is told of in the log, and the server says that nobody is taken in; who is here stays", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Error") logged.push(...message as ReadonlyArray<unknown>)
      })
      const { connect, listener } = yield* Memory.makeListener
      const broken = { ...listener, connections: Stream.concat(Stream.take(listener.connections, 2), Stream.die(new Error("a host's mistake"))) }
      const context = yield* Layer.build(ChatServer.layer({ dialect: "plain", grace: 0 }).pipe(
        Layer.provide(Hub.layer()),
        Layer.provide(Log.layerMemory({ history: 10 })),
        Layer.provide(Layer.succeed(Listener, broken))
      )).pipe(Effect.provide(Logger.layer([logger])))
      const server = Context.get(context, ChatServer)
      assert.isTrue(yield* server.ready)
      const clients = { connect }
      const [ana, bo] = [yield* plainClient(clients, "ana"), yield* plainClient(clients, "bo")]
      yield* settled
      assert.deepStrictEqual(logged, ["no connection is taken in any more, for the listener failed"])
      assert.isFalse(yield* server.ready)
      ana.send("hello\n")
      yield* bo.until((text) => text.includes("ana: hello"))
    }).pipe(Effect.scoped))
})
