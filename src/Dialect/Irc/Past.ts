/**
 * CHATHISTORY: what was said in a room, by places in its log (https://ircv3.net/specs/extensions/chathistory).
 * Knows no rules: who may read what the world says.
 */
import * as World from "../../World.ts"
import * as Capabilities from "./Capabilities.ts"
import { bare, type Client, type Handler, isChannel, token } from "./Client.ts"
import * as Message from "./Message.ts"

/** How many places of the log each subcommand takes. */
const places: Record<string, number> = { AFTER: 1, AROUND: 1, BEFORE: 1, BETWEEN: 2, LATEST: 1 }

/** FAIL, as https://ircv3.net/specs/extensions/standard-replies has it. */
export const failed = (client: { readonly server: string }, code: string, ...params: ReadonlyArray<string>): string =>
  Message.print(client.server, "FAIL", "CHATHISTORY", code, ...params)

/** `msgid=x` or `timestamp=x`. */
const mark = (text: string | undefined): { readonly id: string } | { readonly at: number } | undefined => {
  if (text === undefined) return undefined
  if (text.startsWith("msgid=") && text.length > 6) return { id: text.slice(6) }
  const at = text.startsWith("timestamp=") ? Date.parse(text.slice(10)) : Number.NaN
  return Number.isNaN(at) ? undefined : { at }
}

/** Nobody's conversations are remembered but the rooms', which a client knows it is in. */
const targets = (client: Client): ReadonlyArray<string> =>
  Capabilities.has(client.caps, "batch")
    ? [`:${client.server} BATCH +targets draft/chathistory-targets\r\n`, `:${client.server} BATCH -targets\r\n`]
    : []

export const chathistory: Handler = (client, params) => {
  const [given = "", target = "", ...rest] = params
  const sub = given.toUpperCase()
  if (sub === "TARGETS") return targets(client)
  if (sub === "") return [failed(client, "NEED_MORE_PARAMS", "*", "Missing parameters")]
  const count = Object.hasOwn(places, sub) ? places[sub]! : undefined
  if (count === undefined) return [failed(client, "INVALID_PARAMS", given, "Unknown subcommand")]
  const wanted = rest[count]
  if (wanted === undefined) return [failed(client, "NEED_MORE_PARAMS", sub, "Missing parameters")]
  const limit = /^\d{1,9}$/.test(wanted) ? Math.min(Number(wanted), World.limits.history) : undefined
  if (limit === undefined) return [failed(client, "INVALID_PARAMS", sub, wanted, "Invalid limit")]
  if (!isChannel(target)) return [failed(client, "INVALID_TARGET", sub, target || "*", "Messages could not be retrieved")]
  const latest = sub === "LATEST" && rest[0] === "*"
  const marks = latest ? [] : rest.slice(0, count).map(mark)
  const wrong = marks.indexOf(undefined)
  if (wrong !== -1) return [failed(client, "INVALID_PARAMS", sub, rest[wrong] || "*", "Invalid message reference")]
  const [first, second] = marks as ReadonlyArray<NonNullable<ReturnType<typeof mark>>>
  const history = { _tag: "Recollect", room: bare(target), limit } as const
  const asking = token({ _tag: "Past", sub, target })
  switch (sub) {
    case "LATEST":
      return [asking, first === undefined ? history : { ...history, after: first }]
    case "BEFORE":
      return [asking, { ...history, before: first! }]
    case "AFTER":
      return [asking, { ...history, after: first!, earliest: true }]
    case "AROUND":
      return [asking, { ...history, around: first! }]
    default:
      return [asking, { ...history, after: first!, before: second!, earliest: true, between: true }]
  }
}
