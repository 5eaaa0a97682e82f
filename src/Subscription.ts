/**
 * What one session may hear, in one order: its places in the rings of its rooms and what is for it alone.
 * The rings are shared: a member costs a place, not a copy. Knows no dialect and no connection.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { Rendered, Rendering } from "./Dialect.ts"
import type { Entry, SessionId } from "./Event.ts"
import type { LogError, Page, Reading } from "./Log.ts"
import type { Reply } from "./World.ts"

/** Batches a room's ring holds; who is further behind is told what was missed, or refilled from the log. */
export const ringCapacity = 128

/**
 * How much of a room's talk goes into one batch, in characters (of up to eight bytes when told), so that a full ring stays
 * within megabytes, and a batch on top of what a client may have unsent within 256 KiB.
 */
export const batchSize = 16_384

/** Most of what a ring let go of that is fetched from the log, the last of it; the rest is missed. */
export const maxRefill = 4000

/** Private entries that wait for a session; more of them are missed. */
export const maxPrivate = 1000

/** Index of the first entry after the sequence number `seq`. */
const indexAfter = (entries: ReadonlyArray<Entry>, seq: number): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.seq <= seq) low = middle + 1
    else high = middle
  }
  return low
}

/** Indices of the entries that are by a session or about it, by session, each list growing. */
export type Personal = ReadonlyMap<SessionId, ReadonlyArray<number>>

const nobody: Personal = new Map()

/** What happened in a room in one turn of the hub, encoded at most once for each rendering. */
export class Batch {
  readonly #rendered = new Map<Rendering, Rendered>()
  /** Whose all of it is, when it is one session's. */
  #author: SessionId | undefined
  #last: Rendering | undefined
  #lastRendered: Rendered | undefined
  #arrivals = -1
  /** The room's key. */
  readonly room: string
  /** The how-manieth batch of the room this is, and how many entries came before it. */
  readonly number: number
  readonly before: number
  readonly entries: ReadonlyArray<Entry>
  /** Sequence numbers of the first and the last of them. */
  readonly first: number
  readonly last: number
  /** For whom which entries in here are personal: their indices. */
  readonly personal: Personal
  constructor(
    room: string,
    number: number,
    before: number,
    entries: ReadonlyArray<Entry>,
    personal: Personal
  ) {
    this.room = room
    this.number = number
    this.before = before
    this.entries = entries
    this.first = entries[0]!.seq
    this.last = entries[entries.length - 1]!.seq
    this.personal = personal
    if (personal.size === 1) this.#author = personal.keys().next().value
  }
  /** Whether some of it is by this session or about it. */
  isPersonal(id: SessionId): boolean {
    // Mostly one person speaks.
    return this.#author === undefined ? this.personal.has(id) : this.#author === id
  }
  rendered(rendering: Rendering): Rendered {
    // Members mostly are of one kind.
    if (rendering === this.#last) return this.#lastRendered!
    let rendered = this.#rendered.get(rendering)
    if (rendered === undefined) this.#rendered.set(rendering, rendered = rendering.render(this.entries, this.room))
    this.#last = rendering
    this.#lastRendered = rendered
    return rendered
  }
  /** The bytes of the entries [`from`, `to`): cut from the whole where it can be cut there, else encoded for this once. */
  part(rendering: Rendering, from: number, to: number): Uint8Array {
    const whole = from === 0 && to === this.entries.length
    if (!whole && rendering.arrivals !== undefined && to === this.entries.length && from >= this.#arrivalsFrom()) {
      return rendering.arrivals(this.entries, from, this.room)
    }
    const { bytes, ends } = this.rendered(rendering)
    if (whole) return bytes
    const start = from === 0 ? 0 : ends[from - 1]
    const end = ends[to - 1]
    return start === undefined || end === undefined || start === -1 || end === -1
      ? rendering.render(this.entries.slice(from, to), this.room).bytes
      : bytes.subarray(start, end)
  }
  /** From which entry on all are arrivals: where many come at once each of them hears of those after them alone. */
  #arrivalsFrom(): number {
    if (this.#arrivals === -1) {
      this.#arrivals = this.entries.length
      while (this.#arrivals > 0 && this.entries[this.#arrivals - 1]!.event._tag === "Joined") this.#arrivals--
    }
    return this.#arrivals
  }
  /** Index of the first entry after the sequence number `seq`. */
  indexAfter(seq: number): number {
    return indexAfter(this.entries, seq)
  }
}

/** A room's part of a turn, until it is published. */
export interface Share {
  readonly ring: Ring
  entries: Array<Entry>
  personal: Map<SessionId, Array<number>>
  size: number
}

/** One room's ring: a sliding PubSub of batches, and who has a place in it. */
export class Ring {
  readonly pubsub: PubSub.PubSub<Batch>
  readonly cursors: Array<Cursor> = []
  /** The room's key and its name. */
  readonly room: string
  readonly name: string
  /** Batches and entries published so far, and the newest batch. */
  batches = 0
  entries = 0
  newest: Batch | undefined
  /**
   * Comings and goings that nobody was rung for yet: they are published with the next thing that happens here, or a
   * little later. Whoever takes something that comes after them takes them too.
   */
  quiet: Array<Entry> = []
  /** What of the turn under way goes here, if anything does. */
  share: Share | undefined
  readonly #abandoned: () => void
  /** `abandoned` is called when nobody has a place in it any more. */
  constructor(room: string, name: string, pubsub: PubSub.PubSub<Batch>, abandoned: () => void) {
    this.#abandoned = abandoned
    this.room = room
    this.name = name
    this.pubsub = pubsub
  }
  enter(cursor: Cursor): number {
    return this.cursors.push(cursor) - 1
  }
  /** The last takes the place of the one that leaves. */
  leave(cursor: Cursor): void {
    const { index } = cursor
    if (index === -1) return
    cursor.index = -1
    const last = this.cursors.pop()!
    if (last !== cursor) {
      this.cursors[index] = last
      last.index = index
    }
    if (this.cursors.length === 0) this.#abandoned()
  }
  publish(entries: ReadonlyArray<Entry>, personal: Personal): void {
    const batch = new Batch(this.room, this.batches++, this.entries, entries, personal)
    this.entries += entries.length
    this.newest = batch
    // `publishUnsafe` drops the newest when the ring is full; sliding first lets the oldest go instead.
    if (!PubSub.publishUnsafe(this.pubsub, batch)) {
      this.pubsub.pubsub.slide()
      PubSub.publishUnsafe(this.pubsub, batch)
    }
  }
}

/** A place in a ring, from the entry `from` to the entry `until` (both inclusive). */
export class Cursor {
  readonly subscription: Subscription
  readonly ring: Ring
  readonly #place: PubSub.PubSub.BackingSubscription<Batch>
  readonly from: number
  /** The number of the room, for somebody who is in it. */
  readonly inside: number | undefined
  until = Infinity
  /** How many of the entries that are still to be published were taken already. */
  #early = 0
  /** Where it is among the ring's cursors; -1 when it is there no more. */
  index: number
  /** The next batch's number, the entries before it, and the sequence number last passed. */
  #next: number
  #before: number
  #passed: number
  constructor(ring: Ring, subscription: Subscription, from: number, inside: number | undefined) {
    this.inside = inside
    this.ring = ring
    this.subscription = subscription
    this.from = from
    this.#place = ring.pubsub.pubsub.subscribe()
    this.#next = ring.batches
    this.#before = ring.entries
    this.#passed = from - 1
    this.index = ring.enter(this)
  }
  /** Whether nothing waits here. */
  get isDry(): boolean {
    return this.ring.batches === this.#next && this.until === Infinity
  }
  /** Whether exactly one batch, with nothing lost before it, waits here. */
  get waitsForOne(): boolean {
    return this.ring.batches === this.#next + 1 && this.until === Infinity
  }
  pollOne(): Batch {
    const batch = this.#place.poll() as Batch
    this.#early = 0
    this.#next++
    this.#before = batch.before + batch.entries.length
    this.#passed = batch.last
    return batch
  }
  poll(): ReadonlyArray<Batch> {
    return this.#place.pollUpTo(Infinity)
  }
  /** Pass a batch; what the ring let go of before it, if anything. */
  pass(batch: Batch): Gap | undefined {
    const gap: Gap | undefined = batch.number === this.#next ? undefined : {
      _tag: "Gap",
      room: this.ring.room,
      name: this.ring.name,
      inside: this.inside,
      after: this.#passed,
      before: Math.min(batch.first, this.until + 1),
      count: batch.before - this.#before - this.#early
    }
    this.#early = 0
    this.#next = batch.number + 1
    this.#before = batch.before + batch.entries.length
    this.#passed = batch.last
    return gap
  }
  /** What was held back here, after `seen` and up to `upTo`: it is passed, though it was not published yet. */
  passQuiet(seen: number, upTo: number): Batch | undefined {
    const { quiet, room } = this.ring
    const from = indexAfter(quiet, Math.max(seen, this.from - 1))
    const to = indexAfter(quiet, Math.min(upTo, this.until))
    if (to <= from) return undefined
    this.#early += to - from
    this.#passed = quiet[to - 1]!.seq
    return new Batch(room, -1, -1, quiet.slice(from, to), nobody)
  }
  leave(): void {
    this.#place.unsubscribe()
    this.ring.leave(this)
  }
}

/** Entries of a room that its ring let go of before they were taken: those in (`after`, `before`). */
export interface Gap {
  readonly _tag: "Gap"
  readonly room: string
  readonly name: string
  readonly inside: number | undefined
  readonly after: number
  readonly before: number
  readonly count: number
}

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
const inOrder = (parts: Array<Placed>): Array<Placed> => parts.sort((a, b) => a.at - b.at)

/** Whether the log must be asked for what stands here. */
export const isGap = (placed: Placed): placed is Placed & { readonly part: Gap } => placed.part._tag === "Gap"

/** What a ring let go of: the entries, with word of how much is missed where the log no longer has them all. */
const refill = ({ after, before, count, inside, name, room }: Gap, read: (query: Reading) => Effect.Effect<Page, LogError>) =>
  Effect.map(Effect.option(read({ room, after, before, limit: maxRefill, messages: false, ...(inside === undefined ? {} : { inside }) })), (page) => {
    const { complete, entries } = page._tag === "None" ? { complete: false, entries: [] } : page.value
    const placed: Array<Placed> = entries.map((entry) => ({ at: entry.seq, part: { _tag: "Private", entry, apart: false } }))
    // One of two places where it may be kept cannot say that it has forgotten nothing, if there is all that was counted.
    if (complete || (inside !== undefined && entries.length >= count)) return placed
    const missed = Math.max(1, count - entries.length)
    return [{ at: after + 0.25, part: { _tag: "Missed" as const, room: name, count: missed, after } }, ...placed]
  })

/** The same parts with what the rings let go of, in the log's order; what several rooms let go of is there once. */
export const refilled = (
  parts: ReadonlyArray<Placed>,
  read: (query: Reading) => Effect.Effect<Page, LogError>
): Effect.Effect<ReadonlyArray<Placed>> =>
  Effect.map(
    Effect.forEach(parts, (placed) => isGap(placed) ? refill(placed.part, read) : Effect.succeed([placed])),
    (filled) =>
      inOrder(filled.flat()).filter(({ at }, i, all) => i === 0 || !Number.isInteger(at) || at !== all[i - 1]!.at)
  )

/** What a hub rings; synchronously, so it must not block. */
export interface Rings {
  readonly ring: () => void
}

const silent: Rings = { ring: () => {} }

/** A session's single ordered view. `bell` is rung once after each turn of the hub that brought something. */
export class Subscription {
  // First what is looked at for each batch, so that it lies together.
  bell: Rings
  readonly id: SessionId
  #queue = emptyQueue
  /** The one cursor, as long as there is only one. */
  #only: Cursor | undefined
  /** The greatest sequence number taken. */
  #seen = 0
  readonly #cursors: Array<Cursor> = []
  #missed = 0
  readonly address: string
  /** What the session speaks, as far as is known. */
  dialect: string
  /** Where whoever arrived by it is, as `user@address`, and when they last said something (milliseconds since 1970). */
  from: string | undefined
  spokeAt: number | undefined
  /** Whether whoever arrived by it is a program that said so. */
  bot = false
  /** In the hub's list of whom to ring. */
  rung = false
  /** Whether anything was asked for by it. */
  asked = false

  constructor(id: SessionId, dialect: string, address: string, bell: Rings) {
    this.id = id
    this.dialect = dialect
    this.address = address
    this.bell = bell
  }

  /** Ring nobody any more. */
  mute(): void {
    this.bell = silent
  }

  /** Have a place in a ring, from the entry `from` on; `inside` the room of this number, or listening from outside. */
  enter(ring: Ring, from: number, inside?: number): void {
    this.#cursors.push(new Cursor(ring, this, from, inside))
    this.#counted()
  }

  /** Have no place in a room's ring after the entry `until`. */
  leave(room: string, until: number): void {
    for (const cursor of this.#cursors) {
      if (cursor.ring.room === room && cursor.until === Infinity) cursor.until = until
    }
  }

  /** Put something in the private queue, behind the entry `seq`. */
  answer(seq: number, answer: Reply): void {
    this.#put({ at: seq + 0.5, part: answer })
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
    if (this.#queue === emptyQueue) this.#queue = [placed]
    else this.#queue.push(placed)
  }

  /** Whether there is nothing to take. */
  get isDry(): boolean {
    if (this.#queue !== emptyQueue) return false
    for (const cursor of this.#cursors) { if (!cursor.isDry) return false }
    return true
  }

  /**
   * The batch that is all there is to take, when it is as simple as that: one batch in one room, nothing held back in
   * another, nothing private. Otherwise nothing is taken; `take` takes it all.
   */
  takeBatch(): Batch | undefined {
    if (this.#queue !== emptyQueue) return undefined
    const only = this.#only ?? this.#onlyStirred()
    if (only === undefined || !only.waitsForOne) return undefined
    const { first, last } = only.ring.newest!
    if (first <= this.#seen || first < only.from) return undefined
    this.#seen = last
    return only.pollOne()
  }

  /** The only place where something waits or is held back, if there is only one. */
  #onlyStirred(): Cursor | undefined {
    let only: Cursor | undefined
    for (const cursor of this.#cursors) {
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
    const whole = this.#cursors.length === 1 && !(placed.length > 0 && placed[0]!.at <= (this.#cursors[0]!.ring.newest?.last ?? 0))
    const polled = this.#cursors.map((cursor) => [cursor, cursor.poll()] as const)
    for (const [cursor, batches] of polled) { for (const batch of batches) this.#place(placed, cursor, batch, whole) }
    if (placed.length === 0) {
      this.#dropLeft()
      return none
    }
    inOrder(placed)
    const upTo = placed[placed.length - 1]!.at
    let held = false
    for (const [cursor] of polled) {
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

  #dropLeft(): void {
    for (const cursor of this.#cursors.slice()) { if (cursor.until !== Infinity) this.#drop(cursor) }
  }

  #counted(): void {
    this.#only = this.#cursors.length === 1 ? this.#cursors[0] : undefined
  }

  #drop(cursor: Cursor): void {
    cursor.leave()
    this.#cursors.splice(this.#cursors.indexOf(cursor), 1)
    this.#counted()
  }

  /** Give up every place and everything that waits. */
  end(): void {
    for (const cursor of this.#cursors) cursor.leave()
    this.#cursors.length = 0
    this.#counted()
    this.#queue = emptyQueue
  }
}
