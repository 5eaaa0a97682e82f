/**
 * The sentences of the plain dialect: how an event reads in a terminal. Everything people typed is made printable here,
 * and no line of a person can start like one of the server's. Knows no state.
 */
import type { Flag, Kind, MaskList, Rank } from "../Command.ts"
import * as Crowd from "../Crowd.ts"
import type { Recalled } from "../Dialect.ts"
import type { Entry, Event } from "../Event.ts"
import * as Name from "../Name.ts"
import type { Sheet } from "../Sheet.ts"
import * as Text from "../Text.ts"

/** A line of the server's own. */
export const notice = (text: string): string => `-!- ${Text.printable(text)}\n`

const hash = Name.withHash
const hashByte = 0x23

const because = (reason: string | undefined): string => reason === undefined || reason === "" ? "" : ` (${reason})`

/** A nick as it starts a line: one that could be read as the sign of a private message is put in angle brackets. */
const speaker = (nick: string): string => nick.startsWith("[") ? `<${nick}>` : nick

const spoken = (nick: string, text: string, kind: Kind): string =>
  kind === "action" ? `* ${nick} ${text}` : kind === "notice" ? `-${nick}- ${text}` : `${speaker(nick)}: ${text}`

const said = (room: string, nick: string, text: string, kind: Kind, here: boolean, only?: Rank): string => {
  const line = spoken(nick, text, kind)
  return Text.printable(here && only === undefined ? line : `${only === undefined ? "" : mark[only]}${hash(room)} ${line}`) + "\n"
}

/** Adds the bytes of what was said, where it is plain: as `event` has it, without making a text first. */
export const quick = (event: Event, here: boolean, sheet: Sheet): boolean => {
  if (event._tag !== "Said" || event.kind !== "message" || event.only !== undefined) return false
  if (!here) {
    sheet.byte(hashByte)
    if (!sheet.plain(event.room)) return false
    sheet.byte(0x20)
  }
  if (!sheet.plain(speaker(event.nick))) return false
  sheet.byte(0x3a)
  sheet.byte(0x20)
  if (!sheet.plain(event.text)) return false
  sheet.byte(0x0a)
  return true
}

const passed = (room: string, nick: string, bytes: Uint8Array, here: boolean): string =>
  Text.readable(bytes).split(/\r?\n/).filter((line) => line.trim().length > 0)
    .map((line) => said(room, nick, line, "message", here)).join("")

const mark: Record<Rank, string> = { member: "", voice: "+", operator: "@", "voiced operator": "@" }

const named = (members: ReadonlyArray<{ nick: string; rank: Rank }>): string =>
  members.map((member) => mark[member.rank] + member.nick).join(", ")

const ranked = { member: "an ordinary member", voice: "one with a voice", operator: "an operator", "voiced operator": "an operator with a voice" } as const

const flagged: Record<Flag, readonly [on: string, off: string]> = {
  "invite-only": ["open to the invited only", "open to everybody"],
  secret: ["secret: it is not listed", "listed again"],
  "topic-locked": ["a room whose topic only operators set", "a room whose topic everybody sets"],
  "members-only": ["a room in which only members talk", "a room in which strangers may talk"],
  "no-ctcp": ["closed to client-to-client requests", "open to client-to-client requests"]
}

const listNames: Record<MaskList, string> = { ban: "bans", exception: "exceptions from bans", invitation: "invitations" }


/** An event by others, as those who are in the room (`here`) or talking in another one see it. */
export const event = (event: Event, here: boolean): string => {
  switch (event._tag) {
    case "Said":
      return said(event.room, event.nick, event.text, event.kind, here, event.only)
    case "Passed":
      return passed(event.room, event.nick, event.bytes, here)
    case "Whispered":
      return event.kind === "action"
        ? Text.printable(`[${event.nick}] * ${event.nick} ${event.text}`) + "\n"
        : Text.printable(`[${event.nick}] ${event.text}`) + "\n"
    case "Arrived":
    case "AwaySet":
    case "Hinted":
    case "RealnameSet":
    case "TraitSet":
    case "Watched":
      return ""
    case "FlagSet":
      return notice(`${event.by} made ${hash(event.room)} ${flagged[event.flag][event.on ? 0 : 1]}`)
    case "KeySet":
      return notice(`${event.by} ${event.key === undefined ? "took the key off" : "put a key on"} ${hash(event.room)}`)
    case "LimitSet":
      return notice(
        event.limit === undefined
          ? `${event.by} lets any number into ${hash(event.room)}`
          : `${event.by} lets at most ${event.limit} into ${hash(event.room)}`
      )
    case "MaskSet":
      return notice(
        `${event.by} ${event.on ? "put" : "took"} ${event.mask} ${event.on ? "on" : "off"} the ${listNames[event.list]} of ${hash(event.room)}`
      )
    case "Invited":
      return notice(`${event.by} invited ${event.nick} to ${hash(event.room)}`)
    case "Opered":
      return notice(event.on ? `${event.nick} is an operator of the server` : `${event.nick} is no operator of the server any more`)
    case "Walloped":
      return notice(`${event.nick} to all: ${event.text}`)
    case "Masks":
      return event.masks.length === 0
        ? notice(`there are no ${listNames[event.list]} in ${hash(event.room)}`)
        : event.masks.map(({ by, mask }) => notice(`${listNames[event.list]} of ${hash(event.room)}: ${mask} (by ${by})`)).join("")
    case "Seen":
      return notice(`${event.nick} is ${event.here ? "here" : "not here"}`)
    case "Renamed":
      return notice(`${event.nick} is now ${event.to}`)
    case "Joined":
      return notice(`${event.nick} joined ${hash(event.room)}`)
    case "Left":
      return notice(`${event.nick} left ${hash(event.room)}${because(event.reason)}`)
    case "Quit":
      return notice(`${event.nick} quit${because(event.reason)}`)
    case "TopicSet":
      return notice(
        event.topic === ""
          ? `${event.nick} cleared the topic of ${hash(event.room)}`
          : `${event.nick} changed the topic of ${hash(event.room)} to: ${event.topic}`
      )
    case "RankSet":
      return notice(
        event.cause === "returned"
          ? `${event.nick} is ${ranked[event.rank]} of ${hash(event.room)} again`
          : event.cause === "remaining"
          ? `${event.nick} is ${ranked[event.rank]} of ${hash(event.room)} now, for nobody who ran it came back`
          : `${event.by} made ${event.nick} ${ranked[event.rank]} of ${hash(event.room)}`
      )
    case "Restarted":
      return notice("the server began again")
    case "ModeratedSet":
      return notice(
        event.moderated
          ? `${event.by} made ${hash(event.room)} moderated: only operators and those with a voice may talk`
          : `${event.by} ended the moderation of ${hash(event.room)}`
      )
    case "Kicked":
      return notice(`${event.nick} was kicked from ${hash(event.room)} by ${event.by}${because(event.reason)}`)
    case "Welcome":
      return event.motd.map(notice).join("")
        + notice(`Welcome to ${event.server}. You are ${event.nick}; /nick NAME to be called something else, /help for more.`)
    case "Refused":
      return notice(event.reason)
    case "RoomInfo":
      return notice(
        `${hash(event.room)}${event.moderated ? " (moderated)" : ""}: ${Text.count(event.members, "member")}`
          + (event.some.length === 0 ? "" : `: ${named(event.some)}`)
          + (event.members > event.some.length ? ` and ${event.members - event.some.length} more` : "")
      ) + (event.topic === "" ? "" : notice(`topic of ${hash(event.room)}: ${event.topic}`))
    case "Members":
      return wrapped(`${hash(event.room)}: `, event.members)
    case "Rooms":
      return event.rooms.map((room) =>
        notice(`${hash(room.room)}: ${Text.count(room.members, "member")}${room.topic === "" ? "" : `: ${room.topic}`}`)
      ).join("")
    case "Person":
      return notice(
        `${event.nick} speaks ${event.dialect}, is here since ${event.since.slice(0, 16).replace("T", " ")} UTC`
          + (event.rooms.length === 0 ? ", in no room" : `, in ${event.rooms.map(hash).join(" ")}`)
          + (event.away === undefined ? "" : `, away: ${event.away}`)
      )
    case "Motd":
      return event.lines.length === 0 ? notice("there is no message of the day") : event.lines.map(notice).join("")
    case "IsAway":
      return notice(`${event.nick} is away: ${event.message}`)
    case "Missed":
      return notice(
        `you missed ${event.count === undefined ? "messages" : Text.count(event.count, "message")} ${
          event.room === undefined ? "to you" : `in ${hash(event.room)}`
        }`
      )
    case "Waiting":
    case "Closing":
      return notice(event.reason)
  }
}

/** What somebody is called from now on. */
export const called = (nick: string): string => notice(`you are now ${nick}`)

/** What one did oneself, or what was done to one. */
export const ownEvent = (own: Event): string => {
  switch (own._tag) {
    case "Renamed":
      return called(own.to)
    case "Left":
      return notice(`you left ${hash(own.room)}`)
    case "Kicked":
      return notice(`you were kicked from ${hash(own.room)} by ${own.by}${because(own.reason)}`)
    case "AwaySet":
      return notice(own.message === undefined ? "you are back" : `you are away: ${own.message}`)
    case "Whispered":
      return Name.key(own.nick) === Name.key(own.to) ? event(own, true) : ""
    default:
      return event(own, true)
  }
}

const wrapped = (head: string, members: ReadonlyArray<{ nick: string; rank: Rank }>): string => {
  let out = ""
  for (let i = 0; i === 0 || i < members.length; i += 16) out += notice(head + named(members.slice(i, i + 16)))
  return out
}

const clock = (at: number): string => new Date(at).toISOString().slice(11, 16)
const date = (at: number): string => new Date(at).toISOString().slice(0, 16).replace("T", " ")

const lines = (entry: Entry, when: (at: number) => string): string =>
  event(entry.event, true).split("\n").filter((line) => line !== "").map((line) => `${when(entry.at)} ${line}\n`).join("")

/** Entries found by their words, with the day when they were said. */
const found = ({ complete, failed, room, words = "" }: Recalled, entries: ReadonlyArray<Entry>): string =>
  entries.length === 0 && failed === true
    ? notice(`what was said in ${hash(room)} cannot be searched now`)
    : entries.length === 0
    ? notice(`nothing with these words in it is known in ${hash(room)}: ${words}`)
    : notice(`${complete ? "" : "the last "}${Text.count(entries.length, "message")} in ${hash(room)} with these words (UTC): ${words}`)
      + entries.map((entry) => lines(entry, date)).join("")

/** Entries fetched from the log, with the time when they happened. */
export const recalled = (told: Recalled, entries: ReadonlyArray<Entry>): string => {
  if (told.why === "found") return found(told, entries)
  const messages = entries.filter((entry) => entry.event._tag === "Said" || entry.event._tag === "Passed")
  if (messages.length === 0) {
    return told.why !== "asked"
      ? ""
      : notice(told.failed === true ? `what was said in ${hash(told.room)} cannot be read now` : `nothing was said in ${hash(told.room)} that is still known`)
  }
  return notice(`the last ${Text.count(messages.length, "message")} in ${hash(told.room)} (UTC):`)
    + messages.map((entry) => lines(entry, clock)).join("")
}

const some = (nicks: ReadonlyArray<string>): string =>
  nicks.length <= crowdNamed + 1
    ? nicks.length < 2 ? nicks.join("") : `${nicks.slice(0, -1).join(", ")} and ${nicks[nicks.length - 1]}`
    : `${nicks.slice(0, crowdNamed).join(", ")} and ${nicks.length - crowdNamed} others`

/** How many of a crowd are named. */
const crowdNamed = 3

/** Many comings and goings in a row, as at most three lines. */
export const crowd = (entries: ReadonlyArray<Entry>, room: string): string => {
  const { joined, left, renamed } = Crowd.sum(entries.map((entry) => entry.event as Crowd.Presence))
  return (joined.length === 0 ? "" : notice(`${some(joined)} joined ${hash(room)}`))
    + (left.length === 0 ? "" : notice(`${some(left)} left ${hash(room)}`))
    + (renamed.length === 0 ? "" : notice(`${some(renamed.map(({ nick, to }) => `${nick} (now ${to})`))} changed their nicks`))
}

/** A crowd from the entry `from` on that only comes: as `crowd` says it. */
export const arrivals = (entries: ReadonlyArray<Entry>, from: number, room: string): string => {
  const count = entries.length - from
  const named = entries.slice(from, from + (count <= crowdNamed + 1 ? count : crowdNamed)).map(({ event }) => (event as Crowd.Presence).nick)
  return notice(`${count <= crowdNamed + 1 ? some(named) : `${named.join(", ")} and ${count - crowdNamed} others`} joined ${hash(room)}`)
}

/** The answer to /help. */
export const help: ReadonlyArray<string> = [
  "a line is said to the room you are talking in; //x says /x",
  "/nick NAME · /me TEXT · /msg NICK TEXT · /away [TEXT] · /back · /quit [TEXT]",
  "/join ROOM · /part [#ROOM] [TEXT] · /list · /names [#ROOM] · /who NICK · /topic [#ROOM] [TEXT] · /history [#ROOM] [N] · /search [#ROOM] WORDS",
  "/ignore [NICK] · /unignore NICK · /motd · /pass PASSWORD · /help",
  "operators: /kick NICK [TEXT] · /op NICK · /deop NICK · /voice NICK · /devoice NICK · /moderate on|off · /invite NICK",
  "operators: /ban MASK · /unban MASK · /mute MASK · /unmute MASK · /except MASK · /unexcept MASK · /key [KEY] · /limit [N] · /mode FLAG on|off"
]
