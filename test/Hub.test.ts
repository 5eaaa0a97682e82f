/** When a turn of the hub begins: what comes together is done together, and nobody who is alone is kept waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Command } from "../src/Command.ts"
import { Hub } from "../src/Hub.ts"
import { Log } from "../src/Log.ts"

/** More than a pause of the hub, and much less, in nanoseconds. */
const long = 1_000_000n

const hello: Command = { _tag: "Say", target: "#lobby", text: "hello" }

describe("a turn", () => {
  it.effect("is done in the call of who comes after a pause, and else with what comes at the same time", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const [ana, bo] = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: { ring: () => {} } })) as [
        ReturnType<typeof hub.open>,
        ReturnType<typeof hub.open>
      ]
      for (const one of [ana, bo]) yield* hub.submit(one, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }])
      const done: Array<string> = []
      const ask = (who: typeof ana, name: string, then = () => {}) => hub.ask(who, [hello], () => {
        done.push(name)
        then()
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
      hub.ask(ana, [hello], () => done.push("late"), monotonicTimeNanosUnsafe() - long)
      assert.notInclude(done, "late", "what takes long to be understood came when its bytes did")
      yield* hub.submit(bo, [hello])
      assert.include(done, "late")
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})
