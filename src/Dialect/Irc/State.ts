/**
 * What the irc dialect remembers of a client, and how lines become what it is sent: at once, or kept for the one answer that
 * a label is on. Knows neither what is said nor what happens.
 */
import type { Stamp, Telling } from "../../Dialect.ts"
import * as Base from "../../Dialect.ts"
import type * as Line from "../../Line.ts"
import * as Text from "../../Text.ts"
import type { Client, Wanted } from "./Client.ts"
import type * as Modes from "./Modes.ts"
import type * as Past from "./Past.ts"
import type * as Turns from "../Turns.ts"

export interface State extends Client {
  readonly pending: Line.Pending
  /** Lines that are heard when what came before them was answered. */
  readonly waiting: Turns.Waiting<Line.Line>
  /** Whether the client was asked if it is there since it last said anything. */
  readonly pinged: boolean
  /** Lines since it came, until it has arrived. */
  readonly early: number
  /** The label that what is told now belongs to, and the lines of the answer so far. */
  readonly labelled: { readonly label: string; readonly lines: ReadonlyArray<string> } | undefined
  /** Changes of modes of one doing, as far as they are known; they are told as one line. */
  readonly modes: { readonly stamp: Stamp; readonly by: string; readonly target: string; readonly changes: ReadonlyArray<Modes.Change> } | undefined
  /** What to say where a wish of several is refused as erroneous, by its place among them. */
  readonly amiss: ReadonlyArray<string | undefined>
  /** Nothing is refused aloud: what was asked wants no answer. */
  readonly hushed: boolean
  /** That somebody one watches is here, or is not, answers what was asked. */
  readonly looking: boolean
  /** The nick that it was told is taken while being let in under it was asked for: that is not told again. */
  readonly taken: string | undefined
  /** Whether it was greeted. */
  readonly greeted: boolean
  /** The key of the room it came into last, until it is told of it. */
  readonly entered: string | undefined
  /** The history it asked for last, in its words. */
  readonly past: { readonly sub: string; readonly target: string } | undefined
  /** With whom it whispered last, and when, latest last; where it may ask for that. */
  readonly peers: ReadonlyArray<Past.Target>
  /** Which rooms it asked for by when they were talked in last, and what is known of them so far. */
  readonly targets: { readonly wanted: Wanted; readonly found: ReadonlyArray<Past.Target> } | undefined
  /** How many batches were begun. */
  readonly batches: number
}

/** Lines that answer what was asked: kept for the labelled answer, if it is one. */
export const answered = (state: State, lines: ReadonlyArray<string>): Telling<State> => {
  if (lines.length === 0) return { state, bytes: Base.silent }
  return state.labelled === undefined
    ? { state, bytes: Text.encode(lines.join("")) }
    : { state: { ...state, labelled: { ...state.labelled, lines: [...state.labelled.lines, ...lines] } }, bytes: Base.silent }
}

/** A line that answers nothing. */
export const outright = (state: State, line: string): Telling<State> => ({ state, bytes: line === "" ? Base.silent : Text.encode(line) })

/** One telling after another. */
export const followed = (first: Telling<State>, second: (state: State) => Telling<State>): Telling<State> => {
  const next = second(first.state)
  return { state: next.state, bytes: first.bytes.length === 0 ? next.bytes : next.bytes.length === 0 ? first.bytes : Buffer.concat([first.bytes, next.bytes]) }
}
