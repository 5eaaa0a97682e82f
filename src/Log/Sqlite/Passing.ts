/**
 * How drafts and entries are passed between threads: as JSON, which costs the event loop least.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Entry } from "../../Event.ts"
import { type Draft, type LogError, type Page, whispers } from "../../Log.ts"
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

/** A draft as JSON can say it: with its bytes as text, and with the rooms and the pair whose past it belongs to. */
export const plainly = (draft: Draft): unknown => {
  const { event, to } = draft
  const isPlain = event._tag !== "Passed"
  if (isPlain && typeof to === "string") return draft
  return {
    ...draft,
    event: isPlain ? event : { ...event, bytes: base64(event.bytes) },
    to: typeof to === "string" ? to : event._tag === "Whispered" ? [whispers(to.sessions)] : [...to.rooms]
  }
}

/** A page from what a thread found. */
export const pageOf = ({ complete, entries }: { readonly entries: string; readonly complete: boolean }): Page => ({ entries: entriesOf(entries), complete })

/** Everything after one entry and up to another, in order. */
export const everything = (reader: Thread<"reader">, after: number, upTo: number): Stream.Stream<Entry, LogError> =>
  Stream.paginate(after, (after) =>
    Effect.map(reader.ask("inOrder", { after, upTo, limit: slice }), (text) => {
      const entries = entriesOf(text)
      return [entries, entries.length < slice ? Option.none() : Option.some(entries.at(-1)!.seq)]
    }))
