/**
 * How what happens reads to an IRC client with given capabilities: whole lines, tags and all. The same for everybody who
 * has the same capabilities, so it is shared. Knows no state.
 */
import { type Rendered, type Rendering, sheet, type Stamp } from "../../Dialect.ts"
import type { Entry, Fact } from "../../Event.ts"
import * as Name from "../../Name.ts"
import type { Sheet } from "../../Sheet.ts"
import * as Text from "../../Text.ts"
import { type Set, has } from "./Capabilities.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"

export const actionHead = "\u0001ACTION "
export const actionTail = "\u0001"

const source = (nick: string, from: string | undefined): string => Message.word(from === undefined ? nick : `${nick}!${from}`)

let lastAt = NaN
let lastTime = ""

/** A time as a tag has it; what happens in one turn of the hub has the same. */
const time = (at: number): string => {
  if (at !== lastAt) {
    lastTime = new Date(at).toISOString()
    lastAt = at
  }
  return lastTime
}

/** Tags of a message, with a space behind them, where the client wants them. */
export const tags = (
  caps: Set,
  stamp: Pick<Stamp, "at" | "id" | "bot">,
  client?: Readonly<Record<string, string>>
): string => {
  const wanted = has(caps, "message-tags")
  if (!wanted && !has(caps, "server-time")) return ""
  let out = has(caps, "server-time") ? `@time=${time(stamp.at)}` : ""
  if (wanted) {
    if (stamp.id !== "") out += `${out === "" ? "@" : ";"}msgid=${stamp.id}`
    if (stamp.bot === true) out += `${out === "" ? "@" : ";"}bot`
    if (client !== undefined) {
      const own = Message.printTags(client)
      // Those that are too long once they are escaped are no client's.
      if (own !== "" && Text.byteLength(own) <= Message.maxTags) out += `${out === "" ? "@" : ";"}${own.slice(1, -1)}`
    }
  }
  return out === "" ? "" : `${out} `
}

const commands = { message: "PRIVMSG", action: "PRIVMSG", notice: "NOTICE" } as const

/** Something said, to a channel or to a person. */
export const said = (
  caps: Set,
  stamp: Omit<Stamp, "mine">,
  nick: string,
  target: string,
  event: Fact & ({ _tag: "Said" } | { _tag: "Whispered" })
): string => {
  const { kind } = event
  const head = `:${source(nick, stamp.from)} ${commands[kind]} ${target} :${kind === "action" ? actionHead : ""}`
  const [first = "", ...rest] = Message.lines(head, event.text, kind === "action" ? actionTail : "")
  const line = tags(caps, stamp, event.tags) + first
  return rest.length === 0 ? line : line + rest.map((one) => tags(caps, { ...stamp, id: "" }) + one).join("")
}

const channel = (event: { readonly room?: string; readonly only?: string }): string =>
  (event.only === undefined ? "" : event.only === "voice" ? "+" : "@") + Message.word(Name.withHash(event.room!))

/** Changes of the modes of a channel, or of one's own: one line, or as many as they take. */
export const mode = (caps: Set, stamp: Omit<Stamp, "mine">, by: string, target: string, changes: ReadonlyArray<Modes.Change>): string => {
  const from = source(by, stamp.from)
  return Modes.parts(changes, Message.maxLine - 2 - `:${from} MODE ${target} `.length).map((part, i) =>
    tags(caps, i === 0 ? stamp : { ...stamp, id: "" }) + Message.print(from, "MODE", target, ...Modes.print(part))
  ).join("")
}

/** What happened as a client reads it; nothing where it is not told of such things. Those that have words of their own are private. */
export const event = (caps: Set, event: Fact, stamp: Omit<Stamp, "mine">): string => {
  const line = (nick: string, command: string, ...params: ReadonlyArray<string>): string =>
    tags(caps, stamp) + Message.print(source(nick, stamp.from), command, ...params)
  // An id is that of one line (https://ircv3.net/specs/extensions/message-ids).
  const further = (): Omit<Stamp, "mine"> => ({ ...stamp, id: "" })
  switch (event._tag) {
    case "Said":
      return said(caps, stamp, event.nick, channel(event), event)
    case "Passed":
      return Text.readable(event.bytes).split(/\r?\n/).filter((text) => text.trim() !== "").map((text, i) =>
        said(caps, i === 0 ? stamp : further(), event.nick, channel(event), { _tag: "Said", room: event.room, nick: event.nick, text, kind: "message" })
      ).join("")
    case "Whispered":
      return said(caps, stamp, event.nick, Message.word(event.to), event)
    case "Hinted":
      return has(caps, "message-tags")
        ? tags(caps, stamp, event.tags) + `:${source(event.nick, stamp.from)} TAGMSG ${event.to === undefined ? channel(event) : Message.word(event.to)}\r\n`
        : ""
    case "Renamed":
      return line(event.nick, "NICK", event.to)
    case "Joined":
      return (has(caps, "extended-join")
        ? tags(caps, stamp) + `:${source(event.nick, stamp.from)} JOIN ${channel(event)} * :${Message.clean(event.realname ?? event.nick)}\r\n`
        : line(event.nick, "JOIN", channel(event)))
        + (event.away !== undefined && has(caps, "away-notify")
          ? tags(caps, further()) + Message.print(source(event.nick, stamp.from), "AWAY", event.away)
          : "")
    case "Left":
      return event.reason === undefined ? line(event.nick, "PART", channel(event)) : line(event.nick, "PART", channel(event), event.reason)
    case "Quit":
      return line(event.nick, "QUIT", event.reason)
    case "Kicked":
      return line(event.by, "KICK", channel(event), event.nick, event.reason ?? event.by)
    case "TopicSet":
      return line(event.nick, "TOPIC", channel(event), event.topic)
    case "RankSet":
    case "ModeratedSet":
    case "FlagSet":
    case "KeySet":
    case "LimitSet":
    case "MaskSet":
      return mode(caps, stamp, event.by, Name.withHash(event.room), Modes.changes(event))
    case "AwaySet":
      return !has(caps, "away-notify")
        ? ""
        : event.message === undefined
        ? line(event.nick, "AWAY")
        : line(event.nick, "AWAY", event.message)
    case "RealnameSet":
      return has(caps, "setname") ? line(event.nick, "SETNAME", event.realname) : ""
    case "Invited":
      return line(event.by, "INVITE", event.nick, channel(event))
    case "Walloped":
      return line(event.nick, "WALLOPS", event.text)
    case "Arrived":
    case "TraitSet":
    case "Opered":
    case "Restarted":
    case "Watched":
      return ""
  }
}

/** How many entries from `start` on are changes of modes that were made together. */
const grouped = (entries: ReadonlyArray<Entry>, start: number): number => {
  let end = start
  while (end < entries.length - 1 && entries[end]!.more === true) end++
  return Modes.changes(entries[start]!.event).length === 0 ? 0 : end - start + 1
}

/** Printable ASCII without a space. */
const unspaced = 0x21

/** Adds the bytes of what was said, where it is plain and goes into one line: as `event` has it, without making a text first. */
const quick = (caps: Set, entry: Entry, sheet: Sheet): boolean => {
  const { event, from } = entry
  if (event._tag !== "Said" || event.kind !== "message" || event.only !== undefined || event.tags !== undefined) return false
  if (event.nick === "" || event.nick.startsWith(":")) return false
  const stamped = tags(caps, entry)
  if (stamped !== "" && !sheet.plain(stamped)) return false
  const start = sheet.length
  sheet.plain(":")
  if (!sheet.plain(event.nick, unspaced)) return false
  if (from !== undefined && !(sheet.plain("!") && sheet.plain(from, unspaced))) return false
  sheet.plain(" PRIVMSG #")
  if (!sheet.plain(event.room, unspaced)) return false
  sheet.plain(" :")
  if (!sheet.plain(event.text)) return false
  sheet.plain("\r\n", 0)
  return sheet.length - start <= Message.maxLine
}

const render = (caps: Set, entries: ReadonlyArray<Entry>): Rendered => {
  const ends: Array<number> = []
  sheet.clear()
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!
    const before = sheet.length
    if (!quick(caps, entry, sheet)) {
      sheet.length = before
      const count = entry.event._tag === "Said" ? 0 : grouped(entries, i)
      if (count > 1) {
        const fact = entry.event as Fact & { _tag: "RankSet" }
        const changes = entries.slice(i, i + count).flatMap((one) => Modes.changes(one.event))
        sheet.text(mode(caps, entries[i + count - 1]!, fact.by, Name.withHash(fact.room), changes))
        for (let j = 1; j < count; j++) ends.push(-1)
        i += count - 1
      } else sheet.text(event(caps, entry.event, entry))
    }
    ends.push(sheet.length)
  }
  return { bytes: sheet.taken(), ends }
}

const renderings = new Map<Set, Rendering>()

/** How a room's events look to clients with these capabilities. */
export const rendering = (caps: Set): Rendering => {
  let found = renderings.get(caps)
  if (found === undefined) renderings.set(caps, found = { render: (entries) => render(caps, entries) })
  return found
}
