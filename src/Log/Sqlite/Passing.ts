/**
 * How drafts and entries are passed between threads: as JSON, which costs the event loop least. Knows nothing of who asks.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Entry } from "../../Event.ts"
import { type Draft, isOfTwo, LogError, type Page, whispers } from "../../Log.ts"
import { isSaid, marks, type Put } from "./Schema.ts"
import type { Thread } from "./Thread.ts"

/** How many entries are taken at once where all are gone through. */
export const slice = 2000

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64")

/** Entries from their JSON. */
export const entriesOf = (text: string): ReadonlyArray<Entry> => {
  const entries = JSON.parse(text) as Array<Entry>
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!
    const { event } = entry
    if (event._tag === "Passed") entries[i] = { ...entry, event: { ...event, bytes: new Uint8Array(Buffer.from(event.bytes as unknown as string, "base64")) } }
  }
  return entries
}

/**
 * Drafts as the writer puts them into columns: on the first line the `Put` of each, then on a line each their events. So the
 * events are text already where they are put.
 */
export const written = (drafts: ReadonlyArray<Draft>): string => {
  const puts: Array<Put> = []
  let events = ""
  for (const { at, bot, by, event, from, id, more, to } of drafts) {
    puts.push([
      at,
      id,
      by,
      from ?? null,
      (bot === true ? marks.bot : 0) + (more === true ? marks.more : 0),
      isSaid(event._tag) ? 1 : 0,
      typeof to === "string" ? to : isOfTwo(event) ? [whispers(to.sessions)] : [...to.rooms]
    ])
    events += `\n${JSON.stringify(event._tag === "Passed" ? { ...event, bytes: base64(event.bytes) } : event)}`
  }
  return JSON.stringify(puts) + events
}

const damaged = (cause: unknown) => new LogError({ message: "the log is damaged; stop the server, and restore a backup", cause })

const understood = (text: string): Effect.Effect<ReadonlyArray<Entry>, LogError> => Effect.try({ try: () => entriesOf(text), catch: damaged })

/** A page from what a thread found. */
export const pageOf = ({ entries, ...told }: Omit<Page, "entries"> & { readonly entries: string }): Effect.Effect<Page, LogError> =>
  Effect.map(understood(entries), (entries) => ({ entries, ...told }))

/** Everything after one entry and up to another, in order. */
export const everything = (reader: Thread<"reader">, after: number, upTo: number): Stream.Stream<Entry, LogError> =>
  Stream.paginate(after, (after) =>
    Effect.map(Effect.flatMap(reader.ask("inOrder", { after, upTo, limit: slice }), understood), (entries) =>
      [entries, entries.length < slice ? Option.none() : Option.some(entries.at(-1)!.seq)]))
