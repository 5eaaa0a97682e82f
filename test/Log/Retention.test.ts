import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { statSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Draft, type Query, whispers } from "../../src/Log.ts"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { entriesOf, written } from "../../src/Log/Sqlite/Passing.ts"
import { Reader } from "../../src/Log/Sqlite/Reader.ts"
import { Finder } from "../../src/Log/Sqlite/Finder.ts"
import { Writer } from "../../src/Log/Sqlite/Writer.ts"
import { everythingIn, folder, said, textsOf } from "./folders.ts"

const hour = 3_600_000

/** A writer and a reader of a new folder, without threads: what they do is done when they return. */
const pair = Effect.fnUntraced(function*(options: { readonly retain?: number; readonly retainSize?: number }, existing?: string) {
  const place = existing ?? (yield* folder)
  const writer = yield* Effect.acquireRelease(
    Effect.sync(() => new Writer({ folder: place, epoch: "e", retain: options.retain, retainSize: options.retainSize })),
    (writer) => Effect.sync(() => writer.close())
  )
  const reader = yield* Effect.acquireRelease(Effect.sync(() => new Reader({ folder: place })), (reader) => Effect.sync(() => reader.close()))
  return {
    place,
    writer,
    append: (...drafts: ReadonlyArray<Draft>) => writer.append({ first: writer.last + 1, drafts: written(drafts) }),
    snapshot: (seq: number) => Effect.promise(() => writer.keepSnapshot({ seq, world: "world" })),
    read: (room: string, more: Partial<Query> = {}) => {
      const { complete, entries } = reader.read({ room, after: undefined, before: undefined, limit: 10_000, messages: false, ...more })
      return [textsOf(entriesOf(entries)).join(" "), complete] as const
    }
  }
})

const joined = (room: string, at: number): Draft => ({ ...said(room, "j", at), event: { _tag: "Joined", room, nick: "bo" } })

describe("retention", () => {
  it.effect("cuts what is too old, in the order it came, and says so of each room it cut", () =>
    Effect.gen(function*() {
      const { append, read, snapshot, writer } = yield* pair({ retain: hour })
      append(said("a", "1", 0), said("b", "2", 0), joined("a", 1), said("a", "3", hour), said("c", "4", hour), said("a", "5", hour))
      yield* snapshot(6)
      assert.isFalse(writer.tidy({ now: hour }))
      assert.deepStrictEqual(read("a"), ["1 Joined 3 5", true])
      assert.isTrue(writer.tidy({ now: hour + 2 }))
      assert.isFalse(writer.tidy({ now: hour + 2 }))
      assert.deepStrictEqual(read("a"), ["3 5", false])
      assert.deepStrictEqual(read("b"), ["", false])
      assert.deepStrictEqual(read("c"), ["4", true])
      // Who resumes is told of a gap only where there is one.
      assert.deepStrictEqual(read("a", { after: 2 }), ["3 5", false])
      assert.deepStrictEqual(read("a", { after: 3 }), ["3 5", true])
      assert.deepStrictEqual(read("b", { after: 1 }), ["", false])
      assert.deepStrictEqual(read("b", { after: 2 }), ["", true])
      assert.deepStrictEqual(read("a", { after: { id: "a-1" } }), ["", false])
      assert.deepStrictEqual(read("a", { limit: 2, messages: true }), ["3 5", true])
    }))

  it.effect("cuts nothing that the world is not remembered without, and never the last entry", () =>
    Effect.gen(function*() {
      const { append, read, snapshot, writer } = yield* pair({ retain: hour })
      append(...[1, 2, 3, 4].map((n) => said("a", String(n), 0)))
      assert.isFalse(writer.tidy({ now: 9 * hour }))
      assert.deepStrictEqual(read("a"), ["1 2 3 4", true])
      yield* snapshot(2)
      while (writer.tidy({ now: 9 * hour })) { /* as far as it goes */ }
      assert.deepStrictEqual(read("a"), ["3 4", false])
      yield* snapshot(4)
      while (writer.tidy({ now: 9 * hour })) { /* as far as it goes */ }
      assert.deepStrictEqual(read("a"), ["4", false])
      append(said("a", "5", 9 * hour))
      assert.strictEqual(writer.last, 5)
    }))

  it.effect("keeps as much as fits, cutting a bounded part at a time, and gives the disk the rest back", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const options = { retainSize: 400_000 }
      yield* Effect.scoped(Effect.gen(function*() {
        const { append, read, snapshot, writer } = yield* pair(options, place)
        const long = "x".repeat(400)
        let untidy = false
        for (let i = 0; i < 40; i++) untidy = append(...Array.from({ length: 100 }, (_, k) => ({ ...said("a", `${i * 100 + k} ${long}`), id: `${i}-${k}` }))) || untidy
        assert.isTrue(untidy)
        yield* snapshot(4000)
        const count = () => read("a")[0].split(long).length - 1
        let before = count()
        assert.strictEqual(before, 4000)
        while (writer.tidy({ now: 0 })) {
          const after = count()
          assert.isAtMost(before - after, 500)
          before = after
        }
        assert.isAbove(before, 400)
        assert.isBelow(before, 1000)
        assert.match(read("a")[0], /3999 x+$/)
      }))
      // 512 pages may stay free.
      assert.isBelow(statSync(join(place, "log.db")).size, 400_000 + 513 * 4096)
      assert.strictEqual((yield* pair(options, place)).writer.last, 4000)
    }))

  it.effect("what is cut in the middle of a question is still there for it: an answer with a hole is never called complete", () =>
    Effect.gen(function*() {
      const { append, place, read, snapshot, writer } = yield* pair({ retain: hour })
      append(said("a", "1", 0), said("a", "2", 0), said("a", "3", hour))
      yield* snapshot(3)
      const reader = new Reader({ folder: place })
      const { complete, entries } = reader.read({
        room: "a",
        after: 0,
        before: undefined,
        messages: true,
        // It is looked at when what is gone from the room has been read.
        get limit() {
          writer.tidy({ now: hour + 1 })
          return 10
        }
      })
      assert.deepStrictEqual([textsOf(entriesOf(entries)), complete], [["1", "2", "3"], true])
      assert.deepStrictEqual(read("a", { after: 0 }), ["3", false])
      reader.close()
    }))

  it.effect("what is cut is found no more", () =>
    Effect.gen(function*() {
      const { append, place, snapshot, writer } = yield* pair({ retain: hour })
      append(said("a", "old fox", 0), said("a", "new fox", hour))
      yield* snapshot(2)
      const finder = new Finder({ folder: place })
      const find = () => {
        const { complete, entries } = finder.find({ rooms: undefined, words: "fox", limit: 10 })
        return [textsOf(entriesOf(entries)), complete]
      }
      assert.deepStrictEqual(find(), [["old fox", "new fox"], true])
      assert.isTrue(writer.tidy({ now: hour + 1 }))
      assert.deepStrictEqual(find(), [["new fox"], false])
      while (finder.follow()) { /* until it has forgotten it too */ }
      assert.deepStrictEqual(find(), [["new fox"], false])
      finder.close()
    }))

  it.effect("of pairs of whose whispers nothing is there any more nothing stays, and no number is used again", () =>
    Effect.gen(function*() {
      const { append, place, read, snapshot, writer } = yield* pair({ retain: hour })
      const whispered = (text: string, at: number, ...sessions: ReadonlyArray<string>): Draft => ({
        ...said("a", text, at), id: text, event: { _tag: "Whispered", nick: "ana", to: "bo", text, kind: "message" }, to: { rooms: [], sessions }
      })
      append(whispered("1", 0, "s1", "s2"), said("a", "2", 0), whispered("3", 0, "s1", "s3"), whispered("4", 2 * hour, "s1", "s2"), said("a", "5", 2 * hour), said("b", "6", 0))
      yield* snapshot(6)
      const rooms = () => {
        const database = new DatabaseSync(join(place, "log.db"), { readOnly: true })
        const found = database.prepare("SELECT number, key FROM room ORDER BY number").all().map(({ key, number }) => `${Number(number)} ${String(key)}`)
        database.close()
        return found
      }
      assert.deepStrictEqual(rooms(), ["1 s1 s2 ", "2 a", "3 s1 s3 ", "4 b"])
      while (writer.tidy({ now: 2 * hour + 1 })) { /* as far as it goes */ }
      assert.deepStrictEqual(rooms(), ["1 s1 s2 ", "2 a", "4 b"])
      assert.deepStrictEqual(read(whispers(["s1", "s3"])), ["", false])
      assert.deepStrictEqual(read(whispers(["s1", "s3"]), { after: 3 }), ["", true])
      append(whispered("7", 2 * hour, "s1", "s3"))
      assert.deepStrictEqual(rooms(), ["1 s1 s2 ", "2 a", "4 b", "5 s1 s3 "])
      assert.deepStrictEqual(read(whispers(["s1", "s3"])), ["Whispered", false])
      assert.deepStrictEqual(read(whispers(["s1", "s2"])), ["Whispered", false])
      // The last room there is stays, whatever it is.
      append(said("a", "8", 4 * hour), said("b", "9", 4 * hour))
      yield* snapshot(9)
      while (writer.tidy({ now: 4 * hour })) { /* as far as it goes */ }
      assert.deepStrictEqual(rooms(), ["2 a", "4 b", "5 s1 s3 "])
    }))

  it.effect("goes on by itself, each minute", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const log = yield* Sqlite.make({ folder: place, retain: hour })
      const now = yield* Clock.currentTimeMillis
      yield* log.append([said("a", "1", now), said("a", "2", now + hour)])
      yield* log.keepSnapshot({ seq: 2, world: "" })
      yield* TestClock.adjust("1 hour")
      let page = yield* everythingIn(log, "a")
      while (page.complete) {
        yield* TestClock.adjust("1 minute")
        page = yield* everythingIn(log, "a")
      }
      assert.deepStrictEqual(textsOf(page.entries), ["2"])
    }))

  it.effect("by size goes on by itself too, though nobody says anything after the world was written down", () =>
    Effect.gen(function*() {
      const log = yield* Sqlite.make({ folder: yield* folder, retainSize: 400_000 })
      const long = "x".repeat(400)
      yield* log.append(Array.from({ length: 3000 }, (_, i) => said("a", `${i} ${long}`)))
      yield* log.keepSnapshot({ seq: 3000, world: "" })
      let page = yield* everythingIn(log, "a")
      assert.lengthOf(page.entries, 3000)
      while (page.entries.length > 1000) {
        yield* TestClock.adjust("1 minute")
        page = yield* everythingIn(log, "a")
      }
      assert.isFalse(page.complete)
      assert.strictEqual(textsOf(page.entries).at(-1), `2999 ${long}`)
    }))
})
