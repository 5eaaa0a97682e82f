/**
 * Who runs the server, and what they may do. Knows no password: the house does.
 */
import type { Command } from "../Command.ts"
import type { SessionId } from "../Event.ts"
import * as Mask from "../Mask.ts"
import { quitReason } from "./Being.ts"
import { answer, keep, noBody, nothing, notText, type Of, refuse, tooManyGuesses } from "./Granting.ts"
import { limits, type Moment, type Outcome } from "./Outcome.ts"
import { holder, type Person, type World } from "./State.ts"

/** What only operators of the server may do. */
const granted = (who: Person, asked: Command, then: () => ReadonlyArray<Outcome>): ReadonlyArray<Outcome> =>
  who.operator ? then() : refuse(asked, "server-operator", "only operators of the server may do that")

export const oper = (who: Person, command: Of<"Oper">, { house }: Moment): ReadonlyArray<Outcome> => {
  const opered = (on: boolean) => [keep({ _tag: "Opered", nick: who.nick, on }, { rooms: [], sessions: [who.id] })]
  if (command.name === undefined) return who.operator ? opered(false) : nothing
  const verdict = house.isOperator(command.name, command.password ?? "", who.address)
  return verdict === "right"
    ? opered(true)
    : refuse(command, "password", verdict === "later" ? tooManyGuesses : "there is no such operator, or that is not the password")
}

export const kill = (world: World, who: Person, command: Of<"Kill">): ReadonlyArray<Outcome> =>
  granted(who, command, () => {
    const target = holder(world, command.nick)
    if (target === undefined) return noBody(command, command.nick)
    const why = quitReason(command.reason)
    return [{ answer: { _tag: "Closing", reason: `Killed (${who.nick} (${why}))`, by: Mask.written(who), why }, to: [target.id] }]
  })

export const wallop = (world: World, who: Person, command: Of<"Wallop">): ReadonlyArray<Outcome> =>
  granted(who, command, () => {
    const problem = notText(command, "a message", command.text, limits.text)
    if (problem !== undefined) return problem
    const sessions: Array<SessionId> = []
    for (const [id, { operator, traits }] of world.persons) if (operator || traits.has("wallops")) sessions.push(id)
    return [keep({ _tag: "Walloped", nick: who.nick, text: command.text }, { rooms: [], sessions })]
  })

export const control = (who: Person, command: Of<"Control">): ReadonlyArray<Outcome> =>
  granted(who, command, () => answer({ _tag: "Controlled", what: command.what }))
