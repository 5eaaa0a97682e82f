/**
 * Channel modes as letters, and the rooms' flags, ranks, lists, key and limit that they stand for
 * (https://modern.ircdocs.horse/#mode-message). Knows no state.
 */
import { type Command, type Flag, type MaskList, type Rank, runs, voiced } from "../../Command.ts"
import type { Fact } from "../../Event.ts"
import * as HashMap from "effect/HashMap"
import type { Room } from "../../World.ts"

const flags: Record<string, Flag | "moderated"> = {
  C: "no-ctcp",
  i: "invite-only",
  m: "moderated",
  n: "members-only",
  s: "secret",
  t: "topic-locked"
}
const lists: Record<string, MaskList> = { I: "invitation", b: "ban", e: "exception" }
const ranks: Record<string, Rank> = { o: "operator", v: "voice" }

const letter = <A>(letters: Record<string, A>, value: A): string => Object.keys(letters).find((key) => letters[key] === value)!

/** For RPL_ISUPPORT: lists, what always has a parameter, what has one when set, and flags. */
export const chanmodes = `${Object.keys(lists).sort().join("")},k,l,${Object.keys(flags).join("")}`

/** All letters, and those that take a parameter, for RPL_MYINFO. */
export const letters = [...Object.keys(flags), ...Object.keys(lists), "k", "l", ...Object.keys(ranks)].sort().join("")
export const withParameter = [...Object.keys(lists), "k", "l", ...Object.keys(ranks)].sort().join("")

/** How many changes with a parameter one command may make. */
export const maxChanges = 4

/** What a list of masks is shown by. */
export const listNumerics: Record<MaskList, readonly [item: string, end: string, text: string]> = {
  ban: ["367", "368", "End of channel ban list"],
  exception: ["348", "349", "End of channel exception list"],
  invitation: ["346", "347", "End of channel invite list"]
}

/** What a MODE command asks for, in order. */
export type Asked =
  | { readonly _tag: "Change"; readonly command: Command }
  | { readonly _tag: "List"; readonly list: MaskList }
  | { readonly _tag: "Unknown"; readonly letter: string }
  | { readonly _tag: "Lacking"; readonly letter: string }
  | { readonly _tag: "Wrong"; readonly letter: string; readonly param: string; readonly why: string }

/** What these letters and parameters ask for in a room. */
export const parse = (room: string, params: ReadonlyArray<string>): ReadonlyArray<Asked> => {
  const asked: Array<Asked> = []
  const rest = params.slice(1)
  let on = true
  let changes = 0
  const change = (command: Command) => {
    asked.push({ _tag: "Change", command })
  }
  for (const char of params[0] ?? "") {
    if (char === "+" || char === "-") {
      on = char === "+"
      continue
    }
    const flag = flags[char]
    const list = lists[char]
    const rank = ranks[char]
    if (flag !== undefined) {
      change(flag === "moderated" ? { _tag: "SetModerated", room, moderated: on } : { _tag: "SetFlag", room, flag, on })
      continue
    }
    if (list === undefined && rank === undefined && char !== "k" && char !== "l") {
      asked.push({ _tag: "Unknown", letter: char })
      continue
    }
    if (char === "l" && !on) {
      change({ _tag: "SetLimit", room })
      continue
    }
    const param = rest.shift()
    if (param === undefined || param === "") {
      if (list !== undefined) asked.push({ _tag: "List", list })
      else if (char === "k" && !on) change({ _tag: "SetKey", room })
      else asked.push({ _tag: "Lacking", letter: char })
      continue
    }
    if (++changes > maxChanges * 5) break
    if (list !== undefined) change({ _tag: "SetMask", room, list, mask: param, on })
    else if (rank !== undefined) change({ _tag: "SetRank", room, nick: param, rank, on })
    else if (char === "k") change(on ? { _tag: "SetKey", room, key: param } : { _tag: "SetKey", room })
    else if (/^\d{1,6}$/.test(param) && Number(param) > 0) change({ _tag: "SetLimit", room, limit: Number(param) })
    else asked.push({ _tag: "Wrong", letter: char, param, why: "a limit is a whole number from 1 on" })
  }
  return asked
}

/** One change of a room, as a letter with its sign, and the parameter that goes with it. */
export interface Change {
  readonly sign: "+" | "-"
  readonly letter: string
  readonly param: string | undefined
}

/** The changes of an event; none where it is not about a room's modes. */
export const changes = (event: Fact): ReadonlyArray<Change> => {
  const one = (on: boolean, char: string, param?: string): ReadonlyArray<Change> => [{ sign: on ? "+" : "-", letter: char, param }]
  switch (event._tag) {
    case "ModeratedSet":
      return one(event.moderated, "m")
    case "FlagSet":
      return one(event.on, letter(flags, event.flag))
    case "KeySet":
      return one(event.key !== undefined, "k", event.key ?? "*")
    case "LimitSet":
      return event.limit === undefined ? one(false, "l") : one(true, "l", String(event.limit))
    case "MaskSet":
      return one(event.on, letter(lists, event.list), event.mask)
    case "RankSet": {
      const { nick, rank, was = "member" } = event
      return [
        ...(runs(rank) === runs(was) ? [] : one(runs(rank), "o", nick)),
        ...(voiced(rank) === voiced(was) ? [] : one(voiced(rank), "v", nick))
      ]
    }
    default:
      return []
  }
}

/** Changes as parameters of MODE: `+ov-m`, then theirs. */
export const print = (some: ReadonlyArray<Change>): ReadonlyArray<string> => {
  let letters = ""
  let sign = ""
  const params: Array<string> = []
  for (const change of some) {
    if (change.sign !== sign) letters += sign = change.sign
    letters += change.letter
    if (change.param !== undefined) params.push(change.param)
  }
  return [letters, ...params]
}

/** A room's modes as parameters of RPL_CHANNELMODEIS; its key is for members. */
export const of = (room: Room, member: boolean): ReadonlyArray<string> => {
  const on = Object.keys(flags).filter((key) => flags[key] === "moderated" ? room.moderated : room.flags.has(flags[key] as Flag))
  const params: Array<string> = []
  let letters = "+" + on.join("")
  if (room.key !== undefined) {
    letters += "k"
    params.push(member ? room.key : "*")
  }
  if (room.limit !== undefined) {
    letters += "l"
    params.push(String(room.limit))
  }
  return [letters, ...params]
}

/** The signs of a rank: the first, or all of them. */
export const signs = (rank: Rank, all: boolean): string => {
  const both = (runs(rank) ? "@" : "") + (voiced(rank) ? "+" : "")
  return all ? both : both.slice(0, 1)
}

/** How many are in a room. */
export const size = (room: Room): number => HashMap.size(room.members)
