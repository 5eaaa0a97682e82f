/**
 * How a client is told of what happened: what it did itself, with its own changes of modes as one line, and what others did.
 * Knows no line that Show does not know but those in which a client is answered.
 */
import type { Stamp, Telling } from "../../Dialect.ts"
import * as Base from "../../Dialect.ts"
import type { Fact } from "../../Event.ts"
import * as Name from "../../Name.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"
import * as Past from "./Past.ts"
import * as Show from "./Show.ts"
import { answered, followed, outright, type State } from "./State.ts"

/** Changes of modes that wait, as one line. */
export const flushed = (state: State): Telling<State> => {
  if (state.modes === undefined) return { state, bytes: Base.silent }
  const { by, changes, stamp, target } = state.modes
  const line = Show.mode(state.caps, stamp, by, target, changes)
  const next: State = { ...state, modes: undefined }
  return stamp.mine ? answered(next, [line]) : outright(next, line)
}

/** Whose modes are changed, and by whom; `undefined` where none are. */
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

/** A change of modes waits for those that are of the same doing. */
const changed = (state: State, event: Fact, stamp: Stamp, by: string, target: string): Telling<State> => {
  const changes = [...(state.modes?.changes ?? []), ...Modes.changes(event)]
  const waiting: State = { ...state, modes: { stamp, by, target, changes } }
  return stamp.more === true ? outright(waiting, "") : flushed(waiting)
}

/** What one did oneself. */
const tellOwn = (state: State, event: Fact, stamp: Stamp): Telling<State> => {
  if (event._tag === "Said" && !Capabilities.has(state.caps, "echo-message")) return outright(state, "")
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
      return toMyself ? followed(echoed, (next) => outright(next, line)) : echoed
    }
    case "Renamed":
      return answered({ ...state, nick: event.to, wanted: undefined }, [line])
    case "Joined": {
      // That one is away is told to others only (https://ircv3.net/specs/extensions/away-notify).
      const { away: _, ...joined } = event
      return answered({ ...state, entered: Name.key(event.room) }, [Show.event(state.caps, joined, stamp)])
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

/** Something happened. */
export const tell = (state: State, event: Fact, stamp: Stamp): Telling<State> => {
  const change = changedBy(event)
  if (change === undefined && state.modes === undefined) return told(state, event, stamp)
  if (change === undefined || (state.modes !== undefined && state.modes.target !== change.target)) {
    return followed(flushed(state), (next) => change === undefined ? told(next, event, stamp) : changed(next, event, stamp, change.by, change.target))
  }
  const waits = changed(state, event, stamp, change.by, change.target)
  // Whoever becomes an operator of the server is told so besides.
  return event._tag === "Opered" ? followed(waits, (next) => told(next, event, stamp)) : waits
}

/** Whom one whispers with is remembered for who may ask for it. */
const noted = (state: State, event: Fact, { at, mine }: Stamp): State =>
  event._tag === "Whispered" && Capabilities.has(state.caps, "draft/chathistory")
    ? { ...state, peers: Past.whispered(state.peers, mine ? event.to : event.nick, at) }
    : state

const told = (before: State, event: Fact, stamp: Stamp): Telling<State> => {
  const state = noted(before, event, stamp)
  return stamp.mine ? tellOwn(state, event, stamp) : tellOthers(state, event, stamp)
}
