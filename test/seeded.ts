/**
 * Chance that a seed decides: numbers, and the order in which fibers run. The same seed gives the same run.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"

export type Chance = () => number

export const chance = (seed: number): Chance => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

/** Runs whatever is ready in an order that only the seed decides, and interrupts what runs at random places. */
class SeededScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async" as const
  readonly #tasks: Array<() => void> = []
  readonly #next: Chance
  #armed = false
  constructor(seed: number) {
    this.#next = chance(seed)
  }
  readonly #drain = () => {
    while (this.#tasks.length > 0) this.#tasks.splice(Math.floor(this.#next() * this.#tasks.length), 1)[0]!()
    this.#armed = false
  }
  readonly #dispatcher: Scheduler.SchedulerDispatcher = {
    scheduleTask: (task) => {
      this.#tasks.push(task)
      if (this.#armed) return
      this.#armed = true
      setImmediate(this.#drain)
    },
    flush: this.#drain
  }
  shouldYield(): boolean {
    return this.#next() < 0.05
  }
  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#dispatcher
  }
}

/** Run this, in an order that only the seed decides, with its own test clock. */
export const seeded = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>, seed: number): Promise<A> =>
  Effect.runPromise(
    effect.pipe(
      Effect.scoped,
      Effect.provide(TestClock.layer()),
      Random.withSeed(seed),
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.provideService(Scheduler.Scheduler, new SeededScheduler(seed))
    )
  )
