/**
 * The port every way of talking implements: a pure machine between bytes and commands on one side, events and bytes on
 * the other. Does no I/O, has no clock, knows no connection; whoever runs it feeds it and does what it says.
 */
import type { Command } from "./Command.ts"
import * as Crowd from "./Crowd.ts"
import type { Entry, Event, Fact } from "./Event.ts"
import { Sheet } from "./Sheet.ts"
import type { Controlled, Fenced, Observed } from "./World.ts"

/** What a dialect may know of the server it speaks for. */
export interface Hello {
  /** The server's name. */
  readonly server: string
  /** Whether people hear what they say themselves; `undefined` leaves it to the dialect's custom. */
  readonly echo: boolean | undefined
  /** Where the client is. */
  readonly address?: string
  /** It was silent, and has arrived as somebody already. */
  readonly arrived?: boolean
}

/** What was wrong with what came, for the metrics. */
export type Fault = "too-long" | "not-utf8" | "malformed" | "unknown-command" | "not-chat"

/** Bytes for the client that are the dialect's own doing, such as a hint about a line it could not read, for this fault. */
export interface Reply {
  readonly _tag: "Reply"
  readonly bytes: Uint8Array
  readonly fault?: Fault
}

/** The session is over: `bytes` are the last words, `reason` is for the others and for the log. */
export interface Close {
  readonly _tag: "Close"
  readonly bytes: Uint8Array
  readonly reason: string
  readonly fault?: Fault
}

/** What a machine wants done, in order. Nothing after a `Close` is looked at. */
export type Output = Command | Reply | Close

/** The next state and what is to be done. */
export interface Step<State> {
  readonly state: State
  readonly outputs: ReadonlyArray<Output>
  /** Whether more of what came is to be heard, by `receive` of no bytes, once all this is done and its answers were told. */
  readonly more?: boolean
}

/** The next state and what the client is to be sent. */
export interface Telling<State> {
  readonly state: State
  readonly bytes: Uint8Array
}

/** Where an event stands: `seq` in the log, `at` in milliseconds since 1970, and whether it is the session's own doing. */
export interface Stamp {
  readonly seq: number
  readonly at: number
  readonly id: string
  readonly mine: boolean
  /** Whether it came by no room: it is for the session alone, or about somebody whom it watches and meets nowhere. */
  readonly apart?: boolean
  /** Where its author is, as `user@address`, where that is known. */
  readonly from?: string
  /** Whether its author is a program that said so. */
  readonly bot?: boolean
  /** Whether what is told next is of the same doing. */
  readonly more?: boolean
}

/**
 * Entries fetched from the log for one session; `complete` is false when the log has forgotten some that were asked for, and
 * `failed` says that it could not be read, or knows no such message as it was asked by.
 */
export interface Recalled {
  readonly _tag: "Recalled"
  readonly room: string
  readonly why: "joined" | "resumed" | "asked" | "found" | "latest"
  /** What was searched for. */
  readonly words?: string
  readonly entries: ReadonlyArray<Entry>
  readonly complete: boolean
  readonly failed?: boolean
}

/** All that a session can be told. */
export type Heard = Event | Recalled | Fenced | Observed | Controlled

/**
 * The bytes of several entries, one after the other; those of entry `i` end before `ends[i]`. Where entries are told as
 * one, only the last of them has an end; the others' is -1.
 */
export interface Rendered {
  readonly bytes: Uint8Array
  readonly ends: ReadonlyArray<number>
}

/**
 * How events look to everyone for whom nothing about them is personal. Sessions whose rendering is the same value get
 * the same bytes, so they are encoded once for all of them. `room` is the key of the room they are heard in.
 */
export interface Rendering {
  readonly render: (entries: ReadonlyArray<Entry>, room: string) => Rendered
  /** The bytes of the entries from `from` on, which are all `Joined`, without looking at each; the same that `render` gives. */
  readonly arrivals?: (entries: ReadonlyArray<Entry>, from: number, room: string) => Uint8Array
  /** How they look to whoever hears other rooms too, where that is different. */
  readonly besides?: Rendering
}

/** How a first line that says who somebody is is heard. */
export interface Introduction<State> {
  /** Whether these first bytes are the beginning of one, of which more may come. */
  readonly begins: (head: Uint8Array) => boolean
  /** What is asked for by whoever arrives like this and `said` that, these being the first bytes; `undefined` when they are no introduction. */
  readonly meet: (state: State, head: Uint8Array, arrival: ReadonlyArray<Output>, said: ReadonlyArray<Output>) => Step<State> | undefined
}

/** A way of talking: `State` is what it knows of one session. */
export interface Dialect<State> {
  /** As in `--dialect`, in metrics and in the log. */
  readonly name: string
  /** A session takes its seat. */
  readonly open: (hello: Hello) => Step<State>
  /** A first line by which people say who they are, where there is one: whoever sends it arrives as that, and as nobody else before. */
  readonly introduction?: Introduction<State>
  /**
   * Bytes came. However a stream of bytes is cut into calls, the outputs together are the same. Total on any bytes. They are lent
   * for this call: what is kept of them is a copy. What is understood by an answer to what came before waits for it (`more`).
   */
  readonly receive: (state: State, bytes: Uint8Array) => Step<State>
  /** The client sends no more. What is owed will still be sent. */
  readonly end: (state: State) => Step<State>
  /** For how many milliseconds of silence from the client `silence` is to be called; `undefined` for never. */
  readonly patience: (state: State) => number | undefined
  /** Nothing came for that long. */
  readonly silence: (state: State) => Step<State>
  /** The session is told something, in its own words. */
  readonly tell: (state: State, event: Heard, stamp: Stamp) => Telling<State>
  /**
   * How events of the room with this key look to this session when they are by others and about others;
   * `undefined` when they must be told one by one. Telling such an event leaves the state as it is.
   */
  readonly rendering: (state: State, room: string) => Rendering | undefined
  /**
   * Whether this session is told nothing of what it says in a room itself, so that it need not be asked for each such event. Only
   * asked where there is a rendering; where it is not there, the session is told each.
   */
  readonly hushed?: (state: State) => boolean
  /** Which dialect this state speaks, for a machine that chooses. */
  readonly speaks: (state: State) => string
  /** For a machine that chooses and has chosen: who everything can be asked of from now on, as well as of it. */
  readonly chosen?: (state: State) => Chosen | undefined
}

/** A dialect, and where it stands. */
export interface Chosen {
  readonly dialect: Any
  readonly state: unknown
}

/** A dialect whose state is nobody's business. */
// oxlint-disable-next-line typescript/no-explicit-any -- a state goes in and out, so neither unknown nor never fits
export type Any = Dialect<any>

/** No bytes. */
export const silent: Uint8Array = new Uint8Array(0)

const noOutputs: ReadonlyArray<Output> = []

/** Nothing to do. */
export const step = <State>(state: State, outputs: ReadonlyArray<Output> = noOutputs, more = false): Step<State> => ({ state, outputs, more })

/** Where renderings put together what they render. */
export const sheet = new Sheet()

/**
 * A rendering made of rules: how an entry reads, and how many comings and goings in a row read together.
 */
export const rendering = (rules: {
  readonly line: (entry: Entry) => string
  /** Adds the bytes of `line`, where they are as quickly made as the text; else false, and what it added is taken back. */
  readonly quick?: (entry: Entry, sheet: Sheet) => boolean
  readonly crowd: (entries: ReadonlyArray<Entry>, room: string) => string
  /** Which comings and goings are told as one; all, unless it is said. */
  readonly summed?: (event: Fact) => boolean
  /** A crowd from `from` on that only comes. */
  readonly arrivals?: (entries: ReadonlyArray<Entry>, from: number, room: string) => string
}): Rendering => ({
  ...(rules.arrivals === undefined ? {} : { arrivals: arrivalsBy(rules.arrivals, rules.line) }),
  render: (entries, room) => {
    const ends: Array<number> = []
    sheet.clear()
    for (let i = 0; i < entries.length; i++) {
      const crowd = entries.length - i < Crowd.crowdSize ? 0 : Crowd.run(entries, i, rules.summed)
      if (crowd >= Crowd.crowdSize) {
        sheet.text(rules.crowd(entries.slice(i, i + crowd), room))
        for (let j = 1; j < crowd; j++) ends.push(-1)
        i += crowd - 1
      } else {
        const before = sheet.length
        if (rules.quick?.(entries[i]!, sheet) !== true) {
          sheet.length = before
          sheet.text(rules.line(entries[i]!))
        }
      }
      ends.push(sheet.length)
    }
    return { bytes: sheet.taken(), ends }
  }
})

const arrivalsBy = (
  crowd: (entries: ReadonlyArray<Entry>, from: number, room: string) => string,
  line: (entry: Entry) => string
) =>
(entries: ReadonlyArray<Entry>, from: number, room: string): Uint8Array =>
  Buffer.from(entries.length - from >= Crowd.crowdSize ? crowd(entries, from, room) : entries.slice(from).map(line).join(""))
