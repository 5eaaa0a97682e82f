/**
 * What happened in a room in one turn of the hub, and its bytes, made once for all who are told the same.
 * Knows no ring and nobody who hears it.
 */
import type { Rendered, Rendering } from "./Dialect.ts"
import type { Entry, SessionId } from "./Event.ts"
import { also, none } from "./Few.ts"

/**
 * How much of a room's talk goes into one batch, in characters (of up to eight bytes when told), so that a full ring stays
 * within megabytes, and a batch on top of what a client may have unsent within 256 KiB.
 */
export const batchSize = 16_384

/** Index of the first entry after the sequence number `seq`. */
export const indexAfter = (entries: ReadonlyArray<Entry>, seq: number): number => {
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

export const nobody: Personal = new Map()

const noIndices: ReadonlyArray<number> = none
const onlyFirst: ReadonlyArray<number> = [0]

/** Whoever is told bytes, or those in [`from`, `to`) of them, which others are told too. */
export interface Teller {
  readonly put: (bytes: Uint8Array, from?: number, to?: number) => void
}

/** Whoever hears rooms, known by being the same value. */
export type Hears = object

/** What goes to a room in one turn: its entries, and in the same place whose each is and whom else it concerns, where that is known. */
export interface News {
  readonly entries: ReadonlyArray<Entry>
  readonly authors?: ReadonlyArray<Hears | undefined> | undefined
  readonly concerns?: ReadonlyArray<SessionId | undefined> | undefined
}

/** In so few entries one's own are looked for one by one. */
const few = 32

/** Each entry is personal to whose it is, and to whom it `concerns`. */
const personalOf = ({ concerns, entries }: News): Personal => {
  const personal = new Map<SessionId, Array<number>>()
  const note = (id: SessionId, index: number): void => {
    const indices = personal.get(id)
    if (indices === undefined) personal.set(id, [index])
    else indices.push(index)
  }
  for (let i = 0; i < entries.length; i++) {
    const { by } = entries[i]!
    note(by, i)
    const concerned = concerns?.[i]
    if (concerned !== undefined && concerned !== by) note(concerned, i)
  }
  return personal
}

/** What happened in a room in one turn of the hub, encoded at most once for each rendering. */
export class Batch {
  /** Made when they are asked for: mostly there is one rendering, and one entry that is its author's. */
  #rendered: Map<Rendering, Rendered> | undefined
  #personal: Personal | undefined
  readonly #news: News
  /** Whose all of it is, when it is one entry and concerns nobody else. */
  readonly author: SessionId | undefined
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
  /** An entry is personal to whose it is and to whom it `concerns`, unless it is said who else it is `personal` to. */
  constructor(
    room: string,
    number: number,
    before: number,
    news: News,
    personal?: Personal
  ) {
    const { concerns, entries } = news
    this.room = room
    this.number = number
    this.before = before
    this.entries = entries
    this.first = entries[0]!.seq
    this.last = entries[entries.length - 1]!.seq
    this.#news = news
    this.#personal = personal
    this.author = entries.length === 1 && concerns === undefined && personal === undefined ? entries[0]!.by : undefined
  }
  /** For whom which entries in here are personal: their indices. */
  get personal(): Personal {
    return this.#personal ??= personalOf(this.#news)
  }
  /** Indices of what is by this session, which hears it as `hears`, or about it. */
  personalTo(id: SessionId, hears: Hears): ReadonlyArray<number> {
    const { authors, concerns, entries } = this.#news
    if (authors === undefined || entries.length > few || this.#personal !== undefined) {
      return this.author === undefined ? this.personal.get(id) ?? noIndices : this.author === id ? onlyFirst : noIndices
    }
    // Without the names of any but its own: whoever is called so is far away in memory.
    let own: Array<number> = none
    for (let i = 0; i < entries.length; i++) {
      const author = authors[i]
      if (author === hears || (author === undefined && entries[i]!.by === id) || (concerns !== undefined && concerns[i] === id)) own = also(own, i)
    }
    return own
  }
  rendered(rendering: Rendering): Rendered {
    // Members mostly are of one kind.
    if (rendering === this.#last) return this.#lastRendered!
    let rendered = this.#rendered?.get(rendering)
    if (rendered === undefined) {
      rendered = rendering.render(this.entries, this.room)
      if (this.#last !== undefined) (this.#rendered ??= new Map([[this.#last, this.#lastRendered!]])).set(rendering, rendered)
    }
    this.#last = rendering
    this.#lastRendered = rendered
    return rendered
  }
  /** Put the bytes of the entries [`from`, `to`): cut from the whole where it can be cut there, else encoded for this once. */
  put(teller: Teller, rendering: Rendering, from: number, to: number): void {
    const whole = from === 0 && to === this.entries.length
    if (!whole && rendering.arrivals !== undefined && to === this.entries.length && from >= this.#arrivalsFrom()) {
      return teller.put(rendering.arrivals(this.entries, from, this.room))
    }
    const { bytes, ends } = this.rendered(rendering)
    if (whole) return teller.put(bytes)
    const start = from === 0 ? 0 : ends[from - 1]
    const end = ends[to - 1]
    if (start === undefined || end === undefined || start === -1 || end === -1) {
      teller.put(rendering.render(this.entries.slice(from, to), this.room).bytes)
    } else teller.put(bytes, start, end)
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
