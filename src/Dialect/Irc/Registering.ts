/**
 * How IRC clients come in: CAP, NICK, USER and PASS, in whatever order they say them, until there is enough to ask to be
 * let in (https://modern.ircdocs.horse/#connection-registration). Knows no rules: whether a nick is free the world says.
 */
import * as Name from "../../Name.ts"
import * as Text from "../../Text.ts"
import * as World from "../../World.ts"
import * as Capabilities from "./Capabilities.ts"
import { ask, type Client, type Handler, lacking, numeric, type Piece, token, type Understood } from "./Client.ts"
import * as Message from "./Message.ts"

/** The version of negotiation from which on capabilities have values, lists several lines, and changes are told. */
const versioned = 302

/** What a list of capabilities may be long in one line, in characters. */
const maxList = 400

const realname = (client: Client): string => Text.truncate(Message.clean(client.realname ?? ""), World.limits.realname)

/** Be let in under this nick. Who was let in as a person, for having been silent, becomes who it says it is. */
const arrival = (client: Client, nick: string): ReadonlyArray<Piece> => [
  ...(client.arrived
    ? [
      token({ _tag: "Hush", on: true }),
      { _tag: "Part", room: Name.lobby } as const,
      { _tag: "Introduce", user: client.user!, realname: realname(client) } as const,
      token({ _tag: "Hush", on: false }),
      { _tag: "SetNick", nick } as const
    ]
    : [{ _tag: "Arrive", nick, user: client.user!, realname: realname(client), password: client.password ?? "" } as const]),
  ask({ _tag: "Welcome" })
]

/** Ask to be let in, once everything is said that must be said. From then on everything may be said, as if it had been granted. */
const maybeArrive = (client: Client): Understood => {
  const { negotiating, stage, user, wanted } = client
  return stage !== "new" || negotiating || wanted === undefined || user === undefined
    ? { client, pieces: [] }
    : { client: { ...client, nick: wanted, stage: "asked" }, pieces: arrival(client, wanted) }
}

/** Capabilities as lines; all but the last are marked where the client understands that (https://ircv3.net/specs/extensions/capability-negotiation#multiline-replies-to-cap-ls-and-cap-list). */
const capLines = (client: Client, sub: "LS" | "LIST", names: ReadonlyArray<string>, version: number): ReadonlyArray<string> => {
  const lists = [""]
  for (const name of names) {
    const last = lists[lists.length - 1]!
    if (last === "") lists[lists.length - 1] = name
    else if (last.length + name.length < maxList) lists[lists.length - 1] = `${last} ${name}`
    else lists.push(name)
  }
  return lists.map((list, i) => {
    const more = version >= versioned && i < lists.length - 1 ? "* " : ""
    return `:${client.server} CAP ${client.nick} ${sub} ${more}:${list}\r\n`
  })
}

const capList = (client: Client, text: string): Understood => {
  const version = /^\d{1,5}$/.test(text) ? Number(text) : 0
  const names = Capabilities.names.map((name) => version >= versioned ? Capabilities.offered(name) : name)
  // Who asks for version 302 has cap-notify without asking.
  const caps = version >= versioned ? client.caps | Capabilities.bits["cap-notify"] : client.caps
  return { client: { ...client, version: Math.max(version, client.version), caps }, pieces: capLines(client, "LS", names, version) }
}

const capRequest = (client: Client, text: string): Understood => {
  const changed = Capabilities.change(client.caps, text, client.version >= versioned)
  const head = `:${client.server} CAP ${client.nick} ${changed === undefined ? "NAK" : "ACK"} :`
  return {
    client: changed === undefined ? client : { ...client, caps: changed },
    pieces: Message.lines(head, text).map((line) => line.replace(/ +\r\n$/, "\r\n"))
  }
}

export const cap: Handler = (client, params) => {
  const [sub = "", ...rest] = params
  if (sub === "") return [lacking(client, "CAP")]
  const negotiating = client.stage === "new" ? { ...client, negotiating: true } : client
  switch (sub.toUpperCase()) {
    case "LS":
      return capList(negotiating, rest[0] ?? "")
    case "LIST":
      return capLines(client, "LIST", Capabilities.list(client.caps), client.version)
    case "REQ":
      return capRequest(negotiating, rest.join(" "))
    case "END":
      return client.stage === "new" ? maybeArrive({ ...client, negotiating: false }) : []
    default:
      return [numeric(client, "410", sub, "Invalid CAP command")]
  }
}

export const nick: Handler = (client, params) => {
  const [wanted = ""] = params
  if (wanted === "") return [numeric(client, "431", "No nickname given")]
  if (client.stage === "here") return { client: { ...client, wanted }, pieces: [{ _tag: "SetNick", nick: wanted }] }
  if (Name.nickProblem(wanted) !== undefined) return [numeric(client, "432", wanted, "Erroneous nickname")]
  // Whether the first was granted is not known yet: if not this is another try, and if so a change.
  if (client.stage === "asked") return [...arrival(client, wanted), { _tag: "SetNick", nick: wanted }]
  const next = maybeArrive({ ...client, wanted })
  return next.pieces.length > 0 ? next : { client: next.client, pieces: [ask({ _tag: "Taken", nick: wanted })] }
}

/** A name that can stand in a mask, marked as what the client says of itself (https://modern.ircdocs.horse/#user-message). */
const userName = (name: string): string => {
  const clean = name.replace(/[^A-Za-z0-9._-]/g, "").slice(0, World.limits.user - 1)
  return `~${clean === "" ? "user" : clean}`
}

export const user: Handler = (client, params) => {
  if (client.stage !== "new" || client.user !== undefined) return [numeric(client, "462", "You may not reregister")]
  const [name = "", , , realname = ""] = params
  return name === "" || realname === "" ? [lacking(client, "USER")] : maybeArrive({ ...client, user: userName(name), realname })
}

export const pass: Handler = (client, params) =>
  client.stage !== "new"
    ? [numeric(client, "462", "You may not reregister")]
    : params[0] === undefined
    ? [lacking(client, "PASS")]
    : { client: { ...client, password: params[0] }, pieces: [] }
