/**
 * What somebody may say of themselves, whom they may watch, and how they go.
 * Knows nothing of what is done in a room.
 */
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import { around, keep, noNick, notText, nothing, type Of, oneLine, refuse, seen, sight, textProblem } from "./Granting.ts"
import { limits, type Moment, type Outcome } from "./Outcome.ts"
import { holder, type Person, room, type World } from "./State.ts"

export const setNick = (world: World, who: Person, command: Of<"SetNick">, moment: Moment): ReadonlyArray<Outcome> => {
  if (command.nick === who.nick) return nothing
  const not = noNick(world, command.nick, command, moment, who.id)
  if (not !== undefined) return not
  const renamed = keep({ _tag: "Renamed", nick: who.nick, to: command.nick }, { rooms: who.rooms, sessions: [who.id] })
  return Name.key(command.nick) === Name.key(who.nick)
    ? [renamed]
    : [renamed, ...seen(world, who.nick, undefined), ...seen(world, command.nick, who)]
}

export const setAway = (world: World, who: Person, command: Of<"SetAway">): ReadonlyArray<Outcome> => {
  const problem = notText(command, "an away message", command.message ?? "", limits.reason)
  if (problem !== undefined) return problem
  const message = command.message === undefined || command.message.length === 0 ? {} : { message: command.message }
  // Who says once more what all know already is answered, and nobody else is told.
  const isNew = message.message !== who.away
  return [keep({ _tag: "AwaySet", nick: who.nick, ...message }, isNew ? around(world, who) : { rooms: [], sessions: [who.id] })]
}

export const setRealname = (world: World, who: Person, command: Of<"SetRealname">): ReadonlyArray<Outcome> => {
  const problem = textProblem("a real name", command.realname, limits.realname)
  if (problem !== undefined || command.realname === "") return refuse(command, "erroneous", problem?.reason ?? "a real name cannot be empty")
  return command.realname === who.realname
    ? nothing
    : [keep({ _tag: "RealnameSet", nick: who.nick, realname: command.realname }, around(world, who))]
}

export const setTrait = (who: Person, { on, trait }: Of<"SetTrait">): ReadonlyArray<Outcome> =>
  who.traits.has(trait) === on
    ? nothing
    : [keep({ _tag: "TraitSet", nick: who.nick, trait, on }, { rooms: [], sessions: [who.id] })]

export const watch = (world: World, who: Person, command: Of<"Watch">): ReadonlyArray<Outcome> => {
  const { on } = command
  const nicks = new Map((command.nicks ?? [...who.watches.values()]).filter((nick) => Name.nickProblem(nick) === undefined).map((nick) => [Name.key(nick), nick]))
  const fresh = [...nicks].filter(([key]) => who.watches.has(key) !== on).map(([, nick]) => nick)
  if (on && who.watches.size + fresh.length > limits.watches) {
    return refuse(command, "list-full", `you watch ${limits.watches} people, the most one can`, { nick: [...nicks.values()].join(",") })
  }
  const outcomes: Array<Outcome> = []
  if (fresh.length > 0) outcomes.push(keep({ _tag: "Watched", nick: who.nick, nicks: fresh, on }, { rooms: [], sessions: [] }))
  if (on) {
    for (const nick of nicks.values()) {
      const held = holder(world, nick)
      outcomes.push({ answer: sight(held?.nick ?? nick, held) })
    }
  }
  return outcomes
}

/** A reason for going, as one line. */
export const quitReason = (reason: string | undefined): string => Text.truncate(oneLine(reason ?? ""), limits.reason)

export const quit = (world: World, who: Person, command: Of<"Quit" | "Dismiss">): ReadonlyArray<Outcome> => {
  // Whoever is in one of them hears of it, and is not to learn of those that are secret.
  const rooms = [...who.rooms].flatMap((key) => {
    const of = room(world, key)
    return of === undefined || of.flags.has("secret") ? [] : [of.name]
  })
  const closing = command._tag === "Dismiss" ? { closing: true } : {}
  return [
    keep({ _tag: "Quit", nick: who.nick, rooms, reason: quitReason(command.reason), ...closing }, { rooms: who.rooms, sessions: [] }),
    ...seen(world, who.nick, undefined)
  ]
}
