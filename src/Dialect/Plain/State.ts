/**
 * What is kept of a person on nc or telnet: which rooms a line may go to, in which order, and whom the person ignores.
 * Knows no bytes and no words.
 */
import type { Close, Reply } from "../../Dialect.ts"
import type * as Line from "../../Line.ts"
import * as Name from "../../Name.ts"
import type * as Telnet from "../../Telnet.ts"
import type * as Turns from "../Turns.ts"

/** Longest line that is said, and the most that may come without a line ending, in bytes. */
export const maxLine = 4096
export const maxPending = 16_384

/** How many people one may ignore. */
export const maxIgnored = 100

/** How many messages a newcomer to a room is shown. */
export const replayed = 20

/**
 * A room this person is in, has asked to come into, or has asked to leave; or talked in when kicked out of it, and talks to still, to
 * be told so: what was typed for it is for no other.
 */
export interface Place {
  readonly key: string
  readonly name: string
  /** How it is called when something is said to it. */
  readonly target: string
  readonly stage: "asked" | "in" | "leaving" | "kicked"
  /** Asked for again by who was kicked out of it. */
  readonly again?: boolean
}

/** What comes of bytes before it is understood: a line, or what is to be done whatever it was. */
export type Item = Line.Line | Reply | Close

export interface State {
  readonly server: string
  readonly echo: boolean
  readonly nick: string
  /** What to be called from the start, said by who has not come in yet. */
  readonly wish?: string
  /** The nick asked for last by who has not come in yet: under it comes in whoever has to give a password first. */
  readonly sought?: string
  readonly telnet: Telnet.Telnet
  readonly pending: Line.Pending
  /** What is heard when what came before it was answered. */
  readonly waiting: Turns.Waiting<Item>
  readonly begun: boolean
  /** Rooms in the order in which they were turned to. */
  readonly rooms: ReadonlyArray<Place>
  /** Where a line goes: to the last of them that is not being left. */
  readonly talking: Place | undefined
  /** Keys of the nicks that are not listened to. */
  readonly ignored: ReadonlySet<string>
}

export const placeIn = (room: string, stage: Place["stage"]): Place => ({ key: Name.key(room), name: room, target: Name.withHash(room), stage })

/** The same with these rooms. */
export const withRooms = (state: State, rooms: ReadonlyArray<Place>): State => ({
  ...state,
  rooms,
  talking: rooms.findLast(({ stage }) => stage !== "leaving")
})

export const turnTo = (state: State, room: string): State => {
  const key = Name.key(room)
  const known = state.rooms.find((place) => place.key === key && place.stage === "in")
  const again = state.rooms.some((place) => place.key === key && (place.stage === "kicked" || place.again === true))
  const others = state.rooms.filter((place) => place.key !== key && (known === undefined || place.stage !== "kicked"))
  return withRooms(state, [...others, known ?? (again ? { ...placeIn(room, "asked"), again } : placeIn(room, "asked"))])
}

export const turnFrom = (state: State, key: string): State => withRooms(state, state.rooms.filter((place) => place.key !== key))

/** Out of this room against one's will. */
export const kickedFrom = (state: State, key: string): State =>
  state.talking?.key === key
    ? withRooms(state, state.rooms.map((place) => place.key === key ? { ...place, stage: "kicked" } : place))
    : turnFrom(state, key)

/** Nothing more is said to this room, which the person is in until told to have left. */
export const turnAway = (state: State, key: string): State =>
  withRooms(state, state.rooms.map((place) => place.key === key ? { ...place, stage: "leaving" } : place))

export const isHere = (state: State, room: string): boolean => state.talking?.key === Name.key(room)

export const entered = (state: State, room: string): State => {
  const place = placeIn(room, "in")
  const { key } = place
  const rooms = state.rooms.filter((known) => known.stage !== "kicked" || known.key === key)
  const isKnown = rooms.some((known) => known.key === key)
  return withRooms(state, isKnown ? rooms.map((known) => known.key === key ? place : known) : [...rooms, place])
}
