/**
 * Which of a room's entries somebody asks for, whatever they are kept in: the rules that all logs read by. Knows none of them.
 */
import type { Mark } from "../Command.ts"

/**
 * Which entries of a room: those after and before these places (both exclusive), the last `limit` of them, or the first
 * where `earliest` says so, or those `around` a place, it included. A message that the log does not know is after everything, and
 * the answer says so.
 */
export interface Query {
  readonly room: string
  readonly after: Mark | undefined
  readonly before: Mark | undefined
  readonly limit: number
  readonly earliest?: boolean
  readonly around?: Mark
  /** Nothing after this sequence number. */
  readonly until?: number
  /** `after` and `before` are the ends in either order; the `limit` nearest to `after`. */
  readonly between?: boolean
  /** Only what was said, not who came and went. */
  readonly messages: boolean
}

/** A mark that says where it is by itself. */
export type Place = Exclude<Mark, { readonly id: string }>

/** Which entries of one kind, where they are. */
export interface Window extends Omit<Query, "room" | "messages" | "after" | "before" | "around"> {
  readonly after: Place | undefined
  readonly before: Place | undefined
  readonly around: Place | undefined
}

/**
 * Some of a room's entries in order, whether they are all that was asked for, and whether it was by a message that is not known, or
 * from the later of two places back.
 */
export interface Found<E> {
  readonly entries: ReadonlyArray<E>
  readonly complete: boolean
  readonly unknown?: boolean
  readonly backwards?: boolean
}

/** A room's entries of one kind. What was said stands apart from who came and went, so that a crowd at the door drowns no talk. */
export interface Shelf<E> {
  /** The sequence number of the entry with this id. */
  readonly find: (id: string) => number | undefined
  /** Whether something happened between two places that are given from the later one back. */
  readonly isBackwards: (window: Window) => boolean
  readonly read: (window: Window) => Found<E>
}

interface Standing {
  readonly seq: number
  readonly at: number
}

const merge = <E extends Standing>(a: ReadonlyArray<E>, b: ReadonlyArray<E>): ReadonlyArray<E> =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b].sort((x, y) => x.seq - y.seq)

const notKnown = { unknown: true } as const
const known = {}

const isById = (mark: Mark | undefined): boolean => typeof mark === "object" && "id" in mark

/** What is said besides where there is nothing: any message it is asked by is not known. */
export const nowhere = ({ after, around, before }: Query): { readonly unknown?: true } => [after, around, before].some(isById) ? notKnown : known

/** Of a room's entries those that are asked for. */
export const readRoom = <E extends Standing>(said: Shelf<E>, other: Shelf<E>, query: Query): Found<E> => {
  let told: { readonly unknown?: true; readonly backwards?: true } = known
  /** Where a mark is: at its message, or after everything when nobody knows that. */
  const placed = (mark: Mark | undefined): Place | undefined => {
    if (mark === undefined || typeof mark === "number" || "at" in mark) return mark
    const found = said.find(mark.id) ?? other.find(mark.id)
    if (found === undefined) told = { ...told, ...notKnown }
    return found ?? Infinity
  }
  /** With its ends in order: of what is between two places given from the later one back, the last are nearest to where it begins. */
  const inOrder = (window: Window): Window => {
    if (window.between !== true || !(said.isBackwards(window) || other.isBackwards(window))) return window
    told = { ...told, backwards: true }
    return { ...window, after: window.before, before: window.after, earliest: false }
  }

  const { limit } = query
  const around = placed(query.around)
  const window = inOrder({ ...query, after: placed(query.after), before: placed(query.before), around })
  const spoken = said.read(window)
  if (query.messages) return { ...spoken, ...told }
  const rest = other.read(window)
  const entries = merge(spoken.entries, rest.entries)
  const start = around !== undefined
    ? Math.max(0, entries.filter(({ at, seq }) => typeof around === "number" ? seq < around : at < around.at).length - (limit >> 1))
    : window.earliest === true
    ? 0
    : Math.max(0, entries.length - limit)
  return {
    entries: entries.slice(start, start + limit),
    complete: spoken.complete && rest.complete && (query.after === undefined || entries.length <= limit),
    ...told
  }
}
