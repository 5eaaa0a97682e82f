/**
 * What IRC clients are told of the server: the greeting, what it supports, how many are here, and what little else there
 * is to know (https://modern.ircdocs.horse/#server-queries-and-commands). Changes nothing.
 */
import * as HashMap from "effect/HashMap"
import * as Mask from "../../Mask.ts"
import * as Name from "../../Name.ts"
import * as Version from "../../Version.ts"
import * as World from "../../World.ts"
import { type Asking, date } from "./Asking.ts"
import * as Help from "./Help.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"

const software = `effect-chat-${Version.version}`

/**
 * What RPL_ISUPPORT tells (https://modern.ircdocs.horse/#rplisupport-parameters): every token has its value, but for those
 * that must not have one.
 */
const support = (network: string): ReadonlyArray<string> => [
  "AWAYLEN=" + World.limits.reason,
  "BOT=B",
  "CASEMAPPING=ascii",
  "CHANLIMIT=#:" + World.limits.rooms,
  "CHANMODES=" + Modes.chanmodes,
  "CHANNELLEN=" + (Name.maxRoom + 1),
  "CHANTYPES=#",
  "CHATHISTORY=" + World.limits.history,
  "ELIST=CMNTU",
  "EXCEPTS=e",
  "EXTBAN=,m",
  "INVEX=I",
  "KEYLEN=" + World.limits.key,
  "KICKLEN=" + World.limits.reason,
  "LINELEN=" + Message.maxLine,
  // Each list by itself: of letters that stand together the number would be that of all of them.
  "MAXLIST=" + ["b", "e", "I"].map((letter) => `${letter}:${World.limits.masks}`).join(","),
  "MODES=" + Modes.maxChanges,
  "MONITOR=" + World.limits.watches,
  "MSGREFTYPES=msgid,timestamp",
  "NAMELEN=" + World.limits.realname,
  "NETWORK=" + network,
  "NICKLEN=" + Name.maxNick,
  "PREFIX=(ov)@+",
  "SAFELIST",
  "STATUSMSG=@+",
  "TARGMAX=JOIN:,KICK:,LIST:,NAMES:,NOTICE:4,PART:,PRIVMSG:4,TAGMSG:4,WHOIS:4,WHOWAS:4,USERHOST:5,MONITOR:",
  "TOPICLEN=" + World.limits.topic,
  "USERLEN=" + World.limits.user,
  "UTF8ONLY",
  "WHOX"
]

const supportPerLine = 12

/** A value of RPL_ISUPPORT, in which some characters are escaped and others cannot be. */
const supported = (value: string): string =>
  value.replace(/[ =\\]/g, (character) => `\\x${character.charCodeAt(0).toString(16).toUpperCase()}`).replace(/[^!-~]/g, "_") || "chat"

const isupport = ({ moment, say }: Asking): void => {
  const tokens = support(supported(moment.server))
  for (let i = 0; i < tokens.length; i += supportPerLine) {
    say("005", ...tokens.slice(i, i + supportPerLine), "are supported by this server")
  }
}

export const motd = ({ moment, say, server }: Asking): void => {
  if (moment.motd.length === 0) return say("422", "There is no message of the day")
  say("375", `- ${server} message of the day -`)
  for (const line of moment.motd) say("372", `- ${line}`)
  say("376", "End of /MOTD command")
}

export const lusers = ({ me, moment, say, world }: Asking): void => {
  const { invisible, operators } = world
  const here = HashMap.size(world.persons)
  let rooms = 0
  // As LIST shows them: not the lobby as long as nobody is in it.
  for (const room of HashMap.values(world.rooms)) if (Modes.size(room) > 0 && World.seesRoom(room, me)) rooms++
  say("251", `There are ${here - invisible} users and ${invisible} invisible on 1 servers`)
  say("252", String(operators), "operator(s) online")
  say("253", String(moment.house.unknown()), "unknown connection(s)")
  say("254", String(rooms), "channels formed")
  say("255", `I have ${here} clients and 0 servers`)
  say("265", String(here), String(world.most), `Current local users ${here}, max ${world.most}`)
  say("266", String(here), String(world.most), `Current global users ${here}, max ${world.most}`)
}

/** The greeting of who has arrived (https://modern.ircdocs.horse/#connection-registration). */
export const welcome = (asking: Asking, me: World.Person): void => {
  const { moment, say, server } = asking
  say("001", `Welcome to ${moment.server}, ${Mask.written(me)}`)
  say("002", `Your host is ${server}, running version ${software}`)
  say("003", `This server was started ${date(moment.house.since)}`)
  say("004", server, software, Modes.ownLetters, Modes.letters, Modes.withParameter)
  isupport(asking)
  lusers(asking)
  motd(asking)
  say("221", Modes.own(me))
}

export const version = (asking: Asking): void => {
  asking.say("351", software, asking.server, "https://ircv3.net")
  isupport(asking)
}

export const admin = ({ moment, say, server }: Asking): void => {
  say("256", server, "Administrative info")
  say("257", moment.server)
  say("258", "run by whoever started it")
  say("259", "ask in #lobby")
}

export const info = ({ moment, say }: Asking): void => {
  for (const line of Help.info) say("371", line)
  say("371", `Running since ${date(moment.house.since)}`)
  say("374", "End of INFO list")
}

export const uptime = ({ moment, say }: Asking): void => {
  const up = Math.floor((moment.at - moment.house.since) / 1000)
  const two = (n: number) => String(n).padStart(2, "0")
  const clock = `${Math.floor(up / 3600) % 24}:${two(Math.floor(up / 60) % 60)}:${two(up % 60)}`
  say("242", `Server Up ${Math.floor(up / 86_400)} days ${clock}`)
  say("219", "u", "End of /STATS report")
}

export const links = ({ moment, say, server }: Asking, mask: string): void => {
  if (Mask.fits(mask, server)) say("364", server, server, `0 ${moment.house.description}`)
  say("365", mask, "End of /LINKS list")
}
