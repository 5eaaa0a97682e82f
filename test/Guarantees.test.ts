import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Hub } from "../src/Hub.ts"
import { Log, LogError } from "../src/Log.ts"
import * as Seat from "../src/Seat.ts"
import { highWater } from "../src/Ring.ts"
import { patience } from "../src/Session.ts"
import { ringCapacity } from "../src/Ring.ts"
import type { Memory } from "../src/testing.ts"
import { ask, fence, heard, hurried, type House, lines, open, person, program, say, settled, type Told, understood } from "./house.ts"
import { seeded } from "./seeded.ts"

/** What a client may have unsent at any time (CONVENTIONS, limits), in bytes. */
const maxUnsent = 262_144

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const seqs = (told: ReadonlyArray<Told>) => told.flatMap(({ seq }) => seq === undefined ? [] : [seq])
const texts = (client: Memory.Client, room: string) =>
  heard(client, "Said").filter((told) => told["room"] === room).map(({ text }) => text as string)
const grows = (values: ReadonlyArray<number>) => values.every((value, i) => i === 0 || value > values[i - 1]!)
const onceInOrder = (client: Memory.Client) => {
  const all = seqs(heard(client))
  assert.isTrue(grows(all), `sequence numbers grow: ${all.join(" ")}`)
}

/** Say something so often, each time in a turn of the hub of its own. */
const talk = Effect.fnUntraced(function*(client: Memory.Client, room: string, words: ReadonlyArray<string>) {
  for (const text of words) {
    ask(client, say(room, text))
    yield* Effect.asVoid(client.until((told) => told.includes(JSON.stringify(text))))
  }
})

/** As many entries as no ring holds, each long enough that a client that does not read is soon given none. */
const flood = (client: Memory.Client, room: string, from = 0, to = ringCapacity + 100) =>
  Effect.as(talk(client, room, numbers(from, to).map((i) => `${i}.${"x".repeat(3000)}`)), to)

const number = (text: string) => Number(text.split(".")[0])

describe("one order", () => {
  it.effect("all members of a room hear it in the same order", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const clients = yield* Effect.forEach(["ana", "bo", "cy", "di"], (nick) => program(house, nick, "den"))
      for (const i of numbers(0, 25)) {
        for (const [who, client] of clients.entries()) ask(client, say("den", `${who}-${i}`))
        if (i % 3 === 0) yield* Effect.yieldNow
      }
      yield* Effect.forEach(clients, fence)
      const [first, ...others] = clients.map((client) => texts(client, "den"))
      assert.strictEqual(first!.length, 100)
      for (const other of others) assert.deepStrictEqual(other, first)
      for (const client of clients) onceInOrder(client)
    }))

  it.effect("over several shared rooms too, one's own doings included", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const rooms = ["a", "b", "c"]
      const clients = yield* Effect.forEach(
        [["a", "b", "c"], ["c", "a"], ["b", "c", "a"], ["b"]],
        (of, who) => Effect.map(program(house, `p${who}`, ...of), (client) => ({ client, of }))
      )
      for (const i of numbers(0, 40)) {
        for (const [who, { client, of }] of clients.entries()) ask(client, say(of[i % of.length]!, `${who}-${i}`))
        if (i % 4 === 0) yield* Effect.yieldNow
      }
      yield* Effect.forEach(clients, ({ client }) => fence(client))
      for (const { client } of clients) onceInOrder(client)
      for (const room of rooms) {
        const views = clients.filter(({ of }) => of.includes(room)).map(({ client }) => texts(client, room))
        for (const view of views) assert.deepStrictEqual(view, views[0])
      }
    }))

  it.effect("a rename is seen once by someone who shares several rooms", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "a", "b", "c")
      const bo = yield* program(house, "bo", "c", "b", "a")
      const cy = yield* person(house, "cy", "a", "b", "c")
      ask(ana, { _tag: "SetNick", nick: "anna" })
      yield* Effect.all([fence(bo), fence(ana), understood(cy)])
      for (const client of [ana, bo]) {
        assert.strictEqual(heard(client, "Renamed").filter(({ to }) => to === "anna").length, 1)
        onceInOrder(client)
      }
      assert.strictEqual(lines(cy).filter((line) => line === "-!- ana is now anna").length, 1)
    }))

  it.effect("a quit is seen once by someone who shares several rooms", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "a", "b", "c")
      const bo = yield* program(house, "bo", "c", "b", "a")
      const cy = yield* person(house, "cy", "a", "b", "c")
      ask(ana, { _tag: "Quit", reason: "tea" })
      yield* Effect.all([bo.until((text) => text.includes("\"Quit\"")), cy.until((text) => text.includes("ana quit"))])
      yield* Effect.all([fence(bo), understood(cy)])
      assert.deepInclude(heard(bo, "Quit")[0], { nick: "ana", rooms: ["a", "b", "c"], reason: "tea" })
      assert.strictEqual(heard(bo, "Quit").length, 1)
      assert.strictEqual(lines(cy).filter((line) => line === "-!- ana quit (tea)").length, 1)
    }))

  it.effect("many who quit at once are gone from every room that somebody shares with them", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const nicks = ["cy", "di", "ed", "flo", "gus", "hal"]
      const bo = yield* program(house, "bo", "a", "b")
      const one = yield* program(house, "one", "a")
      const others = yield* Effect.forEach(nicks, (nick) => program(house, nick, "a", "b"))
      yield* fence(bo)
      for (const client of others) client.reset()
      yield* settled
      yield* Effect.all([fence(bo), fence(one)])
      assert.deepStrictEqual(heard(bo, "Quit").map(({ nick }) => nick).sort(), nicks)
      assert.deepInclude(heard(one, "Crowd")[0], { room: "a", left: nicks })
      onceInOrder(bo)
    }))

  it.effect("many who quit at once are gone from the room that one stays in, though one is out of the other when one is told", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const nicks = ["cy", "di", "ed", "flo", "gus", "hal"]
      const ana = yield* program(house, "ana", "a", "b")
      const bo = yield* program(house, "bo", "a", "b")
      const others = yield* Effect.forEach(nicks, (nick) => program(house, nick, "a", "b"))
      yield* fence(bo)
      bo.stopReading()
      ask(ana, ...Array.from({ length: 20 }, () => say("b", "z".repeat(4000))))
      yield* fence(ana)
      for (const client of others) client.reset()
      yield* settled
      ask(ana, { _tag: "Kick", room: "a", nick: "bo" })
      yield* fence(ana)
      bo.startReading()
      yield* fence(bo)
      assert.deepStrictEqual(heard(bo, "Quit").map(({ nick }) => nick).sort(), nicks)
      onceInOrder(bo)
    }))
})

describe("fence", () => {
  it.effect("the answer to a command comes after everything ordered before it", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const others = yield* Effect.forEach(["bo", "cy", "di"], (nick) => program(house, nick))
      for (const i of numbers(0, 60)) {
        ask(ana, { _tag: "Names", room: "den" })
        for (const [who, other] of others.entries()) {
          ask(other, { _tag: (i + who) % 2 === 0 ? "Join" : "Part", room: "den" })
        }
        if (i % 5 === 0) yield* Effect.yieldNow
      }
      yield* fence(ana)
      const here = new Set<string>()
      let answers = 0
      for (const told of heard(ana)) {
        if (told._tag === "Joined") here.add(told["nick"] as string)
        if (told._tag === "Left") here.delete(told["nick"] as string)
        if (told._tag !== "Members") continue
        answers++
        const members = (told["members"] as ReadonlyArray<{ nick: string }>).map(({ nick }) => nick)
        assert.deepStrictEqual([...members].sort(), [...here].sort())
      }
      assert.strictEqual(answers, 60)
    }))

  it.effect("answers come in the order of the commands, after what they led to", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = house.connect()
      ask(
        ana,
        { _tag: "SetNick", nick: "ana" },
        { _tag: "Motd" },
        { _tag: "Join", room: "den" },
        { _tag: "Motd" },
        say("den", "one"),
        say("nowhere", "two"),
        { _tag: "Part", room: "den" },
        { _tag: "Motd" }
      )
      yield* fence(ana)
      assert.deepStrictEqual(heard(ana).map(({ _tag }) => _tag).slice(0, -1), [
        "Welcome",
        "Renamed",
        "Motd",
        "Joined",
        "RoomInfo",
        "Motd",
        "Said",
        "Refused",
        "Left",
        "Motd"
      ])
    }))
})

describe("whoever is watched", () => {
  it.effect("is seen to come before what they do, and to go after it, by who watched before", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const watcher = yield* program(house, "watcher", "den")
      ask(watcher, { _tag: "Watch", nicks: ["ana", "bo"], on: true })
      yield* fence(watcher)
      const bo = yield* program(house, "bo", "den")
      const ana = yield* program(house, "ana")
      ask(ana, { _tag: "Join", room: "den" }, say("den", "hi"), { _tag: "SetNick", nick: "bob" }, say("den", "still me"), { _tag: "Quit" })
      yield* watcher.until((text) => text.includes("\"Quit\""))
      yield* Effect.all([fence(watcher), fence(bo)])
      const seen = heard(watcher).flatMap((told) =>
        told._tag === "Seen" ? [`${String(told["nick"])} ${told["here"] === true ? "here" : "gone"}`]
          : told._tag === "Said" ? [`${String(told["nick"])}: ${String(told["text"])}`]
          : [])
      assert.deepStrictEqual(seen, ["ana gone", "bo gone", "bo here", "ana here", "ana: hi", "ana gone", "bob: still me"])
      assert.isEmpty(heard(bo, "Seen", "Watched"), "nobody else is told")
    }))
})

describe("nothing lost, nothing twice", () => {
  it.effect("everyone who reads hears every message once", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const clients = yield* Effect.forEach(numbers(0, 6), (i) => program(house, `p${i}`, "den"))
      const plain = yield* person(house, "pat", "den")
      const sent: Array<string> = []
      for (const i of numbers(0, 60)) {
        for (const [who, client] of clients.entries()) {
          sent.push(`w${who}m${i}`)
          ask(client, say("den", `w${who}m${i}`))
        }
        if (i % 7 === 0) yield* Effect.yieldNow
      }
      yield* Effect.forEach(clients, fence)
      yield* understood(plain)
      for (const client of clients) assert.deepStrictEqual(texts(client, "den").sort(), [...sent].sort())
      const read = lines(plain).flatMap((line) => /^p\d: (.*)$/.exec(line)?.[1] ?? [])
      assert.deepStrictEqual(read.sort(), [...sent].sort())
    }))

  it.effect("who stops reading is refilled from the log", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      const count = yield* flood(ana, "den")
      slow.startReading()
      yield* fence(slow)
      assert.deepStrictEqual(texts(slow, "den").map(number), numbers(0, count))
      assert.deepStrictEqual(heard(slow, "Missed"), [])
      onceInOrder(slow)
    }))

  it.effect("and told how much it missed when the log has forgotten it", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 50 })
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      const pat = yield* person(house, "pat", "den")
      slow.stopReading()
      pat.stopReading()
      const count = yield* flood(ana, "den")
      slow.startReading()
      pat.startReading()
      yield* fence(slow)
      yield* understood(pat)
      const [missed, ...more] = heard(slow, "Missed")
      assert.deepStrictEqual(more, [])
      assert.strictEqual(missed!["room"], "den")
      const got = texts(slow, "den").map(number)
      const lost = missed!["count"] as number
      assert.strictEqual(got.length + lost, count)
      const before = heard(slow)[heard(slow).indexOf(missed!) - 1] ?? heard(slow)[heard(slow).findIndex(({ _tag }) => _tag === "Missed") - 1]
      const at = number(before!["text"] as string) + 1
      assert.deepStrictEqual(got, [...numbers(0, at), ...numbers(at + lost, count)])
      assert.strictEqual(missed!["after"], before!.seq)
      onceInOrder(slow)

      const notice = lines(pat).findIndex((line) => line.startsWith("-!- you missed"))
      const [, told] = /^-!- you missed (\d+) messages in #den$/.exec(lines(pat)[notice]!)!
      const read = lines(pat).flatMap((line, i) => /^ana: (\d+)\./.exec(line) === null ? [] : [[i, Number(line.split(/[ .]/)[1])] as const])
      assert.strictEqual(read.length + Number(told), count)
      const unread = read.filter(([i]) => i < notice).length
      assert.deepStrictEqual(read.map(([, n]) => n), [...numbers(0, unread), ...numbers(unread + Number(told), count)])
    }))

  it.effect("more than goes into one batch is heard by each as theirs or as the others'", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const [ana, bo, cy] = [yield* person(house, "ana"), yield* person(house, "bo"), yield* person(house, "cy")]
      for (const client of [ana, bo, cy]) {
        client.send("/join den\n/part lobby\n")
        yield* understood(client)
      }
      yield* settled
      const words = (nick: string) => numbers(0, 8).map((i) => `${nick}-${i}-${"x".repeat(3000)}`)
      const before = [ana, bo, cy].map((client) => client.text().length)
      // All in one turn: the second batch is nearly all by others than the first.
      for (const [client, nick] of [[cy, "cy"], [ana, "ana"], [bo, "bo"]] as const) client.send(words(nick).map((text) => `${text}\n`).join(""))
      for (const client of [ana, bo, cy]) yield* understood(client)
      for (const [i, [client, nick]] of ([[ana, "ana"], [bo, "bo"], [cy, "cy"]] as const).entries()) {
        const told = client.text().slice(before[i]).split("\n").filter((line) => line.includes("-x"))
        const others = ["cy", "ana", "bo"].filter((other) => other !== nick)
        assert.deepStrictEqual(told, others.flatMap((other) => words(other).map((text) => `${other}: ${text}`)))
      }
    }))

  it.effect("what concerns several rooms is refilled once", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "a", "b")
      const slow = yield* program(house, "slow", "a", "b", "c")
      const bo = yield* program(house, "bo", "c")
      slow.stopReading()
      yield* flood(ana, "a", 0, 30)
      ask(ana, { _tag: "SetNick", nick: "anna" })
      yield* fence(ana)
      ask(bo, { _tag: "Join", room: "a" }, { _tag: "SetNick", nick: "boo" }, { _tag: "Part", room: "a" })
      yield* fence(bo)
      yield* flood(ana, "a", 30)
      yield* talk(ana, "b", numbers(0, 200).map((i) => `b${i}`))
      slow.startReading()
      yield* fence(slow)
      assert.deepStrictEqual(heard(slow, "Renamed").map(({ to }) => to), ["slow", "anna", "boo"])
      onceInOrder(slow)
    }))

  it.effect("who comes into a room and does not read is told so once", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow")
      slow.stopReading()
      ask(slow, ...numbers(0, 40).map((i) => ({ _tag: "Whisper", nick: "slow", text: `${i}.${"x".repeat(3000)}` })), {
        _tag: "Join",
        room: "den"
      })
      yield* ana.until((text) => text.includes("\"nick\":\"slow\""))
      const count = yield* flood(ana, "den")
      slow.startReading()
      yield* fence(slow)
      assert.strictEqual(heard(slow, "Joined").length, 1)
      assert.deepStrictEqual(texts(slow, "den").map(number), numbers(0, count))
      assert.deepStrictEqual(heard(slow, "Missed"), [])
      onceInOrder(slow)
    }))

  it.effect("who does not read is told what they have become, though the log has forgotten it", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 5 })
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      yield* flood(ana, "den", 0, 60)
      ask(ana, { _tag: "SetRank", room: "den", nick: "slow", rank: "voice" })
      for (const i of numbers(0, 10)) ask(ana, { _tag: "SetTopic", room: "den", topic: `${i}` })
      yield* flood(ana, "den", 60)
      slow.startReading()
      yield* fence(slow)
      assert.lengthOf(heard(slow, "Missed"), 1)
      assert.deepStrictEqual(heard(slow, "RankSet").map(({ nick, rank }) => [nick, rank]), [["slow", "voice"]])
      onceInOrder(slow)
    }))

  it.effect("who is kicked while not reading is told everything up to then, and nothing is missed", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      const half = yield* flood(ana, "den", 0, 100)
      ask(ana, { _tag: "Kick", room: "den", nick: "slow" })
      yield* flood(ana, "den", half)
      slow.startReading()
      yield* fence(slow)
      assert.deepStrictEqual(texts(slow, "den").map(number), numbers(0, half))
      assert.strictEqual(heard(slow, "Kicked").length, 1)
      assert.deepStrictEqual(heard(slow, "Missed"), [])
      onceInOrder(slow)
    }))

  for (const history of [1000, 40]) {
    it.effect(`comings and goings told early are not told or missed again (history ${history})`, () =>
      Effect.gen(function*() {
        const house = yield* open({ history })
        const ana = yield* program(house, "ana", "den")
        const slow = yield* program(house, "slow", "den")
        yield* Effect.forEach(numbers(0, 40), (i) => program(house, `p${i}`, "den"))
        yield* talk(ana, "den", ["start"])
        // Who comes now is told later in so large a room; but whatever is told after it brings it along.
        const late = yield* program(house, "late", "den")
        slow.stopReading()
        ask(ana, ...numbers(0, 40).map((i) => ({ _tag: "Whisper", nick: "slow", text: `${i}.${"x".repeat(3000)}` })))
        yield* fence(ana)
        yield* fence(late)
        const count = yield* flood(ana, "den")
        slow.startReading()
        yield* fence(slow)
        onceInOrder(slow)
        assert.strictEqual(heard(slow, "Joined").filter(({ nick }) => nick === "late").length, 1)
        const missed = heard(slow, "Missed").map((told) => told["count"] as number).reduce((a, b) => a + b, 0)
        const said = texts(slow, "den").filter((text) => text !== "start").map(number)
        assert.strictEqual(said.length + missed, count)
        assert.isTrue(history === 40 ? missed > 0 : missed === 0)
      }))
  }

  it.effect("private messages past their limit are counted as missed", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana")
      const slow = yield* program(house, "slow")
      slow.stopReading()
      ask(ana, ...numbers(0, 1500).map((i) => ({ _tag: "Whisper", nick: "slow", text: `${i}.${"x".repeat(100)}` })))
      yield* fence(ana)
      slow.startReading()
      yield* fence(slow)
      const got = heard(slow, "Whispered").map(({ text }) => number(text as string))
      const missed = heard(slow, "Missed")
      assert.isAbove(missed.length, 0)
      for (const one of missed) assert.isUndefined(one["room"])
      assert.strictEqual(got.length + missed.reduce((sum, one) => sum + (one["count"] as number), 0), 1500)
      assert.isTrue(grows(got))
    }))

  it.effect("who comes into a room in the turn in which it was left empty hears everything in it", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const take = (room?: string) =>
        Effect.tap(
          Effect.sync(() => house.hub.open({ dialect: "test", address: "test", bell: { ring: () => {} } })),
          (subscription) =>
            house.hub.submit(subscription, [{ _tag: "Arrive" }, ...(room === undefined ? [] : [{ _tag: "Join" as const, room }])])
        )
      const [ana, bo, cy] = yield* Effect.all([take("den"), take(), take()])
      for (const one of [bo, cy]) one.take()
      const { hub } = house
      yield* Effect.all([
        hub.submit(ana, [{ _tag: "Quit" }]),
        hub.submit(bo, [{ _tag: "Join", room: "den" }, { _tag: "Say", target: "#den", text: "hi" }]),
        hub.submit(cy, [{ _tag: "Join", room: "den" }, { _tag: "Say", target: "#den", text: "ho" }])
      ], { concurrency: "unbounded" })
      const said = (subscription: typeof bo) =>
        subscription.take().flatMap(({ part }) =>
          part._tag !== "Heard"
            ? []
            : part.batch.entries.slice(part.from, part.to).flatMap(({ event }) => event._tag === "Said" ? [event.text] : [])
        )
      assert.deepStrictEqual([said(bo), said(cy)], [["hi", "ho"], ["ho"]])
    }))
})

describe("a seat without a socket", () => {
  const seatIn = Effect.fnUntraced(function*(house: House, nick: string, ...rooms: ReadonlyArray<string>) {
    const seat = yield* Effect.provideService(Seat.take({ nick }), Hub, house.hub)
    for (const room of rooms) yield* seat.join(room)
    return seat
  })
  const read = (seat: Seat.Seat, last: string) =>
    seat.messages.pipe(
      Stream.takeUntil((message) => message._tag === "Said" && message.text === last),
      Stream.runCollect
    )

  it.effect("hears everything once and in order, though it listens late and in several rooms", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const seat = yield* seatIn(house, "seat", "a", "b")
      const ana = yield* program(house, "ana", "a", "b")
      yield* talk(ana, "a", numbers(0, 150).map((i) => `a${i}`))
      ask(ana, { _tag: "SetNick", nick: "anna" })
      yield* talk(ana, "b", numbers(0, 150).map((i) => `b${i}`))
      yield* talk(ana, "a", ["end"])
      const told = yield* read(seat, "end")
      const all = told.flatMap((one) => "seq" in one && one.seq !== undefined ? [one.seq] : [])
      assert.isTrue(grows(all), all.join(" "))
      const said = told.flatMap((one) => one._tag === "Said" ? [one.text] : [])
      assert.deepStrictEqual(said, [...numbers(0, 150).map((i) => `a${i}`), ...numbers(0, 150).map((i) => `b${i}`), "end"])
      assert.strictEqual(told.filter(({ _tag }) => _tag === "Renamed").length, 1)
    }))

  it.effect("is told how much it missed of what the log has forgotten", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 20 })
      const seat = yield* seatIn(house, "seat", "a")
      const ana = yield* program(house, "ana", "a")
      yield* talk(ana, "a", [...numbers(0, 200).map((i) => `a${i}`), "end"])
      const told = yield* read(seat, "end")
      const missed = told.flatMap((one) => one._tag === "Missed" ? [one.count ?? 0] : []).reduce((a, b) => a + b, 0)
      assert.isAbove(missed, 0)
      assert.strictEqual(missed + told.filter(({ _tag }) => _tag === "Said").length, 201)
    }))
})

describe("seen means kept", () => {
  /** A log that keeps things only while the latch is open, and fails when told to. */
  const gated = (latch: Latch.Latch, failing: { now: boolean }) =>
    Layer.effect(
      Log,
      Effect.map(Log, (log) =>
        Log.of({
          ...log,
          append: (drafts) =>
            latch.await.pipe(Effect.andThen(Effect.suspend(() =>
              failing.now ? Effect.fail(new LogError({ message: "the disk is full" })) : log.append(drafts)
            )))
        }))
    ).pipe(Layer.provide(Log.layerMemory({ history: 100 })))

  it.effect("nobody is shown anything before it is kept, not even an answer that follows it", () =>
    Effect.gen(function*() {
      const latch = yield* Latch.make(true)
      const house = yield* open({ log: gated(latch, { now: false }) })
      const ana = yield* program(house, "ana", "den")
      const bo = yield* person(house, "bo", "den")
      yield* latch.close
      const before = [ana, bo].map((client) => client.text())
      ask(ana, say("den", "hello"), { _tag: "Motd" })
      yield* settled
      assert.deepStrictEqual([ana, bo].map((client) => client.text()), before)
      yield* latch.open
      yield* fence(ana)
      yield* understood(bo)
      assert.deepStrictEqual(texts(ana, "den"), ["hello"])
      assert.include(bo.text(), "ana: hello\n")
    }))

  it.effect("what cannot be kept is refused to its author and shown to nobody, and the world is as it was", () =>
    Effect.gen(function*() {
      const latch = yield* Latch.make(true)
      const failing = { now: false }
      const house = yield* open({ log: gated(latch, failing) })
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      const cy = yield* program(house, "cy", "den")
      failing.now = true
      ask(ana, say("den", "lost"))
      yield* ana.until((text) => text.includes("it could not be kept: the disk is full"))
      ask(ana, { _tag: "SetNick", nick: "anna" })
      yield* ana.until((text) => text.split("could not be kept").length === 3)
      cy.reset()
      yield* settled
      failing.now = false
      yield* TestClock.adjust("1 second")
      yield* bo.until((text) => text.includes("\"Quit\""))
      ask(bo, { _tag: "SetNick", nick: "anna" }, { _tag: "Names", room: "den" })
      yield* fence(bo)
      yield* fence(ana)
      assert.deepStrictEqual(texts(bo, "den"), [])
      assert.deepStrictEqual(heard(bo, "Quit").map(({ nick }) => nick), ["cy"])
      assert.deepStrictEqual(heard(bo, "Members").at(-1)!["members"], [
        { nick: "ana", rank: "operator", away: false },
        { nick: "anna", rank: "member", away: false }
      ])
    }))

  it.effect("whose wish cannot be kept is told so in answer to it, and is where they were", () =>
    Effect.gen(function*() {
      const failing = { now: false }
      const house = yield* open({ log: gated(yield* Latch.make(true), failing) })
      const ana = yield* person(house, "ana")
      const client = house.connect()
      client.send("CAP REQ :labeled-response batch\r\nNICK bo\r\nUSER bo 0 * :Bo\r\nCAP END\r\nJOIN #lobby\r\n")
      yield* client.until((text) => text.includes(" 366 bo #lobby "))
      failing.now = true
      client.send("@label=l1 JOIN #den\r\n@label=l2 PING :there\r\n")
      yield* client.until((text) => text.includes("@label=l2 "))
      assert.match(client.text(), /@label=l1 [^\r]*it could not be kept: the disk is full\r\n@label=l2 [^\r]* PONG /)
      ana.send("/join den\n")
      yield* ana.until((text) => text.endsWith("it could not be kept: the disk is full\n"))
      failing.now = false
      ana.send("still here\n")
      yield* client.until((text) => text.endsWith(" PRIVMSG #lobby :still here\r\n"))
    }))

  it.effect("whose coming cannot be kept is told so and let go, for they could do nothing here", () =>
    Effect.gen(function*() {
      const house = yield* open({ log: gated(yield* Latch.make(true), { now: true }) })
      const bo = house.connect()
      bo.send("/nick bo\nhello\n")
      const program = house.connect()
      program.send('{"_tag":"Names","room":"lobby"}\n')
      const client = house.connect()
      client.send("NICK cy\r\nUSER cy 0 * :Cy\r\n")
      for (const one of [bo, program, client]) {
        yield* one.until((text) => text.includes("it could not be kept: the disk is full") && text.includes("you could not be let in; try again later"))
        yield* one.closed
      }
    }))
})

describe("resume", () => {
  const seqOf = (client: Memory.Client, text: string) => heard(client, "Said").find((told) => told["text"] === text)!.seq!
  const epoch = (client: Memory.Client) => heard(client, "Welcome")[0]!["epoch"] as string

  it.effect("who comes back with a sequence number is told exactly what followed it", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den", "attic")
      const bo = yield* program(house, "bo", "den")
      yield* talk(ana, "den", ["one", "two"])
      yield* fence(bo)
      bo.reset()
      yield* ana.until((text) => text.includes("\"Quit\""))
      yield* talk(ana, "den", ["three"])
      yield* talk(ana, "attic", ["elsewhere"])
      yield* talk(ana, "den", ["four"])
      const again = house.connect()
      ask(again, { _tag: "SetNick", nick: "bo" }, { _tag: "Join", room: "den", after: seqOf(ana, "two"), epoch: epoch(ana) })
      yield* fence(again)
      ask(ana, say("den", "five"))
      yield* again.until((text) => text.includes("five"))
      const told = heard(again).filter(({ _tag }) => _tag !== "Welcome" && _tag !== "Renamed" && _tag !== "Refused")
      assert.deepStrictEqual(told.map((one) => one["text"] ?? one._tag), ["Quit", "three", "four", "Joined", "RoomInfo", "five"])
      assert.isTrue(grows(seqs(told)))
    }))

  it.effect("while others talk, nothing falls between what is resumed and what is heard", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      yield* talk(ana, "den", ["start"])
      const after = seqOf(ana, "start")
      const late: Array<Memory.Client> = []
      for (const i of numbers(0, 60)) {
        ask(ana, say("den", `m${i}`))
        if (i % 10 === 5) {
          const one = house.connect()
          ask(one, { _tag: "Join", room: "den", after })
          late.push(one)
        }
        yield* Effect.yieldNow
      }
      yield* fence(ana)
      for (const one of late) {
        yield* fence(one)
        assert.deepStrictEqual(texts(one, "den"), numbers(0, 60).map((i) => `m${i}`))
        const all = seqs(heard(one).filter(({ _tag }) => _tag !== "Renamed"))
        assert.isTrue(grows(all))
      }
    }))

  it.effect("who comes back to what the log has forgotten is told so, and what is left of it", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 10 })
      const ana = yield* program(house, "ana", "den")
      yield* talk(ana, "den", numbers(0, 30).map((i) => `m${i}`))
      const after = seqOf(ana, "m3")
      const bo = house.connect()
      ask(bo, { _tag: "Join", room: "den", after })
      yield* fence(bo)
      const [first] = heard(bo).filter(({ _tag }) => _tag !== "Welcome")
      assert.deepInclude(first, { _tag: "Missed", room: "den", after })
      assert.deepStrictEqual(texts(bo, "den"), numbers(20, 30).map((i) => `m${i}`))
    }))

  it.effect("more than one answer may hold is told in several", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 2000 })
      const ana = yield* program(house, "ana", "den")
      ask(ana, ...numbers(0, 900).map((i) => say("den", `m${i}`)))
      yield* fence(ana)
      const after = seqOf(ana, "m0")
      const bo = house.connect()
      ask(bo, { _tag: "Join", room: "den", after })
      yield* fence(bo)
      const got = texts(bo, "den")
      assert.deepStrictEqual(got, numbers(1, 900).map((i) => `m${i}`))
      assert.lengthOf(heard(bo, "Missed"), 0)
    }))

  it.effect("a sequence number of another epoch is no position: that is told", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      yield* talk(ana, "den", ["one", "two"])
      const bo = house.connect()
      ask(bo, { _tag: "Join", room: "den", after: seqOf(ana, "one"), epoch: `${epoch(ana)}x` })
      yield* fence(bo)
      assert.deepInclude(heard(bo, "Missed")[0], { room: "den", after: seqOf(ana, "one") })
      assert.deepStrictEqual(texts(bo, "den"), [])
    }))

  it.effect("who missed nothing is told nothing", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      yield* talk(ana, "den", ["one", "two"])
      const bo = house.connect()
      ask(bo, { _tag: "Join", room: "den", after: seqOf(ana, "two"), epoch: epoch(ana) })
      yield* fence(bo)
      assert.deepStrictEqual(heard(bo).map(({ _tag }) => _tag).slice(0, 3), ["Welcome", "Joined", "RoomInfo"])
    }))
})

describe("a slow reader harms only itself", () => {
  it.effect("it has a bounded amount unsent, and the others hear everything at once", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      const slow = yield* program(house, "slow", "den")
      const pat = yield* person(house, "pat", "den")
      for (const client of [slow, pat]) client.stopReading()
      let most = 0
      for (const i of numbers(0, 300)) {
        ask(ana, say("den", `${i}.${"x".repeat(3000)}`))
        yield* Effect.all([fence(ana), fence(bo)])
        for (const client of [slow, pat]) most = Math.max(most, client.connection.unsent())
      }
      assert.isAtLeast(most, highWater)
      assert.isAtMost(most, maxUnsent)
      for (const client of [ana, bo]) assert.deepStrictEqual(texts(client, "den").map(number), numbers(0, 300))
    }))

  it.effect("what takes six bytes a character to tell is bounded as well", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      const pat = yield* person(house, "pat", "den")
      for (const character of ["\u0001", "\u0080"]) {
        for (const client of [slow, pat]) client.stopReading()
        ask(ana, ...numbers(0, 15).map((i) => say("den", `${i}.${"x".repeat(4000)}`)))
        yield* fence(ana)
        let most = 0
        for (let round = 0; round < 4; round++) {
          ask(ana, ...numbers(0, 40).map(() => say("den", character.repeat(character === "\u0001" ? 4096 : 2048))))
          yield* fence(ana)
          for (const client of [slow, pat]) most = Math.max(most, client.connection.unsent())
        }
        assert.isAtLeast(most, highWater)
        assert.isAtMost(most, maxUnsent)
        for (const client of [slow, pat]) client.startReading()
        yield* fence(slow)
        yield* understood(pat)
      }
    }))

  it.effect("what it is given when it reads again is bounded too", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      const count = yield* flood(ana, "den")
      let most = 0
      for (let i = 0; i < 200 && texts(slow, "den").length < count; i++) {
        slow.startReading(20_000)
        yield* settled
        most = Math.max(most, slow.connection.unsent())
      }
      assert.isAtMost(most, maxUnsent)
      slow.startReading()
      yield* fence(slow)
      assert.deepStrictEqual(texts(slow, "den").map(number), numbers(0, count))
    }))

  it.effect("what it asks for is bounded too", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      yield* flood(ana, "den", 0, 300)
      for (const nick of ["slow", "pat"]) {
        const slow = nick === "slow" ? yield* program(house, nick, "den") : yield* person(house, nick, "den")
        slow.stopReading()
        if (nick === "slow") ask(slow, ...numbers(0, 20).map(() => ({ _tag: "History", room: "den", limit: 500 })))
        else slow.send("/history 500\n".repeat(20))
        yield* settled
        assert.isAbove(slow.connection.unsent(), 0)
        assert.isAtMost(slow.connection.unsent(), maxUnsent)
      }
    }))

  it.effect("it is told and closed after taking nothing for a minute", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      const pat = yield* person(house, "pat", "den")
      for (const client of [slow, pat]) client.stopReading()
      yield* flood(ana, "den", 0, 60)
      yield* TestClock.adjust(patience - 1000)
      assert.strictEqual(heard(ana, "Quit").length, 0)
      yield* TestClock.adjust(1000)
      yield* fence(ana)
      assert.deepStrictEqual(heard(ana, "Quit").map(({ nick, reason }) => [nick, reason]).sort(), [
        ["pat", "does not read"],
        ["slow", "does not read"]
      ])
      for (const client of [slow, pat]) {
        client.startReading()
        yield* client.closed
      }
      assert.deepStrictEqual(heard(slow).at(-1), {
        _tag: "Closing",
        reason: "you took nothing for 60 seconds; come back and resume"
      })
      assert.strictEqual(lines(pat).at(-1), "-!- you took nothing for 60 seconds; come back and resume")
      yield* settled
      assert.strictEqual(yield* house.server.connections, 1)
    }))

  it.effect("it is let go within seconds when it does not even take that", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      yield* flood(ana, "den", 0, 60)
      yield* TestClock.adjust(patience)
      yield* hurried(slow.closed, 12_000)
      yield* settled
      assert.strictEqual(yield* house.server.connections, 1)
    }))

  it.effect("one that takes something every minute stays", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      const count = yield* flood(ana, "den")
      for (let i = 0; i < 20; i++) {
        yield* TestClock.adjust(patience - 500)
        slow.startReading(1)
        yield* settled
      }
      slow.startReading()
      yield* fence(slow)
      assert.deepStrictEqual(texts(slow, "den").map(number), numbers(0, count))
      assert.strictEqual(heard(ana, "Quit").length, 0)
    }))
})

describe("a fast writer is slowed, not dropped", () => {
  const rate = { burst: 10, perSecond: 2 }

  it.effect("ten commands go at once, then two each second, in order", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate })
      const ana = yield* program(house, "ana", "den")
      const bo = yield* person(house, "bo", "den")
      const spent = yield* TestClock.adjust(10_000)
      ask(ana, ...numbers(0, 30).map((i) => say("den", `m${i}`)))
      const said = () => lines(bo).filter((line) => line.startsWith("ana: ")).map((line) => line.slice(5))
      yield* settled
      assert.strictEqual(said().length, 10, `${spent}`)
      for (const second of numbers(1, 11)) {
        yield* TestClock.adjust(1000)
        yield* settled
        assert.strictEqual(said().length, 10 + 2 * second)
      }
      yield* TestClock.adjust(60_000)
      assert.deepStrictEqual(said(), numbers(0, 30).map((i) => `m${i}`))
    }))

  it.effect("others are not slowed by it, and it still hears them", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate })
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      yield* TestClock.adjust(10_000)
      ask(ana, ...numbers(0, 1000).map((i) => say("den", `m${i}`)))
      yield* settled
      ask(bo, say("den", "hello"))
      yield* Effect.all([bo.until((text) => text.includes("hello")), ana.until((text) => text.includes("hello"))])
      assert.strictEqual(texts(bo, "den").length, 11)
    }))

  it.effect("what has not gone yet when the writer ends its side still goes", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate })
      const ana = yield* person(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      yield* TestClock.adjust(10_000)
      ana.send(numbers(0, 30).map((i) => `m${i}\n`).join(""))
      ana.end()
      yield* hurried(ana.closed)
      yield* fence(bo)
      assert.deepStrictEqual(texts(bo, "den"), numbers(0, 30).map((i) => `m${i}`))
      assert.isTrue(ana.text().endsWith("-!- goodbye\n"))
    }))

  it.effect("no more is taken from it than what it may say", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate })
      const ana = yield* person(house, "ana", "den")
      yield* TestClock.adjust(10_000)
      let taken = 0
      const { take } = ana.connection
      Object.assign(ana.connection, {
        take: () => {
          const arrival = take()
          if (arrival instanceof Uint8Array) taken++
          return arrival
        }
      })
      for (const i of numbers(0, 100)) ana.send(`m${i}\n`)
      yield* settled
      assert.strictEqual(taken, 11)
    }))
})

describe("whoever answers stays", () => {
  const register = (nick: string) => `NICK ${nick}\r\nUSER a 0 * :a\r\nJOIN #a\r\n`
  const pings = (client: Memory.Client) => client.text().split("PING :").length - 1

  it.effect("however long the log takes to keep what others say", () =>
    Effect.gen(function*() {
      const latch = yield* Latch.make(true)
      const log = Layer.effect(Log, Effect.map(Log, (log) => Log.of({ ...log, append: (drafts) => Effect.andThen(latch.await, log.append(drafts)) })))
      const house = yield* open({ log: Layer.provide(log, Log.layerMemory({ history: 100 })) })
      const [ana, bo, cy] = ["ana", "bo", "cy"].map((nick) => {
        const client = house.connect()
        client.send(register(nick))
        return client
      }) as [Memory.Client, Memory.Client, Memory.Client]
      yield* settled
      yield* latch.close
      for (const [i, client] of [ana, bo].entries()) {
        client.send(`PRIVMSG #a :${i}\r\n`)
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      const times: Array<number> = []
      for (let second = 2; second < 390; second++) {
        yield* TestClock.adjust("1 second")
        yield* settled
        for (let more = pings(cy) - times.length; more > 0; more--) {
          times.push(second)
          cy.send("PONG x\r\n")
          yield* settled
        }
      }
      assert.isFalse(cy.isClosed())
      assert.lengthOf(times, 4, times.join(" "))
    }))

  it.effect("as long as anybody has to answer, however long nobody listened to it before", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate: { burst: 10, perSecond: 2 } })
      const ana = house.connect()
      ana.send(register("ana") + Array.from({ length: 400 }, (_, i) => `PRIVMSG #a :${i}\r\n`).join(""))
      let second = 0
      const passed = (done: () => boolean) =>
        Effect.gen(function*() {
          const from = second
          while (!done()) {
            yield* TestClock.adjust("1 second")
            yield* settled
            assert.isBelow(++second, 1000)
          }
          return second - from
        })
      assert.isAbove(yield* passed(() => pings(ana) === 1), 150)
      assert.approximately(yield* passed(() => ana.text().includes("ERROR :")), 60, 1)
    }))
})

describe("one leave", () => {
  /** How often each room saw this nick leave it. */
  const leaves = (watcher: Memory.Client, nick: string) => {
    const counts: Record<string, number> = {}
    for (const told of heard(watcher, "Left", "Kicked", "Quit")) {
      if (told["nick"] !== nick) continue
      for (const room of told._tag === "Quit" ? told["rooms"] as ReadonlyArray<string> : [told["room"] as string]) {
        counts[room] = (counts[room] ?? 0) + 1
      }
    }
    return counts
  }
  const rooms = ["a", "b", "c"]
  const once = { a: 1, b: 1, c: 1 }

  const endings: ReadonlyArray<readonly [string, string, (victim: Memory.Client, house: House) => Effect.Effect<void>]> = [
    ["/quit", "tea", (victim) => Effect.sync(() => ask(victim, { _tag: "Quit", reason: "tea" }))],
    ["the end of its input", "", (victim) => Effect.sync(() => victim.end())],
    ["a reset", "connection reset", (victim) => Effect.sync(() => victim.reset())],
    ["a line too long", "a line has at most 65536 bytes", (victim) => Effect.sync(() => victim.send("x".repeat(70_000)))],
    ["an operator of the server had enough", "Killed (boss (noise))", (_victim, { hub }) =>
      Effect.gen(function*() {
        yield* hub.configure({ isOperator: () => true })
        const root = hub.open({ dialect: "test", address: "test", bell: { ring: () => {} } })
        yield* hub.submit(root, [
          { _tag: "Arrive", nick: "boss" }, { _tag: "Oper", name: "root", password: "" }, { _tag: "Kill", nick: "victim", reason: "noise" }
        ])
      })],
    ["a minute of not reading", "does not read", (victim, house) =>
      Effect.gen(function*() {
        victim.stopReading()
        const talker = yield* program(house, "talker", "a")
        yield* flood(talker, "a", 0, 60)
        yield* TestClock.adjust(patience)
      })]
  ]

  for (const [what, reason, end] of endings) {
    it.effect(`each room sees one after ${what}`, () =>
      Effect.gen(function*() {
        const house = yield* open()
        const watcher = yield* program(house, "watcher", ...rooms)
        const victim = yield* program(house, "victim", ...rooms)
        yield* end(victim, house)
        yield* watcher.until((text) => text.includes("\"Quit\""))
        victim.reset()
        yield* fence(watcher)
        assert.deepStrictEqual(leaves(watcher, "victim"), once)
        assert.strictEqual(heard(watcher, "Quit")[0]!["reason"], reason)
        const world = yield* house.hub.world
        assert.strictEqual(Array.from(world.persons).some(([, { nick }]) => nick === "victim"), false)
      }))
  }

  it.effect("each room sees one of someone who is kicked from one room, leaves another and then goes", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const watcher = yield* program(house, "watcher", ...rooms)
      const victim = yield* program(house, "victim", ...rooms)
      ask(watcher, { _tag: "Kick", room: "a", nick: "victim" })
      yield* fence(watcher)
      ask(victim, { _tag: "Part", room: "b" })
      yield* fence(victim)
      victim.reset()
      yield* watcher.until((text) => text.includes("\"Quit\""))
      yield* fence(watcher)
      assert.deepStrictEqual(leaves(watcher, "victim"), once)
      assert.deepStrictEqual(heard(watcher, "Quit")[0]!["rooms"], ["c"])
    }))

  it.effect("a kick and a reset at the same instant make one", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const watcher = yield* program(house, "watcher", ...rooms)
      for (const i of numbers(0, 10)) {
        const victim = yield* program(house, `v${i}`, ...rooms)
        if (i % 2 === 0) victim.reset()
        ask(watcher, ...rooms.map((room) => ({ _tag: "Kick", room, nick: `v${i}` })))
        if (i % 2 === 1) victim.reset()
        yield* settled
        yield* fence(watcher)
        assert.deepStrictEqual(leaves(watcher, `v${i}`), once)
      }
    }))

  it.effect("who is interrupted while arriving does not stay behind", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const { hub } = house
      const watcher = yield* program(house, "watcher", "den")
      const ghost = hub.open({ dialect: "test", address: "test", bell: { ring: () => {} } })
      const arriving = yield* Effect.forkChild(
        hub.submit(ghost, [{ _tag: "Arrive", nick: "ghost" }, { _tag: "Join", room: "den" }]),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(arriving)
      yield* hub.close(ghost, "interrupted")
      yield* settled
      yield* fence(watcher)
      const world = yield* hub.world
      assert.deepStrictEqual(Array.from(world.persons, ([, { nick }]) => nick), ["watcher"])
      assert.deepStrictEqual(leaves(watcher, "ghost"), { den: heard(watcher, "Joined").filter(({ nick }) => nick === "ghost").length })
    }))

  it.effect("the log has one for everyone when the server closes, and when it is interrupted", () =>
    Effect.gen(function*() {
      const house = yield* open({ grace: "5 seconds" })
      const reading = yield* program(house, "reading", ...rooms)
      const stuck = yield* program(house, "stuck", ...rooms)
      const plain = yield* person(house, "plain", ...rooms)
      stuck.stopReading()
      yield* flood(reading, "a", 0, 60)
      const subscription = yield* house.hub.listen(rooms, { ring: () => {} })
      yield* hurried(house.close, 10_000)
      const quits: Array<string> = []
      for (const { part } of subscription.take()) {
        if (part._tag !== "Heard") continue
        for (const { event } of part.batch.entries.slice(part.from, part.to)) {
          if (event._tag === "Quit") quits.push(`${event.nick} ${event.rooms.join(" ")}: ${event.reason}`)
        }
      }
      assert.deepStrictEqual(quits.sort(), [
        "plain lobby a b c: the server is closing",
        "reading a b c: the server is closing",
        "stuck a b c: connection closed"
      ])
      assert.isTrue(plain.isClosed())
    }))
})

describe("cutting is insignificant", () => {
  const transcript = (script: string | Uint8Array, cut: number, dialect: "auto" | "raw") =>
    Effect.scoped(Effect.gen(function*() {
      const house = yield* open({ dialect })
      const watcher = house.connect()
      if (dialect === "auto") watcher.send("/join den\n")
      yield* settled
      const client = house.connect()
      client.cutTo(cut)
      client.send(script)
      client.end()
      yield* client.closed
      yield* settled
      return [client.text(), watcher.text()]
    })).pipe(Random.withSeed("cut"))

  const scripts: ReadonlyArray<readonly [string, string | Uint8Array, "auto" | "raw"]> = [
    ["people", "/nick zoë\r\n/nick zoe\r\nhello ⭐ 👩‍👩‍👧\n\n  \n/me waves\n//x\n/join den\r\nhi\n/nope\n/names\n/quit so long", "auto"],
    ["telnet", Buffer.concat([
      Buffer.from([255, 251, 1, 255, 253, 3, 255, 250, 24, 0, 255, 240]),
      Buffer.from("hel\blo\r\nwor"),
      Buffer.from([255, 255]),
      Buffer.from("ld\r\nbad "),
      Buffer.from([0xc3, 0x28]),
      Buffer.from("\r\n/topic caf\u00e9\r\nlast\u0004")
    ]), "auto"],
    ["programs", [
      { _tag: "SetNick", nick: "bot" },
      { _tag: "Join", room: "den" },
      say("den", "héllo ⭐"),
      { _tag: "Nope" },
      { _tag: "Names", room: "den" }
    ].map((command) => JSON.stringify(command) + "\r\n").join("") + "not json\n{\"_tag\":\"Motd\"}", "auto"],
    ["those who pass bytes on", "never mind what it says, ⭐ or not\n\n\r\n/quit\u0000".repeat(12), "raw"]
  ]
  for (const [who, script, dialect] of scripts) {
    it.effect(`what ${who} send comes to the same in pieces of any size`, () =>
      Effect.gen(function*() {
        const whole = yield* transcript(script, Infinity, dialect)
        assert.isAbove(whole[0]!.length, 200)
        assert.isAbove(whole[1]!.length, 200)
        for (const cut of [1, 2, 3, 5, 7, 16, 61]) assert.deepStrictEqual(yield* transcript(script, cut, dialect), whole)
      }))
  }
})

describe("safe to look at", () => {
  const nasty = [
    "\u001b[31mred", "\u001b]52;c;eA==\u0007", "\u001bPx\u001b\\", "\u009b2J", "\u0000", "\u0007", "\b\b\b", "\u007f", "a\rb",
    "\u0003", "\u2028", "\u202eoverride", "\u200bzero", "-!- notice"
  ]
  const acts = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

  it.effect("no control byte typed by one person reaches another", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bot = yield* program(house, "bot", "lobby", "den")
      const pat = yield* person(house, "pat", "den")
      for (const text of nasty) {
        ask(
          bot,
          say("den", text),
          say("lobby", text),
          { _tag: "Say", target: "#den", text, kind: "action" },
          { _tag: "Whisper", nick: "pat", text },
          { _tag: "SetTopic", room: "den", topic: text },
          { _tag: "SetAway", message: text },
          { _tag: "SetNick", nick: text },
          { _tag: "Join", room: text },
          { _tag: "Kick", room: "den", nick: "pat", reason: text },
          { _tag: "Part", room: "den", reason: text },
          { _tag: "Join", room: "den" }
        )
        yield* fence(bot)
        pat.send(`/join den\n/msg bot ${text.replace(/[\r\n\u0003]/g, "")}\n${text.replace(/\u0003/g, "")}\n/topic\n/who bot\n/history\n`)
        yield* understood(pat)
      }
      ask(bot, { _tag: "Quit", reason: nasty.join("") })
      yield* pat.until((text) => text.includes("bot quit"))
      const late = yield* person(house, "late", "den")
      late.send("/history\n/list\n/names\n")
      yield* understood(late)
      for (const client of [bot, pat, late]) {
        assert.isAbove(client.text().length, 1000)
        assert.notMatch(client.text(), acts)
        assert.notInclude(client.text(), "\ufffd")
      }
      assert.include(pat.text(), "bot: ␛[31mred")
    }))
})

describe("closing is total", () => {
  it.effect("everyone is told and nobody is left", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bot = yield* program(house, "bot", "den")
      const pat = yield* person(house, "pat", "den")
      const silent = house.connect()
      const half = house.connect()
      half.send("{\"_tag\":")
      yield* settled
      assert.strictEqual(yield* house.server.connections, 4)
      yield* house.close
      assert.deepStrictEqual(heard(bot).at(-1), { _tag: "Closing", reason: "the server is closing" })
      assert.strictEqual(lines(pat).at(-1), "-!- the server is closing")
      assert.strictEqual(silent.text(), "-!- the server is closing\n")
      assert.deepInclude(heard(half).at(-1), { _tag: "Closing" })
      for (const client of [bot, pat, silent, half]) assert.isTrue(client.isClosed())
      assert.strictEqual(yield* house.server.connections, 0)
    }))

  it("whoever comes while it closes, whatever is happening, is told and keeps nobody waiting", async () => {
    for (let seed = 1; seed <= 150; seed++) {
      await seeded(
        Effect.gen(function*() {
          const house = yield* open({ dialect: seed % 2 === 0 ? "plain" : "json", maxClients: 3, backlog: 2 })
          const clients: Array<Memory.Client> = []
          for (const i of numbers(0, 6)) {
            clients.push(house.connect())
            for (let turn = 0; turn < (seed * (i + 1)) % 4; turn++) yield* Effect.yieldNow
          }
          for (let turn = 0; turn < seed % 7; turn++) yield* Effect.yieldNow
          const closing = yield* Effect.forkChild(house.close)
          for (let turn = 0; turn < 300; turn++) yield* Effect.yieldNow
          yield* TestClock.adjust(100)
          assert.isDefined(closing.pollUnsafe(), `seed ${seed}`)
          assert.strictEqual(yield* house.server.connections, 0)
          for (const client of clients) {
            if (client.text() === "") continue
            assert.isTrue(client.isClosed(), `seed ${seed}`)
            assert.match(client.text(), /the server is (closing|full)[^\n]*\n$/, `seed ${seed}`)
          }
        }),
        seed
      )
    }
  })

  it.effect("no newcomer comes in while it closes, and who waits for a seat is told", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 1, grace: "10 seconds" })
      const stuck = yield* program(house, "stuck")
      stuck.stopReading()
      const talk = numbers(0, 60).map((i) => ({ _tag: "Whisper", nick: "stuck", text: `${i}.${"x".repeat(3000)}` }))
      ask(stuck, ...talk)
      const waits = house.connect()
      yield* settled
      assert.strictEqual(waits.text(), "")
      const closing = yield* Effect.forkScoped(house.close)
      yield* settled
      assert.strictEqual(waits.text(), "-!- the server is closing; try again later\n")
      const late = house.connect()
      yield* settled
      assert.isTrue(late.isClosed())
      assert.strictEqual(late.text(), "")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.isDefined(closing.pollUnsafe())
    }))

  it.effect("nobody who does not read holds it up past the grace period", () =>
    Effect.gen(function*() {
      const house = yield* open({ grace: "3 seconds" })
      const ana = yield* program(house, "ana", "den")
      const stuck = yield* program(house, "stuck", "den")
      const idle = yield* person(house, "idle", "den")
      stuck.stopReading()
      yield* flood(ana, "den", 0, 60)
      idle.stopReading()
      const closing = yield* Effect.forkScoped(house.close)
      yield* settled
      assert.isTrue(ana.isClosed())
      yield* TestClock.adjust(2_999)
      yield* settled
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* settled
      assert.isDefined(closing.pollUnsafe())
      for (const client of [ana, stuck, idle]) assert.isTrue(client.isClosed())
      assert.strictEqual(yield* house.server.connections, 0)
    }))

  it.effect("who reads late but in time gets everything it is owed, then the goodbye", () =>
    Effect.gen(function*() {
      const house = yield* open({ grace: "10 seconds" })
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      const count = yield* flood(ana, "den")
      const closing = yield* Effect.forkScoped(house.close)
      yield* settled
      yield* TestClock.adjust("5 seconds")
      slow.startReading()
      yield* settled
      assert.deepStrictEqual(texts(slow, "den").map(number), numbers(0, count))
      assert.deepStrictEqual(heard(slow).at(-1), { _tag: "Closing", reason: "the server is closing" })
      assert.isDefined(closing.pollUnsafe())
    }))
})
