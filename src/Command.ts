/**
 * What someone may ask, as Schemas: the json dialect's input is their encoded form.
 * Knows nothing of whether it will be granted; that is `World.decide`'s to say.
 */
import * as Schema from "effect/Schema"

/** How a text is meant: said, done (`/me`), or noted by a program that wants no answer. */
export const Kind = Schema.Literals(["message", "action", "notice"])
export type Kind = typeof Kind.Type

/** What one may do in a room: talk, talk when it is moderated, and run it. Who runs it may have a voice besides. */
export const Rank = Schema.Literals(["member", "voice", "operator", "voiced operator"])
export type Rank = typeof Rank.Type

/** Whether someone of this rank runs the room. */
export const runs = (rank: Rank | undefined): boolean => rank === "operator" || rank === "voiced operator"

/** Whether someone of this rank was given a voice. */
export const voiced = (rank: Rank | undefined): boolean => rank === "voice" || rank === "voiced operator"

/** The rank of someone who runs the room or not, and has a voice or not. */
export const rankOf = (operator: boolean, voice: boolean): Rank =>
  operator ? voice ? "voiced operator" : "operator" : voice ? "voice" : "member"

/**
 * How a room is besides moderated: only the invited come in; it is not listed to others; only operators set its topic; only
 * members talk; no client-to-client requests.
 */
export const Flag = Schema.Literals(["invite-only", "secret", "topic-locked", "members-only", "no-ctcp"])
export type Flag = typeof Flag.Type

/** Lists of masks a room keeps: who may not come in or talk, who may nevertheless, and who needs no invitation. */
export const MaskList = Schema.Literals(["ban", "exception", "invitation"])
export type MaskList = typeof MaskList.Type

/** How a person is: not seen by strangers, told what operators of the server say to all, a program, without client-to-client requests. */
export const Trait = Schema.Literals(["invisible", "wallops", "bot", "no-ctcp"])
export type Trait = typeof Trait.Type

/** What clients tell each other beside a text, by name (https://ircv3.net/specs/extensions/message-tags#client-only-tags). */
export const Tags = Schema.Record(Schema.String, Schema.String)
export type Tags = typeof Tags.Type

const room = Schema.String
const nick = Schema.String
const reason = Schema.optionalKey(Schema.String)
const seq = Schema.optionalKey(Schema.Int)

const wishes = {
  /**
   * Take part, under this nick or one that is free. The first thing a session asks; a dialect asks it for people. Whoever is fine
   * with being a `guest` comes in even where the nick cannot be had, and is told why not.
   */
  Arrive: {
    nick: Schema.optionalKey(Schema.String),
    guest: Schema.optionalKey(Schema.Boolean),
    user: Schema.optionalKey(Schema.String),
    realname: Schema.optionalKey(Schema.String),
    password: Schema.optionalKey(Schema.String)
  },
  /** Be called something else. */
  SetNick: { nick },
  /**
   * Come into a room, opening it when nobody is there. `after` (with the `epoch` it was counted in) resumes:
   * everything that followed that sequence number is told first; `last` asks for that many messages instead.
   */
  Join: {
    room,
    key: Schema.optionalKey(Schema.String),
    after: seq,
    epoch: Schema.optionalKey(Schema.String),
    last: seq
  },
  Part: { room, reason },
  /** Say something in a room one is in, or to one person when `target` is a nick. */
  Say: { target: Schema.String, text: Schema.String, kind: Schema.optionalKey(Kind), tags: Schema.optionalKey(Tags) },
  /** Say something to one person, whatever rooms there are. */
  Whisper: { nick, text: Schema.String, kind: Schema.optionalKey(Kind), tags: Schema.optionalKey(Tags) },
  /** Tell a room or a person tags and nothing else, such as that one is typing. */
  Hint: { target: Schema.String, tags: Tags },
  SetTopic: { room, topic: Schema.String },
  SetAway: { message: Schema.optionalKey(Schema.String) },
  /** With `on`, only this is given or taken, and what else the rank is stays. */
  SetRank: { room, nick, rank: Rank, on: Schema.optionalKey(Schema.Boolean) },
  SetModerated: { room, moderated: Schema.Boolean },
  SetFlag: { room, flag: Flag, on: Schema.Boolean },
  /** What one must know to come in; nothing when it is not there. */
  SetKey: { room, key: Schema.optionalKey(Schema.String) },
  /** How many may be in; any number when it is not there. */
  SetLimit: { room, limit: Schema.optionalKey(Schema.Int) },
  /** Put a mask such as `nick!user@address`, in which * and ? stand for anything, on a list or take it off. */
  SetMask: { room, list: MaskList, mask: Schema.String, on: Schema.Boolean },
  /** A list of masks: answered with `Masks`. */
  Masks: { room, list: MaskList },
  Invite: { room, nick },
  SetRealname: { realname: Schema.String },
  SetTrait: { trait: Trait, on: Schema.Boolean },
  /** Be told when these people come and go: answered with `Seen` for each of them; or no more, of these or of anybody. */
  Watch: { nicks: Schema.optionalKey(Schema.Array(nick)), on: Schema.Boolean },
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
  /** What was said in a room one is in with all of these words in it, the last `limit` of it: answered with `Recalled`. */
  Search: { room, words: Schema.String, before: seq, limit: seq },
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
  /** Say who one is, after having come in as somebody else, for having been silent. */
  Introduce: { user: Schema.String, realname: Schema.String },
  /** Become an operator of the server, or cease to be one when no name is given. */
  Oper: { name: Schema.optionalKey(Schema.String), password: Schema.optionalKey(Schema.String) },
  /** Leave every room one is in. */
  PartAll: {},
  /** Leave for good, because the server closes. */
  Dismiss: { reason: Schema.String },
  /** End somebody's session. Operators of the server only, as is all that follows. */
  Kill: { nick, reason: Schema.String },
  /** Tell everybody who wants to hear it. */
  Wallop: { text: Schema.String },
  /** Have the server read its settings again, or stop. */
  Control: { what: Schema.Literals(["rehash", "die"]) },
  /** Pass bytes on untouched, as the raw dialect does. */
  Pass: { room, bytes: Schema.Uint8ArrayFromBase64 }
})

/** Everything that can be asked: what programs send, and what only a dialect can know to ask. */
export const Command = Schema.Union([Wish, Own])

/** Answered, in order, with `Fenced` and the same token: what was asked before is answered before. */
export interface Fence {
  readonly _tag: "Fence"
  readonly token: unknown
}

/** Answered with `Observed`: the world as it is then, and the same question. For dialects that have words of their own for it. */
export interface Observe {
  readonly _tag: "Observe"
  readonly question: unknown
  /** What it takes to answer, where a message is 1. */
  readonly cost: number
}

/**
 * Several wishes as one doing: what is refused, then what follows from the others in order. What all of them are refused for is
 * said once; the `path` of any other refusal is the place of the wish among them.
 */
export interface Together {
  readonly _tag: "Together"
  readonly wishes: ReadonlyArray<Command>
}

/**
 * `History` by other marks than sequence numbers, of a room or of what one whispered with somebody; `between` takes its two ends
 * in either order, and `events` are who came and went and what was changed besides.
 */
export interface Recollect {
  readonly _tag: "Recollect"
  readonly room?: string
  readonly nick?: string
  readonly events?: boolean
  readonly limit: number
  readonly after?: Mark
  readonly before?: Mark
  readonly around?: Mark
  readonly earliest?: boolean
  readonly between?: boolean
}

/** What was said last in each room one is in: answered with a `Recalled` for each. */
export interface Latest {
  readonly _tag: "Latest"
}

/** A place in the log: behind which sequence number, at which message by its id, or at what time in milliseconds since 1970. */
export type Mark = number | { readonly id: string } | { readonly at: number }

export type Command = typeof Command.Type | Fence | Latest | Observe | Recollect | Together

/** Something said of whose text is known that it is printable ASCII. */
class Plainly {
  readonly _tag = "Say"
  readonly target: string
  readonly text: string
  readonly kind = "message"
  constructor(target: string, text: string) {
    this.target = target
    this.text = text
  }
}

/** What is said by bytes each of which was seen to be printable ASCII, so that nobody need look at them again. */
export const sayPlainly = (target: string, text: string): Command & { readonly _tag: "Say" } => new Plainly(target, text)

/** Whether that is known of what is said here. */
export const isPlainly = (said: Command): boolean => said instanceof Plainly

/** Whether something is said. Mostly it is so plainly, which is seen without a look at one of the many kinds of commands. */
export const isSay = (command: Command): command is Command & { readonly _tag: "Say" } => isPlainly(command) || command._tag === "Say"
