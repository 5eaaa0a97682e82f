/**
 * What IRC clients say to rooms and people: PRIVMSG, NOTICE and TAGMSG (https://modern.ircdocs.horse/#sending-messages).
 * Knows no rules: who may talk where the world says.
 */
import { type Command, type Kind, sayPlainly } from "../../Command.ts"
import * as Capabilities from "./Capabilities.ts"
import { type Client, type Handler, lacking, listed, numeric, type Piece, token } from "./Client.ts"
import * as Line from "../../Line.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import * as Message from "./Message.ts"
import * as Show from "./Show.ts"

/** The most targets of one message. */
export const maxTargets = 4

/** A target without a # is a person, whatever rooms there are; @ and + before it ask for those of a rank. */
const toRoom = /^[@+]*#/

/** Only what clients may tell each other, and only by those who understand it. */
const clientTags = (client: Client, tags: Message.Message["tags"]): Record<string, string> | undefined => {
  if (!Capabilities.has(client.caps, "message-tags")) return undefined
  let own: Record<string, string> | undefined
  for (const name in tags) if (name.startsWith("+") && Message.isTagName(name)) (own ??= {})[name] = tags[name]!
  return own
}

/** Something done; what is otherwise written is a text like any other. */
const action = /^\u0001ACTION ([^\u0001]+)\u0001?$/

/** What is said, and how it is meant. */
const spoken = (text: string, kind: Kind): { readonly text: string; readonly kind: Kind } => {
  const done = kind === "message" ? action.exec(text)?.[1] : undefined
  return done === undefined ? { text, kind } : { text: done, kind: "action" }
}

/** A text as long as a line with it can be when others are told, so that everybody is told the same. */
const sayable = (client: Client, command: string, target: string, said: { readonly text: string; readonly kind: Kind }) => {
  const head = `:${client.nick}!${client.user}@${client.address} ${command} ${target} :`
  return {
    ...said,
    text: said.kind === "action" ? Message.fitted(head + Show.actionHead, said.text, Show.actionTail) : Message.fitted(head, said.text)
  }
}

const hushed = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> => [
  token({ _tag: "Hush", on: true }),
  ...pieces,
  token({ _tag: "Hush", on: false })
]

/** PRIVMSG and NOTICE; nothing answers a notice, so that programs do not talk to each other for ever. */
export const talk = (kind: "message" | "notice"): Handler => (client, params, message) => {
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
  const tags = clientTags(client, message.tags)
  const said = spoken(text, kind)
  const pieces = (targets.length === 1 ? targets : Name.once(targets)).map((target): Command => {
    const saying = { ...sayable(client, message.command, target, said), ...(tags === undefined ? {} : { tags }) }
    return toRoom.test(target) ? { _tag: "Say", target, ...saying } : { _tag: "Whisper", nick: target, ...saying }
  })
  return kind === "notice" ? hushed(pieces) : pieces
}

const simplest = Buffer.from("PRIVMSG #")
const space = 0x20
const comma = 0x2c
const colon = 0x3a

const isSimplest = (bytes: Buffer, from: number): boolean => {
  for (let i = 0; i < simplest.length; i++) if (bytes[from + i] !== simplest[i]) return false
  return true
}

/** The longest line, in bytes, that whoever is at this address may say something by to be told to others in a line that is not too long, whatever they are called. */
export const longest = (address: string): number => Message.maxLine - Name.maxNick - World.limits.user - 3 * address.length - 8

/**
 * What is said by a line like `PRIVMSG #room :text` to one room, those in [`from`, `to`) of these bytes, all of them printable ASCII:
 * what `talk` makes of it, which has nothing to look at in it. `undefined` of any other.
 */
export const simple = (client: Client, bytes: Buffer, from: number, to: number): Command | undefined => {
  if (!isSimplest(bytes, from) || to - from > client.longest) return undefined
  const room = from + simplest.length - 1
  let end = room
  for (; end < to && bytes[end] !== space; end++) if (bytes[end] === comma) return undefined
  if (bytes[end + 1] !== colon || end + 2 >= to) return undefined
  return sayPlainly(Line.word(bytes, room, end), Line.simpleText(bytes, end + 2, to))
}

/** TAGMSG (https://ircv3.net/specs/extensions/message-tags#the-tagmsg-tag-only-message). */
export const hint: Handler = (client, params, message) => {
  if (!Capabilities.has(client.caps, "message-tags")) return [numeric(client, "421", "TAGMSG", "Unknown command")]
  const targets = listed(params[0])
  if (targets.length === 0) return [lacking(client, "TAGMSG")]
  if (targets.length > maxTargets) return [numeric(client, "407", targets[0]!, `Too many targets, at most ${maxTargets}`)]
  const tags = clientTags(client, message.tags) ?? {}
  return Name.once(targets).map((target): Command => ({ _tag: "Hint", target, tags }))
}
