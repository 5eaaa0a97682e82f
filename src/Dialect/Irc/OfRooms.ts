/**
 * What IRC clients are told of channels: topic, names, modes, lists of masks, and which there are
 * (https://modern.ircdocs.horse/#channel-operations). Changes nothing.
 */
import type { MaskList } from "../../Command.ts"
import * as Mask from "../../Mask.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import { type Asking, everyRoom, isIn, noChannel, seconds, seenRoom } from "./Asking.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Modes from "./Modes.ts"
import * as Names from "./Names.ts"

const tellTopic = ({ say, server }: Asking, room: World.Room): void => {
  const name = Name.withHash(room.name)
  say("332", name, room.topic)
  say("333", name, room.topicBy || server, seconds(room.topicAt))
}

/** RPL_NAMREPLY of one channel: as many lines as it takes, none where nobody is to be seen. */
const tellNames = (asking: Asking, room: World.Room): void => {
  asking.sayWords("353", [room.flags.has("secret") ? "@" : "=", Name.withHash(room.name)], Names.of(asking, room))
}

const endOfNames = ({ say }: Asking, names: string): void => say("366", names, "End of /NAMES list")

/** What one is told of a channel one has come into: its topic if it has one, and who is there. */
export const joined = (asking: Asking, name: string): void => {
  const room = seenRoom(asking, name)
  if (room === undefined || !isIn(asking, room)) return
  if (room.topic !== "") tellTopic(asking, room)
  if (Capabilities.has(asking.caps, "no-implicit-names") || Capabilities.has(asking.caps, "draft/no-implicit-names")) return
  tellNames(asking, room)
  endOfNames(asking, Name.withHash(room.name))
}

export const topic = (asking: Asking, name: string): void => {
  const room = seenRoom(asking, name)
  if (room === undefined) noChannel(asking, name)
  else if (room.topic === "") asking.say("331", Name.withHash(room.name), "No topic is set")
  else tellTopic(asking, room)
}

/** RPL_CHANNELMODEIS and RPL_CREATIONTIME, but for the lobby, which nobody has created. */
export const modes = (asking: Asking, name: string): void => {
  const room = seenRoom(asking, name)
  if (room === undefined) return noChannel(asking, name)
  asking.say("324", Name.withHash(room.name), ...Modes.of(room, isIn(asking, room)))
  if (Name.key(room.name) !== Name.lobby) asking.say("329", Name.withHash(room.name), seconds(room.since))
}

/** Each channel has an end of its own, also one that is not there (https://modern.ircdocs.horse/#names-message). */
export const names = (asking: Asking, channels: ReadonlyArray<string>): void => {
  for (const name of channels) {
    const room = seenRoom(asking, name)
    if (room !== undefined) tellNames(asking, room)
    endOfNames(asking, name)
  }
  if (channels.length === 0) endOfNames(asking, "*")
}

/** What a list of masks is shown by. */
const listNumerics: Record<MaskList, readonly [item: string, end: string, text: string]> = {
  ban: ["367", "368", "End of channel ban list"],
  exception: ["348", "349", "End of channel exception list"],
  invitation: ["346", "347", "End of channel invite list"]
}

export const masks = (asking: Asking, name: string, list: MaskList): void => {
  const room = seenRoom(asking, name)
  if (room === undefined) return noChannel(asking, name)
  const [item, end, text] = listNumerics[list]
  for (const { at, by, mask } of room.masks[list]) asking.say(item, Name.withHash(room.name), mask, by, seconds(at))
  asking.say(end, Name.withHash(room.name), text)
}

/** Channels one is invited to. */
export const invitations = (asking: Asking): void => {
  const { me, say } = asking
  for (const room of everyRoom(asking)) {
    if (me !== undefined && room.invited.has(me.id)) say("336", Name.withHash(room.name))
  }
  say("337", "End of /INVITE list")
}

// --- LIST ------------------------------------------------------------------------------------------------------------

const isName = (filter: string): boolean => filter.startsWith("#") && !/[*?]/.test(filter)

const condition = /^([CT]?)([<>])(\d+)$/

/** Whether a channel is as ELIST's C, T and U want it; the times are minutes (https://modern.ircdocs.horse/#elist-parameter). */
const holds = (room: World.Room, now: number, what: string, sign: string, number: number): boolean => {
  if (what === "T" && room.topicBy === "") return false
  const value = what === "" ? Modes.size(room) : (now - (what === "C" ? room.since : room.topicAt)) / 60_000
  return sign === "<" ? value < number : value > number
}

/** Whether a channel is asked for: it fits one of the masks, where there are any, and all that is said besides. */
const asked = (room: World.Room, now: number, filters: ReadonlyArray<string>): boolean => {
  const name = Name.withHash(room.name)
  let masks = 0
  let fits = 0
  for (const filter of filters) {
    const [found, what = "", sign = "", number = ""] = condition.exec(filter) ?? []
    if (found !== undefined) { if (!holds(room, now, what, sign, Number(number))) return false }
    else if (filter.startsWith("!")) { if (Mask.fits(filter.slice(1), name)) return false }
    else {
      masks++
      if (Mask.fits(filter, name)) fits++
    }
  }
  return masks === 0 || fits > 0
}

/** At most as many channels as anybody is told of; a room that nobody is in is told of to who asks for it by name. */
export const list = (asking: Asking, filters: ReadonlyArray<string>): void => {
  const { me, moment, say } = asking
  const named = new Set(filters.filter(isName).map(Name.key))
  let count = 0
  say("321", "Channel", "Users  Name")
  for (const room of everyRoom(asking)) {
    const name = Name.withHash(room.name)
    if (!World.seesRoom(room, me) || (Modes.size(room) === 0 && !named.has(Name.key(name)))) continue
    if (!asked(room, moment.at, filters) || ++count > World.limits.list) continue
    say("322", name, String(Modes.size(room)), room.topic)
  }
  say("323", "End of /LIST")
}
