/**
 * Who comes while others are still coming is handed on together with them: what a crowd brings with it is done once, and what it
 * is told is written in one go. Knows nothing of who they are.
 */

/** So many are handed on without waiting for more, so that others are heard between them, and what all are told is not all there at once. */
export const most = 8

/** They are handed on after the first turn of the event loop in which nobody came; in one turn Node accepts but one. */
export class Crowding<A> {
  readonly #handOn: (all: ReadonlyArray<A>) => void
  #come: Array<A> = []

  constructor(handOn: (all: ReadonlyArray<A>) => void) {
    this.#handOn = handOn
  }

  add(one: A): void {
    if (this.#come.push(one) === 1) setImmediate(this.#look, 0)
  }

  /** Hand on those who have come, now. */
  flush(): void {
    const all = this.#come
    this.#come = []
    if (all.length > 0) this.#handOn(all)
  }

  readonly #look = (before: number): void => {
    const { length } = this.#come
    if (length > before && length < most) setImmediate(this.#look, length)
    else this.flush()
  }
}
