/**
 * Random scripts of a few clients, run in random interleavings, checked against a small model written from docs/design.md:
 * it knows what was kept, in which order, and works out by itself who had to hear what, and what had to be refused.
 * `CHAT_SEED=17` runs one seed, `CHAT_SEED=1-5000` a range.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { Log } from "../src/Log.ts"
import type { Memory } from "../src/testing.ts"
import { heard, lines, open, type Told } from "./house.ts"
import { chance, seeded } from "./seeded.ts"

// --- scripts ---------------------------------------------------------------------------------------------------------

type Wish =
  | { readonly _tag: "Say"; readonly target: string; readonly text: string }
  | { readonly _tag: "Whisper"; readonly nick: string; readonly text: string }
  | { readonly _tag: "Join" | "Part" | "Names"; readonly room: string }
  | { readonly _tag: "SetNick"; readonly nick: string }
  | { readonly _tag: "SetTopic"; readonly room: string; readonly topic: string }
  | { readonly _tag: "Kick"; readonly room: string; readonly nick: string }
  | { readonly _tag: "Motd" | "Quit" | "Nonsense" }

type Step =
  | { readonly step: "ask"; readonly wishes: ReadonlyArray<Wish>; readonly cut: number }
  | { readonly step: "wait"; readonly turns: number }
  | { readonly step: "chatter"; readonly wishes: ReadonlyArray<Wish> }
  | { readonly step: "stop" | "read" | "sip" | "hold" | "release" | "end" | "reset" }

interface Script {
  readonly speaks: "json" | "plain"
  readonly steps: ReadonlyArray<Step>
  readonly ending: "stays" | "ends" | "resets" | "quits" | "never reads"
}

interface Play {
  readonly scripts: ReadonlyArray<Script>
  readonly rate: { readonly burst: number; readonly perSecond: number } | undefined
  readonly history: number
  readonly slowLog: boolean
}

const rooms = ["a", "b", "lobby"]

const write = (seed: number): Play => {
  const next = chance(seed)
  const below = (n: number) => Math.floor(next() * n)
  const pick = <A>(of: ReadonlyArray<A>): A => of[below(of.length)]!
  const maybe = (p: number) => next() < p
  const repeat = <A>(n: number, make: () => A): Array<A> => Array.from({ length: n }, make)
  // In a room of more than 32 comings and goings are told later, and together.
  const crowded = maybe(0.08)
  const k = crowded ? 34 + below(6) : 2 + below(4)
  const rate = maybe(0.25) ? { burst: 10, perSecond: 2 } : undefined
  const busy = rate === undefined && !crowded && maybe(0.25)
  let texts = 0
  const nick = () => pick(["x", "y", ...Array.from({ length: k }, (_, i) => `n${i}`)])
  const text = (long: boolean) => `m${++texts}.${long ? "z".repeat(3000) : ""}`

  const wish = (who: number): ReadonlyArray<Wish> => {
    const at = below(100)
    const room = pick(rooms)
    return at < 35
      ? [{ _tag: "Say", target: `#${room}`, text: text(false) }]
      : at < 52
      ? [{ _tag: "Join", room }]
      : at < 60
      ? [{ _tag: "Part", room }]
      : at < 67
      ? [{ _tag: "SetNick", nick: maybe(0.5) ? `n${who}` : nick() }]
      : at < 75
      ? [{ _tag: "Whisper", nick: nick(), text: text(false) }]
      : at < 85
      ? [{ _tag: "Names", room }]
      : at < 88
      ? [{ _tag: "Motd" }]
      : at < 91
      ? [{ _tag: "SetTopic", room, topic: text(false) }]
      : at < 95
      ? [{ _tag: "Kick", room, nick: nick() }]
      : at < 97
      ? [{ _tag: "Nonsense" }]
      : [0, 1, 2, 3, 4, 5].map((i) => ({ _tag: i % 2 === 0 ? "Part" : "Join", room }))
  }

  const step = (who: number): Step => {
    const at = below(100)
    return at < 60
      ? { step: "ask", wishes: repeat(1 + below(4), () => wish(who)).flat(), cut: pick([Infinity, Infinity, 1, 3, 50]) }
      : at < 80
      ? { step: "wait", turns: 1 + below(12) }
      : at < 86
      ? { step: "stop" }
      : at < 90
      ? { step: "read" }
      : at < 93
      ? { step: "sip" }
      : at < 95
      ? { step: "hold" }
      : at < 97 || !busy
      ? { step: "release" }
      : at < 99
      ? { step: "chatter", wishes: repeat(40 + below(200), () => ({ _tag: "Say", target: "#a", text: text(maybe(0.5)) })) }
      : { step: "ask", wishes: repeat(60, () => ({ _tag: "Say", target: "#b", text: text(true) })), cut: Infinity }
  }

  const scripts = Array.from({ length: k }, (_, who): Script => {
    const ending = pick(["stays", "stays", "stays", "ends", "ends", "resets", "quits", "never reads"] as const)
    return {
      speaks: maybe(0.6) ? "json" : "plain",
      ending,
      steps: [
        { step: "wait", turns: below(5) },
        { step: "ask", wishes: [{ _tag: "SetNick", nick: `n${who}` }, { _tag: "Join", room: "a" }], cut: Infinity },
        ...repeat(crowded ? 1 + below(5) : 4 + below(18), () => step(who)),
        ...ending === "ends"
          ? [{ step: "release" }, { step: "end" }] as const
          : ending === "resets"
          ? [{ step: "reset" }] as const
          : ending === "quits"
          ? [{ step: "release" }, { step: "ask", wishes: [{ _tag: "Quit" }], cut: Infinity }] as const
          : ending === "never reads"
          ? [{ step: "stop" }] as const
          : []
      ]
    }
  })
  return { scripts, rate, history: maybe(0.3) ? 15 : 1000, slowLog: maybe(0.4) }
}

const asJson = (wish: Wish): string =>
  wish._tag === "Nonsense" ? "{]\n" : JSON.stringify(wish) + "\n"

const asPlain = (wish: Wish): string => {
  switch (wish._tag) {
    case "Say":
      return `/msg ${wish.target} ${wish.text}\n`
    case "Whisper":
      return `/msg ${wish.nick} ${wish.text}\n`
    case "SetNick":
      return `/nick ${wish.nick}\n`
    case "SetTopic":
      return `/topic #${wish.room} ${wish.topic}\n`
    case "Kick":
      return `/kick #${wish.room} ${wish.nick}\n`
    case "Nonsense":
      return "/nonsense\n"
    case "Motd":
    case "Quit":
      return `/${wish._tag.toLowerCase()}\n`
    default:
      return `/${wish._tag.toLowerCase()} #${wish.room}\n`
  }
}

// --- the play --------------------------------------------------------------------------------------------------------

/** What was kept, as the log was asked to keep it. */
interface Kept {
  readonly seq: number
  readonly by: string
  readonly event: Readonly<Record<string, unknown>> & { readonly _tag: string }
}

interface Actor {
  readonly script: Script
  readonly address: string
  readonly client: Memory.Client
  readonly asked: Array<Wish>
  /** Whether it did not read for some time, so that a ring may have let go of something before it was told. */
  slow: boolean
  finished: boolean
  /** What was kept when it was last known to have been told everything. */
  fenced: number
}

interface Outcome {
  readonly kept: ReadonlyArray<Kept>
  readonly actors: ReadonlyArray<Actor>
  readonly connections: number
}

const maxUnsent = 262_144

const logOf = (play: Play, kept: Array<Kept>) =>
  Layer.effect(
    Log,
    Effect.map(Log, (log) =>
      Log.of({
        ...log,
        append: (drafts) =>
          Effect.gen(function*() {
            if (play.slowLog) { for (let i = 0; i < drafts.length % 5; i++) yield* Effect.yieldNow }
            const entries = yield* log.append(drafts)
            kept.push(...entries as unknown as ReadonlyArray<Kept>)
            return entries
          })
      }))
  ).pipe(Layer.provide(Log.layerMemory({ history: play.history })))

const perform = Effect.fnUntraced(function*(play: Play) {
  const kept: Array<Kept> = []
  const house = yield* open({ history: play.history, rate: play.rate, log: logOf(play, kept) })
  const actors = play.scripts.map((script, who): Actor => {
    const address = `127.0.0.${who + 1}`
    return { script, address, client: house.connect({ address }), asked: [], slow: false, finished: false, fenced: 0 }
  })
  const look = () => {
    for (const { client } of actors) assert.isAtMost(client.connection.unsent(), maxUnsent, "unsent")
  }

  const playing = yield* Effect.forEach(actors, (actor) => Effect.forkChild(act(actor, look)))
  yield* Effect.forEach(playing, Fiber.await)
  yield* Effect.forEach(playing, Fiber.join)
  yield* calm(actors, kept, look)
  const closing = yield* Effect.forkChild(house.close)
  for (let i = 0; i < 30 && closing.pollUnsafe() === undefined; i++) yield* pass(500)
  assert.isDefined(closing.pollUnsafe(), "the house closes within its grace period")
  return { kept, actors, connections: yield* house.server.connections }
})

const pass = (millis: number) =>
  Effect.gen(function*() {
    for (let i = 0; i < 5; i++) yield* Effect.yieldNow
    yield* TestClock.adjust(millis)
  })

/** Do as the script says. Runs beside the others, so every pause is somebody else's turn. */
const act = Effect.fnUntraced(function*(actor: Actor, look: () => void) {
  const { client, script } = actor
  const spell = script.speaks === "json" ? asJson : asPlain
  const send = (wishes: ReadonlyArray<Wish>) => {
    actor.asked.push(...wishes)
    client.send(wishes.map(spell).join(""))
  }
  for (const step of script.steps) {
    switch (step.step) {
      case "ask":
        client.cutTo(step.cut)
        send(step.wishes)
        break
      case "chatter":
        client.cutTo(Infinity)
        for (const wish of step.wishes) {
          send([wish])
          look()
          yield* Effect.yieldNow
          yield* Effect.yieldNow
        }
        break
      case "wait":
        for (let i = 0; i < step.turns; i++) yield* Effect.yieldNow
        break
      case "stop":
        actor.slow = true
        client.stopReading()
        break
      case "read":
        client.startReading()
        break
      case "sip":
        actor.slow = true
        client.startReading(5000)
        break
      case "release":
        // What was held back comes in pieces, but not so small that a flood takes for ever.
        client.cutTo(100)
        client.release()
        break
      default:
        client[step.step]()
    }
    look()
    yield* Effect.yieldNow
  }
})

/** Everybody who may still be told something is told it; then nothing is owed to anybody. */
const calm = Effect.fnUntraced(function*(actors: ReadonlyArray<Actor>, kept: ReadonlyArray<Kept>, look: () => void) {
  const blocked = actors.filter(({ client, script }) => script.ending === "never reads" && client.connection.unsent() > 65_536)
  const talking = actors.filter(({ client, script }) => {
    if (script.ending === "never reads") return false
    client.cutTo(100)
    client.release()
    client.startReading()
    return !client.isClosed() && script.ending === "stays"
  })
  const mark = "fence"
  for (const { client, script } of talking) {
    client.cutTo(Infinity)
    client.send(script.speaks === "json" ? `{"_tag":"Names","room":"${mark}"}\n` : `/who ${mark}\n`)
  }
  const patient = actors.filter(({ script }) => script.ending === "ends" || script.ending === "quits")
  const done = () =>
    talking.every(({ client }) => client.text().includes(mark)) && patient.every(({ client }) => client.isClosed())
  for (let i = 0; i < 400 && !done(); i++) {
    look()
    yield* pass(500)
  }
  assert.isTrue(done(), "everybody is answered, and who ended its side is closed")
  // What others did since may still be on its way.
  for (let i = 0; i < 20; i++) yield* Effect.yieldNow
  yield* pass(0)
  for (const actor of talking) {
    actor.finished = true
    actor.fenced = kept.length
  }
  for (const actor of patient) actor.finished = true
  if (blocked.length > 0) {
    // A minute after it was last seen to take something, which is looked at once a minute; then ten seconds to go.
    for (let i = 0; i < 132; i++) yield* pass(1000)
    for (const { client } of blocked) assert.isTrue(client.isClosed(), "who takes nothing for a minute is closed")
  }
})

// --- the model -------------------------------------------------------------------------------------------------------

interface Person {
  readonly id: string
  readonly address: string
  nick: string
  /** Rooms, and whether the person runs them. */
  readonly rooms: Map<string, boolean>
}

/** An entry as one person had to hear it: by these rooms, or privately. */
interface Audible extends Kept {
  readonly by_: ReadonlyArray<string>
}

/** Who was where after an entry. */
interface Moment {
  readonly members: ReadonlyMap<string, ReadonlyArray<string>>
  readonly nicks: ReadonlySet<string>
}

const presence = new Set(["Joined", "Left", "Quit", "Renamed"])

class Model {
  readonly persons = new Map<string, Person>()
  readonly ids = new Map<string, string>()
  readonly audible = new Map<string, Array<Audible>>()
  readonly moments: Array<Moment> = [{ members: new Map(), nicks: new Set() }]
  /** Each person as it was after an entry: nick and rooms. */
  readonly states: Array<ReadonlyMap<string, { readonly nick: string; readonly rooms: ReadonlyMap<string, boolean> }>> = [new Map()]

  membersOf(room: string): ReadonlyArray<Person> {
    return [...this.persons.values()].filter(({ rooms }) => rooms.has(room))
  }
  called(nick: string): Person | undefined {
    return [...this.persons.values()].find((person) => person.nick.toLowerCase() === nick.toLowerCase())
  }
  #tell(entry: Kept, who: Iterable<Person>, by_: (person: Person) => ReadonlyArray<string>): void {
    for (const person of who) this.audible.get(person.id)!.push({ ...entry, by_: by_(person) })
  }
  #around(person: Person, self: boolean): ReadonlyArray<Person> {
    return [...this.persons.values()].filter((other) =>
      other === person ? self : [...other.rooms.keys()].some((room) => person.rooms.has(room))
    )
  }

  fold(entry: Kept): void {
    const { by, event, seq } = entry
    const law = (holds: boolean, what: string) => assert.isTrue(holds, `kept ${seq} ${JSON.stringify(event)}: ${what}`)
    const nick = event["nick"] as string
    const room = event["room"] as string
    law(seq === this.moments.length, "sequence numbers count up by one")
    if (event._tag === "Arrived") {
      law(!this.ids.has(event["address"] as string), "a session arrives once")
      law(this.called(nick) === undefined, "a nick has one holder")
      this.persons.set(by, { id: by, address: event["address"] as string, nick, rooms: new Map() })
      this.ids.set(event["address"] as string, by)
      this.audible.set(by, [])
    } else {
      const person = this.persons.get(by)!
      law(person !== undefined, "only who is here does something")
      const here = () => [room]
      const shared = (other: Person) => other === person ? [] : [...other.rooms.keys()].filter((key) => person.rooms.has(key))
      switch (event._tag) {
        case "Said":
        case "TopicSet":
          law(person.rooms.has(room) && person.nick === nick, "who speaks is in the room, under its own nick")
          this.#tell(entry, this.membersOf(room), here)
          break
        case "Joined":
          law(!person.rooms.has(room), "nobody comes in twice")
          person.rooms.set(room, room !== "lobby" && this.membersOf(room).length === 0)
          this.#tell(entry, this.membersOf(room), here)
          break
        case "Left":
          law(person.rooms.has(room), "who leaves was in the room")
          this.#tell(entry, this.membersOf(room), here)
          person.rooms.delete(room)
          break
        case "Kicked": {
          const target = this.called(nick)!
          law(target?.rooms.has(room) && person.rooms.get(room) === true, "an operator kicks a member")
          this.#tell(entry, this.membersOf(room), here)
          target.rooms.delete(room)
          break
        }
        case "Renamed": {
          const other = this.called(event["to"] as string)
          law(person.nick === nick && (other === undefined || other === person), "a nick has one holder")
          this.#tell(entry, this.#around(person, true), shared)
          person.nick = event["to"] as string
          break
        }
        case "Whispered": {
          const target = this.called(event["to"] as string)!
          law(target !== undefined && person.nick === nick, "somebody of that nick is here")
          this.#tell(entry, new Set([person, target]), () => [])
          break
        }
        case "Quit":
          law(person.nick === nick, "who quits does so under its own nick")
          assert.deepStrictEqual([...event["rooms"] as ReadonlyArray<string>].sort(), [...person.rooms.keys()].sort())
          this.#tell(entry, this.#around(person, false), shared)
          this.persons.delete(by)
          break
        default:
          law(false, "nobody asked for this")
      }
    }
    const quiet = event._tag === "Said" || event._tag === "TopicSet" || event._tag === "Whispered"
    this.moments.push(quiet ? this.moments.at(-1)! : {
      members: new Map(rooms.map((key) => [key, this.membersOf(key).map((person) => person.nick).sort()])),
      nicks: new Set([...this.persons.values()].map((person) => person.nick))
    })
    this.states.push(
      quiet
        ? this.states.at(-1)!
        : new Map([...this.persons].map(([id, person]) => [id, { nick: person.nick, rooms: new Map(person.rooms) }]))
    )
  }
}

// --- what is checked -------------------------------------------------------------------------------------------------

const check = ({ actors, connections, kept }: Outcome) => {
  const model = new Model()
  for (const entry of kept) model.fold(entry)
  assert.strictEqual(model.persons.size, 0, "everybody has left in the end")
  assert.strictEqual(connections, 0, "no connection is open in the end")
  for (const [who, actor] of actors.entries()) {
    try {
      assert.isTrue(actor.client.isClosed() || actor.script.ending === "resets", "its connection is closed")
      const id = model.ids.get(actor.address)
      if (id === undefined) {
        assert.notInclude(["stays", "ends", "quits"], actor.script.ending, "who asks for something arrives")
        continue
      }
      if (actor.script.speaks === "json") new Json(model, id, actor).check()
      else checkPlain(model, id, actor)
    } catch (error) {
      const cause = error as Error
      cause.message = `client ${who} (${actor.script.speaks}, ${actor.script.ending}): ${cause.message}`
      throw cause
    }
  }
}

/** A json client's transcript, read from the beginning, beside what it had to hear and what it asked for. */
class Json {
  readonly model: Model
  readonly id: string
  readonly actor: Actor
  readonly told: ReadonlyArray<Told>
  readonly audible: ReadonlyArray<Audible>
  /** Sequence number of the last entry told, and the place of the next in `audible`. */
  at = 0
  next = 0
  readonly untold: Array<Audible> = []
  readonly missed = new Map<string, number>()
  answered = 0

  constructor(model: Model, id: string, actor: Actor) {
    this.model = model
    this.id = id
    this.actor = actor
    this.told = heard(actor.client)
    this.audible = model.audible.get(id)!
  }

  check(): void {
    const { script } = this.actor
    for (const [i, told] of this.told.entries()) {
      if (told._tag === "Welcome") assert.strictEqual(i, 0, "the welcome comes first")
      else if (told._tag === "Missed") this.miss(told)
      else if (told._tag === "Crowd") this.crowd(told)
      else if (told._tag === "Closing") assert.strictEqual(i, this.told.length - 1, "nothing comes after the goodbye")
      else if (told.seq === undefined) this.answer(told, i)
      else this.entry(told)
    }
    const owed = this.actor.fenced
    for (const entry of this.audible.slice(this.next)) {
      if (entry.seq > owed) break
      this.untold.push(entry)
    }
    this.holes()
    if (this.actor.finished) {
      const rest = this.actor.asked.slice(this.answered).filter(({ _tag }) => _tag !== "Quit")
      const nick = this.self?.nick
      assert.deepStrictEqual(
        rest.filter((wish) => wish._tag !== "SetNick" || (nick !== undefined && wish.nick !== nick)),
        [],
        "every command is answered"
      )
    }
    if (script.ending === "stays") {
      assert.deepStrictEqual(this.told.at(-1), { _tag: "Closing", reason: "the server is closing" })
    }
  }

  /** An entry comes in the log's order, once, unchanged, to who had to hear it. */
  entry(told: Told): void {
    assert.isAbove(told.seq!, this.at, `${JSON.stringify(told)} comes after what has the number ${this.at}`)
    while (this.next < this.audible.length && this.audible[this.next]!.seq < told.seq!) this.untold.push(this.audible[this.next++]!)
    const entry = this.audible[this.next]
    assert.strictEqual(entry?.seq, told.seq, `${JSON.stringify(told)} is for this client`)
    const { at: _at, id: _id, seq: _seq, ...event } = told
    assert.deepStrictEqual({ ...event }, { ...entry!.event })
    if (entry!.by === this.id) this.respond(told)
    this.next++
    this.at = told.seq!
  }

  /** A crowd is what a run of comings and goings in a room comes to. */
  crowd(told: Told): void {
    const room = told["room"] as string
    const run: Array<Audible> = []
    while (this.next < this.audible.length && this.audible[this.next]!.seq <= told.seq!) run.push(this.audible[this.next++]!)
    // What the log had forgotten before it is a hole like any other.
    while (run.length > 0 && !(presence.has(run[0]!.event._tag) && run[0]!.by_.includes(room))) this.untold.push(run.shift()!)
    assert.isAtLeast(run.length, 5)
    for (const { by, by_, event } of run) {
      assert.isTrue(presence.has(event._tag) && by_.includes(room) && by !== this.id, "a crowd is of others' comings and goings")
      assert.lengthOf(by_, 1, "which concern no other room of this client's")
    }
    const names = (list: unknown) => list as ReadonlyArray<string>
    const here = new Set(this.model.moments[run[0]!.seq - 1]!.members.get(room))
    for (const nick of names(told["left"])) assert.isTrue(here.delete(nick), `${nick} was in ${room}`)
    const renamed = told["renamed"] as ReadonlyArray<{ readonly nick: string; readonly to: string }>
    for (const { nick } of renamed) assert.isTrue(here.delete(nick), `${nick} was in ${room}`)
    for (const { to } of renamed) here.add(to)
    for (const nick of names(told["joined"])) here.add(nick)
    assert.deepStrictEqual([...here].sort(), [...this.model.moments[told.seq!]!.members.get(room)!])
    this.at = told.seq!
  }

  miss(told: Told): void {
    const room = told["room"] as string | undefined ?? ""
    assert.isAbove(told["count"] as number, 0)
    this.missed.set(room, (this.missed.get(room) ?? 0) + (told["count"] as number))
  }

  /** What was not told is what the client was told that it missed. */
  holes(): void {
    for (const entry of this.untold) {
      assert.isTrue(
        entry.by_.length === 0 ? this.missed.has("") : entry.by_.some((room) => this.missed.has(room)),
        `${JSON.stringify(entry.event)} (${entry.seq}) is told`
      )
    }
    for (const [room, count] of this.missed) {
      assert.isTrue(this.actor.slow, "only who does not read misses something")
      const untold = this.untold.filter((entry) => room === "" ? entry.by_.length === 0 : entry.by_.includes(room))
      const alsoElsewhere = this.audible.filter(({ by_ }) => by_.length > 1 && by_.includes(room)).length
      assert.isAtLeast(count, untold.length, `as much is missed in ${room} as was said`)
      assert.isAtMost(count, untold.length + alsoElsewhere, `no more is missed in ${room} than was said`)
    }
  }

  /** An answer comes after everything ordered before it, and is true of the world at that place. */
  answer(told: Told, i: number): void {
    if (told._tag === "Refused" && String(told["reason"]).includes("there is no room #fence")) return
    const next = this.told.slice(i + 1).find(({ seq }) => seq !== undefined)?.seq ?? this.model.moments.length
    const between = this.model.moments.slice(this.at, next)
    this.respond(told, between)
  }

  /** Its nick and rooms as it knows them, once it has arrived, which it is told by no entry. */
  get self() {
    return this.model.states.slice(this.at).find((state) => state.has(this.id))?.get(this.id)
  }

  /** What the client is told of its own commands comes in their order, and is what they had to lead to. */
  respond(told: Told, between: ReadonlyArray<Moment> = []): void {
    const { self } = this
    let wish = this.actor.asked[this.answered]
    while (wish?._tag === "SetNick" && self?.nick === wish.nick && !(told._tag === "Renamed" && told["to"] === wish.nick)) {
      wish = this.actor.asked[++this.answered]
    }
    assert.isDefined(wish, `${JSON.stringify(told)} was asked for`)
    if (told._tag === "RoomInfo" && wish!._tag !== "Join") assert.fail(`a room's description, but ${JSON.stringify(wish)} was asked`)
    if (told._tag === "Refused") {
      if (wish!._tag === "Nonsense") assert.isUndefined(told["command"])
      else {
        assert.strictEqual(told["command"], wish!._tag, `the refusal of ${JSON.stringify(wish)}`)
        assert.isTrue(this.mayRefuse(wish!, between), `${JSON.stringify(told)} is a right answer to ${JSON.stringify(wish)}`)
      }
    } else {
      assert.strictEqual(told._tag, answers[wish!._tag] === "Joined" && told._tag === "RoomInfo" ? "RoomInfo" : answers[wish!._tag])
      for (const [key, value] of Object.entries(wish!)) {
        if (key === "text" || key === "room" || key === "topic") assert.strictEqual(told[key], value)
      }
      if (told._tag === "Members") {
        const nicks = (told["members"] as ReadonlyArray<{ readonly nick: string }>).map(({ nick }) => nick).sort()
        const room = told["room"] as string
        assert.isTrue(
          between.some(({ members }) => members.get(room)!.join(" ") === nicks.join(" ")),
          `${nicks.join(" ")} were in ${room} between ${this.at} and what came next`
        )
      }
    }
    // A join is answered twice: with who comes in, and with the room.
    if (told._tag !== "Joined") this.answered++
  }

  /** Whether this command had to be refused at one of these moments. */
  mayRefuse(wish: Wish, between: ReadonlyArray<Moment>): boolean {
    const { self } = this
    if (self === undefined) return false
    const others = (nick: string) => between.some(({ nicks }) => nicks.has(nick) && self.nick !== nick)
    switch (wish._tag) {
      case "Say":
        return !self.rooms.has(wish.target.slice(1))
      case "Part":
        return !self.rooms.has(wish.room)
      case "SetTopic":
        return self.rooms.get(wish.room) !== true
      case "Names":
        return wish.room !== "lobby" && between.some(({ members }) => members.get(wish.room)!.length === 0)
      case "Whisper":
        return between.some(({ nicks }) => !nicks.has(wish.nick))
      case "SetNick":
        return others(wish.nick)
      case "Kick":
        return self.rooms.get(wish.room) !== true
          || between.some(({ members }) => !members.get(wish.room)!.includes(wish.nick))
      default:
        return false
    }
  }
}

const answers: Record<Wish["_tag"], string> = {
  Say: "Said",
  Whisper: "Whispered",
  Join: "Joined",
  Part: "Left",
  Names: "Members",
  SetNick: "Renamed",
  SetTopic: "TopicSet",
  Kick: "Kicked",
  Motd: "Motd",
  Nonsense: "Refused",
  Quit: "Closing"
}

/** What a person read of others' words is what was said, in order, once, except where it was told to have missed some. */
const checkPlain = (model: Model, id: string, actor: Actor) => {
  const expected = model.audible.get(id)!.flatMap(({ by, event, seq }) =>
    (event._tag === "Said" && by !== id) || (event._tag === "Whispered" && (by !== id || event["to"] === event["nick"]))
      ? [{ seq, text: (event["text"] as string).split(".")[0]! }]
      : []
  )
  let next = 0
  let excused = false
  for (const line of lines(actor.client)) {
    if (line.startsWith("-!- you missed")) excused = true
    if (line.startsWith("-!- ") || /^\d\d:\d\d /.test(line)) continue
    const [text] = /\bm\d+(?=\.)/.exec(line) ?? []
    if (text === undefined) continue
    const found = expected.findIndex((one) => one.text === text)
    assert.notStrictEqual(found, -1, `${line.slice(0, 60)} is for this client`)
    assert.isAtLeast(found, next, `${line.slice(0, 60)} comes once, in order`)
    if (found > next) assert.isTrue(excused && actor.slow, `${expected[next]!.text} (${expected[next]!.seq}) comes before ${line.slice(0, 60)}`)
    next = found + 1
  }
  const owed = expected.slice(next).filter(({ seq }) => seq <= actor.fenced)
  if (owed.length > 0) assert.isTrue(excused && actor.slow, `${owed[0]!.text} (${owed[0]!.seq}) is told`)
  if (actor.script.ending === "stays") assert.strictEqual(lines(actor.client).at(-1), "-!- the server is closing")
}

// --- running it ------------------------------------------------------------------------------------------------------

const inWords = ({ history, rate, scripts, slowLog }: Play): string => {
  const steps = (script: Script) =>
    script.steps.map((step) =>
      step.step === "ask"
        ? `${step.wishes.slice(0, 8).map((wish) => asPlain(wish).trim().slice(0, 40)).join("; ")}${step.cut === Infinity ? "" : ` (cut to ${step.cut})`}`
        : step.step === "chatter"
        ? `chatter ${step.wishes.length}`
        : step.step === "wait"
        ? `wait ${step.turns}`
        : step.step
    ).join(" | ")
  return `history ${history}, rate ${rate === undefined ? "off" : "on"}, ${slowLog ? "slow" : "quick"} log\n`
    + scripts.map((script, who) => `  client ${who}, ${script.speaks}, ${script.ending}: ${steps(script)}`).join("\n")
}

const run = async (seed: number): Promise<Outcome> => {
  const play = write(seed)
  try {
    const outcome = await seeded(perform(play), seed)
    check(outcome)
    return outcome
  } catch (error) {
    const cause = error as Error
    cause.message = `seed ${seed}: ${cause.message}\nTo replay: CHAT_SEED=${seed} npx vitest run test/Model.test.ts\n${inWords(play)}`
    throw cause
  }
}

const [from, to] = (process.env["CHAT_SEED"] ?? "1-240").split("-").map(Number) as [number, number?]
const size = 40

describe("whatever a few clients do, in whatever order it happens", () => {
  for (let first = from; first <= (to ?? from); first += size) {
    const last = Math.min(first + size - 1, to ?? from)
    it(`everybody hears what the model says (seeds ${first} to ${last})`, { timeout: 60_000 }, async () => {
      for (let seed = first; seed <= last; seed++) await run(seed)
    })
  }

  it("the same seed gives the same run", async () => {
    const transcripts = async () => (await run(from)).actors.map(({ client }) => client.text())
    assert.deepStrictEqual(await transcripts(), await transcripts())
  })
})
