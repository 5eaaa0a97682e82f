/**
 * What the world is: who is here, who holds which nick, what rooms there are. An immutable value.
 * Knows neither rules nor how it changes.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Rank } from "../Command.ts"
import type { SessionId } from "../Event.ts"
import * as Name from "../Name.ts"

/** Somebody in a seat. */
export interface Person {
  readonly id: SessionId
  readonly nick: string
  readonly dialect: string
  readonly address: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** Why away; `undefined` when here. */
  readonly away: string | undefined
  /** Keys of the rooms this person is in. */
  readonly rooms: ReadonlySet<string>
}

/** A room that somebody is in, or the lobby. */
export interface Room {
  readonly name: string
  readonly topic: string
  readonly moderated: boolean
  readonly members: HashMap.HashMap<SessionId, Rank>
  /** How many members are operators. */
  readonly operators: number
}

export interface World {
  readonly persons: HashMap.HashMap<SessionId, Person>
  /** Nick keys to who holds them. */
  readonly nicks: HashMap.HashMap<string, SessionId>
  readonly rooms: HashMap.HashMap<string, Room>
}

/** A room that nobody is in yet. */
export const emptyRoom = (name: string): Room => ({ name, topic: "", moderated: false, members: HashMap.empty(), operators: 0 })

/** Nobody here; only the lobby. */
export const empty: World = {
  persons: HashMap.empty(),
  nicks: HashMap.empty(),
  rooms: HashMap.make([Name.lobby, emptyRoom(Name.lobby)])
}

/** Who has this session. */
export const person = (world: World, id: SessionId): Person | undefined =>
  Option.getOrUndefined(HashMap.get(world.persons, id))

/** The room of this name, if there is one. */
export const room = (world: World, name: string): Room | undefined =>
  Option.getOrUndefined(HashMap.get(world.rooms, Name.key(name)))

/** Who holds this nick. */
export const holder = (world: World, nick: string): Person | undefined => {
  const id = HashMap.get(world.nicks, Name.key(nick))
  return Option.isSome(id) ? person(world, id.value) : undefined
}

/** What this session may do in the room; `undefined` when it is not in it. */
export const rank = (inRoom: Room, id: SessionId): Rank | undefined =>
  Option.getOrUndefined(HashMap.get(inRoom.members, id))

/** Whoever opens a room runs it; the lobby is nobody's. */
const firstRank = (of: Room): Rank =>
  HashMap.isEmpty(of.members) && Name.key(of.name) !== Name.lobby ? "operator" : "member"

/** The room with one more member. */
export const withMember = (of: Room, id: SessionId): Room => {
  const ranked = firstRank(of)
  return {
    ...of,
    members: HashMap.set(of.members, id, ranked),
    operators: of.operators + (ranked === "operator" ? 1 : 0)
  }
}
