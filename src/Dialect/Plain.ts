/**
 * For people on nc and telnet: a line is said, a line that starts with / is a command, a line that starts with -!- is the
 * server speaking. Knows no rules of the chat; keeps only which room a line goes to and whom the person ignores.
 */
import type { Dialect } from "../Dialect.ts"
import * as Base from "../Dialect.ts"
import * as Line from "../Line.ts"
import * as Name from "../Name.ts"
import * as Telnet from "../Telnet.ts"
import { rendering, tell } from "./Plain/Shown.ts"
import { type Item, maxPending, replayed, type State, turnTo } from "./Plain/State.ts"
import { ask, cut, goodbye, hearLine, hearSimple } from "./Plain/Typed.ts"
import * as Turns from "./Turns.ts"

/** How long whoever is not let in may be silent, in milliseconds. */
export const patience = 30_000

const ETX = 3
const EOT = 4

/** What comes in data without telnet's bytes: lines, up to ^C or ^D. */
const itemsOf = (pending: Line.Pending, data: Uint8Array): { readonly items: ReadonlyArray<Item>; readonly pending: Line.Pending } => {
  const interrupt = data.indexOf(ETX)
  const ended = data.indexOf(EOT)
  const stop = interrupt === -1 ? ended : ended === -1 ? interrupt : Math.min(interrupt, ended)
  const cutting = Line.split(pending, stop === -1 ? data : data.subarray(0, stop))
  return {
    items: Line.outgrown(cutting.pending, maxPending)
      ? [...cutting.lines, cut(`line too long: at most ${maxPending} bytes may come without a newline`, "too-long")]
      : stop === -1
      ? cutting.lines
      : [...cutting.lines, goodbye("")],
    pending: cutting.pending
  }
}

const hear = (state: State, item: Item): Base.Step<State> =>
  typeof item === "object" && "_tag" in item ? Base.step(state, [item]) : hearLine(state, item)

const hearWaiting = (state: State, waiting: Turns.Waiting<Item>): Base.Step<State> => {
  const turn = new Turns.Turn(state)
  const left = turn.hear(waiting, hear)
  return Base.step(turn.state.waiting === left ? turn.state : { ...turn.state, waiting: left }, turn.outputs, left !== Turns.nothing)
}

/** Lines of which it is known that all of their characters are printable ASCII. */
const hearSimples = (state: State, lines: ReadonlyArray<string>): Base.Step<State> => {
  const turn = new Turns.Turn(state)
  let heard = 0
  while (heard < lines.length && hearSimple(turn, lines[heard]!)) heard++
  return heard === lines.length
    ? Base.step(turn.state, turn.outputs)
    : Base.step({ ...turn.state, waiting: { items: lines, from: heard } }, turn.outputs, true)
}

const receive = (state: State, bytes: Uint8Array): Base.Step<State> => {
  if (bytes.length === 0) return hearWaiting(state, state.waiting)
  // In most chunks is nothing but lines of text, and with them comes nothing of what follows below.
  const lines = state.pending.length === 0 && state.telnet.at === "data" && state.waiting === Turns.nothing ? Line.simple(bytes) : undefined
  if (lines !== undefined) return hearSimples(state, lines)
  let { pending, telnet } = state
  let rest = bytes
  const items: Array<Item> = []
  while (rest.length > 0) {
    const heard = Telnet.hear(telnet, rest)
    const came = itemsOf(pending, heard.data)
    telnet = heard.telnet
    pending = came.pending
    rest = heard.rest
    for (const item of came.items) items.push(item)
    if (heard.reply.length > 0) items.push({ _tag: "Reply", bytes: heard.reply })
    if (heard.stopped !== "") {
      items.push(heard.stopped === "asked" ? goodbye("") : cut("telnet negotiation too long"))
      break
    }
  }
  return hearWaiting(pending === state.pending && telnet === state.telnet ? state : { ...state, pending, telnet }, Turns.followed(state.waiting, items))
}

/** A first line by which somebody says what to call them; short, so that it need not be waited for long. */
const calling = /^\/nick[\t ][\t -~]{1,64}\r?\n/i

/** The beginning of such a line. */
const callingYet = /^\/(?:n(?:i(?:c(?:k(?:[\t ](?:[\t -~]{0,64}|[\t -~]{1,64}\r))?)?)?)?)?$/i

/** A byte order mark before it is no part of it (row 8). */
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
      waiting: Turns.nothing,
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
  patience: (state) => state.nick === "" ? patience : undefined,
  silence: (state) => Base.step(state, state.nick === "" ? [cut(`nothing came for ${patience / 1000} seconds`)] : []),
  tell,
  rendering,
  hushed: (state) => !state.echo,
  speaks: () => "plain"
}
