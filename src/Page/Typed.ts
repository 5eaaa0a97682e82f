/**
 * What is typed into the page, as what is asked of the server. Knows the slash commands and no elements.
 */
import type { Wish } from "../Command.ts"
import { isRoom, keyOf } from "./Model.ts"

/** What comes of a line: things to ask, a conversation to turn to, something to say to oneself. */
export interface Typed {
  readonly wishes: ReadonlyArray<Wish>
  readonly turn?: string
  readonly remark?: string
}

/** The commands there are, for completion and /help. */
export const commands: ReadonlyArray<readonly [name: string, how: string]> = [
  ["away", "/away [TEXT]"],
  ["ban", "/ban NICK"],
  ["back", "/back"],
  ["deop", "/deop NICK"],
  ["help", "/help"],
  ["invite", "/invite NICK"],
  ["join", "/join ROOM [KEY]"],
  ["kick", "/kick NICK [TEXT]"],
  ["list", "/list"],
  ["me", "/me TEXT"],
  ["msg", "/msg NICK TEXT"],
  ["nick", "/nick NAME"],
  ["op", "/op NICK"],
  ["part", "/part"],
  ["pass", "/pass PASSWORD"],
  ["search", "/search WORDS"],
  ["topic", "/topic TEXT"],
  ["unban", "/unban NICK"],
  ["voice", "/voice NICK"],
  ["who", "/who NICK"]
]

/** What is done to the room that is open. */
const inRooms: ReadonlySet<string> = new Set(["ban", "deop", "invite", "kick", "op", "part", "search", "topic", "unban", "voice"])

/** Messages shown when a room is come into. */
export const first = 50

const bare = (room: string): string => room.replace(/^#/, "")

const say = (to: string, text: string, kind: "message" | "action"): Wish =>
  isRoom(to) ? { _tag: "Say", target: to, text, kind } : { _tag: "Whisper", nick: to, text, kind }

const only = (...wishes: ReadonlyArray<Wish>): Typed => ({ wishes })
const remark = (words: string): Typed => ({ wishes: [], remark: words })

/** What a line typed in this conversation asks for. */
export const typed = (line: string, current: string): Typed => {
  if (!line.startsWith("/") || line.startsWith("//")) return only(say(current, line.replace(/^\/\//, "/"), "message"))
  const [, written = "", rest = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? []
  const name = written.toLowerCase()
  const [word = "", more = ""] = [rest.split(/\s+/, 1)[0], rest.replace(/^\S+\s*/, "")]
  const room = current
  const how = commands.find(([known]) => known === name)?.[1]
  if (how === undefined) return remark(`there is no command /${written}; /help lists them, //x says /x`)
  const lacks = / [A-Z]/.test(how) && word === ""
  if (lacks) return remark(`usage: ${how}`)
  if (inRooms.has(name) && !isRoom(current)) return remark(`${how} is for rooms, and this is none`)
  switch (name) {
    case "away":
      return only({ _tag: "SetAway", message: rest === "" ? "away" : rest })
    case "back":
      return only({ _tag: "SetAway" })
    case "ban":
    case "unban":
      return only({ _tag: "SetMask", room, list: "ban", mask: word, on: name === "ban" })
    case "deop":
    case "op":
    case "voice":
      return only({ _tag: "SetRank", room, nick: word, rank: name === "voice" ? "voice" : "operator", on: name !== "deop" })
    case "help":
      return remark(commands.map(([, words]) => words).join("  ·  "))
    case "invite":
      return only({ _tag: "Invite", room, nick: word })
    case "join":
      return { wishes: join(bare(word), more === "" ? {} : { key: more }), turn: `#${keyOf(bare(word))}` }
    case "kick":
      return only({ _tag: "Kick", room, nick: word, ...(more === "" ? {} : { reason: more }) })
    case "list":
      return only({ _tag: "List" })
    case "me":
      return only(say(current, rest, "action"))
    case "msg":
      return { wishes: more === "" ? [] : [say(word, more, "message")], turn: keyOf(word) }
    case "nick":
      return only({ _tag: "SetNick", nick: word })
    case "part":
      return only({ _tag: "Part", room })
    case "pass":
      return only({ _tag: "Arrive", password: rest })
    case "search":
      return only({ _tag: "Search", room, words: rest })
    case "topic":
      return only({ _tag: "SetTopic", room, topic: rest })
    default:
      return only({ _tag: "Who", nick: word })
  }
}

/** As much as the server takes in one message, and no more of them at once. */
const most = 4096

/** Why a text is not sent as it is, if it is not. */
export const tooMuch = (text: string): string | undefined => {
  const { length } = new TextEncoder().encode(text)
  return length > most ? `at most ${most} bytes are sent at once; these are ${length}` : undefined
}

/** Come into a room of this name, for the first time or again behind what is known. */
export const join = (name: string, how: { readonly key?: string; readonly after?: number; readonly epoch?: string }): ReadonlyArray<Wish> => [
  { _tag: "Join", room: `#${name}`, ...(how.after === undefined ? { last: first } : {}), ...how },
  { _tag: "Names", room: `#${name}` }
]

/** What could be meant by what stands before the cursor: commands at the beginning, nicks elsewhere. */
export const completions = (text: string, nicks: Iterable<string>): ReadonlyArray<string> => {
  if (/^\/\w*$/.test(text)) return commands.map(([name]) => `/${name} `).filter((name) => name.startsWith(text.toLowerCase()))
  const [, before = "", part = ""] = /^(.*?)([^\s]*)$/s.exec(text) ?? []
  if (part === "") return []
  return [...nicks].filter((nick) => keyOf(nick).startsWith(keyOf(part))).sort().map((nick) => before + nick + (before === "" ? ": " : " "))
}
