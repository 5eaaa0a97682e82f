/**
 * What people type: a line is said, a line that starts with / is a command. Knows no rules of the chat, and no bytes but those that
 * are no text.
 */
import { Flag, type MaskList, type Rank, sayPlainly } from "../../Command.ts"
import type { Close, Fault, Output, Step } from "../../Dialect.ts"
import * as Line from "../../Line.ts"
import * as Name from "../../Name.ts"
import * as Telnet from "../../Telnet.ts"
import * as Text from "../../Text.ts"
import * as Strangers from "../Strangers.ts"
import type * as Turns from "../Turns.ts"
import * as Words from "../Words.ts"
import { maxIgnored, maxLine, maxPending, replayed, type State, turnAway, turnFrom, turnTo } from "./State.ts"

const notice = (text: string): Output => ({ _tag: "Reply", bytes: Text.encode(Words.notice(text)) })

const fault = (text: string, fault: Fault): Output => ({ _tag: "Reply", bytes: Text.encode(Words.notice(text)), fault })

export const goodbye = (reason: string): Close => ({
  _tag: "Close",
  bytes: Text.encode(Words.notice("goodbye")),
  reason
})

export const cut = (reason: string, fault?: Fault): Close =>
  ({ _tag: "Close", bytes: Text.encode(Words.notice(reason)), reason, ...(fault === undefined ? {} : { fault }) })

type Heard = Step<State>

export const ask = (state: State, ...outputs: ReadonlyArray<Output>): Heard => ({ state, outputs })

const usage = (state: State, how: string): Heard => ask(state, fault(`usage: ${how}`, "malformed"))

/** The first word and the rest, without the spaces between. */
const word = (text: string): readonly [string, string] => {
  const trimmed = text.trimStart()
  const end = trimmed.search(/\s/)
  return end === -1 ? [trimmed, ""] : [trimmed.slice(0, end), trimmed.slice(end + 1).trim()]
}

/** The room that is meant, with its #: a first word that starts with one, else the one being talked in. */
const roomAndRest = (state: State, rest: string): readonly [string | undefined, string] =>
  rest.startsWith("#") ? word(rest) : [state.talking?.target, rest]

/** Whether this is the name of a room one is in, without its #. */
const isRoom = (state: State, name: string): boolean => state.rooms.some((place) => place.key === Name.key(name))

const nowhere = (state: State): Heard =>
  ask(state, notice(state.nick === "" ? "you are not let in yet; /pass PASSWORD comes first" : "you are in no room; /join lobby to come back"))

const inRoom = (state: State, rest: string, then: (room: string, rest: string) => Heard): Heard => {
  const [room, tail] = roomAndRest(state, rest)
  return room === undefined ? nowhere(state) : then(room, tail)
}

const turnedFrom = (state: State): Heard =>
  state.talking === undefined ? nowhere(state) : ask(state, notice(`you are talking in ${Name.withHash(state.talking.name)} now`))

const called = ({ sought }: State) => sought === undefined ? {} : { nick: sought, guest: true }

const reason = (text: string) => text.length === 0 ? {} : { reason: text }

const onMember = (
  state: State,
  rest: string,
  how: string,
  then: (room: string, nick: string, rest: string) => Output
): Heard =>
  inRoom(state, rest, (room, tail) => {
    const [nick, why] = word(tail)
    return nick.length === 0 ? usage(state, how) : ask(state, then(room, nick, why))
  })

const say = (state: State, text: string, kind: "message" | "action"): Heard => {
  const room = state.talking
  return room === undefined ? nowhere(state) : ask(state, { _tag: "Say", target: room.target, text, kind })
}

const ignore = (state: State, rest: string): Heard => {
  const [nick] = word(rest)
  if (nick.length === 0) {
    return ask(state, notice(state.ignored.size === 0 ? "you ignore nobody" : `you ignore ${[...state.ignored].join(", ")}`))
  }
  const problem = Name.nickProblem(nick)
  if (problem !== undefined) return ask(state, notice(problem))
  if (state.ignored.size >= maxIgnored) return ask(state, notice(`you ignore ${maxIgnored} people, the most one can`))
  return ask({ ...state, ignored: new Set(state.ignored).add(Name.key(nick)) }, notice(`you ignore ${nick}; /unignore ${nick} to listen again`))
}

const unignore = (state: State, rest: string): Heard => {
  const [nick] = word(rest)
  const ignored = new Set(state.ignored)
  return ignored.delete(Name.key(nick))
    ? ask({ ...state, ignored }, notice(`you listen to ${nick} again`))
    : ask(state, notice("you ignore nobody of that name"))
}

/** Give somebody a rank or take it; what else they are stays. */
const ranking = (how: string, rank: Rank, on: boolean) => (state: State, rest: string): Heard =>
  onMember(state, rest, how, (room, nick) => ({ _tag: "SetRank", room, nick, rank, on }))

const flags = Flag.literals

/** A list of masks, or one mask more or less on it; a nick is a mask too. */
const onList = (state: State, rest: string, list: MaskList, prefix: string, on: boolean): Heard =>
  inRoom(state, rest, (room, tail) => {
    const [mask] = word(tail)
    return ask(state, mask.length === 0 ? { _tag: "Masks", room, list } : { _tag: "SetMask", room, list, mask: prefix + mask, on })
  })

const commands: Record<string, (state: State, rest: string) => Heard> = {
  pass: (state, rest) =>
    rest.length === 0
      ? usage(state, "/pass PASSWORD")
      : state.nick !== ""
      ? ask(state, { _tag: "Arrive", password: rest })
      : ask(turnTo(state, Name.lobby), { _tag: "Arrive", password: rest, ...called(state) }, { _tag: "Join", room: Name.lobby, last: replayed }),
  nick: (state, rest) => {
    const [nick] = word(rest)
    return nick.length === 0 ? usage(state, "/nick NAME") : ask(state.nick === "" ? { ...state, sought: nick } : state, { _tag: "SetNick", nick })
  },
  join: (state, rest) => {
    const room = Name.withoutHash(word(rest)[0])
    const problem = Name.roomProblem(room)
    const [key] = word(word(rest)[1])
    return rest.length === 0
      ? usage(state, "/join ROOM [KEY]")
      : problem !== undefined
      ? ask(state, notice(problem))
      : ask(turnTo(state, room), { _tag: "Join", room: Name.withHash(room), last: replayed, ...(key === "" ? {} : { key }) })
  },
  part: (state, rest) =>
    inRoom(state, isRoom(state, word(rest)[0]) ? `#${rest.trimStart()}` : rest, (room, tail) => {
      const key = Name.key(Name.withoutHash(room))
      // There is nothing to leave.
      if (state.rooms.some((place) => place.key === key && place.stage === "kicked")) return turnedFrom(turnFrom(state, key))
      return ask(turnAway(state, key), { _tag: "Part", room, ...reason(tail) })
    }),
  msg: (state, rest) => {
    const [to, text] = word(rest)
    return text.length === 0
      ? usage(state, "/msg NICK TEXT")
      : ask(state, to.startsWith("#") ? { _tag: "Say", target: to, text } : { _tag: "Whisper", nick: to, text })
  },
  me: (state, rest) => rest.length === 0 ? usage(state, "/me TEXT") : say(state, rest, "action"),
  who: (state, rest) => {
    const [nick] = word(rest)
    return nick.length === 0 ? commands["names"]!(state, "") : ask(state, { _tag: "Who", nick })
  },
  names: (state, rest) => inRoom(state, rest, (room) => ask(state, { _tag: "Names", room })),
  list: (state) => ask(state, { _tag: "List" }),
  topic: (state, rest) =>
    inRoom(state, rest, (room, topic) =>
      ask(state, topic.length === 0 ? { _tag: "Look", room } : { _tag: "SetTopic", room, topic })),
  away: (state, rest) => ask(state, { _tag: "SetAway", message: rest.length === 0 ? "away" : rest }),
  back: (state) => ask(state, { _tag: "SetAway" }),
  ignore,
  unignore,
  motd: (state) => ask(state, { _tag: "Motd" }),
  history: (state, rest) =>
    inRoom(state, rest, (room, tail) => {
      const limit = tail.length === 0 ? 100 : Number(tail)
      return Number.isInteger(limit) && limit > 0
        ? ask(state, { _tag: "History", room, limit })
        : usage(state, "/history [#ROOM] [HOW MANY]")
    }),
  search: (state, rest) =>
    inRoom(state, rest, (room, words) => words.length === 0 ? usage(state, "/search [#ROOM] WORDS") : ask(state, { _tag: "Search", room, words })),
  kick: (state, rest) =>
    onMember(state, rest, "/kick NICK [REASON]", (room, nick, why) => ({ _tag: "Kick", room, nick, ...reason(why) })),
  op: ranking("/op NICK", "operator", true),
  deop: ranking("/deop NICK", "operator", false),
  voice: ranking("/voice NICK", "voice", true),
  devoice: ranking("/devoice NICK", "voice", false),
  moderate: (state, rest) =>
    inRoom(state, rest, (room, tail) =>
      tail === "on" || tail === "off"
        ? ask(state, { _tag: "SetModerated", room, moderated: tail === "on" })
        : usage(state, "/moderate on|off")),
  mode: (state, rest) =>
    inRoom(state, rest, (room, tail) => {
      const [name, how] = word(tail)
      const flag = flags.find((known) => known === name.toLowerCase())
      return flag !== undefined && (how === "on" || how === "off")
        ? ask(state, { _tag: "SetFlag", room, flag, on: how === "on" })
        : usage(state, `/mode ${flags.join("|")} on|off`)
    }),
  ban: (state, rest) => onList(state, rest, "ban", "", true),
  unban: (state, rest) => onList(state, rest, "ban", "", false),
  mute: (state, rest) => onList(state, rest, "ban", "m:", true),
  unmute: (state, rest) => onList(state, rest, "ban", "m:", false),
  except: (state, rest) => onList(state, rest, "exception", "", true),
  unexcept: (state, rest) => onList(state, rest, "exception", "", false),
  invite: (state, rest) => onMember(state, rest, "/invite NICK", (room, nick) => ({ _tag: "Invite", room, nick })),
  key: (state, rest) =>
    inRoom(state, rest, (room, tail) => ask(state, { _tag: "SetKey", room, ...(tail === "" ? {} : { key: tail }) })),
  limit: (state, rest) =>
    inRoom(state, rest, (room, tail) =>
      tail === ""
        ? ask(state, { _tag: "SetLimit", room })
        : /^\d{1,7}$/.test(tail)
        ? ask(state, { _tag: "SetLimit", room, limit: Number(tail) })
        : usage(state, "/limit [HOW MANY]")),
  help: (state) => ask(state, ...Words.help.map(notice)),
  quit: (state, rest) => ask(state, goodbye(rest))
}

const control = /[\u0000-\u001f\u007f]/
const blank = /^\s*$/

const slash = 0x2f
const space = 0x20

/** Whether a line of printable characters is nothing but said, as most are. */
const isTalk = (line: string): boolean => {
  const first = line.charCodeAt(0)
  return line.length > 0 && line.length <= maxLine && first !== slash && first !== space
}

/** What a line asks for. Never fails: what is not understood is answered with a hint. */
const understand = (state: State, typed: string): Heard => {
  if (isTalk(typed) && Text.isPlain(typed)) return say(state, typed, "message")
  const line = control.test(typed) ? Telnet.edit(typed.replace(/[\r\u0000]/g, "")) : typed
  if (blank.test(line)) return ask(state)
  if (Line.longerThan(line, maxLine)) return ask(state, fault(`a line has at most ${maxLine} bytes; this one was not sent`, "too-long"))
  if (!line.startsWith("/")) return say(state, line, "message")
  if (line.startsWith("//")) return say(state, line.slice(1), "message")
  const [name, rest] = word(line.slice(1))
  const command = name.toLowerCase()
  return Object.hasOwn(commands, command)
    ? commands[command]!(state, rest)
    : ask(state, fault(`there is no command /${Text.truncate(Text.printable(name), 32)}; /help lists them, //x says /x`, "unknown-command"))
}

export const hearLine = (state: State, line: Line.Line): Heard => {
  const stranger = state.begun ? undefined : Strangers.ofLine(line)
  return Line.longerThan(line, maxPending)
    ? ask(state, cut(`line too long: at most ${maxPending} bytes may come without a newline`, "too-long"))
    : stranger !== undefined
    ? ask(state, Strangers.refusals[stranger])
    : typeof line !== "string"
    ? ask(begun(state), fault("that line was not valid UTF-8; it was not sent", "not-utf8"))
    : understand(begun(state), state.begun ? line : Line.withoutBOM(line))
}

const begun = (state: State): State => state.begun ? state : { ...state, begun: true }

/** The same, of a line of which it is known that all of its characters are printable ASCII. */
export const hearSimple = (turn: Turns.Turn<State>, line: string): boolean => {
  const { state } = turn
  const room = state.begun && isTalk(line) ? state.talking : undefined
  return room === undefined ? turn.take(hearLine(state, line)) : turn.say(sayPlainly(room.target, line))
}
