/**
 * One room's ring of batches and who hears it: those who keep up are given each batch as it comes, those who are behind have
 * a place in the ring. Knows no session; what it knows of a connection is how to give it bytes.
 */
import * as PubSub from "effect/PubSub"
import { Batch, indexAfter, type News, nobody } from "./Batch.ts"
import type { Connection } from "./Connection.ts"
import type { Rendering } from "./Dialect.ts"
import type { Entry, SessionId } from "./Event.ts"
import { also, none } from "./Few.ts"

/** More than this unsent, and a client is given nothing until it has taken what there is, in bytes. */
export const highWater = 65_536

/** Batches a room's ring holds; who is further behind is told what was missed, or refilled from the log. */
export const ringCapacity = 128

/** What goes to a ring in one turn. */
export interface Told extends News {
  readonly authors?: ReadonlyArray<Author | undefined>
}

/** A room's part of a turn, until it is published. */
export interface Share extends Told {
  readonly ring: Ring
  entries: Array<Entry>
  authors: Array<Author | undefined>
  concerns: Array<SessionId | undefined> | undefined
  size: number
}

/** Whoever said or did something, as one who hears rooms as well. */
export interface Author {
  /** The cursor in this ring, as long as that keeps up. */
  readonly keepingUp: (ring: Ring) => Cursor | undefined
}

/** The same, of one of whom only the name is known. */
export type CursorOf = (id: SessionId, ring: Ring) => Cursor | undefined

/** Who keeps up: how rooms look to it now, and how it hears what is its own, which must not throw. */
export interface Speaker {
  readonly renderingOf: (room: string) => Rendering | undefined
  readonly hear: (batch: Batch) => void
}

/** Those who keep up and are told the same: the connection and the cursor of each stand at the same index. */
class Audience {
  readonly rendering: Rendering
  readonly connections: Array<Connection> = []
  readonly cursors: Array<Cursor> = []
  constructor(rendering: Rendering) {
    this.rendering = rendering
  }
  add(cursor: Cursor, connection: Connection): void {
    cursor.index = this.cursors.push(cursor) - 1
    this.connections.push(connection)
  }
  /** The last takes the place of the one that goes. */
  remove({ index }: Cursor): void {
    const last = this.cursors.pop()!
    const connection = this.connections.pop()!
    if (index === this.cursors.length) return
    this.cursors[index] = last
    this.connections[index] = connection
    last.index = index
  }
  /**
   * Give everybody the same bytes, with nothing else looked at: that is what a message costs for each member. Whoever has
   * too much unsent, or cannot be given anything, is put among those who have not got it. Those who have a part in it are
   * left out.
   */
  tell(batch: Batch, but: ReadonlyArray<Cursor>, without: Array<Cursor>): void {
    let bytes: Uint8Array
    try {
      bytes = batch.rendered(this.rendering).bytes
    } catch {
      // Each session finds out for itself what is wrong.
      for (const cursor of this.cursors) if (!but.includes(cursor)) without.push(cursor)
      return
    }
    if (bytes.length === 0) return
    const left = indicesIn(this, but)
    if (left.length === this.connections.length) return
    if (left.length > 1) left.sort((a, b) => a - b)
    let from = 0
    for (let k = 0; k <= left.length; k++) {
      const to = left[k] ?? this.connections.length
      for (let i = from; i < to; i++) {
        if (!give(this.connections[i]!, bytes)) without.push(this.cursors[i]!)
      }
      from = to + 1
    }
  }
}

/** Where these stand who are in this audience. */
const indicesIn = (audience: Audience, cursors: ReadonlyArray<Cursor>): Array<number> => {
  const indices: Array<number> = []
  for (const cursor of cursors) if (cursor.audience === audience) indices.push(cursor.index)
  return indices
}

const give = (connection: Connection, bytes: Uint8Array): boolean => {
  try {
    if (connection.unsent() > highWater) return false
    connection.give(bytes)
    return true
  } catch {
    return false
  }
}

/** One room's ring: a sliding PubSub of batches, and who hears it. */
export class Ring {
  readonly #pubsub: PubSub.PubSub<Batch>
  /** Who has a place in it. */
  readonly behind: Array<Cursor> = []
  /** Who needs none. */
  readonly #audiences: Array<Audience> = []
  /** How many hear it. */
  size = 0
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
  /** While those who keep up are told: who is to fall behind after that. */
  late: Array<Cursor> | undefined
  readonly #abandoned: () => void
  /** `abandoned` is called when nobody hears it any more. */
  constructor(room: string, name: string, pubsub: PubSub.PubSub<Batch>, abandoned: () => void) {
    this.#abandoned = abandoned
    this.room = room
    this.name = name
    this.#pubsub = pubsub
  }
  /** Entries so far, those that are still to be published among them. */
  get all(): number {
    return this.entries + this.quiet.length + (this.share?.entries.length ?? 0)
  }
  /** A place for what is published from now on. */
  place(cursor: Cursor): PubSub.PubSub.BackingSubscription<Batch> {
    cursor.index = this.behind.push(cursor) - 1
    return this.#pubsub.pubsub.subscribe()
  }
  /** The last takes the place of the one that goes. */
  unplace({ index }: Cursor): void {
    const last = this.behind.pop()!
    if (index === this.behind.length) return
    this.behind[index] = last
    last.index = index
  }
  /** Those who are told like this. */
  audience(rendering: Rendering): Audience {
    for (const audience of this.#audiences) { if (audience.rendering === rendering) return audience }
    const audience = new Audience(rendering)
    this.#audiences.push(audience)
    return audience
  }
  dismiss(audience: Audience, cursor: Cursor): void {
    audience.remove(cursor)
    if (audience.cursors.length === 0) this.#audiences.splice(this.#audiences.indexOf(audience), 1)
  }
  leave(): void {
    this.size--
    if (this.size === 0) this.#abandoned()
  }
  /** Tell those who keep up, and put it where the others find it. */
  publish(news: Told, cursorOf: CursorOf): void {
    const { entries } = news
    const batch = new Batch(this.room, this.batches, this.entries, news)
    const late: Array<Cursor> = []
    const own = this.#audiences.length > 0 ? this.#own(news, batch.number, cursorOf) : none
    if (this.#audiences.length > 0) this.#tell(batch, own, late)
    this.batches++
    this.entries += entries.length
    this.newest = batch
    // `publishUnsafe` drops the newest when the ring is full; sliding first lets the oldest go instead.
    if (this.behind.length > 0 && !PubSub.publishUnsafe(this.#pubsub, batch)) {
      this.#pubsub.pubsub.slide()
      PubSub.publishUnsafe(this.#pubsub, batch)
    }
    if (own.length > 0) {
      // Who falls behind now would have no place for it any more, and may have to hear it yet.
      this.late = late
      for (const cursor of own) cursor.hear(batch)
      this.late = undefined
    }
    for (const cursor of late) cursor.fallBehind()
  }
  /** Who has a part in it and keeps up: they hear it in words of their own, when the others were told. */
  #own({ authors, concerns, entries }: Told, batch: number, cursorOf: CursorOf): Array<Cursor> {
    let own: Array<Cursor> = none
    const note = (cursor: Cursor | undefined): void => {
      if (cursor === undefined || cursor.hasPartIn === batch) return
      cursor.hasPartIn = batch
      own = also(own, cursor)
    }
    for (let i = 0; i < entries.length; i++) {
      const author = authors?.[i]
      note(author === undefined ? cursorOf(entries[i]!.by, this) : author.keepingUp(this))
      const concerned = concerns?.[i]
      if (concerned !== undefined) note(cursorOf(concerned, this))
    }
    return own
  }
  /** Those who are late fall behind only after this batch, for they were given it, or are about to hear it. */
  #tell(batch: Batch, own: ReadonlyArray<Cursor>, late: Array<Cursor>): void {
    const without: Array<Cursor> = []
    this.late = late
    for (const audience of this.#audiences) audience.tell(batch, own, without)
    this.late = undefined
    for (const cursor of own) if (!cursor.canHear) cursor.fallBehind()
    for (const cursor of without) cursor.fallBehind()
  }
}

/** Whose a cursor is. */
export interface Hearer {
  readonly bell: { readonly ring: () => void }
  /** Everything up to this sequence number was given. */
  readonly passed: (seq: number) => void
  /** The show for which it was rung last, or is to be. */
  rungFor: number
}

/** Where somebody stands in a ring, from the entry `from` to the entry `until` (both inclusive). */
export class Cursor {
  readonly subscription: Hearer
  readonly ring: Ring
  /** Of its subscription, the cursor behind this one. */
  next: Cursor | undefined
  /** Where it is in the ring when it is behind, and among whom when it keeps up. */
  #place: PubSub.PubSub.BackingSubscription<Batch> | undefined
  audience: Audience | undefined
  #speaker: Speaker | undefined
  #left = false
  readonly from: number
  /** The number of the room, for somebody who is in it. */
  readonly inside: number | undefined
  until = Infinity
  /** The entries up to `until`. */
  #upTo = Infinity
  /** The last batch that it has a part in of its own, as long as it keeps up. */
  hasPartIn = -1
  /** How many of the entries that are still to be published were taken already. */
  #early = 0
  /** Its index among those who are behind, or in its audience. */
  index = -1
  /** The next batch's number, the entries before it, and the sequence number last passed. */
  #next: number
  #before: number
  #passed: number
  constructor(ring: Ring, subscription: Hearer, from: number, inside: number | undefined) {
    this.inside = inside
    this.ring = ring
    this.subscription = subscription
    this.from = from
    ring.size++
    this.#place = ring.place(this)
    this.#next = ring.batches
    this.#before = ring.all
    this.#passed = from - 1
  }
  /** Hear nothing after this entry, the last so far. */
  stopAfter(until: number): void {
    this.until = until
    this.#upTo = this.ring.all
  }
  /** Whether it has no place, for it is given each batch as it comes. */
  get keepsUp(): boolean {
    return this.audience !== undefined
  }
  /** Be given each batch as it comes, if there is nothing left to take. */
  keepUp(connection: Connection, rendering: Rendering, speaker: Speaker): void {
    // While others are told of a batch it waits for that one, lest it be forgotten.
    if (this.ring.late !== undefined) return
    if (this.#place === undefined || !this.isDry || this.#early > 0 || this.ring.quiet.length > 0) return
    this.#place.unsubscribe()
    this.#place = undefined
    this.ring.unplace(this)
    this.audience = this.ring.audience(rendering)
    this.audience.add(this, connection)
    this.#speaker = speaker
  }
  /** Whether its client takes enough for it to be told what is its own. */
  get canHear(): boolean {
    const { audience } = this
    if (audience === undefined) return false
    try {
      return audience.connections[this.index]!.unsent() <= highWater
    } catch {
      return false
    }
  }
  /** Be told what is its own, as long as it keeps up. */
  hear(batch: Batch): void {
    if (this.audience !== undefined) this.#speaker!.hear(batch)
  }
  /** Have a place again, for what is published from now on. */
  fallBehind(): void {
    const { ring } = this
    if (this.audience === undefined) return
    if (ring.late !== undefined) {
      ring.late.push(this)
      return
    }
    ring.dismiss(this.audience, this)
    this.audience = undefined
    this.#place = ring.place(this)
    this.#next = ring.batches
    this.#before = ring.entries
    this.#passed = Math.max(this.#passed, ring.newest?.last ?? 0)
    this.subscription.passed(this.#passed)
    if (this.#left) this.leave()
  }
  /** Whether nothing waits here. */
  get isDry(): boolean {
    return this.#place === undefined || (this.ring.batches === this.#next && this.until === Infinity)
  }
  /** Whether exactly one batch, with nothing lost before it, waits here. */
  get waitsForOne(): boolean {
    return this.#place !== undefined && this.ring.batches === this.#next + 1 && this.until === Infinity
  }
  pollOne(): Batch {
    const batch = this.#place!.poll() as Batch
    this.#early = 0
    this.#next++
    this.#before = batch.before + batch.entries.length
    this.#passed = batch.last
    return batch
  }
  poll(): ReadonlyArray<Batch> {
    return this.#place?.pollUpTo(Infinity) ?? []
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
      count: Math.min(batch.before, this.#upTo) - this.#before - this.#early
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
    return new Batch(room, -1, -1, { entries: quiet.slice(from, to) }, nobody)
  }
  leave(): void {
    this.#left = true
    if (this.#place === undefined) return this.fallBehind()
    this.#place.unsubscribe()
    this.#place = undefined
    this.ring.unplace(this)
    this.ring.leave()
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
