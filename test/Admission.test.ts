import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as Admission from "../src/Admission.ts"
import type { dialects } from "../src/ChatServer.ts"
import { plain } from "../src/Dialect/Plain.ts"
import type { Memory } from "../src/testing.ts"
import { ask, fence, type House, lines, open, settled } from "./house.ts"
import { seeded } from "./seeded.ts"

const greeted = (client: Memory.Client) => client.text().includes("-!- Welcome")
const times = <A>(n: number, make: (i: number) => A) => Array.from({ length: n }, (_, i) => make(i))
const open_ = (clients: ReadonlyArray<Memory.Client>) => clients.filter((client) => !client.isClosed())
const waits = "-!- the server is full; you come in as soon as somebody leaves\n"
const full = "-!- the server is full: all 2 seats are taken and 5 are waiting; try again later\n"

/** A house with two seats and twelve clients at its door, all at once. */
const crowd = Effect.gen(function*() {
  const house = yield* open({ dialect: "plain", maxClients: 2, backlog: 5 })
  const clients = times(12, () => house.connect())
  yield* settled
  return { house, clients }
})

/** Somebody who has said this where the one seat is taken. */
const cameLate = Effect.fnUntraced(function*(backlog: number, dialect: keyof typeof dialects, said: string) {
  const house = yield* open({ dialect, maxClients: 1, backlog })
  house.connect()
  yield* settled
  const late = house.connect()
  if (said !== "") late.send(said)
  yield* settled
  return late
})

describe("seats and the waiting room", () => {
  it.effect("of twelve clients two are greeted, five are told that they wait, five are told why and closed", () =>
    Effect.gen(function*() {
      const { clients, house } = yield* crowd
      assert.deepStrictEqual(clients.map(greeted), times(12, (i) => i < 2))
      assert.deepStrictEqual(clients.slice(2, 7).map((client) => client.text()), times(5, () => waits))
      assert.deepStrictEqual(clients.slice(7).map((client) => client.text()), times(5, () => full))
      assert.deepStrictEqual(clients.map((client) => client.isClosed()), times(12, (i) => i >= 7))
      assert.strictEqual(yield* house.server.connections, 7)
    }))

  it.effect("seats are taken in the order of arrival as they become free", () =>
    Effect.gen(function*() {
      const { clients } = yield* crowd
      clients[0]!.send("/quit\n")
      yield* settled
      assert.deepStrictEqual(clients.slice(0, 7).map(greeted), times(7, (i) => i < 3))
      clients[1]!.reset()
      clients[2]!.end()
      yield* settled
      assert.deepStrictEqual(clients.slice(0, 7).map(greeted), times(7, (i) => i < 5))
    }))

  it("a newcomer does not go before those who wait, even at the instant a seat becomes free", async () => {
    for (let seed = 1; seed <= 150; seed++) {
      await seeded(
        Effect.gen(function*() {
          const { clients, house } = yield* crowd
          const seated = clients.filter(greeted)
          const [leaves, ...waiting] = open_(clients).filter((client) => !greeted(client))
          leaves!.reset()
          yield* settled
          seated[0]!.reset()
          for (let i = 0; i < seed % 5; i++) yield* Effect.yieldNow
          const late = house.connect()
          yield* settled
          assert.isFalse(late.isClosed())
          assert.deepStrictEqual([waiting.filter(greeted).length, greeted(late)], [1, false], `seed ${seed}`)
        }),
        seed
      )
    }
  })

  it.effect("what somebody sends while waiting is heard once there is a seat", () =>
    Effect.gen(function*() {
      const { clients } = yield* crowd
      clients[2]!.send("/nick early\n")
      yield* settled
      assert.strictEqual(clients[2]!.text(), waits)
      clients[0]!.reset()
      yield* clients[2]!.until((text) => text.includes("-!- you are now early\n"))
    }))

  it.effect("one who leaves the waiting room gives up the place, not somebody's turn", () =>
    Effect.gen(function*() {
      const { clients, house } = yield* crowd
      clients[2]!.reset()
      clients[4]!.end()
      yield* settled
      assert.strictEqual(yield* house.server.connections, 5)
      // Who has only ended may still read.
      assert.strictEqual(clients[4]!.text(), waits + "-!- the server is full, and you ended before a seat was free; try again later\n")
      const late = times(3, () => house.connect())
      yield* settled
      assert.deepStrictEqual(late.map((client) => client.isClosed()), [false, false, true])
      for (const leaver of [clients[0]!, clients[1]!]) leaver.reset()
      yield* settled
      assert.deepStrictEqual([3, 5, 6].map((i) => greeted(clients[i]!)), [true, true, false])
    }))

  it.effect("seats and places come back however often they are taken", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain", maxClients: 2, backlog: 5 })
      for (const round of times(50, (i) => i)) {
        const clients = times(7, () => house.connect())
        yield* settled
        const leave = [(client: Memory.Client) => client.reset(), (client: Memory.Client) => client.end()][round % 2]!
        for (const client of round % 3 === 0 ? clients : [...clients].reverse()) leave(client)
        yield* settled
        assert.strictEqual(yield* house.server.connections, 0)
      }
      const clients = times(8, () => house.connect())
      yield* settled
      assert.strictEqual(clients.filter(greeted).length, 2)
      assert.strictEqual(open_(clients).length, 7)
    }))

  it.effect("a backlog of none turns away whoever finds no seat", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain", maxClients: 1, backlog: 0 })
      const [first, second] = [house.connect(), house.connect()]
      yield* settled
      assert.isTrue(greeted(first))
      assert.isTrue(second.isClosed())
      assert.include(second.text(), "the server is full")
    }))

  const words = "the server is full: all 1 seats are taken and 0 are waiting; try again later"
  const [people, programs, clients] = [`-!- ${words}\n`, `{"_tag":"Closing","reason":"${words}"}\n`, `ERROR :Closing link: ${words}\r\n`]
  for (const [dialect, said, told] of [
    ["plain", "", people], ["json", "", programs], ["irc", "", clients], ["raw", "hi", `${words}\n`],
    ["auto", "", people], ["auto", "hello\n", people], ["auto", "/ni", people], ["auto", "NICK ana\r\n", clients], ["auto", "CAP LS 302\r\n", clients], ["auto", "{", programs]
  ] as const) {
    it.effect(`row 52: whoever finds no seat is told so in their own words (${dialect}, ${JSON.stringify(said)})`, () =>
      Effect.gen(function*() {
        const late = yield* cameLate(0, dialect, said)
        assert.strictEqual(late.text(), told)
      }))
  }
})

describe("whoever waits for a seat", () => {
  const words = "the server is full; you come in as soon as somebody leaves"
  const [people, programs, clients] = [`-!- ${words}\n`, `{"_tag":"Waiting","reason":"${words}"}\n`, `:effect-chat.local NOTICE * :${words}\r\n`]
  for (const [dialect, said, told] of [
    ["plain", "", people], ["json", "", programs], ["irc", "", clients], ["raw", "hi", ""],
    ["auto", "hello\n", people], ["auto", "CAP LS 302\r\n", clients], ["auto", "{", programs], ["auto", "", ""]
  ] as const) {
    it.effect(`is told so in their own words, as soon as these are known (${dialect}, ${JSON.stringify(said)})`, () =>
      Effect.gen(function*() {
        const late = yield* cameLate(1, dialect, said)
        assert.strictEqual(late.text(), told)
        assert.isFalse(late.isClosed())
      }))
  }
})

describe("a dialect that fails in telling somebody that they wait", () => {
  it.effect("loses that one, and keeps no place for them", () =>
    Effect.gen(function*() {
      const dialect: typeof plain = {
        ...plain,
        tell: (state, event, stamp) => {
          if (event._tag === "Waiting") throw new Error("no words for it")
          return plain.tell(state, event, stamp)
        }
      }
      const house = yield* open({ dialect, maxClients: 1, backlog: 1 })
      const first = house.connect()
      yield* settled
      const lost = house.connect()
      yield* lost.closed
      first.reset()
      yield* settled
      const next = house.connect()
      yield* settled
      assert.isTrue(greeted(next))
    }))
})

describe("limits for an address", () => {
  const from = (house: House, address: string, n: number) => times(n, () => house.connect({ address }))
  const limit = "-!- there are 32 connections from your address, the most there may be; close one first\n"
  const tooFast = "-!- too many connections from your address in a minute; wait a little\n"
  const told = (client: Memory.Client) => client.isClosed() ? client.text() : "in"

  it.effect("an address has at most 32 connections at once", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      const clients = from(house, "192.0.2.1", 34)
      yield* settled
      assert.deepStrictEqual(clients.map(told), times(34, (i) => i < 32 ? "in" : limit))
      const [other] = from(house, "192.0.2.2", 1)
      clients[0]!.reset()
      yield* settled
      const [next, last] = from(house, "192.0.2.1", 2)
      yield* settled
      assert.deepStrictEqual([other!, next!, last!].map(told), ["in", "in", limit])
    }))

  it.effect("those who wait for a seat count, and those who are silent", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 10, backlog: 100 })
      const clients = from(house, "192.0.2.1", 33)
      yield* settled
      assert.strictEqual(clients.filter(greeted).length, 0)
      assert.deepStrictEqual(clients.map(told), times(33, (i) => i < 32 ? "in" : limit))
    }))

  it.effect("an address makes at most 64 connections at once and 64 a minute", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      let let_in = 0
      const knock = Effect.gen(function*() {
        const [client] = from(house, "192.0.2.1", 1)
        yield* settled
        const answer = told(client!)
        if (answer === "in") let_in++
        else assert.strictEqual(answer, tooFast)
        client!.reset()
        yield* settled
        return answer === "in"
      })
      for (let i = 0; i < 80; i++) yield* knock
      assert.strictEqual(let_in, 64)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([yield* knock, yield* knock], [true, false])
      for (let second = 0; second < 60; second++) {
        yield* TestClock.adjust("1 second")
        yield* knock
        yield* knock
      }
      assert.isAtMost(let_in, 64 + 65)
      assert.isAtLeast(let_in, 64 + 63)
    }))

  it.effect("an IPv6 network of 64 bits is one address, and an IPv4 address is itself however it is written", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      const v6 = times(33, (i) => house.connect({ address: `2001:db8:0:7:${i}::1` }))
      const short = house.connect({ address: "2001:db8:0:7::9" })
      const other = house.connect({ address: "2001:db8:0:8::1" })
      const v4 = times(33, (i) => house.connect({ address: i % 2 === 0 ? "192.0.2.1" : "::ffff:192.0.2.1" }))
      yield* settled
      assert.deepStrictEqual(v6.map(told), times(33, (i) => i < 32 ? "in" : limit))
      assert.deepStrictEqual([short, other].map(told), [limit, "in"])
      assert.deepStrictEqual(v4.map(told), times(33, (i) => i < 32 ? "in" : limit))
    }))

  it.effect("this machine's own addresses have no limit", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
        const clients = from(house, address, 100)
        yield* settled
        assert.deepStrictEqual(clients.map(told), times(100, () => "in"))
      }
    }))

  it.effect("an address that was turned away may come in once the reason is gone", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      const clients = from(house, "192.0.2.1", 64)
      yield* settled
      for (const client of clients) client.reset()
      yield* TestClock.adjust("1 minute")
      const again = from(house, "192.0.2.1", 33)
      yield* settled
      assert.deepStrictEqual(again.map(told), times(33, (i) => i < 32 ? "in" : limit))
    }))

  it("an address is what is the same for one network", () => {
    assert.strictEqual(Admission.network("2001:db8::1"), Admission.network("2001:db8:0:0:ffff::2"))
    assert.notStrictEqual(Admission.network("2001:db8::1"), Admission.network("2001:db8:0:1::1"))
    assert.strictEqual(Admission.network("::ffff:192.0.2.1"), "192.0.2.1")
    assert.strictEqual(Admission.network("fe80::1%eth0"), Admission.network("fe80::2"))
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost"]) assert.isTrue(Admission.isLoopback(address))
    for (const address of ["128.0.0.1", "192.0.2.127", "127.evil.example", "::2", "0.0.0.0"]) {
      assert.isFalse(Admission.isLoopback(address), address)
    }
  })
})

describe("the door", () => {
  it.effect("who is let in is not told of who is turned away, and who is turned away is nobody", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 1, backlog: 0 })
      const ana = house.connect()
      ask(ana, { _tag: "Join", room: "den" })
      yield* fence(ana)
      const before = lines(ana).length
      for (let i = 0; i < 20; i++) house.connect().send("hello\n")
      yield* settled
      assert.strictEqual(lines(ana).length, before)
      const world = yield* house.hub.world
      assert.strictEqual(Array.from(world.persons).length, 1)
    }))

  it.effect("who does not read why it is turned away is let go within seconds", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 1, backlog: 0 })
      house.connect()
      const rude = times(10, () => house.connect(undefined, { lingering: true }))
      for (const client of rude) client.stopReading()
      yield* settled
      yield* TestClock.adjust("3 seconds")
      yield* settled
      assert.strictEqual(yield* house.server.connections, 1)
    }))
})
