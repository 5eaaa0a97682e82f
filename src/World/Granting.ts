/**
 * Outcomes as the rules make them: something kept, an answer, a refusal in words for a person.
 * Knows no rule but how long a text may be, and who hears of a person.
 */
import type { Command, MaskList } from "../Command.ts"
import type { Answer, Code, Fact, SessionId } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import type { Audience, Kept, Moment, Outcome, Reply, Told } from "./Outcome.ts"
import { holder, meet, person, type Person, watchersOf, type World } from "./State.ts"

/** A command of one kind. */
export type Of<T extends Command["_tag"]> = Command & { readonly _tag: T }

export const nothing: ReadonlyArray<Outcome> = []

export const answer = (told: Reply): ReadonlyArray<Outcome> => [{ answer: told }]

export const refuse = (
  command: Command,
  code: Code,
  reason: string,
  about: { readonly room?: string; readonly nick?: string; readonly list?: MaskList } = {}
): ReadonlyArray<Outcome> => answer({ _tag: "Refused", command: command._tag, reason, code, ...about })

export const keep = (event: Fact, to: Audience, concerns?: SessionId): Kept => ({ event, to, concerns })

const notOneLine = /[\u0000\r\n\ud800-\udfff]/u

export const oneLine = (text: string): string => text.replace(new RegExp(notOneLine, "gu"), " ")

/** Why a text cannot be passed on; what it is called starts the sentence. */
export const textProblem = (what: string, text: string, max: number): { readonly code: Code; readonly reason: string } | undefined =>
  text.length * 3 > max && Text.byteLength(text) > max
    ? { code: "too-long", reason: `${what} has at most ${max} bytes` }
    : !Text.isPlain(text) && notOneLine.test(text)
    ? { code: "erroneous", reason: `${what} is one line of text` }
    : undefined

/** The refusal of a text that cannot be passed on. */
export const notText = (command: Command, what: string, text: string, max: number): ReadonlyArray<Outcome> | undefined => {
  const problem = textProblem(what, text, max)
  return problem === undefined ? undefined : refuse(command, problem.code, problem.reason)
}

/** Everyone who shares a room with this person, the person, and who watches and would not hear it otherwise. */
export const around = (world: World, who: Person): Audience => {
  const watching: Array<SessionId> = []
  for (const id of watchersOf(world, who.nick)) {
    const watcher = person(world, id)
    if (watcher !== undefined && !meet(watcher, who)) watching.push(id)
  }
  return { rooms: who.rooms, sessions: [who.id, ...watching] }
}

export const sight = (nick: string, here: Pick<Person, "user" | "address"> | undefined): Answer =>
  here === undefined ? { _tag: "Seen", nick, here: false } : { _tag: "Seen", nick, here: true, from: `${here.user}@${here.address}` }

/** Word of somebody's being here or not, to who watches for it. */
export const seen = (world: World, nick: string, here: Pick<Person, "user" | "address"> | undefined): ReadonlyArray<Told> => {
  const watching = watchersOf(world, nick)
  return watching.size === 0 ? [] : [{ answer: sight(nick, here), to: [...watching] }]
}

export const short = (text: string): string => Text.truncate(text, 64)

export const tooManyGuesses = "too many wrong passwords came from your address; wait a minute"

export const hashed = (name: string): string => Name.withHash(Text.truncate(name, Name.maxRoom))

export const noRoom = (command: Command, name: string) =>
  refuse(command, "no-room", `there is no room ${hashed(name)}`, { room: short(name) })

export const notIn = (command: Command, name: string) => refuse(command, "not-in-room", `you are not in ${hashed(name)}`, { room: short(name) })

export const noBody = (command: Command, nick: string) =>
  refuse(command, "nobody", `there is nobody called ${short(nick)}`, { nick: short(nick) })

/** Why whoever asks, already there as `who` or not, cannot be called that. */
export const noNick = (world: World, nick: string, command: Command, { server }: Moment, who?: SessionId): ReadonlyArray<Outcome> | undefined => {
  const problem = Name.nickProblem(nick) ?? (Name.isServers(server, nick) ? "that is the server's name" : undefined)
  if (problem !== undefined) return refuse(command, "erroneous", problem, { nick: short(nick) })
  const other = holder(world, nick)
  return other === undefined || other.id === who ? undefined : refuse(command, "nick-taken", `${other.nick} is taken`, { nick: short(nick) })
}

export const because = (reason: string | undefined) => reason === undefined || reason.length === 0 ? {} : { reason }
