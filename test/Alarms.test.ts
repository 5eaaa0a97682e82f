/** One timer for many: each is rung at its time, once, and what is taken back never. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/testing/TestClock"
import { type Alarm, Alarms } from "../src/Alarms.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, int } = Arbitraries

const steps = Arbitrary.array(Arbitrary.all({ what: among("set", "set", "set", "take back", "pass"), number: int(0, 60) }), { maxLength: 80 })

const now = Effect.clockWith((clock) => Effect.sync(() => Number(clock.monotonicTimeNanosUnsafe()) / 1e6))

describe("alarms", () => {
  it.effect.prop("ring each at its time, earliest first, and nobody whose alarm was taken back", { steps }, ({ steps }) =>
    Effect.gen(function*() {
      const alarms = yield* Alarms.make
      const rung: Array<number> = []
      const open = new Map<number, { readonly alarm: Alarm; readonly at: number }>()
      const due: Array<{ readonly name: number; readonly at: number }> = []
      let time = yield* now
      for (const [name, { number, what }] of steps.entries()) {
        if (what === "set") {
          const at = time + 1 + number
          open.set(name, { at, alarm: alarms.set(at, { onTime: () => void rung.push(name) }) })
        } else if (what === "take back") {
          const [other] = [...open.keys()].slice(number % Math.max(1, open.size))
          if (other === undefined) continue
          alarms.takeBack(open.get(other)!.alarm)
          open.delete(other)
        } else {
          yield* TestClock.adjust(number)
          time = yield* now
          const passed = [...open].filter(([, { at }]) => at <= time).map(([name, { at }]) => ({ name, at })).sort((a, b) => a.at - b.at)
          for (const { name } of passed) open.delete(name)
          due.push(...passed)
          const at = new Map(due.map(({ at, name }) => [name, at]))
          assert.deepStrictEqual(rung.map((name) => at.get(name)), due.map(({ at }) => at))
          assert.deepStrictEqual([...rung].sort(), due.map(({ name }) => name).sort())
        }
      }
    }), { arbitrary: { runs: 200 } })

  it.effect("ring who is late already, never before that was asked for, and the others after them", () =>
    Effect.gen(function*() {
      const alarms = yield* Alarms.make
      const start = yield* now
      const rung: Array<string> = []
      for (const late of [0, 5]) {
        alarms.set(start - late, { onTime: () => void rung.push(`late by ${late}`) })
        assert.notInclude(rung, `late by ${late}`)
        yield* TestClock.adjust(0)
        yield* Effect.yieldNow
      }
      alarms.set(start + 10, { onTime: () => void rung.push("in time") })
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(rung, ["late by 0", "late by 5", "in time"])
    }))

  it.effect("ring whoever asks again while others are rung, and nobody when they are closed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const alarms = yield* Scope.provide(Alarms.make, scope)
      const start = yield* now
      const rung: Array<number> = []
      const again = { onTime: () => {
        rung.push(rung.length)
        alarms.set(start + 10 * (rung.length + 1), again)
      } }
      alarms.set(start + 10, again)
      yield* TestClock.adjust(30)
      assert.strictEqual(rung.length, 3)
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust(1000)
      alarms.set(start + 2000, again)
      yield* TestClock.adjust(5000)
      assert.strictEqual(rung.length, 3)
    }))
})
