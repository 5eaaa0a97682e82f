/** A room's past, of which some happened behind closed doors: read as one by those inside. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Doors from "../src/Doors.ts"
import type { Fact } from "../src/Event.ts"
import { type Draft, isDone, Log, type Reading } from "../src/Log.ts"
import { Arbitraries } from "../src/testing.ts"
import * as World from "../src/World.ts"

const { among, int } = Arbitraries

const draft = (to: string, number: number): Draft =>
  ({ at: 1000 + number, id: `id${number}`, by: "s1", event: { _tag: "Said", room: "den", nick: "ana", text: `${number}`, kind: "message" }, to })

const resumed: World.Recall = { _tag: "Recall", room: "den", after: 0, before: undefined, limit: 5, why: "resumed", inside: 3 }

/** The same log, as if it had to be waited for. */
const slow = (log: Log["Service"]): Log["Service"] => ({ ...log, read: (query) => Effect.yieldNow.pipe(Effect.andThen(log.read(query))) })

describe("a room's past", () => {
  it.effect.prop("is the same whether its log must be waited for or not, and in order", {
    where: Arbitrary.schema(Schema.Array(Schema.Literals(["open", "closed", "other"])).check(Schema.isMaxLength(30))),
    limit: int(1, 12),
    before: int(0, 40),
    bounded: among(true, false),
    until: int(0, 40)
  }, ({ before, bounded, limit, until, where }) =>
    Effect.gen(function*() {
      const log = yield* Log
      const names = { open: "den", closed: World.behind("den", 3), other: World.behind("den", 2) }
      const entries = yield* log.append(where.map((one, i) => draft(names[one], i)))
      const reading: Reading = { room: "den", inside: 3, after: undefined, before: bounded ? before : undefined, until, limit, messages: true }
      const all = entries.filter(({ seq }, i) => where[i] !== "other" && seq <= until && (!bounded || seq < before))
      const page = yield* Doors.read(log)(reading)
      assert.deepStrictEqual(page.entries, all.slice(Math.max(0, all.length - limit)))
      assert.deepStrictEqual(yield* Doors.read(slow(log))(reading), page)
      const marked: Reading = { ...reading, before: { id: `id${before}` } }
      const inMarked = yield* Doors.read(log)(marked)
      assert.deepStrictEqual(yield* Doors.read(slow(log))(marked), inMarked)
      const known = ["open", "closed"].flatMap((name) => entries.filter((_, i) => where[i] === name).slice(-20))
      assert.strictEqual(inMarked.unknown === true, known.every(({ id }) => id !== `id${before}`))
      const { inside: _, ...open } = reading
      assert.isTrue(isDone(Doors.read(log)(open)), "nobody waits for what is in memory")
    }).pipe(Effect.provide(Log.layerMemory({ history: 20 }))), { arbitrary: { runs: 200 } })

  it.effect("that cannot be read is no answer, though another part of it can", () =>
    Effect.gen(function*() {
      const log = yield* Log
      yield* log.append([draft("den", 1)])
      const broken: Log["Service"] = { ...log, read: (query) => query.room === "den" ? log.read(query) : Exit.die("gone") }
      const exit = yield* Effect.exit(Doors.read(broken)({ room: "den", inside: 3, after: undefined, before: undefined, limit: 5, messages: true }))
      assert.isTrue(Exit.isFailure(exit))
    }).pipe(Effect.provide(Log.layerMemory({ history: 20 }))))

  it.effect("has a hole for who resumes where something happened behind the doors of an earlier room, and where that is forgotten", () =>
    Effect.gen(function*() {
      const log = yield* Log
      const hole = (former: number | undefined, among = log) => Doors.hasHole(Doors.read(among), former === undefined ? resumed : { ...resumed, former }, 10.5)
      yield* log.append([draft("den", 1), draft(World.behind("den", 1), 2), draft(World.behind("den", 3), 3)])
      assert.isFalse(yield* hole(undefined))
      assert.isTrue(yield* hole(1))
      assert.isFalse(yield* hole(2), "nothing happened there")
      assert.isTrue(yield* hole(2, { ...log, read: () => Exit.succeed({ entries: [], complete: false }) }))
    }).pipe(Effect.provide(Log.layerMemory({ history: 20 }))))

  it("has behind the door what closes it and what opens it again", () => {
    const named = Doors.make()
    let world = World.empty
    const name = (event: Fact) => {
      const before = world
      world = World.evolve(world, "s1", event, 0)
      return named("den", before, world)
    }
    assert.deepStrictEqual([
      name({ _tag: "Arrived", nick: "ana", dialect: "test", address: "test" }),
      name({ _tag: "Joined", room: "den", nick: "ana" }),
      name({ _tag: "KeySet", room: "den", by: "ana", key: "k" }),
      name({ _tag: "KeySet", room: "den", by: "ana" }),
      name({ _tag: "TopicSet", room: "den", nick: "ana", topic: "tea" })
    ], ["den", "den", World.behind("den", 1), World.behind("den", 1), "den"])
  })
})
