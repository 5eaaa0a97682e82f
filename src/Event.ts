/**
 * What happened, as Schemas: the log keeps them, the json dialect's output is their encoded form.
 * Knows nothing of who is allowed what; an event has happened and is never decided again.
 */
import * as Schema from "effect/Schema"
import { Flag, Kind, MaskList, Rank, Tags, Trait } from "./Command.ts"

export type { Mark } from "./Command.ts"

const room = Schema.String
const nick = Schema.String
const reason = Schema.optionalKey(Schema.String)
const tags = Schema.optionalKey(Tags)

/** Names a session for as long as its log lives. */
export type SessionId = string

const happened = {
  /** Somebody took a seat, or said only then what they speak and who they are. */
  Arrived: {
    nick,
    dialect: Schema.String,
    address: Schema.String,
    user: Schema.optionalKey(Schema.String),
    realname: Schema.optionalKey(Schema.String)
  },
  Renamed: { nick, to: nick },
  Joined: { room, nick, realname: Schema.optionalKey(Schema.String), away: Schema.optionalKey(Schema.String) },
  Left: { room, nick, reason },
  /**
   * Somebody is gone from everywhere at once: the one `Left` of each of these rooms, and of those that are secret, which are not
   * named; `closing` because the server closed.
   */
  Quit: { nick, rooms: Schema.Array(room), reason: Schema.String, closing: Schema.optionalKey(Schema.Boolean) },
  /** The server began again, so everybody who was still here is gone: the one `Left` of each of them from each of their rooms. */
  Restarted: {},
  /** `only`: to those of at least this rank. */
  Said: { room, nick, text: Schema.String, kind: Kind, only: Schema.optionalKey(Rank), tags },
  /** Bytes passed on untouched. */
  Passed: { room, nick, bytes: Schema.Uint8ArrayFromBase64 },
  /** Said to one person. */
  Whispered: { nick, to: nick, text: Schema.String, kind: Kind, tags },
  /** Tags for a room, or for one person. */
  Hinted: { nick, room: Schema.optionalKey(room), to: Schema.optionalKey(nick), only: Schema.optionalKey(Rank), tags: Tags },
  TopicSet: { room, nick, topic: Schema.String },
  /**
   * `cause`: because they had the rank before the server began again, or are here for longest in a room that nobody came back to
   * who ran it; `by` is then whose coming brought it about.
   */
  RankSet: {
    room,
    nick,
    by: nick,
    rank: Rank,
    was: Schema.optionalKey(Rank),
    cause: Schema.optionalKey(Schema.Literals(["returned", "remaining"]))
  },
  ModeratedSet: { room, by: nick, moderated: Schema.Boolean },
  FlagSet: { room, by: nick, flag: Flag, on: Schema.Boolean },
  KeySet: { room, by: nick, key: Schema.optionalKey(Schema.String) },
  LimitSet: { room, by: nick, limit: Schema.optionalKey(Schema.Int) },
  MaskSet: { room, by: nick, list: MaskList, mask: Schema.String, on: Schema.Boolean },
  /** `admits`: by somebody who runs the room, so that they may come in whatever keeps others out. */
  Invited: { room, nick, by: nick, admits: Schema.optionalKey(Schema.Literal(true)) },
  Kicked: { room, nick, by: nick, reason },
  AwaySet: { nick, message: Schema.optionalKey(Schema.String) },
  RealnameSet: { nick, realname: Schema.String },
  TraitSet: { nick, trait: Trait, on: Schema.Boolean },
  /** Somebody became an operator of the server, or is none any more. */
  Opered: { nick, on: Schema.Boolean },
  /** Somebody wants to be told when these come and go, or no more. */
  Watched: { nick, nicks: Schema.Array(nick), on: Schema.Boolean },
  /** An operator of the server said something to everybody who wants to hear it. */
  Walloped: { nick, text: Schema.String }
} as const

/** What the log keeps and the World is folded from. */
export const Fact = Schema.TaggedUnion(happened)
export type Fact = typeof Fact.Type

const Member = Schema.Struct({ nick, rank: Rank, away: Schema.Boolean })

/** Why something was not granted, for programs. */
export const Code = Schema.Literals([
  "already-here", "away", "banned", "erroneous", "full", "invite-only", "key-set", "list-full", "moderated", "muted", "nick-taken",
  "no-ctcp", "no-nick", "no-room", "nobody", "not-arrived", "not-in-room", "not-operator", "nothing-said", "on-room", "others-room",
  "password", "server-operator", "too-long", "too-many-rooms", "wrong-key"
])
export type Code = typeof Code.Type

const answers = {
  /**
   * The first thing a session hears. `epoch` names the log; a position is an epoch and a sequence number. `newest` is the
   * newest number there was then: with it, who has heard nothing yet has a position.
   */
  Welcome: { server: Schema.String, nick, epoch: Schema.String, motd: Schema.Array(Schema.String), newest: Schema.optionalKey(Schema.Int) },
  /** Not granted; `path` says where a command that could not be read is wrong. */
  Refused: {
    reason: Schema.String,
    path: Schema.optionalKey(Schema.String),
    command: Schema.optionalKey(Schema.String),
    code: Schema.optionalKey(Code),
    room: Schema.optionalKey(room),
    nick: Schema.optionalKey(nick),
    list: Schema.optionalKey(MaskList)
  },
  /** A room and its first members by name; `members` of them in all. `rank` is the asker's own. */
  RoomInfo: {
    room,
    topic: Schema.String,
    moderated: Schema.Boolean,
    members: Schema.Int,
    some: Schema.Array(Member),
    rank: Schema.optionalKey(Rank)
  },
  Members: { room, members: Schema.Array(Member) },
  Rooms: { rooms: Schema.Array(Schema.Struct({ room, members: Schema.Int, topic: Schema.String })) },
  Person: {
    nick,
    dialect: Schema.String,
    rooms: Schema.Array(room),
    since: Schema.String,
    away: Schema.optionalKey(Schema.String)
  },
  Motd: { lines: Schema.Array(Schema.String) },
  /** A room's list of masks: who put them there, and when. */
  Masks: {
    room,
    list: MaskList,
    masks: Schema.Array(Schema.Struct({ mask: Schema.String, by: nick, at: Schema.String }))
  },
  /** Somebody one watches is here, as `user@address`, or is not. */
  Seen: { nick, here: Schema.Boolean, from: Schema.optionalKey(Schema.String) },
  /** Whom one has just whispered to is away. */
  IsAway: { nick, message: Schema.String },
  /**
   * Something happened that cannot be told any more: in `room` (private messages when there is none), after the
   * sequence number `after` when that is known. `count` is how much, when the log still knows.
   */
  Missed: { room: Schema.optionalKey(room), count: Schema.optionalKey(Schema.Int), after: Schema.optionalKey(Schema.Int) },
  /** One waits to be let in. */
  Waiting: { reason: Schema.String },
  /** The server ends the session; `by` whom, as `nick!user@address`, and `why` in their words, where somebody wanted it. */
  Closing: { reason: Schema.String, by: Schema.optionalKey(Schema.String), why: Schema.optionalKey(Schema.String) }
} as const

const stamp = {
  /** Position in the log's one order. */
  seq: Schema.optionalKey(Schema.Int),
  /** When, as an ISO 8601 date and time in UTC with milliseconds. */
  at: Schema.optionalKey(Schema.String),
  /** Unique for as long as the log lives. */
  id: Schema.optionalKey(Schema.String)
}

/** An answer is for the asker alone and is not kept. */
export const Answer = Schema.TaggedUnion(answers)
export type Answer = typeof Answer.Type

/** Facts and answers: what a session is told. */
export const Event = Schema.Union([Fact, Answer])
export type Event = typeof Event.Type

/** A kept event: where it stands in the log, when it happened, and whose doing it was. */
export interface Entry {
  readonly seq: number
  /** Milliseconds since 1970, UTC. */
  readonly at: number
  readonly id: string
  readonly by: SessionId
  /** Where its author is, as `user@address`. */
  readonly from?: string
  /** Whether its author is a program that said so. */
  readonly bot?: boolean
  /** Whether the next entry is of the same doing. */
  readonly more?: boolean
  readonly event: Fact
}

/** The Schema of an `Entry`, for logs that write them down. */
export const Entry = Schema.Struct({
  seq: Schema.Int,
  at: Schema.Finite,
  id: Schema.String,
  by: Schema.String,
  from: Schema.optionalKey(Schema.String),
  bot: Schema.optionalKey(Schema.Boolean),
  more: Schema.optionalKey(Schema.Boolean),
  event: Fact
})

type Stamped<Fields extends Schema.Struct.Fields> = Fields & typeof stamp
const withStamp = <const Cases extends Record<string, Schema.Struct.Fields>>(cases: Cases) =>
  Object.fromEntries(Object.entries(cases).map(([tag, fields]) => [tag, { ...fields, ...stamp }])) as {
    readonly [Tag in keyof Cases]: Stamped<Cases[Tag]>
  }

const StampedFact = Schema.TaggedUnion(withStamp(happened))
const StampedAnswer = Schema.TaggedUnion({
  ...withStamp(answers),
  /**
   * The answer to `History`, and to `Search` with the `words` that were searched for; `complete` is false when there is more of
   * what was asked for, or the log has forgotten some of it.
   */
  Recalled: { room, entries: Schema.Array(StampedFact), complete: Schema.Boolean, words: Schema.optionalKey(Schema.String) },
  /**
   * Many came and went at once, up to the entry `seq`: what `Joined`, `Left`, `Quit` and `Renamed` came to in the end; those in
   * `again` left and came again, and have no rank any more; `away` are those of the joined, and of them, who are away. Whoever is in
   * several rooms is told each `Quit` and `Renamed`.
   */
  Crowd: {
    room,
    joined: Schema.Array(nick),
    left: Schema.Array(nick),
    again: Schema.Array(nick),
    away: Schema.Array(nick),
    renamed: Schema.Array(Schema.Struct({ nick, to: nick })),
    ...stamp
  }
})

/** What a program is told, one object each: an `Event` with its stamp where it is a kept one. `Recalled` and `Crowd` stand for several. */
export const Message = Schema.Union([StampedFact, StampedAnswer])
export type Message = typeof Message.Type
