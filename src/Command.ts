/**
 * What someone may ask, as Schemas: the json dialect's input is their encoded form.
 * Knows nothing of whether it will be granted; that is `World.decide`'s to say.
 */
import * as Schema from "effect/Schema"

/** How a text is meant: said, done (`/me`), or noted by a program that wants no answer. */
export const Kind = Schema.Literals(["message", "action", "notice"])
export type Kind = typeof Kind.Type

/** What one may do in a room: talk, talk when it is moderated, and run it. */
export const Rank = Schema.Literals(["member", "voice", "operator"])
export type Rank = typeof Rank.Type

const room = Schema.String
const nick = Schema.String
const reason = Schema.optionalKey(Schema.String)
const seq = Schema.optionalKey(Schema.Int)

const wishes = {
  /** Be called something else. */
  SetNick: { nick },
  /**
   * Come into a room, opening it when nobody is there. `after` (with the `epoch` it was counted in) resumes:
   * everything that followed that sequence number is told first; `last` asks for that many messages instead.
   */
  Join: { room, after: seq, epoch: Schema.optionalKey(Schema.String), last: seq },
  Part: { room, reason },
  /** Say something in a room one is in, or to one person when `target` is a nick. */
  Say: { target: Schema.String, text: Schema.String, kind: Schema.optionalKey(Kind) },
  /** Say something to one person, whatever rooms there are. */
  Whisper: { nick, text: Schema.String, kind: Schema.optionalKey(Kind) },
  SetTopic: { room, topic: Schema.String },
  SetAway: { message: Schema.optionalKey(Schema.String) },
  SetRank: { room, nick, rank: Rank },
  SetModerated: { room, moderated: Schema.Boolean },
  Kick: { room, nick, reason },
  /** A room as a newcomer sees it: answered with `RoomInfo`. */
  Look: { room },
  /** Everybody in a room: answered with `Members`. */
  Names: { room },
  /** All rooms: answered with `Rooms`. */
  List: {},
  /** One person: answered with `Person`. */
  Who: { nick },
  /** What was said in a room, at most `limit` messages: answered with `Recalled`. */
  History: { room, after: seq, before: seq, limit: seq },
  /** The message of the day: answered with `Motd`. */
  Motd: {},
  /** Leave for good. */
  Quit: { reason }
} as const

/** What a program may send. */
export const Wish = Schema.TaggedUnion(wishes)
export type Wish = typeof Wish.Type

/** What only a dialect can know to ask. */
const Own = Schema.TaggedUnion({
  /** Take part, under this nick or one that is free. The first thing a session asks. */
  Arrive: { nick: Schema.optionalKey(Schema.String) },
  /** Pass bytes on untouched, as the raw dialect does. */
  Pass: { room, bytes: Schema.Uint8ArrayFromBase64 }
})

/** Everything that can be asked: what programs send, and what only a dialect can know to ask. */
export const Command = Schema.Union([Wish, Own])
export type Command = typeof Command.Type
