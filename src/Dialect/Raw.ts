/**
 * The tutorial's server: whatever bytes come go out to everybody, as they are.
 * Knows no lines, no nicks, no commands.
 */
import type { Dialect, Rendering, Stamp, Telling } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import * as Name from "../Name.ts"
import * as Text from "../Text.ts"

/** What of a session's customs matters: does it hear itself? */
export interface State {
  readonly echo: boolean
}

const words = (event: Base.Heard): Uint8Array =>
  event._tag === "Passed"
    ? event.bytes
    : event._tag === "Said"
    ? Text.encode(event.text + "\n")
    : event._tag === "Closing"
    ? Text.encode(event.reason + "\n")
    : Base.silent

const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => parts.length === 1 ? parts[0]! : Buffer.concat(parts)

const rendering: Rendering = {
  render: (entries) => {
    const parts = entries.map((entry) => words(entry.event))
    let end = 0
    return { bytes: concat(parts), ends: parts.map((part) => end += part.length) }
  }
}

/** The raw dialect. Only what is passed in the lobby, and what a host says there, reaches its clients. */
export const raw: Dialect<State> = {
  name: "raw",
  open: (hello) =>
    Base.step({ echo: hello.echo ?? true }, [{ _tag: "Arrive" }, { _tag: "Join", room: Name.lobby }]),
  receive: (state, bytes) =>
    bytes.length === 0 ? Base.step(state) : Base.step(state, [{ _tag: "Pass", room: Name.lobby, bytes: Uint8Array.from(bytes) }]),
  end: (state) => Base.step(state, [{ _tag: "Close", bytes: Base.silent, reason: "" }]),
  patience: () => undefined,
  silence: (state) => Base.step(state),
  tell: (state, event, stamp: Stamp): Telling<State> => ({
    state,
    bytes: stamp.mine && !state.echo ? Base.silent : words(event)
  }),
  rendering: () => rendering,
  hushed: (state) => !state.echo,
  speaks: () => "raw"
}
