/**
 * Who may come in, to the server and to a room, and what becomes of a room's ranks when they do.
 * Knows nothing of what they do there.
 */
import * as HashMap from "effect/HashMap"
import { type Rank, rankOf, runs, voiced } from "../Command.ts"
import type { Fact, SessionId } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import { answer, keep, noNick, nothing, type Of, oneLine, refuse, seen, short, tooManyGuesses } from "./Granting.ts"
import { limits, type Moment, type Outcome } from "./Outcome.ts"
import { roomInfo } from "./Showing.ts"
import { absence, type Absent, formerOf, insideOf, isShared, joined, listed, membersOf, type Person, rank, room, type Room, tooLate, withMember, type World } from "./State.ts"

const freeGuest = (world: World, { guest, server }: Moment): string => {
  let number = guest
  while (HashMap.has(world.nicks, `guest${number}`) || Name.isServers(server, `guest${number}`)) number++
  return `guest${number}`
}

const userPattern = /[^A-Za-z0-9._~-]/g

/** That somebody is here, with what they say of themselves. */
const present = (nick: string, said: Omit<Of<"Arrive">, "_tag">, { address, dialect }: Moment): Fact & { readonly _tag: "Arrived" } => {
  const user = said.user?.replace(userPattern, "").slice(0, limits.user)
  const realname = said.realname === undefined ? undefined : Text.truncate(oneLine(said.realname), limits.realname)
  return {
    _tag: "Arrived",
    nick,
    dialect,
    address,
    ...(user === undefined || user === "" ? {} : { user }),
    ...(realname === undefined ? {} : { realname })
  }
}

export const introduce = (world: World, who: Person, command: Of<"Introduce">, moment: Moment): ReadonlyArray<Outcome> => {
  const event = present(who.nick, command, moment)
  return [keep(event, { rooms: [], sessions: [] }), ...seen(world, who.nick, { user: event.user ?? event.dialect, address: event.address })]
}

export const arrive = (world: World, by: SessionId, command: Of<"Arrive">, moment: Moment): ReadonlyArray<Outcome> => {
  if (HashMap.has(world.persons, by)) return refuse(command, "already-here", "you are already here")
  const verdict = moment.house.admits(command.password, moment.address)
  if (verdict !== "right") {
    const why = "this server wants a password"
    return command.password === undefined
      ? refuse(command, "password", `${why}: /pass PASSWORD`)
      : verdict === "later"
      ? [...refuse(command, "password", tooManyGuesses), { answer: { _tag: "Closing", reason: "too many wrong passwords" } }]
      : [...refuse(command, "password", `${why}, and that is not it`), { answer: { _tag: "Closing", reason: "wrong password" } }]
  }
  const nick = command.nick ?? freeGuest(world, moment)
  const not = noNick(world, nick, command.guest === true ? { _tag: "SetNick", nick } : command, moment)
  if (not !== undefined) {
    if (command.guest !== true) return not
    const { nick: _, ...asGuest } = command
    return [...arrive(world, by, asGuest, moment), ...not]
  }
  const event = present(nick, command, moment)
  return [
    keep(event, { rooms: [], sessions: [] }),
    { answer: { _tag: "Welcome" as const, server: moment.server, nick, epoch: moment.epoch, motd: moment.motd, newest: moment.seq } },
    ...seen(world, nick, { user: event.user ?? event.dialect, address: moment.address })
  ]
}

/**
 * Why somebody may not come into a room; whom somebody who runs it has invited may, whatever it is. Of several reasons it is the
 * first in the order of https://modern.ircdocs.horse/#join-message. Who was in it before the server closed needs no invitation,
 * where the address says that it is them.
 */
const keptOut = (of: Room, who: Person, command: Of<"Join">, back: Absent | undefined): ReadonlyArray<Outcome> | undefined => {
  if (of.invited.has(who.id)) return undefined
  const name = Name.withHash(of.name)
  const about = { room: of.name }
  if (of.key !== undefined && command.key !== of.key) {
    return refuse(command, "wrong-key", `${name} wants a key, and that is not it`, about)
  }
  if (listed(of.masks.ban, who) && !listed(of.masks.exception, who)) return refuse(command, "banned", `you are banned from ${name}`, about)
  if (of.limit !== undefined && HashMap.size(of.members) >= of.limit) return refuse(command, "full", `${name} is full`, about)
  return of.flags.has("invite-only") && !listed(of.masks.invitation, who) && (back === undefined || isShared(who.address))
    ? refuse(command, "invite-only", `${name} is for the invited only`, about)
    : undefined
}

/** Who is here for longest of those in a room. */
const eldest = (world: World, of: Room): Person | undefined => {
  let first: Person | undefined
  for (const [who] of membersOf(world, of)) {
    if (first === undefined || who.number < first.number) first = who
  }
  return first
}

/**
 * What becomes of the ranks of a room that outlived the server when somebody comes: who had one has it again, and when it is
 * too late for that and nobody runs the room, whoever is here for longest does.
 */
const ranksAgain = (world: World, of: Room, who: Person, back: Absent | undefined, at: number): ReadonlyArray<Outcome> => {
  const set = (nick: string, was: Rank, to: Rank, cause: "returned" | "remaining", concerns: SessionId): ReadonlyArray<Outcome> => [
    keep({ _tag: "RankSet", room: of.name, nick, by: who.nick, rank: to, was, cause }, Name.key(of.name), concerns)
  ]
  if (of.wait === undefined) return nothing
  const first = rank(withMember(of, who), who.id)!
  // Whoever comes first where nobody is awaited who ran it runs it, whatever they were.
  const again = back === undefined ? first : rankOf(runs(first) || runs(back.rank), voiced(back.rank))
  if (again !== first) return set(who.nick, first, again, "returned", who.id)
  if (of.operators > 0 || of.wait.absent.some((one) => runs(one.rank) && !tooLate(one.at, at))) return nothing
  const heir = eldest(world, of)
  const was = heir === undefined ? undefined : rank(of, heir.id)
  return heir === undefined || was === undefined ? nothing : set(heir.nick, was, rankOf(true, voiced(was)), "remaining", heir.id)
}

export const join = (world: World, who: Person, command: Of<"Join">, moment: Moment): ReadonlyArray<Outcome> => {
  const name = Name.withoutHash(command.room)
  const problem = Name.roomProblem(name)
  if (problem !== undefined) return refuse(command, "erroneous", problem, { room: short(name) })
  const existing = room(world, name)
  if (existing !== undefined && who.rooms.has(Name.key(name))) return answer(roomInfo(world, existing, who.id))
  if (who.rooms.size >= limits.rooms) {
    return refuse(command, "too-many-rooms", `you are in ${limits.rooms} rooms, the most one can be in`, { room: name })
  }
  const opened = joined(world, name, moment.at)
  const back = absence(opened, who, moment.at)
  const out = keptOut(opened, who, command, back)
  if (out !== undefined) return out
  const outcomes: Array<Outcome> = []
  const last = Math.min(command.last ?? 0, limits.history, moment.house.replay())
  // A position that is not of this log, or that the log has lost, says nothing of what was missed.
  const isKnown = (command.epoch === undefined || command.epoch === moment.epoch) && (command.after ?? 0) <= moment.seq
  if (command.after !== undefined && !isKnown) outcomes.push({ answer: { _tag: "Missed", room: opened.name, after: command.after } })
  if (command.after !== undefined && isKnown) {
    outcomes.push({
      answer: { _tag: "Recall", room: opened.name, after: command.after, before: undefined, limit: limits.history, why: "resumed", ...insideOf(opened), ...formerOf(world, opened) }
    })
  } else if (last > 0) {
    outcomes.push({
      answer: {
        _tag: "Recall",
        room: opened.name,
        after: undefined,
        before: undefined,
        limit: last,
        why: "joined",
        ...insideOf(opened)
      }
    })
  }
  outcomes.push(keep({
    _tag: "Joined",
    room: opened.name,
    nick: who.nick,
    ...(who.realname === who.nick ? {} : { realname: who.realname }),
    ...(who.away === undefined ? {} : { away: who.away })
  }, Name.key(name)))
  outcomes.push({ answer: roomInfo(world, withMember(opened, who), who.id) }, ...ranksAgain(world, opened, who, back, moment.at))
  return outcomes
}
