/**
 * What a log keeps, and what is read of it and searched for, whatever it is kept in. Knows none of them.
 */
import type { Entry, Fact, SessionId } from "../Event.ts"
import type { Audience } from "../World.ts"

/** An event that is to be kept: all of an entry but its place, and the rooms whose history it belongs to. */
export interface Draft extends Omit<Entry, "seq"> {
  readonly to: Audience
}

/** A draft with its place. Nearly all have these fields; a copy of each field by name takes a third of the time of a copy of all. */
export const kept = (draft: Draft, seq: number): Entry => {
  const { at, bot, by, event, from, id, more } = draft
  if (from !== undefined && bot === undefined && more === undefined) return { seq, at, id, by, from, event }
  const { to: _, ...fields } = draft
  return { seq, ...fields }
}

/** By this name what two sessions whisper to each other is read as a room's past is; no room can be called so. */
export const whispers = (sessions: ReadonlyArray<SessionId>): string => [...new Set(sessions)].sort().join(" ") + " "

/** What people are told of each other in tags that holds for a moment only (https://ircv3.net/specs/client-tags/typing). */
const passing: ReadonlySet<string> = new Set(["+typing", "+draft/typing"])

const isOfUseLater = (event: Fact & { readonly _tag: "Hinted" }): boolean => Object.keys(event.tags).some((tag) => !passing.has(tag))

/** Whether what happened is read later as the past of two sessions: what was whispered, and what tags one told the other that are of use then. */
export const isOfTwo = (event: Fact): boolean =>
  event._tag === "Whispered" || (event._tag === "Hinted" && event.to !== undefined && isOfUseLater(event))

/** Changes of a room, which are told as one where they were made together. */
const changes: ReadonlySet<Fact["_tag"]> = new Set(["FlagSet", "KeySet", "LimitSet", "MaskSet", "ModeratedSet", "RankSet"] as const)

const told: ReadonlySet<Fact["_tag"]> = new Set(["Joined", "Kicked", "Left", "Passed", "Quit", "Renamed", "Said", "TopicSet", "Whispered"] as const)

/** Whether this is told to whoever asks for more of the past than what was said: who came and went, and what was changed. */
export const isPast = (event: Fact): boolean =>
  told.has(event._tag) || changes.has(event._tag) || (event._tag === "Hinted" && isOfUseLater(event))

/** Whether it is told as one with what follows. */
export const isBegun = ({ event, more }: Entry): boolean => more === true && changes.has(event._tag)

/**
 * Entries in order. `complete` is false when the log knows that it has forgotten some that were asked for; `unknown` says that a
 * message by which it was asked is none that it knows, so that what it gives is not what was meant; `backwards` that it was asked
 * from the later of two places to the earlier.
 */
export interface Page {
  readonly entries: ReadonlyArray<Entry>
  readonly complete: boolean
  readonly unknown?: boolean
  readonly backwards?: boolean
}

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
