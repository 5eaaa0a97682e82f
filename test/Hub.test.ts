/** When a turn of the hub begins: what comes together is done together, and nobody who is alone is kept waiting. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { Command } from "../src/Command.ts"
import { Hub } from "../src/Hub.ts"
import { Log, LogError } from "../src/Log.ts"
import * as Seat from "../src/Seat.ts"
import type { Entry } from "../src/Event.ts"
import { type Gap, ringCapacity } from "../src/Ring.ts"
import { maxPrivate, refilled } from "../src/Subscription.ts"
import * as World from "../src/World.ts"
import { settled } from "./house.ts"

/** More than a pause of the hub, and much less, in nanoseconds. */
const long = 1_000_000n

const hello: Command = { _tag: "Say", target: "#lobby", text: "hello" }

describe("options", () => {
  it.effect("that are given as undefined are as if they were not given, from the start and later", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make({ server: undefined, motd: undefined, admits: undefined, replay: undefined })
      assert.strictEqual(hub.server, "effect-chat")
      yield* hub.configure({ motd: ["hello"] })
      yield* hub.configure({ motd: undefined, admits: undefined })
      const ana = hub.open({ dialect: "test", address: "ana", bell: { ring: () => {} } })
      yield* hub.submit(ana, [{ _tag: "Arrive", nick: "ana" }])
      const [welcome] = ana.take()
      assert.deepInclude(welcome?.part, { _tag: "Welcome", nick: "ana", motd: ["hello"] })
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})

describe("a turn", () => {
  it.effect("is told to everybody, whoever fails when it is", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const rung: Array<string> = []
      const bells = ["first", "second", "third"].map((name) => ({
        ring: () => {
          rung.push(name)
          if (name === "second") throw new Error("a host's mistake")
        }
      }))
      for (const bell of bells) yield* hub.listen(["#lobby"], bell)
      const ana = hub.open({ dialect: "test", address: "ana", bell: { ring: () => {} } })
      yield* hub.submit(ana, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }, hello])
      assert.deepStrictEqual(rung.sort(), ["first", "second", "third"])
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))

  it.effect("is done in the call of who comes after a pause, and else with what comes at the same time", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const [ana, bo] = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: { ring: () => {} } })) as [
        ReturnType<typeof hub.open>,
        ReturnType<typeof hub.open>
      ]
      for (const one of [ana, bo]) yield* hub.submit(one, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }])
      const done: Array<string> = []
      const ask = (who: typeof ana, name: string, then = () => {}) => hub.ask(who, [hello], {
        onDone: () => {
          done.push(name)
          then()
        }
      })
      yield* TestClock.adjust("1 millis")
      ask(ana, "ana")
      assert.deepStrictEqual(done, ["ana"])
      // Time stands still from here on.
      ask(ana, "ana again")
      ask(bo, "bo", () => ask(bo, "bo goes on"))
      assert.deepStrictEqual(done, ["ana"], "who asks at once waits for others")
      yield* hub.submit(ana, [hello])
      assert.deepStrictEqual(done, ["ana", "ana again", "bo"], "and who asks in the middle of a turn for the next")
      yield* hub.submit(ana, [hello])
      assert.deepStrictEqual(done, ["ana", "ana again", "bo", "bo goes on"])
      const { monotonicTimeNanosUnsafe } = yield* Clock.Clock
      yield* TestClock.adjust("1 millis")
      hub.ask(ana, [hello], { onDone: () => void done.push("late") }, monotonicTimeNanosUnsafe() - long)
      assert.notInclude(done, "late", "what takes long to be understood came when its bytes did")
      yield* hub.submit(bo, [hello])
      assert.include(done, "late")
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})

describe("where what is said goes", () => {
  it.effect("is asked again in each world, and of none that was not kept", () =>
    Effect.gen(function*() {
      const kept = yield* Log
      let failing = false
      const log = Log.of({ ...kept, append: (drafts) => failing ? Effect.fail(new LogError({ message: "the disk is full" })) : kept.append(drafts) })
      const hub = yield* Hub.make().pipe(Effect.provideService(Log, log))
      const [ana, bo] = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: { ring: () => {} } })) as [
        ReturnType<typeof hub.open>,
        ReturnType<typeof hub.open>
      ]
      const told = (who: typeof ana) => {
        const words: Array<string> = []
        for (const { part } of who.take()) {
          if (part._tag === "Refused") words.push(part.code ?? part.reason)
          if (part._tag !== "Heard") continue
          for (const { event } of part.batch.entries.slice(part.from, part.to)) if (event._tag === "Said") words.push(`${event.nick}: ${event.text}`)
        }
        return words
      }
      const say = (text: string): Command => ({ _tag: "Say", target: "#den", text })
      yield* hub.submit(ana, [{ _tag: "Arrive", nick: "ana" }, { _tag: "Join", room: "den" }])
      yield* hub.submit(bo, [{ _tag: "Arrive", nick: "bo" }, say("from outside")])
      assert.deepStrictEqual(told(bo), ["not-in-room"])
      failing = true
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, say("nobody keeps it")])
      const notKept = "it could not be kept: the disk is full"
      assert.deepStrictEqual(told(bo), [notKept, "not-in-room"])
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, { _tag: "List" }])
      assert.deepStrictEqual(told(bo), [notKept], "what need not be kept is answered")
      failing = false
      yield* hub.submit(bo, [say("from outside still")])
      assert.deepStrictEqual(told(bo), ["not-in-room"])
      // Who was refused before, and who was heard.
      yield* hub.submit(ana, [say("alone")])
      assert.deepStrictEqual(told(ana), ["ana: alone"])
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, say("one"), { _tag: "SetNick", nick: "bob" }, say("two"), { _tag: "Part", room: "den" }, say("three")])
      assert.deepStrictEqual(told(ana), ["bo: one", "bob: two"])
      yield* hub.submit(ana, [say("four"), { _tag: "SetNick", nick: "anna" }, say("again"), { _tag: "SetModerated", room: "den", moderated: true }])
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }, say("five")])
      assert.deepStrictEqual(told(bo), ["bo: one", "bob: two", "not-in-room", "moderated"])
      assert.deepStrictEqual(told(ana), ["ana: four", "anna: again"])
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 10 }))))
})

const quiet = { ring: () => {} }
const inMemory = Log.layerMemory({ history: 10_000 })

/** Who has come into the lobby. */
const comer = Effect.fnUntraced(function*(hub: Hub["Service"], nick: string) {
  const subscription = hub.open({ dialect: "test", address: nick, bell: quiet })
  yield* hub.submit(subscription, [{ _tag: "Arrive", nick }, { _tag: "Join", room: "lobby" }])
  subscription.take()
  return subscription
})

const textsOf = (subscription: ReturnType<Hub["Service"]["open"]>): ReadonlyArray<string> =>
  subscription.take().flatMap(({ part }) =>
    part._tag === "Heard" ? part.batch.entries.slice(part.from, part.to).flatMap(({ event }) => event._tag === "Said" ? [event.text] : []) : []
  )

describe("a host's mistake", () => {
  it.effect("in what operators ask for is no affair of those who asked for something else", () =>
    Effect.gen(function*() {
      const fail = (): never => {
        throw new Error("a host's mistake")
      }
      const hub = yield* Hub.make({ isOperator: () => true, onControl: fail })
      const [ana, bo] = [yield* comer(hub, "ana"), yield* comer(hub, "bo")]
      yield* hub.submit(ana, [{ _tag: "Oper", name: "root", password: "x" }])
      yield* hub.submit(ana, [{ _tag: "Control", what: "rehash" }, hello, { _tag: "Part", room: "lobby" }])
      assert.deepStrictEqual(textsOf(bo), ["hello"])
      yield* hub.submit(ana, [{ _tag: "Join", room: "lobby" }, hello])
      assert.deepStrictEqual(textsOf(bo), ["hello"])
    }).pipe(Effect.scoped, Effect.provide(inMemory)))

  it.effect("in who is told that it is done keeps nobody from being told, and no turn from beginning", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const [ana, bo] = [yield* comer(hub, "ana"), yield* comer(hub, "bo")]
      let told = 0
      hub.ask(ana, [hello], {
        onDone: () => {
          throw new Error("a host's mistake")
        }
      })
      hub.ask(bo, [hello], { onDone: () => void told++ })
      yield* hub.submit(ana, [hello])
      assert.strictEqual(told, 1)
      assert.deepStrictEqual(textsOf(bo), ["hello", "hello", "hello"])
    }).pipe(Effect.scoped, Effect.provide(inMemory)))
})

describe("what a seat hears", () => {
  it.effect("ends when the scope of the seat has closed, and when the server has ended it", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make({ isOperator: () => true })
      const take = (nick: string) => Effect.provideService(Seat.take({ nick }), Hub, hub)
      const scope = yield* Scope.make()
      const closed = yield* Effect.forkScoped(Stream.runCollect((yield* Scope.provide(take("closed"), scope)).messages))
      const killed = yield* Effect.forkScoped(Stream.runCollect((yield* take("killed")).messages))
      yield* settled
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Fiber.join(closed), [])
      yield* (yield* take("ana")).submit({ _tag: "Oper", name: "ana", password: "" }, { _tag: "Kill", nick: "killed", reason: "enough" })
      assert.strictEqual((yield* Fiber.join(killed)).at(-1)?._tag, "Closing")
    }).pipe(Effect.scoped, Effect.provide(inMemory), Effect.timeout("5 seconds"), TestClock.withLive))
})

describe("a hub that is closed", () => {
  it.effect("says so to whoever asks, or has asked, and keeps nobody who leaves", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Hub.layer().pipe(Layer.provide(inMemory)), scope)
      const hub = Context.get(context, Hub)
      const seats = yield* Scope.make()
      const take = (nick: string) => Seat.take({ nick }).pipe(Effect.provideService(Hub, hub), Scope.provide(seats))
      const seat = yield* take("bot")
      const waiting = hub.open({ dialect: "test", address: "ana", bell: quiet })
      let done = false
      hub.ask(waiting, [{ _tag: "Arrive" }], { onDone: () => void (done = true) }, 0n)
      assert.isFalse(done)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(done)
      assert.deepStrictEqual(waiting.take().map(({ part }) => part._tag === "Refused" ? part.reason : part._tag), ["the hub is closed"])
      yield* seat.say("lobby", "is anybody there?")
      assert.strictEqual((yield* Effect.flip(take("late"))).message, "the hub is closed")
      yield* Scope.close(seats, Exit.void)
    }).pipe(Effect.timeout("5 seconds"), TestClock.withLive))

  it.effect("keeps nobody for whom the log is being waited for", () =>
    Effect.gen(function*() {
      const never = Layer.effect(Log, Effect.map(Log, (log) => Log.of({ ...log, append: () => Effect.never }))).pipe(Layer.provide(inMemory))
      const scope = yield* Scope.make()
      const hub = Context.get(yield* Layer.buildWithScope(Hub.layer().pipe(Layer.provide(never)), scope), Hub)
      let done = 0
      const comers = ["ana", "bo"].map((address) => hub.open({ dialect: "test", address, bell: quiet }))
      for (const one of comers) {
        hub.ask(one, [{ _tag: "Arrive" }], { onDone: () => void done++ })
        yield* settled
      }
      assert.strictEqual(done, 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(done, 2)
      for (const one of comers) assert.include(one.take()[0]!.part, { _tag: "Refused", reason: "the hub is closed" })
    }))
})

describe("what is not taken", () => {
  it.effect("of what others do is bounded, and it is said how much was missed", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make({ isOperator: () => true })
      const [ana, bo] = [yield* comer(hub, "ana"), yield* comer(hub, "bo")]
      yield* hub.submit(bo, [{ _tag: "Oper", name: "root", password: "x" }])
      yield* hub.submit(ana, [{ _tag: "Part", room: "lobby" }, { _tag: "Watch", nicks: ["n0", "n1"], on: true }])
      ana.take()
      const changes = maxPrivate
      for (let i = 0; i < changes; i++) yield* hub.submit(bo, [{ _tag: "SetNick", nick: `n${i % 2}` }])
      yield* hub.submit(bo, [{ _tag: "Kill", nick: "ana", reason: "" }])
      const parts = ana.take().map(({ part }) => part)
      assert.lengthOf(parts, maxPrivate + 2)
      assert.strictEqual(parts.at(-2)?._tag, "Closing", "that it is over is not missed")
      // Each change is word of the nick that came, and but for the first of the one that went.
      assert.deepStrictEqual(parts.at(-1), { _tag: "Missed", count: 2 * changes - 1 - maxPrivate })
    }).pipe(Effect.scoped, Effect.provide(inMemory)))

  it.effect("of what was said while one was in a room is counted, and nothing that was said before and after", () =>
    Effect.gen(function*() {
      const hub = yield* Hub.make()
      const [ana, bo] = [yield* comer(hub, "ana"), yield* comer(hub, "bo")]
      const talk = Effect.repeat(hub.submit(ana, [hello]), { times: 2 * ringCapacity - 1 })
      const missed = Effect.map(Effect.suspend(() => refilled(bo.take(), hub.read)), (parts) => parts.flatMap(({ part }) => part._tag === "Missed" ? [part.count] : []))
      for (let i = 0; i < 10; i++) yield* hub.submit(ana, [hello])
      yield* hub.submit(bo, [{ _tag: "Part", room: "lobby" }])
      yield* talk
      assert.deepStrictEqual(yield* missed, [10])
      // What is said in the turn in which one comes goes into the ring together.
      yield* Effect.all([hub.submit(ana, [hello, hello, hello]), hub.submit(bo, [{ _tag: "Join", room: "lobby" }])], { concurrency: "unbounded" })
      yield* talk
      assert.deepStrictEqual(yield* missed, [ringCapacity])
    }).pipe(Effect.scoped, Effect.provide(Log.layerMemory({ history: 2 }))))
})

describe("what a ring let go of", () => {
  it.effect("is not missed where there is all that was counted, whatever else the room's other name has forgotten", () =>
    Effect.gen(function*() {
      const entries = [1, 2, 3].map((seq): Entry => ({ seq, at: 0, id: `${seq}`, by: "s1", event: { _tag: "Said", room: "den", nick: "ana", text: "hi", kind: "message" } }))
      const refill = (gap: Partial<Gap>) =>
        Effect.map(
          refilled([{ at: 0.25, part: { _tag: "Gap", room: "den", name: "den", inside: 1, after: 0, before: 4, count: 3, ...gap } }], () => Exit.succeed({ entries, complete: false })),
          (parts) => parts.map(({ part }) => part._tag === "Missed" ? part.count : part._tag)
        )
      const all = entries.map(() => "Private" as const)
      assert.deepStrictEqual(yield* refill({}), all)
      assert.deepStrictEqual(yield* refill({ count: 5 }), [2, ...all])
      assert.deepStrictEqual(yield* refill({ inside: undefined }), [1, ...all], "who listens from outside hears one name, and what is forgotten is of that")
    }))
})

describe("what is not kept", () => {
  /** A hub that can keep what happens as long as the disk is not full. */
  const onDisk = Effect.gen(function*() {
    const disk = { full: false }
    const log = yield* Log
    const hub = yield* Effect.provideService(Hub.make(), Log, {
      ...log,
      append: (drafts) => disk.full ? Exit.fail(new LogError({ message: "the disk is full" })) : log.append(drafts)
    })
    return { disk, hub }
  })

  it.effect("leaves no trace on who asked for it", () =>
    Effect.gen(function*() {
      const { disk, hub } = yield* onDisk
      const ana = yield* comer(hub, "ana")
      disk.full = true
      yield* hub.submit(ana, [{ _tag: "SetTrait", trait: "bot", on: true }, hello])
      assert.strictEqual(ana.spokeAt, undefined)
      disk.full = false
      yield* hub.submit(ana, [hello, { _tag: "SetTrait", trait: "bot", on: true }, hello])
      const { entries } = yield* hub.read({ room: "lobby", after: undefined, before: undefined, limit: 10, messages: true })
      assert.deepStrictEqual(entries.map(({ bot }) => bot), [undefined, true])
      assert.isDefined(ana.spokeAt)
    }).pipe(Effect.scoped, Effect.provide(inMemory)))

  it.effect("lets nobody say anything in a room that they did not come into", () =>
    Effect.gen(function*() {
      const { disk, hub } = yield* onDisk
      const [ana, bo] = [yield* comer(hub, "ana"), yield* comer(hub, "bo")]
      yield* hub.submit(bo, [{ _tag: "Join", room: "den" }])
      const toDen: Command = { _tag: "Say", target: "#den", text: "hi" }
      disk.full = true
      yield* hub.submit(ana, [{ _tag: "Join", room: "den" }, toDen])
      disk.full = false
      ana.take()
      yield* hub.submit(ana, [toDen])
      assert.deepStrictEqual(ana.take().map(({ part }) => part._tag === "Refused" ? part.code : part._tag), ["not-in-room"])
    }).pipe(Effect.scoped, Effect.provide(inMemory)))

  it.effect("makes nobody who leaves meanwhile one who has not arrived", () =>
    Effect.gen(function*() {
      const { disk, hub } = yield* onDisk
      const [ana, bo] = [yield* comer(hub, "ana"), yield* comer(hub, "bo")]
      const unknown = Effect.map(hub.submit(ana, [{ _tag: "Observe", question: "", cost: 0 }]), () =>
        ana.take().flatMap(({ part }) => part._tag === "Observed" ? [part.moment.house.unknown()] : []))
      hub.open({ dialect: "test", address: "cy", bell: quiet })
      assert.deepStrictEqual(yield* unknown, [1])
      disk.full = true
      yield* Effect.forkChild(hub.close(bo, "bye"))
      yield* settled
      assert.deepStrictEqual(yield* unknown, [1])
    }).pipe(Effect.scoped, Effect.provide(inMemory)))

  it.effect("of those who leave because the server closes keeps it from closing no longer than one attempt, and is tried on as long as the hub is there", () =>
    Effect.gen(function*() {
      const { disk, hub } = yield* onDisk
      const ana = yield* comer(hub, "ana")
      disk.full = true
      // Time stands still.
      yield* hub.close(ana, "the server is closing", true)
      const { entries } = yield* hub.read({ room: "lobby", after: undefined, before: undefined, limit: 10, messages: false })
      assert.deepStrictEqual(entries.map(({ event }) => event._tag), ["Joined"])
      disk.full = false
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(World.holder(yield* hub.world, "ana"))
    }).pipe(Effect.scoped, Effect.provide(inMemory)))
})
