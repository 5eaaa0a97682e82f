/**
 * What happened, as Schemas: the log keeps them, the json dialect's output is their encoded form.
 * Knows nothing of who is allowed what; an event has happened and is never decided again.
 */
import * as Schema from "effect/Schema"
import { Kind, Rank } from "./Command.ts"

const room = Schema.String
const nick = Schema.String
const reason = Schema.optionalKey(Schema.String)

/** Names a session for as long as its log lives. */
export type SessionId = string

const happened = {
  /** Somebody took a seat. */
  Arrived: { nick, dialect: Schema.String, address: Schema.String },
  Renamed: { nick, to: nick },
  Joined: { room, nick },
  Left: { room, nick, reason },
  /** Somebody is gone from everywhere at once: the one `Left` of each of these rooms. */
  Quit: { nick, rooms: Schema.Array(room), reason: Schema.String },
  Said: { room, nick, text: Schema.String, kind: Kind },
  /** Bytes passed on untouched. */
  Passed: { room, nick, bytes: Schema.Uint8ArrayFromBase64 },
  /** Said to one person. */
  Whispered: { nick, to: nick, text: Schema.String, kind: Kind },
  TopicSet: { room, nick, topic: Schema.String },
  RankSet: { room, nick, by: nick, rank: Rank },
  ModeratedSet: { room, by: nick, moderated: Schema.Boolean },
  Kicked: { room, nick, by: nick, reason },
  AwaySet: { nick, message: Schema.optionalKey(Schema.String) }
} as const

/** What the log keeps and the World is folded from. */
export const Fact = Schema.TaggedUnion(happened)
export type Fact = typeof Fact.Type

const Member = Schema.Struct({ nick, rank: Rank, away: Schema.Boolean })

const answers = {
  /** The first thing a session hears. `epoch` names the log; a position is an epoch and a sequence number. */
  Welcome: { server: Schema.String, nick, epoch: Schema.String, motd: Schema.Array(Schema.String) },
  /** Not granted; `path` says where a command that could not be read is wrong. */
  Refused: { reason: Schema.String, path: Schema.optionalKey(Schema.String), command: Schema.optionalKey(Schema.String) },
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
  /** Whom one has just whispered to is away. */
  IsAway: { nick, message: Schema.String },
  /**
   * Something happened that cannot be told any more: in `room` (private messages when there is none), after the
   * sequence number `after` when that is known. `count` is how much, when the log still knows.
   */
  Missed: { room: Schema.optionalKey(room), count: Schema.optionalKey(Schema.Int), after: Schema.optionalKey(Schema.Int) },
  /** The server ends the session. */
  Closing: { reason: Schema.String }
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
  readonly event: Fact
}

/** The Schema of an `Entry`, for logs that write them down. */
export const Entry = Schema.Struct({
  seq: Schema.Int,
  at: Schema.Finite,
  id: Schema.String,
  by: Schema.String,
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
  /** The answer to `History`; `complete` is false when older messages were asked for than the log holds. */
  Recalled: { room, entries: Schema.Array(StampedFact), complete: Schema.Boolean },
  /** Many came and went at once, up to the entry `seq`: what `Joined`, `Left`, `Quit` and `Renamed` came to in the end. */
  Crowd: {
    room,
    joined: Schema.Array(nick),
    left: Schema.Array(nick),
    renamed: Schema.Array(Schema.Struct({ nick, to: nick })),
    ...stamp
  }
})

/** What a program is told, one object each: an `Event` with its stamp where it is a kept one. `Recalled` and `Crowd` stand for several. */
export const Message = Schema.Union([StampedFact, StampedAnswer])
export type Message = typeof Message.Type
