/** When a turn of the hub begins: what comes together is done together, and nobody who is alone is kept waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Command } from "../src/Command.ts"
import { Hub } from "../src/Hub.ts"
import { Log } from "../src/Log.ts"

const hello: Command = { _tag: "Say", target: "#lobby", text: "hello" }

describe("a turn", () => {
  // Time stands still, so nobody ever comes after a pause.
  it.effect("is done in the call of who asks again and was the only one to ask before", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const [ana, bo] = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: { ring: () => {} } })) as [
        ReturnType<typeof hub.open>,
        ReturnType<typeof hub.open>
      ]
      for (const one of [ana, bo]) yield* hub.submit(one, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }])
      const done: Array<string> = []
      const ask = (who: typeof ana, name: string) => hub.ask(who, [hello], () => done.push(name))
      const alone = (who: typeof ana) => Effect.andThen(hub.submit(who, [hello]), Effect.yieldNow)
      yield* alone(ana)
      ask(ana, "ana")
      assert.deepStrictEqual(done, ["ana"])
      ask(bo, "bo")
      ask(ana, "ana again")
      assert.deepStrictEqual(done, ["ana"], "another waits for who comes at the same time")
      yield* alone(bo)
      assert.deepStrictEqual(done, ["ana", "bo", "ana again"])
      // All three were one turn, so nobody is alone.
      ask(bo, "bo again")
      assert.lengthOf(done, 3)
      yield* alone(bo)
      assert.lengthOf(done, 4)
      // Who asks in the middle of a turn does not go on before others were heard.
      hub.ask(bo, [hello], () => ask(bo, "bo in between"))
      assert.lengthOf(done, 4)
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})
