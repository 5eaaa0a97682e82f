/**
 * What IRC clients say, as commands, questions about the world and lines that need neither
 * (https://modern.ircdocs.horse/#client-messages). Knows who the client says it is, and no rules.
 */
import type { Command } from "../../Command.ts"
import * as Name from "../../Name.ts"
import * as Text from "../../Text.ts"
import * as World from "../../World.ts"
import { ask, askAt, type Client, type Handler, isChannel, lacking, listed, noChannel, numeric, type Piece, token, type Understood } from "./Client.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"
import { chathistory } from "./Past.ts"
import * as Registering from "./Registering.ts"
import * as Serving from "./Serving.ts"
import * as Talking from "./Talking.ts"

// --- rooms -----------------------------------------------------------------------------------------------------------

const join: Handler = (client, params) => {
  if (listed(params[0]).length === 0) return [lacking(client, "JOIN")]
  if (params[0] === "0") return [{ _tag: "PartAll" }]
  const keys = (params[1] ?? "").split(",")
  // A key stands in the place of its channel, be there nothing between some commas.
  return params[0]!.split(",").flatMap((name, i): ReadonlyArray<Piece> => {
    if (name === "") return []
    if (!isChannel(name) || Name.roomProblem(Name.withoutHash(name)) !== undefined) return [noChannel(client, name)]
    const key = keys[i] ?? ""
    return [
      { _tag: "Join", room: name, ...(key === "" ? {} : { key }) },
      ask({ _tag: "Joined", room: name })
    ]
  })
}

/** A command for each of several channels. */
const each = (
  client: Client,
  command: string,
  names: string | undefined,
  of: (room: string) => Piece
): ReadonlyArray<Piece> => {
  const channels = listed(names)
  return channels.length === 0 ? [lacking(client, command)] : channels.map((name) => isChannel(name) ? of(name) : noChannel(client, name))
}

const reason = (text: string | undefined) =>
  text === undefined || text === "" ? {} : { reason: Text.truncate(Message.clean(text), World.limits.reason) }

const kick: Handler = (client, params) => {
  const [rooms, nicks, why] = params
  const channels = listed(rooms)
  const targets = listed(nicks)
  if (targets.length === 0) return [lacking(client, "KICK")]
  return targets.map((target, i): Piece => {
    const channel = channels.length === 1 ? channels[0]! : channels[i] ?? channels[0] ?? ""
    return isChannel(channel) ? { _tag: "Kick", room: channel, nick: target, ...reason(why) } : noChannel(client, channel)
  })
}

const topic: Handler = (client, params) => {
  const [name, text] = params
  if (name === undefined || name === "") return [lacking(client, "TOPIC")]
  if (!isChannel(name)) return [noChannel(client, name)]
  return text === undefined
    ? [ask({ _tag: "Topic", room: name })]
    : [{ _tag: "SetTopic", room: name, topic: Text.truncate(Message.clean(text), World.limits.topic) }]
}

/** Changes of one doing, with what to say of those in which something is amiss. */
const together = (wishes: ReadonlyArray<Command>, lines: ReadonlyArray<string | undefined> = []): ReadonlyArray<Piece> =>
  wishes.length === 0 ? [] : [token({ _tag: "Amiss", lines }), { _tag: "Together", wishes }]

const userMode = (client: Client, target: string, letters: string | undefined): ReadonlyArray<Piece> => {
  const key = Name.key(target)
  if (key !== Name.key(client.nick) && (client.wanted === undefined || key !== Name.key(client.wanted))) return [ask({ _tag: "OthersModes", nick: target })]
  if (letters === undefined || letters === "") return [ask({ _tag: "OwnModes" })]
  const { commands, unknown } = Modes.parseOwn(letters)
  const pieces = together(commands)
  return unknown ? [...pieces, numeric(client, "501", "Unknown MODE flag")] : pieces
}

const amiss = (client: Client, target: string, { letter, param, why }: Modes.Amiss): string =>
  param === undefined ? numeric(client, "472", letter, why) : numeric(client, "696", target, letter, param, why)

const mode: Handler = (client, params) => {
  const [target, ...rest] = params
  if (target === undefined || target === "") return [lacking(client, "MODE")]
  if (!isChannel(target)) return userMode(client, target, rest[0])
  if (rest.length === 0 || rest[0] === "") return [ask({ _tag: "Modes", room: target })]
  const pieces: Array<Piece> = []
  let wishes: Array<Command> = []
  let lines: Array<string | undefined> = []
  for (const asked of [...Modes.parse(target, rest), undefined]) {
    if (asked?._tag === "Change") {
      wishes.push(asked.command)
      lines.push(asked.amiss === undefined ? undefined : amiss(client, target, asked.amiss))
      continue
    }
    pieces.push(...together(wishes, lines))
    wishes = []
    lines = []
    if (asked !== undefined) pieces.push(ask({ _tag: "Masks", room: target, list: asked.list }))
  }
  return pieces
}
// --- everything else -------------------------------------------------------------------------------------------------

const monitor: Handler = (client, params) => {
  const nicks = listed(params[1])
  switch (params[0]) {
    case "+":
    case "-":
      if (nicks.length === 0) return [lacking(client, "MONITOR")]
      return [token({ _tag: "Sight", on: true }), { _tag: "Watch", nicks, on: params[0] === "+" }, token({ _tag: "Sight", on: false })]
    case "C":
    case "c":
      return [{ _tag: "Watch", on: false }]
    case "L":
    case "l":
      return [ask({ _tag: "Watched" })]
    case "S":
    case "s":
      return [ask({ _tag: "Watched", status: true })]
    default:
      return [lacking(client, "MONITOR")]
  }
}

const who: Handler = (client, params) => {
  const [mask = "*", flags = ""] = params
  const fields = flags.includes("%") ? flags.slice(flags.indexOf("%") + 1) : undefined
  return mask === "" ? [lacking(client, "WHO")] : [ask({ _tag: "Who", mask, operators: /^[^%]*o/.test(flags), fields })]
}

const whois: Handler = (client, params) => {
  const [server, nicks] = params.length > 1 ? params : [undefined, params[0]]
  if (nicks === undefined || nicks === "") return [numeric(client, "431", "No nickname given")]
  return [askAt(client, server, { _tag: "Whois", nicks: listed(nicks).slice(0, Talking.maxTargets) })]
}

const whowas: Handler = (client, params) => {
  if (params[0] === undefined || params[0] === "") return [numeric(client, "431", "No nickname given")]
  const count = Number(params[1] ?? 0)
  return [ask({ _tag: "Whowas", nicks: listed(params[0]).slice(0, Talking.maxTargets), count: Number.isInteger(count) ? count : 0 })]
}

/** After the channels come conditions, or, as in RFC 2812, a server (https://modern.ircdocs.horse/#list-message). */
const list: Handler = (client, [channels, rest = ""]) => {
  const conditions = /^(?:[CT]?[<>]|!)/.test(rest)
  const filters = [...listed(channels), ...(conditions ? listed(rest) : [])]
  return [askAt(client, conditions ? undefined : rest, { _tag: "List", filters })]
}

const invite: Handler = (client, params) => {
  const [target, channel] = params
  if (target === undefined || target === "") return [ask({ _tag: "Invitations" })]
  if (channel === undefined) return [lacking(client, "INVITE")]
  return isChannel(channel) ? [{ _tag: "Invite", nick: target, room: channel }] : [noChannel(client, channel)]
}

const away: Handler = (_client, params) => [
  { _tag: "SetAway", ...(params[0] === undefined || params[0] === "" ? {} : { message: Text.truncate(Message.clean(params[0]), World.limits.reason) }) }
]

const ping: Handler = (client, params) =>
  params[0] === undefined
    ? [lacking(client, "PING")]
    : params[0] === ""
    ? [numeric(client, "409", "No origin specified")]
    : [ask({ _tag: "Pong", params })]

/** What others are told begins with `Quit:`, as nothing that ends a session otherwise does (https://modern.ircdocs.horse/#quit-message). */
const quit: Handler = (_client, params) => {
  const said = `Quit: ${Text.truncate(Message.clean(params[0] ?? ""), World.limits.reason - 6)}`
  return [{ _tag: "Close", bytes: Text.encode(`ERROR :Closing link: ${said}\r\n`), reason: said }]
}

/** What those who have not arrived may say. */
const early: Record<string, Handler> = {
  CAP: Registering.cap,
  ERROR: () => [],
  NICK: Registering.nick,
  PASS: Registering.pass,
  PING: ping,
  PONG: () => [],
  QUIT: quit,
  USER: Registering.user
}

const handlers: Record<string, Handler> = {
  ...early,
  ...Serving.handlers,
  AWAY: away,
  CHATHISTORY: chathistory,
  INVITE: invite,
  ISON: (client, params) =>
    params.length === 0 ? [lacking(client, "ISON")] : [ask({ _tag: "Ison", nicks: params.flatMap((text) => text.split(" ")).filter((one) => one !== "") })],
  JOIN: join,
  KICK: kick,
  LIST: list,
  MODE: mode,
  MONITOR: monitor,
  NAMES: (_client, params) => [ask({ _tag: "Names", rooms: Name.once(listed(params[0])) })],
  NOTICE: Talking.talk("notice"),
  PART: (client, params) => each(client, "PART", params[0], (room) => ({ _tag: "Part", room, ...reason(params[1]) })),
  PRIVMSG: Talking.talk("message"),
  SETNAME: (client, params) =>
    params[0] === undefined ? [lacking(client, "SETNAME")] : [{ _tag: "SetRealname", realname: Message.clean(params[0]) }],
  TAGMSG: Talking.hint,
  TOPIC: topic,
  USERHOST: (client, params) => params.length === 0 ? [lacking(client, "USERHOST")] : [ask({ _tag: "Userhost", nicks: params.slice(0, 5) })],
  WHO: who,
  WHOIS: whois,
  WHOWAS: whowas
}

/** Every command there is. */
export const commands: ReadonlyArray<string> = Object.keys(handlers)

/** What comes of a line. */
export const understand = (client: Client, message: Message.Message): Understood => {
  const { command, params } = message
  const known = client.stage === "new" ? early : handlers
  const handler = Object.hasOwn(known, command) ? known[command]! : undefined
  if (handler === undefined) {
    const why = client.stage === "new"
      ? numeric(client, "451", "You have not registered")
      : numeric(client, "421", command.slice(0, 64), "Unknown command")
    return { client, pieces: [why] }
  }
  const understood = handler(client, params, message)
  return "pieces" in understood ? understood : { client, pieces: understood }
}
