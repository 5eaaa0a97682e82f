import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { asked, Log, maxRemembered, type Query } from "../src/Log.ts"
import { Contracts } from "../src/testing.ts"
import type { Recall } from "../src/World.ts"

const remembering = (history: number) => Effect.scoped(Effect.provide(Log, Log.layerMemory({ history })))

describe("the log in memory keeps the contract of logs", () => {
  for (const one of Contracts.logContract(remembering(100))) it.effect(one.name, () => one.run)
})

describe("the log in memory", () => {
  it.effect("says when it has forgotten some of what is asked for", () =>
    Effect.gen(function*() {
      const log = yield* remembering(3)
      const [first] = yield* log.append(Array.from({ length: 5 }, (_, i) => ({
        at: i, id: `m${i}`, by: "s1", event: { _tag: "Said", room: "den", nick: "ana", text: `${i}`, kind: "message" } as const, to: "den"
      })))
      const cases: ReadonlyArray<readonly [Partial<Query>, ids: string, complete: boolean]> = [
        [{}, "m2m3m4", false],
        [{ limit: 3 }, "m2m3m4", true],
        [{ earliest: true, limit: 3 }, "m2m3m4", false],
        [{ after: first!.seq }, "m2m3m4", false],
        [{ after: first!.seq + 1 }, "m2m3m4", true],
        [{ after: first!.seq + 1, earliest: true, limit: 2 }, "m2m3", false],
        [{ after: { id: "m2" } }, "m3m4", true],
        [{ after: { id: "m0" } }, "", false],
        [{ after: { at: 0 } }, "m2m3m4", false]
      ]
      for (const [query, ids, complete] of cases) {
        for (const messages of [true, false]) {
          const page = yield* log.read({ room: "den", after: undefined, before: undefined, limit: 100, messages, ...query })
          assert.deepStrictEqual([page.entries.map(({ id }) => id).join(""), page.complete], [ids, complete], JSON.stringify({ messages, ...query }))
        }
      }
    }))

  it.effect("forgets the rooms in which nothing happened for longest, and says so to who asks for them", () =>
    Effect.gen(function*() {
      const log = yield* remembering(3)
      const say = (room: string) =>
        log.append([{ at: 0, id: room, by: "s1", event: { _tag: "Said", room, nick: "ana", text: "hi", kind: "message" }, to: room }])
      const read = (room: string, after?: number) =>
        Effect.map(log.read({ room, after, before: undefined, limit: 100, messages: true }), ({ complete, entries }) => [entries.length, complete])
      for (let i = 0; i < maxRemembered; i++) yield* say(`r${i}`)
      assert.deepStrictEqual(yield* read("none"), [0, true])
      yield* say("r0")
      yield* say("new")
      yield* say("newer")
      assert.deepStrictEqual(yield* Effect.forEach(["r0", "r1", "r2", "r3", "new", "none"], (room) => read(room)), [
        [2, true], [0, false], [0, false], [1, true], [1, true], [0, false]
      ])
      assert.deepStrictEqual(yield* read("r1", maxRemembered + 3), [0, true])
      // It may have been there before.
      yield* say("r1")
      assert.deepStrictEqual(yield* read("r1"), [1, false])
    }))

  it("is asked for what was before the place at which somebody asked", () => {
    const recall: Recall = { _tag: "Recall", room: "den", after: 3, before: { id: "m9" }, limit: 7, why: "asked" }
    assert.deepStrictEqual(asked(recall, 12.5), { room: "den", after: 3, before: { id: "m9" }, limit: 7, messages: true, until: 12 })
    assert.deepStrictEqual(asked({ ...recall, why: "resumed", earliest: true, around: { at: 5 } }, 12), {
      room: "den", after: 3, before: { id: "m9" }, limit: 7, messages: false, until: 12, earliest: true, around: { at: 5 }
    })
  })
})
