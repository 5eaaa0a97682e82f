/**
 * What IRC clients are told of people: WHO, WHOIS, WHOWAS, and whether somebody is here
 * (https://modern.ircdocs.horse/#user-based-queries). Changes nothing.
 */
import type { Rank } from "../../Command.ts"
import * as Mask from "../../Mask.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import { type Asker, type Asking, date, everybody, finds, isIn, members, noNick, seconds, seenRoom } from "./Asking.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"

const idle = ({ moment }: Asking, who: World.Person): string =>
  String(Math.max(0, Math.floor((moment.at - (moment.house.spokeAt(who.id) ?? who.since)) / 1000)))

/** A channel somebody is found in, and their rank there. */
interface Found {
  readonly room: World.Room
  readonly rank: Rank
}

// --- WHO -------------------------------------------------------------------------------------------------------------

/** The fields of WHOX in the order in which they are told (https://ircv3.net/specs/extensions/whox). */
const fieldOrder = "tcuihsnfdlaor"

/** What a WHO reply says of somebody. `fields` are those asked for, as `%tcn,42`; all of RPL_WHOREPLY when there are none. */
const tellWho = (asking: Asking, who: World.Person, found: Found | undefined, fields: string | undefined): void => {
  const { caps, say, server } = asking
  const flags = (who.away === undefined ? "H" : "G") + (who.operator ? "*" : "")
    + (found === undefined ? "" : Modes.signs(found.rank, Capabilities.has(caps, "multi-prefix"))) + (who.traits.has("bot") ? "B" : "")
  const name = found === undefined ? "*" : Name.withHash(found.room.name)
  if (fields === undefined) return say("352", name, who.user, who.address, server, who.nick, flags, `0 ${who.realname}`)
  const [wanted = "", token = ""] = fields.split(",")
  const values: Record<string, string> = {
    t: token === "" ? "0" : token,
    c: name,
    u: who.user,
    i: "255.255.255.255",
    h: who.address,
    s: server,
    n: who.nick,
    f: flags,
    d: "0",
    l: idle(asking, who),
    a: "0",
    o: "n/a",
    r: who.realname
  }
  say("354", ...[...fieldOrder].filter((field) => wanted.includes(field)).map((field) => values[field]!))
}

/** The first channel that the asker and somebody are both in. */
const shared = ({ me, world }: Asking, who: World.Person): Found | undefined => {
  for (const key of who.rooms) {
    const room = me?.rooms.has(key) === true ? World.room(world, key) : undefined
    const rank = room === undefined ? undefined : World.rank(room, who.id)
    if (room !== undefined && rank !== undefined) return { room, rank }
  }
  return undefined
}

const fitting = (asking: Asking, mask: string): ReadonlyArray<World.Person> => {
  const all = mask === "*" || mask === "0"
  const found: Array<World.Person> = []
  for (const who of everybody(asking)) {
    if (found.length === World.limits.list) break
    const texts = [who.nick, who.user, who.address, who.realname, asking.server]
    if (finds(asking, who) && (all || texts.some((text) => Mask.fits(mask, text)))) found.push(who)
  }
  return found
}

/** Those in a channel, somebody by their nick, whether or not they are to be seen, or those whom a mask fits. */
export const who = (asking: Asking, mask: string, operators: boolean, fields: string | undefined): void => {
  const { say, world } = asking
  const room = seenRoom(asking, mask)
  const exact = World.holder(world, mask)
  const wanted = (person: World.Person) => !operators || person.operator
  if (room !== undefined) {
    const own = isIn(asking, room)
    for (const [person, rank] of members(asking, room)) {
      if (wanted(person) && (own || finds(asking, person))) tellWho(asking, person, { room, rank }, fields)
    }
  } else if (exact !== undefined) { if (wanted(exact)) tellWho(asking, exact, undefined, fields) }
  else if (!mask.startsWith("#")) {
    for (const person of fitting(asking, mask)) if (wanted(person)) tellWho(asking, person, shared(asking, person), fields)
  }
  say("315", mask, "End of WHO list")
}

// --- WHOIS and WHOWAS ------------------------------------------------------------------------------------------------

/** The channels of somebody that the asker may know of; of who is invisible, those they share. */
const channels = (asking: Asking, who: World.Person): ReadonlyArray<string> => {
  const { caps, me, world } = asking
  const hidden = who.traits.has("invisible") && me?.id !== who.id && me?.operator !== true
  const words: Array<string> = []
  for (const key of who.rooms) {
    const room = World.room(world, key)
    const rank = room === undefined ? undefined : World.rank(room, who.id)
    if (room === undefined || rank === undefined || !World.seesRoom(room, me) || (hidden && !isIn(asking, room))) continue
    words.push(Modes.signs(rank, Capabilities.has(caps, "multi-prefix")) + Name.withHash(room.name))
  }
  return words
}

const tellWhois = (asking: Asking, found: World.Person): void => {
  const { me, moment, say, sayWords, server } = asking
  const { address, away, dialect, nick, operator, realname, since, traits, user } = found
  say("311", nick, user, address, "*", realname)
  if (me !== undefined && (me.operator || me.id === found.id)) {
    say("378", nick, `is connecting from ${user}@${address} ${address}`)
    say("379", nick, `is using modes ${Modes.own(found)}`)
  }
  sayWords("319", [nick], channels(asking, found))
  say("312", nick, server, moment.house.description)
  if (operator) say("313", nick, "is an operator of this server")
  if (away !== undefined) say("301", nick, away)
  if (traits.has("bot")) say("335", nick, "is a bot")
  if (dialect !== "irc") say("337", nick, `speaks ${dialect}`)
  say("317", nick, idle(asking, found), seconds(since), "seconds idle, signon time")
}

export const whois = (asking: Asking, nicks: ReadonlyArray<string>): void => {
  for (const nick of nicks) {
    const found = World.holder(asking.world, nick)
    if (found === undefined) noNick(asking, nick)
    else tellWhois(asking, found)
  }
  asking.say("318", nicks.join(","), "End of /WHOIS list")
}

/** Who held these nicks before, the last first; at most `count` of each where it is positive. */
export const whowas = ({ say, server, world }: Asking, nicks: ReadonlyArray<string>, count: number): void => {
  const told = new Map(nicks.map((nick) => [Name.key(nick), 0]))
  for (const { address, at, nick, realname, user } of world.past.toReversed()) {
    const before = told.get(Name.key(nick))
    if (before === undefined || (count > 0 && before >= count)) continue
    told.set(Name.key(nick), before + 1)
    say("314", nick, user, address, "*", realname)
    say("312", nick, server, date(at))
  }
  for (const nick of nicks) if (told.get(Name.key(nick)) === 0) say("406", nick, "There was no such nickname")
  say("369", nicks.join(","), "End of WHOWAS")
}

// --- whether somebody is here ----------------------------------------------------------------------------------------

const present = ({ world }: Asking, nicks: ReadonlyArray<string>): ReadonlyArray<World.Person> =>
  nicks.map((nick) => World.holder(world, nick)).filter((who) => who !== undefined)

export const userhost = (asking: Asking, nicks: ReadonlyArray<string>): void =>
  asking.sayOnce(
    "302",
    present(asking, nicks).map(({ address, away, nick, operator, user }) =>
      `${nick}${operator ? "*" : ""}=${away === undefined ? "+" : "-"}${user}@${address}`
    )
  )

export const ison = (asking: Asking, nicks: ReadonlyArray<string>): void =>
  asking.sayOnce("303", present(asking, nicks).map(({ nick }) => nick))

/** What a MODE for somebody else is answered: that one may not, or that there is nobody of that nick. */
export const othersModes = (asking: Asking, nick: string): void => {
  if (World.holder(asking.world, nick) === undefined) noNick(asking, nick)
  else asking.say("502", "Can't change mode for other users")
}

/** Whom one watches (https://ircv3.net/specs/extensions/monitor). */
export const watched = ({ me, say, sayWords }: Asking): void => {
  sayWords("732", [], me?.watches.values() ?? [], ",")
  say("733", "End of MONITOR list")
}

/** Which of those whom one watches are here, and which are not. */
export const watchedNow = (asking: Asking): void => {
  const { me, sayWords, world } = asking
  const nicks = [...(me?.watches.values() ?? [])]
  sayWords("730", [], present(asking, nicks).map(Mask.written), ",")
  sayWords("731", [], nicks.filter((nick) => World.holder(world, nick) === undefined), ",")
}

/** Word that somebody one watches is here, or is not. */
export const seen = ({ nick, server }: Asker, who: string, from: string | undefined): string =>
  from === undefined ? Message.print(server, "731", nick, who) : Message.print(server, "730", nick, `${who}!${from}`)
