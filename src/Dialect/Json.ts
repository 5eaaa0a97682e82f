/**
 * One JSON object a line: commands in, events out, in the encoded form of the Schemas.
 * Knows no rules; a line that is no command is refused with where and why, and the session goes on.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { Wish } from "../Command.ts"
import * as Crowd from "../Crowd.ts"
import type { Dialect, Output, Stamp } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import { type Entry, type Event, Message } from "../Event.ts"
import * as Line from "../Line.ts"
import * as Text from "../Text.ts"
import * as Strangers from "./Strangers.ts"

/** Longest line, in bytes. */
export const maxLine = 65_536

/** Where an entry stands. Without an id it is an answer, which stands nowhere. */
export type Place = Pick<Stamp, "seq" | "at" | "id">

/** How long a program may take to say its first word, and be silent while it is not let in, in milliseconds. */
export const patience = 30_000

/** What has come of the next line, whether any line came yet, and whether it was let in. */
export interface State {
  readonly pending: Line.Pending
  readonly begun: boolean
  readonly arrived: boolean
}

const decode = Schema.decodeUnknownResult(Wish)
const encode = Schema.encodeSync(Message)
const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/** One line of JSON that no terminal acts on. */
const line = (message: object): string => Text.inert(JSON.stringify(message)) + "\n"

const stamped = <E extends Event>(event: E, stamp: Place) =>
  ({ ...event, seq: stamp.seq, at: new Date(stamp.at).toISOString(), id: stamp.id })

/** What is said is most of what there is: the same bytes as by the Schema (a law), without its walk. */
const said = (event: Event & { _tag: "Said" }, entry: Place): string =>
  line({
    _tag: "Said",
    room: event.room,
    nick: event.nick,
    text: event.text,
    kind: event.kind,
    only: event.only,
    tags: event.tags,
    seq: entry.seq,
    at: new Date(entry.at).toISOString(),
    id: entry.id
  })

/** An event as a line. */
export const print = (event: Event, stamp: Place): string =>
  stamp.id === ""
    ? line(encode(event))
    : event._tag === "Said"
    ? said(event, stamp)
    : line(encode(stamped(event, stamp)))

const printAll = (told: Base.Recalled): string => {
  if (told.why === "asked" || told.why === "found") {
    const entries = told.entries.map((entry) => stamped(entry.event, entry))
    const { complete, room, words } = told
    return line(encode({ _tag: "Recalled", room, entries, complete, ...(words === undefined ? {} : { words }) }))
  }
  return told.entries.map((entry) => print(entry.event, entry)).join("")
}

const rules = {
  line: (entry: Entry) => print(entry.event, entry),
  crowd: (entries: ReadonlyArray<Entry>, room: string) => {
    const last = entries[entries.length - 1]!
    return line({ _tag: "Crowd", room, ...Crowd.sum(entries.map(({ event }) => event as Crowd.Presence)), seq: last.seq })
  }
}

/** Whoever hears other rooms is told who quits and who is called otherwise one by one: a crowd is of one room, and they are told once. */
const rendering = { ...Base.rendering(rules), besides: Base.rendering({ ...rules, summed: Crowd.isOfOneRoom }) }

const refused = (reason: string, path?: string, fault: Base.Fault = "malformed"): Output => ({
  _tag: "Reply",
  fault,
  bytes: Text.encode(line({ _tag: "Refused", reason, ...(path === undefined ? {} : { path }) }))
})

const close = (reason: string): Base.Close => ({
  _tag: "Close",
  bytes: Text.encode(line({ _tag: "Closing", reason })),
  reason
})

const tooLong: Output = { ...close(`a line has at most ${maxLine} bytes`), fault: "too-long" }

const read = (text: Line.Line, isFirst: boolean): Output | undefined => {
  if (Line.longerThan(text, maxLine)) return tooLong
  if (typeof text !== "string") return refused("this line is not valid UTF-8", undefined, "not-utf8")
  if (isFirst && Strangers.isRequest(text)) return Strangers.refusals.http
  // Trimming takes a byte order mark too.
  const trimmed = text.trim()
  if (trimmed.length === 0) return undefined
  let value: unknown
  try {
    value = JSON.parse(trimmed)
  } catch {
    return refused("this is not JSON; send one object a line, such as {\"_tag\":\"Join\",\"room\":\"lobby\"}")
  }
  const tag = (value as { readonly _tag?: unknown } | null)?._tag
  if (typeof tag !== "string" || !Object.hasOwn(Wish.cases, tag)) {
    return refused(`expected one of ${Object.keys(Wish.cases).join(", ")}`, "_tag")
  }
  const command = decode(value)
  if (Result.isSuccess(command)) {
    return command.success._tag === "Quit" ? close(command.success.reason ?? "quit") : command.success
  }
  const { issues: [issue] } = issues(command.failure.issue)
  return refused(
    (issue?.message ?? "this is not a command").replace(/\s+/g, " "),
    (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  )
}

/** The json dialect. */
export const json: Dialect<State> = {
  name: "json",
  open: ({ arrived = false }) => Base.step({ pending: Line.nothing, begun: false, arrived }, [{ _tag: "Arrive" }]),
  receive: (state, bytes) => {
    const { lines, pending } = Line.split(state.pending, bytes)
    const outputs: Array<Output> = []
    let begun = state.begun
    for (const text of lines) {
      const output = read(text, !begun)
      begun = true
      if (output !== undefined) outputs.push(output)
    }
    if (Line.outgrown(pending, maxLine)) outputs.push(tooLong)
    return Base.step(pending === state.pending && begun === state.begun ? state : { ...state, pending, begun }, outputs)
  },
  end: (state) => {
    const text = Line.last(state.pending)
    const output = text === undefined ? undefined : read(text, !state.begun)
    const over: Output = { _tag: "Close", bytes: Base.silent, reason: "" }
    return Base.step({ ...state, pending: Line.nothing }, output === undefined ? [over] : [output, over])
  },
  patience: (state) => state.begun && state.arrived ? undefined : patience,
  silence: (state) => Base.step(state, [close(`nothing came for ${patience / 1000} seconds`)]),
  tell: (state, event, stamp) => ({
    state: event._tag === "Welcome" && !state.arrived ? { ...state, arrived: true } : state,
    bytes: event._tag === "Fenced" || event._tag === "Observed" || event._tag === "Controlled"
      ? Base.silent
      : Text.encode(event._tag === "Recalled" ? printAll(event) : print(event, stamp))
  }),
  rendering: () => rendering,
  speaks: () => "json"
}

/** A line as a program reads it; for clients and tests. */
export const parse = (text: string): Option.Option<Message> => {
  try {
    return Schema.decodeUnknownOption(Message)(JSON.parse(text))
  } catch {
    return Option.none()
  }
}
