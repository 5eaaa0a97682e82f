/**
 * What is remembered of what happened, as long as the process lives, and is read and searched at once. Knows no port.
 */
import type { Entry } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Search from "../Search.ts"
import { type Draft, isOfTwo, kept, type Page, type Wanted, whispers } from "./Kept.ts"
import { nowhere, type Place, type Query, readRoom, type Shelf, type Window } from "./Window.ts"

/** Of how many rooms the memory log remembers anything; those are let go in which nothing happened for longest. */
export const maxRemembered = 4096

/** The last `capacity` of what was put in, oldest first. */
class Ring implements Shelf<Entry> {
  readonly #entries: Array<Entry> = []
  #start = 0
  /** Sequence number of the newest entry that was let go; 0 when none was. */
  forgotten = 0
  readonly #capacity: number
  constructor(capacity: number) {
    this.#capacity = capacity
  }
  get length(): number {
    return this.#entries.length
  }
  at(index: number): Entry {
    return this.#entries[(this.#start + index) % this.#entries.length]!
  }
  push(entry: Entry): void {
    if (this.#entries.length < this.#capacity) this.#entries.push(entry)
    else if (this.#capacity === 0) this.forgotten = entry.seq
    else {
      this.forgotten = this.#entries[this.#start]!.seq
      this.#entries[this.#start] = entry
      this.#start = (this.#start + 1) % this.#capacity
    }
  }
  /** Index of the first entry whose sequence number is greater than `seq`. */
  indexAfter(seq: number): number {
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.at(middle).seq <= seq) low = middle + 1
      else high = middle
    }
    return low
  }
  find(id: string): number | undefined {
    return this.#entries.find((entry) => entry.id === id)?.seq
  }
  /** Index of the first entry behind a place, or of the first that is not before it. */
  #index(place: Place, behind: boolean): number {
    if (typeof place === "number") return this.indexAfter(behind ? place : place - 1)
    for (let i = 0; i < this.length; i++) {
      const { at } = this.at(i)
      if (behind ? at > place.at : at >= place.at) return i
    }
    return this.length
  }
  isBackwards({ after, before }: Window): boolean {
    return after !== undefined && before !== undefined && this.#index(before, false) < this.#index(after, false)
  }
  read({ after, around, before, earliest, limit, until }: Window): Page {
    const from = after === undefined ? 0 : this.#index(after, true)
    const last = until === undefined ? this.length : this.indexAfter(until)
    const to = Math.min(last, before === undefined ? this.length : this.#index(before, false))
    const middle = around === undefined ? undefined : this.#index(around, false) - (limit >> 1)
    const start = Math.max(from, middle ?? (earliest === true ? from : to - limit))
    const end = earliest === true || middle !== undefined ? Math.min(to, start + limit) : to
    const entries: Array<Entry> = []
    for (let i = start; i < end; i++) entries.push(this.at(i))
    const enough = typeof after === "number" && after < Infinity
      ? start === from && end === to && after >= this.forgotten
      : (to - from >= limit && earliest !== true) || this.forgotten === 0
    return { entries, complete: enough }
  }
}

/** What is remembered of a room: what was said apart from who came and went, so that a crowd at the door drowns no talk. */
class Memory {
  readonly name: string
  readonly said: Ring
  readonly other: Ring
  /** Where something happened before and after it last did here: a circle, to put one in and take one out without looking. */
  older: Memory = this
  newer: Memory = this
  constructor(name: string, history: number) {
    this.name = name
    this.said = new Ring(history)
    this.other = new Ring(history)
  }
  leave(): void {
    this.older.newer = this.newer
    this.newer.older = this.older
  }
  standBefore(newer: Memory): void {
    this.leave()
    this.newer = newer
    this.older = newer.older
    this.newer.older = this.older.newer = this
  }
}

/** Several memories, of which those are let go in which nothing happened for longest. */
class Memories {
  readonly #memories = new Map<string, Memory>()
  /** Stands between the newest and the oldest. */
  readonly #end = new Memory("", 0)
  readonly #history: number
  readonly #seq: () => number
  /** Up to this sequence number what is not here may have been let go. */
  letGo = 0

  constructor(history: number, seq: () => number) {
    this.#history = history
    this.#seq = seq
  }

  get(name: string): Memory | undefined {
    return this.#memories.get(name)
  }

  /** The one of this name, to put something in. */
  of(name: string): Memory {
    const found = this.#memories.get(name) ?? this.#begin(name)
    if (found.newer !== this.#end) found.standBefore(this.#end)
    return found
  }

  #begin(name: string): Memory {
    const begun = new Memory(name, this.#history)
    begun.said.forgotten = begun.other.forgotten = this.letGo
    if (this.#memories.size >= maxRemembered) this.#letOldestGo()
    this.#memories.set(name, begun)
    return begun
  }

  #letOldestGo(): void {
    const oldest = this.#end.newer
    oldest.leave()
    this.#memories.delete(oldest.name)
    this.letGo = this.#seq()
  }
}

/** A memory of the last `history` messages of each room, and as many of its other entries. Numbers begin at 1. */
export const remembering = (history: number) => {
  let seq = 0
  const rooms = new Memories(history, () => seq)
  const pairs = new Memories(history, () => seq)

  const append = (drafts: ReadonlyArray<Draft>) => {
    const entries: Array<Entry> = []
    for (const draft of drafts) {
      const { to } = draft
      const entry = kept(draft, ++seq)
      entries.push(entry)
      const { event } = entry
      const isSaid = event._tag === "Said" || event._tag === "Passed"
      if (typeof to === "string") (isSaid ? rooms.of(to).said : rooms.of(to).other).push(entry)
      else if (event._tag === "Whispered") pairs.of(whispers(to.sessions)).said.push(entry)
      else if (isOfTwo(event)) pairs.of(whispers(to.sessions)).other.push(entry)
      else { for (const room of to.rooms) rooms.of(room).other.push(entry) }
    }
    return entries
  }

  const read = (query: Query): Page => {
    const memories = query.room.endsWith(" ") ? pairs : rooms
    const found = memories.get(Name.key(query.room))
    return found === undefined
      ? { entries: [], complete: memories.letGo <= (typeof query.after === "number" ? query.after : 0), ...nowhere(query) }
      : readRoom(found.said, found.other, query)
  }

  const search = ({ before = Infinity, limit, rooms: names, words }: Wanted): Page => {
    const fits = Search.matcher(words)
    const found: Array<Entry> = []
    let complete = true
    for (const name of new Set(names.map(Name.key))) {
      const said = rooms.get(name)?.said
      complete = complete && (said?.forgotten ?? rooms.letGo) === 0
      for (let i = 0; i < (said?.length ?? 0); i++) {
        const entry = said!.at(i)
        if (entry.seq < before && entry.event._tag === "Said" && fits(entry.event.text)) found.push(entry)
      }
    }
    found.sort((a, b) => a.seq - b.seq)
    return { entries: found.slice(Math.max(0, found.length - limit)), complete: complete && found.length <= limit }
  }

  return { append, read, search }
}
