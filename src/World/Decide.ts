/**
 * Every rule there is: what follows when somebody asks for something.
 * Knows nothing of connections, bytes, logs or time's passing.
 */
import * as HashMap from "effect/HashMap"
import type { Command, Kind, Rank } from "../Command.ts"
import type { Answer, Fact, SessionId } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import { emptyRoom, holder, person, type Person, rank, room, type Room, withMember, type World } from "./State.ts"

/** How much of everything one may have. Sizes in bytes of UTF-8. */
export const limits = { rooms: 50, text: 4096, topic: 390, reason: 390, history: 500, list: 1000, shown: 12 } as const

/** What `decide` may know besides the world. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** A number nobody can foresee, from which a free guest nick is made. */
  readonly guest: number
  /** The server's name and its message of the day. */
  readonly server: string
  readonly motd: ReadonlyArray<string>
  /** The log's epoch. */
  readonly epoch: string
  /** What is known of the asker's connection. */
  readonly dialect: string
  readonly address: string
}

/**
 * Entries of a room to be fetched from the log for the asker, in the asker's own order: those in (`after`, `before`),
 * or the last `limit` messages of them. `why` says what for.
 */
export interface Recall {
  readonly _tag: "Recall"
  readonly room: string
  readonly after: number | undefined
  readonly before: number | undefined
  readonly limit: number
  readonly why: "joined" | "resumed" | "asked"
}

/** Who hears an event: the room of this key, or some sessions and everybody in some rooms. */
export type Audience = string | { readonly rooms: Iterable<string>; readonly sessions: ReadonlyArray<SessionId> }

/** An event to keep, and who hears it. `concerns` is whom it happens to, besides its author. */
export interface Kept {
  readonly event: Fact
  readonly to: Audience
  readonly concerns: SessionId | undefined
}

/** An answer for the asker alone. */
export interface Told {
  readonly answer: Answer | Recall
}

export type Outcome = Kept | Told

export const isKept = (outcome: Outcome): outcome is Kept => "event" in outcome

const nothing: ReadonlyArray<Outcome> = []
const answer = (told: Answer | Recall): ReadonlyArray<Outcome> => [{ answer: told }]
const refuse = (command: Command, reason: string): ReadonlyArray<Outcome> =>
  answer({ _tag: "Refused", command: command._tag, reason })
const keep = (event: Fact, to: Audience, concerns?: SessionId): Kept => ({ event, to, concerns })

const notOneLine = /[\u0000\r\n\ud800-\udfff]/u
const oneLine = (text: string): string => text.replace(new RegExp(notOneLine, "gu"), " ")

/** Why a text cannot be passed on; what it is called starts the sentence. */
const textProblem = (what: string, text: string, max: number): string | undefined =>
  text.length * 3 > max && Text.byteLength(text) > max
    ? `${what} has at most ${max} bytes`
    : notOneLine.test(text)
    ? `${what} is one line of text`
    : undefined

/** Everyone who shares a room with this person, and the person. */
const around = (who: Person): Audience => ({ rooms: who.rooms, sessions: [who.id] })

const hashed = (name: string): string => Name.withHash(Text.truncate(name, Name.maxRoom))
const noRoom = (name: string): string => `there is no room ${hashed(name)}`
const notIn = (name: string): string => `you are not in ${hashed(name)}`

const freeGuest = (world: World, guest: number): string => {
  let number = guest
  while (HashMap.has(world.nicks, `guest${number}`)) number++
  return `guest${number}`
}

const members = (world: World, of: Room, atMost: number) => {
  const some: Array<{ nick: string; rank: Rank; away: boolean }> = []
  for (const [id, ranked] of of.members) {
    if (some.length === atMost) break
    const member = person(world, id)
    if (member !== undefined) some.push({ nick: member.nick, rank: ranked, away: member.away !== undefined })
  }
  return some.length < HashMap.size(of.members) ? some : some.sort((a, b) => Name.key(a.nick) < Name.key(b.nick) ? -1 : 1)
}

const roomInfo = (world: World, of: Room, asker: SessionId): Answer => {
  const own = rank(of, asker)
  return {
    _tag: "RoomInfo",
    room: of.name,
    topic: of.topic,
    moderated: of.moderated,
    members: HashMap.size(of.members),
    some: members(world, of, limits.shown),
    ...(own === undefined ? {} : { rank: own })
  }
}

const arrive = (world: World, by: SessionId, command: Command & { _tag: "Arrive" }, moment: Moment) => {
  if (HashMap.has(world.persons, by)) return refuse(command, "you are already here")
  const nick = command.nick ?? freeGuest(world, moment.guest)
  const problem = Name.nickProblem(nick)
  if (problem !== undefined) return refuse(command, problem)
  if (holder(world, nick) !== undefined) return refuse(command, `${nick} is taken`)
  return [
    keep({ _tag: "Arrived", nick, dialect: moment.dialect, address: moment.address }, { rooms: [], sessions: [] }),
    { answer: { _tag: "Welcome" as const, server: moment.server, nick, epoch: moment.epoch, motd: moment.motd } }
  ]
}

const join = (world: World, who: Person, command: Command & { _tag: "Join" }, moment: Moment): ReadonlyArray<Outcome> => {
  const name = Name.withoutHash(command.room)
  const problem = Name.roomProblem(name)
  if (problem !== undefined) return refuse(command, problem)
  const existing = room(world, name)
  if (existing !== undefined && who.rooms.has(Name.key(name))) return answer(roomInfo(world, existing, who.id))
  if (who.rooms.size >= limits.rooms) return refuse(command, `you are in ${limits.rooms} rooms, the most one can be in`)
  const opened = existing ?? emptyRoom(name)
  const outcomes: Array<Outcome> = []
  if (command.after !== undefined) {
    const forgotten = command.epoch !== undefined && command.epoch !== moment.epoch
    outcomes.push({
      answer: forgotten
        ? { _tag: "Missed", room: opened.name, after: command.after }
        : { _tag: "Recall", room: opened.name, after: command.after, before: undefined, limit: limits.history, why: "resumed" }
    })
  } else if (command.last !== undefined && command.last > 0) {
    outcomes.push({
      answer: {
        _tag: "Recall",
        room: opened.name,
        after: undefined,
        before: undefined,
        limit: Math.min(command.last, limits.history),
        why: "joined"
      }
    })
  }
  outcomes.push(keep({ _tag: "Joined", room: opened.name, nick: who.nick }, Name.key(name)))
  outcomes.push({ answer: roomInfo(world, withMember(opened, who.id), who.id) })
  return outcomes
}

const whisper = (world: World, who: Person, command: Command, to: string, text: string, kind: Kind) => {
  const target = holder(world, to)
  if (target === undefined) return refuse(command, `there is nobody called ${Text.truncate(to, 64)}`)
  const outcomes: Array<Outcome> = [
    keep({ _tag: "Whispered", nick: who.nick, to: target.nick, text, kind }, {
      rooms: [],
      sessions: target.id === who.id ? [who.id] : [who.id, target.id]
    }, target.id)
  ]
  if (target.away !== undefined && kind !== "notice") {
    outcomes.push({ answer: { _tag: "IsAway", nick: target.nick, message: target.away } })
  }
  return outcomes
}

/** Why somebody in this room may not talk; `undefined` when they may. */
/** Moderation holds for as long as there is somebody who can give a voice. */
const silenced = (of: Room, id: SessionId): string | undefined =>
  of.moderated && of.operators > 0 && rank(of, id) === "member"
    ? `${Name.withHash(of.name)} is moderated; only those with a voice may talk`
    : undefined

const say = (world: World, who: Person, command: Command & { _tag: "Say" }): ReadonlyArray<Outcome> => {
  const problem = textProblem("a message", command.text, limits.text)
  if (problem !== undefined) return refuse(command, problem)
  if (command.text.length === 0) return refuse(command, "there is nothing to say")
  const kind = command.kind ?? "message"
  const name = Name.withoutHash(command.target)
  const key = Name.key(name)
  if (!who.rooms.has(key)) {
    if (command.target.startsWith("#")) return refuse(command, room(world, name) === undefined ? noRoom(name) : notIn(name))
    if (holder(world, name) === undefined && room(world, name) !== undefined) return refuse(command, notIn(name))
    return whisper(world, who, command, name, command.text, kind)
  }
  const of = room(world, name)!
  const why = silenced(of, who.id)
  if (why !== undefined) return refuse(command, why)
  return [keep({ _tag: "Said", room: of.name, nick: who.nick, text: command.text, kind }, key)]
}

/** A room the asker is in and, where `operator` is asked for, runs; or the refusal. */
const ownRoom = (world: World, who: Person, command: Command, name: string, operator: boolean): Room | ReadonlyArray<Outcome> => {
  const bare = Name.withoutHash(name)
  if (!who.rooms.has(Name.key(bare))) return refuse(command, room(world, bare) === undefined ? noRoom(bare) : notIn(bare))
  const of = room(world, bare)!
  return operator && rank(of, who.id) !== "operator"
    ? refuse(command, `you are not an operator of ${Name.withHash(of.name)}`)
    : of
}

/** Somebody in a room the asker runs; or the refusal. */
const ownMember = (world: World, who: Person, command: Command & { room: string; nick: string }) => {
  const of = ownRoom(world, who, command, command.room, true)
  if (!("members" in of)) return of
  const target = holder(world, command.nick)
  return target === undefined || !target.rooms.has(Name.key(of.name))
    ? refuse(command, `${Text.truncate(command.nick, 64)} is not in ${Name.withHash(of.name)}`)
    : { of, target }
}

const history = (world: World, who: Person, command: Command & { _tag: "History" }) => {
  const of = ownRoom(world, who, command, command.room, false)
  return "members" in of
    ? answer({
      _tag: "Recall",
      room: of.name,
      after: command.after,
      before: command.before,
      limit: Math.max(1, Math.min(command.limit ?? 100, limits.history)),
      why: "asked"
    })
    : of
}

const setNick = (world: World, who: Person, command: Command & { _tag: "SetNick" }): ReadonlyArray<Outcome> => {
  if (command.nick === who.nick) return nothing
  const problem = Name.nickProblem(command.nick)
  if (problem !== undefined) return refuse(command, problem)
  const other = holder(world, command.nick)
  return other !== undefined && other.id !== who.id
    ? refuse(command, `${other.nick} is taken`)
    : [keep({ _tag: "Renamed", nick: who.nick, to: command.nick }, around(who))]
}

const list = (world: World): ReadonlyArray<Outcome> => {
  const rooms = []
  for (const of of HashMap.values(world.rooms)) {
    rooms.push({ room: of.name, members: HashMap.size(of.members), topic: of.topic })
  }
  rooms.sort((a, b) => b.members - a.members || (a.room < b.room ? -1 : 1))
  return answer({ _tag: "Rooms", rooms: rooms.slice(0, limits.list) })
}

const describe = (world: World, command: Command & { _tag: "Who" }): ReadonlyArray<Outcome> => {
  const target = holder(world, command.nick)
  return target === undefined
    ? refuse(command, `there is nobody called ${Text.truncate(command.nick, 64)}`)
    : answer({
      _tag: "Person",
      nick: target.nick,
      dialect: target.dialect,
      rooms: Array.from(target.rooms, (key) => room(world, key)?.name ?? key),
      since: new Date(target.since).toISOString(),
      ...(target.away === undefined ? {} : { away: target.away })
    })
}

/**
 * What follows when the session `by` asks for `command`: events to keep with those who hear them, and answers to the
 * asker, in order. A refusal is an answer. Total: any command from anybody gets something.
 */
export const decide = (world: World, by: SessionId, command: Command, moment: Moment): ReadonlyArray<Outcome> => {
  if (command._tag === "Arrive") return arrive(world, by, command, moment)
  const who = person(world, by)
  if (who === undefined) return command._tag === "Quit" ? nothing : refuse(command, "you have not arrived yet")
  switch (command._tag) {
    case "Say":
      return say(world, who, command)
    case "Pass": {
      const of = ownRoom(world, who, command, command.room, false)
      if (!("members" in of)) return of
      const why = silenced(of, who.id)
      if (why !== undefined) return refuse(command, why)
      return [keep({ _tag: "Passed", room: of.name, nick: who.nick, bytes: command.bytes }, Name.key(of.name))]
    }
    case "Whisper": {
      const problem = textProblem("a message", command.text, limits.text)
      if (problem !== undefined) return refuse(command, problem)
      if (command.text.length === 0) return refuse(command, "there is nothing to say")
      return whisper(world, who, command, command.nick, command.text, command.kind ?? "message")
    }
    case "SetNick":
      return setNick(world, who, command)
    case "Join":
      return join(world, who, command, moment)
    case "Part": {
      const of = ownRoom(world, who, command, command.room, false)
      if (!("members" in of)) return of
      const problem = textProblem("a reason", command.reason ?? "", limits.reason)
      if (problem !== undefined) return refuse(command, problem)
      return [keep({ _tag: "Left", room: of.name, nick: who.nick, ...because(command.reason) }, Name.key(of.name))]
    }
    case "SetTopic": {
      const of = ownRoom(world, who, command, command.room, false)
      if (!("members" in of)) return of
      if (of.operators > 0 && rank(of, who.id) !== "operator") {
        return refuse(command, `only operators of ${Name.withHash(of.name)} set its topic`)
      }
      const problem = textProblem("a topic", command.topic, limits.topic)
      if (problem !== undefined) return refuse(command, problem)
      return [keep({ _tag: "TopicSet", room: of.name, nick: who.nick, topic: command.topic }, Name.key(of.name))]
    }
    case "SetAway": {
      const problem = textProblem("an away message", command.message ?? "", limits.reason)
      if (problem !== undefined) return refuse(command, problem)
      const message = command.message === undefined || command.message.length === 0 ? {} : { message: command.message }
      return [keep({ _tag: "AwaySet", nick: who.nick, ...message }, around(who))]
    }
    case "SetRank": {
      const found = ownMember(world, who, command)
      if (!("target" in found)) return found
      return rank(found.of, found.target.id) === command.rank ? nothing : [
        keep(
          { _tag: "RankSet", room: found.of.name, nick: found.target.nick, by: who.nick, rank: command.rank },
          Name.key(found.of.name),
          found.target.id
        )
      ]
    }
    case "SetModerated": {
      const of = ownRoom(world, who, command, command.room, true)
      if (!("members" in of)) return of
      return of.moderated === command.moderated ? nothing : [
        keep({ _tag: "ModeratedSet", room: of.name, by: who.nick, moderated: command.moderated }, Name.key(of.name))
      ]
    }
    case "Kick": {
      const found = ownMember(world, who, command)
      if (!("target" in found)) return found
      const problem = textProblem("a reason", command.reason ?? "", limits.reason)
      if (problem !== undefined) return refuse(command, problem)
      return [
        keep(
          { _tag: "Kicked", room: found.of.name, nick: found.target.nick, by: who.nick, ...because(command.reason) },
          Name.key(found.of.name),
          found.target.id
        )
      ]
    }
    case "Look":
    case "Names": {
      const of = room(world, Name.withoutHash(command.room))
      if (of === undefined) return refuse(command, noRoom(Name.withoutHash(command.room)))
      return answer(
        command._tag === "Look"
          ? roomInfo(world, of, by)
          : { _tag: "Members", room: of.name, members: members(world, of, Infinity) }
      )
    }
    case "List":
      return list(world)
    case "Who":
      return describe(world, command)
    case "History":
      return history(world, who, command)
    case "Motd":
      return answer({ _tag: "Motd", lines: moment.motd })
    case "Quit": {
      const reason = Text.truncate(oneLine(command.reason ?? ""), limits.reason)
      const rooms = Array.from(who.rooms, (key) => room(world, key)?.name ?? key)
      return [keep({ _tag: "Quit", nick: who.nick, rooms, reason }, { rooms: who.rooms, sessions: [] })]
    }
  }
}

const because = (reason: string | undefined) => reason === undefined || reason.length === 0 ? {} : { reason }
