/**
 * How often wrong passwords may be given from one network, by however many connections, so that nobody finds one by trying. Knows no
 * passwords.
 */
import { network } from "./Address.ts"
import * as Rate from "./Rate.ts"

/** What becomes of a password: it is not even looked at when too many were wrong. */
export type Verdict = "right" | "wrong" | "later"

/** So many wrong ones at once, then one a second. */
export const guesses: Rate.Rate = { burst: 10, perSecond: 1 }

/** How many networks are remembered before those are forgotten that may guess as often as any. */
const maxRemembered = 4096

export class Guesses {
  readonly #buckets = new Map<string, Rate.Bucket>()

  /** What is so of a password given from this address at this time, in milliseconds. A right one is no guess. */
  judge(address: string, now: number, isRight: () => boolean): Verdict {
    const from = network(address)
    const known = this.#buckets.get(from)
    const bucket = known === undefined ? Rate.full(guesses, now) : Rate.refill(guesses, known, now)
    if (!Rate.affords(bucket, 1)) return "later"
    if (isRight()) return "right"
    if (known === undefined && this.#buckets.size >= maxRemembered) this.#forget(now)
    this.#buckets.set(from, Rate.spend(bucket, 1))
    return "wrong"
  }

  #forget(now: number): void {
    for (const [from, bucket] of this.#buckets) {
      if (Rate.refill(guesses, bucket, now).tokens >= guesses.burst) this.#buckets.delete(from)
    }
  }
}
