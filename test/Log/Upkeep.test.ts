import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Entry } from "../../src/Event.ts"
import type { Draft } from "../../src/Log.ts"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { openToRead } from "../../src/Log/Sqlite/Folder.ts"
import { everythingIn, failure, folder, holder, said, textsOf } from "./folders.ts"

const passed: Draft = { ...said("den", "x"), from: "raw@host", event: { _tag: "Passed", room: "den", nick: "ana", bytes: new Uint8Array([0, 255, 10]) } }

/** Done by somebody else than whose the files are; only root can be that. */
const asAnother = <A>(doing: () => A): A => {
  const me = process.geteuid!()
  if (me !== 0) return doing()
  process.seteuid!(65_534)
  try {
    return doing()
  } finally {
    process.seteuid!(me)
  }
}

describe("a backup", () => {
  it.effect("is made while a server writes, and what is made of it is another log that goes on behind it", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const other = join(yield* folder, "other")
      const file = join(place, "yesterday.db")
      const log = yield* Sqlite.make({ folder: place })
      yield* log.append(Array.from({ length: 3000 }, (_, i) => said("den", `${i}`)))
      yield* log.keepSnapshot({ seq: 5, world: "world" })
      const talk = Effect.forEach(Array.from({ length: 50 }, (_, i) => `${3000 + i}`), (text) => log.append([said("den", text)]))
      yield* Effect.all([Sqlite.backup(place, file), talk], { concurrency: 2 })
      assert.isFalse(existsSync(`${file}.partial`))
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      yield* Sqlite.restore(file, other)
      const restored = yield* Sqlite.make({ folder: other })
      assert.notStrictEqual(restored.epoch, log.epoch)
      const { entries, seq, snapshot } = yield* restored.recover
      assert.deepStrictEqual(snapshot, { seq: 5, world: "world" })
      // A whole number of the batches, and everything that was there when it began.
      assert.isAtLeast(seq, 3000)
      const page = textsOf((yield* everythingIn(log, "den")).entries)
      assert.deepStrictEqual(textsOf(yield* Stream.runCollect(entries)), page.slice(5, seq))
      const [next] = yield* restored.append([said("den", "next")])
      assert.strictEqual(next!.seq, seq + 1)
    }))

  it.effect("may be the file of a log itself: what a killed server left beside it is a part of it", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const other = join(yield* folder, "other")
      const { heard, kill, say } = yield* holder(place)
      yield* Effect.andThen(say("one"), heard)
      yield* kill
      yield* Sqlite.restore(join(place, "log.db"), other)
      assert.deepStrictEqual(textsOf((yield* everythingIn(yield* Sqlite.make({ folder: other }), "den")).entries), ["one"])
    }))

  it.effect("overwrites nothing, and is not made of what is none", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const empty = join(yield* folder, "empty")
      const file = join(place, "note.txt")
      writeFileSync(file, "a note")
      yield* Effect.scoped(Effect.flatMap(Sqlite.make({ folder: place }), (log) => log.append([said("den", "1")])))
      assert.strictEqual(yield* failure(Sqlite.backup(place, file)), `${file} is there already; choose another file`)
      assert.strictEqual(yield* failure(Sqlite.backup(empty, `${file}2`)), `there is no log in ${join(empty, "log.db")}`)
      assert.strictEqual(yield* failure(Sqlite.restore(file, empty)), `${file} is not a log of effect-chat; choose another folder`)
      yield* Sqlite.backup(place, `${file}3`)
      writeFileSync(`${file}3`, readFileSync(`${file}3`).fill(0, 8192, 12_288))
      const line = yield* failure(Sqlite.restore(`${file}3`, empty))
      assert.isTrue(line!.startsWith(`${file}3 is damaged (`) && line!.endsWith("); use another backup") && !line!.includes("\n"), line)
      assert.isFalse(existsSync(empty))
      assert.strictEqual(yield* failure(Sqlite.restore(join(place, "log.db"), place)), `there is a log in ${place} already; choose an empty folder`)
      assert.match((yield* failure(Sqlite.backup(place, join(place, "no", "where"))))!, /where cannot be written: /)
      assert.strictEqual(readFileSync(file, "utf8"), "a note")
      assert.isFalse(existsSync(join(empty, "log.db")))
    }))
})

describe("as lines", () => {
  it.effect("everything is there in order, as entries that a program can decode, also while a server writes", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const log = yield* Sqlite.make({ folder: place })
      const some = yield* log.append([said("den", "1"), passed, { ...said("inn", "2"), bot: true, more: true }])
      const rest = yield* log.append(Array.from({ length: 4500 }, (_, i) => said("den", `${i} \u2028 "`)))
      const lines = yield* Stream.runCollect(Sqlite.lines(place))
      const decode = Schema.decodeUnknownSync(Entry)
      assert.deepStrictEqual(lines.map((line) => decode(JSON.parse(line))), [...some, ...rest])
      assert.isTrue(lines.every((line) => !line.includes("\n")))
    }))

  it.effect("of a folder without a log there are none, and why", () =>
    Effect.gen(function*() {
      const place = yield* folder
      assert.strictEqual(yield* failure(Stream.runDrain(Sqlite.lines(place))), `there is no log in ${join(place, "log.db")}`)
      assert.isFalse(existsSync(join(place, "log.db")))
    }))
})

describe("searching a folder", () => {
  it.effect("finds in all rooms or in some, while a server writes and searches too", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const log = yield* Sqlite.make({ folder: place })
      yield* log.append([said("den", "a red fox"), said("inn", "a fox"), said("den", "a dog")])
      assert.deepStrictEqual(textsOf((yield* Sqlite.found(place, { words: "fox", limit: 9 })).entries), ["a red fox", "a fox"])
      yield* log.append([said("den", "fox again")])
      assert.deepStrictEqual(textsOf((yield* log.search({ words: "fox", limit: 9, rooms: ["den"] })).entries), ["a red fox", "fox again"])
      assert.deepStrictEqual(textsOf((yield* Sqlite.found(place, { words: "FOX", limit: 9, rooms: ["DEN"] })).entries), ["a red fox", "fox again"])
      yield* log.append([{ ...said("den", "a secret fox"), to: "den 7" }, { ...said("dens", "fox"), to: "dens" }])
      assert.deepStrictEqual(textsOf((yield* log.search({ words: "fox", limit: 9, rooms: ["den"] })).entries), ["a red fox", "fox again"])
      assert.deepStrictEqual(textsOf((yield* Sqlite.found(place, { words: "fox", limit: 9, rooms: ["den"] })).entries), ["a red fox", "fox again", "a secret fox"])
      assert.deepStrictEqual(yield* Sqlite.found(place, { words: "fox", limit: 2 }), { ...(yield* Sqlite.found(place, { words: "fox", limit: 2 })), complete: false })
    }))

  it.effect("finds all there is, however long it takes to put it into the index first", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const words = Array.from({ length: 500 }, (_, i) => `w${i}`).join(" ")
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        for (let i = 0; i < 20; i++) yield* log.append(Array.from({ length: 500 }, (_, k) => said("den", `${i}-${k} ${words}`)))
        yield* log.append([said("den", "a fox at the end")])
      }))
      rmSync(join(place, "search.db"), { force: true })
      const { complete, entries } = yield* Sqlite.found(place, { words: "fox", limit: 9 })
      assert.deepStrictEqual([textsOf(entries), complete], [["a fox at the end"], true])
    }))

  it.effect("an index that is broken, or of another log, is made anew", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const fill = Effect.scoped(Effect.flatMap(Sqlite.make({ folder: place }), (log) => log.append([said("den", "fox")])))
      yield* fill
      const found = Effect.map(Sqlite.found(place, { words: "fox", limit: 9 }), ({ entries }) => entries.length)
      assert.strictEqual(yield* found, 1)
      writeFileSync(join(place, "search.db"), "this is no index")
      assert.strictEqual(yield* found, 1)
      writeFileSync(join(place, "search.db"), readFileSync(join(place, "search.db")).fill(7, 4096))
      assert.strictEqual(yield* found, 1)
    }))
})

describe("a log that is somebody else's", () => {
  it.effect("is read while a server uses it, and else it is said in one line why it is not", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const file = join(place, "log.db")
      const read = () => asAnother(() => openToRead(file)).close()
      yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        yield* log.append([said("den", "a fox")])
        chmodSync(place, 0o555)
        read()
        // Closing it deletes what lies beside the log.
        chmodSync(place, 0o755)
      }))
      chmodSync(place, 0o555)
      assert.throws(read, `${file} cannot be read: no server uses it, and then it takes writing beside it; do it as its owner, or read a copy of the folder`)
      chmodSync(place, 0o755)
    }))
})
