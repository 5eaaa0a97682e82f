/**
 * What may follow when somebody asks for something: events to keep with those who hear them, and answers. And what the rules
 * may know besides the world. Knows no rule.
 */
import type { Mark } from "../Command.ts"
import type { Answer, Fact, SessionId } from "../Event.ts"
import type { Verdict } from "../Guesses.ts"
import type { World } from "./State.ts"

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

/** What the house around the world knows: what it is, who may come in and run it, and who spoke when. */
export interface House {
  /** What the server is, in a few words. */
  readonly description: string
  /** Whether somebody who gives this password, or none, may come in, from this address. */
  readonly admits: (password: string | undefined, address: string) => Verdict
  /** Whether this is the password of that operator of the server, given from this address. */
  readonly isOperator: (name: string, password: string, address: string) => Verdict
  /** When this session last said something, in milliseconds since 1970. */
  readonly spokeAt: (id: SessionId) => number | undefined
  /** When the server began, in milliseconds since 1970. */
  readonly since: number
  /** How many sessions there are that have not arrived yet. */
  readonly unknown: () => number
  /** Most messages of a room's past that whoever joins is shown. */
  readonly replay: () => number
}

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

/** One of the things that a command leads to. */
export type Outcome = Kept | Told

/** Whether it is an event that is to be kept. */
export const isKept = (outcome: Outcome): outcome is Kept => "event" in outcome
