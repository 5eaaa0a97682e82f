/**
 * What those who are in a room, and those who run it, may do to it and to each other.
 * Knows nothing of what is said in it.
 */
import { type Command, rankOf, runs, voiced } from "../Command.ts"
import type { Fact } from "../Event.ts"
import * as Mask from "../Mask.ts"
import * as Name from "../Name.ts"
import { because, keep, noBody, noRoom, nothing, notIn, notText, type Of, refuse, short } from "./Granting.ts"
import { limits, type Outcome } from "./Outcome.ts"
import { holder, invitedTo, membersOf, muting, type Person, rank, room, type Room, seesRoom, type World } from "./State.ts"

/** A room the asker is in and, where `operator` is asked for, runs; or the refusal. */
export const ownRoom = (world: World, who: Person, command: Command, name: string, operator: boolean): Room | ReadonlyArray<Outcome> => {
  const bare = Name.withoutHash(name)
  const of = room(world, bare)
  if (of === undefined || !seesRoom(of, who)) return noRoom(command, bare)
  if (!who.rooms.has(Name.key(bare))) return notIn(command, bare)
  return operator && !runs(rank(of, who.id))
    ? refuse(command, "not-operator", `you are not an operator of ${Name.withHash(of.name)}`, { room: of.name })
    : of
}

/** Somebody in a room the asker runs, or wherever an operator of the server kicks; or the refusal. */
const ownMember = (world: World, who: Person, command: Command & { room: string; nick: string }) => {
  const anywhere = who.operator && command._tag === "Kick" ? room(world, Name.withoutHash(command.room)) : undefined
  const of = anywhere ?? ownRoom(world, who, command, command.room, true)
  if (!("members" in of)) return of
  const target = holder(world, command.nick)
  if (target === undefined) return refuse(command, "nobody", `there is nobody called ${short(command.nick)}`, { room: of.name, nick: short(command.nick) })
  return !target.rooms.has(Name.key(of.name))
    ? refuse(command, "others-room", `${target.nick} is not in ${Name.withHash(of.name)}`, { room: of.name, nick: target.nick })
    : { of, target }
}

/** A change that those who run a room may make to it. */
const change = (
  world: World,
  who: Person,
  command: Command & { room: string },
  to: (of: Room) => ReadonlyArray<Outcome> | Fact | undefined
): ReadonlyArray<Outcome> => {
  const of = ownRoom(world, who, command, command.room, true)
  if (!("members" in of)) return of
  const changed = to(of)
  return changed === undefined ? nothing : "_tag" in changed ? [keep(changed, Name.key(of.name))] : changed
}

export const setMask = (world: World, who: Person, command: Of<"SetMask">): ReadonlyArray<Outcome> =>
  change(world, who, command, (of) => {
    const { list, on } = command
    const mutes = list !== "invitation" && command.mask.startsWith(muting)
    const bare = mutes ? command.mask.slice(muting.length) : command.mask
    const whole = Mask.whole(bare)
    if (!/^[!-~]+$/.test(bare) || whole.length > Mask.maxMask) {
      return refuse(command, "erroneous", `a mask is like nick!user@address, of at most ${Mask.maxMask} characters`, { room: of.name })
    }
    const mask = (mutes ? muting : "") + whole
    const masks = of.masks[list]
    const there = masks.some((other) => Name.key(other.mask) === Name.key(mask))
    if (there === on) return undefined
    if (on && masks.length >= limits.masks) {
      return refuse(command, "list-full", `the list of ${Name.withHash(of.name)} is full: ${limits.masks} masks`, { room: of.name, list })
    }
    return { _tag: "MaskSet", room: of.name, by: who.nick, list, mask, on }
  })

/** Anybody in a room may ask others in; only from who runs it is that leave to come in. */
export const invite = (world: World, who: Person, command: Of<"Invite">): ReadonlyArray<Outcome> => {
  const isForInvited = room(world, Name.withoutHash(command.room))?.flags.has("invite-only") === true
  const of = ownRoom(world, who, command, command.room, isForInvited)
  if (!("members" in of)) return of
  const target = holder(world, command.nick)
  if (target === undefined) return noBody(command, command.nick)
  if (target.rooms.has(Name.key(of.name))) {
    return refuse(command, "on-room", `${target.nick} is in ${Name.withHash(of.name)} already`, { room: of.name, nick: target.nick })
  }
  const admits = runs(rank(of, who.id))
  if (admits && !of.invited.has(target.id) && invitedTo(world, of).size >= limits.invited) {
    return refuse(command, "list-full", `${limits.invited} people are invited to ${Name.withHash(of.name)}, the most there may be`, { room: of.name })
  }
  const running = membersOf(world, of).filter(([member, ranked]) => member.id !== who.id && runs(ranked)).map(([{ id }]) => id)
  const invited = keep({ _tag: "Invited", room: of.name, nick: target.nick, by: who.nick, ...(admits ? { admits } : {}) }, {
    rooms: [],
    sessions: [who.id, target.id, ...running]
  }, target.id)
  return target.away === undefined ? [invited] : [invited, { answer: { _tag: "IsAway", nick: target.nick, message: target.away } }]
}

export const setRank = (world: World, who: Person, command: Of<"SetRank">): ReadonlyArray<Outcome> => {
  const found = ownMember(world, who, command)
  if (!("target" in found)) return found
  const was = rank(found.of, found.target.id)!
  const to = command.on === undefined
    ? command.rank
    : rankOf(runs(command.rank) ? command.on : runs(was), voiced(command.rank) ? command.on : voiced(was))
  return was === to ? nothing : [
    keep(
      { _tag: "RankSet", room: found.of.name, nick: found.target.nick, by: who.nick, rank: to, was },
      Name.key(found.of.name),
      found.target.id
    )
  ]
}

export const part = (world: World, who: Person, command: Of<"Part">): ReadonlyArray<Outcome> => {
  const of = ownRoom(world, who, command, command.room, false)
  if (!("members" in of)) return of
  const problem = notText(command, "a reason", command.reason ?? "", limits.reason)
  if (problem !== undefined) return problem
  return [keep({ _tag: "Left", room: of.name, nick: who.nick, ...because(command.reason) }, Name.key(of.name))]
}

export const partAll = (world: World, who: Person): ReadonlyArray<Outcome> =>
  Array.from(who.rooms, (key) => keep({ _tag: "Left", room: room(world, key)?.name ?? key, nick: who.nick }, key))

export const setTopic = (world: World, who: Person, command: Of<"SetTopic">): ReadonlyArray<Outcome> => {
  const of = ownRoom(world, who, command, command.room, false)
  if (!("members" in of)) return of
  if (of.flags.has("topic-locked") && of.operators > 0 && !runs(rank(of, who.id))) {
    return refuse(command, "not-operator", `only operators of ${Name.withHash(of.name)} set its topic`, { room: of.name })
  }
  const problem = notText(command, "a topic", command.topic, limits.topic)
  if (problem !== undefined) return problem
  return command.topic === of.topic
    ? nothing
    : [keep({ _tag: "TopicSet", room: of.name, nick: who.nick, topic: command.topic }, Name.key(of.name))]
}

export const setModerated = (world: World, who: Person, command: Of<"SetModerated">): ReadonlyArray<Outcome> =>
  change(world, who, command, (of) =>
    of.moderated === command.moderated
      ? undefined
      : { _tag: "ModeratedSet", room: of.name, by: who.nick, moderated: command.moderated })

export const setFlag = (world: World, who: Person, command: Of<"SetFlag">): ReadonlyArray<Outcome> =>
  change(world, who, command, (of) =>
    of.flags.has(command.flag) === command.on
      ? undefined
      : { _tag: "FlagSet", room: of.name, by: who.nick, flag: command.flag, on: command.on })

export const setKey = (world: World, who: Person, command: Of<"SetKey">): ReadonlyArray<Outcome> =>
  change(world, who, command, (of) => {
    const { key } = command
    return key !== undefined && (!/^[!-~]+$/.test(key) || key.includes(",") || key.startsWith(":") || key.length > limits.key)
      ? refuse(command, "erroneous", `a key has at most ${limits.key} characters, without spaces and commas`, { room: of.name })
      : of.key === key
      ? undefined
      : { _tag: "KeySet", room: of.name, by: who.nick, ...(key === undefined ? {} : { key }) }
  })

export const setLimit = (world: World, who: Person, command: Of<"SetLimit">): ReadonlyArray<Outcome> =>
  change(world, who, command, (of) => {
    const { limit } = command
    return limit !== undefined && (limit < 1 || limit > 1_000_000)
      ? refuse(command, "erroneous", "a limit is a whole number from 1 on", { room: of.name })
      : of.limit === limit
      ? undefined
      : { _tag: "LimitSet", room: of.name, by: who.nick, ...(limit === undefined ? {} : { limit }) }
  })

export const kick = (world: World, who: Person, command: Of<"Kick">): ReadonlyArray<Outcome> => {
  const found = ownMember(world, who, command)
  if (!("target" in found)) return found
  const problem = notText(command, "a reason", command.reason ?? "", limits.reason)
  if (problem !== undefined) return problem
  const key = Name.key(found.of.name)
  return [
    keep(
      { _tag: "Kicked", room: found.of.name, nick: found.target.nick, by: who.nick, ...because(command.reason) },
      who.rooms.has(key) ? key : { rooms: [key], sessions: [who.id] },
      found.target.id
    )
  ]
}
