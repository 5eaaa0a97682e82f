/**
 * What IRC clients ask of the server itself, and what its operators have it do
 * (https://modern.ircdocs.horse/#server-queries-and-commands, https://modern.ircdocs.horse/#operator-messages).
 * Knows neither the answers nor who is an operator.
 */
import * as Name from "../../Name.ts"
import * as Text from "../../Text.ts"
import * as World from "../../World.ts"
import type { Question } from "./Answers.ts"
import { ask, askAt, type Handler, lacking, numeric } from "./Client.ts"
import * as Help from "./Help.ts"
import * as Message from "./Message.ts"

/** A question to the server that is named by the parameter at this place, if any. */
const at = (index: number, question: Question): Handler => (client, params) => [askAt(client, params[index], question)]

/** Every line but the first and the last is text of the topic. */
const help: Handler = (client, params) => {
  const subject = params[0] === undefined || params[0] === "" ? "*" : params[0].toUpperCase()
  const text = Help.of(subject)
  if (text === undefined) return [numeric(client, "524", /^[!-~]+$/.test(params[0]!) ? params[0]! : "*", "No help available on this topic")]
  return text.map((line, i) => numeric(client, i === 0 ? "704" : i === text.length - 1 ? "706" : "705", subject, line))
}

const stats: Handler = (client, params, message) => {
  const [query = "", ...rest] = params
  if (query === "") return [lacking(client, "STATS")]
  return query.toLowerCase() === "u"
    ? at(0, { _tag: "Uptime" })(client, rest, message)
    : [numeric(client, "219", query, "End of /STATS report")]
}

const oper: Handler = (client, params) => {
  const [name = "", password] = params
  return name === "" || password === undefined ? [lacking(client, "OPER")] : [{ _tag: "Oper", name, password }]
}

const kill: Handler = (client, params) => {
  const [nick = "", why = ""] = params
  return nick === "" ? [lacking(client, "KILL")] : [{ _tag: "Kill", nick, reason: Message.clean(why) || "no reason given" }]
}

const wallops: Handler = (client, params) => {
  const text = Text.truncate(Message.clean(params[0] ?? ""), World.limits.reason)
  return text === "" ? [lacking(client, "WALLOPS")] : [{ _tag: "Wallop", text }]
}

/** Only for this server, by its own name if by any: whoever slips stops nothing. */
const die: Handler = (client, [server = ""]) =>
  server === "" || Name.key(server) === Name.key(client.server) ? [{ _tag: "Control", what: "die" }] : [numeric(client, "402", server, "No such server")]

/** By command. */
export const handlers: Record<string, Handler> = {
  ADMIN: at(0, { _tag: "Admin" }),
  DIE: die,
  HELP: help,
  HELPOP: help,
  INFO: at(0, { _tag: "Info" }),
  KILL: kill,
  LINKS: (_client, params) => [ask({ _tag: "Links", mask: params[params.length - 1] || "*" })],
  LUSERS: at(1, { _tag: "Lusers" }),
  MOTD: at(0, { _tag: "Motd" }),
  OPER: oper,
  REHASH: () => [{ _tag: "Control", what: "rehash" }],
  STATS: stats,
  TIME: at(0, { _tag: "Time" }),
  VERSION: at(0, { _tag: "Version" }),
  WALLOPS: wallops
}
