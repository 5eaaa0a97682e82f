/**
 * For IRC clients: their lines become commands and questions, and what they are told becomes lines with the tags they asked
 * for. Keeps who the client is, what it negotiated and whom a labelled answer is for; knows no rules of the chat.
 */
import type { Dialect, Heard, Output, Stamp, Step, Telling } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import type { Event, Fact } from "../Event.ts"
import * as Line from "../Line.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"
import * as Answers from "./Irc/Answers.ts"
import * as Capabilities from "./Irc/Capabilities.ts"
import * as Commands from "./Irc/Commands.ts"
import * as Message from "./Irc/Message.ts"
import * as Modes from "./Irc/Modes.ts"
import * as Refusals from "./Irc/Refusals.ts"
import * as Show from "./Irc/Show.ts"

/** The most that may come without a line ending, in bytes. */
export const maxPending = 16_384

/** Silence after which a client is asked whether it is there, and after which it is given up, in milliseconds. */
export const pingAfter = 90_000
export const closeAfter = 150_000

/** How long somebody may take to say who they are, in milliseconds, and in how many lines. */
export const patience = 30_000
export const maxEarly = 64

export interface State extends Commands.Client {
  readonly pending: Line.Pending
  /** Whether the client was asked if it is there since it last said anything. */
  readonly pinged: boolean
  /** Lines since it came, until it has arrived. */
  readonly early: number
  /** The label that what is told now belongs to, and the lines of the answer so far. */
  readonly labelled: { readonly label: string; readonly lines: ReadonlyArray<string> } | undefined
  /** Own changes of modes that are still to be told, as one line. */
  readonly modes: { readonly stamp: Stamp; readonly by: string; readonly target: string; readonly changes: ReadonlyArray<Modes.Change> } | undefined
  /** While several changes are made together: what was complained of already, and what to say where the next is erroneous. */
  readonly together: { readonly told: ReadonlySet<string>; readonly instead: string | undefined } | undefined
  /** Nothing is refused aloud: what was asked wants no answer. */
  readonly hushed: boolean
  /** How many batches were begun. */
  readonly batches: number
}

/** The server's name as a source: one word with a dot, so that no client takes it for a nick. */
const sourceOf = (server: string): string => {
  const word = server.replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "") || "chat"
  return word.includes(".") ? word : `${word}.local`
}

const reply = (lines: ReadonlyArray<string>): Output => ({ _tag: "Reply", bytes: Text.encode(lines.join("")) })

const close = (reason: string, said = reason): Output => ({
  _tag: "Close",
  bytes: Text.encode(`ERROR :Closing link: ${Message.clean(Text.truncate(said, 300))}\r\n`),
  reason
})

// --- labels ----------------------------------------------------------------------------------------------------------

/** A line with a tag more. */
const withTag = (line: string, tag: string): string => line.startsWith("@") ? `@${tag};${line.slice(1)}` : `@${tag} ${line}`

const batchOf = /^(?:@\S+ )?:\S+ BATCH \+(\S+) /

/** The answer to a labelled command: nothing is acknowledged, several lines are a batch (https://ircv3.net/specs/extensions/labeled-response). */
const labelled = (server: string, label: string, lines: ReadonlyArray<string>, batch: string): string => {
  const tag = `label=${Message.printTags({ label }).slice("@label=".length).trimEnd()}`
  if (lines.length === 0) return `@${tag} :${server} ACK\r\n`
  const inner = batchOf.exec(lines[0]!)?.[1]
  if (lines.length === 1 || (inner !== undefined && lines[lines.length - 1]!.includes(` BATCH -${inner}\r\n`))) {
    return withTag(lines[0]!, tag) + lines.slice(1).join("")
  }
  let inside: string | undefined
  let out = `@${tag} :${server} BATCH +${batch} labeled-response\r\n`
  for (const line of lines) {
    const begun = batchOf.exec(line)?.[1]
    if (inside === undefined) out += withTag(line, `batch=${batch}`)
    else out += line
    if (begun !== undefined) inside = begun
    else if (inside !== undefined && line.includes(` BATCH -${inside}\r\n`)) inside = undefined
  }
  return `${out}:${server} BATCH -${batch}\r\n`
}

// --- what clients say ------------------------------------------------------------------------------------------------

/** What comes of the pieces of an answer: bytes at once, commands in order, and with a label all of it as one answer. */
const outputsOf = (state: State, label: string | undefined, pieces: ReadonlyArray<Commands.Piece>): Step<State> => {
  const outputs: Array<Output> = []
  if (label === undefined) {
    for (const piece of pieces) outputs.push(typeof piece === "string" ? reply([piece]) : piece)
    return Base.step(state, outputs)
  }
  if (pieces.every((piece) => typeof piece === "string")) {
    const batch = `b${state.batches + 1}`
    return Base.step({ ...state, batches: state.batches + 1 }, [reply([labelled(state.server, label, pieces, batch)])])
  }
  outputs.push({ _tag: "Fence", token: { _tag: "Label", label } satisfies Commands.Token })
  for (const piece of pieces) {
    outputs.push(typeof piece === "string" ? { _tag: "Fence", token: { _tag: "Lines", lines: [piece] } satisfies Commands.Token } : piece)
  }
  const closing = outputs.findIndex((output) => output._tag === "Close")
  const end: Output = { _tag: "Fence", token: { _tag: "EndOfLabel" } satisfies Commands.Token }
  if (closing === -1) outputs.push(end)
  else outputs.splice(closing, 0, end)
  return Base.step(state, outputs)
}

const hearMessage = (state: State, message: Message.Message): Step<State> => {
  const label = Capabilities.has(state.caps, "labeled-response") ? message.tags["label"] : undefined
  const { client, pieces } = Commands.understand(state, message)
  return outputsOf({ ...state, ...client }, label === "" ? undefined : label, pieces)
}

const hearLine = (before: State, line: Line.Line): Step<State> => {
  const state = before.pinged ? { ...before, pinged: false } : before
  if (Line.longerThan(line, maxPending)) return Base.step(state, [close("line too long")])
  if (typeof line !== "string") return Base.step(state, [reply([`:${state.server} FAIL * INVALID_UTF8 :Message rejected, it is not valid UTF-8\r\n`])])
  const bare = state.stage === "new" && state.early === 0 ? Line.withoutBOM(line) : line
  if (bare.trim() === "") return Base.step(state)
  const early = state.stage === "here" ? state.early : state.early + 1
  if (early > maxEarly) return Base.step(state, [close("too many lines before registering")])
  const next = early === state.early ? state : { ...state, early }
  const tags = Message.tagsLength(bare)
  if (tags > Message.maxTags - 1 || Line.longerThan(tags === 0 ? bare : bare.slice(tags), Message.maxLine - 2)
      || (tags > 0 && Line.longerThan(bare.slice(0, tags), Message.maxTags - 1))) {
    return Base.step(next, [reply([Message.print(state.server, "417", state.nick, "Input line was too long")])])
  }
  // A CR that ends no line, and NUL, are no part of any (SURVIVE rows 2 and 3).
  if (/[\r\u0000]/.test(bare)) return Base.step(next, [reply([Message.print(state.server, "421", state.nick, "*", "A line has no CR and no NUL in it")])])
  const message = Message.parse(bare)
  return message === undefined ? Base.step(next) : hearMessage(next, message)
}

const receive = (state: State, bytes: Uint8Array): Step<State> => {
  const { lines, pending } = Line.split(state.pending, bytes)
  let next = state
  const outputs: Array<Output> = []
  for (const line of lines) {
    const step = hearLine(next, line)
    next = step.state
    for (const output of step.outputs) outputs.push(output)
  }
  if (Line.outgrown(pending, maxPending)) outputs.push(close("line too long"))
  return Base.step(pending === next.pending ? next : { ...next, pending }, outputs)
}

// --- what clients are told -------------------------------------------------------------------------------------------

/** Lines that answer what was asked: kept for the labelled answer, if it is one. */
const answered = (state: State, lines: ReadonlyArray<string>): Telling<State> => {
  if (lines.length === 0) return { state, bytes: Base.silent }
  return state.labelled === undefined
    ? { state, bytes: Text.encode(lines.join("")) }
    : { state: { ...state, labelled: { ...state.labelled, lines: [...state.labelled.lines, ...lines] } }, bytes: Base.silent }
}

const outright = (state: State, line: string): Telling<State> => ({ state, bytes: line === "" ? Base.silent : Text.encode(line) })

/** Own changes of modes that wait, as one line. */
const flushed = (state: State): Telling<State> => {
  if (state.modes === undefined) return { state, bytes: Base.silent }
  const { by, changes, stamp, target } = state.modes
  return answered({ ...state, modes: undefined }, [Show.mode(state.caps, stamp, by, target, changes)])
}

/** One telling after another. */
const then = (first: Telling<State>, second: (state: State) => Telling<State>): Telling<State> => {
  const next = second(first.state)
  return { state: next.state, bytes: first.bytes.length === 0 ? next.bytes : next.bytes.length === 0 ? first.bytes : Buffer.concat([first.bytes, next.bytes]) }
}

/** Whose modes a change of one's own doing is about; `undefined` for what is none. */
const changedBy = (event: Fact): { readonly by: string; readonly target: string } | undefined => {
  switch (event._tag) {
    case "FlagSet":
    case "KeySet":
    case "LimitSet":
    case "MaskSet":
    case "ModeratedSet":
    case "RankSet":
      return { by: event.by, target: Name.withHash(event.room) }
    case "Opered":
    case "TraitSet":
      return { by: event.nick, target: event.nick }
    default:
      return undefined
  }
}

/** One's own changes of modes wait for those that are made together with them. */
const changed = (state: State, event: Fact, stamp: Stamp, by: string, target: string): Telling<State> => {
  const more = Modes.changes(event)
  const waiting = state.modes
  return more.length === 0
    ? outright(state, "")
    : waiting !== undefined && waiting.target === target
    ? { state: { ...state, modes: { ...waiting, stamp, changes: [...waiting.changes, ...more] } }, bytes: Base.silent }
    : then(flushed(state), (next) => ({ state: { ...next, modes: { stamp, by, target, changes: more } }, bytes: Base.silent }))
}

/** A refusal; the same is not said twice of changes that are made together. */
const refused = (state: State, event: Event & { readonly _tag: "Refused" }): Telling<State> => {
  const { together } = state
  const next: State = event.command === "Arrive" ? { ...state, stage: "new", wanted: undefined } : state
  if (state.hushed) return outright(next, "")
  if (together === undefined) return answered(next, Refusals.lines(next, event))
  const lines = event.code === "erroneous" && together.instead !== undefined ? [together.instead] : Refusals.lines(next, event)
  const fresh = lines.filter((line) => !together.told.has(line))
  return answered({ ...next, together: { told: new Set([...together.told, ...lines]), instead: undefined } }, fresh)
}

/** What one did oneself. */
const tellOwn = (state: State, event: Fact, stamp: Stamp): Telling<State> => {
  const line = Show.event(state.caps, event, stamp)
  const numeric = (code: string, ...params: ReadonlyArray<string>) => Message.print(state.server, code, state.nick, ...params)
  switch (event._tag) {
    case "Said":
    case "Passed":
      return Capabilities.has(state.caps, "echo-message") ? answered(state, [line]) : outright(state, "")
    case "Whispered":
    case "Hinted": {
      const toMyself = event.to !== undefined && Name.key(event.to) === Name.key(state.nick)
      const echoed = Capabilities.has(state.caps, "echo-message") && line !== "" ? answered(state, [line]) : outright(state, "")
      return toMyself ? then(echoed, (next) => outright(next, line)) : echoed
    }
    case "Renamed":
      return answered({ ...state, nick: event.to }, [line])
    case "Joined":
      return answered({ ...state, rooms: new Set(state.rooms).add(Name.key(event.room)) }, [line])
    case "Left": {
      const rooms = new Set(state.rooms)
      rooms.delete(Name.key(event.room))
      return answered({ ...state, rooms }, [line])
    }
    case "AwaySet":
      return answered(state, [event.message === undefined
        ? numeric("305", "You are no longer marked as being away")
        : numeric("306", "You have been marked as being away")])
    case "RealnameSet":
    case "Walloped":
      return line === "" ? outright(state, "") : answered(state, [line])
    case "Opered":
      return answered(state, event.on ? [numeric("381", "You are now an IRC operator")] : [])
    case "Invited":
      return answered(state, [numeric("341", event.nick, Name.withHash(event.room))])
    case "Arrived":
    case "Watched":
    case "Quit":
      return outright(state, "")
    default:
      return answered(state, [line])
  }
}

const tellOthers = (state: State, event: Fact, stamp: Stamp): Telling<State> => {
  const line = Show.event(state.caps, event, stamp)
  switch (event._tag) {
    case "Kicked": {
      if (Name.key(event.nick) !== Name.key(state.nick)) return outright(state, line)
      const rooms = new Set(state.rooms)
      rooms.delete(Name.key(event.room))
      return outright({ ...state, rooms }, line)
    }
    case "Invited":
      return outright(
        state,
        Name.key(event.nick) === Name.key(state.nick) || Capabilities.has(state.caps, "invite-notify") ? line : ""
      )
    case "AwaySet":
    case "RealnameSet":
      // Whom one only watches is told of to who asked for it (https://ircv3.net/specs/extensions/extended-monitor).
      return outright(state, stamp.apart === true && !Capabilities.has(state.caps, "extended-monitor") ? "" : line)
    default:
      return outright(state, line)
  }
}

const recalled = (state: State, { entries, room, why }: Base.Recalled): Telling<State> => {
  if (why !== "asked") return outright(state, "")
  const target = Name.withHash(room)
  const lines = entries.map(({ event, ...stamp }) => Show.event(state.caps, event, stamp)).filter((line) => line !== "")
  if (!Capabilities.has(state.caps, "batch")) return answered(state, lines)
  const batch = `b${state.batches + 1}`
  return answered({ ...state, batches: state.batches + 1 }, [
    `:${state.server} BATCH +${batch} chathistory ${target}\r\n`,
    ...lines.flatMap((line) => line.split(/(?<=\r\n)/).map((one) => withTag(one, `batch=${batch}`))),
    `:${state.server} BATCH -${batch}\r\n`
  ])
}

const endOfLabel = (state: State): Telling<State> => {
  if (state.labelled === undefined) return outright(state, "")
  const { label, lines } = state.labelled
  const batches = state.batches + 1
  return outright({ ...state, labelled: undefined, batches }, labelled(state.server, label, lines, `b${batches}`))
}

const passFence = (state: State, token: Commands.Token): Telling<State> => {
  switch (token._tag) {
    case "Label":
      return outright({ ...state, labelled: { label: token.label, lines: [] } }, "")
    case "EndOfLabel":
      return endOfLabel(state)
    case "Lines":
      return answered(state, token.lines)
    case "Hush":
      return outright({ ...state, hushed: token.on }, "")
    case "Together":
      return outright({ ...state, together: { told: new Set(), instead: undefined } }, "")
    case "Instead":
      return outright(state.together === undefined ? state : { ...state, together: { ...state.together, instead: token.line } }, "")
    case "Flush":
      return outright({ ...state, together: undefined }, "")
  }
}

const tellAnswer = (state: State, event: Exclude<Heard, Fact>): Telling<State> => {
  switch (event._tag) {
    case "Fenced":
      return passFence(state, event.token as Commands.Token)
    case "Observed":
      return state.stage === "here" || (event.question as Answers.Question)._tag === "Taken" || (event.question as Answers.Question)._tag === "Pong"
        ? answered(state, Answers.answer(state, event.question as Answers.Question, event))
        : outright(state, "")
    case "Recalled":
      return recalled(state, event)
    case "Welcome":
      return outright({ ...state, nick: event.nick, stage: "here" }, "")
    case "Refused":
      return refused(state, event)
    case "IsAway":
      return answered(state, [Message.print(state.server, "301", state.nick, event.nick, event.message)])
    case "Seen":
      return answered(state, Answers.seen(state, event.nick, event.here))
    case "Missed":
      return outright(
        state,
        Message.print(
          state.server,
          "NOTICE",
          event.room === undefined ? state.nick : Name.withHash(event.room),
          `you missed ${event.count === undefined ? "messages" : Text.count(event.count, "message")}`
        )
      )
    case "Controlled":
      return event.what === "rehash" ? answered(state, [Message.print(state.server, "382", state.nick, "settings", "Rehashing")]) : outright(state, "")
    case "Closing":
      return outright(state, `ERROR :Closing link: ${Message.clean(Text.truncate(event.reason, 300))}\r\n`)
    default:
      return outright(state, "")
  }
}

const isFact = (event: Heard): event is Fact => factTags.has(event._tag)
const factTags: ReadonlySet<string> = new Set([
  "Arrived", "AwaySet", "FlagSet", "Hinted", "Invited", "Joined", "KeySet", "Kicked", "Left", "LimitSet", "MaskSet", "ModeratedSet",
  "Opered", "Passed", "Quit", "RankSet", "RealnameSet", "Renamed", "Said", "TopicSet", "TraitSet", "Walloped", "Watched", "Whispered"
])

const tell = (state: State, event: Heard, stamp: Stamp): Telling<State> => {
  if (isFact(event)) {
    const change = stamp.mine ? changedBy(event) : undefined
    if (change !== undefined) {
      const waits = changed(state, event, stamp, change.by, change.target)
      // Whoever becomes an operator of the server is told so at once.
      return event._tag !== "Opered" || !event.on ? waits : then(then(waits, flushed), (next) => tellOwn(next, event, stamp))
    }
    return then(flushed(state), (next) => stamp.mine ? tellOwn(next, event, stamp) : tellOthers(next, event, stamp))
  }
  return state.modes === undefined ? tellAnswer(state, event) : then(flushed(state), (next) => tellAnswer(next, event))
}

/** The irc dialect. */
export const irc: Dialect<State> = {
  name: "irc",
  open: (hello) =>
    Base.step({
      server: sourceOf(hello.server),
      nick: "*",
      wanted: undefined,
      user: undefined,
      realname: undefined,
      password: undefined,
      stage: "new",
      negotiating: false,
      version: 0,
      caps: Capabilities.none,
      rooms: new Set(),
      pending: Line.nothing,
      pinged: false,
      early: 0,
      labelled: undefined,
      modes: undefined,
      together: undefined,
      hushed: false,
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
      : Base.step({ ...state, pinged: true }, [reply([`PING :${state.server}\r\n`])]),
  tell,
  rendering: (state) => state.modes === undefined ? Show.rendering(Capabilities.ofRooms(state.caps)) : undefined,
  speaks: () => "irc"
}

