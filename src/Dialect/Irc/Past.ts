/**
 * CHATHISTORY: what was said in a room or to somebody, by places in the log, and with draft/event-playback what else happened
 * there (https://ircv3.net/specs/extensions/chathistory).
 * Knows no rules: who may read what the world says.
 */
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import * as Capabilities from "./Capabilities.ts"
import { ask, type Client, type Handler, isChannel, type Piece, token, type Wanted } from "./Client.ts"
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

/** A room or a person, and when something was said there last, in milliseconds since 1970. */
export interface Target {
  readonly name: string
  readonly at: number
}

/** How many are asked for; never more than there may be. */
const limitOf = (text: string): number | undefined => /^\d{1,9}$/.test(text) ? Math.min(Number(text), World.limits.history) : undefined

/** Which of one's rooms were talked in last between two times. */
const targets = (client: Client, [from, to, most]: ReadonlyArray<string>): ReadonlyArray<Piece> => {
  const wrong = (what: string, why: string) => [failed(client, "INVALID_PARAMS", "TARGETS", what || "*", why)]
  if (from === undefined || to === undefined || most === undefined) return [failed(client, "INVALID_PARAMS", "TARGETS", "Insufficient parameters")]
  const [first, second] = [mark(from), mark(to)]
  if (first === undefined || "id" in first) return wrong(from, "Invalid timestamp")
  if (second === undefined || "id" in second) return wrong(to, "Invalid timestamp")
  const limit = limitOf(most)
  return limit === undefined
    ? wrong(most, "Invalid limit")
    : [token({ _tag: "Targets", wanted: { from: first.at, to: second.at, limit } }), { _tag: "Latest" }, ask({ _tag: "EndOfTargets" })]
}

/** Of so many with whom one whispered one is told when that was. */
const maxPeers = 100

/** Something was whispered with somebody: that is the latest now. */
export const whispered = (peers: ReadonlyArray<Target>, name: string, at: number): ReadonlyArray<Target> =>
  [...peers.filter((peer) => Name.key(peer.name) !== Name.key(name)).slice(1 - maxPeers), { name, at }]

/** The answer: those that are wanted, by when they were talked in last. */
export const targetLines = (client: { readonly server: string }, { from, limit, to }: Wanted, found: ReadonlyArray<Target>): ReadonlyArray<string> => {
  const [early, late] = from <= to ? [from, to] : [to, from]
  const fit = found.filter(({ at }) => at > early && at < late).toSorted((a, b) => a.at - b.at)
  const nearest = from <= to ? fit.slice(0, limit) : fit.slice(Math.max(0, fit.length - limit))
  return nearest.map(({ at, name }) => Message.print(client.server, "CHATHISTORY", "TARGETS", name, new Date(at).toISOString()))
}

export const chathistory: Handler = (client, params) => {
  const [given = "", target = "", ...rest] = params
  const sub = given.toUpperCase()
  if (sub === "TARGETS") return targets(client, params.slice(1))
  if (sub === "") return [failed(client, "INVALID_PARAMS", "*", "Insufficient parameters")]
  const count = Object.hasOwn(places, sub) ? places[sub]! : undefined
  if (count === undefined) return [failed(client, "INVALID_PARAMS", given, "Unknown command")]
  const wanted = rest[count]
  if (wanted === undefined) return [failed(client, "INVALID_PARAMS", sub, "Insufficient parameters")]
  const limit = limitOf(wanted)
  if (limit === undefined) return [failed(client, "INVALID_PARAMS", sub, wanted, "Invalid limit")]
  if (target === "") return [failed(client, "INVALID_TARGET", sub, "*", "Messages could not be retrieved")]
  const latest = sub === "LATEST" && rest[0] === "*"
  const marks = latest ? [] : rest.slice(0, count).map(mark)
  const wrong = marks.indexOf(undefined)
  if (wrong !== -1) return [failed(client, "INVALID_PARAMS", sub, rest[wrong] || "*", "Invalid message reference")]
  const [first, second] = marks as ReadonlyArray<NonNullable<ReturnType<typeof mark>>>
  const of = isChannel(target) ? { room: target } : { nick: target }
  const events = Capabilities.has(client.caps, "draft/event-playback") ? { events: true } : {}
  const history = { _tag: "Recollect", ...of, ...events, limit } as const
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
