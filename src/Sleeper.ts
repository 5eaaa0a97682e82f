/**
 * Lets at most one fiber sleep until it is woken; a wake before the sleep is remembered. Knows nothing of who wakes it or why.
 */
import * as Effect from "effect/Effect"

/** One sleep at a time. */
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
