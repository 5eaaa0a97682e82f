/**
 * What follows when somebody asks for something: each command goes to the rules there are for it.
 * Knows nothing of connections, bytes, logs or time's passing.
 */
import type { Command, Together } from "../Command.ts"
import type { Code, SessionId } from "../Event.ts"
import * as Being from "./Being.ts"
import { arrive, introduce, join } from "./Entering.ts"
import { evolve } from "./Evolve.ts"
import { answer, nothing, refuse } from "./Granting.ts"
import { isKept, type Moment, type Outcome } from "./Outcome.ts"
import * as Running from "./Running.ts"
import * as Serving from "./Serving.ts"
import * as Showing from "./Showing.ts"
import { person, type World } from "./State.ts"
import { pass, say } from "./Talking.ts"

/** Why nothing of several wishes for a room is granted. */
const forAll: ReadonlySet<Code | undefined> = new Set(["no-room", "not-in-room", "not-operator"] as const)

const together = (world: World, by: SessionId, { wishes }: Together, moment: Moment): ReadonlyArray<Outcome> => {
  const outcomes: Array<Outcome> = []
  const refusals: Array<Outcome> = []
  const said = new Set<string>()
  let head = world
  for (const [i, wish] of wishes.entries()) {
    for (const outcome of decide(head, by, wish, moment)) {
      if (isKept(outcome)) head = evolve(head, by, outcome.event, moment.at)
      else if (outcome.answer._tag === "Refused") {
        const { code, room: of } = outcome.answer
        const why = `${code} ${of}`
        if (!said.has(why)) refusals.push({ ...outcome, answer: { ...outcome.answer, path: String(i) } })
        if (forAll.has(code)) said.add(why)
        continue
      }
      outcomes.push(outcome)
    }
  }
  return [...refusals, ...outcomes]
}

const notArrived = (asked: Command) => refuse(asked, "not-arrived", "you are not let in yet; say who you are, with the password where one is wanted")

/** As `decide` for what is said, which is nearly all that is asked, and needs no moment. */
export const decideSaying = (world: World, by: SessionId, asked: Command & { readonly _tag: "Say" }): ReadonlyArray<Outcome> => {
  const who = person(world, by)
  return who === undefined ? notArrived(asked) : say(world, who, asked)
}

/**
 * What follows when the session `by` asks for `command`: events to keep with those who hear them, and answers to the
 * asker, in order. A refusal is an answer. Total: any command from anybody gets something.
 */
export const decide = (world: World, by: SessionId, asked: Command, moment: Moment): ReadonlyArray<Outcome> => {
  switch (asked._tag) {
    case "Arrive":
      return arrive(world, by, asked, moment)
    case "Fence":
      return answer({ _tag: "Fenced", token: asked.token })
    case "Observe":
      return answer({ _tag: "Observed", question: asked.question, world, moment })
    case "Together":
      return together(world, by, asked, moment)
  }
  const who = person(world, by)
  if (who === undefined) return asked._tag === "Quit" ? nothing : notArrived(asked)
  switch (asked._tag) {
    case "Say":
    case "Whisper":
    case "Hint":
      return say(world, who, asked)
    case "Pass":
      return pass(world, who, asked)
    case "SetNick":
      return Being.setNick(world, who, asked, moment)
    case "SetAway":
      return Being.setAway(world, who, asked)
    case "Introduce":
      return introduce(world, who, asked, moment)
    case "SetRealname":
      return Being.setRealname(world, who, asked)
    case "SetTrait":
      return Being.setTrait(who, asked)
    case "Watch":
      return Being.watch(world, who, asked)
    case "Quit":
    case "Dismiss":
      return Being.quit(world, who, asked)
    case "Join":
      return join(world, who, asked, moment)
    case "Part":
      return Running.part(world, who, asked)
    case "PartAll":
      return Running.partAll(world, who)
    case "SetTopic":
      return Running.setTopic(world, who, asked)
    case "SetRank":
      return Running.setRank(world, who, asked)
    case "SetModerated":
      return Running.setModerated(world, who, asked)
    case "SetFlag":
      return Running.setFlag(world, who, asked)
    case "SetKey":
      return Running.setKey(world, who, asked)
    case "SetLimit":
      return Running.setLimit(world, who, asked)
    case "SetMask":
      return Running.setMask(world, who, asked)
    case "Invite":
      return Running.invite(world, who, asked)
    case "Kick":
      return Running.kick(world, who, asked)
    case "Look":
    case "Names":
    case "Masks":
      return Showing.look(world, who, asked)
    case "List":
      return Showing.list(world, who)
    case "Who":
      return Showing.describe(world, who, asked)
    case "History":
      return Showing.history(world, who, asked)
    case "Search":
      return Showing.search(world, who, asked)
    case "Recollect":
      return Showing.recollect(world, who, asked)
    case "Latest":
      return Showing.latest(world, who)
    case "Motd":
      return answer({ _tag: "Motd", lines: moment.motd })
    case "Oper":
      return Serving.oper(who, asked, moment)
    case "Kill":
      return Serving.kill(world, who, asked)
    case "Wallop":
      return Serving.wallop(world, who, asked)
    case "Control":
      return Serving.control(who, asked)
  }
}
