/**
 * How the world changes by what happened. Holds no rule: what happened is never decided again.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Rank, runs } from "../Command.ts"
import type { Fact, SessionId } from "../Event.ts"
import * as Mask from "../Mask.ts"
import * as Name from "../Name.ts"
import * as Roster from "./Roster.ts"
import {
  type Absent,
  holder,
  invitedTo,
  isClosed,
  isShared,
  joined,
  maxAbsent,
  maxGone,
  maxWaiting,
  membersOf,
  person,
  type Person,
  rank,
  room,
  type Room,
  tooLate,
  type Wait,
  watchersOf,
  withMember,
  type World
} from "./State.ts"

/** How many who held a nick before are remembered. */
const maxPast = 256

const none: ReadonlySet<never> = new Set()
const noWatches: Person["watches"] = new Map()

/** The rooms of those who are in one alone, made last: mostly they are all in the same. */
let alone: readonly [key: string, rooms: ReadonlySet<string>] = ["", none]

const only = (key: string): ReadonlySet<string> => {
  if (alone[0] !== key) alone = [key, new Set([key])]
  return alone[1]
}

const setPerson = (world: World, who: Person): World => ({ ...world, persons: HashMap.set(world.persons, who.id, who) })

/** The world in which this person is counted as what they are now, `undefined` when gone, instead of what they were. */
const counted = (world: World, was: Person, is: Person | undefined): World => {
  const invisible = Number(is?.traits.has("invisible") === true) - Number(was.traits.has("invisible"))
  const operators = Number(is?.operator === true) - Number(was.operator)
  return invisible === 0 && operators === 0 ? world : { ...world, invisible: world.invisible + invisible, operators: world.operators + operators }
}

const setRoom = (world: World, of: Room): World => ({ ...world, rooms: HashMap.set(world.rooms, Name.key(of.name), of) })

/** Whom a room waits for, with one more: who had a rank in it, or could not come back into it without being known. */
const missing = (absent: ReadonlyArray<Absent>, of: Room, who: Person, ranked: Rank, at: number): ReadonlyArray<Absent> => {
  if (ranked === "member" && !of.flags.has("invite-only")) return absent
  const written = Mask.written(who)
  const others = absent.filter((other) => Name.key(other.who) !== Name.key(written))
  return [...others.slice(Math.max(0, others.length - maxAbsent + 1)), { who: written, rank: ranked, at }]
}

/** Whether anybody can come into a room that nobody is in. */
const isReachable = ({ flags, masks }: Room, absent: ReadonlyArray<Absent>): boolean =>
  !flags.has("invite-only") || masks.invitation.length > 0 || absent.some(({ who }) => !isShared(who.slice(who.indexOf("@") + 1)))

/** The world in which this room is no more. */
const letGo = (world: World, { name, number, wasClosed }: Room): World => {
  if (!wasClosed) return world
  const key = Name.key(name)
  let { gone } = world
  if (HashMap.size(gone) >= maxGone && !HashMap.has(gone, key)) {
    let oldest: readonly [string, number] | undefined
    for (const one of gone) if (oldest === undefined || one[1] < oldest[1]) oldest = one
    if (oldest !== undefined) gone = HashMap.remove(gone, oldest[0])
  }
  return { ...world, gone: HashMap.set(gone, key, number) }
}

/** The world with a room that nobody is in and that waits, if anybody can come back to it. */
const waitIn = (world: World, of: Room, wait: Wait): World => {
  if (!isReachable(of, wait.absent)) return letGo(world, of)
  const key = Name.key(of.name)
  const waits: Room = { ...of, members: HashMap.empty(), roster: Roster.empty, operators: 0, invited: none, wait }
  const fits = HashMap.size(world.waiting) < maxWaiting || HashMap.has(world.waiting, key) ? world : withoutOldest(world)
  return { ...fits, waiting: HashMap.set(fits.waiting, key, waits) }
}

const withoutOldest = (world: World): World => {
  let oldest: Room | undefined
  for (const of of HashMap.values(world.waiting)) {
    const since = of.wait!.since - (oldest?.wait?.since ?? Infinity)
    if (since < 0 || (since === 0 && of.number < oldest!.number)) oldest = of
  }
  return oldest === undefined ? world : letGo({ ...world, waiting: HashMap.remove(world.waiting, Name.key(oldest.name)) }, oldest)
}

/**
 * The world without this membership. A room that nobody is in is gone, but for the lobby and those that wait; `closing` says
 * that it was the server that ended it.
 */
const withoutMember = (world: World, id: SessionId, key: string, at: number, closing: boolean): World => {
  const who = person(world, id)
  const of = room(world, key)
  if (who === undefined || of === undefined) return world
  const rooms = new Set(who.rooms)
  rooms.delete(key)
  const members = HashMap.remove(of.members, id)
  const ranked = rank(of, id)
  const operators = of.operators - (runs(ranked) ? 1 : 0)
  const left = setPerson(world, { ...who, rooms })
  const wait: Wait | undefined = closing && key !== Name.lobby
    ? {
      since: of.wait?.closing === true ? of.wait.since : at,
      closing,
      absent: missing(of.wait?.absent ?? [], of, who, ranked ?? "member", at)
    }
    : of.wait
  if (!HashMap.isEmpty(members) || key === Name.lobby) return setRoom(left, { ...of, members, roster: Roster.remove(of.roster, who.number), operators, wait })
  const gone = { ...left, rooms: HashMap.remove(left.rooms, key) }
  return wait === undefined || tooLate(wait.since, at) ? letGo(gone, of) : waitIn(gone, of, wait)
}

/** What waits since the server closed waits from now on; what waited before goes on. */
const renewed = ({ absent, closing, since }: Wait, at: number): Wait =>
  closing
    ? { since: at, closing: false, absent: absent.map((one) => one.at >= since ? { ...one, at } : one).filter((one) => !tooLate(one.at, at)) }
    : { since, closing, absent: absent.filter((one) => !tooLate(one.at, at)) }

/** Who came first, whatever order they were put in. */
const inOrder = (a: Person, b: Person): number => a.number - b.number

/** The world as the server finds it when it begins again: nobody is here, and rooms that somebody was in wait. */
const restarted = (world: World, at: number): World => {
  const lobby = room(world, Name.lobby)
  const here = [...HashMap.values(world.persons)].sort(inOrder).slice(-maxPast)
  let next: World = {
    ...here.reduce((so, who) => remember(so, who, at), world),
    persons: HashMap.empty(),
    nicks: HashMap.empty(),
    watchers: HashMap.empty(),
    invisible: 0,
    operators: 0,
    rooms: lobby === undefined
      ? HashMap.empty()
      : HashMap.make([Name.lobby, { ...lobby, members: HashMap.empty(), roster: Roster.empty, operators: 0, invited: none }]),
    waiting: HashMap.empty()
  }
  for (const of of HashMap.values(world.waiting)) {
    const wait = renewed(of.wait!, at)
    next = tooLate(wait.since, at) ? letGo(next, of) : waitIn(next, of, wait)
  }
  for (const [key, of] of world.rooms) {
    if (key === Name.lobby) continue
    let absent = of.wait === undefined ? [] : renewed(of.wait, at).absent
    for (const [who, ranked] of membersOf(world, of).toSorted(([a], [b]) => inOrder(a, b))) {
      absent = missing(absent, of, who, ranked, at)
    }
    next = waitIn(next, of, { since: at, closing: false, absent })
  }
  return next
}

/** A room that somebody has come into does not wait for them any more, nor for anybody when it is too late. */
const without = (of: Room, who: Person, at: number): Room => {
  if (of.wait === undefined) return of
  const written = Name.key(Mask.written(who))
  const absent = of.wait.absent.filter((one) => Name.key(one.who) !== written && !tooLate(one.at, at))
  return { ...of, wait: absent.length === 0 && !of.wait.closing ? undefined : { ...of.wait, absent } }
}

/** The world with somebody among those who held a nick before. */
const remember = (world: World, { address, nick, realname, user }: Person, at: number): World => ({
  ...world,
  past: [...world.past.slice(1 - maxPast), { nick, user, address, realname, at }]
})

/** The world in which the rooms of somebody know that something about them has changed. */
const seenAnew = (world: World, { number, rooms }: Person): World => {
  let next = world
  for (const key of rooms) next = inRoom(next, key, (of) => ({ ...of, roster: Roster.renew(of.roster, number) }))
  return next
}

const watch = (world: World, who: Person, nicks: ReadonlyArray<string>, on: boolean): World => {
  const watches = new Map(who.watches)
  let { watchers } = world
  for (const nick of nicks) {
    const key = Name.key(nick)
    const others = new Set(watchersOf(world, nick))
    if (on) watches.set(key, nick)
    else watches.delete(key)
    if (on) others.add(who.id)
    else others.delete(who.id)
    watchers = others.size === 0 ? HashMap.remove(watchers, key) : HashMap.set(watchers, key, others)
  }
  return setPerson({ ...world, watchers }, { ...who, watches })
}

const with_ = <A>(set: ReadonlySet<A>, value: A, on: boolean): ReadonlySet<A> => {
  const changed = new Set(set)
  if (on) changed.add(value)
  else changed.delete(value)
  return changed
}

const closed = (of: Room): Room => of.wasClosed || !isClosed(of) ? of : { ...of, wasClosed: true }

/** Change a room, if there is one of this name. */
const inRoom = (world: World, name: string, change: (of: Room) => Room): World => {
  const of = room(world, name)
  return of === undefined ? world : setRoom(world, change(of))
}

/** Change a person, if there is one of this session. */
const ofPerson = (world: World, id: SessionId, change: (who: Person) => Person): World => {
  const who = person(world, id)
  if (who === undefined) return world
  const changed = change(who)
  return setPerson(counted(world, who, changed), changed)
}

/**
 * The world after `event`, done by the session `by` at `at` (milliseconds since 1970). Total: an event that does not
 * fit changes nothing. What people say changes nothing either, so this is free for almost every event.
 */
export const evolve = (world: World, by: SessionId, event: Fact, at: number): World => {
  switch (event._tag) {
    case "Said":
    case "Passed":
    case "Whispered":
    case "Hinted":
    case "Walloped":
      return world
    case "Arrived": {
      const said = { user: event.user ?? event.dialect, realname: event.realname ?? event.nick, dialect: event.dialect }
      const before = person(world, by)
      if (before !== undefined) return setPerson(seenAnew(world, before), { ...before, ...said })
      return HashMap.has(world.nicks, Name.key(event.nick)) ? world : {
        ...world,
        arrived: world.arrived + 1,
        most: Math.max(world.most, HashMap.size(world.persons) + 1),
        nicks: HashMap.set(world.nicks, Name.key(event.nick), by),
        persons: HashMap.set(world.persons, by, {
          id: by,
          number: world.arrived + 1,
          nick: event.nick,
          ...said,
          address: event.address,
          since: at,
          away: undefined,
          rooms: none,
          traits: none,
          operator: false,
          watches: noWatches
        })
      }
    }
    case "Renamed": {
      const who = person(world, by)
      const other = holder(world, event.to)
      if (who === undefined || (other !== undefined && other.id !== by)) return world
      const freed = HashMap.remove(world.nicks, Name.key(who.nick))
      const past = Name.key(who.nick) === Name.key(event.to) ? world : remember(world, who, at)
      return setPerson({ ...seenAnew(past, who), nicks: HashMap.set(freed, Name.key(event.to), by) }, {
        ...who,
        nick: event.to,
        // Who gave no name besides the nick has none besides the new one.
        realname: who.realname === who.nick ? event.to : who.realname
      })
    }
    case "Joined": {
      const who = person(world, by)
      const key = Name.key(event.room)
      if (who === undefined || who.rooms.has(key)) return world
      const of = joined(world, event.room, at)
      const waited = HashMap.isEmpty(world.waiting) ? undefined : Option.getOrUndefined(HashMap.get(world.waiting, key))
      // One that waited too long is gone now, and this is another.
      const before = waited === undefined || waited.number === of.number ? world : letGo(world, waited)
      const waiting = waited === undefined ? world.waiting : HashMap.remove(world.waiting, key)
      return setRoom(
        setPerson({ ...before, opened: Math.max(world.opened, of.number), waiting }, { ...who, rooms: who.rooms.size === 0 ? only(key) : new Set(who.rooms).add(key) }),
        without(withMember(of, who), who, at)
      )
    }
    case "Left":
      return withoutMember(world, by, Name.key(event.room), at, false)
    case "Kicked": {
      const target = holder(world, event.nick)
      return target === undefined ? world : withoutMember(world, target.id, Name.key(event.room), at, false)
    }
    case "Quit": {
      const who = person(world, by)
      if (who === undefined) return world
      let left = watch(remember(world, who, at), who, [...who.watches.values()], false)
      for (const key of who.rooms) left = withoutMember(left, by, key, at, event.closing === true)
      return {
        ...counted(left, who, undefined),
        persons: HashMap.remove(left.persons, by),
        nicks: HashMap.remove(left.nicks, Name.key(who.nick))
      }
    }
    case "Restarted":
      return restarted(world, at)
    case "TopicSet": {
      const who = person(world, by)
      const topicBy = who === undefined ? event.nick : Mask.written(who)
      return inRoom(world, event.room, (of) => ({ ...of, topic: event.topic, topicBy, topicAt: at }))
    }
    case "ModeratedSet":
      return inRoom(world, event.room, (of) => ({ ...of, moderated: event.moderated }))
    case "FlagSet":
      return inRoom(world, event.room, (of) => closed({ ...of, flags: with_(of.flags, event.flag, event.on) }))
    case "KeySet":
      return inRoom(world, event.room, (of) => closed({ ...of, key: event.key }))
    case "LimitSet":
      return inRoom(world, event.room, (of) => ({ ...of, limit: event.limit }))
    case "MaskSet":
      return inRoom(world, event.room, (of) => {
        const others = of.masks[event.list].filter(({ mask }) => Name.key(mask) !== Name.key(event.mask))
        const masks = event.on ? [...others, { mask: event.mask, by: event.by, at }] : others
        return { ...of, masks: { ...of.masks, [event.list]: masks } }
      })
    case "Invited": {
      const target = holder(world, event.nick)
      return event.admits !== true || target === undefined || target.rooms.has(Name.key(event.room))
        ? world
        : inRoom(world, event.room, (of) => ({ ...of, invited: with_(invitedTo(world, of), target.id, true) }))
    }
    case "RankSet": {
      const target = holder(world, event.nick)
      if (target === undefined) return world
      return inRoom(world, event.room, (of) => {
        const before = rank(of, target.id)
        return before === undefined ? of : {
          ...of,
          members: HashMap.set(of.members, target.id, event.rank),
          roster: Roster.renew(of.roster, target.number),
          operators: of.operators + (runs(event.rank) ? 1 : 0) - (runs(before) ? 1 : 0)
        }
      })
    }
    case "AwaySet": {
      const who = person(world, by)
      return who === undefined ? world : setPerson(seenAnew(world, who), { ...who, away: event.message })
    }
    case "RealnameSet":
      return ofPerson(world, by, (who) => ({ ...who, realname: event.realname }))
    case "TraitSet":
      return ofPerson(world, by, (who) => ({ ...who, traits: with_(who.traits, event.trait, event.on) }))
    case "Opered":
      return ofPerson(world, by, (who) => ({ ...who, operator: event.on }))
    case "Watched": {
      const who = person(world, by)
      return who === undefined ? world : watch(world, who, event.nicks, event.on)
    }
  }
}
