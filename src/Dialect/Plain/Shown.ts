/**
 * What people are shown: each event in words, where they are and who they are taken from it. Knows nothing of what they type.
 */
import type { Heard, Rendering, Stamp, Telling } from "../../Dialect.ts"
import * as Base from "../../Dialect.ts"
import type { Event } from "../../Event.ts"
import * as Name from "../../Name.ts"
import * as Text from "../../Text.ts"
import * as Words from "../Words.ts"
import { entered, isHere, kickedFrom, type State, turnFrom, withRooms } from "./State.ts"

const lines = (here: boolean): Rendering =>
  Base.rendering({ line: (entry) => Words.event(entry.event, here), quick: (entry, sheet) => Words.quick(entry.event, here, sheet), crowd: Words.crowd, arrivals: Words.arrivals })
const current = lines(true)
const elsewhere = lines(false)

const authors = (event: Event): string | undefined =>
  event._tag === "Said" || event._tag === "Passed" || event._tag === "Whispered" || event._tag === "Joined"
    || event._tag === "Left" || event._tag === "Quit"
    ? event.nick
    : event._tag === "Invited"
    ? event.by
    : undefined

const text = (state: State, words: string): Telling<State> => ({
  state,
  bytes: words.length === 0 ? Base.silent : Text.encode(words)
})

const nowTalking = (before: State, after: State): string => {
  const room = after.talking
  const other = after.rooms.findLast(({ stage }) => stage === "in")
  return room === undefined || (room.stage === "kicked" && other === undefined)
    ? Words.notice("you are in no room now; /join lobby to come back")
    : room.stage === "kicked"
    ? Words.notice(`you are talking nowhere now; /join ${other!.name} to talk there`)
    : room.key === before.rooms[before.rooms.length - 1]?.key
    ? ""
    : Words.notice(`you are talking in ${Name.withHash(room.name)} now`)
}

/** Telling what the person did, or what was done to them. */
const tellOwn = (state: State, event: Event): Telling<State> => {
  switch (event._tag) {
    case "Joined":
      return { state: entered(state, event.room), bytes: Base.silent }
    case "Kicked":
    case "Left": {
      if (Name.key(event.nick) !== Name.key(state.nick)) return text(state, Words.event(event, true))
      const key = Name.key(event.room)
      const after = event._tag === "Kicked" ? kickedFrom(state, key) : turnFrom(state, key)
      return text(after, Words.ownEvent(event) + nowTalking(state, after))
    }
    case "Renamed":
      return text({ ...state, nick: event.to }, Words.ownEvent(event))
    case "Said":
    case "Passed":
      return text(state, state.echo ? Words.event(event, isHere(state, event.room)) : "")
    default:
      return text(state, Words.ownEvent(event))
  }
}

const refusedJoin = (state: State): State =>
  withRooms(state, state.rooms.flatMap((place) => place.stage !== "asked" ? [place] : place.again === true ? [{ ...place, stage: "kicked" }] : []))

const refusedPart = (state: State): State =>
  withRooms(state, state.rooms.map((place) => place.stage === "leaving" ? { ...place, stage: "in" } : place))

export const tell = (state: State, event: Heard, stamp: Stamp): Telling<State> => {
  if (event._tag === "Fenced" || event._tag === "Observed" || event._tag === "Controlled") return text(state, "")
  if (event._tag === "Recalled") {
    const shown = event.entries.filter((entry) => !state.ignored.has(Name.key(authors(entry.event) ?? "")))
    return text(state, Words.recalled(event, shown))
  }
  if (event._tag === "Welcome") {
    const { sought: _, wish: __, ...here } = { ...state, nick: event.nick }
    return text(here, Words.event(event, true) + (event.nick === state.wish ? Words.called(event.nick) : ""))
  }
  if (event._tag === "Refused" && event.command === "Join") return text(refusedJoin(state), Words.event(event, true))
  if (event._tag === "Refused" && event.command === "Part") return text(refusedPart(state), Words.event(event, true))
  const aboutMe = stamp.mine || (event._tag === "Kicked" && Name.key(event.nick) === Name.key(state.nick))
  if (aboutMe) return tellOwn(state, event)
  if (event._tag === "Renamed" && state.ignored.has(Name.key(event.nick))) {
    const ignored = new Set(state.ignored)
    ignored.delete(Name.key(event.nick))
    return text({ ...state, ignored: ignored.add(Name.key(event.to)) }, Words.event(event, true))
  }
  const author = authors(event)
  if (author !== undefined && state.ignored.has(Name.key(author))) return text(state, "")
  return text(state, Words.event(event, "room" in event && event.room !== undefined ? isHere(state, event.room) : true))
}

/** How a room looks to others than those whom it is about. */
export const rendering = (state: State, room: string): Rendering | undefined =>
  state.ignored.size > 0 ? undefined : state.talking?.key === room ? current : elsewhere
