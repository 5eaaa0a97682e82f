/**
 * How a client is told what it asked for: answers about the world, its fences, history, and what was not granted.
 * Knows neither the answers nor the refusals themselves.
 */
import type { Heard, Recalled, Telling } from "../../Dialect.ts"
import type { Event, Fact } from "../../Event.ts"
import * as Name from "../../Name.ts"
import * as Text from "../../Text.ts"
import * as World from "../../World.ts"
import * as Answers from "./Answers.ts"
import * as Capabilities from "./Capabilities.ts"
import type { Token } from "./Client.ts"
import * as Labels from "./Labels.ts"
import * as Message from "./Message.ts"
import * as Past from "./Past.ts"
import * as Refusals from "./Refusals.ts"
import * as Show from "./Show.ts"
import { answered, outright, type State } from "./State.ts"

type Refused = Event & { readonly _tag: "Refused" }

/** Not let in: it may try again, under another nick. What it was told already is not said twice. */
const notLetIn = (state: State, event: Refused): Telling<State> => {
  if (event.code === "already-here") return outright(state, "")
  const next: State = { ...state, stage: "new", nick: "*", wanted: undefined, taken: undefined }
  return (event.code === "nick-taken" || event.code === "erroneous") && event.nick === state.taken ? outright(next, "") : answered(next, Refusals.lines(next, event))
}

const refused = (before: State, event: Refused): Telling<State> => {
  const state = event.command === "SetNick" ? { ...before, wanted: undefined } : before
  if (event.command === "Arrive" || (event.command === "SetNick" && state.arrived && state.stage !== "here")) return notLetIn(state, event)
  // Who was not let in changed the nick it wanted; that is no change.
  if (state.hushed || (event.command === "SetNick" && event.code === "not-arrived")) return outright(state, "")
  if (event.command === "History") {
    const { sub, target } = state.past ?? { sub: "*", target: Name.withHash(event.room ?? "") }
    return answered(state, [Past.failed(state, "INVALID_TARGET", sub, target, "Messages could not be retrieved")])
  }
  const amiss = event.code === "erroneous" && event.path !== undefined ? state.amiss[Number(event.path)] : undefined
  return answered(state, amiss === undefined ? Refusals.lines(state, event) : [amiss])
}

/** An answer about the world, where there is still cause for it. */
const observed = (state: State, event: World.Observed): Telling<State> => {
  const question = event.question as Answers.Question
  const answer = (asker: State) => Answers.answer(asker, question, event)
  switch (question._tag) {
    case "Pong":
      return answered(state, answer(state))
    case "Taken": {
      const lines = answer({ ...state, nick: "*" })
      if (lines.length === 0 || state.stage === "here") return outright(state, "")
      // Only what is asked for already will be refused once more.
      const taken = state.stage === "asked" ? question.nick : undefined
      return answered({ ...state, taken, wanted: state.wanted === question.nick ? undefined : state.wanted }, lines)
    }
    case "Welcome": {
      const here = state.stage === "here" || (state.arrived && state.stage === "asked")
      return state.greeted || !here ? outright(state, "") : answered({ ...state, greeted: true, stage: "here" }, answer(state))
    }
    case "EndOfTargets":
      return endOfTargets(state, event.world)
    case "Joined":
      return state.entered === Name.key(Name.withoutHash(question.room)) ? answered({ ...state, entered: undefined }, answer(state)) : outright(state, "")
    default:
      return answered(state, state.stage === "here" ? answer(state) : [Message.print(state.server, "451", "*", "You have not registered")])
  }
}

const recalled = (state: State, { entries, failed, room, why }: Recalled): Telling<State> => {
  if (why === "latest" && state.targets !== undefined) {
    const found = entries.map(({ at }) => ({ name: Name.withHash(room), at }))
    return outright({ ...state, targets: { ...state.targets, found: [...state.targets.found, ...found] } }, "")
  }
  if (why !== "asked") return outright(state, "")
  const { sub, target } = state.past ?? { sub: "*", target: Name.withHash(room) }
  if (failed === true) return answered(state, [Past.failed(state, "MESSAGE_ERROR", sub, target, "Messages could not be retrieved")])
  const told = Show.rendering(Capabilities.ofRooms(state.caps)).render(entries, Name.key(room))
  return together(state, `chathistory ${target}`, Labels.single([Buffer.from(told.bytes).toString()]))
}

/** Lines as one batch, where there are batches. */
const together = (state: State, batch: string, lines: ReadonlyArray<string>): Telling<State> => {
  if (!Capabilities.has(state.caps, "batch")) return answered(state, lines)
  const batches = state.batches + 1
  return answered({ ...state, batches }, [
    `:${state.server} BATCH +b${batches} ${batch}\r\n`,
    ...lines.map((line) => Labels.withTag(line, `batch=b${batches}`)),
    `:${state.server} BATCH -b${batches}\r\n`
  ])
}

/** The rooms that were found, and whom one whispered with who is still here. */
const endOfTargets = ({ targets, ...rest }: State, world: World.World): Telling<State> => {
  const state: State = { ...rest, targets: undefined }
  if (targets === undefined) return outright(state, "")
  const peers = state.peers.filter(({ name }) => World.holder(world, name) !== undefined)
  return together(state, "draft/chathistory-targets", Past.targetLines(state, targets.wanted, [...targets.found, ...peers]))
}

const endOfLabel = (state: State): Telling<State> => {
  if (state.labelled === undefined) return outright(state, "")
  const { label, lines } = state.labelled
  const batches = state.batches + 1
  return outright({ ...state, labelled: undefined, batches }, Labels.labelled(state, label, lines, `b${batches}`))
}

const passFence = (state: State, token: Token): Telling<State> => {
  switch (token._tag) {
    case "Label":
      return outright({ ...state, labelled: { label: token.label, lines: [] } }, "")
    case "EndOfLabel":
      return endOfLabel(state)
    case "Lines":
      return answered(state, token.lines)
    case "Hush":
      return outright({ ...state, hushed: token.on }, "")
    case "Sight":
      return outright({ ...state, looking: token.on }, "")
    case "Past":
      return outright({ ...state, past: { sub: token.sub, target: token.target } }, "")
    case "Targets":
      return outright({ ...state, targets: { wanted: token.wanted, found: [] } }, "")
    case "Amiss":
      return outright({ ...state, amiss: token.lines }, "")
  }
}

/** What is for this client alone, and is not kept. */
export const tell = (state: State, event: Exclude<Heard, Fact>): Telling<State> => {
  switch (event._tag) {
    case "Fenced":
      return passFence(state, event.token as Token)
    case "Observed":
      return observed(state, event)
    case "Recalled":
      return recalled(state, event)
    case "Welcome":
      return outright({ ...state, nick: event.nick, wanted: undefined, stage: "here" }, "")
    case "Refused":
      return refused(state, event)
    case "IsAway":
      return answered(state, [Message.print(state.server, "301", state.nick, event.nick, event.message)])
    case "Seen": {
      const line = Answers.seen(state, event.nick, event.from)
      return state.looking ? answered(state, [line]) : outright(state, line)
    }
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
    case "Waiting":
      return outright(state, Message.print(state.server, "NOTICE", state.nick, event.reason))
    case "Controlled":
      return event.what === "rehash" ? answered(state, [Message.print(state.server, "382", state.nick, "settings", "Rehashing")]) : outright(state, "")
    case "Closing":
      return outright(
        state,
        (event.by === undefined ? "" : Message.print(Message.word(event.by), "KILL", state.nick, Message.clean(Text.truncate(event.why ?? event.reason, 300))))
          + `ERROR :Closing link: ${Message.clean(Text.truncate(event.reason, 300))}\r\n`
      )
    default:
      return outright(state, "")
  }
}
