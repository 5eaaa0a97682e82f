/**
 * Every rule there is: what follows when somebody asks for something.
 * Knows nothing of connections, bytes, logs or time's passing.
 */
import * as HashMap from "effect/HashMap"
import { type Command, type Mark, type MaskList, type Rank, rankOf, runs, type Tags, type Together, voiced } from "../Command.ts"
import type { Answer, Code, Fact, SessionId } from "../Event.ts"
import * as Mask from "../Mask.ts"
import * as Name from "../Name.ts"
import * as Search from "../Search.ts"
import * as Text from "../Text.ts"
import { evolve } from "./Evolve.ts"
import type * as Roster from "./Roster.ts"
import {
  type Absent,
  absence,
  holder,
  formerOf,
  insideOf,
  invitedTo,
  isShared,
  joined,
  listed,
  meet,
  membersOf,
  muting,
  person,
  type Person,
  rank,
  room,
  type Room,
  seesRoom,
  tooLate,
  watchersOf,
  withMember,
  type World
} from "./State.ts"

/** How much of everything one may have. Sizes in bytes of UTF-8. */
export const limits = {
  rooms: 50,
  text: 4096,
  topic: 390,
  reason: 390,
  history: 500,
  found: 50,
  words: 20,
  list: 1000,
  shown: 12,
  masks: 100,
  invited: 100,
  watches: 100,
  key: 32,
  user: 16,
  realname: 150,
  tags: 4094
} as const

/** What `decide` may know besides the world. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** A number nobody can foresee, from which a free guest nick is made. */
  readonly guest: number
  /** The server's name and its message of the day. */
  readonly server: string
  readonly motd: ReadonlyArray<string>
  /** The log's epoch, and the newest sequence number in it. */
  readonly epoch: string
  readonly seq: number
  /** What is known of the asker's connection. */
  readonly dialect: string
  readonly address: string
  readonly house: House
}

/** What the house around the world knows: who may come in and run it, and who spoke when. */
export interface House {
  /** Whether somebody who gives this password may come in. */
  readonly admits: (password: string | undefined) => boolean
  /** Whether this is the password of that operator of the server. */
  readonly isOperator: (name: string, password: string) => boolean
  /** When this session last said something, in milliseconds since 1970. */
  readonly spokeAt: (id: SessionId) => number | undefined
  /** When the server began, in milliseconds since 1970. */
  readonly since: number
  /** How many sessions there are that have not arrived yet. */
  readonly unknown: () => number
  /** Most messages of a room's past that whoever joins is shown. */
  readonly replay: () => number
}

/** A house that anybody may enter and nobody runs. */
export const openHouse: House = { admits: () => true, isOperator: () => false, spokeAt: () => undefined, since: 0, unknown: () => 0, replay: () => Infinity }

/**
 * Entries of a room to be fetched from the log for the asker, in the asker's own order: those in (`after`, `before`),
 * or the last `limit` messages of them. `why` says what for.
 */
export interface Recall {
  readonly _tag: "Recall"
  readonly room: string
  readonly after: Mark | undefined
  readonly before: Mark | undefined
  readonly limit: number
  readonly why: "joined" | "resumed" | "asked" | "found" | "latest"
  /** What these two whispered to each other, instead of what was said in a room. */
  readonly whispered?: readonly [SessionId, SessionId]
  /** Not only what was said, but all that happened. */
  readonly events?: boolean
  /** The first of them instead of the last, or those around this place. */
  readonly earliest?: boolean
  readonly around?: Mark
  /** `after` and `before` are two ends in either order: those at the first of them, counted from it. */
  readonly between?: boolean
  /** Only messages with all of these words in them; then there is none of the three above. */
  readonly words?: string
  /** The room's number, where something happened in it behind closed doors, which the asker may read. */
  readonly inside?: number
  /** The number of another room that had the name: what happened in it behind closed doors is told to nobody. */
  readonly former?: number
}

/** The answer to `Fence`. */
export interface Fenced {
  readonly _tag: "Fenced"
  readonly token: unknown
}

/** The answer to `Observe`: the world as it is at this place in the order, for nobody's eyes but the asker's dialect. */
export interface Observed {
  readonly _tag: "Observed"
  readonly question: unknown
  readonly world: World
  readonly moment: Moment
}

/** The answer to `Control`, which the hub sees to. */
export interface Controlled {
  readonly _tag: "Controlled"
  readonly what: "rehash" | "die"
}

/** What a dialect may be told besides events. */
export type Reply = Answer | Recall | Fenced | Observed | Controlled

/** Who hears an event: the room of this key, or some sessions and everybody in some rooms. */
export type Audience = string | { readonly rooms: Iterable<string>; readonly sessions: ReadonlyArray<SessionId> }

/** An event to keep, and who hears it. `concerns` is whom it happens to, besides its author: they are told it by itself. */
export interface Kept {
  readonly event: Fact
  readonly to: Audience
  readonly concerns: SessionId | undefined
}

/** An answer for the asker alone, or a word to others that is not kept. */
export interface Told {
  readonly answer: Reply
  readonly to?: ReadonlyArray<SessionId>
}

export type Outcome = Kept | Told

export const isKept = (outcome: Outcome): outcome is Kept => "event" in outcome

const nothing: ReadonlyArray<Outcome> = []
const answer = (told: Reply): ReadonlyArray<Outcome> => [{ answer: told }]
const refuse = (
  command: Command,
  code: Code,
  reason: string,
  about: { readonly room?: string; readonly nick?: string; readonly list?: MaskList } = {}
): ReadonlyArray<Outcome> => answer({ _tag: "Refused", command: command._tag, reason, code, ...about })
const keep = (event: Fact, to: Audience, concerns?: SessionId): Kept => ({ event, to, concerns })

const notOneLine = /[\u0000\r\n\ud800-\udfff]/u
const oneLine = (text: string): string => text.replace(new RegExp(notOneLine, "gu"), " ")

/** Why a text cannot be passed on; what it is called starts the sentence. */
const textProblem = (what: string, text: string, max: number): string | undefined =>
  text.length * 3 > max && Text.byteLength(text) > max
    ? `${what} has at most ${max} bytes`
    : !Text.isPlain(text) && notOneLine.test(text)
    ? `${what} is one line of text`
    : undefined

/** What tags may be called that people tell each other (https://ircv3.net/specs/extensions/message-tags#format). */
const tagName = /^\+[A-Za-z0-9.-]+(?:\/[A-Za-z0-9.-]+)*$/

/** Why tags cannot be passed on. Names and values count, and two bytes between them. */
const tagsProblem = (tags: Tags | undefined): string | undefined => {
  if (tags === undefined) return undefined
  let bytes = 0
  for (const name in tags) {
    if (!tagName.test(name)) return "a tag's name is a plus sign and letters, digits, dots, hyphens and slashes"
    bytes += name.length + Text.byteLength(tags[name]!) + 2
  }
  return bytes - 1 > limits.tags ? `tags have at most ${limits.tags} bytes` : undefined
}

/** Everyone who shares a room with this person, the person, and who watches and would not hear it otherwise. */
const around = (world: World, who: Person): Audience => {
  const watching: Array<SessionId> = []
  for (const id of watchersOf(world, who.nick)) {
    const watcher = person(world, id)
    if (watcher !== undefined && !meet(watcher, who)) watching.push(id)
  }
  return { rooms: who.rooms, sessions: [who.id, ...watching] }
}

const sight = (nick: string, here: Pick<Person, "user" | "address"> | undefined): Answer =>
  here === undefined ? { _tag: "Seen", nick, here: false } : { _tag: "Seen", nick, here: true, from: `${here.user}@${here.address}` }

/** Word of somebody's being here or not, to who watches for it. */
const seen = (world: World, nick: string, here: Pick<Person, "user" | "address"> | undefined): ReadonlyArray<Told> => {
  const watching = watchersOf(world, nick)
  return watching.size === 0 ? [] : [{ answer: sight(nick, here), to: [...watching] }]
}

const short = (text: string): string => Text.truncate(text, 64)
const hashed = (name: string): string => Name.withHash(Text.truncate(name, Name.maxRoom))
const noRoom = (command: Command, name: string) =>
  refuse(command, "no-room", `there is no room ${hashed(name)}`, { room: short(name) })
const notIn = (command: Command, name: string) => refuse(command, "not-in-room", `you are not in ${hashed(name)}`, { room: short(name) })
const noBody = (command: Command, nick: string) =>
  refuse(command, "nobody", `there is nobody called ${short(nick)}`, { nick: short(nick) })

const freeGuest = (world: World, guest: number): string => {
  let number = guest
  while (HashMap.has(world.nicks, `guest${number}`)) number++
  return `guest${number}`
}

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

const roomInfo = (world: World, of: Room, asker: SessionId): Answer => {
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

const userPattern = /[^A-Za-z0-9._~-]/g

const arrive = (world: World, by: SessionId, command: Command & { _tag: "Arrive" }, moment: Moment): ReadonlyArray<Outcome> => {
  if (HashMap.has(world.persons, by)) return refuse(command, "already-here", "you are already here")
  if (!moment.house.admits(command.password)) {
    const why = "this server wants a password"
    return command.password === undefined
      ? refuse(command, "password", `${why}: /pass PASSWORD`)
      : [...refuse(command, "password", `${why}, and that is not it`), { answer: { _tag: "Closing", reason: "wrong password" } }]
  }
  const nick = command.nick ?? freeGuest(world, moment.guest)
  const problem = Name.nickProblem(nick)
  if (problem !== undefined) return refuse(command, "erroneous", problem, { nick: short(nick) })
  if (holder(world, nick) !== undefined) return refuse(command, "nick-taken", `${nick} is taken`, { nick })
  const user = command.user === undefined ? undefined : command.user.replace(userPattern, "").slice(0, limits.user)
  const realname = command.realname === undefined ? undefined : Text.truncate(oneLine(command.realname), limits.realname)
  return [
    keep({
      _tag: "Arrived",
      nick,
      dialect: moment.dialect,
      address: moment.address,
      ...(user === undefined || user === "" ? {} : { user }),
      ...(realname === undefined ? {} : { realname })
    }, { rooms: [], sessions: [] }),
    { answer: { _tag: "Welcome" as const, server: moment.server, nick, epoch: moment.epoch, motd: moment.motd, newest: moment.seq } },
    ...seen(world, nick, { user: user === undefined || user === "" ? moment.dialect : user, address: moment.address })
  ]
}

/**
 * Why somebody may not come into a room; the invited may, whatever it is, for whoever runs it wants them in. Of several reasons
 * it is the first in the order of https://modern.ircdocs.horse/#join-message. Who was in it before the server closed needs no invitation,
 * where the address says that it is them.
 */
const keptOut = (of: Room, who: Person, command: Command & { _tag: "Join" }, back: Absent | undefined): ReadonlyArray<Outcome> | undefined => {
  if (of.invited.has(who.id)) return undefined
  const name = Name.withHash(of.name)
  const about = { room: of.name }
  if (of.key !== undefined && command.key !== of.key) {
    return refuse(command, "wrong-key", `${name} wants a key, and that is not it`, about)
  }
  if (listed(of.masks.ban, who) && !listed(of.masks.exception, who)) return refuse(command, "banned", `you are banned from ${name}`, about)
  if (of.limit !== undefined && HashMap.size(of.members) >= of.limit) return refuse(command, "full", `${name} is full`, about)
  return of.flags.has("invite-only") && !listed(of.masks.invitation, who) && (back === undefined || isShared(who.address))
    ? refuse(command, "invite-only", `${name} is for the invited only`, about)
    : undefined
}

/** Who is here for longest of those in a room. */
const eldest = (world: World, of: Room): Person | undefined => {
  let first: Person | undefined
  for (const [who] of membersOf(world, of)) {
    if (first === undefined || who.number < first.number) first = who
  }
  return first
}

/**
 * What becomes of the ranks of a room that outlived the server when somebody comes: who had one has it again, and when it is
 * too late for that and nobody runs the room, whoever is here for longest does.
 */
const ranksAgain = (world: World, of: Room, who: Person, back: Absent | undefined, at: number): ReadonlyArray<Outcome> => {
  const set = (nick: string, was: Rank, to: Rank, cause: "returned" | "remaining", concerns: SessionId): ReadonlyArray<Outcome> => [
    keep({ _tag: "RankSet", room: of.name, nick, by: who.nick, rank: to, was, cause }, Name.key(of.name), concerns)
  ]
  if (of.wait === undefined) return nothing
  const first = rank(withMember(of, who), who.id)!
  if (back !== undefined && back.rank !== "member" && back.rank !== first) return set(who.nick, first, back.rank, "returned", who.id)
  if (of.operators > 0 || of.wait.absent.some((one) => runs(one.rank) && !tooLate(one.at, at))) return nothing
  const heir = eldest(world, of)
  const was = heir === undefined ? undefined : rank(of, heir.id)
  return heir === undefined || was === undefined ? nothing : set(heir.nick, was, rankOf(true, voiced(was)), "remaining", heir.id)
}

const join = (world: World, who: Person, command: Command & { _tag: "Join" }, moment: Moment): ReadonlyArray<Outcome> => {
  const name = Name.withoutHash(command.room)
  const problem = Name.roomProblem(name)
  if (problem !== undefined) return refuse(command, "erroneous", problem, { room: short(name) })
  const existing = room(world, name)
  if (existing !== undefined && who.rooms.has(Name.key(name))) return answer(roomInfo(world, existing, who.id))
  if (who.rooms.size >= limits.rooms) {
    return refuse(command, "too-many-rooms", `you are in ${limits.rooms} rooms, the most one can be in`, { room: name })
  }
  const opened = joined(world, name, moment.at)
  const back = absence(opened, who, moment.at)
  const out = keptOut(opened, who, command, back)
  if (out !== undefined) return out
  const outcomes: Array<Outcome> = []
  const last = Math.min(command.last ?? 0, limits.history, moment.house.replay())
  // A position that is not of this log, or that the log has lost, says nothing of what was missed.
  const isKnown = (command.epoch === undefined || command.epoch === moment.epoch) && (command.after ?? 0) <= moment.seq
  if (command.after !== undefined && !isKnown) outcomes.push({ answer: { _tag: "Missed", room: opened.name, after: command.after } })
  if (command.after !== undefined && isKnown) {
    outcomes.push({
      answer: { _tag: "Recall", room: opened.name, after: command.after, before: undefined, limit: limits.history, why: "resumed", ...insideOf(opened), ...formerOf(world, opened) }
    })
  } else if (last > 0) {
    outcomes.push({
      answer: {
        _tag: "Recall",
        room: opened.name,
        after: undefined,
        before: undefined,
        limit: last,
        why: "joined",
        ...insideOf(opened)
      }
    })
  }
  outcomes.push(keep({
    _tag: "Joined",
    room: opened.name,
    nick: who.nick,
    ...(who.realname === who.nick ? {} : { realname: who.realname }),
    ...(who.away === undefined ? {} : { away: who.away })
  }, Name.key(name)))
  outcomes.push({ answer: roomInfo(world, withMember(opened, who), who.id) }, ...ranksAgain(world, opened, who, back, moment.at))
  return outcomes
}

type Saying = Command & ({ _tag: "Say" } | { _tag: "Whisper" } | { _tag: "Hint" })

const tagged = (tags: Tags | undefined) => tags === undefined ? {} : { tags }

const ctcp = "\u0001"

const toPerson = (world: World, who: Person, command: Saying, to: string): ReadonlyArray<Outcome> => {
  const target = holder(world, to)
  if (target === undefined) return noBody(command, to)
  const audience = { rooms: [], sessions: target.id === who.id ? [who.id] : [who.id, target.id] }
  if (command._tag === "Hint") return [keep({ _tag: "Hinted", nick: who.nick, to: target.nick, tags: command.tags }, audience, target.id)]
  if (target.traits.has("no-ctcp") && command.text.startsWith(ctcp) && target.id !== who.id) {
    return refuse(command, "no-ctcp", `${target.nick} takes no client-to-client requests`, { nick: target.nick })
  }
  const kind = command.kind ?? "message"
  const event: Fact = { _tag: "Whispered", nick: who.nick, to: target.nick, text: command.text, kind, ...tagged(command.tags) }
  const told = keep(event, audience, target.id)
  return target.away === undefined || kind === "notice"
    ? [told]
    : [told, { answer: { _tag: "IsAway", nick: target.nick, message: target.away } }]
}

/** Why somebody may not talk in a room; `undefined` when they may. Moderation holds for as long as somebody can give a voice. */
const silenced = (of: Room, who: Person, command: Command): ReadonlyArray<Outcome> | undefined => {
  if (of.flags.has("members-only") && !who.rooms.has(Name.key(of.name))) return notIn(command, of.name)
  if (!of.moderated && of.masks.ban.length === 0) return undefined
  const ranked = rank(of, who.id)
  if (runs(ranked) || voiced(ranked)) return undefined
  const name = Name.withHash(of.name)
  const about = { room: of.name }
  if (of.moderated && of.operators > 0) {
    return refuse(command, "moderated", `${name} is moderated; only those with a voice may talk`, about)
  }
  if (listed(of.masks.exception, who)) return undefined
  return listed(of.masks.ban, who)
    ? refuse(command, "banned", `you are banned from ${name}`, about)
    : listed(of.masks.ban, who, muting) && !listed(of.masks.exception, who, muting)
    ? refuse(command, "muted", `you are muted in ${name}`, about)
    : undefined
}

/** The room somebody may talk to by this name: of one that is secret and for members only, strangers do not learn that it is there. */
const reached = (world: World, who: Person, name: string): Room | undefined => {
  const of = room(world, name)
  return of !== undefined && of.flags.has("members-only") && !seesRoom(of, who) ? undefined : of
}

const toRoom = (world: World, who: Person, command: Saying, name: string, only: Rank | undefined): ReadonlyArray<Outcome> => {
  const key = Name.key(name)
  const of = reached(world, who, key)
  if (of === undefined) return noRoom(command, name)
  const why = silenced(of, who, command)
  if (why !== undefined) return why
  const audience = only === undefined ? key : {
    rooms: [],
    sessions: [
      who.id,
      ...membersOf(world, of).filter(([member, ranked]) => member.id !== who.id && (runs(ranked) || (only === "voice" && voiced(ranked))))
        .map(([member]) => member.id)
    ]
  }
  if (command._tag === "Hint") {
    return [keep({ _tag: "Hinted", nick: who.nick, room: of.name, tags: command.tags, ...(only === undefined ? {} : { only }) }, audience)]
  }
  if (of.flags.has("no-ctcp") && command.text.startsWith(ctcp)) {
    return refuse(command, "no-ctcp", `no client-to-client requests in ${Name.withHash(of.name)}`, { room: of.name })
  }
  const said = { _tag: "Said", room: of.name, nick: who.nick, text: command.text, kind: command.kind ?? "message" } as const
  // Nearly all that is said is for everybody and has no tags.
  const isPlain = only === undefined && command.tags === undefined
  return [keep(isPlain ? said : { ...said, ...(only === undefined ? {} : { only }), ...tagged(command.tags) }, audience)]
}

/** `@#room` is for those who run it, `+#room` for those with a voice too. */
const status = /^([@+]+)#/

const say = (world: World, who: Person, command: Saying): ReadonlyArray<Outcome> => {
  const problem = command._tag === "Hint" ? undefined : textProblem("a message", command.text, limits.text)
  const worse = problem ?? (command.tags === undefined ? undefined : tagsProblem(command.tags))
  if (worse !== undefined) return refuse(command, "too-long", worse)
  if (command._tag !== "Hint" && command.text.length === 0) return refuse(command, "nothing-said", "there is nothing to say")
  if (command._tag === "Whisper") return toPerson(world, who, command, command.nick)
  const ranked = command.target.startsWith("#") ? undefined : status.exec(command.target)?.[1]
  if (ranked !== undefined) {
    return toRoom(world, who, command, command.target.slice(ranked.length + 1), ranked.includes("+") ? "voice" : "operator")
  }
  const name = Name.withoutHash(command.target)
  return command.target.startsWith("#") || who.rooms.has(Name.key(name))
      || (holder(world, name) === undefined && reached(world, who, name) !== undefined)
    ? toRoom(world, who, command, name, undefined)
    : toPerson(world, who, command, name)
}

/** A room the asker is in and, where `operator` is asked for, runs; or the refusal. */
const ownRoom = (world: World, who: Person, command: Command, name: string, operator: boolean): Room | ReadonlyArray<Outcome> => {
  const bare = Name.withoutHash(name)
  const of = room(world, bare)
  if (of === undefined || !seesRoom(of, who)) return noRoom(command, bare)
  if (!who.rooms.has(Name.key(bare))) return notIn(command, bare)
  return operator && !runs(rank(of, who.id))
    ? refuse(command, "not-operator", `you are not an operator of ${Name.withHash(of.name)}`, { room: of.name })
    : of
}

/** Somebody in a room the asker runs, or wherever an operator of the server kicks; or the refusal. */
const ownMember = (world: World, who: Person, command: Command & { room: string; nick: string }) => {
  const anywhere = who.operator && command._tag === "Kick" ? room(world, Name.withoutHash(command.room)) : undefined
  const of = anywhere ?? ownRoom(world, who, command, command.room, true)
  if (!("members" in of)) return of
  const target = holder(world, command.nick)
  if (target === undefined) return refuse(command, "nobody", `there is nobody called ${short(command.nick)}`, { room: of.name, nick: short(command.nick) })
  return !target.rooms.has(Name.key(of.name))
    ? refuse(command, "others-room", `${target.nick} is not in ${Name.withHash(of.name)}`, { room: of.name, nick: target.nick })
    : { of, target }
}

/** A change that those who run a room may make to it. */
const change = (
  world: World,
  who: Person,
  command: Command & { room: string },
  to: (of: Room) => ReadonlyArray<Outcome> | Fact | undefined
): ReadonlyArray<Outcome> => {
  const of = ownRoom(world, who, command, command.room, true)
  if (!("members" in of)) return of
  const changed = to(of)
  return changed === undefined ? nothing : "_tag" in changed ? [keep(changed, Name.key(of.name))] : changed
}

const setMask = (world: World, who: Person, command: Command & { _tag: "SetMask" }): ReadonlyArray<Outcome> =>
  change(world, who, command, (of) => {
    const { list, on } = command
    const mutes = list !== "invitation" && command.mask.startsWith(muting)
    const bare = mutes ? command.mask.slice(muting.length) : command.mask
    const whole = Mask.whole(bare)
    if (!/^[!-~]+$/.test(bare) || whole.length > Mask.maxMask) {
      return refuse(command, "erroneous", `a mask is like nick!user@address, of at most ${Mask.maxMask} characters`, { room: of.name })
    }
    const mask = (mutes ? muting : "") + whole
    const masks = of.masks[list]
    const there = masks.some((other) => Name.key(other.mask) === Name.key(mask))
    if (there === on) return undefined
    if (on && masks.length >= limits.masks) {
      return refuse(command, "list-full", `the list of ${Name.withHash(of.name)} is full: ${limits.masks} masks`, { room: of.name, list })
    }
    return { _tag: "MaskSet", room: of.name, by: who.nick, list, mask, on }
  })

const invite = (world: World, who: Person, command: Command & { _tag: "Invite" }): ReadonlyArray<Outcome> => {
  const bare = Name.withoutHash(command.room)
  const of = ownRoom(world, who, command, bare, room(world, bare)?.flags.has("invite-only") === true)
  if (!("members" in of)) return of
  const target = holder(world, command.nick)
  if (target === undefined) return noBody(command, command.nick)
  if (target.rooms.has(Name.key(of.name))) {
    return refuse(command, "on-room", `${target.nick} is in ${Name.withHash(of.name)} already`, { room: of.name, nick: target.nick })
  }
  if (!of.invited.has(target.id) && invitedTo(world, of).size >= limits.invited) {
    return refuse(command, "list-full", `${limits.invited} people are invited to ${Name.withHash(of.name)}, the most there may be`, { room: of.name })
  }
  const running = membersOf(world, of).filter(([member, ranked]) => member.id !== who.id && runs(ranked)).map(([{ id }]) => id)
  const invited = keep({ _tag: "Invited", room: of.name, nick: target.nick, by: who.nick }, {
    rooms: [],
    sessions: [who.id, target.id, ...running]
  }, target.id)
  return target.away === undefined ? [invited] : [invited, { answer: { _tag: "IsAway", nick: target.nick, message: target.away } }]
}

const setRank = (world: World, who: Person, command: Command & { _tag: "SetRank" }): ReadonlyArray<Outcome> => {
  const found = ownMember(world, who, command)
  if (!("target" in found)) return found
  const was = rank(found.of, found.target.id)!
  const to = command.on === undefined
    ? command.rank
    : rankOf(runs(command.rank) ? command.on : runs(was), voiced(command.rank) ? command.on : voiced(was))
  return was === to ? nothing : [
    keep(
      { _tag: "RankSet", room: found.of.name, nick: found.target.nick, by: who.nick, rank: to, was },
      Name.key(found.of.name),
      found.target.id
    )
  ]
}

const watch = (world: World, who: Person, command: Command & { _tag: "Watch" }): ReadonlyArray<Outcome> => {
  const { on } = command
  const nicks = new Map((command.nicks ?? [...who.watches]).filter((nick) => Name.nickProblem(nick) === undefined).map((nick) => [Name.key(nick), nick]))
  const fresh = new Set([...nicks.keys()].filter((key) => who.watches.has(key) !== on))
  if (on && who.watches.size + fresh.size > limits.watches) {
    return refuse(command, "list-full", `you watch ${limits.watches} people, the most one can`, { nick: [...nicks.values()].join(",") })
  }
  const outcomes: Array<Outcome> = []
  if (fresh.size > 0) outcomes.push(keep({ _tag: "Watched", nick: who.nick, nicks: [...fresh], on }, { rooms: [], sessions: [] }))
  if (on) {
    for (const nick of nicks.values()) {
      const held = holder(world, nick)
      outcomes.push({ answer: sight(held?.nick ?? nick, held) })
    }
  }
  return outcomes
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
      why: "asked",
      ...insideOf(of)
    })
    : of
}

/** What of the log may be recalled: a room that one is in, or what oneself and somebody who is here whispered to each other. */
const recalled = (world: World, who: Person, { nick, room: name = "" }: Command & { _tag: "Recollect" }) => {
  if (nick === undefined) {
    const of = ownRoom(world, who, { _tag: "History", room: name }, name, false)
    return "members" in of ? { room: of.name, ...insideOf(of) } : of
  }
  const other = holder(world, nick)
  return other === undefined ? noBody({ _tag: "History", room: nick }, nick) : { room: other.nick, whispered: [who.id, other.id] as const }
}

const search = (world: World, who: Person, command: Command & { _tag: "Search" }): ReadonlyArray<Outcome> => {
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

const recollect = (world: World, who: Person, command: Command & { _tag: "Recollect" }): ReadonlyArray<Outcome> => {
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

const latest = (world: World, who: Person): ReadonlyArray<Outcome> =>
  Array.from(who.rooms, (key) => room(world, key)).flatMap((of): ReadonlyArray<Outcome> => of === undefined ? [] : [{
    answer: { _tag: "Recall", room: of.name, after: undefined, before: undefined, limit: 1, why: "latest", ...insideOf(of) }
  }])

const setNick = (world: World, who: Person, command: Command & { _tag: "SetNick" }): ReadonlyArray<Outcome> => {
  if (command.nick === who.nick) return nothing
  const problem = Name.nickProblem(command.nick)
  if (problem !== undefined) return refuse(command, "erroneous", problem, { nick: short(command.nick) })
  const other = holder(world, command.nick)
  if (other !== undefined && other.id !== who.id) return refuse(command, "nick-taken", `${other.nick} is taken`, { nick: short(command.nick) })
  const renamed = keep({ _tag: "Renamed", nick: who.nick, to: command.nick }, { rooms: who.rooms, sessions: [who.id] })
  return Name.key(command.nick) === Name.key(who.nick)
    ? [renamed]
    : [renamed, ...seen(world, who.nick, undefined), ...seen(world, command.nick, who)]
}

const list = (world: World, who: Person): ReadonlyArray<Outcome> => {
  const rooms = []
  for (const of of HashMap.values(world.rooms)) {
    if (seesRoom(of, who)) rooms.push({ room: of.name, members: HashMap.size(of.members), topic: of.topic })
  }
  rooms.sort((a, b) => b.members - a.members || (a.room < b.room ? -1 : 1))
  return answer({ _tag: "Rooms", rooms: rooms.slice(0, limits.list) })
}

const describe = (world: World, who: Person, command: Command & { _tag: "Who" }): ReadonlyArray<Outcome> => {
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

/** Why nothing of several wishes for a room is granted. */
const forAll: ReadonlySet<Code | undefined> = new Set(["no-room", "not-in-room", "not-operator"] as const)

const together = (world: World, by: SessionId, { wishes }: Together, moment: Moment): ReadonlyArray<Outcome> => {
  const outcomes: Array<Outcome> = []
  const refusals: Array<Outcome> = []
  const said = new Set<string>()
  let head = world
  for (const [i, wish] of wishes.entries()) {
    for (const outcome of decide(head, by, wish, moment)) {
      if (isKept(outcome)) head = evolve(head, by, outcome.event, moment.at)
      else if (outcome.answer._tag === "Refused") {
        const { code, room: of } = outcome.answer
        const why = `${code} ${of}`
        if (!said.has(why)) refusals.push({ ...outcome, answer: { ...outcome.answer, path: String(i) } })
        if (forAll.has(code)) said.add(why)
        continue
      }
      outcomes.push(outcome)
    }
  }
  return [...refusals, ...outcomes]
}

/** What operators of the server may do. */
const command = (who: Person, asked: Command, then: () => ReadonlyArray<Outcome>): ReadonlyArray<Outcome> =>
  who.operator ? then() : refuse(asked, "server-operator", "only operators of the server may do that")

const quitReason = (reason: string | undefined): string => Text.truncate(oneLine(reason ?? ""), limits.reason)

const notArrived = (asked: Command) => refuse(asked, "not-arrived", "you have not arrived yet")

/** As `decide` for what is said, which is nearly all that is asked, and needs no moment. */
export const decideSaying = (world: World, by: SessionId, asked: Command & { readonly _tag: "Say" }): ReadonlyArray<Outcome> => {
  const who = person(world, by)
  return who === undefined ? notArrived(asked) : say(world, who, asked)
}

/**
 * What follows when the session `by` asks for `command`: events to keep with those who hear them, and answers to the
 * asker, in order. A refusal is an answer. Total: any command from anybody gets something.
 */
export const decide = (world: World, by: SessionId, asked: Command, moment: Moment): ReadonlyArray<Outcome> => {
  switch (asked._tag) {
    case "Arrive":
      return arrive(world, by, asked, moment)
    case "Fence":
      return answer({ _tag: "Fenced", token: asked.token })
    case "Observe":
      return answer({ _tag: "Observed", question: asked.question, world, moment })
    case "Together":
      return together(world, by, asked, moment)
  }
  const who = person(world, by)
  if (who === undefined) return asked._tag === "Quit" ? nothing : notArrived(asked)
  switch (asked._tag) {
    case "Say":
      return decideSaying(world, by, asked)
    case "Whisper":
    case "Hint":
      return say(world, who, asked)
    case "Pass": {
      const of = ownRoom(world, who, asked, asked.room, false)
      if (!("members" in of)) return of
      return silenced(of, who, asked)
        ?? [keep({ _tag: "Passed", room: of.name, nick: who.nick, bytes: asked.bytes }, Name.key(of.name))]
    }
    case "SetNick":
      return setNick(world, who, asked)
    case "Join":
      return join(world, who, asked, moment)
    case "Part": {
      const of = ownRoom(world, who, asked, asked.room, false)
      if (!("members" in of)) return of
      const problem = textProblem("a reason", asked.reason ?? "", limits.reason)
      if (problem !== undefined) return refuse(asked, "too-long", problem)
      return [keep({ _tag: "Left", room: of.name, nick: who.nick, ...because(asked.reason) }, Name.key(of.name))]
    }
    case "PartAll":
      return Array.from(who.rooms, (key) => keep({ _tag: "Left", room: room(world, key)?.name ?? key, nick: who.nick }, key))
    case "SetTopic": {
      const of = ownRoom(world, who, asked, asked.room, false)
      if (!("members" in of)) return of
      if (of.flags.has("topic-locked") && of.operators > 0 && !runs(rank(of, who.id))) {
        return refuse(asked, "not-operator", `only operators of ${Name.withHash(of.name)} set its topic`, { room: of.name })
      }
      const problem = textProblem("a topic", asked.topic, limits.topic)
      if (problem !== undefined) return refuse(asked, "too-long", problem)
      return asked.topic === of.topic
        ? nothing
        : [keep({ _tag: "TopicSet", room: of.name, nick: who.nick, topic: asked.topic }, Name.key(of.name))]
    }
    case "SetAway": {
      const problem = textProblem("an away message", asked.message ?? "", limits.reason)
      if (problem !== undefined) return refuse(asked, "too-long", problem)
      const message = asked.message === undefined || asked.message.length === 0 ? {} : { message: asked.message }
      // Who says once more what all know already is answered, and nobody else is told.
      const isNew = message.message !== who.away
      return [keep({ _tag: "AwaySet", nick: who.nick, ...message }, isNew ? around(world, who) : { rooms: [], sessions: [by] })]
    }
    case "SetRealname": {
      const problem = textProblem("a real name", asked.realname, limits.realname)
      if (problem !== undefined || asked.realname === "") return refuse(asked, "erroneous", problem ?? "a real name cannot be empty")
      return asked.realname === who.realname
        ? nothing
        : [keep({ _tag: "RealnameSet", nick: who.nick, realname: asked.realname }, around(world, who))]
    }
    case "SetTrait":
      return who.traits.has(asked.trait) === asked.on
        ? nothing
        : [keep({ _tag: "TraitSet", nick: who.nick, trait: asked.trait, on: asked.on }, { rooms: [], sessions: [by] })]
    case "SetRank":
      return setRank(world, who, asked)
    case "SetModerated":
      return change(world, who, asked, (of) =>
        of.moderated === asked.moderated
          ? undefined
          : { _tag: "ModeratedSet", room: of.name, by: who.nick, moderated: asked.moderated })
    case "SetFlag":
      return change(world, who, asked, (of) =>
        of.flags.has(asked.flag) === asked.on
          ? undefined
          : { _tag: "FlagSet", room: of.name, by: who.nick, flag: asked.flag, on: asked.on })
    case "SetKey":
      return change(world, who, asked, (of) =>
        asked.key !== undefined && (!/^[!-~]+$/.test(asked.key) || asked.key.includes(",") || asked.key.startsWith(":") || asked.key.length > limits.key)
          ? refuse(asked, "erroneous", `a key has at most ${limits.key} characters, without spaces and commas`, { room: of.name })
          : of.key === asked.key
          ? undefined
          : { _tag: "KeySet", room: of.name, by: who.nick, ...(asked.key === undefined ? {} : { key: asked.key }) })
    case "SetLimit":
      return change(world, who, asked, (of) =>
        asked.limit !== undefined && (asked.limit < 1 || asked.limit > 1_000_000)
          ? refuse(asked, "erroneous", "a limit is a whole number from 1 on", { room: of.name })
          : of.limit === asked.limit
          ? undefined
          : { _tag: "LimitSet", room: of.name, by: who.nick, ...(asked.limit === undefined ? {} : { limit: asked.limit }) })
    case "SetMask":
      return setMask(world, who, asked)
    case "Invite":
      return invite(world, who, asked)
    case "Watch":
      return watch(world, who, asked)
    case "Kick": {
      const found = ownMember(world, who, asked)
      if (!("target" in found)) return found
      const problem = textProblem("a reason", asked.reason ?? "", limits.reason)
      if (problem !== undefined) return refuse(asked, "too-long", problem)
      return [
        keep(
          { _tag: "Kicked", room: found.of.name, nick: found.target.nick, by: who.nick, ...because(asked.reason) },
          who.rooms.has(Name.key(found.of.name)) ? Name.key(found.of.name) : { rooms: [Name.key(found.of.name)], sessions: [by] },
          found.target.id
        )
      ]
    }
    case "Look":
    case "Names":
    case "Masks": {
      const name = Name.withoutHash(asked.room)
      const of = room(world, name)
      if (of === undefined || !seesRoom(of, who)) return noRoom(asked, name)
      if (asked._tag === "Look") return answer(roomInfo(world, of, by))
      if (asked._tag === "Names") return answer({ _tag: "Members", room: of.name, members: someOf(world, of, of.roster, Infinity).toSorted(byNick) })
      const masks = of.masks[asked.list].map(({ at, by: setBy, mask }) => ({ mask, by: setBy, at: new Date(at).toISOString() }))
      return answer({ _tag: "Masks", room: of.name, list: asked.list, masks })
    }
    case "List":
      return list(world, who)
    case "Who":
      return describe(world, who, asked)
    case "History":
      return history(world, who, asked)
    case "Search":
      return search(world, who, asked)
    case "Recollect":
      return recollect(world, who, asked)
    case "Latest":
      return latest(world, who)
    case "Motd":
      return answer({ _tag: "Motd", lines: moment.motd })
    case "Quit":
    case "Dismiss": {
      const rooms = Array.from(who.rooms, (key) => room(world, key)?.name ?? key)
      const closing = asked._tag === "Dismiss" ? { closing: true } : {}
      return [
        keep({ _tag: "Quit", nick: who.nick, rooms, reason: quitReason(asked.reason), ...closing }, { rooms: who.rooms, sessions: [] }),
        ...seen(world, who.nick, undefined)
      ]
    }
    case "Oper": {
      if (asked.name === undefined) {
        return who.operator ? [keep({ _tag: "Opered", nick: who.nick, on: false }, { rooms: [], sessions: [by] })] : nothing
      }
      if (!moment.house.isOperator(asked.name, asked.password ?? "")) {
        return refuse(asked, "password", "there is no such operator, or that is not the password")
      }
      return [keep({ _tag: "Opered", nick: who.nick, on: true }, { rooms: [], sessions: [by] })]
    }
    case "Kill":
      return command(who, asked, () => {
        const target = holder(world, asked.nick)
        if (target === undefined) return noBody(asked, asked.nick)
        return [{
          answer: { _tag: "Closing", reason: `Killed (${who.nick} (${quitReason(asked.reason)}))`, by: Mask.written(who), why: quitReason(asked.reason) },
          to: [target.id]
        }]
      })
    case "Wallop":
      return command(who, asked, () => {
        const problem = textProblem("a message", asked.text, limits.text)
        if (problem !== undefined) return refuse(asked, "too-long", problem)
        const sessions: Array<SessionId> = []
        for (const [id, { operator, traits }] of world.persons) if (operator || traits.has("wallops")) sessions.push(id)
        return [keep({ _tag: "Walloped", nick: who.nick, text: asked.text }, { rooms: [], sessions })]
      })
    case "Control":
      return command(who, asked, () => answer({ _tag: "Controlled", what: asked.what }))
  }
}

const because = (reason: string | undefined) => reason === undefined || reason.length === 0 ? {} : { reason }
