/**
 * Who is in a room, in the order in which they came to the server, in pieces of a few: as long as nobody in a piece changes it
 * stays the same value, so what was made of it once can be told again. Knows no person.
 */
import type { SessionId } from "../Event.ts"

/** Those whose number divided by `span` is `at`, lowest number first. Both lists are as long. */
export interface Piece {
  readonly at: number
  readonly numbers: ReadonlyArray<number>
  readonly ids: ReadonlyArray<SessionId>
}

/** By `at`, growing; no piece is empty. The same members make the same roster, whoever came and went in between. */
export type Roster = ReadonlyArray<Piece>

/** How many numbers a piece is for. */
export const span = 32

export const empty: Roster = []

/** Where in a growing list something stands, or would stand. */
const place = <A>(list: ReadonlyArray<A>, value: number, of: (one: A) => number): number => {
  let low = 0
  // Who comes is mostly the last.
  let high = list.length > 0 && of(list[list.length - 1]!) < value ? low = list.length : list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (of(list[middle]!) < value) low = middle + 1
    else high = middle
  }
  return low
}

const atOf = ({ at }: Piece): number => at
const itself = (number: number): number => number

const inserted = <A>(list: ReadonlyArray<A>, index: number, one: A): ReadonlyArray<A> => {
  const changed = list.slice()
  if (index === list.length) changed.push(one)
  else changed.splice(index, 0, one)
  return changed
}

const replaced = <A>(list: ReadonlyArray<A>, index: number, one: A): ReadonlyArray<A> => {
  const changed = list.slice()
  changed[index] = one
  return changed
}

const removed = <A>(list: ReadonlyArray<A>, index: number): ReadonlyArray<A> => list.filter((_, i) => i !== index)

/** The roster with one more, who is not in it yet. `number` is the person's. */
export const add = (roster: Roster, number: number, id: SessionId): Roster => {
  const at = Math.floor(number / span)
  const index = place(roster, at, atOf)
  const piece = roster[index]
  if (piece?.at !== at) return inserted(roster, index, { at, numbers: [number], ids: [id] })
  const within = place(piece.numbers, number, itself)
  return replaced(roster, index, { at, numbers: inserted(piece.numbers, within, number), ids: inserted(piece.ids, within, id) })
}

/** The roster without this one, if it is in it. */
export const remove = (roster: Roster, number: number): Roster => {
  const at = Math.floor(number / span)
  const index = place(roster, at, atOf)
  const piece = roster[index]
  if (piece?.at !== at) return roster
  const within = place(piece.numbers, number, itself)
  if (piece.numbers[within] !== number) return roster
  return piece.numbers.length === 1
    ? removed(roster, index)
    : replaced(roster, index, { at, numbers: removed(piece.numbers, within), ids: removed(piece.ids, within) })
}

/** The same members, when something about this one has changed. */
export const renew = (roster: Roster, number: number): Roster => {
  const index = place(roster, Math.floor(number / span), atOf)
  const piece = roster[index]
  return piece?.numbers.includes(number) === true ? replaced(roster, index, { ...piece }) : roster
}
