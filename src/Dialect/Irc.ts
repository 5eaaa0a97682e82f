/**
 * For IRC clients: their lines become commands and questions, and what they are told becomes lines with the tags they asked
 * for. Keeps who the client is, what it negotiated and whom a labelled answer is for; knows no rules of the chat.
 */
import type { Command } from "../Command.ts"
import type { Dialect, Heard, Output, Stamp, Step, Telling } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import type { Fact } from "../Event.ts"
import * as Line from "../Line.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import type { Question } from "./Irc/Answers.ts"
import * as Capabilities from "./Irc/Capabilities.ts"
import type { Piece, Token } from "./Irc/Client.ts"
import * as Commands from "./Irc/Commands.ts"
import * as Doings from "./Irc/Doings.ts"
import * as Labels from "./Irc/Labels.ts"
import * as Message from "./Irc/Message.ts"
import * as Replies from "./Irc/Replies.ts"
import * as Show from "./Irc/Show.ts"
import { followed, type State } from "./Irc/State.ts"
import * as Talking from "./Irc/Talking.ts"
import * as Strangers from "./Strangers.ts"
import * as Turns from "./Turns.ts"

export type { State }

/** The most that may come without a line ending, in bytes. */
export const maxPending = 16_384

/** Silence after which a client is asked whether it is there, and after which it is given up, in milliseconds. */
export const pingAfter = 90_000
export const closeAfter = 150_000

/** How long somebody may take to say who they are, in milliseconds, and in how many lines. */
export const patience = 30_000
export const maxEarly = 64

/** The server's name as a source: one word with a dot, so that no client takes it for a nick. */
const sourceOf = (server: string): string => {
  if (server === known?.server) return known.source
  const word = Name.wordOf(server)
  known = { server, source: word.includes(".") ? word : `${word}.local` }
  return known.source
}
/** What was made last: all clients of a server are told the same. */
let known: { readonly server: string; readonly source: string } | undefined

/** A line by which something is refused. */
const refusal = /^(?:@\S+ )?\S+ (?:(421)|[45]\d\d|FAIL \S+ (INVALID_UTF8)?)/

const faultOf = (line: string): Base.Fault | undefined => {
  const found = refusal.exec(line)
  return found === null ? undefined : found[1] !== undefined ? "unknown-command" : found[2] !== undefined ? "not-utf8" : "malformed"
}

const reply = (line: string, fault = faultOf(line)): Output => ({ _tag: "Reply", bytes: Text.encode(line), ...(fault === undefined ? {} : { fault }) })

const close = (reason: string, fault?: Base.Fault): Output =>
  ({ _tag: "Close", bytes: Text.encode(`ERROR :Closing link: ${reason}\r\n`), reason, ...(fault === undefined ? {} : { fault }) })

/** For a browser that was sent here: it shows this, and what a page had it send is nobody's words (row 14). */
const notHttp: Output = { ...Strangers.refusals.http, bytes: Text.encode("ERROR :This is not an HTTP server\r\n") }

const fence = (token: Token): Output => ({ _tag: "Fence", token })

// --- what clients say ------------------------------------------------------------------------------------------------

/** Pieces whose answers are one answer: what needs no asking waits for what does. */
const labelled = (label: string, pieces: ReadonlyArray<Piece>): ReadonlyArray<Output> => {
  const outputs = [
    fence({ _tag: "Label", label }),
    ...pieces.map((piece) => typeof piece === "string" ? fence({ _tag: "Lines", lines: [piece] }) : piece)
  ]
  const closing = outputs.findIndex((output) => output._tag === "Close")
  outputs.splice(closing === -1 ? outputs.length : closing, 0, fence({ _tag: "EndOfLabel" }))
  return outputs
}

/** What comes of the pieces of an answer: bytes at once, commands in order, and with a label all of it as one answer. */
const outputsOf = (state: State, label: string | undefined, pieces: ReadonlyArray<Piece>): Step<State> => {
  if (label === undefined) return Base.step(state, pieces.map((piece) => typeof piece === "string" ? reply(piece) : piece))
  if (!pieces.every((piece) => typeof piece === "string")) return Base.step(state, labelled(label, pieces))
  const batches = state.batches + 1
  return Base.step({ ...state, batches }, [reply(Labels.labelled(state, label, pieces, `b${batches}`))])
}

/** The label that the answer is to have, where that was negotiated; one that is too long is none. */
const labelOf = (state: State, message: Message.Message | undefined): string | undefined => {
  const label = Capabilities.has(state.caps, "labeled-response") ? message?.tags["label"] : undefined
  return label === undefined || label === "" || Text.byteLength(label) > Labels.maxLabel ? undefined : label
}

const hearMessage = (state: State, message: Message.Message): Step<State> => {
  const { client, pieces } = Commands.understand(state, message)
  // A state that stays is the same value, by which a session knows that it stays.
  return outputsOf(client === state ? state : { ...state, ...client }, labelOf(state, message), pieces)
}

/** A line that is not valid UTF-8: its command and its label are told by what comes before (https://ircv3.net/specs/extensions/utf8-only). */
const hearInvalid = (state: State, start: string): Step<State> => {
  const message = Message.parse(start)
  // A command that may go on is not known yet.
  const command = message?.command === Message.parse(`${start}X`)?.command ? message?.command ?? "*" : "*"
  const line = Message.print(state.server, "FAIL", command, "INVALID_UTF8", "Message rejected, it is not valid UTF-8")
  return outputsOf(state, labelOf(state, message), [line])
}

/** A line that is none a client may send. */
const unheard = (state: State, message: Message.Message | undefined, fault: Base.Fault, code: string, ...params: ReadonlyArray<string>): Step<State> => {
  const line = Message.print(state.server, code, state.nick, ...params)
  const label = labelOf(state, message)
  return Base.step(state, [reply(label === undefined ? line : Labels.labelled(state, label, [line], ""), fault)])
}

const hearLine = (before: State, line: Line.Line): Step<State> => {
  const heard = before.pinged ? { ...before, pinged: false } : before
  if (Line.longerThan(line, maxPending)) return Base.step(heard, [close("line too long", "too-long")])
  const isFirst = heard.stage === "new" && heard.early === 0
  const bare = typeof line === "string" && isFirst ? Line.withoutBOM(line) : line
  if (isFirst && typeof bare === "string" && Strangers.isRequest(bare)) return Base.step(heard, [notHttp])
  if (typeof bare === "string" && bare.trim() === "") return Base.step(heard)
  const state = heard.stage === "new" ? { ...heard, early: heard.early + 1 } : heard
  if (state.early > maxEarly) return Base.step(state, [close("too many lines before registering")])
  if (typeof bare !== "string") return hearInvalid(state, bare.start)
  const message = Message.parse(bare)
  if (Message.tooLong(bare)) return unheard(state, message, "too-long", "417", "Input line was too long")
  // A CR that ends no line, and NUL, are no part of any (rows 2 and 3).
  if (/[\r\u0000]/.test(bare)) return unheard(state, message, "malformed", "421", "*", "A line has no CR, LF or NUL in it")
  return message === undefined ? Base.step(state) : hearMessage(state, message)
}

/** That a nick is taken is told to whoever says next who they are as well; being let in under it is then refused without a word. */
const isTaken = (command: Command): boolean => command._tag === "Observe" && (command.question as Question)._tag === "Taken"

const receive = (state: State, bytes: Uint8Array): Step<State> => {
  const chunk = Line.bufferOf(bytes)
  const turn = new Turns.Turn(state, isTaken)
  let { pending, waiting } = state
  let start = 0
  /** Hear what ends before `to`, behind what waits. */
  const hear = (to: number): void => {
    const cut = Line.split(pending, start === 0 && to === chunk.length ? chunk : chunk.subarray(start, to))
    pending = cut.pending
    start = to
    waiting = turn.hear(Turns.followed(waiting, cut.lines), hearLine)
  }
  if (waiting !== Turns.nothing) hear(chunk.length)
  else if (pending.length > 0) hear(chunk.indexOf("\n") + 1 || chunk.length)
  // Mostly there are only lines of text, and what is said by them is asked for at once.
  for (let end = Line.simpleEnd(chunk, start); end !== -1; end = Line.simpleEnd(chunk, start)) {
    const to = Line.textEnd(chunk, start, end)
    const said = turn.state.stage === "here" && !turn.state.pinged ? Talking.simple(turn.state, chunk, start, to) : undefined
    if (!(said === undefined ? turn.take(hearLine(turn.state, Line.simpleText(chunk, start, to))) : turn.say(said))) break
    start = end + 1
  }
  if (start < chunk.length) hear(chunk.length)
  const outgrown = Line.outgrown(pending, maxPending) && !turn.take(Base.step(turn.state, [close("line too long", "too-long")]))
  const more = outgrown || waiting !== Turns.nothing
  const next = turn.state
  return Base.step(pending === next.pending && waiting === next.waiting ? next : { ...next, pending, waiting }, turn.outputs, more)
}

// --- what clients are told -------------------------------------------------------------------------------------------

const isFact = (event: Heard): event is Fact => factTags.has(event._tag)
const factTags: ReadonlySet<string> = new Set([
  "Arrived", "AwaySet", "FlagSet", "Hinted", "Invited", "Joined", "KeySet", "Kicked", "Left", "LimitSet", "MaskSet", "ModeratedSet",
  "Opered", "Passed", "Quit", "RankSet", "RealnameSet", "Renamed", "Restarted", "Said", "TopicSet", "TraitSet", "Walloped", "Watched", "Whispered"
])

/** What happens where one is before one has said who one is is not told. */
const tellFact = (state: State, event: Fact, stamp: Stamp): Telling<State> => {
  const told = Doings.tell(state, event, stamp)
  if (state.stage === "here") return told
  // Who has arrived already, as a person, is let in by being given the nick it wants.
  const letIn = stamp.mine && event._tag === "Renamed"
  return { state: letIn ? { ...told.state, stage: "asked" } : told.state, bytes: Base.silent }
}

const tell = (state: State, event: Heard, stamp: Stamp): Telling<State> =>
  isFact(event)
    ? tellFact(state, event, stamp)
    : state.modes === undefined
    ? Replies.tell(state, event)
    : followed(Doings.flushed(state), (next) => Replies.tell(next, event))

/** The irc dialect. */
export const irc: Dialect<State> = {
  name: "irc",
  open: (hello) =>
    Base.step({
      // First what is looked at for each message, so that it lies together.
      pending: Line.nothing,
      waiting: Turns.nothing,
      stage: "new",
      pinged: false,
      longest: Talking.longest(hello.address ?? ""),
      server: sourceOf(hello.server),
      nick: "*",
      wanted: undefined,
      user: undefined,
      address: hello.address ?? "",
      arrived: hello.arrived === true,
      realname: undefined,
      password: undefined,
      negotiating: false,
      version: 0,
      caps: Capabilities.none,
      early: 0,
      labelled: undefined,
      modes: undefined,
      amiss: [],
      hushed: false,
      looking: false,
      taken: undefined,
      greeted: false,
      entered: undefined,
      past: undefined,
      peers: [],
      targets: undefined,
      batches: 0
    }),
  receive,
  end: (state) => {
    const line = Line.last(state.pending)
    const heard = line === undefined ? Base.step(state) : hearLine(state, line)
    return Base.step({ ...heard.state, pending: Line.nothing }, [...heard.outputs, { _tag: "Close", bytes: Base.silent, reason: "Connection closed" }])
  },
  patience: (state) => state.stage !== "here" ? patience : state.pinged ? closeAfter : pingAfter,
  silence: (state) =>
    state.stage !== "here"
      ? Base.step(state, [close("Registration timeout")])
      : state.pinged
      ? Base.step(state, [close("Ping timeout")])
      : Base.step({ ...state, pinged: true }, [reply(`PING :${state.server}\r\n`)]),
  tell,
  rendering: (state) => state.modes === undefined && state.stage === "here" ? Show.rendering(Capabilities.ofRooms(state.caps)) : undefined,
  hushed: (state) => !Capabilities.has(state.caps, "echo-message"),
  speaks: () => "irc"
}

