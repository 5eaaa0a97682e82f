/**
 * The rings there are, and what of the turn under way goes to which: a share for each room, who is to be rung when all is
 * published, and comings and goings of large rooms, which are held back for a while. Knows no rules and no log.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import { type Batch, batchSize } from "./Batch.ts"
import * as Crowd from "./Crowd.ts"
import type { Entry, SessionId } from "./Event.ts"
import { also, none } from "./Few.ts"
import { type Author, type CursorOf, type Hearer, Ring, ringCapacity, type Share } from "./Ring.ts"

/**
 * In rooms with more members than this, who comes and goes is told with what is said next, or after so many milliseconds for each
 * member, so that a crowd costs no more than some thousand lines a second.
 */
const quietFrom = 32
const quietForEach = 1

/** How much of a batch an entry takes; of comings and goings, which mostly are told as one, little. */
const sizeOf = (entry: Entry): number =>
  entry.event._tag === "Said" ? entry.event.text.length + 64 : entry.event._tag === "Passed" ? entry.event.bytes.length : Crowd.isPresence(entry.event) ? 16 : 64

/** What the rooms ask of whoever keeps them. */
export interface Keeper {
  readonly cursorOf: CursorOf
  /** By a clock that never steps back, in nanoseconds. */
  readonly nanos: () => number
  /** Something is held back: `settle` is to be called until nothing is. */
  readonly onHeld: () => void
  /** Somebody who was rung failed. */
  readonly onFailed: (cause: unknown) => void
}

export class Rooms {
  readonly #keeper: Keeper
  readonly #rings = new Map<string, Ring>()
  /** The one that was last published to, to find it again at once. */
  #latest: Ring | undefined
  #shares: Array<Share> = none
  #toRing: Array<Hearer> = none
  /** The how-manieth show is to come. */
  #shows = 1
  /** Where something is held back, and until when at least. */
  readonly #restless = new Map<Ring, number>()

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  /** How many somebody hears. */
  get size(): number {
    return this.#rings.size
  }

  /** Whether nothing is held back. */
  get isSettled(): boolean {
    return this.#restless.size === 0
  }

  /** The ring of the room with this key. */
  ring(key: string, name: string): Ring {
    let ring = this.#rings.get(key)
    if (ring === undefined) {
      ring = new Ring(key, name, Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => {
        this.#rings.delete(key)
        this.#latest = undefined
      })
      this.#rings.set(key, ring)
    }
    return ring
  }

  /** Whom to ring when all is published. */
  willRing(hearer: Hearer): void {
    if (hearer.rungFor === this.#shows) return
    hearer.rungFor = this.#shows
    this.#toRing = also(this.#toRing, hearer)
  }

  /** An entry for the room with this key, with the next `show`. */
  publish(key: string, entry: Entry, author: Author, concerns: SessionId | undefined): void {
    const found = this.#latest?.room === key ? this.#latest : this.#rings.get(key)
    if (found === undefined) return
    this.#latest = found
    if (found.size > quietFrom && Crowd.isPresence(entry.event)) {
      if (found.quiet.push(entry) === 1) {
        this.#restless.set(found, this.#keeper.nanos() + 1e6 * quietForEach * found.size)
        this.#keeper.onHeld()
      }
    } else {
      if (found.quiet.length > 0) this.#unhold(found)
      this.#put(this.#shareOf(found), entry, author, concerns)
    }
  }

  #shareOf(ring: Ring): Share {
    if (ring.share === undefined) this.#shares = also(this.#shares, ring.share = { ring, entries: none, authors: none, concerns: undefined, size: 0 })
    return ring.share
  }

  #put(share: Share, entry: Entry, author: Author | undefined, concerns: SessionId | undefined): void {
    if (share.size > batchSize) {
      const { authors, concerns: whom, entries, ring } = share
      ring.publish({ entries, authors, concerns: whom }, this.#keeper.cursorOf)
      share.entries = share.authors = none
      share.concerns = undefined
      share.size = 0
    }
    if (concerns !== undefined) (share.concerns ??= [])[share.entries.length] = concerns
    share.entries = also(share.entries, entry)
    share.authors = also(share.authors, author)
    share.size += sizeOf(entry)
  }

  /** What was held back in a room goes before whatever comes next. */
  #unhold(held: Ring): void {
    const share = this.#shareOf(held)
    for (const entry of held.quiet) this.#put(share, entry, undefined, undefined)
    held.quiet = []
    this.#restless.delete(held)
  }

  /** What was held back for long enough is told with the next `show`. */
  settle(upTo: number): void {
    for (const [ring, until] of this.#restless) if (until <= upTo) this.#unhold(ring)
  }

  /** Publish what was put into each room, and ring whoever has something to take: how many deliveries that were. */
  show(): number {
    const shown = this.#shares
    const toRing = this.#toRing
    const number = this.#shows++
    this.#shares = none
    this.#toRing = none
    let deliveries = 0
    for (const share of shown) {
      const { entries, ring } = share
      ring.share = undefined
      ring.publish(share, this.#keeper.cursorOf)
      deliveries += entries.length * ring.size
    }
    for (const hearer of toRing) this.#ring(hearer)
    for (const { ring: { behind } } of shown) {
      // From the end, for whoever leaves meanwhile is replaced by the last, who was rung.
      for (let i = behind.length - 1; i >= 0; i--) {
        const hearer = behind[i]?.subscription
        if (hearer === undefined || hearer.rungFor === number) continue
        hearer.rungFor = number
        this.#ring(hearer)
      }
    }
    return deliveries
  }

  /** Whoever fails keeps nobody else from being rung. */
  #ring({ bell }: Hearer): void {
    try {
      bell.ring()
    } catch (cause) {
      this.#keeper.onFailed(cause)
    }
  }
}
