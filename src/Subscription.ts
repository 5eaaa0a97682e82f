/**
 * What one session may hear, in one order: its places in the rings of its rooms and what is for it alone.
 * The rings are shared: a member costs a place, not a copy. Knows no dialect and no connection.
 */
import * as Effect from "effect/Effect"
import type { Batch } from "./Batch.ts"
import type { Connection } from "./Connection.ts"
import type { Entry, Fact, SessionId } from "./Event.ts"
import type { LogError, Page, Reading } from "./Log.ts"
import * as Name from "./Name.ts"
import { Cursor, type Gap, type Hearer, type Ring, type Speaker } from "./Ring.ts"
import type { Reply, Standing } from "./World.ts"

/** Most of what a ring let go of that is fetched from the log, the last of it; the rest is missed. */
export const maxRefill = 4000

/** Private entries that wait for a session; more of them are missed. */
export const maxPrivate = 1000

/** The entries [`from`, `to`) of a batch. */
export interface Heard {
  readonly _tag: "Heard"
  readonly batch: Batch
  readonly from: number
  readonly to: number
}

/** An entry for this session alone: `apart` when it came by no room, else when a room's ring let go of it. */
export interface Private {
  readonly _tag: "Private"
  readonly entry: Entry
  readonly apart: boolean
}

export type Part = Heard | Private | Gap | Reply

/** Something to tell, and where it stands: at a sequence number, or behind one when it is no entry. */
export interface Placed {
  readonly at: number
  readonly part: Part
}

const none: ReadonlyArray<Placed> = []

/** What every subscription's queue is until something is put into it. */
const emptyQueue: Array<Placed> = []

/** In the log's order; what stands at the same place stays as it was. */
const inOrder = (parts: Array<Placed>): Array<Placed> => {
  if (parts.length > fewParts) return parts.sort((a, b) => a.at - b.at)
  // To sort takes memory, however little there is to sort.
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i]!
    let to = i
    for (; to > 0 && parts[to - 1]!.at > part.at; to--) parts[to] = parts[to - 1]!
    parts[to] = part
  }
  return parts
}
const fewParts = 16

/** Whether the log must be asked for what stands here. */
export const isGap = (placed: Placed): placed is Placed & { readonly part: Gap } => placed.part._tag === "Gap"

/** What everybody in a room hears, but the one whom it concerns hears apart from the room. */
const isOwn = ({ _tag }: Fact): boolean => _tag === "Joined" || _tag === "Left" || _tag === "Kicked" || _tag === "RankSet"

/** Which of these are entries of a room that a ring let go of. */
const toldOf = (parts: ReadonlyArray<Placed>, { after, before, room }: Gap): ReadonlyArray<number> =>
  parts.flatMap(({ at, part }) =>
    part._tag === "Private" && at > after && at < before && isOwn(part.entry.event) && "room" in part.entry.event && Name.key(part.entry.event.room!) === room
      ? [at]
      : []
  )

/** What a ring let go of: the entries, with word of how much is missed where neither the log has them all nor they are `told`. */
const refill = ({ after, before, count, inside, name, room }: Gap, told: ReadonlyArray<number>, read: (query: Reading) => Effect.Effect<Page, LogError>) =>
  Effect.map(Effect.option(read({ room, after, before, limit: maxRefill, messages: false, ...(inside === undefined ? {} : { inside }) })), (page) => {
    const { complete, entries } = page._tag === "None" ? { complete: false, entries: [] } : page.value
    const placed: Array<Placed> = entries.map((entry) => ({ at: entry.seq, part: { _tag: "Private", entry, apart: false } }))
    // One of two places where it may be kept cannot say that it has forgotten nothing, if there is all that was counted.
    const { size } = new Set([...told, ...placed.map(({ at }) => at)])
    if (complete || (inside !== undefined && size >= count)) return placed
    const missed = Math.max(1, count - size)
    return [{ at: after + 0.25, part: { _tag: "Missed" as const, room: name, count: missed, after } }, ...placed]
  })

/** The same parts with what the rings let go of, in the log's order; what several rooms let go of is there once. */
export const refilled = (
  parts: ReadonlyArray<Placed>,
  read: (query: Reading) => Effect.Effect<Page, LogError>
): Effect.Effect<ReadonlyArray<Placed>> =>
  Effect.map(
    Effect.forEach(parts, (placed) => isGap(placed) ? refill(placed.part, toldOf(parts, placed.part), read) : Effect.succeed([placed])),
    (filled) =>
      inOrder(filled.flat()).filter(({ at }, i, all) => i === 0 || !Number.isInteger(at) || at !== all[i - 1]!.at)
  )

/** What a hub rings; synchronously, so it must not block. */
export interface Rings {
  readonly ring: () => void
}

const silent: Rings = { ring: () => {} }

/** A session's single ordered view. `bell` is rung once after each turn of the hub that brought something. */
export class Subscription implements Hearer {
  // First what is looked at for each batch, so that it lies together.
  bell: Rings
  readonly id: SessionId
  #queue = emptyQueue
  /** Its cursors, each of which has the `next`. */
  #first: Cursor | undefined
  /** The greatest sequence number taken. */
  #seen = 0
  #missed = 0
  readonly address: string
  /** What the session speaks, as far as is known. */
  dialect: string
  /** Where whoever arrived by it is, as `user@address`, and when they last said something (milliseconds since 1970). */
  from: string | undefined
  spokeAt: number | undefined
  /** How it stood when it last said something, in which world (the hub counts them), and the name under which the log keeps that. */
  standing: (Standing & { readonly world: number; readonly name: string }) | undefined
  /** Whether whoever arrived by it is a program that said so. */
  bot = false
  /** The show for which it was rung last, or is to be. */
  rungFor = 0
  /** Whether anything was asked for by it. */
  asked = false
  /** Whether more than one room was heard when something was taken last: a room that was left since was one of them. */
  hearsSeveral = false

  constructor(id: SessionId, dialect: string, address: string, bell: Rings) {
    this.id = id
    this.dialect = dialect
    this.address = address
    this.bell = bell
  }

  /** Ring nobody any more. */
  mute(): void {
    this.fallBehind()
    this.bell = silent
  }

  /**
   * Give the connection each batch of the one room it hears as it comes, until there is anything else for it: as long as
   * everything was taken and the rendering stays. What is personal the speaker hears.
   */
  keepUp(connection: Connection, speaker: Speaker): void {
    const only = this.#only
    if (only === undefined || only.keepsUp || this.#queue !== emptyQueue) return
    this.hearsSeveral = false
    const rendering = speaker.renderingOf(only.ring.room)
    if (rendering !== undefined) only.keepUp(connection, rendering, speaker)
  }

  /** The one cursor, as long as there is only one. */
  get #only(): Cursor | undefined {
    return this.#first?.next === undefined ? this.#first : undefined
  }

  /** From now on what happens waits here to be taken. */
  fallBehind(): void {
    this.#only?.fallBehind()
  }

  passed(seq: number): void {
    if (seq > this.#seen) this.#seen = seq
  }

  /** Its cursor in this ring, as long as that keeps up. */
  keepingUp(ring: Ring): Cursor | undefined {
    return this.#only?.ring === ring && this.#only.keepsUp ? this.#only : undefined
  }

  /** Have a place in a ring, from the entry `from` on; `inside` the room of this number, or listening from outside. */
  enter(ring: Ring, from: number, inside?: number): void {
    this.fallBehind()
    const cursor = new Cursor(ring, this, from, inside)
    let last = this.#first
    if (last === undefined) this.#first = cursor
    else {
      while (last.next !== undefined) last = last.next
      last.next = cursor
    }
  }

  /** Have no place in a room's ring after the entry `until`. */
  leave(room: string, until: number): void {
    this.fallBehind()
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) {
      if (cursor.ring.room === room && cursor.until === Infinity) cursor.stopAfter(until)
    }
  }

  /** Put something in the private queue, behind the entry `seq`. */
  answer(seq: number, answer: Reply): void {
    this.#put({ at: seq + 0.5, part: answer })
  }

  /** The same, of something that others did, which can be missed. */
  hint(seq: number, answer: Reply): void {
    if (this.#queue.length >= maxPrivate) this.#missed++
    else this.answer(seq, answer)
  }

  /**
   * Put an entry in the private queue; one that is also heard in a room is heard once. One that is not `needed` to know
   * where one is can be missed.
   */
  tell(entry: Entry, needed: boolean): void {
    if (!needed && this.#queue.length >= maxPrivate) this.#missed++
    else this.#put({ at: entry.seq, part: { _tag: "Private", entry, apart: true } })
  }

  #put(placed: Placed): void {
    this.fallBehind()
    if (this.#queue === emptyQueue) this.#queue = [placed]
    else this.#queue.push(placed)
  }

  /** Whether there is nothing to take. */
  get isDry(): boolean {
    if (this.#queue !== emptyQueue) return false
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) { if (!cursor.isDry) return false }
    return true
  }

  /**
   * The batch that is all there is to take, when it is as simple as that: one batch in one room, nothing held back in
   * another, nothing private. Otherwise nothing is taken; `take` takes it all.
   */
  takeBatch(): Batch | undefined {
    if (this.#queue !== emptyQueue) return undefined
    const only = this.#onlyStirred()
    if (only === undefined || !only.waitsForOne) return undefined
    const { first, last } = only.ring.newest!
    if (first <= this.#seen || first < only.from) return undefined
    this.#seen = last
    this.hearsSeveral = this.#only === undefined
    return only.pollOne()
  }

  /** The only place where something waits or is held back, if there is only one. */
  #onlyStirred(): Cursor | undefined {
    let only: Cursor | undefined
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) {
      if (cursor.isDry && cursor.ring.quiet.length === 0) continue
      if (only !== undefined) return undefined
      only = cursor
    }
    return only
  }

  /** Everything that is pending, in the log's order, each entry once. */
  take(): ReadonlyArray<Placed> {
    const placed = this.#queue === emptyQueue ? [] : this.#queue
    this.#queue = emptyQueue
    if (this.#missed > 0) {
      placed.push({ at: placed[placed.length - 1]!.at, part: { _tag: "Missed", count: this.#missed } })
      this.#missed = 0
    }
    // Where only one room is heard and nothing private is in between, a batch stays in one piece.
    const only = this.#only
    this.hearsSeveral = only === undefined
    const whole = only !== undefined && !(placed.length > 0 && placed[0]!.at <= (only.ring.newest?.last ?? 0))
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) {
      for (const batch of cursor.poll()) this.#place(placed, cursor, batch, whole)
    }
    if (placed.length === 0) {
      this.#dropLeft()
      return none
    }
    inOrder(placed)
    const upTo = placed[placed.length - 1]!.at
    let held = false
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) {
      const quiet = cursor.passQuiet(this.#seen, upTo)
      if (quiet === undefined) continue
      held = true
      this.#spread(placed, quiet, 0, quiet.entries.length)
    }
    this.#dropLeft()
    return this.#once(held ? inOrder(placed) : placed)
  }

  #place(placed: Array<Placed>, cursor: Cursor, batch: Batch, whole: boolean): void {
    const gap = cursor.pass(batch)
    if (gap !== undefined && gap.before > gap.after + 1) placed.push({ at: gap.after + 0.25, part: gap })
    const from = batch.indexAfter(Math.max(this.#seen, cursor.from - 1))
    const to = cursor.until === Infinity ? batch.entries.length : batch.indexAfter(cursor.until)
    if (to <= from) return
    if (whole) placed.push({ at: batch.entries[to - 1]!.seq, part: { _tag: "Heard", batch, from, to } })
    else this.#spread(placed, batch, from, to)
  }

  #spread(placed: Array<Placed>, batch: Batch, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      placed.push({ at: batch.entries[i]!.seq, part: { _tag: "Heard", batch, from: i, to: i + 1 } })
    }
  }

  #once(placed: ReadonlyArray<Placed>): ReadonlyArray<Placed> {
    const parts: Array<Placed> = []
    for (const one of placed) {
      if (one.part._tag === "Heard" || one.part._tag === "Private") {
        if (one.at <= this.#seen) continue
        this.#seen = one.at
      }
      parts.push(one)
    }
    return parts
  }

  /** Give up the places that were left. */
  #dropLeft(): void {
    let kept: Cursor | undefined
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) {
      if (cursor.until === Infinity) kept = cursor
      else {
        cursor.leave()
        if (kept === undefined) this.#first = cursor.next
        else kept.next = cursor.next
      }
    }
  }

  /** Give up every place and everything that waits. */
  end(): void {
    for (let cursor = this.#first; cursor !== undefined; cursor = cursor.next) cursor.leave()
    this.#first = undefined
    this.#queue = emptyQueue
  }
}
