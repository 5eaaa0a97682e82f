/**
 * Channel modes as letters, and the rooms' flags, ranks, lists, key and limit that they stand for
 * (https://modern.ircdocs.horse/#mode-message). Knows no state.
 */
import { type Command, type Flag, type MaskList, type Rank, runs, type Trait, voiced } from "../../Command.ts"
import type { Fact } from "../../Event.ts"
import * as HashMap from "effect/HashMap"
import type { Person, Room } from "../../World.ts"

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

/** The letter of a list of masks. */
export const listLetter = (list: MaskList): string => letter(lists, list)

/** For RPL_ISUPPORT: lists, what always has a parameter, what has one when set, and flags. */
export const chanmodes = `${Object.keys(lists).sort().join("")},k,l,${Object.keys(flags).join("")}`

/** All letters, and those that take a parameter, for RPL_MYINFO. */
export const letters = [...Object.keys(flags), ...Object.keys(lists), "k", "l", ...Object.keys(ranks)].sort().join("")
export const withParameter = [...Object.keys(lists), "k", "l", ...Object.keys(ranks)].sort().join("")

/** How many changes with a parameter one command may make, and how many letters it may have; what is more is not looked at. */
export const maxChanges = 12
const maxLetters = 40

/** Why a change is refused as erroneous, where it is; without a parameter, because there is no such mode. */
export interface Amiss {
  readonly letter: string
  readonly param: string | undefined
  readonly why: string
}

/** What a MODE command asks for, in order. */
export type Asked =
  | { readonly _tag: "Change"; readonly command: Command; readonly amiss?: Amiss }
  | { readonly _tag: "List"; readonly list: MaskList }

/** A change that no room grants: so who may not change a room at all is told that, and not what is amiss besides. */
const impossible = (room: string): Command => ({ _tag: "SetLimit", room, limit: 0 })

/** The change that a letter with a parameter stands for. */
const withParam = (room: string, letter: string, param: string, on: boolean): Asked => {
  const list = lists[letter]
  const rank = ranks[letter]
  const change = (command: Command, why: string, shown = param): Asked => ({ _tag: "Change", command, amiss: { letter, param: shown, why } })
  if (rank !== undefined) return { _tag: "Change", command: { _tag: "SetRank", room, nick: param, rank, on } }
  if (list !== undefined) return change({ _tag: "SetMask", room, list, mask: param, on }, "A mask is like nick!user@host")
  if (letter === "l") {
    const limit = /^\d{1,6}$/.test(param) ? Number(param) : 0
    return change({ _tag: "SetLimit", room, limit }, "A limit is a whole number from 1 on")
  }
  return on
    ? change({ _tag: "SetKey", room, key: param }, "A key is one word without commas, and not too long", "*")
    : { _tag: "Change", command: { _tag: "SetKey", room } }
}

/** The change, or the question, that a letter without a parameter stands for where it may have one. */
const withoutParam = (room: string, letter: string, on: boolean): Asked => {
  const list = lists[letter]
  if (list !== undefined) return { _tag: "List", list }
  return letter === "k" && !on
    ? { _tag: "Change", command: { _tag: "SetKey", room } }
    : { _tag: "Change", command: impossible(room), amiss: { letter, param: "*", why: `You must specify a parameter for the mode ${letter}` } }
}

/** What these letters and parameters ask for in a room. */
export const parse = (room: string, [modes = "", ...rest]: ReadonlyArray<string>): ReadonlyArray<Asked> => {
  const asked: Array<Asked> = []
  let on = true
  let params = 0
  for (const char of modes.slice(0, maxLetters)) {
    const flag = flags[char]
    if (char === "+" || char === "-") on = char === "+"
    else if (flag !== undefined) {
      asked.push({ _tag: "Change", command: flag === "moderated" ? { _tag: "SetModerated", room, moderated: on } : { _tag: "SetFlag", room, flag, on } })
    } else if (!withParameter.includes(char)) {
      asked.push({ _tag: "Change", command: impossible(room), amiss: { letter: char, param: undefined, why: `is unknown mode char to me for ${room}` } })
    } else if (char === "l" && !on) asked.push({ _tag: "Change", command: { _tag: "SetLimit", room } })
    else {
      const param = rest[params] ?? ""
      if (param !== "" && params === maxChanges) break
      params++
      asked.push(param === "" ? withoutParam(room, char, on) : withParam(room, char, param, on))
    }
  }
  return asked
}

/** User modes: what somebody says of themselves. That one is an operator of the server can only be taken back. */
const traits: Record<string, Trait> = { B: "bot", T: "no-ctcp", i: "invisible", w: "wallops" }

/** The letters of all user modes, for RPL_MYINFO, and of those that somebody has. */
export const ownLetters = [...Object.keys(traits), "o"].sort().join("")
export const own = ({ operator, traits: has }: Person): string =>
  `+${[...ownLetters].filter((char) => char === "o" ? operator : has.has(traits[char]!)).join("")}`

/** What these letters ask for of oneself, and whether one of them is none. */
export const parseOwn = (letters: string): { readonly commands: ReadonlyArray<Command>; readonly unknown: boolean } => {
  const commands: Array<Command> = []
  let on = true
  let unknown = false
  for (const char of letters.slice(0, maxLetters)) {
    const trait = traits[char]
    if (char === "+" || char === "-") on = char === "+"
    else if (trait !== undefined) commands.push({ _tag: "SetTrait", trait, on })
    else if (char !== "o") unknown = true
    else if (!on) commands.push({ _tag: "Oper" })
  }
  return { commands, unknown }
}

/** One change of a room or a person, as a letter with its sign, and the parameter that goes with it. */
export interface Change {
  readonly sign: "+" | "-"
  readonly letter: string
  readonly param: string | undefined
}

/** The changes of an event; none where it is not about modes. */
export const changes = (event: Fact): ReadonlyArray<Change> => {
  const one = (on: boolean, char: string, param?: string): ReadonlyArray<Change> => [{ sign: on ? "+" : "-", letter: char, param }]
  switch (event._tag) {
    case "TraitSet":
      return one(event.on, letter(traits, event.trait))
    case "Opered":
      return one(event.on, "o")
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

/** Changes in parts whose parameters of MODE are of at most so many characters. */
export const parts = (some: ReadonlyArray<Change>, most: number): ReadonlyArray<ReadonlyArray<Change>> => {
  const out: Array<Array<Change>> = []
  let length = Infinity
  for (const change of some) {
    const more = 2 + (change.param === undefined ? 0 : 1 + change.param.length)
    if (length + more > most) {
      out.push([])
      length = 0
    }
    out[out.length - 1]!.push(change)
    length += more
  }
  return out
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
