/**
 * How the world changes by what happened. Holds no rule: what happened is never decided again.
 */
import * as HashMap from "effect/HashMap"
import { runs } from "../Command.ts"
import type { Fact, SessionId } from "../Event.ts"
import * as Mask from "../Mask.ts"
import * as Name from "../Name.ts"
import {
  emptyRoom,
  holder,
  invitedTo,
  person,
  type Person,
  rank,
  room,
  type Room,
  watchersOf,
  withMember,
  type World
} from "./State.ts"

/** How many who held a nick before are remembered. */
const maxPast = 256

const none: ReadonlySet<never> = new Set()

const setPerson = (world: World, who: Person): World => ({ ...world, persons: HashMap.set(world.persons, who.id, who) })

const setRoom = (world: World, of: Room): World => ({ ...world, rooms: HashMap.set(world.rooms, Name.key(of.name), of) })

/** The world without this membership; a room that nobody is in is gone, but for the lobby. */
const withoutMember = (world: World, id: SessionId, key: string): World => {
  const who = person(world, id)
  const of = room(world, key)
  if (who === undefined || of === undefined) return world
  const rooms = new Set(who.rooms)
  rooms.delete(key)
  const members = HashMap.remove(of.members, id)
  const operators = of.operators - (runs(rank(of, id)) ? 1 : 0)
  const left = setPerson(world, { ...who, rooms })
  return HashMap.isEmpty(members) && key !== Name.lobby
    ? { ...left, rooms: HashMap.remove(left.rooms, key) }
    : setRoom(left, { ...of, members, operators })
}

/** The world with somebody among those who held a nick before. */
const remember = (world: World, { address, nick, realname, user }: Person, at: number): World => ({
  ...world,
  past: [...world.past.slice(1 - maxPast), { nick, user, address, realname, at }]
})

const watch = (world: World, who: Person, nicks: ReadonlyArray<string>, on: boolean): World => {
  const watches = new Set(who.watches)
  let { watchers } = world
  for (const nick of nicks) {
    const key = Name.key(nick)
    const others = new Set(watchersOf(world, nick))
    if (on) watches.add(key)
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

/** Change a room, if there is one of this name. */
const inRoom = (world: World, name: string, change: (of: Room) => Room): World => {
  const of = room(world, name)
  return of === undefined ? world : setRoom(world, change(of))
}

/** Change a person, if there is one of this session. */
const ofPerson = (world: World, id: SessionId, change: (who: Person) => Person): World => {
  const who = person(world, id)
  return who === undefined ? world : setPerson(world, change(who))
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
    case "Arrived":
      return HashMap.has(world.persons, by) || HashMap.has(world.nicks, Name.key(event.nick)) ? world : {
        ...world,
        most: Math.max(world.most, HashMap.size(world.persons) + 1),
        nicks: HashMap.set(world.nicks, Name.key(event.nick), by),
        persons: HashMap.set(world.persons, by, {
          id: by,
          nick: event.nick,
          user: event.user ?? event.dialect,
          realname: event.realname ?? event.nick,
          dialect: event.dialect,
          address: event.address,
          since: at,
          away: undefined,
          rooms: none,
          traits: none,
          operator: false,
          watches: none
        })
      }
    case "Renamed": {
      const who = person(world, by)
      const other = holder(world, event.to)
      if (who === undefined || (other !== undefined && other.id !== by)) return world
      const freed = HashMap.remove(world.nicks, Name.key(who.nick))
      const past = Name.key(who.nick) === Name.key(event.to) ? world : remember(world, who, at)
      return setPerson({ ...past, nicks: HashMap.set(freed, Name.key(event.to), by) }, {
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
      const of = room(world, key) ?? emptyRoom(event.room, at)
      return setRoom(setPerson(world, { ...who, rooms: new Set(who.rooms).add(key) }), withMember(of, by))
    }
    case "Left":
      return withoutMember(world, by, Name.key(event.room))
    case "Kicked": {
      const target = holder(world, event.nick)
      return target === undefined ? world : withoutMember(world, target.id, Name.key(event.room))
    }
    case "Quit": {
      const who = person(world, by)
      if (who === undefined) return world
      let left = watch(remember(world, who, at), who, [...who.watches], false)
      for (const key of who.rooms) left = withoutMember(left, by, key)
      return {
        ...left,
        persons: HashMap.remove(left.persons, by),
        nicks: HashMap.remove(left.nicks, Name.key(who.nick))
      }
    }
    case "TopicSet": {
      const who = person(world, by)
      const topicBy = who === undefined ? event.nick : Mask.written(who)
      return inRoom(world, event.room, (of) => ({ ...of, topic: event.topic, topicBy, topicAt: at }))
    }
    case "ModeratedSet":
      return inRoom(world, event.room, (of) => ({ ...of, moderated: event.moderated }))
    case "FlagSet":
      return inRoom(world, event.room, (of) => ({ ...of, flags: with_(of.flags, event.flag, event.on) }))
    case "KeySet":
      return inRoom(world, event.room, (of) => ({ ...of, key: event.key }))
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
      return target === undefined || target.rooms.has(Name.key(event.room))
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
          operators: of.operators + (runs(event.rank) ? 1 : 0) - (runs(before) ? 1 : 0)
        }
      })
    }
    case "AwaySet":
      return ofPerson(world, by, (who) => ({ ...who, away: event.message }))
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
