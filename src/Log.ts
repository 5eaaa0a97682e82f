/**
 * The one order of everything that happened, as a port, and the log that keeps it in memory.
 * Fixes the order and says when an event is kept; knows no rules and shows nothing to anybody.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Entry, Fact, SessionId } from "./Event.ts"
import { type Place, type Query, readRoom, type Shelf, type Window } from "./Log/Window.ts"
import * as Name from "./Name.ts"
import * as Search from "./Search.ts"
import type { Audience, Recall } from "./World.ts"

export type { Query } from "./Log/Window.ts"

/** Something could not be kept, or not be read; `message` is the end of a sentence for a person. */
export class LogError extends Data.TaggedError("LogError")<{ readonly message: string; readonly cause?: unknown }> {}

/** An event that is to be kept: all of an entry but its place, and the rooms whose history it belongs to. */
export interface Draft extends Omit<Entry, "seq"> {
  readonly to: Audience
}

/** Of how many rooms the memory log remembers anything; those are let go in which nothing happened for longest. */
export const maxRemembered = 4096

/**
 * What somebody reads of a room. `inside` is the number of the room, for those who may read what happened in it behind closed
 * doors besides: it is kept under another name, and logs are asked for both.
 */
export interface Reading extends Query {
  readonly inside?: number
}

/** What to read for somebody who asked for it at this place in the order: what comes after that comes to them by itself. */
export const asked = ({ after, around, before, between, earliest, events, inside, limit, room, whispered, why }: Recall, at: number): Reading => ({
  room: whispered === undefined ? room : whispers(whispered),
  after,
  before,
  limit,
  messages: why !== "resumed" && events !== true,
  until: Math.floor(at),
  ...(earliest === undefined ? {} : { earliest }),
  ...(around === undefined ? {} : { around }),
  ...(between === undefined ? {} : { between }),
  ...(inside === undefined ? {} : { inside })
})

/** By this name what two sessions whisper to each other is read as a room's past is; no room can be called so. */
export const whispers = (sessions: ReadonlyArray<SessionId>): string => [...new Set(sessions)].sort().join(" ") + " "

/** What people are told of each other in tags that holds for a moment only (https://ircv3.net/specs/client-tags/typing). */
const passing: ReadonlySet<string> = new Set(["+typing", "+draft/typing"])

/** Whether what happened is read later as the past of two sessions: what was whispered, and what tags one told the other that are of use then. */
export const isOfTwo = (event: Fact): boolean =>
  event._tag === "Whispered" || (event._tag === "Hinted" && event.to !== undefined && Object.keys(event.tags).some((tag) => !passing.has(tag)))

/** Entries in order. `complete` is false when the log knows that it has forgotten some that were asked for. */
export interface Page {
  readonly entries: ReadonlyArray<Entry>
  readonly complete: boolean
}

/** The first of what was asked for; `more` when there are more after them that could be read. */
export interface Stretch extends Page {
  readonly more: boolean
}

/**
 * The first `limit` of what a room has after a sequence number, to read on from the last of them; not `complete` where
 * something before the first of them is forgotten.
 */
export const stretch = (
  read: (reading: Reading) => Effect.Effect<Page, LogError>,
  reading: Reading & { readonly after: number }
): Effect.Effect<Stretch, LogError> =>
  Effect.flatMap(read({ ...reading, earliest: true }), ({ complete, entries }) => {
    if (complete || entries.length === 0) return Effect.succeed({ entries, complete, more: false })
    // It is incomplete because there is more of it, or because some of it is forgotten, or both.
    const upToFirst = read({ ...reading, before: entries[0]!.seq + 1, limit: 1, earliest: true })
    return Effect.map(upToFirst, (page) => ({ entries, complete: page.complete, more: entries.length === reading.limit }))
  })

/**
 * What was said in any of these rooms with all of these words in it, in whatever case: the last `limit`, of those before a
 * sequence number (exclusive) where one is given. Whoever asks must know that its asker may read these rooms.
 */
export interface Wanted {
  readonly rooms: ReadonlyArray<string>
  readonly words: string
  readonly before?: number
  readonly limit: number
}

/** The world as it was right after the entry `seq`, as text that only the hub understands. */
export interface Snapshot {
  readonly seq: number
  readonly world: string
}

/** What was kept before this process began. */
export interface Recovered {
  /** The sequence number of the last entry kept; 0 for none. */
  readonly seq: number
  readonly snapshot: Snapshot | undefined
  /** Every entry after the snapshot (after nothing, without one), in order. */
  readonly entries: Stream.Stream<Entry, LogError>
}

export class Log extends Context.Service<Log, {
  /** Names this order: sequence numbers of different epochs have nothing to do with each other. */
  readonly epoch: string
  /**
   * Keep these, in this order, all or none. When it succeeds they are kept as well as this log keeps anything, and
   * carry sequence numbers greater than any before. One caller at a time. A log that never has to wait may have kept them
   * when this returns: then it returns an `Exit`, for which no fiber is needed.
   */
  readonly append: (drafts: ReadonlyArray<Draft>) => Effect.Effect<ReadonlyArray<Entry>, LogError>
  /** A room's entries, as they are when it is called or when it is run. Where it need not be waited for, it is an `Exit`. */
  readonly read: (query: Query) => Effect.Effect<Page, LogError>
  /** What was said with these words in it. `complete` is false when there is more of it, or something was forgotten. */
  readonly search: (wanted: Wanted) => Effect.Effect<Page, LogError>
  /** What there was before this process: to be asked for before anything is appended. */
  readonly recover: Effect.Effect<Recovered, LogError>
  /** Keep a snapshot, so that `recover` need not begin before it. Nothing that is appended meanwhile waits for it. */
  readonly keepSnapshot: (snapshot: Snapshot) => Effect.Effect<void, LogError>
  /** Whether the last attempt to write worked. */
  readonly writes: Effect.Effect<boolean>
  /** Nothing of it outlives the process, so there is no use in snapshots. */
  readonly isFleeting?: boolean
}>()("effect-chat/Log") {
  /** A log that keeps the last `history` messages of each room, and as many of its other entries, while it lives. */
  static readonly layerMemory = (options: { readonly history: number }): Layer.Layer<Log> =>
    Layer.effect(Log, Effect.map(newEpoch, (epoch) => Log.of(makeMemory(options.history, epoch))))
}

/** A name for a log, made at random. */
export const newEpoch: Effect.Effect<string> = Effect.map(Random.nextInt, (number) => Math.abs(number).toString(36))

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
interface Memory {
  readonly said: Ring
  readonly other: Ring
  /** When something was put in last, as a number that grows. */
  used: number
}

/** Whether there is nothing to wait for. */
export const isDone = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Exit<A, E> => Exit.isExit(effect)

/** A draft with its place. Nearly all have these fields; a copy of each field by name takes a third of the time of a copy of all. */
export const kept = (draft: Draft, seq: number): Entry => {
  const { at, bot, by, event, from, id, more } = draft
  if (from !== undefined && bot === undefined && more === undefined) return { seq, at, id, by, from, event }
  const { to: _, ...fields } = draft
  return { seq, ...fields }
}

/** Several memories, of which those are let go in which nothing happened for longest. */
class Memories {
  readonly #memories = new Map<string, Memory>()
  readonly #history: number
  readonly #seq: () => number
  #uses = 0
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
    found.used = ++this.#uses
    return found
  }

  #begin(name: string): Memory {
    const begun = { said: new Ring(this.#history), other: new Ring(this.#history), used: 0 }
    begun.said.forgotten = begun.other.forgotten = this.letGo
    if (this.#memories.size >= maxRemembered) this.#letOldestGo()
    this.#memories.set(name, begun)
    return begun
  }

  #letOldestGo(): void {
    let oldest = ""
    let least = Infinity
    for (const [name, { used }] of this.#memories) {
      if (used >= least) continue
      oldest = name
      least = used
    }
    this.#memories.delete(oldest)
    this.letGo = this.#seq()
  }
}

const makeMemory = (history: number, epoch: string): Log["Service"] => {
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
      ? { entries: [], complete: memories.letGo <= (typeof query.after === "number" ? query.after : 0) }
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

  return {
    epoch,
    search: (wanted) => Effect.sync(() => search(wanted)),
    recover: Effect.succeed({ seq: 0, snapshot: undefined, entries: Stream.empty }),
    keepSnapshot: () => Effect.void,
    writes: Effect.succeed(true),
    isFleeting: true,
    append: (drafts) => Exit.succeed(append(drafts)),
    read: (query) => Exit.succeed(read(query))
  }
}
