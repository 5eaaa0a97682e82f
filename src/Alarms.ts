/**
 * One timer for many who wait until some time: each is rung when it has come. A fiber for each would be most of what an idle
 * session keeps. Knows nothing of who waits or why.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** Who is rung; synchronously, so it must not block or throw. */
export interface Waits {
  readonly onTime: () => void
}

/** When somebody is to be rung: `at` in milliseconds by the clock that never steps back. */
export interface Alarm {
  readonly at: number
  readonly who: Waits
  /** Its place among all; -1 when it has rung or was taken back. */
  place: number
}

/** Milliseconds by a clock that never steps back. */
const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

export class Alarms {
  readonly #clock: Clock.Clock
  readonly #fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** A heap: each is no earlier than the one at half of its place. */
  readonly #all: Array<Alarm> = []
  #closed = false
  #sleeping: { readonly until: number; readonly fiber: Fiber.Fiber<void> } | undefined

  /** What `fork` begins is one fiber at a time, which ends when nobody waits any more. */
  private constructor(clock: Clock.Clock, fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>) {
    this.#clock = clock
    this.#fork = fork
  }

  /** Alarms until the scope closes; whoever waits then is not rung any more. */
  static readonly make: Effect.Effect<Alarms, never, Scope.Scope> = Effect.gen(function*() {
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const clock = yield* Effect.clockWith(Effect.succeed)
    return yield* Effect.acquireRelease(Effect.sync(() => new Alarms(clock, fork)), (alarms) => Effect.sync(() => alarms.#close()))
  })

  #close(): void {
    this.#wake()
    this.#closed = true
  }

  /** Have somebody rung at this time, or at once when it has passed; never before this returns. */
  set(at: number, who: Waits): Alarm {
    const alarm: Alarm = { at, who, place: this.#all.length }
    this.#all.push(alarm)
    this.#rise(alarm)
    this.#sleep()
    return alarm
  }

  /** Ring nobody for it any more. */
  takeBack(alarm: Alarm): void {
    const { place } = alarm
    if (place === -1) return
    alarm.place = -1
    const last = this.#all.pop()!
    if (last !== alarm) {
      this.#put(last, place)
      this.#rise(last)
      this.#sink(last)
    }
    if (this.#all.length === 0) this.#wake()
  }

  #put(alarm: Alarm, place: number): void {
    this.#all[place] = alarm
    alarm.place = place
  }

  #rise(alarm: Alarm): void {
    while (alarm.place > 0) {
      const { place } = alarm
      const above = this.#all[(place - 1) >> 1]!
      if (above.at <= alarm.at) return
      this.#put(alarm, above.place)
      this.#put(above, place)
    }
  }

  #sink(alarm: Alarm): void {
    for (;;) {
      const { place } = alarm
      const [one, other] = [this.#all[2 * place + 1], this.#all[2 * place + 2]]
      const below = other !== undefined && other.at < one!.at ? other : one
      if (below === undefined || below.at >= alarm.at) return
      this.#put(alarm, below.place)
      this.#put(below, place)
    }
  }

  /** Sleep until the first, unless that is done already; who wakes too early sleeps again. */
  #sleep(): void {
    const [first] = this.#all
    if (this.#closed || first === undefined || (this.#sleeping !== undefined && this.#sleeping.until <= first.at)) return
    this.#wake()
    const until = first.at
    const left = until - now(this.#clock)
    // Not even a moment of a clock that stands still, which would be over in the call that begins it.
    const sleep = left > 0 ? Effect.sleep(left) : Effect.yieldNow
    this.#sleeping = { until, fiber: this.#fork(Effect.andThen(sleep, Effect.sync(() => this.#ring()))) }
  }

  #wake(): void {
    const sleeping = this.#sleeping
    this.#sleeping = undefined
    sleeping?.fiber.interruptUnsafe()
  }

  #ring(): void {
    this.#sleeping = undefined
    const time = now(this.#clock)
    for (let first = this.#all[0]; first !== undefined && first.at <= time; first = this.#all[0]) {
      this.takeBack(first)
      first.who.onTime()
    }
    this.#sleep()
  }
}
