import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"
import { parse } from "../src/Dialect/Json.ts"
import { Hub } from "../src/Hub.ts"
import { Log, LogError } from "../src/Log.ts"
import * as Model from "../src/Page/Model.ts"
import * as Typed from "../src/Page/Typed.ts"
import { Arbitraries, type Memory } from "../src/testing.ts"
import * as World from "../src/World.ts"
import * as Snapshot from "../src/World/Snapshot.ts"
import { ask, fence, heard, hurried, type House, lines, open, person, program, say, settled, type Told, understood } from "./house.ts"
import * as Kept from "./kept.ts"

const { among, int } = Arbitraries

const seqs = (told: ReadonlyArray<Told>) => told.flatMap(({ seq }) => seq === undefined ? [] : [seq])
const texts = (client: Memory.Client) => heard(client, "Said").map(({ text }) => text as string)
const tags = (client: Memory.Client) => heard(client).map(({ _tag }) => _tag)

/** A json client at an address of its own, so that it is known again. */
const from = (house: House, address: string): Pick<House, "connect"> => ({ connect: () => house.connect({ address }) })

/** The next house on the same log, after the one of now died. */
const restarted = (kept: Kept.Kept) => {
  kept.crash()
  return open({ log: kept.layer })
}

describe("a server that begins again on the same log", () => {
  it.effect("goes on where it was: numbers grow, ids are new, the epoch is the same", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      for (let run = 0; run < 5; run++) {
        const house = yield* restarted(kept)
        const ana = yield* program(house, "ana", "den")
        ask(ana, say("den", `run ${run}`))
        yield* fence(ana)
        assert.strictEqual(heard(ana, "Welcome")[0]!["epoch"], "e1")
      }
      assert.deepStrictEqual(kept.entries.map(({ seq }) => seq), kept.entries.map((_, i) => i + 1))
      assert.lengthOf(kept.entries, new Set(kept.entries.map(({ id }) => id)).size)
      const sessions = kept.entries.filter(({ event }) => event._tag === "Arrived").map(({ by }) => by)
      assert.lengthOf(sessions, new Set(sessions).size)
      assert.lengthOf(kept.entries.filter(({ event }) => event._tag === "Restarted"), 4, "a new log has not begun again")
    }))

  it.effect("ids stay apart over runs that have the same chance, as if it were the same moment", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      for (let run = 0; run < 30; run++) {
        kept.crash()
        const house = yield* Random.withSeed(open({ log: kept.layer }), "the same")
        yield* program(house, "ana", ...run % 2 === 0 ? ["den"] : [])
      }
      assert.lengthOf(kept.entries, new Set(kept.entries.map(({ id }) => id)).size)
    }))

  it.effect("who comes back by position misses nothing, hears nothing twice, and reads in one line that it began again", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const before = yield* restarted(kept)
      const ana = yield* program(from(before, "192.0.2.1"), "ana", "den")
      const bo = yield* program(from(before, "192.0.2.2"), "bo", "den")
      ask(ana, say("den", "one"))
      yield* fence(bo)
      const after = seqs(heard(bo)).at(-1)!
      bo.reset()
      yield* ana.until((text) => text.includes("\"Quit\""))
      ask(ana, say("den", "two"))
      yield* fence(ana)
      const house = yield* restarted(kept)
      const again = house.connect({ address: "192.0.2.2" })
      ask(again, { _tag: "SetNick", nick: "bo" }, { _tag: "Join", room: "den", after, epoch: "e1" })
      yield* fence(again)
      const told = heard(again).filter(({ _tag }) => !["Welcome", "Renamed", "Refused", "RoomInfo"].includes(_tag))
      assert.deepStrictEqual(told.map((one) => one["text"] ?? one._tag), ["Quit", "two", "Restarted", "Joined"])
      assert.deepStrictEqual(seqs(told), [...seqs(told)].sort((a, b) => a - b))
    }))

  it.effect("a room has its topic, its rules and its operators again; a stranger who comes first has none of it", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const before = yield* restarted(kept)
      const ana = yield* program(from(before, "192.0.2.1"), "ana", "den")
      ask(ana, { _tag: "SetTopic", room: "den", topic: "tea" }, { _tag: "SetMask", room: "den", list: "ban", mask: "eve", on: true })
      yield* fence(ana)
      const house = yield* restarted(kept)
      const cy = yield* program(from(house, "192.0.2.3"), "cy", "den")
      assert.deepInclude(heard(cy, "RoomInfo")[0], { topic: "tea", rank: "member" })
      const again = yield* program(from(house, "192.0.2.1"), "ana", "den")
      assert.deepInclude(heard(again, "RankSet")[0], { nick: "ana", rank: "operator", cause: "returned" })
      yield* fence(cy)
      assert.deepInclude(heard(cy, "RankSet")[0], { nick: "ana", rank: "operator" })
      const eve = yield* program(house, "eve", "den")
      assert.deepInclude(heard(eve, "Refused")[0], { code: "banned" })
    }))

  it.effect("the same holds when it was closed in order, and nobody is told that others left", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const before = yield* restarted(kept)
      const ana = yield* program(from(before, "192.0.2.1"), "ana", "den")
      ask(ana, { _tag: "SetTopic", room: "den", topic: "tea" })
      yield* fence(ana)
      const after = seqs(heard(ana)).at(-1)!
      yield* hurried(before.close)
      assert.deepInclude(kept.entries.at(-1)!.event, { _tag: "Quit", nick: "ana", closing: true })
      const house = yield* restarted(kept)
      const cy = yield* program(from(house, "192.0.2.3"), "cy", "den")
      assert.deepInclude(heard(cy, "RoomInfo")[0], { topic: "tea", rank: "member" })
      const again = house.connect({ address: "192.0.2.1" })
      ask(again, { _tag: "SetNick", nick: "ana" }, { _tag: "Join", room: "den", after, epoch: "e1" })
      yield* fence(again)
      assert.deepInclude(heard(again, "RankSet")[0], { rank: "operator", cause: "returned" })
      assert.lengthOf(heard(again, "Restarted"), 1)
    }))

  it.effect("guarantee 8: everybody who was there has left, once, though nobody could say so", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const before = yield* restarted(kept)
      for (const nick of ["ana", "bo", "cy"]) yield* program(before, nick, "den", "nest")
      const house = yield* restarted(kept)
      const world = yield* house.hub.world
      assert.deepStrictEqual([HashMap.size(world.persons), HashMap.size(world.nicks)], [0, 0])
      const left = kept.entries.filter(({ event }) => event._tag === "Restarted" || event._tag === "Quit" || event._tag === "Left")
      assert.deepStrictEqual(left.map(({ event }) => event._tag), ["Restarted"])
      const ana = yield* program(house, "ana", "den")
      assert.deepInclude(heard(ana, "RoomInfo")[0], { members: 1 })
    }))

  it.effect("every dialect has its words for it", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const before = yield* restarted(kept)
      const ana = yield* person(before, "ana", "den")
      ana.send("tea?\n")
      yield* understood(ana)
      const house = yield* restarted(kept)
      const again = yield* person(house, "ana", "den")
      // A person is shown what was said, and not who came and went.
      assert.isTrue(lines(again).some((line) => line.endsWith(" ana: tea?")))
      assert.isFalse(again.text().includes("quit"))
    }))

  it.effect("what it decided before is not decided again: the world is the fold of the log, from a snapshot too", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const build = (log: Layer.Layer<Log>) => Effect.scoped(Effect.gen(function*() {
        const hub = Context.get(yield* Layer.build(Hub.layer({ snapshotEvery: 7 }).pipe(Layer.provide(log))), Hub)
        const subscription = hub.open({ dialect: "json", address: "192.0.2.1", bell: { ring: () => {} } })
        yield* hub.submit(subscription, [{ _tag: "Arrive", nick: "ana" }, { _tag: "Join", room: "den" }, { _tag: "SetTopic", room: "den", topic: `${kept.entries.length}` }])
        for (let i = 0; i < 10; i++) yield* hub.submit(subscription, [{ _tag: "Say", target: "den", text: `${i}` }])
        yield* settled
        kept.crash()
        return yield* hub.world
      }))
      for (let run = 0; run < 4; run++) {
        const world = yield* build(kept.layer)
        const folded = kept.entries.reduce((so, { at, by, event }) => World.evolve(so, by, event, at), World.empty)
        assert.deepStrictEqual(World.room(world, "den")?.topic, World.room(folded, "den")?.topic)
        assert.deepStrictEqual([...HashMap.keys(world.nicks)], [...HashMap.keys(folded.nicks)])
      }
      assert.isAbove(kept.snapshots.length, 3, "the world was written down now and then")
      for (const { world } of kept.snapshots) assert.isTrue(Result.isSuccess(Snapshot.decode(world)))
      for (const [i, { seq }] of kept.snapshots.entries()) assert.isTrue(i === 0 || seq > kept.snapshots[i - 1]!.seq)
      // What is before the last snapshot is not looked at: with other entries there, the world is the same.
      const last = kept.snapshots.at(-1)!
      for (let i = 0; i < last.seq; i++) kept.entries[i] = { ...kept.entries[i]!, event: { _tag: "Restarted" } }
      const world = yield* build(kept.layer)
      assert.strictEqual(World.holder(world, "ana")?.nick, "ana")
    }))

  it.effect("the world is written down within an hour of a change, so that what is old can be forgotten, and not without one", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const hub = Context.get(yield* Layer.build(Hub.layer().pipe(Layer.provide(kept.layer))), Hub)
      const hour = Effect.andThen(TestClock.adjust("1 hour"), settled)
      yield* hour
      assert.lengthOf(kept.snapshots, 0)
      const subscription = hub.open({ dialect: "json", address: "192.0.2.1", bell: { ring: () => {} } })
      yield* hub.submit(subscription, [{ _tag: "Arrive", nick: "ana" }, { _tag: "Join", room: "den" }])
      yield* hour
      assert.deepStrictEqual(kept.snapshots.map(({ seq }) => seq), [2])
      yield* hour
      assert.lengthOf(kept.snapshots, 1)
    }))

  it.effect("row 61: numbers grow and nothing is lost when the clock steps back between and during runs", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const client = Effect.fnUntraced(function*(house: House, after: number | undefined) {
        const bo = house.connect()
        ask(bo, { _tag: "SetNick", nick: "bo" }, { _tag: "Join", room: "den", ...(after === undefined ? {} : { after, epoch: "e1" }) })
        yield* fence(bo)
        return bo
      })
      const seen: Array<number> = []
      for (const time of [5_000_000, 1_000_000, 3_000_000, 0]) {
        yield* TestClock.setTime(time)
        const house = yield* restarted(kept)
        const bo = yield* client(house, seen.at(-1))
        ask(bo, say("den", `at ${time}`))
        yield* fence(bo)
        seen.push(...seqs(heard(bo).filter(({ _tag }) => _tag !== "Renamed")))
      }
      assert.deepStrictEqual(kept.entries.filter(({ event }) => event._tag === "Said").map(({ at }) => at), [5_000_000, 1_000_000, 3_000_000, 0])
      assert.deepStrictEqual(seen, kept.entries.filter((_, i) => i > 0 && kept.drafts[i]!.to === "den" || seen.includes(i + 1)).map(({ seq }) => seq))
      assert.deepStrictEqual(seen, [...new Set(seen)].sort((a, b) => a - b))
    }))

  it.effect("a log that cannot be read ends the start with a reason, and so does a snapshot that is none", () =>
    Effect.gen(function*() {
      const unreadable = Layer.effect(Log, Effect.gen(function*() {
        const log = yield* Log
        return Log.of({ ...log, recover: Effect.fail(new LogError({ message: "the disk is gone" })) })
      })).pipe(Layer.provide(Log.layerMemory({ history: 1 })))
      const failed = yield* Effect.exit(Effect.scoped(Layer.build(Hub.layer().pipe(Layer.provide(unreadable)))))
      assert.deepStrictEqual(failed, Exit.fail(new LogError({ message: "the disk is gone" })))
      const kept = Kept.make()
      yield* program(yield* restarted(kept), "ana")
      kept.crash()
      kept.snapshots.push({ seq: 1, world: "{\"version\":9}\n" })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Hub.layer().pipe(Layer.provide(kept.layer)))))
      assert.match(error.message, /^the snapshot of entry 1 cannot be read: .*; restore a backup/)
    }))
})

describe("row 41: what was said behind closed doors", () => {
  /** A room that is closed in this way, with something said before and after. */
  const secretive = Effect.fnUntraced(function*(house: House, closing: object) {
    const ana = yield* program(from(house, "192.0.2.1"), "ana", "den")
    ask(ana, say("den", "in the open"), closing, say("den", "in private"), { _tag: "SetTopic", room: "den", topic: "private matters" })
    yield* fence(ana)
    return ana
  })
  const ways: ReadonlyArray<readonly [string, object]> = [
    ["a key", { _tag: "SetKey", room: "den", key: "sesame" }],
    ["invitations", { _tag: "SetFlag", room: "den", flag: "invite-only", on: true }],
    ["secrecy", { _tag: "SetFlag", room: "den", flag: "secret", on: true }]
  ]
  /** All that somebody can find out who opens the room anew. */
  const prying = Effect.fnUntraced(function*(house: House, nick: string) {
    const eve = house.connect({ address: "192.0.2.66" })
    ask(eve, { _tag: "SetNick", nick }, { _tag: "Join", room: "den", after: 0, epoch: "e1" }, { _tag: "History", room: "den" })
    ask(eve, { _tag: "Part", room: "den" }, { _tag: "Join", room: "den", last: 100 }, { _tag: "History", room: "den", after: 0 })
    ask(eve, { _tag: "Search", room: "den", words: "in" })
    yield* fence(eve)
    const irc = house.connect({ address: "192.0.2.66" })
    irc.send(`CAP REQ :batch draft/chathistory draft/event-playback\r\nNICK ${nick}irc\r\nUSER e 0 * :e\r\nCAP END\r\nJOIN #den\r\n`
      + "CHATHISTORY LATEST #den * 100\r\nCHATHISTORY BEFORE #den timestamp=2100-01-01T00:00:00.000Z 100\r\n"
      + `CHATHISTORY AROUND #den msgid=none 100\r\nPING end\r\n`)
    yield* irc.until((text) => text.includes(":end"))
    return eve.text() + irc.text()
  })

  for (const [how, closing] of ways) {
    it.effect(`cannot be read by who opens a room of that name when all have left, nor after a restart (${how})`, () =>
      Effect.gen(function*() {
        const kept = Kept.make()
        const house = yield* restarted(kept)
        const ana = yield* secretive(house, closing)
        ask(ana, { _tag: "Part", room: "den" })
        yield* fence(ana)
        const found = yield* prying(house, "eve")
        assert.isTrue(found.includes("in the open"), "what was said in the open is there")
        assert.isFalse(/private|sesame/.test(found), found)
        const again = yield* prying(yield* restarted(kept), "eve")
        assert.isTrue(again.includes("in the open"))
        assert.isFalse(/private|sesame/.test(again), again)
      }))

    it.effect(`cannot be read when the room has waited in vain (${how})`, () =>
      Effect.gen(function*() {
        const kept = Kept.make()
        yield* secretive(yield* restarted(kept), closing)
        yield* restarted(kept)
        kept.age(World.patience + 1)
        const house = yield* restarted(kept)
        const found = yield* prying(house, "eve")
        assert.isTrue(found.includes("in the open"))
        assert.isFalse(/private|sesame/.test(found), found)
      }))
  }

  it.effect("is missed, and that is told, by who was there and comes back to another room of that name; once, and not by others", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const house = yield* restarted(kept)
      const ana = yield* secretive(house, ways[0]![1])
      const bo = yield* program(house, "bo")
      const inside = seqs(heard(ana, "Said"))[0]!
      ask(ana, { _tag: "Part", room: "den" })
      yield* fence(ana)
      const resume = Effect.fnUntraced(function*(house: House, after: number) {
        const one = house.connect()
        ask(one, { _tag: "Join", room: "den", after, epoch: "e1" })
        yield* fence(one)
        const missed = heard(one, "Missed").length
        const newest = seqs(heard(one).filter(({ _tag }) => _tag !== "Renamed")).at(-1)!
        one.reset()
        return [missed, newest] as const
      })
      const [missed, newest] = yield* resume(house, inside)
      assert.strictEqual(missed, 1)
      assert.deepStrictEqual((yield* resume(house, newest))[0], 0)
      assert.deepStrictEqual((yield* resume(yield* restarted(kept), newest))[0], 0)
      assert.deepStrictEqual((yield* resume(yield* restarted(kept), inside))[0], 1)
      bo.reset()
    }))

  it.effect("is there for those inside, in the order in which it was said, with what was said in the open", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const before = yield* restarted(kept)
      const ana = yield* secretive(before, { _tag: "SetKey", room: "den", key: "sesame" })
      ask(ana, { _tag: "SetKey", room: "den" }, say("den", "open again"), { _tag: "SetKey", room: "den", key: "sesame" }, say("den", "closed again"))
      yield* fence(ana)
      const house = yield* restarted(kept)
      const again = house.connect({ address: "192.0.2.1" })
      const joining = { _tag: "Join", room: "den", key: "sesame", after: 0, epoch: "e1" }
      ask(again, { _tag: "SetNick", nick: "ana" }, joining, { _tag: "History", room: "den", limit: 3 }, { _tag: "History", room: "den", after: 1, limit: 2 })
      ask(again, { _tag: "Search", room: "den", words: "IN" })
      yield* fence(again)
      const all = ["in the open", "in private", "open again", "closed again"]
      assert.deepStrictEqual(texts(again), all)
      const recalled = heard(again, "Recalled").map(({ entries }) => (entries as ReadonlyArray<Told>).map(({ text }) => text))
      assert.deepStrictEqual(recalled, [all.slice(1), all.slice(2), all.slice(0, 2)])
      const told = heard(again).filter(({ _tag }) => _tag !== "Renamed")
      assert.deepStrictEqual(seqs(told), [...seqs(told)].sort((a, b) => a - b))
    }))

  it.effect("the history of IRC goes over both, by id and by time", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const house = yield* restarted(kept)
      const ana = yield* program(house, "ana", "den")
      const said = (numbers: ReadonlyArray<number>) => numbers.map((i) => say("den", `m${i}`))
      ask(ana, ...said([0, 1]), { _tag: "SetKey", room: "den", key: "k" }, ...said([2, 3]), { _tag: "SetKey", room: "den" }, ...said([4, 5]))
      yield* fence(ana)
      const idOf = (i: number) => heard(ana, "Said").find(({ text }) => text === `m${i}`)!["id"] as string
      const irc = house.connect()
      irc.send("CAP REQ :batch message-tags draft/chathistory\r\nNICK i\r\nUSER i 0 * :i\r\nCAP END\r\nJOIN #den\r\n")
      yield* irc.until((text) => text.includes(" 366 "))
      const history = Effect.fnUntraced(function*(words: string) {
        const from = irc.text().length
        irc.send(`CHATHISTORY ${words}\r\nPING w\r\n`)
        yield* irc.until((text) => text.slice(from).includes("PONG"))
        return (irc.text().slice(from).match(/PRIVMSG #den :m\d/g) ?? []).map((line) => line.slice(-1)).join("")
      })
      assert.strictEqual(yield* history("LATEST #den * 4"), "2345")
      assert.strictEqual(yield* history(`BEFORE #den msgid=${idOf(4)} 3`), "123")
      assert.strictEqual(yield* history(`AFTER #den msgid=${idOf(1)} 3`), "234")
      assert.strictEqual(yield* history(`AROUND #den msgid=${idOf(3)} 4`), "1234")
      assert.strictEqual(yield* history(`BETWEEN #den msgid=${idOf(0)} msgid=${idOf(5)} 10`), "1234")
      assert.strictEqual(yield* history(`BETWEEN #den msgid=${idOf(5)} msgid=${idOf(0)} 2`), "34")
      const failed = () => irc.text().split("\r\n").filter((line) => line.includes(" FAIL ")).length
      assert.strictEqual(failed(), 0)
      for (const [i, words] of ["AFTER #den msgid=unknown 3", `BETWEEN #den msgid=${idOf(0)} msgid=unknown 3`, "AROUND #den msgid=unknown 3"].entries()) {
        assert.strictEqual(yield* history(words), "")
        assert.strictEqual(failed(), i + 1, words)
      }
    }))
})

describe("resume", () => {
  it.effect("from the Welcome, by who has heard nothing yet", () =>
    Effect.gen(function*() {
      const kept = Kept.make()
      const house = yield* restarted(kept)
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo")
      const { epoch, newest } = heard(bo, "Welcome")[0]! as { readonly _tag: string; readonly epoch?: string; readonly newest?: number }
      bo.reset()
      ask(ana, say("den", "one"), say("den", "two"))
      yield* fence(ana)
      const again = (yield* restarted(kept)).connect()
      ask(again, { _tag: "Join", room: "den", after: newest, epoch })
      yield* fence(again)
      assert.deepStrictEqual(texts(again), ["one", "two"])
    }))

  it.effect("all of it, however much it is", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 5000 })
      const ana = yield* program(house, "ana", "den")
      const many = Array.from({ length: 3000 }, (_, i) => say("den", `m${i}`))
      ask(ana, ...many)
      yield* fence(ana)
      const bo = house.connect()
      ask(bo, { _tag: "Join", room: "den", after: 0 })
      yield* fence(bo)
      assert.deepStrictEqual(texts(bo), many.map(({ text }) => text))
      assert.lengthOf(heard(bo, "Missed"), 0)
    }))

  it.effect("another epoch, or a number that the log has not reached, is no position: that is told, and one begins afresh", () =>
    Effect.gen(function*() {
      const kept = Kept.make("e7")
      const house = yield* restarted(kept)
      const ana = yield* program(house, "ana", "den")
      ask(ana, say("den", "one"), say("den", "two"))
      yield* fence(ana)
      for (const position of [{ after: 3, epoch: "e6" }, { after: 1000, epoch: "e7" }, { after: 1000 }]) {
        const bo = house.connect()
        ask(bo, { _tag: "Join", room: "den", last: 1, ...position })
        yield* fence(bo)
        assert.deepStrictEqual(tags(bo).slice(1, 4), ["Missed", "Said", "Joined"])
        assert.deepInclude(heard(bo, "Missed")[0], { room: "den", after: position.after })
        assert.deepStrictEqual(texts(bo), ["two"])
        bo.reset()
        yield* fence(ana)
      }
    }))

  it.effect("by a page that was open: nothing missing, nothing twice, a line between the runs, whether it was killed or closed", () =>
    Effect.gen(function*() {
      for (const ends of ["killed", "closed"] as const) {
        const kept = Kept.make()
        let house = yield* restarted(kept)
        let model = Model.start
        /** What the page does when it is connected; what it was told until it was cut off. */
        const visit = Effect.fnUntraced(function*() {
          const client = house.connect({ address: "192.0.2.5" })
          const rooms = model.conversations.size === 0 ? ["den", "nest"] : [...model.conversations.values()].map(({ name }) => name)
          let read = 0
          const listen = () => {
            const all = lines(client)
            for (; read < all.length; read++) model = Model.tell(model, Option.getOrThrow(parse(all[read]!)))
          }
          ask(client, { _tag: "SetNick", nick: "wanda" })
          yield* client.until((text) => /"Welcome"[^\n]*\n/.test(text))
          listen()
          for (const room of rooms) {
            const last = model.conversations.get(Model.roomId(room))?.last
            ask(client, ...Typed.join(room, last === undefined ? {} : { after: last, epoch: model.epoch! }))
          }
          yield* fence(client)
          listen()
          return { client, listen }
        })
        const all: Array<string> = []
        const talk = (client: Memory.Client, room: string) => ask(client, say(room, all[all.push(`${room} ${all.length}`) - 1]!))
        for (let run = 0; run < 4; run++) {
          const bo = yield* program(from(house, "192.0.2.6"), "bo", "den", "nest")
          const page = yield* visit()
          talk(bo, "den")
          talk(bo, "nest")
          yield* fence(bo)
          yield* fence(page.client)
          page.listen()
          page.client.reset()
          yield* bo.until((text) => text.includes("\"Quit\""))
          talk(bo, "den")
          talk(bo, "nest")
          yield* fence(bo)
          if (ends === "closed") yield* hurried(house.close)
          house = yield* restarted(kept)
        }
        yield* visit()
        for (const room of ["den", "nest"]) {
          const shown = model.conversations.get(`#${room}`)!.lines
          assert.deepStrictEqual(shown.filter(({ kind }) => kind === "message").map(({ text }) => text), all.filter((text) => text.startsWith(room)))
          assert.lengthOf(shown.filter(({ kind }) => kind === "divider"), 4, room)
          assert.lengthOf(shown.filter(({ text }) => text.includes("closing")), 0)
        }
      }
    }))

  const script = Arbitrary.array(Arbitrary.all({ what: among("say", "say", "say", "cut", "come", "crash", "quit", "lock", "unlock"), who: int(0, 2) }), { minLength: 5, maxLength: 40 })

  it.effect.prop("from any position, after any end of a connection or of the server, is the whole: nothing missing, nothing twice", { script }, ({ script }) =>
    Effect.gen(function*() {
      const kept = Kept.make()
      let house = yield* restarted(kept)
      const nicks = ["ana", "bo", "cy"]
      /** What each of them was told of the room, over all their connections. */
      const told = nicks.map((): Array<Told> => [])
      const now: Array<Memory.Client | undefined> = nicks.map(() => undefined)
      const roomOf = (client: Memory.Client) => heard(client).filter((one) => one.seq !== undefined && one._tag !== "Renamed" && one._tag !== "Recalled")
      const gather = (who: number) => {
        const client = now[who]
        if (client === undefined) return
        told[who]!.push(...roomOf(client))
        now[who] = undefined
      }
      const come = (who: number) =>
        Effect.gen(function*() {
          if (now[who] !== undefined) return
          const client = house.connect({ address: `192.0.2.${who}` })
          const after = told[who]!.at(-1)?.seq
          ask(client, { _tag: "SetNick", nick: nicks[who] }, { _tag: "Join", room: "den", key: "k", ...(after === undefined ? {} : { after, epoch: "e1" }) })
          yield* fence(client)
          now[who] = client
        })
      yield* come(0)
      let said = 0
      for (const { what, who } of script) {
        const client = now[who]
        switch (what) {
          case "say":
            if (client !== undefined) ask(client, say("den", `${said++}`))
            break
          case "come":
            yield* come(who)
            break
          case "lock":
          case "unlock":
            if (client !== undefined) ask(client, { _tag: "SetKey", room: "den", ...(what === "lock" ? { key: "k" } : {}) })
            break
          case "cut":
          case "quit":
            // ana stays, or the room would be another one.
            if (who === 0 || client === undefined) break
            if (what === "quit") {
              ask(client, { _tag: "Quit" })
              yield* client.closed
            } else client.reset()
            gather(who)
            yield* settled
            break
          case "crash":
            yield* settled
            for (const i of nicks.keys()) gather(i)
            house = yield* restarted(kept)
            yield* come(0)
            break
        }
      }
      for (const i of nicks.keys()) if (now[i] !== undefined) yield* fence(now[i]!)
      for (const i of nicks.keys()) gather(i)
      for (const i of nicks.keys()) yield* come(i)
      for (const i of nicks.keys()) yield* fence(now[i]!)
      for (const i of nicks.keys()) gather(i)
      const whole = kept.entries.filter((_, i) => {
        const { to } = kept.drafts[i]!
        const rooms = typeof to === "string" ? [to] : [...to.rooms]
        return rooms.some((room) => room === "den" || room.startsWith("den "))
      }).filter(({ event }) => event._tag !== "Renamed")
      for (const i of nicks.keys()) {
        const own = told[i]!
        const first = own[0]!.seq!
        assert.deepStrictEqual(own.map(({ seq }) => seq), whole.map(({ seq }) => seq).filter((seq) => seq >= first), nicks[i])
      }
    }), { arbitrary: { runs: 40 } })
})
