/**
 * How often wrong passwords and tokens may be given from one network, by however many connections, so that nobody finds one by
 * trying. Knows neither.
 */
import { network } from "./Address.ts"
import * as Rate from "./Rate.ts"

/** What becomes of a password: it is not even looked at when too many were wrong. */
export type Verdict = "right" | "wrong" | "later"

/** So many wrong ones at once, then one a second. */
export const guesses: Rate.Rate = { burst: 10, perSecond: 1 }

/** How many networks are remembered before those are forgotten whose buckets are full again. */
const maxRemembered = 4096

/** What each network may still guess. Times are in milliseconds. */
export class Buckets {
  readonly #known = new Map<string, Rate.Bucket>()

  /** That of the network that an address is in. */
  of(address: string, now: number): Rate.Bucket {
    const known = this.#known.get(network(address))
    return known === undefined ? Rate.full(guesses, now) : Rate.refill(guesses, known, now)
  }

  put(address: string, bucket: Rate.Bucket): void {
    const from = network(address)
    if (!this.#known.has(from) && this.#known.size >= maxRemembered) this.#forget(bucket.at)
    this.#known.set(from, bucket)
  }

  #forget(now: number): void {
    for (const [from, bucket] of this.#known) {
      if (Rate.refill(guesses, bucket, now).tokens >= guesses.burst) this.#known.delete(from)
    }
  }
}

export class Guesses {
  readonly #buckets = new Buckets()

  /** What is so of a password given from this address. A right one is no guess. */
  judge(address: string, now: number, isRight: () => boolean): Verdict {
    const bucket = this.#buckets.of(address, now)
    if (!Rate.affords(bucket, 1)) return "later"
    if (isRight()) return "right"
    this.#buckets.put(address, Rate.spend(bucket, 1))
    return "wrong"
  }
}
