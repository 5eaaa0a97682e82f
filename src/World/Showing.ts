/**
 * What somebody is shown of rooms and people: who is there, what rooms there are, and what of the past may be read.
 * Knows no dialect, and not the past itself: that is the log's.
 */
import * as HashMap from "effect/HashMap"
import type { Rank } from "../Command.ts"
import type { Answer, SessionId } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Search from "../Search.ts"
import { answer, noBody, noRoom, type Of, refuse } from "./Granting.ts"
import { limits, type Outcome } from "./Outcome.ts"
import type * as Roster from "./Roster.ts"
import { ownRoom } from "./Running.ts"
import { holder, insideOf, person, type Person, rank, room, type Room, seesRoom, type World } from "./State.ts"

interface Shown {
  readonly nick: string
  readonly rank: Rank
  readonly away: boolean
}

const byNick = (a: Shown, b: Shown): number => Name.key(a.nick) < Name.key(b.nick) ? -1 : 1

const someOf = (world: World, of: Room, pieces: Roster.Roster, atMost: number): ReadonlyArray<Shown> => {
  const some: Array<Shown> = []
  for (const { ids } of pieces) {
    for (const id of ids) {
      if (some.length === atMost) return some
      const member = person(world, id)
      if (member !== undefined) some.push({ nick: member.nick, rank: rank(of, id)!, away: member.away !== undefined })
    }
  }
  return some
}

/** Those of a piece that are shown where it alone has as many as that. */
const known = new WeakMap<Roster.Piece, ReadonlyArray<Shown>>()

/** By their nicks where they are all, else those who came first. */
const shown = (world: World, of: Room): ReadonlyArray<Shown> => {
  const [first] = of.roster
  if (HashMap.size(of.members) <= limits.shown) {
    return someOf(world, of, of.roster, limits.shown).toSorted(byNick)
  }
  if (first!.ids.length < limits.shown) return someOf(world, of, of.roster, limits.shown)
  let some = known.get(first!)
  if (some === undefined) known.set(first!, some = someOf(world, of, [first!], limits.shown))
  return some
}

export const roomInfo = (world: World, of: Room, asker: SessionId): Answer => {
  const own = rank(of, asker)
  return {
    _tag: "RoomInfo",
    room: of.name,
    topic: of.topic,
    moderated: of.moderated,
    members: HashMap.size(of.members),
    some: shown(world, of),
    ...(own === undefined ? {} : { rank: own })
  }
}

export const look = (world: World, who: Person, command: Of<"Look" | "Names" | "Masks">): ReadonlyArray<Outcome> => {
  const name = Name.withoutHash(command.room)
  const of = room(world, name)
  if (of === undefined || !seesRoom(of, who)) return noRoom(command, name)
  if (command._tag === "Look") return answer(roomInfo(world, of, who.id))
  if (command._tag === "Names") return answer({ _tag: "Members", room: of.name, members: someOf(world, of, of.roster, Infinity).toSorted(byNick) })
  const masks = of.masks[command.list].map(({ at, by, mask }) => ({ mask, by, at: new Date(at).toISOString() }))
  return answer({ _tag: "Masks", room: of.name, list: command.list, masks })
}

export const list = (world: World, who: Person): ReadonlyArray<Outcome> => {
  const rooms = []
  for (const of of HashMap.values(world.rooms)) {
    if (seesRoom(of, who)) rooms.push({ room: of.name, members: HashMap.size(of.members), topic: of.topic })
  }
  rooms.sort((a, b) => b.members - a.members || (a.room < b.room ? -1 : 1))
  return answer({ _tag: "Rooms", rooms: rooms.slice(0, limits.list) })
}

export const describe = (world: World, who: Person, command: Of<"Who">): ReadonlyArray<Outcome> => {
  const target = holder(world, command.nick)
  if (target === undefined) return noBody(command, command.nick)
  const rooms = Array.from(target.rooms, (key) => room(world, key)).filter((of) => of !== undefined && seesRoom(of, who))
  return answer({
    _tag: "Person",
    nick: target.nick,
    dialect: target.dialect,
    rooms: rooms.map((of) => of!.name),
    since: new Date(target.since).toISOString(),
    ...(target.away === undefined ? {} : { away: target.away })
  })
}

export const history = (world: World, who: Person, command: Of<"History">) => {
  const of = ownRoom(world, who, command, command.room, false)
  return "members" in of
    ? answer({
      _tag: "Recall",
      room: of.name,
      after: command.after,
      before: command.before,
      limit: Math.max(1, Math.min(command.limit ?? 100, limits.history)),
      why: "asked",
      ...insideOf(of)
    })
    : of
}

/** What of the log may be recalled: a room that one is in, or what oneself and somebody who is here whispered to each other. */
const recalled = (world: World, who: Person, { nick, room: name = "" }: Of<"Recollect">) => {
  if (nick === undefined) {
    const of = ownRoom(world, who, { _tag: "History", room: name }, name, false)
    return "members" in of ? { room: of.name, ...insideOf(of) } : of
  }
  const other = holder(world, nick)
  return other === undefined ? noBody({ _tag: "History", room: nick }, nick) : { room: other.nick, whispered: [who.id, other.id] as const }
}

export const search = (world: World, who: Person, command: Of<"Search">): ReadonlyArray<Outcome> => {
  const of = ownRoom(world, who, command, command.room, false)
  if (!("members" in of)) return of
  const count = Search.words(command.words).length
  if (count === 0) return refuse(command, "nothing-said", "say what words to search for", { room: of.name })
  if (count > limits.words) return refuse(command, "too-long", `search for ${limits.words} words at most`, { room: of.name })
  return answer({
    _tag: "Recall",
    room: of.name,
    after: undefined,
    before: command.before,
    limit: Math.max(1, Math.min(command.limit ?? limits.found, limits.history)),
    why: "found",
    words: command.words,
    ...insideOf(of)
  })
}

export const recollect = (world: World, who: Person, command: Of<"Recollect">): ReadonlyArray<Outcome> => {
  const { after, around, before, between, earliest, events, limit } = command
  const of = recalled(world, who, command)
  return "room" in of
    ? answer({
      _tag: "Recall",
      ...of,
      after,
      before,
      limit: Math.max(0, Math.min(limit, limits.history)),
      why: "asked",
      ...(events === undefined ? {} : { events }),
      ...(around === undefined ? {} : { around }),
      ...(earliest === undefined ? {} : { earliest }),
      ...(between === undefined ? {} : { between })
    })
    : of
}

export const latest = (world: World, who: Person): ReadonlyArray<Outcome> =>
  Array.from(who.rooms, (key) => room(world, key)).flatMap((of): ReadonlyArray<Outcome> => of === undefined ? [] : [{
    answer: { _tag: "Recall", room: of.name, after: undefined, before: undefined, limit: 1, why: "latest", ...insideOf(of) }
  }])
