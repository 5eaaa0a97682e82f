/**
 * Who may say what to whom: to rooms, to people, and as tags beside a text.
 * Knows nothing of who hears it in what words.
 */
import { type Command, type Rank, runs, type Tags, voiced } from "../Command.ts"
import type { Fact } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import { keep, noBody, noRoom, notIn, type Of, refuse, textProblem } from "./Granting.ts"
import { limits, type Outcome } from "./Outcome.ts"
import { ownRoom } from "./Running.ts"
import { holder, listed, membersOf, muting, type Person, rank, room, type Room, seesRoom, type World } from "./State.ts"

/** What tags may be called that people tell each other (https://ircv3.net/specs/extensions/message-tags#format). */
const tagName = /^\+[A-Za-z0-9.-]+(?:\/[A-Za-z0-9.-]+)*$/

/** Why tags cannot be passed on. Names and values count, and two bytes between them. */
const tagsProblem = (tags: Tags | undefined): ReturnType<typeof textProblem> => {
  if (tags === undefined) return undefined
  let bytes = 0
  for (const name in tags) {
    if (!tagName.test(name)) {
      return { code: "erroneous", reason: "a tag's name is a plus sign and letters, digits, dots, hyphens and slashes" }
    }
    bytes += name.length + Text.byteLength(tags[name]!) + 2
  }
  return bytes - 1 > limits.tags ? { code: "too-long", reason: `tags have at most ${limits.tags} bytes` } : undefined
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

export const say = (world: World, who: Person, command: Saying): ReadonlyArray<Outcome> => {
  const problem = command._tag === "Hint" ? undefined : textProblem("a message", command.text, limits.text)
  const worse = problem ?? (command.tags === undefined ? undefined : tagsProblem(command.tags))
  if (worse !== undefined) return refuse(command, worse.code, worse.reason)
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

/** Bytes passed on untouched. */
export const pass = (world: World, who: Person, command: Of<"Pass">): ReadonlyArray<Outcome> => {
  const of = ownRoom(world, who, command, command.room, false)
  if (!("members" in of)) return of
  return silenced(of, who, command)
    ?? [keep({ _tag: "Passed", room: of.name, nick: who.nick, bytes: command.bytes }, Name.key(of.name))]
}
