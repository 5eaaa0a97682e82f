/**
 * Whoever's fiber waits for one thing, until somebody says that there may be something to do. Knows nothing of who says it or why.
 */
import * as Effect from "effect/Effect"

/** Whatever wakes it, even before anybody sleeps, ends the sleep. At most one fiber sleeps at a time. */
export class Sleeper {
  #resume: ((effect: Effect.Effect<void>) => void) | undefined
  #woken = false
  get sleeps(): boolean {
    return this.#resume !== undefined
  }
  wake(): void {
    const resume = this.#resume
    this.#resume = undefined
    if (resume === undefined) this.#woken = true
    else resume(Effect.void)
  }
  readonly sleep: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.#woken) {
      this.#woken = false
      resume(Effect.void)
    } else this.#resume = resume
  })
}
