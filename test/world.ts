/**
 * Playing in a world without a server: what becomes of what people ask one after the other, and what must hold in any
 * world that comes of it.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import { isDeepStrictEqual } from "node:util"
import { type Command, Flag, MaskList, Rank, runs } from "../src/Command.ts"
import type { Fact, SessionId } from "../src/Event.ts"
import * as Mask from "../src/Mask.ts"
import * as Name from "../src/Name.ts"
import { Arbitraries } from "../src/testing.ts"
import * as World from "../src/World.ts"
import * as Roster from "../src/World/Roster.ts"

const { among, anyCommand, command, oneOf } = Arbitraries

export interface Asked {
  readonly by: SessionId
  readonly command: Command
}

export interface Turn extends Asked {
  readonly before: World.World
  readonly outcomes: ReadonlyArray<World.Outcome>
  readonly after: World.World
}

const addresses: Record<string, string> = { s2: "192.0.2.2", s3: "elsewhere" }

/** A house that anybody may enter and nobody runs. */
export const openHouse: World.House = {
  description: "open",
  admits: () => "right",
  isOperator: () => "wrong",
  spokeAt: () => undefined,
  since: 0,
  unknown: () => 0,
  replay: () => Infinity
}

/** A house that root runs. */
export const house: World.House = {
  ...openHouse,
  isOperator: (name, password) => name === "root" && password === "secret" ? "right" : "wrong"
}

export const moment = (at = 0, by: SessionId = ""): World.Moment =>
  ({ at, guest: 7, server: "test", motd: ["be kind"], epoch: "e1", seq: 1000, dialect: "plain", address: addresses[by] ?? "::1", house })

export const keptOf = (outcomes: ReadonlyArray<World.Outcome>) => outcomes.filter(World.isKept)
export const toldOf = (outcomes: ReadonlyArray<World.Outcome>) => outcomes.filter((outcome): outcome is World.Told => !World.isKept(outcome))
/** What the asker is answered. */
export const answersOf = (outcomes: ReadonlyArray<World.Outcome>): ReadonlyArray<World.Reply> =>
  toldOf(outcomes).flatMap(({ answer, to }) => to === undefined ? [answer] : [])
export const refusalsOf = (outcomes: ReadonlyArray<World.Outcome>) =>
  answersOf(outcomes).flatMap((answer) => answer._tag === "Refused" ? [answer] : [])

/** What becomes of what these sessions ask, one after the other. */
export const play = (asked: ReadonlyArray<Asked>, world = World.empty, clock = (turn: number) => turn): ReadonlyArray<Turn> =>
  asked.map(({ by, command }, turn) => {
    const before = world
    const outcomes = World.decide(before, by, command, moment(clock(turn), by))
    for (const { event } of keptOf(outcomes)) world = World.evolve(world, by, event, clock(turn))
    return { by, command, before, outcomes, after: world }
  })

export const after = (turns: ReadonlyArray<Turn>): World.World => turns.at(-1)?.after ?? World.empty

export const factsOf = (turns: ReadonlyArray<Turn>): ReadonlyArray<Fact> =>
  turns.flatMap(({ outcomes }) => keptOf(outcomes).map(({ event }) => event))

/** All of these, asked by one session. */
export const by = (session: SessionId, ...commands: ReadonlyArray<Command>): ReadonlyArray<Asked> =>
  commands.map((command) => ({ by: session, command }))

export const sessions = ["s1", "s2", "s3", "s4"] as const
const names = ["ana", "bo", "cy", "dan"]
export const arrivals = sessions.flatMap((id, i) => by(id, { _tag: "Arrive", nick: names[i]! }, { _tag: "Join", room: "den" }))
export const farewells: ReadonlyArray<Asked> = sessions.map((by) => ({ by, command: { _tag: "Quit" } }))
export const askedOf = (command: Arbitrary.Arbitrary<Command>) =>
  Arbitrary.array(Arbitrary.all({ by: among(...sessions), command }), { minLength: 1, maxLength: 80 })

export const nick = Schema.Literals(["ana", "bo", "cy", "dan"])
export const room = Schema.Literals(["den", "Den", "#den", "lobby", "nest"])

/** Comings and goings in one room, and quarrels about it. */
export const quarrel: Arbitrary.Arbitrary<Command> = Arbitrary.schema(Schema.TaggedUnion({
  Join: { room },
  Part: { room },
  Kick: { room, nick },
  SetRank: { room, nick, rank: Rank },
  SetNick: { nick },
  SetModerated: { room, moderated: Schema.Boolean },
  Say: { target: room, text: Schema.Literal("hi") },
  Quit: {},
  Arrive: { nick }
}))

const mask = Schema.Literals(["ana", "b*", "*!*@elsewhere", "?o", "m:*", "m:cy", "m:?o", "*"])
const key = Schema.optionalKey(Schema.Literal("sesame"))

const den = Schema.Literals(["den", "#Den"])

/** What whoever runs a room does to it. */
export const rules: Arbitrary.Arbitrary<Command> = Arbitrary.schema(Schema.TaggedUnion({
  SetFlag: { room: den, flag: Flag, on: Schema.Boolean },
  SetKey: { room: den, key },
  SetLimit: { room: den, limit: Schema.optionalKey(Schema.Literals([1, 2, 3])) },
  SetMask: { room: den, list: MaskList, mask, on: Schema.Boolean },
  SetRank: { room: den, nick, rank: Rank, on: Schema.Boolean },
  SetModerated: { room: den, moderated: Schema.Boolean },
  Invite: { room: den, nick },
  Kick: { room: den, nick }
}))

/** How people come to a room, talk there and go. */
export const entries: Arbitrary.Arbitrary<Command> = Arbitrary.schema(Schema.TaggedUnion({
  Join: { room: den, key },
  Part: { room: den },
  Say: { target: Schema.Literals(["#den", "den", "@#den", "+#den", "#nest"]), text: Schema.Literals(["hi", "\u0001PING\u0001"]) }
}))

/** What people do in a room, those who run it and others, and how they watch each other. */
export const siege: Arbitrary.Arbitrary<Command> = oneOf(
  rules,
  entries,
  Arbitrary.schema(Schema.TaggedUnion({
    Watch: { nicks: Schema.Array(nick), on: Schema.Boolean },
    Oper: { name: Schema.optionalKey(Schema.Literal("root")), password: Schema.Literal("secret") }
  }))
)

/** Facts about these people and rooms that may not fit what is. */
export const rumour: Arbitrary.Arbitrary<Fact> = Arbitrary.schema(Schema.TaggedUnion({
  Arrived: { nick, dialect: Schema.Literal("plain"), address: Schema.Literal("::1") },
  Renamed: { nick, to: nick },
  Joined: { room, nick },
  Left: { room, nick },
  Kicked: { room, nick, by: nick },
  RankSet: { room, nick, by: nick, rank: Rank },
  FlagSet: { room, by: nick, flag: Flag, on: Schema.Boolean },
  MaskSet: { room, by: nick, list: MaskList, mask, on: Schema.Boolean },
  Invited: { room, nick, by: nick },
  Watched: { nick, nicks: Schema.Array(nick), on: Schema.Boolean },
  Restarted: {},
  Quit: { nick, rooms: Schema.Array(room), reason: Schema.Literal(""), closing: Schema.optionalKey(Schema.Boolean) }
}))

/** What four people, who are here at first, ask of each other and of the server; some of it nonsense. */
export const life = Arbitrary.map(
  askedOf(oneOf(command, quarrel, siege, siege, anyCommand)),
  (asked) => [...arrivals, ...asked]
)

/** Four people who want the same few nicks. */
export const grabbing = Arbitrary.map(
  askedOf(oneOf(
    Arbitrary.map(among("ana", "Ana", "bo", "BO", "eve"), (nick): Command => ({ _tag: "SetNick", nick })),
    Arbitrary.map(among("ana", "bo", "Bo", "eve"), (nick): Command => ({ _tag: "Arrive", nick })),
    Arbitrary.Constant<Command>({ _tag: "Quit" })
  )),
  (asked) => [...arrivals, ...asked]
)

const checks = () => {
  const found: Array<string> = []
  return { found, must: (holds: boolean, what: string) => void (holds || found.push(what)) }
}

/** What does not fit together in a world; nothing when all does. */
export const contradictions = (world: World.World): ReadonlyArray<string> => {
  const { found, must } = checks()
  must(HashMap.size(world.nicks) === HashMap.size(world.persons), "as many nicks as persons")
  must(world.most >= HashMap.size(world.persons), "no more are here than ever were")
  for (const [nick, id] of world.nicks) {
    const holder = World.person(world, id)
    must(holder !== undefined && Name.key(holder.nick) === nick, `${nick} is held by somebody of that nick`)
  }
  for (const [id, { id: own, nick, rooms, watches }] of world.persons) {
    must(id === own, `${id} is known by their own id`)
    must(World.holder(world, nick)?.id === id, `${id} holds ${nick}`)
    for (const key of rooms) must(World.rank(World.room(world, key)!, id) !== undefined, `#${key} knows ${id}`)
    for (const key of watches.keys()) must(World.watchersOf(world, key).has(id), `${id} is among the watchers of ${key}`)
  }
  for (const [key, watching] of world.watchers) {
    must(watching.size > 0, `${key} is watched by somebody`)
    for (const id of watching) must(World.person(world, id)?.watches.has(key) === true, `${id} watches ${key}`)
  }
  must(World.room(world, Name.lobby) !== undefined, "there is a lobby")
  for (const [key, { invited, members, name, operators, wait }] of world.waiting) {
    must(Name.key(name) === key && key !== Name.lobby, `#${name} waits under its key`)
    must(World.room(world, key) === undefined, `#${key} is not there while it waits`)
    must(HashMap.isEmpty(members) && operators === 0 && invited.size === 0 && wait !== undefined, `nobody is in #${key}, which waits`)
  }
  for (const { members, wait } of HashMap.values(world.rooms)) {
    const here = new Set(Array.from(HashMap.keys(members), (id) => World.person(world, id)).flatMap((who) => who === undefined ? [] : [who.nick]))
    must(here.size === HashMap.size(members), "members are here")
    must(wait === undefined || new Set(wait.absent.map(({ who }) => Name.key(who))).size === wait.absent.length, "nobody is awaited twice")
  }
  const rooms = [...HashMap.values(world.rooms), ...HashMap.values(world.waiting)]
  must(new Set(rooms.map(({ number }) => number)).size === rooms.length, "no two rooms have one number")
  must(rooms.every(({ number }) => number <= world.opened), "every room was opened")
  for (const [key, number] of world.gone) must(number <= world.opened && World.room(world, key)?.number !== number, `#${key} of then is gone`)
  const people = Array.from(HashMap.values(world.persons), ({ number }) => number)
  must(new Set(people).size === people.length && people.every((number) => number <= world.arrived), "everybody arrived, one after the other")
  const everybody = [...HashMap.values(world.persons)]
  must(world.invisible === everybody.filter(({ traits }) => traits.has("invisible")).length, "the invisible are counted")
  must(world.operators === everybody.filter(({ operator }) => operator).length, "operators of the server are counted")
  for (const [key, { invited, masks, members, name, operators, roster }] of world.rooms) {
    const inOrder = everybody.filter(({ id }) => HashMap.has(members, id)).sort((a, b) => a.number - b.number)
    must(isDeepStrictEqual(roster.flatMap(({ ids, numbers }) => ids.map((id, i) => [id, numbers[i]])), inOrder.map(({ id, number }) => [id, number])), `the roster of #${key}`)
    must(roster.every(({ at, numbers }) => numbers.length > 0 && numbers.every((number) => Math.floor(number / Roster.span) === at)), `pieces of the roster of #${key}`)
    must(Name.key(name) === key, `#${name} is kept under its key`)
    must(key === Name.lobby || !HashMap.isEmpty(members), `#${key} is not empty`)
    must(operators === Array.from(HashMap.values(members)).filter(runs).length, `operators of #${key}`)
    for (const id of HashMap.keys(members)) {
      must(World.person(world, id)?.rooms.has(key) === true, `${id} is in #${key}`)
      must(!invited.has(id), `${id} came to #${key} and is invited no more`)
    }
    for (const [list, listed] of Object.entries(masks)) {
      must(new Set(listed.map(({ mask }) => Name.key(mask))).size === listed.length, `no mask is twice on the ${list} list of #${key}`)
    }
  }
  return found
}

/** What a world has more of than anybody may bring about, and what is in it that nobody may. */
export const excesses = (world: World.World): ReadonlyArray<string> => {
  const { found, must } = checks()
  const { limits } = World
  must(world.past.length <= 256, "who was here is forgotten some time")
  must(HashMap.size(world.waiting) <= World.maxWaiting, "rooms that wait")
  must(HashMap.size(world.gone) <= World.maxGone, "rooms that are gone")
  for (const { wait } of HashMap.values(world.waiting)) must((wait?.absent.length ?? 0) <= World.maxAbsent, "people that a room waits for")
  for (const { nick, realname, rooms, user, watches } of HashMap.values(world.persons)) {
    must(Name.nickProblem(nick) === undefined, `${nick} is a nick`)
    must(rooms.size <= limits.rooms, `rooms of ${nick}`)
    must(watches.size <= limits.watches, `watches of ${nick}`)
    must(user.length <= limits.user && /^[\w.~-]*$/.test(user), `user of ${nick}`)
    must(Buffer.byteLength(realname) <= limits.realname && !/[\0\r\n]/.test(realname), `real name of ${nick}`)
  }
  for (const { flags, invited, key, limit, masks, name, operators } of HashMap.values(world.rooms)) {
    must(Name.roomProblem(name) === undefined, `${name} is a room name`)
    must(invited.size <= limits.invited, `invited to ${name}`)
    must(key === undefined || /^[!-+\--~]{1,32}$/.test(key), `key of ${name}`)
    must(limit === undefined || (Number.isInteger(limit) && limit > 0), `limit of ${name}`)
    must(operators === 0 || Name.key(name) !== Name.lobby, "nobody runs the lobby")
    if (Name.key(name) === Name.lobby) must(flags.size === 2 && key === undefined && limit === undefined, "nobody changes the lobby")
    for (const [list, listed] of Object.entries(masks)) {
      must(listed.length <= limits.masks, `${list} list of ${name}`)
      for (const { mask } of listed) {
        const bare = list !== "invitation" && mask.startsWith("m:") ? mask.slice(2) : mask
        must(Mask.whole(bare) === bare && bare.length <= Mask.maxMask && /^[!-~]+$/.test(bare), `${mask} on the ${list} list of ${name}`)
      }
    }
  }
  return found
}

/** ana runs #den, bo is in it, cy is not; all are in the lobby. */
export const scene = after(play([
  ...by("s1", { _tag: "Arrive", nick: "ana" }, { _tag: "Join", room: "lobby" }, { _tag: "Join", room: "den" }),
  ...by("s2", { _tag: "Arrive", nick: "bo" }, { _tag: "Join", room: "#lobby" }, { _tag: "Join", room: "#Den" }),
  ...by("s3", { _tag: "Arrive", nick: "cy" }, { _tag: "Join", room: "Lobby" })
]))

export const ask = (who: SessionId, command: Command, world = scene) => World.decide(world, who, command, moment(0, who))
/** The scene after somebody asked for this. */
export const having = (who: SessionId, ...commands: ReadonlyArray<Command>) => after(play(by(who, ...commands), scene))
export const facts = (who: SessionId, command: Command, world = scene) => keptOf(ask(who, command, world)).map(({ event }) => event)
export const answers = (who: SessionId, command: Command, world = scene) => answersOf(ask(who, command, world))
export const refusal = (who: SessionId, command: Command, world = scene) => refusalsOf(ask(who, command, world))[0]?.reason
export const code = (who: SessionId, command: Command, world = scene) => refusalsOf(ask(who, command, world))[0]?.code
