import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { asked, Log, type Query } from "../src/Log.ts"
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

  it("is asked for what was before the place at which somebody asked", () => {
    const recall: Recall = { _tag: "Recall", room: "den", after: 3, before: { id: "m9" }, limit: 7, why: "asked" }
    assert.deepStrictEqual(asked(recall, 12.5), { room: "den", after: 3, before: { id: "m9" }, limit: 7, messages: true, until: 12 })
    assert.deepStrictEqual(asked({ ...recall, why: "resumed", earliest: true, around: { at: 5 } }, 12), {
      room: "den", after: 3, before: { id: "m9" }, limit: 7, messages: false, until: 12, earliest: true, around: { at: 5 }
    })
  })
})
