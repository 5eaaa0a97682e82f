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
  readonly kind: "message" | "action" | "notice" | "event"
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
  /** The newest sequence number told here: where to go on after a lost connection. */
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
  readonly current: string
  readonly conversations: ReadonlyMap<string, Conversation>
  /** The page is in front of somebody. */
  readonly seen: boolean
  readonly away: boolean
  /** How many lines were made, to tell them apart. */
  readonly made: number
}

// By themselves, so that the Schemas stay out of the page.
export const runs = (rank: Rank): boolean => rank === "operator" || rank === "voiced operator"
export const voiced = (rank: Rank): boolean => rank === "voice" || rank === "voiced operator"

/** Most lines of a conversation that are kept. */
export const maxLines = 2000

export const keyOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
export const roomId = (room: string): string => `#${keyOf(room)}`
export const isRoom = (id: string): boolean => id.startsWith("#")

export const start: Model = {
  nick: "",
  server: "",
  epoch: undefined,
  current: "#lobby",
  conversations: new Map(),
  seen: true,
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
  const current = model.current === id ? conversations.keys().next().value ?? "#lobby" : model.current
  return { ...model, conversations, current }
}

/** Turn to a conversation: what is in it counts as read. */
export const turnTo = (model: Model, id: string, name = id.replace(/^#/, "")): Model =>
  change({ ...model, current: id }, id, name, (of) => ({ ...of, unread: 0, mentions: 0 }))

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

const put = (model: Model, id: string, name: string, told: Told, counts: boolean): Model => {
  const before = model.conversations.get(id)
  if (told.seq !== undefined && before?.last !== undefined && told.seq <= before.last && before.lines.some((line) => line.seq === told.seq)) return model
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
  const unread = counts && !mine && !(model.seen && model.current === id)
  return change({ ...model, made: model.made + 1 }, id, name, (of) => ({
    ...of,
    lines: [...of.lines.slice(1 - maxLines), line],
    unread: of.unread + (unread ? 1 : 0),
    mentions: of.mentions + (unread && mentions ? 1 : 0),
    last: told.seq === undefined ? of.last : Math.max(of.last ?? 0, told.seq)
  }))
}

/** A line of the page's own in a conversation, or in the one that is open. */
export const remark = (model: Model, text: string, id = model.current): Model =>
  put(model, id, id.replace(/^#/, ""), { nick: "", text, kind: "event", at: "" }, false)

const passed = (model: Model, id: string, seq: number | undefined): Model =>
  seq === undefined || !model.conversations.has(id) ? model : change(model, id, id, (of) => ({ ...of, last: Math.max(of.last ?? 0, seq) }))

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

const event = (model: Model, message: Message & { readonly room: string }, text: string): Model =>
  put(model, roomId(message.room), message.room, { ...("seq" in message ? { seq: message.seq, at: message.at } : {}), nick: "", text, kind: "event" }, false)

const renamed = (model: Model, message: Message & { _tag: "Renamed" }): Model => {
  const mine = keyOf(message.nick) === keyOf(model.nick)
  const moved = everywhere(mine ? { ...model, nick: message.to } : model, (of) => {
    const member = of.members.get(keyOf(message.nick))
    return member === undefined ? undefined : withMember(withoutMember(of, message.nick), { ...member, nick: message.to })
  })
  let next = moved
  for (const of of moved.conversations.values()) {
    if (isRoom(of.id) && of.members.has(keyOf(message.to))) next = event(next, { ...message, room: of.name } as never, `${message.nick} is now ${message.to}`)
  }
  return next
}

const quit = (model: Model, message: Message & { _tag: "Quit" }): Model => {
  let next = model
  for (const room of message.rooms) {
    const id = roomId(room)
    if (!model.conversations.has(id)) continue
    next = change(event(next, { ...message, room } as never, `${message.nick} left${because(message.reason)}`), id, room, (of) => withoutMember(of, message.nick))
  }
  return next
}

const recalled = (model: Model, message: Message & { _tag: "Recalled" }): Model => {
  const id = roomId(message.room)
  const known = new Set(model.conversations.get(id)?.lines.map((line) => line.seq))
  let made = model
  const older: Array<Line> = []
  for (const entry of message.entries) {
    if (entry._tag !== "Said" || known.has(entry.seq)) continue
    made = { ...made, made: made.made + 1 }
    older.push({
      key: `s${entry.seq}`,
      seq: entry.seq,
      at: entry.at ?? "",
      nick: entry.nick,
      text: entry.text,
      kind: entry.kind,
      mine: keyOf(entry.nick) === keyOf(model.nick),
      mentions: mentionsMe(model, entry.text)
    })
  }
  return change(made, id, message.room, (of) => ({
    ...of,
    lines: [...older, ...of.lines].sort((a, b) => a.seq === undefined || b.seq === undefined ? 0 : a.seq - b.seq),
    whole: older.length === 0 || message.complete === false,
    asked: false
  }))
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

/** The model after what the server told. */
export const tell = (model: Model, message: Message): Model => {
  switch (message._tag) {
    case "Welcome":
      return { ...model, nick: message.nick, server: message.server, epoch: message.epoch }
    case "Said":
      return put(model, roomId(message.room), message.room, message, true)
    case "Passed":
      return event(model, message, `${message.nick} passed on ${message.bytes.length} bytes`)
    case "Whispered": {
      const other = keyOf(message.nick) === keyOf(model.nick) ? message.to : message.nick
      return put(model, keyOf(other), other, message, true)
    }
    case "Joined": {
      const id = roomId(message.room)
      const joined = change(model, id, message.room, (of) => withMember(of, { nick: message.nick, rank: "member", away: message.away !== undefined }))
      return keyOf(message.nick) === keyOf(model.nick) ? passed(joined, id, message.seq) : event(joined, message, `${message.nick} joined`)
    }
    case "Left": {
      const id = roomId(message.room)
      return keyOf(message.nick) === keyOf(model.nick)
        ? withoutConversation(model, id)
        : change(event(model, message, `${message.nick} left${because(message.reason)}`), id, message.room, (of) => withoutMember(of, message.nick))
    }
    case "Kicked": {
      const id = roomId(message.room)
      const said = `${message.nick} was kicked by ${message.by}${because(message.reason)}`
      return change(event(model, message, said), id, message.room, (of) => withoutMember(of, message.nick))
    }
    case "Quit":
      return quit(model, message)
    case "Renamed":
      return renamed(model, message)
    case "Crowd": {
      const id = roomId(message.room)
      const names = (nicks: ReadonlyArray<string>) => nicks.length > 3 ? `${nicks.slice(0, 3).join(", ")} and ${nicks.length - 3} others` : nicks.join(", ")
      const said = [message.joined.length > 0 ? `${names(message.joined)} joined` : "", message.left.length > 0 ? `${names(message.left)} left` : ""].filter((part) => part !== "").join("; ")
      const told = said === "" ? model : event(model, message, said)
      return change(told, id, message.room, (of) => {
        let next = of
        for (const nick of message.left) next = withoutMember(next, nick)
        for (const { nick, to } of message.renamed) next = withMember(withoutMember(next, nick), { nick: to, rank: next.members.get(keyOf(nick))?.rank ?? "member", away: false })
        for (const nick of message.joined) next = withMember(next, { nick, rank: "member", away: false })
        return next
      })
    }
    case "TopicSet": {
      const said = message.topic === "" ? `${message.nick} cleared the topic` : `${message.nick} changed the topic to: ${message.topic}`
      return change(event(model, message, said), roomId(message.room), message.room, (of) => ({ ...of, topic: message.topic }))
    }
    case "RankSet":
      return change(event(model, message, `${message.by} made ${message.nick} ${message.rank}`), roomId(message.room), message.room, (of) => {
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
      return everywhere(keyOf(message.nick) === keyOf(model.nick) ? { ...model, away: message.message !== undefined } : model, (of) => {
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
      return recalled(model, message)
    case "Rooms":
      return remark(model, message.rooms.map((room) => `#${room.room}: ${room.members} there${room.topic === "" ? "" : `: ${room.topic}`}`).join("\n"))
    case "Person":
      return remark(model, `${message.nick} speaks ${message.dialect}, in ${message.rooms.map((room) => `#${room}`).join(" ") || "no room"}${message.away === undefined ? "" : `, away: ${message.away}`}`)
    case "Refused":
      return remark(model, message.reason)
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
