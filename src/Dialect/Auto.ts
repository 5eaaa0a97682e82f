/**
 * The machine that listens to a connection's first bytes and then becomes the dialect they are in.
 * Knows what the beginnings of protocols look like, and nothing else about them.
 */
import type { Any, Chosen, Dialect, Hello, Step } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import * as Text from "../Text.ts"
import * as Strangers from "./Strangers.ts"

/** Silence after which a connection is taken for a person who waits to be greeted, in milliseconds. */
export const greetAfter = 300

/** How long a protocol's first word may take to be complete, in milliseconds. */
export const patience = 30_000

/** What first bytes can be. `undecided`: too few to tell. */
export type Opening = "undecided" | "json" | "text" | "irc" | Strangers.Stranger

/** A byte order mark, which some programs write first and which says nothing (row 8). */
const mark = "\u00ef\u00bb\u00bf"

const words: ReadonlyArray<readonly [string, Opening]> = [
  // What an IRC client says first, and what nobody but one says at all.
  ...["", mark].flatMap((before) => [
    ...["CAP", "NICK", "USER", "PASS"].flatMap((word) => [[`${before}${word} `, "irc"], [`${before}${word}\r\n`, "irc"]] as const),
    ...["JOIN #", "PRIVMSG ", "AUTHENTICATE ", "QUIT :"].map((word) => [before + word, "irc"] as const),
    [`${before}{`, "json"] as const
  ]),
  ...["cap ls ", "cap ls\r", "cap ls\n"].map((word) => [word, "irc"] as const),
  ...Strangers.beginnings
]

/** What an IRC client may say first as well, and what that begins with; `nick x` is what somebody may say who is none. */
const sentences: ReadonlyArray<readonly [whole: RegExp, begun: RegExp]> = [
  // With a source or tags before it.
  [/^[:@]\S+ (?:CAP|NICK|USER) \S/, /^[:@]\S*(?: (?:(?:C|CA|CAP|N|NI|NIC|NICK|U|US|USE|USER) ?)?)?$/],
  [/^user \S+ \d+ \* \S/, /^u(?:s(?:e(?:r(?: (?:\S*|\S+ \d*|\S+ \d+ (?:\* ?)?))?)?)?)?$/]
]

/** So many bytes are looked at to tell a sentence. */
const maxSentence = 512

/** What a connection speaks, told by its first bytes. */
export const opening = (head: Uint8Array): Opening => {
  if (head.length === 0) return "undecided"
  const start = Buffer.from(head.subarray(0, 16)).toString("latin1")
  let open = false
  if (start.startsWith(":") || start.startsWith("@") || start.startsWith("u")) {
    const sentence = Buffer.from(head.subarray(0, maxSentence)).toString("latin1")
    if (sentences.some(([whole]) => whole.test(sentence))) return "irc"
    open = head.length < maxSentence && sentences.some(([, begun]) => begun.test(sentence))
  }
  for (const [word, what] of words) {
    if (start.startsWith(word)) return what
    if (word.startsWith(start)) open = true
  }
  return open ? "undecided" : "text"
}

export interface State {
  readonly hello: Hello
  /** First bytes, until they are enough to tell; `undefined` when it is settled. */
  readonly head: Uint8Array | undefined
  /** First bytes that are heard when the arrival they brought about was answered. */
  readonly first: Uint8Array
  /** Whom the bytes go to. There from the greeting on, which may be before the first byte. */
  readonly speaker: Chosen | undefined
  /** Whether it was let in. */
  readonly arrived: boolean
}

/** Empty lines, or ^C: a person may send no more than that, though some protocols begin so. */
const idle = /^[\r\n\u0003]+$/

const isIdle = (head: Uint8Array): boolean => idle.test(Buffer.from(head).toString("latin1"))

/** Whether somebody begins to say who they are, and more of that may come. */
const introduces = (dialect: Any, head: Uint8Array): boolean => dialect.introduction?.begins(head) === true

const settle = (state: State, dialect: Any, inner: Step<unknown>): Step<State> =>
  Base.step({ ...state, speaker: { dialect, state: inner.state } }, inner.outputs, inner.more)

/** The same, with first bytes that are heard by and by. */
const hearFirst = (state: State): Step<State> => {
  const { dialect, state: inner } = state.speaker!
  return settle({ ...state, first: Base.silent }, dialect, dialect.receive(inner, state.first))
}

const become = (state: State, dialect: Any, head: Uint8Array): Step<State> => {
  const known: State = { ...state, head: undefined, first: head }
  // Who was greeted as a person has arrived already, whatever it turns out to be.
  if (state.speaker?.dialect === dialect) return hearFirst(known)
  const opened = dialect.open({ ...state.hello, arrived: state.arrived })
  const arrival = state.speaker === undefined ? opened.outputs : []
  const arriving: State = { ...known, speaker: { dialect, state: opened.state } }
  if (arrival.length === 0) return hearFirst(arriving)
  const received = dialect.receive(opened.state, head)
  const both = dialect.introduction?.meet(received.state, head, arrival, received.outputs)
  return both === undefined
    ? Base.step(arriving, arrival, true)
    : settle({ ...arriving, first: Base.silent }, dialect, { ...both, more: received.more === true })
}

/** A dialect that becomes one of these, by the first bytes. */
export const auto = (dialects: { readonly text: Any; readonly json: Any; readonly irc: Any }): Dialect<State> => ({
  name: "auto",
  open: (hello) => Base.step({ hello, head: Base.silent, first: Base.silent, speaker: undefined, arrived: false }),
  receive: (state, bytes) => {
    if (state.first.length > 0) return hearFirst({ ...state, first: Buffer.concat([state.first, bytes]) })
    if (state.head === undefined) {
      const { dialect, state: inner } = state.speaker!
      const received = dialect.receive(inner, bytes)
      // A state that stays is the same value, by which a session knows that it stays.
      return received.state === inner ? Base.step(state, received.outputs, received.more) : settle(state, dialect, received)
    }
    const head = Buffer.concat([state.head, bytes])
    const what = opening(head)
    switch (what) {
      case "undecided":
        return Base.step({ ...state, head })
      case "json":
      case "irc":
        return become(state, dialects[what], head)
      case "text":
        return state.speaker === undefined && introduces(dialects.text, head)
          ? Base.step({ ...state, head })
          : become(state, dialects.text, head)
      default:
        return Base.step({ ...state, head }, [Strangers.refusals[what]])
    }
  },
  end: (state) => {
    const settled = state.head === undefined || state.head.length === 0
      ? Base.step(state)
      : become(state, dialects.text, state.head)
    const { speaker } = settled.state
    if (speaker === undefined) return Base.step(state, [{ _tag: "Close", bytes: Base.silent, reason: "" }])
    // First bytes of which nobody can tell what they are have no line in them, so there is no more of them than this.
    const heard = settled.state.first.length > 0 ? hearFirst(settled.state) : Base.step(settled.state)
    const last = heard.state.speaker!
    const ended = settle(heard.state, last.dialect, last.dialect.end(last.state))
    return Base.step(ended.state, [...settled.outputs, ...heard.outputs, ...ended.outputs])
  },
  patience: (state) =>
    state.head !== undefined && isIdle(state.head)
      ? greetAfter
      : state.speaker !== undefined
      ? state.speaker.dialect.patience(state.speaker.state)
      : state.head!.length === 0 || introduces(dialects.text, state.head!)
      ? greetAfter
      : patience,
  silence: (state) => {
    if (state.head !== undefined && isIdle(state.head)) return become(state, dialects.text, state.head)
    if (state.speaker !== undefined) {
      const { dialect, state: inner } = state.speaker
      return settle(state, dialect, dialect.silence(inner))
    }
    if (state.head!.length === 0) return settle(state, dialects.text, dialects.text.open(state.hello))
    if (introduces(dialects.text, state.head!)) return become(state, dialects.text, state.head!)
    return Base.step(state, [{
      _tag: "Close",
      bytes: Text.encode(`nothing more came for ${patience / 1000} seconds\n`),
      reason: "handshake timeout"
    }])
  },
  tell: (state, event, stamp) => {
    if (state.speaker === undefined) {
      return { state, bytes: event._tag === "Closing" ? dialects.text.tell(dialects.text.open(state.hello).state, event, stamp).bytes : Base.silent }
    }
    const { dialect, state: inner } = state.speaker
    const told = dialect.tell(inner, event, stamp)
    if (told.state === inner && event._tag !== "Welcome") return { state, bytes: told.bytes }
    return { state: { ...state, speaker: { dialect, state: told.state }, arrived: state.arrived || event._tag === "Welcome" }, bytes: told.bytes }
  },
  rendering: (state, room) => state.speaker?.dialect.rendering(state.speaker.state, room),
  hushed: (state) => state.speaker?.dialect.hushed?.(state.speaker.state) === true,
  speaks: (state) => state.speaker === undefined ? "auto" : state.speaker.dialect.speaks(state.speaker.state),
  chosen: (state) => state.head === undefined && state.first.length === 0 ? state.speaker : undefined
})
