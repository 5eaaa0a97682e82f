/**
 * The world as text and back: a line of JSON for what is about all of it, one for each person and each room. What follows from
 * others is not written down. Knows no log and no time.
 */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Flag, Rank, runs, Trait } from "../Command.ts"
import * as Name from "../Name.ts"
import * as Roster from "./Roster.ts"
import { empty, type Person, type Room, type World } from "./State.ts"

/** How worlds are written; a world that is written otherwise cannot be read. */
export const version = 1

const optional = Schema.optionalKey
const marks = { nick: Schema.String, user: Schema.String, address: Schema.String, realname: Schema.String }
const masks = Schema.Array(Schema.Struct({ mask: Schema.String, by: Schema.String, at: Schema.Finite }))

const Line = Schema.TaggedUnion({
  World: {
    version: Schema.Literal(version),
    opened: Schema.Int,
    arrived: Schema.Int,
    most: Schema.Int,
    past: Schema.Array(Schema.Struct({ ...marks, at: Schema.Finite })),
    gone: Schema.Array(Schema.Tuple([Schema.String, Schema.Int])),
    /** How many lines follow, so that a text that was cut off is not taken for a whole one. */
    lines: Schema.Int
  },
  Person: {
    id: Schema.String,
    number: Schema.Int,
    ...marks,
    dialect: Schema.String,
    since: Schema.Finite,
    away: optional(Schema.String),
    rooms: Schema.Array(Schema.String),
    traits: Schema.Array(Trait),
    operator: Schema.Boolean,
    watches: Schema.Array(Schema.String)
  },
  Room: {
    name: Schema.String,
    number: Schema.Int,
    since: Schema.Finite,
    topic: Schema.String,
    topicBy: Schema.String,
    topicAt: Schema.Finite,
    moderated: Schema.Boolean,
    flags: Schema.Array(Flag),
    key: optional(Schema.String),
    limit: optional(Schema.Int),
    masks: Schema.Struct({ ban: masks, exception: masks, invitation: masks }),
    invited: Schema.Array(Schema.String),
    members: Schema.Array(Schema.Tuple([Schema.String, Rank])),
    wasClosed: Schema.Boolean,
    wait: optional(Schema.Struct({
      since: Schema.Finite,
      closing: Schema.Boolean,
      absent: Schema.Array(Schema.Struct({ who: Schema.String, rank: Rank, at: Schema.Finite }))
    }))
  }
})
type Line = typeof Line.Type

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))

// A law has it that what is written so is what the Schema reads.
const print = (line: Line): string => JSON.stringify(line) + "\n"

const printPerson = ({ away, rooms, traits, watches, ...person }: Person): string =>
  print({
    _tag: "Person",
    ...person,
    rooms: [...rooms],
    traits: [...traits],
    watches: [...watches.values()],
    ...(away === undefined ? {} : { away })
  })

const printRoom = (of: Room): string => {
  const { flags, invited, key, limit, members, operators: _, roster: __, wait, ...room } = of
  return print({
    _tag: "Room",
    ...room,
    flags: [...flags],
    invited: [...invited],
    members: [...members],
    ...(key === undefined ? {} : { key }),
    ...(limit === undefined ? {} : { limit }),
    ...(wait === undefined ? {} : { wait })
  })
}

/** The world's text, a line at a time, so that who writes it down can do something else in between. */
export const encode = function*(world: World): Generator<string, void> {
  const { arrived, gone, most, opened, past, persons, rooms, waiting } = world
  const lines = HashMap.size(persons) + HashMap.size(rooms) + HashMap.size(waiting)
  yield print({ _tag: "World", version, opened, arrived, most, past, gone: [...gone], lines })
  for (const person of HashMap.values(persons)) yield printPerson(person)
  for (const room of HashMap.values(rooms)) yield printRoom(room)
  for (const room of HashMap.values(waiting)) yield printRoom(room)
}

const toRoom = (line: Line & { _tag: "Room" }): Room => {
  const { _tag: _, flags, invited, key, limit, members, wait, ...room } = line
  return {
    ...room,
    flags: new Set(flags),
    key,
    limit,
    invited: new Set(invited),
    members: HashMap.fromIterable(members),
    roster: Roster.empty,
    operators: members.filter(([, rank]) => runs(rank)).length,
    wait
  }
}

/** The room with its members in the order in which they came. */
const called = (of: Room, numbers: ReadonlyMap<string, number>): Room => {
  const here = [...HashMap.keys(of.members)].flatMap((id) => {
    const number = numbers.get(id)
    return number === undefined ? [] : [[number, id] as const]
  })
  return { ...of, roster: here.sort(([a], [b]) => a - b).reduce((roster, [number, id]) => Roster.add(roster, number, id), Roster.empty) }
}

/** The world of a text, or why it is none. */
export const decode = (text: string): Result.Result<World, string> => {
  const lines = text.split("\n")
  if (lines.pop() !== "") return Result.fail("it ends in the middle of a line")
  const head = decodeLine(lines[0])
  if (Result.isFailure(head) || head.success._tag !== "World") return Result.fail(`it is not of version ${version}`)
  const { arrived, gone, lines: expected, most, opened, past } = head.success
  if (expected !== lines.length - 1) return Result.fail(`it has ${lines.length - 1} lines of ${expected}`)
  const persons: Array<readonly [string, Person]> = []
  const rooms: Array<readonly [string, Room]> = []
  const waiting: Array<readonly [string, Room]> = []
  const watchers = new Map<string, Set<string>>()
  const numbers = new Map<string, number>()
  for (let i = 1; i < lines.length; i++) {
    const line = decodeLine(lines[i])
    if (Result.isFailure(line) || line.success._tag === "World") return Result.fail(`its line ${i + 1} is neither a person nor a room`)
    if (line.success._tag === "Person") {
      const { _tag: _, away, rooms, traits, watches, ...person } = line.success
      numbers.set(person.id, person.number)
      persons.push([person.id, { ...person, away, rooms: new Set(rooms), traits: new Set(traits), watches: new Map(watches.map((nick) => [Name.key(nick), nick])) }])
      for (const watched of watches) {
        const key = Name.key(watched)
        const others = watchers.get(key)
        if (others === undefined) watchers.set(key, new Set([person.id]))
        else others.add(person.id)
      }
    } else {
      const room = toRoom(line.success)
      const key = Name.key(room.name)
      // Nobody is in a room that waits; somebody is in every other but the lobby.
      if (HashMap.isEmpty(room.members) && key !== Name.lobby) waiting.push([key, room])
      else rooms.push([key, room])
    }
  }
  const here = rooms.map(([key, of]) => [key, called(of, numbers)] as const)
  return Result.succeed({
    persons: HashMap.fromIterable(persons),
    nicks: HashMap.fromIterable(persons.map(([id, { nick }]) => [Name.key(nick), id] as const)),
    rooms: HashMap.fromIterable(here.some(([key]) => key === Name.lobby) ? here : [...here, [Name.lobby, Option.getOrThrow(HashMap.get(empty.rooms, Name.lobby))]]),
    waiting: HashMap.fromIterable(waiting),
    watchers: HashMap.fromIterable(watchers),
    gone: HashMap.fromIterable(gone),
    opened,
    arrived,
    most,
    invisible: persons.filter(([, { traits }]) => traits.has("invisible")).length,
    operators: persons.filter(([, { operator }]) => operator).length,
    past
  })
}
