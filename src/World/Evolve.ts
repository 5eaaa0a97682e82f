/**
 * How the world changes by what happened. Holds no rule: what happened is never decided again.
 */
import * as HashMap from "effect/HashMap"
import type { Fact, SessionId } from "../Event.ts"
import * as Name from "../Name.ts"
import { emptyRoom, holder, person, type Person, rank, room, type Room, withMember, type World } from "./State.ts"

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
  const operators = of.operators - (rank(of, id) === "operator" ? 1 : 0)
  const left = setPerson(world, { ...who, rooms })
  return HashMap.isEmpty(members) && key !== Name.lobby
    ? { ...left, rooms: HashMap.remove(left.rooms, key) }
    : setRoom(left, { ...of, members, operators })
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
      return world
    case "Arrived":
      return HashMap.has(world.persons, by) || HashMap.has(world.nicks, Name.key(event.nick)) ? world : {
        ...world,
        nicks: HashMap.set(world.nicks, Name.key(event.nick), by),
        persons: HashMap.set(world.persons, by, {
          id: by,
          nick: event.nick,
          dialect: event.dialect,
          address: event.address,
          since: at,
          away: undefined,
          rooms: new Set<string>()
        })
      }
    case "Renamed": {
      const who = person(world, by)
      const other = holder(world, event.to)
      if (who === undefined || (other !== undefined && other.id !== by)) return world
      const freed = HashMap.remove(world.nicks, Name.key(who.nick))
      return setPerson({ ...world, nicks: HashMap.set(freed, Name.key(event.to), by) }, { ...who, nick: event.to })
    }
    case "Joined": {
      const who = person(world, by)
      const key = Name.key(event.room)
      if (who === undefined || who.rooms.has(key)) return world
      const of = room(world, key) ?? emptyRoom(event.room)
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
      let left = world
      for (const key of who.rooms) left = withoutMember(left, by, key)
      return {
        ...left,
        persons: HashMap.remove(left.persons, by),
        nicks: HashMap.remove(left.nicks, Name.key(who.nick))
      }
    }
    case "TopicSet": {
      const of = room(world, event.room)
      return of === undefined ? world : setRoom(world, { ...of, topic: event.topic })
    }
    case "ModeratedSet": {
      const of = room(world, event.room)
      return of === undefined ? world : setRoom(world, { ...of, moderated: event.moderated })
    }
    case "RankSet": {
      const of = room(world, event.room)
      const target = holder(world, event.nick)
      if (of === undefined || target === undefined) return world
      const before = rank(of, target.id)
      if (before === undefined) return world
      return setRoom(world, {
        ...of,
        members: HashMap.set(of.members, target.id, event.rank),
        operators: of.operators + (event.rank === "operator" ? 1 : 0) - (before === "operator" ? 1 : 0)
      })
    }
    case "AwaySet": {
      const who = person(world, by)
      return who === undefined ? world : setPerson(world, { ...who, away: event.message })
    }
  }
}
