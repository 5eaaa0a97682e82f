/**
 * The one order of everything that happened, as a port, and what a log of one's own is made with.
 * Fixes the order and says when an event is kept; knows no rules and shows nothing to anybody.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { Entry } from "./Event.ts"
import { type Draft, isBegun, isPast, type Page, type Wanted, whispers } from "./Log/Kept.ts"
import { remembering } from "./Log/Memory.ts"
import type { Query } from "./Log/Window.ts"
import type { Recall } from "./World.ts"

export { type Draft, isOfTwo, kept, type Page, type Wanted, whispers } from "./Log/Kept.ts"
export { maxRemembered, remembering } from "./Log/Memory.ts"
export { type Found, type Place, type Query, readRoom, type Shelf, type Window } from "./Log/Window.ts"
export { matcher } from "./Search.ts"

/** Something could not be kept, or not be read; `message` is the end of a sentence for a person. */
export class LogError extends Data.TaggedError("LogError")<{ readonly message: string; readonly cause?: unknown }> {}

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

/** Which of these entries is nearest to where they were asked from; the one after the last where that is behind all of them. */
export const nearest = ({ around, earliest }: Pick<Query, "around" | "earliest">, { backwards, entries }: Page): number => {
  if (around === undefined) return earliest === true && backwards !== true ? 0 : Math.max(0, entries.length - 1)
  const found = entries.findIndex(({ at, id, seq }) =>
    typeof around === "number" ? seq >= around : "at" in around ? at >= around.at : id === around.id)
  return found === -1 ? entries.length : found
}

/** At most about so many entries are read for one page of `eventful`. */
const maxThrough = 5000

/**
 * A room's past with what happened besides what was said. Changes that were made together count as one of the `limit` and are never
 * told in parts. Entries that are told to nobody later are left out, so more is read until there are enough of the others.
 */
export const eventful = (
  read: (reading: Reading) => Effect.Effect<Page, LogError>,
  reading: Reading,
  through = 2 * reading.limit + 1
): Effect.Effect<Page, LogError> =>
  Effect.flatMap(read({ ...reading, limit: through }), (page) => {
    const { around, limit } = reading
    const { entries } = page
    const ends = entries.flatMap((entry, i) => isPast(entry.event) && !isBegun(entry) ? [i] : [])
    const from = nearest(reading, page)
    const start = around !== undefined ? ends.filter((end) => end < from).length - (limit >> 1) : from === 0 ? 0 : ends.length - limit
    // One more is wanted before the first, so that it is known where that begins.
    const isShort = (ends.length <= limit && entries.length === through) || (around !== undefined && start <= 0 && from === through >> 1)
    if (isShort && through < maxThrough) return eventful(read, reading, 4 * through)
    const first = Math.max(0, start)
    const end = ends.slice(first, first + limit).at(-1) ?? -1
    const wanted = entries.slice(first === 0 ? 0 : ends[first - 1]! + 1, end + 1)
    return Effect.succeed({ ...page, entries: wanted.filter(({ event }) => isPast(event)) })
  })

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

/** Where everything that happens is kept, in its order. */
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
    Layer.effect(Log, Effect.map(newEpoch, (epoch) => {
      const { append, read, search } = remembering(options.history)
      return Log.of({
        epoch,
        append: (drafts) => Exit.succeed(append(drafts)),
        read: (query) => Exit.succeed(read(query)),
        search: (wanted) => Effect.sync(() => search(wanted)),
        recover: Effect.succeed({ seq: 0, snapshot: undefined, entries: Stream.empty }),
        keepSnapshot: () => Effect.void,
        writes: Effect.succeed(true),
        isFleeting: true
      })
    }))
}

/** A name for a log, made at random. */
export const newEpoch: Effect.Effect<string> = Effect.map(Random.nextInt, (number) => Math.abs(number).toString(36))

/** Whether there is nothing to wait for. */
export const isDone = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Exit<A, E> => Exit.isExit(effect)
