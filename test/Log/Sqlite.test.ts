import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { statements } from "../../src/Log/Sqlite/Reader.ts"
import { written } from "../../src/Log/Sqlite/Passing.ts"
import { schema } from "../../src/Log/Sqlite/Schema.ts"
import { Thread } from "../../src/Log/Sqlite/Thread.ts"
import { Contracts } from "../../src/testing.ts"
import { everythingIn, failure, folder, holder, said, textsOf } from "./folders.ts"

const fresh = Effect.orDie(Effect.flatMap(folder, (folder) => Sqlite.make({ folder })))

describe("the log in a folder keeps the contract of logs", () => {
  for (const one of Contracts.logContract(fresh)) it.effect(one.name, () => one.run)
})

describe("the log in a folder", () => {
  it.effect("has everything when it is opened again, and goes on where it was", () =>
    Effect.gen(function*() {
      const place = join(yield* folder, "not", "there", "yet")
      const first = yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        yield* log.append([said("den", "1"), said("inn", "2")])
        yield* log.keepSnapshot({ seq: 1, world: "the world after 1 ✓" })
        const [third] = yield* log.append([said("den", "3")])
        return { epoch: log.epoch, seq: third!.seq }
      }))
      const log = yield* Sqlite.make({ folder: place })
      assert.strictEqual(log.epoch, first.epoch)
      const { entries, seq, snapshot } = yield* log.recover
      assert.deepStrictEqual([seq, snapshot], [first.seq, { seq: 1, world: "the world after 1 ✓" }])
      assert.deepStrictEqual(textsOf(yield* Stream.runCollect(entries)), ["2", "3"])
      assert.deepStrictEqual(textsOf((yield* everythingIn(log, "den")).entries), ["1", "3"])
      const [fourth] = yield* log.append([said("den", "4")])
      assert.isAbove(fourth!.seq, first.seq)
    }))

  it.effect("gives all of a long tail in order", () =>
    Effect.gen(function*() {
      const place = yield* folder
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        for (let i = 0; i < 5; i++) yield* log.append(Array.from({ length: 1001 }, (_, k) => said("den", `${i * 1001 + k}`)))
      }))
      const log = yield* Sqlite.make({ folder: place })
      const { entries } = yield* log.recover
      // What is appended meanwhile is not of the past.
      yield* log.append([said("den", "new")])
      const texts = textsOf(yield* Stream.runCollect(entries))
      assert.deepStrictEqual(texts, Array.from({ length: 5005 }, (_, i) => `${i}`))
    }))

  it.effect("keeps the newest whole snapshot, however large, while others append", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const world = (n: number) => `${n}${"🙂é".repeat(100_000)}`
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        yield* log.append([said("den", "1")])
        yield* log.keepSnapshot({ seq: 1, world: world(1) })
        const talk = Effect.forEach(Array.from({ length: 20 }, (_, i) => `${i}`), (text) => log.append([said("den", text)]))
        yield* Effect.all([log.keepSnapshot({ seq: 2, world: world(2) }), talk, log.keepSnapshot({ seq: 3, world: world(3) })], { concurrency: 3 })
      }))
      const log = yield* Sqlite.make({ folder: place })
      const { seq, snapshot } = yield* log.recover
      assert.strictEqual(seq, 21)
      assert.isTrue(snapshot?.seq === 3 && snapshot.world === world(3))
    }))

  it.effect("row 55: a snapshot that was not finished is none", () =>
    Effect.gen(function*() {
      const place = yield* folder
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        yield* log.append([said("den", "1"), said("den", "2")])
        yield* log.keepSnapshot({ seq: 1, world: "whole" })
      }))
      const database = new DatabaseSync(join(place, "log.db"))
      database.exec("INSERT INTO snapshot VALUES (2, 0, 'half')")
      database.close()
      const log = yield* Sqlite.make({ folder: place })
      assert.deepStrictEqual((yield* log.recover).snapshot, { seq: 1, world: "whole" })
      yield* log.keepSnapshot({ seq: 2, world: "other" })
      assert.deepStrictEqual((yield* log.recover).snapshot, { seq: 2, world: "other" })
    }))

  it.effect("what was appended before the log is closed is kept, though nobody waits for it", () =>
    Effect.gen(function*() {
      const place = yield* folder
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        yield* Effect.forkChild(log.append([said("den", "1")]), { startImmediately: true })
      }))
      const log = yield* Sqlite.make({ folder: place })
      assert.deepStrictEqual(textsOf((yield* everythingIn(log, "den")).entries), ["1"])
    }))

  it.effect("a thread that ends says so to who waits for it, and begins anew with the next question", () =>
    Effect.gen(function*() {
      const thread = yield* Thread.make("writer", { folder: yield* folder, epoch: "e" })
      assert.deepStrictEqual(yield* thread.ask("about", undefined), { epoch: "e", last: 0 })
      assert.strictEqual(yield* failure(thread.ask("close", undefined)), "its thread ended")
      assert.isFalse(yield* thread.ask("append", { first: 5, drafts: written([said("den", "1")]) }))
      assert.deepStrictEqual(yield* thread.ask("about", undefined), { epoch: "e", last: 5 })
    }))

  it.effect("different folders have different epochs", () =>
    Effect.gen(function*() {
      const epochs = yield* Effect.forEach([1, 2], () => Effect.map(Effect.flatMap(folder, (folder) => Sqlite.make({ folder })), ({ epoch }) => epoch))
      assert.notStrictEqual(epochs[0], epochs[1])
    }))

  it.effect("asks nothing after it is closed", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const log = yield* Effect.scoped(Sqlite.make({ folder: place }))
      assert.strictEqual(yield* failure(log.append([said("den", "1")])), "the log is closed")
      assert.isFalse(existsSync(join(place, "log.db-wal")))
    }))

  it("row 56: whatever a page asks, an index answers, and nothing is sorted or gone through", () => {
    const database = new DatabaseSync(":memory:")
    try {
      database.exec(schema)
      for (const [name, sql] of Object.entries(statements)) {
        const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(({ detail }) => String(detail))
        assert.isNotEmpty(plan)
        for (const step of plan) assert.notMatch(step, /TEMP B-TREE|SCAN (?!CONSTANT)|AUTOMATIC/, `${name}: ${plan.join("; ")}`)
      }
      const plan = (name: keyof typeof statements) => database.prepare(`EXPLAIN QUERY PLAN ${statements[name]}`).all().map(({ detail }) => String(detail))
      for (const name of ["latest", "earliest", "first", "last", "backFrom", "highFrom"] as const) {
        assert.deepStrictEqual(plan(name), ["SEARCH entry USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"], name)
      }
      assert.deepStrictEqual(plan("byId"), ["SEARCH entry USING COVERING INDEX entry_id (id=? AND rowid>? AND rowid<?)"])
    } finally {
      database.close()
    }
  })
})

describe("row 64: two servers on one folder", () => {
  it.effect("the second is refused at once, and told who has it; the first one's death frees it", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const { kill, opened } = yield* holder(place)
      const { pid } = opened
      assert.isNumber(pid)
      assert.strictEqual(
        yield* failure(Sqlite.make({ folder: place })),
        `${place} is in use by process ${String(pid)}; stop that server, or choose another folder`
      )
      assert.match(String((yield* holder(place)).opened["message"]), new RegExp(`is in use by process ${String(pid)};`))
      yield* kill
      const log = yield* Sqlite.make({ folder: place })
      assert.strictEqual(log.epoch, opened["epoch"])
    }))

  it.effect("of one process too, which can open it again when it has closed it", () =>
    Effect.gen(function*() {
      const place = yield* folder
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Sqlite.make({ folder: place })
        assert.match((yield* failure(Sqlite.make({ folder: place })))!, new RegExp(`is in use by process ${process.pid};`))
      }))
      yield* Sqlite.make({ folder: place })
    }))
})
