/**
 * Who an IRC client says it is, and the words in which what it says is passed on: commands, questions about the world and
 * lines that need neither. Knows no command.
 */
import type { Command } from "../../Command.ts"
import type { Close } from "../../Dialect.ts"
import type { Asker, Question } from "./Answers.ts"
import * as Message from "./Message.ts"

/** Who a client says it is, and what it negotiated. */
export interface Client extends Asker {
  /** The nick asked for, until it is granted or refused: what is said behind that is said as if it were granted. */
  readonly wanted: string | undefined
  readonly user: string | undefined
  /** Where it is. */
  readonly address: string
  /** The longest line, in bytes, of which it is known that others can be told what it says, whatever it is called. */
  readonly longest: number
  /** It was silent for so long that it was taken for a person, and has arrived under some nick. */
  readonly arrived: boolean
  readonly realname: string | undefined
  readonly password: string | undefined
  /** New, waiting to be let in (and spoken of as if it were in), or in. */
  readonly stage: "new" | "asked" | "here"
  /** Between the first CAP and CAP END. */
  readonly negotiating: boolean
  /** The highest version of the negotiation it said it knows, or 0. */
  readonly version: number
}

/** Rooms whose last message came between two times in milliseconds since 1970, neither included: at most `limit`, those nearest to `from`. */
export interface Wanted {
  readonly from: number
  readonly to: number
  readonly limit: number
}

/** What a fence carries round the ring. */
export type Token =
  | { readonly _tag: "Label"; readonly label: string }
  | { readonly _tag: "EndOfLabel" }
  | { readonly _tag: "Lines"; readonly lines: ReadonlyArray<string> }
  | { readonly _tag: "Hush"; readonly on: boolean }
  /** Who is here, and who is not, is told next because it was asked. */
  | { readonly _tag: "Sight"; readonly on: boolean }
  /** Which history is asked for next, in the client's words. */
  | { readonly _tag: "Past"; readonly sub: string; readonly target: string }
  /** What is told next is when rooms were talked in last, of which these are wanted. */
  | { readonly _tag: "Targets"; readonly wanted: Wanted }
  /** What to say where a wish of the next several is refused as erroneous, by its place among them. */
  | { readonly _tag: "Amiss"; readonly lines: ReadonlyArray<string | undefined> }

/** A part of what comes of a line, in order. */
export type Piece = string | Command | Close

export interface Understood {
  readonly client: Client
  readonly pieces: ReadonlyArray<Piece>
}

export type Handler = (client: Client, params: ReadonlyArray<string>, message: Message.Message) => Understood | ReadonlyArray<Piece>

/** A numeric to this client. */
export const numeric = (client: Client, code: string, ...params: ReadonlyArray<string>): string =>
  Message.print(client.server, code, client.nick, ...params)

/** ERR_NEEDMOREPARAMS. */
export const lacking = (client: Client, command: string): string => numeric(client, "461", command, "Not enough parameters")

const free: ReadonlySet<Question["_tag"]> = new Set(["EndOfTargets", "Pong", "Taken", "Welcome"] as const)

/** Questions that are answered by looking at everybody or every room, or with much; the others are a quarter of a message. */
const dear: ReadonlySet<Question["_tag"]> = new Set(["Info", "Links", "List", "Lusers", "Names", "Version", "Who", "Whowas"] as const)

/** A question, to be answered in its turn. */
export const ask = (question: Question): Command => ({
  _tag: "Observe",
  question,
  cost: free.has(question._tag) ? 0 : dear.has(question._tag === "At" ? question.question._tag : question._tag) ? 1 : 0.25
})

/** A question that may be put to a server, or to the server that somebody is on; there is only this one. */
export const askAt = (client: Client, target: string | undefined, question: Question): Command =>
  ask(target === undefined || target === "" || target === client.server ? question : { _tag: "At", target, question })

/** A word to the dialect itself, heard in its turn. */
export const token = (value: Token): Command => ({ _tag: "Fence", token: value })

/** What is listed with commas between. */
export const listed = (text: string | undefined): ReadonlyArray<string> => (text ?? "").split(",").filter((part) => part !== "")

export const isChannel = (name: string): boolean => name.startsWith("#")

/** ERR_NOSUCHCHANNEL. */
export const noChannel = (client: Client, name: string): string => numeric(client, "403", name, "No such channel")
