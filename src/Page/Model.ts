/**
 * What the page knows: conversations, who is in them, what was said, what was not read yet; and how it changes by what the
 * server tells. A value and pure functions: knows no connection and no elements.
 */
import type { Rank } from "../Command.ts"
import type { Message } from "../Event.ts"

/** One line of a conversation. Without a sequence number it is the page's own. */
export interface Line {
  readonly key: string
  readonly seq: number | undefined
  readonly at: string
  readonly nick: string
  readonly text: string
  readonly kind: "message" | "action" | "notice" | "event" | "divider"
  readonly mine: boolean
  readonly mentions: boolean
}

export interface Member {
  readonly nick: string
  readonly rank: Rank
  readonly away: boolean
}

/** A room, or a person one talks to alone. */
export interface Conversation {
  /** `#lobby`, or a nick's key. */
  readonly id: string
  readonly name: string
  readonly topic: string
  readonly members: ReadonlyMap<string, Member>
  readonly lines: ReadonlyArray<Line>
  readonly unread: number
  readonly mentions: number
  /**
   * Not come in yet, so that what is told is from before; in; in until the connection was lost, so that what is told is what
   * was missed; or put out, or not let in. A person is always `in`.
   */
  readonly stage: "new" | "in" | "cut" | "out"
  /** The newest sequence number up to which everything was told here: where to go on after a lost connection. */
  readonly last: number | undefined
  /** Nothing older is known to the server. */
  readonly whole: boolean
  /** Older lines were asked for and have not come. */
  readonly asked: boolean
}

export interface Model {
  readonly nick: string
  readonly server: string
  readonly epoch: string | undefined
  /** The newest sequence number told on this connection; what is told later and happened before is past. */
  readonly newest: number
  readonly current: string
  readonly conversations: ReadonlyMap<string, Conversation>
  /** The page is in front of somebody. */
  readonly seen: boolean
  /** Older lines are looked at, in the conversation that is open. */
  readonly reads: boolean
  readonly away: boolean
  /** How many lines were made, to tell them apart. */
  readonly made: number
}

// By themselves, so that the Schemas stay out of the page.
export const runs = (rank: Rank): boolean => rank === "operator" || rank === "voiced operator"
export const voiced = (rank: Rank): boolean => rank === "voice" || rank === "voiced operator"

/** Most lines of a conversation that are kept. */
export const maxLines = 2000
/** And of one in which older lines are looked at: what somebody reads is not to vanish under their eyes. */
export const maxRead = 10 * maxLines

export const keyOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
export const roomId = (room: string): string => `#${keyOf(room)}`
export const isRoom = (id: string): boolean => id.startsWith("#")

export const start: Model = {
  nick: "",
  server: "",
  epoch: undefined,
  newest: 0,
  current: "#lobby",
  conversations: new Map(),
  seen: true,
  reads: false,
  away: false,
  made: 0
}

const empty = (id: string, name: string): Conversation => ({
  id,
  name,
  topic: "",
  members: new Map(),
  lines: [],
  unread: 0,
  mentions: 0,
  stage: isRoom(id) ? "new" : "in",
  last: undefined,
  whole: !isRoom(id),
  asked: false
})

const change = (model: Model, id: string, name: string, to: (of: Conversation) => Conversation): Model => ({
  ...model,
  conversations: new Map(model.conversations).set(id, to(model.conversations.get(id) ?? empty(id, name)))
})

const withoutConversation = (model: Model, id: string): Model => {
  const conversations = new Map(model.conversations)
  conversations.delete(id)
  const left = { ...model, conversations }
  if (model.current !== id) return left
  const next = conversations.values().next().value
  return next === undefined ? { ...left, current: "" } : turnTo(left, next.id, next.name)
}

/** Turn to a conversation: what is in it counts as read. */
export const turnTo = (model: Model, id: string, name = id.replace(/^#/, "")): Model =>
  change({ ...model, current: id }, id, name, (of) => ({ ...of, unread: 0, mentions: 0 }))

/** A room that one asks to come into is there before it is answered. */
export const expect = (model: Model, id: string): Model => model.conversations.has(id) ? model : change(model, id, id.slice(1), (of) => of)

/** Older lines of the conversation that is open are looked at, or the newest again. */
export const read = (model: Model, reads: boolean): Model => ({ ...model, reads })

/** Somebody looks at the page, or does not. */
export const look = (model: Model, seen: boolean): Model =>
  seen && model.conversations.has(model.current) ? turnTo({ ...model, seen }, model.current, model.conversations.get(model.current)!.name) : { ...model, seen }

export const close = withoutConversation

const word = (nick: string): RegExp => new RegExp(`(^|[^\\p{L}\\d_])${nick.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}($|[^\\p{L}\\d_-])`, "iu")

const mentionsMe = (model: Model, text: string): boolean => model.nick !== "" && word(model.nick).test(text)

interface Told {
  readonly seq?: number | undefined
  readonly at?: string | undefined
  readonly nick: string
  readonly text: string
  readonly kind: Line["kind"]
}

/** The lines with this one where its number belongs; `undefined` when it is there. */
const insert = (lines: ReadonlyArray<Line>, line: Line): ReadonlyArray<Line> | undefined => {
  let at = lines.length
  if (line.seq !== undefined) {
    for (let i = lines.length - 1; i >= 0; i--) {
      const { seq } = lines[i]!
      if (seq === line.seq) return undefined
      if (seq !== undefined && seq < line.seq) break
      if (seq !== undefined) at = i
    }
  }
  return at === lines.length ? [...lines, line] : [...lines.slice(0, at), line, ...lines.slice(at)]
}

const put = (model: Model, id: string, name: string, told: Told, counts: boolean): Model => {
  const before = model.conversations.get(id) ?? empty(id, name)
  const mine = keyOf(told.nick) === keyOf(model.nick)
  const mentions = counts && !mine && (!isRoom(id) || mentionsMe(model, told.text))
  const line: Line = {
    key: told.seq === undefined ? `x${model.made}` : `s${told.seq}`,
    seq: told.seq,
    at: told.at ?? "",
    nick: told.nick,
    text: told.text,
    kind: told.kind,
    mine,
    mentions
  }
  const lines = insert(before.lines, line)
  if (lines === undefined) return change(model, id, name, (of) => ({ ...of, last: upTo(of, told.seq) }))
  const most = model.reads && model.current === id ? maxRead : maxLines
  const unread = counts && !mine && before.stage !== "new" && !(model.seen && model.current === id)
  return change({ ...model, made: model.made + 1 }, id, name, (of) => ({
    ...of,
    lines: lines.slice(-most),
    whole: of.whole && lines.length <= most,
    unread: of.unread + (unread ? 1 : 0),
    mentions: of.mentions + (unread && mentions ? 1 : 0),
    last: upTo(of, told.seq)
  }))
}

const upTo = ({ last }: Conversation, seq: number | undefined): number | undefined => seq === undefined ? last : Math.max(last ?? 0, seq)

/** A line of the page's own in a conversation, or in the one that is open. */
export const remark = (model: Model, text: string, id = model.current === "" ? "#lobby" : model.current): Model =>
  put(model, id, id.replace(/^#/, ""), { nick: "", text, kind: "event", at: "" }, false)

const withMember = (of: Conversation, member: Member): Conversation => ({ ...of, members: new Map(of.members).set(keyOf(member.nick), member) })

const withoutMember = (of: Conversation, nick: string): Conversation => {
  const members = new Map(of.members)
  members.delete(keyOf(nick))
  return { ...of, members }
}

const everywhere = (model: Model, to: (of: Conversation, model: Model) => Conversation | undefined): Model => {
  let next = model
  for (const of of model.conversations.values()) {
    const changed = to(of, next)
    if (changed !== undefined) next = { ...next, conversations: new Map(next.conversations).set(of.id, changed) }
  }
  return next
}

const because = (reason: string | undefined): string => reason === undefined || reason === "" ? "" : ` (${reason})`

const event = (model: Model, message: Message & { readonly room: string }, text: string, kind: "event" | "divider" = "event"): Model =>
  put(model, roomId(message.room), message.room, { ...("seq" in message ? { seq: message.seq, at: message.at } : {}), nick: "", text, kind }, false)

/** Something that happened in several rooms: told in all of them, though only those one is in have heard all before it. */
const eventIn = (model: Model, of: Conversation, message: Message, text: string, kind: "event" | "divider" = "event"): Model => {
  const told = event(model, { ...message, room: of.name } as never, text, kind)
  return of.stage === "in" ? told : change(told, of.id, of.name, (now) => ({ ...now, last: of.last }))
}

const isMe = (model: Model, nick: string): boolean => keyOf(nick) === keyOf(model.nick)

/** What was missed in one room is nothing new in another that one has already come back to. */
const isKnown = ({ stage }: Conversation, past: boolean): boolean => past && stage === "in"

/** A person one talks to alone is called otherwise: it is the same conversation, unless there is one of that name. */
const renamedAlone = (model: Model, nick: string, to: string): Model => {
  const [from, id] = [keyOf(nick), keyOf(to)]
  const of = model.conversations.get(from)
  if (of === undefined || (id !== from && model.conversations.has(id))) return model
  const all = [...model.conversations].map(([key, one]) => key === from ? [id, { ...one, id, name: to }] as const : [key, one] as const)
  return { ...model, conversations: new Map(all), current: model.current === from ? id : model.current }
}

const renamed = (model: Model, message: Message & { _tag: "Renamed" }, past: boolean): Model => {
  const { nick, to } = message
  let next = !past && isMe(model, nick) ? { ...model, nick: to } : model
  for (const of of model.conversations.values()) {
    const member = of.members.get(keyOf(nick))
    if (!isRoom(of.id) || member === undefined || isKnown(of, past)) continue
    next = change(eventIn(next, of, message, `${nick} is now ${to}`), of.id, of.name, (now) => withMember(withoutMember(now, nick), { ...member, nick: to }))
  }
  return renamedAlone(next, nick, to)
}

const quit = (model: Model, message: Message & { _tag: "Quit" }, past: boolean): Model => {
  let next = model
  const named = new Set(message.rooms.map(roomId))
  for (const of of model.conversations.values()) {
    // One that is secret is not named.
    if (!isRoom(of.id) || isKnown(of, past) || !(named.has(of.id) || of.members.has(keyOf(message.nick)))) continue
    // When the server closes all leave: that it began again says so in one line.
    const told = message.closing === true ? next : eventIn(next, of, message, `${message.nick} left${because(message.reason)}`)
    next = change(told, of.id, of.name, (now) => withoutMember(now, message.nick))
  }
  return next
}

/** What was found stands between two lines of the page's own, and is no part of the conversation. */
const found = (model: Model, message: Message & { _tag: "Recalled" }): Model => {
  const id = roomId(message.room)
  const own = (next: Model, told: Told): Model => put(next, id, message.room, { ...told, seq: undefined }, false)
  const rule = (text: string): Told => ({ nick: "", text, kind: "divider" })
  const said = message.entries.flatMap((entry) => entry._tag === "Said" ? [entry] : [])
  const words = JSON.stringify(message.words)
  if (said.length === 0) return own(model, rule(`nothing was found with ${words}`))
  const all = message.complete ? `all that was found with ${words}` : `the last that was found with ${words}`
  return own(said.reduce(own, own(model, rule(all))), rule("end of what was found"))
}

const recalled = (model: Model, message: Message & { _tag: "Recalled" }): Model => {
  const id = roomId(message.room)
  const known = new Set(model.conversations.get(id)?.lines.map((line) => line.seq))
  const older: Array<Line & { readonly seq: number }> = []
  for (const entry of message.entries) {
    if (entry._tag !== "Said" || entry.seq === undefined || known.has(entry.seq)) continue
    known.add(entry.seq)
    const mine = isMe(model, entry.nick)
    older.push({
      key: `s${entry.seq}`,
      seq: entry.seq,
      at: entry.at ?? "",
      nick: entry.nick,
      text: entry.text,
      kind: entry.kind,
      mine,
      mentions: !mine && mentionsMe(model, entry.text)
    })
  }
  older.sort((a, b) => a.seq - b.seq)
  return change(model, id, message.room, (of) => {
    const lines: Array<Line> = []
    let next = 0
    for (const line of of.lines) {
      if (line.seq !== undefined) { while (next < older.length && older[next]!.seq < line.seq) lines.push(older[next++]!) }
      lines.push(line)
    }
    return { ...of, lines: [...lines, ...older.slice(next)], whole: message.entries.length === 0, asked: false }
  })
}

/** A new connection: what comes next in each room is what was missed, where the server's log is still the one it was. */
const welcomed = (model: Model, message: Message & { _tag: "Welcome" }): Model => {
  const same = model.epoch === undefined || model.epoch === message.epoch
  let { made } = model
  const again = (of: Conversation): Conversation =>
    same
      ? { ...of, asked: false, stage: of.stage === "in" && isRoom(of.id) ? "cut" : of.stage }
      : {
        ...of,
        // The same numbers will mean something else.
        lines: of.lines.map((line) => line.seq === undefined ? line : { ...line, key: `x${made++}`, seq: undefined }),
        last: undefined,
        whole: !isRoom(of.id),
        asked: false,
        stage: of.stage === "out" || !isRoom(of.id) ? of.stage : "new"
      }
  const conversations = new Map([...model.conversations].map(([id, of]) => [id, again(of)]))
  return { ...model, nick: message.nick, server: message.server, epoch: message.epoch, newest: 0, away: false, conversations, made }
}

/** Older lines of a room were asked for. */
export const asking = (model: Model, id: string): Model => change(model, id, id, (of) => ({ ...of, asked: true }))

const flags: Record<string, string> = {
  "invite-only": "for the invited only",
  secret: "secret",
  "topic-locked": "one whose topic operators set",
  "members-only": "for members' words only",
  "no-ctcp": "closed to client requests"
}

const names = (nicks: ReadonlyArray<string>): string => nicks.length > 3 ? `${nicks.slice(0, 3).join(", ")} and ${nicks.length - 3} others` : nicks.join(", ")

/** Many came and went at once: everybody as they were before, so that two may have taken each other's nicks. */
const crowd = (model: Model, message: Message & { _tag: "Crowd" }): Model => {
  const { again, away, joined, left, renamed } = message
  const said = [
    joined.length > 0 ? `${names(joined)} joined` : "",
    left.length > 0 ? `${names(left)} left` : "",
    ...renamed.slice(0, 3).map(({ nick, to }) => `${nick} is now ${to}`),
    renamed.length > 3 ? `${renamed.length - 3} others are called otherwise` : ""
  ].filter((part) => part !== "").join("; ")
  const told = change(said === "" ? model : event(model, message, said), roomId(message.room), message.room, (of) => {
    const members = new Map(of.members)
    for (const nick of left) members.delete(keyOf(nick))
    const known = renamed.flatMap(({ nick, to }) => {
      const member = of.members.get(keyOf(nick))
      return member === undefined ? [] : [{ ...member, nick: to }]
    })
    for (const { nick } of renamed) members.delete(keyOf(nick))
    for (const member of [...known, ...[...joined, ...again].map((nick): Member => ({ nick, rank: "member", away: away.includes(nick) }))]) members.set(keyOf(member.nick), member)
    return { ...of, members, last: upTo(of, message.seq) }
  })
  return renamed.reduce((next, { nick, to }) => renamedAlone(next, nick, to), told)
}

/** The model after what the server told. */
export const tell = (model: Model, message: Message): Model => {
  const seq = "seq" in message ? message.seq : undefined
  const past = seq !== undefined && seq <= model.newest
  const told = after(model, message, past)
  return seq === undefined || past ? told : { ...told, newest: seq }
}

const rankSet = ({ by, cause, nick, rank }: Message & { _tag: "RankSet" }): string =>
  cause === "returned"
    ? `${nick} is ${rank} again`
    : cause === "remaining"
    ? `${nick} is ${rank} now, for nobody who ran the room came back`
    : `${by} made ${nick} ${rank}`

/** The server began again: everybody who was in a room until the connection was lost has left it. */
const restarted = (model: Model, message: Message & { _tag: "Restarted" }): Model => {
  let next = model
  for (const of of model.conversations.values()) {
    if (of.stage === "cut") next = eventIn(next, of, message, "the server began again", "divider")
  }
  return next
}

const after = (model: Model, message: Message, past: boolean): Model => {
  switch (message._tag) {
    case "Welcome":
      return welcomed(model, message)
    case "Said":
      return put(model, roomId(message.room), message.room, message, true)
    case "Passed":
      return event(model, message, `${message.nick} passed on ${message.bytes.length} bytes`)
    case "Whispered": {
      const other = isMe(model, message.nick) ? message.to : message.nick
      return change(put(model, keyOf(other), other, message, true), keyOf(other), other, (of) => ({ ...of, name: other }))
    }
    case "Joined": {
      const id = roomId(message.room)
      const mine = isMe(model, message.nick)
      const told = mine ? model : event(model, message, `${message.nick} joined`)
      return change(told, id, message.room, (of) => ({
        ...withMember(of, { nick: message.nick, rank: "member", away: message.away !== undefined }),
        name: message.room,
        last: upTo(of, message.seq),
        stage: mine && !past ? "in" : of.stage
      }))
    }
    case "Left": {
      const id = roomId(message.room)
      const of = model.conversations.get(id)
      if (of === undefined) return model
      // What somebody of that name did before one came back is not one's own doing.
      return isMe(model, message.nick) && of.stage === "in"
        ? withoutConversation(model, id)
        : change(event(model, message, `${message.nick} left${because(message.reason)}`), id, message.room, (now) => withoutMember(now, message.nick))
    }
    case "Kicked": {
      const id = roomId(message.room)
      const said = `${message.nick} was kicked by ${message.by}${because(message.reason)}`
      return change(event(model, message, said), id, message.room, (of) => ({
        ...withoutMember(of, message.nick),
        stage: isMe(model, message.nick) && of.stage === "in" ? "out" : of.stage
      }))
    }
    case "Quit":
      return quit(model, message, past)
    case "Renamed":
      return renamed(model, message, past)
    case "Restarted":
      return restarted(model, message)
    case "Crowd":
      return crowd(model, message)
    case "TopicSet": {
      const said = message.topic === "" ? `${message.nick} cleared the topic` : `${message.nick} changed the topic to: ${message.topic}`
      return change(event(model, message, said), roomId(message.room), message.room, (of) => ({ ...of, topic: message.topic }))
    }
    case "RankSet":
      return change(event(model, message, rankSet(message)), roomId(message.room), message.room, (of) => {
        const member = of.members.get(keyOf(message.nick))
        return member === undefined ? of : withMember(of, { ...member, rank: message.rank })
      })
    case "ModeratedSet":
      return event(model, message, `${message.by} ${message.moderated ? "made the room moderated" : "ended the moderation"}`)
    case "FlagSet":
      return event(model, message, `${message.by} made the room ${message.on ? "" : "not "}${flags[message.flag] ?? message.flag}`)
    case "KeySet":
      return event(model, message, `${message.by} ${message.key === undefined ? "took the key off" : "put a key on"} the room`)
    case "LimitSet":
      return event(model, message, message.limit === undefined ? `${message.by} took the limit off` : `${message.by} lets ${message.limit} in`)
    case "MaskSet":
      return event(model, message, `${message.by} ${message.on ? "put" : "took"} ${message.mask} ${message.on ? "on" : "off"} the list of ${message.list}s`)
    case "Invited":
      return remark(model, `${message.by} invited ${message.nick} to #${message.room}`)
    case "AwaySet":
      // Who is there, and how, is told anew to whoever comes back.
      return past ? model : everywhere(isMe(model, message.nick) ? { ...model, away: message.message !== undefined } : model, (of) => {
        const member = of.members.get(keyOf(message.nick))
        return member === undefined ? undefined : withMember(of, { ...member, away: message.message !== undefined })
      })
    case "RoomInfo":
      return change(model, roomId(message.room), message.room, (of) => ({ ...of, name: message.room, topic: message.topic }))
    case "Members":
      return change(model, roomId(message.room), message.room, (of) => ({
        ...of,
        members: new Map(message.members.map((member) => [keyOf(member.nick), member]))
      }))
    case "Recalled":
      return message.words === undefined ? recalled(model, message) : found(model, message)
    case "Rooms":
      return remark(model, message.rooms.map((room) => `#${room.room}: ${room.members} there${room.topic === "" ? "" : `: ${room.topic}`}`).join("\n"))
    case "Person":
      return remark(model, `${message.nick} speaks ${message.dialect}, in ${message.rooms.map((room) => `#${room}`).join(" ") || "no room"}${message.away === undefined ? "" : `, away: ${message.away}`}`)
    case "Refused": {
      const id = message.room === undefined ? undefined : roomId(message.room)
      const of = id === undefined ? undefined : model.conversations.get(id)
      if (of === undefined) return message.command === "Part" ? model : remark(model, message.reason)
      // Without a code it could not be kept, and who has not arrived is let into no room yet.
      const isOut = of.stage !== "in" && message.code !== undefined && message.code !== "not-arrived"
      if (isOut && message.command === "Part") return withoutConversation(model, of.id)
      return remark(change(model, of.id, of.name, (now) => ({ ...now, asked: false, stage: isOut && message.command === "Join" ? "out" : now.stage })), message.reason)
    }
    case "IsAway":
      return remark(model, `${message.nick} is away: ${message.message}`, keyOf(message.nick))
    case "Missed":
      return remark(model, `you missed ${message.count ?? "some"} messages`, message.room === undefined ? undefined : roomId(message.room))
    case "Seen":
      return remark(model, `${message.nick} is ${message.here ? "here" : "not here"}`)
    case "Walloped":
      return remark(model, `${message.nick} to all: ${message.text}`)
    case "Motd":
      return message.lines.reduce((next, line) => remark(next, line), model)
    case "Waiting":
    case "Closing":
      return remark(model, message.reason)
    default:
      return model
  }
}

/** What was not read, in all conversations. */
export const unreadOf = ({ conversations }: Model): { readonly unread: number; readonly mentions: number } => {
  let unread = 0
  let mentions = 0
  for (const of of conversations.values()) {
    unread += of.unread
    mentions += of.mentions
  }
  return { unread, mentions }
}
