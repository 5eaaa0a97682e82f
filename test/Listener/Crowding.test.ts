/** Who comes while others are still coming is handed on with them; nobody is kept, lost, or handed on twice. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { Crowding, most } from "../../src/Listener/Crowding.ts"
import { Arbitraries } from "../../src/testing.ts"

/** Until the event loop has turned once more. */
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** How many come in each turn of the event loop. */
const turns = Arbitrary.array(Arbitraries.among(0, 0, 1, 1, 1, 3), { maxLength: 3 * most })

describe("a crowd that comes", () => {
  it.live.prop("is handed on in order and once, a part for each run of turns in which somebody came", { turns }, ({ turns }) =>
    Effect.gen(function*() {
      const parts: Array<ReadonlyArray<number>> = []
      const crowding = new Crowding<number>((all) => parts.push(all))
      let come = 0
      let open = 0
      const expected: Array<number> = []
      const close = () => {
        if (open > 0) expected.push(open)
        open = 0
      }
      for (const some of [...turns, 0, 0]) {
        if (some === 0) close()
        for (let i = 0; i < some; i++) crowding.add(come++)
        open += some
        if (open >= most) close()
        yield* turn
      }
      assert.deepStrictEqual(parts.flat(), Array.from({ length: come }, (_, i) => i))
      assert.deepStrictEqual(parts.map(({ length }) => length), expected)
    }))

  it("is handed on at once when that is asked for, and not again", async () => {
    const parts: Array<ReadonlyArray<string>> = []
    const crowding = new Crowding<string>((all) => parts.push(all))
    crowding.add("ana")
    crowding.add("ben")
    crowding.flush()
    crowding.flush()
    await Effect.runPromise(Effect.andThen(turn, turn))
    assert.deepStrictEqual(parts, [["ana", "ben"]])
    crowding.add("cyd")
    await Effect.runPromise(Effect.andThen(turn, turn))
    assert.deepStrictEqual(parts, [["ana", "ben"], ["cyd"]])
  })
})
