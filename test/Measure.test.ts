import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import { TestClock } from "effect/testing"
import * as Logs from "../src/Cli/Logs.ts"
import { patience } from "../src/Session.ts"
import { ask, fence, hurried, open, person, program, say, settled, understood } from "./house.ts"

const ownMetrics = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))
const times = <A>(n: number, make: (i: number) => A) => Array.from({ length: n }, (_, i) => make(i))

/** A metric's values by their attributes, as `name=value` pairs. */
const measured = (id: string) =>
  Effect.map(Metric.snapshot, (all) =>
    Object.fromEntries(
      all.filter((one) => one.id === id).map(({ attributes, state }) => [
        Object.entries(attributes ?? {}).sort().map(([name, value]) => `${name}=${String(value)}`).join(","),
        "count" in state ? state.count : "value" in state ? state.value : state
      ])
    ))

/** What is logged at info and above while this runs: what is said, with its annotations. */
const logged = (into: Array<{ readonly message: string; readonly level: string; readonly details: Record<string, unknown> }>) =>
  Effect.provide(Logger.layer([Logger.make((options) => {
    const message = Array.isArray(options.message) ? options.message.map(String).join(" ") : String(options.message)
    into.push({ message, level: options.logLevel, details: options.fiber.getRef(References.CurrentLogAnnotations) })
  })]))

describe("metrics", () => {
  it.effect("chat_connections goes up and down with the sessions of each dialect", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* person(house, "ana")
      const bot = yield* program(house, "bot")
      const bob = yield* program(house, "bob")
      yield* settled
      assert.deepStrictEqual(yield* measured("chat_connections"), { "dialect=json": 2, "dialect=plain": 1 })
      ana.send("/quit\n")
      bot.reset()
      yield* settled
      assert.deepStrictEqual(yield* measured("chat_connections"), { "dialect=json": 1, "dialect=plain": 0 })
      bob.end()
      yield* settled
      assert.deepStrictEqual(yield* measured("chat_connections"), { "dialect=json": 0, "dialect=plain": 0 })
    }).pipe(ownMetrics))

  it.effect("chat_delivery_seconds is how long a delivery took, for who comes in too, however long the machine has run", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 day")
      const house = yield* open()
      const ana = yield* person(house, "ana")
      ana.send("hello\n/quit\n")
      yield* settled
      const [took] = (yield* Metric.snapshot).filter(({ id }) => id === "chat_delivery_seconds").map(({ state }) => state as { readonly count: number; readonly sum: number })
      assert.isAbove(took!.count, 2)
      assert.isBelow(took!.sum, 1)
    }).pipe(ownMetrics))

  it.effect("chat_connections_total counts the served by dialect, the refused, and those who left before", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 1, backlog: 1 })
      const first = yield* person(house, "first")
      const [waits, full] = times(2, () => house.connect()) as [ReturnType<typeof house.connect>, ReturnType<typeof house.connect>]
      yield* full.closed
      waits.reset()
      yield* settled
      first.send("/quit\n")
      yield* settled
      const bot = yield* program(house, "bot")
      bot.end()
      yield* settled
      assert.deepStrictEqual(yield* measured("chat_connections_total"), {
        "dialect=none,outcome=left": 1,
        "dialect=none,outcome=refused": 1,
        "dialect=plain,outcome=served": 1,
        "dialect=json,outcome=served": 1
      })
    }).pipe(ownMetrics))

  it.effect("chat_messages_total counts what is kept, by kind, and chat_deliveries_total what is heard", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const [ana, bo, cy] = yield* Effect.forEach(["ana", "bo", "cy"], (nick) => program(house, nick, "den"))
      const [before] = Object.values(yield* measured("chat_deliveries_total")) as Array<number>
      ask(ana!, ...times(10, (i) => say("den", `m${i}`)), { _tag: "Whisper", nick: "bo", text: "psst" }, say("nowhere", "x"))
      yield* Effect.forEach([ana!, bo!, cy!], fence)
      const counted = yield* measured("chat_messages_total")
      assert.strictEqual(counted["kind=said"], 10)
      assert.strictEqual(counted["kind=whispered"], 1)
      assert.strictEqual(counted["kind=presence"], 9)
      const [after] = Object.values(yield* measured("chat_deliveries_total")) as Array<number>
      assert.strictEqual(after! - before!, 30)
      assert.deepStrictEqual(yield* measured("chat_rooms"), { "": 1 })
    }).pipe(ownMetrics))

  it.effect("chat_disconnects_total counts how sessions ended", () =>
    Effect.gen(function*() {
      const house = yield* open({ grace: "1 second" })
      const clients = yield* Effect.forEach(times(6, (i) => i), (i) => program(house, `p${i}`, "den"))
      const [quits, ends, lost, stuck, open_, late] = clients as [typeof clients[0], ...typeof clients] & typeof clients
      ask(quits!, { _tag: "Quit" })
      ends!.end()
      lost!.reset()
      stuck!.stopReading()
      ask(open_!, ...times(60, (i) => say("den", `${i}${"x".repeat(3000)}`)))
      yield* fence(open_!)
      yield* TestClock.adjust(patience)
      stuck!.reset()
      late!.stopReading()
      ask(open_!, ...times(60, (i) => say("den", `${i}${"x".repeat(3000)}`)))
      yield* fence(open_!)
      yield* hurried(house.close, 3000)
      assert.deepStrictEqual(yield* measured("chat_disconnects_total"), {
        "reason=closed": 1,
        "reason=ended": 1,
        "reason=lost": 1,
        "reason=stuck": 1,
        "reason=shutdown": 1,
        "reason=interrupted": 1
      })
      assert.deepStrictEqual(yield* measured("chat_connections_total"), { "dialect=json,outcome=served": 6 })
      assert.deepStrictEqual(yield* measured("chat_connections"), { "dialect=json": 0 })
    }).pipe(ownMetrics))

  it.effect("chat_refused_total counts connections turned away and commands not granted", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 40, backlog: 0 })
      const bot = yield* program(house, "bot")
      ask(bot, say("nowhere", "x"), { _tag: "Kick", room: "den", nick: "x" })
      yield* fence(bot)
      times(34, () => house.connect({ address: "192.0.2.1" }))
      times(9, () => house.connect())
      yield* settled
      assert.deepStrictEqual(yield* measured("chat_refused_total"), {
        "reason=address": 2,
        "reason=full": 2,
        "reason=no-room": 4
      })
    }).pipe(ownMetrics))

  const text = "x".repeat(5000)
  for (const [dialect, lines, counts] of [
    ["plain", [text, "/nope", "/me", "\u00c0", "/join den", "/kick bo"], { "too-long": 1, "unknown-command": 1, malformed: 1, "not-utf8": 1, nobody: 1 }],
    ["plain", ["x".repeat(20_000)], { "too-long": 1 }],
    ["json", ["{", "[]", '{"_tag":"Say"}', "\u00ff", '{"_tag":"Join","room":"a b"}'], { malformed: 3, "not-utf8": 1, erroneous: 1 }],
    ["json", ["GET / HTTP/1.1"], { "not-chat": 1 }],
    ["irc", ["NICK ana", "USER a 0 * :A", `PRIVMSG #x :${text}`, "NOPE", "\u00ff", "JOIN", "PART #nope", "@label=x NOPE", "a\rb"], {
      "too-long": 1, "unknown-command": 2, "not-utf8": 1, malformed: 2, "no-room": 1
    }],
    ["auto", ["SSH-2.0-OpenSSH_9.6"], { "not-chat": 1 }]
  ] as const) {
    it.effect(`chat_refused_total counts what is wrong with what comes (${dialect}, ${lines[0].slice(0, 20)})`, () =>
      Effect.gen(function*() {
        const house = yield* open({ dialect })
        const client = house.connect()
        client.send(Buffer.from(lines.map((line) => `${line}\r\n`).join(""), "latin1"))
        yield* settled
        assert.deepStrictEqual(yield* measured("chat_refused_total"), Object.fromEntries(Object.entries(counts).map(([reason, count]) => [`reason=${reason}`, count])))
      }).pipe(ownMetrics))
  }

  it.effect("chat_disconnects_total tells who was thrown out from whom the server closed", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "irc", isOperator: () => true, admits: (password) => password === "sesame" })
      const [wrong, root, ana] = ["wrong", "sesame", "sesame"].map((password, i) => {
        const client = house.connect()
        client.send(`PASS ${password}\r\nNICK n${i}\r\nUSER a 0 * :A\r\n`)
        return client
      })
      yield* settled
      root!.send("OPER root x\r\nKILL n2 :out\r\n")
      yield* settled
      for (const client of [wrong, ana]) yield* client!.closed
      yield* TestClock.adjust("10 seconds")
      yield* hurried(house.close, 3000)
      assert.deepStrictEqual(yield* measured("chat_disconnects_total"), { "reason=removed": 2, "reason=shutdown": 1 })
    }).pipe(ownMetrics))

  it.effect("chat_send_queue_bytes is what clients have not taken", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const slow = yield* program(house, "slow", "den")
      slow.stopReading()
      ask(ana, say("den", "x".repeat(4000)))
      yield* fence(ana)
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(yield* measured("chat_send_queue_bytes"), { "": slow.connection.unsent() })
      assert.isAbove(slow.connection.unsent(), 4000)
      slow.startReading()
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(yield* measured("chat_send_queue_bytes"), { "": 0 })
    }).pipe(ownMetrics))

  it.effect("no metric has anything of a person in it", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 2, backlog: 0 })
      const ana = yield* program(house, "secretname", "secretroom")
      const bo = yield* person(house, "secretbo", "secretroom")
      ask(ana, say("secretroom", "secrettext"), { _tag: "SetTopic", room: "secretroom", topic: "secrettopic" })
      house.connect({ address: "198.51.100.7" })
      yield* fence(ana)
      bo.send("/quit secretreason\n")
      yield* settled
      ana.reset("secretreset")
      yield* settled
      const dump = yield* Metric.dump
      assert.include(dump, "chat_disconnects_total")
      assert.notMatch(dump, /secret|198\.51/)
    }).pipe(ownMetrics))
})

describe("log lines", () => {
  it.effect("each connection, disconnection and refusal is one, with no message in it", () => {
    const log: Array<{ readonly message: string; readonly level: string; readonly details: Record<string, unknown> }> = []
    return Effect.gen(function*() {
      const house = yield* open({ maxClients: 2, backlog: 0 })
      const ana = yield* person(house, "ana", "den")
      const bot = yield* program(house, "bot", "den")
      house.connect({ address: "192.0.2.9" })
      yield* settled
      ana.send("secretbody\n/me secretbody\n/msg bot secretbody\n/topic secretbody\n/away secretbody\n")
      ask(bot, say("den", "secretbody"), { _tag: "Whisper", nick: "ana", text: "secretbody" }, { _tag: "secretbody" })
      yield* Effect.all([understood(ana), fence(bot)])
      ana.send("/quit\n")
      bot.reset("connection reset")
      yield* settled
      assert.deepStrictEqual(log.map(({ details, level, message }) => [level, message, details["address"], details["dialect"] ?? "", details["how"] ?? details["reason"] ?? ""]), [
        ["Info", "connected", "memory", "plain", ""],
        ["Info", "connected", "memory", "json", ""],
        ["Info", "refused", "192.0.2.9", "", "full"],
        ["Info", "disconnected", "memory", "plain", "closed"],
        ["Info", "disconnected", "memory", "json", "lost"]
      ])
      const sessions = log.map(({ details }) => details["session"])
      assert.deepStrictEqual([sessions[3], sessions[4]], [sessions[0], sessions[1]])
      assert.notStrictEqual(sessions[0], sessions[1])
      assert.notInclude(JSON.stringify(log), "secretbody")
    }).pipe(logged(log))
  })

  it.effect("one who says everything at once and goes is logged as having come, too", () => {
    const log: Array<{ readonly message: string; readonly level: string; readonly details: Record<string, unknown> }> = []
    return Effect.gen(function*() {
      const house = yield* open()
      const brief = house.connect()
      brief.send("hello\n")
      brief.end()
      yield* brief.closed
      yield* settled
      assert.deepStrictEqual(log.map(({ details, message }) => [message, details["dialect"]]), [
        ["connected", "plain"],
        ["disconnected", "plain"]
      ])
    }).pipe(logged(log))
  })

  it.effect("what a person gives as a reason cannot forge a line or colour a terminal", () => {
    const written: Record<string, string> = { pretty: "", json: "", logfmt: "" }
    return Effect.gen(function*() {
      for (const format of Logs.formats) {
        yield* Effect.gen(function*() {
          const house = yield* open()
          const bot = yield* program(house, "bot")
          ask(bot, { _tag: "Quit", reason: "bye\n00:00:00.000 info  forged\u001b[31m\u0007\u2028x" })
          yield* bot.closed
          yield* settled
        }).pipe(Effect.scoped, Effect.provide(Logs.layer(format, "info", (line) => {
          written[format] += line
        })))
        const lines = written[format]!.split("\n").slice(0, -1)
        assert.strictEqual(lines.length, 2, written[format])
        for (const line of lines) assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028]/)
        assert.include(lines[1], "disconnected")
        if (format === "json") for (const line of lines) JSON.parse(line)
      }
    })
  })
})
