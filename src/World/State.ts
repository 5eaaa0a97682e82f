/**
 * What the world is: who is here, who holds which nick, what rooms there are. An immutable value.
 * Knows neither rules nor how it changes.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Flag, type MaskList, type Rank, runs, type Trait } from "../Command.ts"
import type { SessionId } from "../Event.ts"
import * as Mask from "../Mask.ts"
import * as Name from "../Name.ts"
import * as Roster from "./Roster.ts"

/** Somebody in a seat. */
export interface Person extends Mask.Marks {
  readonly id: SessionId
  /** The how-manieth to arrive: who came first, whatever the clock said. */
  readonly number: number
  readonly realname: string
  readonly dialect: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** Why away; `undefined` when here. */
  readonly away: string | undefined
  /** Keys of the rooms this person is in. */
  readonly rooms: ReadonlySet<string>
  readonly traits: ReadonlySet<Trait>
  /** An operator of the server. */
  readonly operator: boolean
  /** Keys of the nicks whose coming and going this person wants to be told, and how they wrote them. */
  readonly watches: ReadonlyMap<string, string>
}

/** A mask on one of a room's lists: who put it there, and when (milliseconds since 1970). */
export interface Listed {
  readonly mask: string
  readonly by: string
  readonly at: number
}

/** Somebody who was in a room when the server closed, as `nick!user@address`: what they were there, and since when they are away. */
export interface Absent {
  readonly who: string
  readonly rank: Rank
  /** Milliseconds since 1970. */
  readonly at: number
}

/** That a room outlived the server: since when, and who has not come back to it. */
export interface Wait {
  /** Milliseconds since 1970. */
  readonly since: number
  /** The server closed and has not begun again: the time counts from when it does. */
  readonly closing: boolean
  readonly absent: ReadonlyArray<Absent>
}

/** A room that somebody is in, or the lobby; or one that waits for those who were in it when the server closed. */
export interface Room {
  readonly name: string
  /** The how-manieth room it is that was opened: no other has its number, though others had its name; the lobby's is 0. */
  readonly number: number
  /** Milliseconds since 1970. */
  readonly since: number
  readonly topic: string
  /** Who set the topic, as `nick!user@address`, and when. */
  readonly topicBy: string
  readonly topicAt: number
  readonly moderated: boolean
  readonly flags: ReadonlySet<Flag>
  readonly key: string | undefined
  readonly limit: number | undefined
  readonly masks: Readonly<Record<MaskList, ReadonlyArray<Listed>>>
  /** Who was invited by somebody who ran it, and has not come yet. */
  readonly invited: ReadonlySet<SessionId>
  readonly members: HashMap.HashMap<SessionId, Rank>
  /** The same members; a piece of it is another when the nick, the rank or the being away of anybody in it is. */
  readonly roster: Roster.Roster
  /** How many members run it. */
  readonly operators: number
  /** Whether it was ever closed to those outside. */
  readonly wasClosed: boolean
  readonly wait: Wait | undefined
}

/** Somebody who had this nick once. */
export interface Past extends Mask.Marks {
  readonly realname: string
  readonly at: number
}

/** The world as it is after some event. */
export interface World {
  readonly persons: HashMap.HashMap<SessionId, Person>
  /** Nick keys to who holds them. */
  readonly nicks: HashMap.HashMap<string, SessionId>
  readonly rooms: HashMap.HashMap<string, Room>
  /** Rooms in which nobody is since the server closed, by their keys. They are there for nobody but those who join them. */
  readonly waiting: HashMap.HashMap<string, Room>
  /** Of names whose room is gone, and was closed to those outside at some time, the number of the last such room. */
  readonly gone: HashMap.HashMap<string, number>
  /** How many rooms were opened, and how many people arrived. */
  readonly opened: number
  readonly arrived: number
  /** Nick keys to who wants to be told of them. */
  readonly watchers: HashMap.HashMap<string, ReadonlySet<SessionId>>
  /** Who held a nick before, oldest first. */
  readonly past: ReadonlyArray<Past>
  /** The most that were here at once. */
  readonly most: number
  /** How many are invisible, and how many are operators of the server. */
  readonly invisible: number
  readonly operators: number
}

const flags: ReadonlySet<Flag> = new Set(["topic-locked", "members-only"] as const)
const noMasks: Room["masks"] = { ban: [], exception: [], invitation: [] }
const nobody: ReadonlySet<never> = new Set()

/** A room that nobody is in yet. */
export const emptyRoom = (name: string, at: number, number: number): Room => ({
  name,
  number,
  since: at,
  topic: "",
  topicBy: "",
  topicAt: 0,
  moderated: false,
  flags,
  key: undefined,
  limit: undefined,
  masks: noMasks,
  invited: nobody,
  members: HashMap.empty(),
  roster: Roster.empty,
  operators: 0,
  wasClosed: false,
  wait: undefined
})

/** Nobody here; only the lobby. */
export const empty: World = {
  persons: HashMap.empty(),
  nicks: HashMap.empty(),
  rooms: HashMap.make([Name.lobby, emptyRoom(Name.lobby, 0, 0)]),
  waiting: HashMap.empty(),
  gone: HashMap.empty(),
  opened: 0,
  arrived: 0,
  watchers: HashMap.empty(),
  past: [],
  most: 0,
  invisible: 0,
  operators: 0
}

/**
 * Looks things up, and remembers what it found for as long as the same map is asked: while people only talk the world
 * stays the same value, and the same few are looked up for each message.
 */
const lookUp = <A>() => {
  let asked: HashMap.HashMap<string, A> | undefined
  const known = new Map<string, A>()
  return (map: HashMap.HashMap<string, A>, key: string): A | undefined => {
    if (map !== asked) {
      asked = map
      known.clear()
    }
    let found = known.get(key)
    if (found === undefined) {
      found = Option.getOrUndefined(HashMap.get(map, key))
      if (found !== undefined) known.set(key, found)
    }
    return found
  }
}

const lookUpPerson = lookUp<Person>()
const lookUpRoom = lookUp<Room>()

/** Who has this session. */
export const person = (world: World, id: SessionId): Person | undefined => lookUpPerson(world.persons, id)

/** The room of this name, if there is one. */
export const room = (world: World, name: string): Room | undefined => lookUpRoom(world.rooms, Name.key(name))

/** Who holds this nick. */
export const holder = (world: World, nick: string): Person | undefined => {
  const id = HashMap.get(world.nicks, Name.key(nick))
  return Option.isSome(id) ? person(world, id.value) : undefined
}

/** What this session may do in the room; `undefined` when it is not in it. */
export const rank = (inRoom: Room, id: SessionId): Rank | undefined =>
  Option.getOrUndefined(HashMap.get(inRoom.members, id))

/** The members of a room that are here, with their ranks. */
export const membersOf = (world: World, of: Room): ReadonlyArray<readonly [Person, Rank]> => {
  const found: Array<readonly [Person, Rank]> = []
  for (const [id, ranked] of of.members) {
    const member = person(world, id)
    if (member !== undefined) found.push([member, ranked])
  }
  return found
}

/** Who wants to be told of this nick. */
export const watchersOf = (world: World, nick: string): ReadonlySet<SessionId> =>
  Option.getOrElse(HashMap.get(world.watchers, Name.key(nick)), () => nobody)

/** Who may come into this room by invitation, and is still here. */
export const invitedTo = (world: World, of: Room): ReadonlySet<SessionId> =>
  new Set([...of.invited].filter((id) => HashMap.has(world.persons, id)))

/** Whether two people are in a room together. */
export const meet = (a: Person, b: Person): boolean => {
  if (a.id === b.id) return true
  for (const key of a.rooms) { if (b.rooms.has(key)) return true }
  return false
}

/** Whether somebody may be told that this room exists and who is in it. */
export const seesRoom = (of: Room, who: Person | undefined): boolean =>
  !of.flags.has("secret") || (who !== undefined && (who.rooms.has(Name.key(of.name)) || who.operator))

/** Whether somebody is on a list, of which some may be for another purpose than this. */
export const listed = (masks: ReadonlyArray<Listed>, who: Mask.Marks, prefix = ""): boolean =>
  masks.some(({ mask }) =>
    mask.startsWith(prefix) && (prefix !== "" || !mask.startsWith(muting)) && Mask.fits(mask.slice(prefix.length), Mask.written(who))
  )

/** How a mask among the bans begins that only forbids to talk, and one among the exceptions that only exempts from those. */
export const muting = "m:"

/** How long a room waits for those who were in it when the server closed, in milliseconds. */
export const patience = 86_400_000

/** Of how many names it is known that a room was there that was closed; of more of them the oldest is forgotten. */
export const maxGone = 4096

/** Most rooms that wait. */
export const maxWaiting = 4096

/** Most people that one room waits for. */
export const maxAbsent = 1000

/** Whether it is too late to come back to what waits since then. */
export const tooLate = (since: number, at: number): boolean => at - since > patience

/** The room of this name that waits for those who were in it. */
export const waitingRoom = (world: World, name: string, at: number): Room | undefined => {
  const of = Option.getOrUndefined(HashMap.get(world.waiting, Name.key(name)))
  return of?.wait === undefined || tooLate(of.wait.since, at)
    ? undefined
    : { ...of, wait: { ...of.wait, absent: of.wait.absent.filter((absent) => !tooLate(absent.at, at)) } }
}

/** The room that somebody joins by this name: the one that is there, the one that waits, or a new one. */
export const joined = (world: World, name: string, at: number): Room =>
  room(world, name) ?? waitingRoom(world, name, at) ?? emptyRoom(name, at, world.opened + 1)

/** Whether nobody from outside may come in or learn what is said: it takes a key or an invitation, or is secret. */
export const isClosed = (of: Room): boolean => of.key !== undefined || of.flags.has("invite-only") || of.flags.has("secret")

/** Where what happens behind closed doors is kept: no room has a space in its name, and none has the number of another. */
export const behind = (key: string, number: number): string => `${key} ${number}`

/** What those inside may read besides what anybody may, where there is anything: see `Recall.inside`. */
export const insideOf = ({ number, wasClosed }: Room): { readonly inside?: number } => wasClosed ? { inside: number } : {}

/**
 * The rooms whose history says that the server began again: the lobby, those that somebody was in, and those that wait since it
 * closed; by the names under which the log keeps it.
 */
export const leftBehind = (world: World): ReadonlyArray<string> => {
  const keys: Array<string> = []
  const put = (key: string, of: Room) => keys.push(isClosed(of) ? behind(key, of.number) : key)
  for (const [key, of] of world.rooms) put(key, of)
  for (const [key, of] of world.waiting) if (of.wait?.closing === true) put(key, of)
  return keys
}

/** The number of the room that is gone and had this one's name, of which those who were in it may have missed something. */
export const formerOf = ({ gone }: World, { name }: Room): { readonly former?: number } => {
  const former = HashMap.isEmpty(gone) ? undefined : Option.getOrUndefined(HashMap.get(gone, Name.key(name)))
  return former === undefined ? {} : { former }
}

/** What somebody was in a room before the server closed, if the room waits for them. */
export const absence = ({ wait }: Room, who: Mask.Marks, at: number): Absent | undefined => {
  if (wait === undefined || wait.absent.length === 0) return undefined
  const written = Name.key(Mask.written(who))
  return wait.absent.find((absent) => Name.key(absent.who) === written && !tooLate(absent.at, at))
}

/** Whether many may be at this address: this machine's own is everybody's who comes by way of it. */
export const isShared = (address: string): boolean => /^(::ffff:)?127\.|^::1$/.test(address)

/** Whoever opens a room runs it, unless it waits for somebody who does; the lobby is nobody's. */
const firstRank = (of: Room): Rank =>
  HashMap.isEmpty(of.members) && Name.key(of.name) !== Name.lobby && of.wait?.absent.some((absent) => runs(absent.rank)) !== true
    ? "operator"
    : "member"

/** What was made last, which is made again where whoever comes was told of it before it happened. */
let entered: { readonly of: Room; readonly id: SessionId; readonly room: Room } | undefined

/** The room with one more member. */
export const withMember = (of: Room, { id, number }: Person): Room => {
  if (entered?.of === of && entered.id === id) return entered.room
  const ranked = firstRank(of)
  const room: Room = {
    ...of,
    members: HashMap.set(of.members, id, ranked),
    roster: Roster.add(of.roster, number, id),
    invited: of.invited.has(id) ? new Set([...of.invited].filter((other) => other !== id)) : of.invited,
    operators: of.operators + (runs(ranked) ? 1 : 0)
  }
  entered = { of, id, room }
  return room
}
