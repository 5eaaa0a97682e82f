/**
 * What happened in a room in one turn of the hub, and its bytes, made once for all who are told the same.
 * Knows no ring and nobody who hears it.
 */
import type { Rendered, Rendering } from "./Dialect.ts"
import type { Entry, SessionId } from "./Event.ts"

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
