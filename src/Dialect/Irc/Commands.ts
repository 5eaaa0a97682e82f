/**
 * What IRC clients say, as commands, questions about the world and lines that need neither
 * (https://modern.ircdocs.horse/#client-messages). Knows who the client says it is, and no rules.
 */
import type { Command, Kind } from "../../Command.ts"
import type { Close } from "../../Dialect.ts"
import * as Name from "../../Name.ts"
import * as Text from "../../Text.ts"
import * as World from "../../World.ts"
import type { Asker, Question } from "./Answers.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Help from "./Help.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"

/** Who a client says it is, and what it negotiated. */
export interface Client extends Asker {
  /** The nick asked for, until it is granted. */
  readonly wanted: string | undefined
  readonly user: string | undefined
  readonly realname: string | undefined
  readonly password: string | undefined
  /** New, waiting to be let in, or in. */
  readonly stage: "new" | "asked" | "here"
  /** Between the first CAP and CAP END. */
  readonly negotiating: boolean
  /** Version of the negotiation, 302 or 0. */
  readonly version: number
  /** Keys of the rooms it is in. */
  readonly rooms: ReadonlySet<string>
}

/** What a fence carries round the ring. */
export type Token =
  | { readonly _tag: "Label"; readonly label: string }
  | { readonly _tag: "EndOfLabel" }
  | { readonly _tag: "Lines"; readonly lines: ReadonlyArray<string> }
  | { readonly _tag: "Hush"; readonly on: boolean }
  /** Until `Flush`, changes of modes are told as one line and the same refusal once. */
  | { readonly _tag: "Together" }
  | { readonly _tag: "Flush" }
  /** What to say where the next command is refused as erroneous. */
  | { readonly _tag: "Instead"; readonly line: string }

/** A part of what comes of a line, in order. */
export type Piece = string | Command | Close

export interface Understood {
  readonly client: Client
  readonly pieces: ReadonlyArray<Piece>
}

/** The most targets of one message. */
export const maxTargets = 4

type Handler = (client: Client, params: ReadonlyArray<string>, message: Message.Message) => Understood | ReadonlyArray<Piece>

const numeric = (client: Client, code: string, ...params: ReadonlyArray<string>): string =>
  Message.print(client.server, code, client.nick, ...params)

const lacking = (client: Client, command: string): string => numeric(client, "461", command, "Not enough parameters")

/** Questions that are answered by looking at everybody or every room, or with much; the others are a quarter of a message. */
const dear: ReadonlySet<Question["_tag"]> = new Set(["Info", "Links", "List", "Lusers", "Names", "Version", "Who", "Whowas"] as const)

const ask = (question: Question): Command => ({
  _tag: "Observe",
  question,
  cost: question._tag === "Pong" || question._tag === "Welcome" ? 0 : dear.has(question._tag) ? 1 : 0.25
})

const token = (value: Token): Command => ({ _tag: "Fence", token: value })

const listed = (text: string | undefined): ReadonlyArray<string> => (text ?? "").split(",").filter((part) => part !== "")

const isChannel = (name: string): boolean => name.startsWith("#")

const bare = Name.withoutHash

const noChannel = (client: Client, name: string): string => numeric(client, "403", name, "No such channel")

/** Only what clients may tell each other. */
const clientTags = (tags: Message.Message["tags"]): Record<string, string> | undefined => {
  let own: Record<string, string> | undefined
  for (const name in tags) if (name.startsWith("+")) (own ??= {})[name] = tags[name]!
  return own
}

// --- registering -----------------------------------------------------------------------------------------------------

/** Ask to be let in, once everything is said that must be said. */
const maybeArrive = (client: Client): Understood => {
  const { negotiating, password, realname, stage, user, wanted } = client
  if (stage !== "new" || negotiating || wanted === undefined || user === undefined) return { client, pieces: [] }
  return {
    client: { ...client, stage: "asked" },
    pieces: [
      { _tag: "Arrive", nick: wanted, user, realname: realname ?? wanted, password: password ?? "" },
      ask({ _tag: "Welcome" })
    ]
  }
}

const cap = (client: Client, params: ReadonlyArray<string>): Understood => {
  const [sub = "", text = ""] = params
  const say = (...words: ReadonlyArray<string>) => Message.print(client.server, "CAP", client.nick, ...words)
  const negotiating = client.stage === "here" ? client : { ...client, negotiating: true }
  switch (sub.toUpperCase()) {
    case "LS": {
      const version = Math.max(client.version, /^\d{1,5}$/.test(text) ? Number(text) : 0)
      const offered = Capabilities.names.map((name) => version >= 302 ? Capabilities.offered(name) : name)
      // Who asks for version 302 has cap-notify without asking.
      const caps = version >= 302 ? client.caps | Capabilities.bits["cap-notify"] : client.caps
      return { client: { ...negotiating, version, caps }, pieces: [`:${client.server} CAP ${client.nick} LS :${offered.join(" ")}\r\n`] }
    }
    case "LIST":
      return { client, pieces: [`:${client.server} CAP ${client.nick} LIST :${Capabilities.list(client.caps).join(" ")}\r\n`] }
    case "REQ": {
      const changed = Capabilities.change(client.caps, text)
      const words = `:${client.server} CAP ${client.nick} ${changed === undefined ? "NAK" : "ACK"} :${Message.clean(text)}\r\n`
      return { client: changed === undefined ? negotiating : { ...negotiating, caps: changed }, pieces: [words] }
    }
    case "END":
      return client.stage === "here" ? { client, pieces: [] } : maybeArrive({ ...client, negotiating: false })
    default:
      return { client, pieces: [say("410", sub || "*", "Invalid CAP subcommand").replace(` CAP ${client.nick} 410 `, ` 410 ${client.nick} `)] }
  }
}

const nick: Handler = (client, params) => {
  const [wanted = ""] = params
  if (wanted === "") return [numeric(client, "431", "No nickname given")]
  if (client.stage === "here") return [{ _tag: "SetNick", nick: wanted }]
  const problem = Name.nickProblem(wanted)
  if (problem !== undefined) return [numeric(client, "432", wanted, "Erroneous nickname")]
  if (client.stage === "asked") return []
  const next = maybeArrive({ ...client, wanted })
  return next.pieces.length > 0 ? next : { client: next.client, pieces: [ask({ _tag: "Taken", nick: wanted })] }
}

const user: Handler = (client, params) => {
  if (client.stage === "here" || client.user !== undefined) return [numeric(client, "462", "You may not reregister")]
  const [name = "", , , realname = ""] = params
  if (params.length < 4 || name === "" || realname === "") return [lacking(client, "USER")]
  const clean = name.replace(/[^A-Za-z0-9._-]/g, "").slice(0, World.limits.user - 1)
  return maybeArrive({ ...client, user: `~${clean === "" ? "user" : clean}`, realname })
}

// --- talking ---------------------------------------------------------------------------------------------------------

const ctcp = /^\u0001ACTION (.*?)\u0001?$/s

const spoken = (text: string, kind: Kind): { readonly text: string; readonly kind: Kind } => {
  const action = kind === "message" ? ctcp.exec(text)?.[1] : undefined
  return action === undefined ? { text, kind } : { text: action, kind: "action" }
}

const hushed = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> => [
  token({ _tag: "Hush", on: true }),
  ...pieces,
  token({ _tag: "Hush", on: false })
]

/** A target without a # is a person, whatever rooms there are; @ and + before it ask for those of a rank. */
const toRoom = /^[@+]*#/

/** PRIVMSG and NOTICE; nothing answers a notice, so that programs do not talk to each other for ever. */
const talk = (kind: "message" | "notice"): Handler => (client, params, message) => {
  const targets = listed(params[0])
  const text = Message.clean(params[1] ?? "")
  const refused = targets.length === 0
    ? numeric(client, "411", `No recipient given (${message.command})`)
    : text === ""
    ? numeric(client, "412", "No text to send")
    : targets.length > maxTargets
    ? numeric(client, "407", targets[0]!, `Too many targets, at most ${maxTargets}`)
    : undefined
  if (refused !== undefined) return kind === "notice" ? [] : [refused]
  const tags = clientTags(message.tags)
  const said = { ...spoken(text, kind), ...(tags === undefined ? {} : { tags }) }
  const pieces = [...new Set(targets)].map((target): Command =>
    toRoom.test(target) ? { _tag: "Say", target, ...said } : { _tag: "Whisper", nick: target, ...said }
  )
  return kind === "notice" ? hushed(pieces) : pieces
}

const tagmsg: Handler = (client, params, message) => {
  if (!Capabilities.has(client.caps, "message-tags")) return [numeric(client, "421", "TAGMSG", "Unknown command")]
  const targets = listed(params[0]).slice(0, maxTargets)
  const tags = clientTags(message.tags)
  if (targets.length === 0) return [lacking(client, "TAGMSG")]
  return tags === undefined ? [] : targets.map((target): Command => ({ _tag: "Hint", target, tags }))
}

// --- rooms -----------------------------------------------------------------------------------------------------------

const join: Handler = (client, params) => {
  if (params[0] === undefined || params[0] === "") return [lacking(client, "JOIN")]
  if (params[0] === "0") return [...client.rooms].map((room): Command => ({ _tag: "Part", room }))
  const keys = (params[1] ?? "").split(",")
  return listed(params[0]).flatMap((name, i): ReadonlyArray<Piece> => {
    if (!isChannel(name) || Name.roomProblem(bare(name)) !== undefined) return [noChannel(client, name)]
    if (client.rooms.has(Name.key(bare(name)))) return []
    const key = keys[i] ?? ""
    return [
      { _tag: "Join", room: bare(name), ...(key === "" ? {} : { key }) },
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
): ReadonlyArray<Piece> =>
  names === undefined || names === "" ? [lacking(client, command)] : listed(names).map((name) => isChannel(name) ? of(bare(name)) : noChannel(client, name))

const reason = (text: string | undefined) =>
  text === undefined || text === "" ? {} : { reason: Text.truncate(Message.clean(text), World.limits.reason) }

const kick: Handler = (client, params) => {
  const [rooms, nicks, why] = params
  if (nicks === undefined) return [lacking(client, "KICK")]
  const channels = listed(rooms)
  return listed(nicks).map((target, i): Piece => {
    const channel = channels.length === 1 ? channels[0]! : channels[i] ?? channels[0] ?? ""
    return isChannel(channel) ? { _tag: "Kick", room: bare(channel), nick: target, ...reason(why) } : noChannel(client, channel)
  })
}

const topic: Handler = (client, params) => {
  const [name, text] = params
  if (name === undefined || name === "") return [lacking(client, "TOPIC")]
  if (!isChannel(name)) return [noChannel(client, name)]
  return text === undefined
    ? [ask({ _tag: "Topic", room: name })]
    : [{ _tag: "SetTopic", room: bare(name), topic: Text.truncate(Message.clean(text), World.limits.topic) }]
}

/** Changes that are told as one line, and about which the same is not complained of twice. */
const together = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> =>
  pieces.length === 0 ? [] : [token({ _tag: "Together" }), ...pieces, token({ _tag: "Flush" })]

const userMode = (client: Client, target: string, letters: string | undefined): ReadonlyArray<Piece> => {
  if (Name.key(target) !== Name.key(client.nick)) return [ask({ _tag: "OthersModes", nick: target })]
  if (letters === undefined || letters === "") return [ask({ _tag: "OwnModes" })]
  const { commands, unknown } = Modes.parseOwn(letters)
  const pieces = together(commands)
  return unknown ? [...pieces, numeric(client, "501", "Unknown MODE flag")] : pieces
}

const mode: Handler = (client, params) => {
  const [target, ...rest] = params
  if (target === undefined || target === "") return [lacking(client, "MODE")]
  if (!isChannel(target)) return userMode(client, target, rest[0])
  if (rest.length === 0 || rest[0] === "") return [ask({ _tag: "Modes", room: target })]
  return together(Modes.parse(bare(target), rest).flatMap((asked): ReadonlyArray<Piece> => {
    if (asked._tag === "List") return [ask({ _tag: "Masks", room: target, list: asked.list })]
    const { amiss, command } = asked
    if (amiss === undefined) return [command]
    const { letter, param, why } = amiss
    const line = param === undefined ? numeric(client, "472", letter, why) : numeric(client, "696", target, letter, param, why)
    return [token({ _tag: "Instead", line }), command]
  }))
}

// --- the past --------------------------------------------------------------------------------------------------------

const failed = (client: Client, code: string, ...params: ReadonlyArray<string>): string =>
  Message.print(client.server, "FAIL", "CHATHISTORY", code, ...params)

/** `msgid=x` or `timestamp=x`. */
const mark = (text: string | undefined): { readonly id: string } | { readonly at: number } | undefined => {
  if (text === undefined) return undefined
  if (text.startsWith("msgid=") && text.length > 6) return { id: text.slice(6) }
  const at = text.startsWith("timestamp=") ? Date.parse(text.slice(10)) : Number.NaN
  return Number.isNaN(at) ? undefined : { at }
}

const chathistory: Handler = (client, params) => {
  const [given = "", target = "", ...rest] = params
  const sub = given.toUpperCase()
  if (sub === "TARGETS") {
    const batch = Capabilities.has(client.caps, "batch")
    return batch ? [`:${client.server} BATCH +targets draft/chathistory-targets\r\n`, `:${client.server} BATCH -targets\r\n`] : []
  }
  const wanted = rest[sub === "BETWEEN" ? 2 : 1]
  if (!["LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN"].includes(sub)) return [failed(client, "INVALID_PARAMS", given || "*", "Unknown subcommand")]
  if (wanted === undefined) return [failed(client, "NEED_MORE_PARAMS", sub, "Missing parameters")]
  const limit = /^\d{1,9}$/.test(wanted) ? Math.min(Number(wanted), World.limits.history) : Number.NaN
  if (Number.isNaN(limit)) return [failed(client, "INVALID_PARAMS", sub, wanted, "Invalid limit")]
  if (!isChannel(target)) return [failed(client, "INVALID_TARGET", sub, target || "*", "Messages could not be retrieved")]
  const first = mark(rest[0])
  const second = mark(rest[1])
  const latest = sub === "LATEST" && rest[0] === "*"
  if ((first === undefined && !latest) || (sub === "BETWEEN" && second === undefined)) {
    return [failed(client, "INVALID_PARAMS", sub, rest[0] ?? "*", "Invalid message reference")]
  }
  const history = { _tag: "Recollect", room: bare(target), limit } as const
  switch (sub) {
    case "LATEST":
      return [latest ? history : { ...history, after: first! }]
    case "BEFORE":
      return [{ ...history, before: first! }]
    case "AFTER":
      return [{ ...history, after: first!, earliest: true }]
    case "AROUND":
      return [{ ...history, around: first! }]
    default:
      return [{ ...history, after: first!, before: second!, earliest: true, between: true }]
  }
}

// --- everything else -------------------------------------------------------------------------------------------------

const monitor: Handler = (client, params) => {
  const nicks = listed(params[1])
  switch (params[0]) {
    case "+":
    case "-":
      if (nicks.length === 0) return [lacking(client, "MONITOR")]
      return [{ _tag: "Watch", nicks, on: params[0] === "+" }]
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
  return [ask({ _tag: "Whois", nicks: listed(nicks).slice(0, maxTargets), server })]
}

const whowas: Handler = (client, params) => {
  if (params[0] === undefined || params[0] === "") return [numeric(client, "431", "No nickname given")]
  const count = Number(params[1] ?? 0)
  return [ask({ _tag: "Whowas", nicks: listed(params[0]).slice(0, maxTargets), count: Number.isInteger(count) ? count : 0 })]
}

const help: Handler = (client, params) => {
  const subject = params[0] === undefined || params[0] === "" ? "*" : params[0].toUpperCase()
  const text = Help.of(subject)
  return text === undefined
    ? [numeric(client, "524", params[0]!, "No help available on this topic")]
    : text.map((line, i) => numeric(client, i === 0 ? "704" : "705", subject, line)).concat(numeric(client, "706", subject, "End of /HELP"))
}

/** A question that may be put to another server, of which there is none. */
const here = (at: number, question: Question): Handler => (client, params) => {
  const server = params[at]
  return server === undefined || server === "" || server.toLowerCase() === client.server.toLowerCase() || server === "*" || Name.key(server) === Name.key(client.nick)
    ? [ask(question)]
    : [numeric(client, "402", server, "No such server")]
}

const invite: Handler = (client, params) => {
  const [target, channel] = params
  if (target === undefined || target === "") return [ask({ _tag: "Invitations" })]
  if (channel === undefined) return [lacking(client, "INVITE")]
  return isChannel(channel) ? [{ _tag: "Invite", nick: target, room: bare(channel) }] : [noChannel(client, channel)]
}

const away: Handler = (_client, params) => [
  { _tag: "SetAway", ...(params[0] === undefined || params[0] === "" ? {} : { message: Text.truncate(Message.clean(params[0]), World.limits.reason) }) }
]

const oper: Handler = (client, params) => {
  const [name, password] = params
  return name === undefined || password === undefined ? [lacking(client, "OPER")] : [{ _tag: "Oper", name, password }]
}

const ping: Handler = (client, params) =>
  params[0] === undefined
    ? [lacking(client, "PING")]
    : params[0] === ""
    ? [numeric(client, "409", "No origin specified")]
    : [ask({ _tag: "Pong", params })]

const quit: Handler = (_client, params) => {
  const why = Message.clean(params[0] ?? "")
  const said = why === "" ? "Client Quit" : `Quit: ${Text.truncate(why, World.limits.reason - 6)}`
  return [{ _tag: "Close", bytes: Text.encode(`ERROR :Closing link: ${said}\r\n`), reason: said }]
}

/** What those who have not arrived may say. */
const early: Record<string, Handler> = {
  CAP: cap,
  NICK: nick,
  USER: user,
  PASS: (client, params) =>
    client.stage === "here"
      ? [numeric(client, "462", "You may not reregister")]
      : params[0] === undefined
      ? [lacking(client, "PASS")]
      : { client: { ...client, password: params[0] }, pieces: [] },
  PING: ping,
  PONG: () => [],
  QUIT: quit,
  ERROR: () => []
}

const handlers: Record<string, Handler> = {
  ...early,
  ADMIN: here(0, { _tag: "Admin" }),
  AWAY: away,
  CHATHISTORY: chathistory,
  DIE: () => [{ _tag: "Control", what: "die" }],
  HELP: help,
  HELPOP: help,
  INFO: here(0, { _tag: "Info" }),
  INVITE: invite,
  ISON: (client, params) =>
    params.length === 0 ? [lacking(client, "ISON")] : [ask({ _tag: "Ison", nicks: params.flatMap((text) => text.split(" ")).filter((one) => one !== "") })],
  JOIN: join,
  KICK: kick,
  KILL: (client, params) =>
    params[0] === undefined || params[1] === undefined ? [lacking(client, "KILL")] : [{ _tag: "Kill", nick: params[0], reason: Message.clean(params[1]) }],
  LINKS: (_client, params) => [ask({ _tag: "Links", mask: params[params.length - 1] ?? "*" })],
  LIST: (_client, params) => [ask({ _tag: "List", filters: listed(params[0]) })],
  LUSERS: here(1, { _tag: "Lusers" }),
  MODE: mode,
  MONITOR: monitor,
  MOTD: here(0, { _tag: "Motd" }),
  NAMES: (_client, params) => [ask({ _tag: "Names", rooms: listed(params[0]) })],
  NOTICE: talk("notice"),
  OPER: oper,
  PART: (client, params) => each(client, "PART", params[0], (room) => ({ _tag: "Part", room, ...reason(params[1]) })),
  PRIVMSG: talk("message"),
  REHASH: () => [{ _tag: "Control", what: "rehash" }],
  SETNAME: (client, params) =>
    params[0] === undefined ? [lacking(client, "SETNAME")] : [{ _tag: "SetRealname", realname: Message.clean(params[0]) }],
  STATS: (client, params) =>
    params[0]?.toLowerCase() === "u" ? [ask({ _tag: "Uptime" })] : [numeric(client, "219", params[0] ?? "*", "End of /STATS report")],
  TAGMSG: tagmsg,
  TIME: here(0, { _tag: "Time" }),
  TOPIC: topic,
  USERHOST: (client, params) => params.length === 0 ? [lacking(client, "USERHOST")] : [ask({ _tag: "Userhost", nicks: params.slice(0, 5) })],
  VERSION: here(0, { _tag: "Version" }),
  WALLOPS: (client, params) => params[0] === undefined ? [lacking(client, "WALLOPS")] : [{ _tag: "Wallop", text: Message.clean(params[0]) }],
  WHO: who,
  WHOIS: whois,
  WHOWAS: whowas
}

/** What comes of a line. */
export const understand = (client: Client, message: Message.Message): Understood => {
  const { command, params } = message
  const known = client.stage === "here" ? handlers : early
  const handler = Object.hasOwn(known, command) ? known[command]! : undefined
  if (handler === undefined) {
    return {
      client,
      pieces: [
        client.stage === "here"
          ? numeric(client, "421", command.slice(0, 64), "Unknown command")
          : numeric(client, "451", "You have not registered")
      ]
    }
  }
  const understood = handler(client, params, message)
  return "pieces" in understood ? understood : { client, pieces: understood }
}
