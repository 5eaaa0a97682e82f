/**
 * For people on nc and telnet: a line is said, a line that starts with / is a command, a line that starts with -!- is the
 * server speaking. Knows no rules of the chat; keeps only which room a line goes to and whom the person ignores.
 */
import type { Dialect, Output } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import * as Line from "../Line.ts"
import * as Name from "../Name.ts"
import * as Telnet from "../Telnet.ts"
import { rendering, tell } from "./Plain/Shown.ts"
import { maxPending, replayed, type State, turnTo } from "./Plain/State.ts"
import { ask, cut, goodbye, type Heard, hearLine, hearLines, hearSimple } from "./Plain/Typed.ts"

const ETX = 3
const EOT = 4

/** Data without telnet's bytes: lines, up to ^C or ^D. */
const hearData = (state: State, data: Uint8Array): Heard => {
  const interrupt = data.indexOf(ETX)
  const ended = data.indexOf(EOT)
  const stop = interrupt === -1 ? ended : ended === -1 ? interrupt : Math.min(interrupt, ended)
  const { lines, pending } = Line.split(state.pending, stop === -1 ? data : data.subarray(0, stop))
  const outputs: Array<Output> = []
  const next = hearLines(state, lines, outputs)
  if (Line.outgrown(pending, maxPending)) {
    outputs.push(cut(`line too long: at most ${maxPending} bytes may come without a newline`))
  } else if (stop !== -1) outputs.push(goodbye(""))
  return { state: pending === next.pending ? next : { ...next, pending }, outputs }
}

const receive = (state: State, bytes: Uint8Array): Base.Step<State> => {
  // In most chunks is nothing but lines of text, and with them comes nothing of what follows below.
  const lines = state.pending.length === 0 && state.telnet.at === "data" ? Line.simple(bytes) : undefined
  if (lines !== undefined) return hearSimple(state, lines)
  let next = state
  let rest = bytes
  const outputs: Array<Output> = []
  while (rest.length > 0) {
    const heard = Telnet.hear(next.telnet, rest)
    const done = hearData(heard.telnet === next.telnet ? next : { ...next, telnet: heard.telnet }, heard.data)
    next = done.state
    rest = heard.rest
    if (outputs.length === 0 && rest.length === 0 && heard.stopped === "" && heard.reply.length === 0) {
      return Base.step(next, done.outputs)
    }
    for (const output of done.outputs) outputs.push(output)
    if (heard.reply.length > 0) outputs.push({ _tag: "Reply", bytes: heard.reply })
    if (heard.stopped !== "") {
      outputs.push(heard.stopped === "asked" ? goodbye("") : cut("telnet negotiation too long"))
      break
    }
  }
  return Base.step(next, outputs)
}

/** A first line by which somebody says what to call them; short, so that it need not be waited for long. */
const calling = /^\/nick[\t ][\t -~]{1,64}\r?\n/i

/** The beginning of such a line. */
const callingYet = /^\/(?:n(?:i(?:c(?:k(?:[\t ](?:[\t -~]{0,64}|[\t -~]{1,64}\r))?)?)?)?)?$/i

/** A byte order mark before it is no part of it (SURVIVE row 8). */
const start = (head: Uint8Array): string => Buffer.from(head.subarray(0, 80)).toString("latin1").replace(/^\u00ef\u00bb\u00bf/, "")

/** Whoever says first what to call them comes under that nick, and is never seen as a guest. */
const introduction: Base.Introduction<State> = {
  begins: (head) => callingYet.test(start(head)),
  meet: (state, head, arrival, [first, ...others]) =>
    first?._tag === "SetNick" && calling.test(start(head))
      ? Base.step({ ...state, wish: first.nick }, [...arrival.map((one) => one._tag === "Arrive" ? { ...one, nick: first.nick, guest: true } : one), ...others])
      : undefined
}

/** The plain dialect. */
export const plain: Dialect<State> = {
  name: "plain",
  open: (hello) => {
    const state: State = {
      server: hello.server,
      echo: hello.echo ?? false,
      nick: "",
      telnet: Telnet.start,
      pending: Line.nothing,
      begun: false,
      rooms: [],
      talking: undefined,
      ignored: new Set()
    }
    return Base.step(turnTo(state, Name.lobby), [
      { _tag: "Arrive" },
      { _tag: "Join", room: Name.lobby, last: replayed }
    ])
  },
  introduction,
  receive,
  end: (state) => {
    const pending = Line.last(state.pending)
    const heard = pending === undefined ? ask(state) : hearLine(state, pending)
    return Base.step({ ...heard.state, pending: Line.nothing }, [...heard.outputs, goodbye("")])
  },
  patience: () => undefined,
  silence: (state) => Base.step(state),
  tell,
  rendering,
  hushed: (state) => !state.echo,
  speaks: () => "plain"
}
