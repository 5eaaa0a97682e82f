/**
 * The one thing a session's fiber waits for. Knows nothing of who rings it or why.
 */
import * as Effect from "effect/Effect"

/** Whatever rings it, even before anybody waits, ends the wait. At most one fiber waits at a time. */
export class Bell {
  #resume: ((effect: Effect.Effect<void>) => void) | undefined
  #rung = false
  get awaited(): boolean {
    return this.#resume !== undefined
  }
  readonly ring = (): void => {
    const resume = this.#resume
    this.#resume = undefined
    if (resume === undefined) this.#rung = true
    else resume(Effect.void)
  }
  readonly wait: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.#rung) {
      this.#rung = false
      resume(Effect.void)
    } else this.#resume = resume
  })
}
