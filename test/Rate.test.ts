/** How much someone may ask for, and when. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Rate from "../src/Rate.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, int, oneOf } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

/** Rounding may lend this much of a command. */
const grain = 1e-6

const rate = Arbitrary.all({ burst: int(1, 20), perSecond: among(0.1, 1 / 3, 1, 2, 7.5, 1000) })
const asks = (times: Arbitrary.Arbitrary<number>) =>
  Arbitrary.array(Arbitrary.all({ later: times, wanted: int(0, 30) }), { maxLength: 30 })
const forth = oneOf(int(0, 50), int(0, 5_000))
const back = oneOf(forth, int(-10_000, 0))

type Asks = ReadonlyArray<{ readonly later: number; readonly wanted: number }>

/** The bucket after each ask, and how many commands went in all. */
const play = (rate: Rate.Rate, asked: Asks) => {
  let now = 1_000_000
  let bucket = Rate.full(rate, now)
  let spent = 0
  let gone = 0
  return asked.map(({ later, wanted }) => {
    now += later
    gone += Math.max(0, later)
    const before = bucket
    const refilled = Rate.refill(rate, bucket, now)
    const count = affordable(refilled, wanted)
    bucket = Rate.spend(refilled, count)
    spent += count
    return { before, refilled, bucket, count, wanted, now, spent, gone }
  })
}

/** How many of `wanted` may go now. */
const affordable = (bucket: Rate.Bucket, wanted: number): number => {
  let count = 0
  while (count < wanted && Rate.affords(Rate.spend(bucket, count), 1)) count++
  return count
}

describe("a rate", () => {
  it.prop("never holds more than its burst, nor less than nothing", { rate, asked: asks(back) }, ({ asked, rate }) => {
    for (const { bucket, count, refilled, wanted } of play(rate, asked)) {
      assert.isAtMost(refilled.tokens, rate.burst)
      assert.isAtLeast(bucket.tokens, -grain)
      assert.isTrue(Number.isInteger(count) && count >= 0 && count <= wanted)
    }
  }, runs)

  it.prop("lets nobody have more than the burst and what time brings", { rate, asked: asks(back) }, ({ asked, rate }) => {
    for (const { gone, spent } of play(rate, asked)) assert.isAtMost(spent, rate.burst + (gone / 1000) * rate.perSecond + grain)
  }, runs)

  it.prop("gives all that is wanted and there, whole", { rate, asked: asks(forth) }, ({ asked, rate }) => {
    for (const { bucket, count, wanted } of play(rate, asked)) if (count < wanted) assert.isBelow(bucket.tokens, 1)
  }, runs)

  it.prop("lets one go after just the wait it asks for", { rate, asked: asks(forth) }, ({ asked, rate }) => {
    for (const { bucket, now } of play(rate, asked)) {
      const wait = Rate.wait(rate, bucket)
      assert.isTrue(Number.isInteger(wait) && wait >= 0)
      assert.strictEqual(affordable(Rate.refill(rate, bucket, now + wait), 1), 1)
      // Rounding may ask for a millisecond more than there need be.
      if (wait > 2) assert.strictEqual(affordable(Rate.refill(rate, bucket, now + wait - 2), 1), 0)
    }
  }, runs)

  it("is the burst at once and then so many a second", () => {
    const rate = { burst: 10, perSecond: 2 }
    const went = play(rate, [{ later: 0, wanted: 64 }, { later: 0, wanted: 1 }, { later: 499, wanted: 1 }, { later: 1, wanted: 9 },
      { later: 3_000, wanted: 9 }, { later: 3_600_000, wanted: 64 }]).map(({ count }) => count)
    assert.deepStrictEqual(went, [10, 0, 0, 1, 6, 10])
    assert.strictEqual(Rate.wait(rate, Rate.spend(Rate.full(rate, 0), 10)), 500)
  })
})
