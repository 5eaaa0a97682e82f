/**
 * What was not granted, as the numerics IRC clients know (https://modern.ircdocs.horse/#numerics).
 * Knows no rules: the refusal says why.
 */
import type { Code, Event } from "../../Event.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import type { Asker } from "./Answers.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"

type Refused = Event & { readonly _tag: "Refused" }

/** The numeric, what stands before the words, and the words where the refusal's own are not those that clients expect. */
type Numeric = readonly [numeric: string, about: ReadonlyArray<"room" | "nick" | "list">, words?: string]

const names: Record<string, string> = {
  Arrive: "USER",
  History: "CHATHISTORY",
  Invite: "INVITE",
  Join: "JOIN",
  Kick: "KICK",
  Part: "PART",
  Say: "PRIVMSG",
  SetKey: "MODE",
  SetLimit: "MODE",
  SetMask: "MODE",
  SetNick: "NICK",
  SetRank: "MODE",
  SetRealname: "SETNAME",
  SetTopic: "TOPIC",
  Whisper: "PRIVMSG"
}

const byCode: Partial<Record<Code, Numeric>> = {
  "already-here": ["462", [], "You may not reregister"],
  banned: ["474", ["room"], "Cannot join channel (+b)"],
  full: ["471", ["room"], "Cannot join channel (+l)"],
  "invite-only": ["473", ["room"], "Cannot join channel (+i)"],
  "list-full": ["478", ["room", "list"]],
  moderated: ["404", ["room"], "Cannot send to channel (+m)"],
  muted: ["404", ["room"], "Cannot send to channel (you are muted)"],
  "nick-taken": ["433", ["nick"], "Nickname is already in use"],
  "no-ctcp": ["404", ["room"], "Cannot send CTCP to channel (+C)"],
  "no-room": ["403", ["room"], "No such channel"],
  nobody: ["401", ["nick"], "No such nick/channel"],
  "not-arrived": ["451", [], "You have not registered"],
  "not-in-room": ["442", ["room"], "You're not on that channel"],
  "not-operator": ["482", ["room"], "You're not channel operator"],
  "nothing-said": ["412", [], "No text to send"],
  "on-room": ["443", ["nick", "room"], "is already on channel"],
  "others-room": ["441", ["nick", "room"], "They aren't on that channel"],
  password: ["464", [], "Password incorrect"],
  "server-operator": ["481", [], "Permission Denied- You're not an IRC operator"],
  "too-many-rooms": ["405", ["room"], "You have joined too many channels"],
  "wrong-key": ["475", ["room"], "Cannot join channel (+k)"]
}

/** Why what one says does not reach a channel, where other commands have another numeric for it. */
const notSent: Partial<Record<Code, Numeric>> = {
  banned: ["404", ["room"], "Cannot send to channel (+b)"],
  "not-in-room": ["404", ["room"], "Cannot send to channel (+n)"]
}

/** Whoever is not in a channel is none of its operators (https://modern.ircdocs.horse/#mode-message). */
const notChanged: Partial<Record<Code, Numeric>> = { "not-in-room": ["482", ["room"], "You're not channel operator"] }

/** Where a command has a numeric of its own for a reason. */
const byCommand: Partial<Record<string, Partial<Record<Code, Numeric>>>> = {
  Arrive: { erroneous: ["432", ["nick"], "Erroneous nickname"] },
  Join: { erroneous: ["403", ["room"], "No such channel"] },
  Hint: notSent,
  Say: notSent,
  SetFlag: notChanged,
  SetKey: notChanged,
  SetLimit: notChanged,
  SetMask: notChanged,
  SetModerated: notChanged,
  SetNick: { erroneous: ["432", ["nick"], "Erroneous nickname"] },
  SetRank: notChanged,
  Whisper: { "no-ctcp": ["531", ["nick"], "Cannot send CTCP to them (+T)"] }
}

/** A refusal as lines. */
export const lines = ({ nick, server }: Asker, refused: Refused): ReadonlyArray<string> => {
  const { code, command = "" } = refused
  const say = (numeric: string, ...params: ReadonlyArray<string>) => [Message.print(server, numeric, nick, ...params)]
  if (command === "Watch" && code === "list-full") return say("734", String(World.limits.watches), refused.nick ?? "*", "Monitor list is full")
  if (command === "SetRealname") return [Message.print(server, "FAIL", "SETNAME", "INVALID_REALNAME", refused.reason)]
  if (command === "History") {
    return [Message.print(server, "FAIL", "CHATHISTORY", "INVALID_TARGET", "*", Name.withHash(refused.room ?? ""), "Messages could not be retrieved")]
  }
  const found = code === undefined ? undefined : byCommand[command]?.[code] ?? byCode[code]
  if (found === undefined) return say("400", Object.hasOwn(names, command) ? names[command]! : command.toUpperCase() || "*", refused.reason)
  const [numeric, about, words] = found
  const { list, nick: who = "*", room = "" } = refused
  const params = about.map((what) => what === "room" ? Name.withHash(room) : what === "nick" ? who : list === undefined ? "*" : Modes.listLetter(list))
  return say(numeric, ...params, words ?? refused.reason)
}
