/** When a turn of the hub begins: what comes together is done together, and nobody who is alone is kept waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Command } from "../src/Command.ts"
import { Hub } from "../src/Hub.ts"
import { Log, LogError } from "../src/Log.ts"

/** More than a pause of the hub, and much less, in nanoseconds. */
const long = 1_000_000n

const hello: Command = { _tag: "Say", target: "#lobby", text: "hello" }

describe("a turn", () => {
  it.effect("is told to everybody, whoever fails when it is", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const rung: Array<string> = []
      const bells = ["first", "second", "third"].map((name) => ({
        ring: () => {
          rung.push(name)
          if (name === "second") throw new Error("a host's mistake")
        }
      }))
      for (const bell of bells) yield* hub.listen(["#lobby"], bell)
      const ana = hub.open({ dialect: "test", address: "ana", bell: { ring: () => {} } })
      yield* hub.submit(ana, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }, hello])
      assert.deepStrictEqual(rung.sort(), ["first", "second", "third"])
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))

  it.effect("is done in the call of who comes after a pause, and else with what comes at the same time", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const [ana, bo] = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: { ring: () => {} } })) as [
        ReturnType<typeof hub.open>,
        ReturnType<typeof hub.open>
      ]
      for (const one of [ana, bo]) yield* hub.submit(one, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }])
      const done: Array<string> = []
      const ask = (who: typeof ana, name: string, then = () => {}) => hub.ask(who, [hello], {
        onDone: () => {
          done.push(name)
          then()
        }
      })
      yield* TestClock.adjust("1 millis")
      ask(ana, "ana")
      assert.deepStrictEqual(done, ["ana"])
      // Time stands still from here on.
      ask(ana, "ana again")
      ask(bo, "bo", () => ask(bo, "bo goes on"))
      assert.deepStrictEqual(done, ["ana"], "who asks at once waits for others")
      yield* hub.submit(ana, [hello])
      assert.deepStrictEqual(done, ["ana", "ana again", "bo"], "and who asks in the middle of a turn for the next")
      yield* hub.submit(ana, [hello])
      assert.deepStrictEqual(done, ["ana", "ana again", "bo", "bo goes on"])
      const { monotonicTimeNanosUnsafe } = yield* Clock.Clock
      yield* TestClock.adjust("1 millis")
      hub.ask(ana, [hello], { onDone: () => void done.push("late") }, monotonicTimeNanosUnsafe() - long)
      assert.notInclude(done, "late", "what takes long to be understood came when its bytes did")
      yield* hub.submit(bo, [hello])
      assert.include(done, "late")
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})

describe("where what is said goes", () => {
  it.effect("is asked again in each world, and of none that was not kept", () =>
    Effect.gen(function*() {
      const kept = yield* Log
      let failing = false
      const log = Log.of({ ...kept, append: (drafts) => failing ? Effect.fail(new LogError({ message: "the disk is full" })) : kept.append(drafts) })
      const hub = yield* Hub.make().pipe(Effect.provideService(Log, log))
      const [ana, bo] = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: { ring: () => {} } })) as [
        ReturnType<typeof hub.open>,
        ReturnType<typeof hub.open>
      ]
      const told = (who: typeof ana) => {
        const words: Array<string> = []
        for (const { part } of who.take()) {
          if (part._tag === "Refused") words.push(part.code ?? part.reason)
          if (part._tag !== "Heard") continue
          for (const { event } of part.batch.entries.slice(part.from, part.to)) if (event._tag === "Said") words.push(`${event.nick}: ${event.text}`)
        }
        return words
      }
      const say = (text: string): Command => ({ _tag: "Say", target: "#den", text })
      yield* hub.submit(ana, [{ _tag: "Arrive", nick: "ana" }, { _tag: "Join", room: "den" }])
      yield* hub.submit(bo, [{ _tag: "Arrive", nick: "bo" }, say("from outside")])
      assert.deepStrictEqual(told(bo), ["not-in-room"])
      failing = true
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, say("nobody keeps it")])
      const notKept = "it could not be kept: the disk is full"
      assert.deepStrictEqual(told(bo), [notKept, "not-in-room"])
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, { _tag: "List" }])
      assert.deepStrictEqual(told(bo), [notKept], "what need not be kept is answered")
      failing = false
      yield* hub.submit(bo, [say("from outside still")])
      assert.deepStrictEqual(told(bo), ["not-in-room"])
      // Who was refused before, and who was heard.
      yield* hub.submit(ana, [say("alone")])
      assert.deepStrictEqual(told(ana), ["ana: alone"])
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, say("one"), { _tag: "SetNick", nick: "bob" }, say("two"), { _tag: "Part", room: "den" }, say("three")])
      assert.deepStrictEqual(told(ana), ["bo: one", "bob: two"])
      yield* hub.submit(ana, [say("four"), { _tag: "SetNick", nick: "anna" }, say("again"), { _tag: "SetModerated", room: "den", moderated: true }])
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, say("five")])
      assert.deepStrictEqual(told(bo), ["bo: one", "bob: two", "not-in-room", "moderated"])
      assert.deepStrictEqual(told(ana), ["ana: four", "anna: again"])
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})
