import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Log } from "../../src/Log.ts"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { format, reason } from "../../src/Log/Sqlite/Folder.ts"
import { Writer } from "../../src/Log/Sqlite/Writer.ts"
import { everythingIn, failure, folder, holder, said, textsOf } from "./folders.ts"

/** Why the log of a folder cannot be opened; nothing when it can. Without a thread, for there are many of these. */
const opening = (place: string): Effect.Effect<string | undefined> =>
  Effect.sync(() => {
    try {
      new Writer({ folder: place, epoch: "e", retain: undefined, retainSize: undefined }).close()
      return undefined
    } catch (cause) {
      return reason(cause)
    }
  })

/** A folder with a log of so many messages, closed. */
const filled = Effect.fnUntraced(function*(count: number) {
  const place = yield* folder
  yield* Effect.scoped(Effect.flatMap(Sqlite.make({ folder: place }), (log) => log.append(Array.from({ length: count }, (_, i) => said("den", `${i}`)))))
  return place
})

const fileOf = (place: string) => join(place, "log.db")

/** A file system in memory of so many bytes, where this process may make one. */
const smallDisk = Effect.fnUntraced(function*(size: number) {
  const place = yield* folder
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", place]).status === 0
  if (!mounted) return undefined
  yield* Effect.addFinalizer(() => Effect.sync(() => void spawnSync("umount", ["-l", place])))
  return place
})

describe("row 54: a folder that cannot be used is refused with what to do, and nothing of it is deleted", () => {
  it.effect("a log that was cut off anywhere", () =>
    Effect.gen(function*() {
      const place = yield* filled(3000)
      const whole = readFileSync(fileOf(place))
      for (let i = 0; i < 12; i++) {
        const length = i === 0 ? 1 : i === 1 ? whole.length - 1 : yield* Random.nextIntBetween(1, whole.length - 1)
        writeFileSync(fileOf(place), whole)
        truncateSync(fileOf(place), length)
        assert.match((yield* opening(place)) ?? "opened", /log\.db is damaged \(.*\); move its folder away and restore a backup there, or choose another folder$/, `cut at ${length}`)
        assert.strictEqual(statSync(fileOf(place)).size, length)
      }
    }))

  it.effect("a log with a page that is not what it was", () =>
    Effect.gen(function*() {
      const place = yield* filled(3000)
      const broken = readFileSync(fileOf(place)).fill(0xa5, 4096 * 20, 4096 * 21)
      writeFileSync(fileOf(place), broken)
      assert.match((yield* failure(Sqlite.make({ folder: place }))) ?? "opened", /log\.db is damaged/)
      assert.isTrue(readFileSync(fileOf(place)).equals(broken))
    }))

  it.effect("an entry that is not what it was", () =>
    Effect.gen(function*() {
      const place = yield* filled(10)
      const database = new DatabaseSync(fileOf(place))
      database.exec("UPDATE entry SET event = replace(event, '\"text\":\"4\"', '\"text:\"4\"')")
      database.close()
      const log = yield* Sqlite.make({ folder: place })
      const why = "the log is damaged; stop the server, and restore a backup"
      assert.strictEqual(yield* failure(everythingIn(log, "den")), why)
      assert.strictEqual(yield* failure(Effect.flatMap(log.recover, ({ entries }) => Stream.runDrain(entries))), why)
      // What is not behind it is read and found as ever.
      assert.deepStrictEqual(textsOf((yield* log.read({ room: "den", after: 5, before: undefined, limit: 10, messages: true })).entries), ["5", "6", "7", "8", "9"])
      assert.deepStrictEqual(textsOf((yield* log.search({ rooms: ["den"], words: "7", limit: 1 })).entries), ["7"])
    }))

  it.effect("a log that is empty though it was none once", () =>
    Effect.gen(function*() {
      const place = yield* filled(3)
      yield* Sqlite.found(place, { words: "1", limit: 1 })
      truncateSync(fileOf(place), 0)
      assert.match((yield* opening(place)) ?? "opened", /log\.db is damaged \(it is empty/)
    }))

  it.effect("what is no log of ours", () =>
    Effect.gen(function*() {
      const text = yield* folder
      writeFileSync(fileOf(text), "Dear diary, this is not a database, and it is quite a bit longer than a hundred bytes, as such things are.")
      assert.strictEqual(yield* opening(text), `${fileOf(text)} is not a log of effect-chat; choose another folder`)
      const other = yield* folder
      const database = new DatabaseSync(fileOf(other))
      database.exec("CREATE TABLE recipes(name TEXT)")
      database.close()
      const before = readFileSync(fileOf(other))
      assert.strictEqual(yield* opening(other), `${fileOf(other)} is not a log of effect-chat; choose another folder`)
      assert.isTrue(readFileSync(fileOf(other)).equals(before))
    }))

  it.effect("a log of a newer version, or of an older one", () =>
    Effect.gen(function*() {
      const place = yield* filled(1)
      for (const [version, what] of [[format + 1, "a newer"], [format - 1, "an older"]] as const) {
        const database = new DatabaseSync(fileOf(place))
        database.exec(`PRAGMA user_version=${version}`)
        database.close()
        const before = readFileSync(fileOf(place))
        assert.strictEqual(
          yield* opening(place),
          `${fileOf(place)} was written by ${what} effect-chat (format ${version}, and this one knows ${format}); use that one, or choose another folder`
        )
        assert.isTrue(readFileSync(fileOf(place)).equals(before))
      }
    }))

  it.effect("what is no folder, or may not be written", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const file = join(place, "file")
      writeFileSync(file, "")
      assert.match((yield* opening(file)) ?? "opened", new RegExp(`^${file} is a file, not a folder; choose another with --data$`))
      assert.match((yield* opening(join(file, "below"))) ?? "opened", new RegExp(`^${file} is a file, not a folder; choose another with --data$`))
      assert.strictEqual(yield* opening("/proc/none/below"), "cannot create the folder /proc/none/below; check its permissions, or choose another with --data")
      const closed = join(place, "closed")
      mkdirSync(closed)
      chmodSync(closed, 0o500)
      if (process.getuid!() === 0) console.warn("left out: a folder that may not be written, for root may write everywhere")
      else assert.match((yield* opening(closed)) ?? "opened", /^nothing can be kept in .*: its files may not be written; make that possible, or choose another folder$/)
    }))

  it.effect("half of a log: what is beside the file would be taken for a part of another one", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const { heard, kill, say } = yield* holder(place)
      yield* Effect.andThen(say("one"), heard)
      yield* kill
      const backup = join(yield* folder, "backup")
      yield* Sqlite.backup(place, backup)
      const away = readFileSync(fileOf(place))
      const beside = readFileSync(`${fileOf(place)}-wal`)
      rmSync(fileOf(place))
      const line = `${fileOf(place)} is missing, and ${fileOf(place)}-wal, which is a part of it, is there; put the log back, or move that away too`
      assert.strictEqual(yield* opening(place), line)
      assert.strictEqual(yield* failure(Sqlite.restore(backup, place)), line)
      assert.isTrue(readFileSync(`${fileOf(place)}-wal`).equals(beside))
      writeFileSync(fileOf(place), away)
      const log = yield* Sqlite.make({ folder: place })
      assert.deepStrictEqual(textsOf((yield* everythingIn(log, "den")).entries), ["one"])
    }))

  it.effect("what was left behind when a log was begun is no obstacle", () =>
    Effect.gen(function*() {
      const place = yield* folder
      writeFileSync(fileOf(place), "")
      assert.isUndefined(yield* opening(place))
    }))
})

describe("row 54: a disk that fails while the log is used", () => {
  const fill = Effect.fnUntraced(function*(log: Log["Service"], text: string) {
    for (let i = 0;; i++) {
      const message = yield* failure(log.append([said("den", `${i} ${text}`), said("den", `${i} ${text}`)]))
      if (message !== undefined) return { message, kept: i }
    }
  })

  it.effect("a full one: what cannot be kept is not there at all, and it goes on when there is room", () =>
    Effect.gen(function*() {
      const place = yield* smallDisk(2_000_000)
      if (place === undefined) return console.warn("left out: a full disk, for this process may not mount one")
      writeFileSync(join(place, "other"), Buffer.alloc(700_000))
      const log = yield* Sqlite.make({ folder: place })
      assert.isTrue(yield* log.writes)
      const { kept, message } = yield* fill(log, "x".repeat(5000))
      assert.strictEqual(message, "the disk is full")
      assert.isFalse(yield* log.writes)
      assert.isAbove(kept, 10)
      assert.lengthOf((yield* everythingIn(log, "den")).entries, 2 * kept)
      rmSync(join(place, "other"))
      // Nobody says anything, and it works again.
      while (!(yield* log.writes)) {
        yield* TestClock.adjust("1 second")
        yield* everythingIn(log, "none")
      }
      const [entry] = yield* log.append([said("den", "at last")])
      const { entries } = yield* everythingIn(log, "den")
      assert.lengthOf(entries, 2 * kept + 1)
      assert.strictEqual(entries.at(-1)!.seq, entry!.seq)
      assert.isTrue(entries.every(({ seq }, i) => i === 0 || seq > entries[i - 1]!.seq))
    }))

  /** What whoever runs the server reads. */
  const reading = (lines: Array<string>) =>
    Logger.layer([Logger.make(({ logLevel, message }) => {
      // The test clock warns that a real second went by.
      if (logLevel !== "Warn") lines.push(`${logLevel} ${String(message)}`)
    })])

  it.effect("whoever runs the server reads once that nothing can be kept and why, and once that it is kept again", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const place = yield* folder
      const log = yield* Sqlite.make({ folder: place })
      const [one] = yield* log.append([said("den", "one")])
      const other = new DatabaseSync(fileOf(place))
      other.exec("BEGIN IMMEDIATE")
      for (const text of ["two", "three"]) assert.strictEqual(yield* failure(log.append([said("den", text)])), "another program holds the log")
      assert.isFalse(yield* log.writes)
      yield* TestClock.adjust("3 seconds")
      yield* everythingIn(log, "den")
      assert.deepStrictEqual(lines, [`Error nothing can be kept in ${place}, and what is said is refused: another program holds the log; it is tried again each second`])
      other.exec("ROLLBACK")
      other.close()
      while (lines.length < 2) {
        yield* TestClock.adjust("1 second")
        yield* everythingIn(log, "den")
      }
      assert.isTrue(yield* log.writes)
      assert.deepStrictEqual(lines.slice(1), [`Info what is said is kept in ${place} again`])
      const [four] = yield* log.append([said("den", "four")])
      assert.isAbove(four!.seq, one!.seq)
      assert.deepStrictEqual(textsOf((yield* everythingIn(log, "den")).entries), ["one", "four"])
    }).pipe(Effect.provide(reading(lines)))
  })

  it.effect("whoever runs the server reads each once too where there is room for a little, but not for what is said", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const log = yield* Sqlite.make({ folder: yield* folder })
      const unkeepable = { ...said("den", "one"), to: { rooms: ["den", "den"], sessions: [] } }
      const isRefused = Effect.map(failure(log.append([unkeepable])), (why) => assert.isDefined(why))
      yield* isRefused
      for (let second = 0; second < 4; second++) {
        yield* isRefused
        yield* TestClock.adjust("1 second")
        // What was tried in between has been answered when this is.
        yield* log.append([said("den", "two")])
      }
      assert.deepStrictEqual(lines.map((line) => line.slice(0, 5)), ["Error"])
      while (lines.length < 2) {
        yield* TestClock.adjust("1 second")
        yield* everythingIn(log, "den")
      }
      assert.match(lines[1]!, /^Info what is said is kept in .* again$/)
    }).pipe(Effect.provide(reading(lines)))
  })

  it.effect("one that says that it did not write: fsync fails (injected)", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const library = join(place, "broken.so")
      const source = join(place, "broken.c")
      writeFileSync(source, `
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdlib.h>
        #include <unistd.h>
        static int broken(void) { char *flag = getenv("BROKEN"); if (flag && access(flag, F_OK) == 0) { errno = EIO; return 1; } return 0; }
        int fsync(int fd) { static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, "fsync"); return broken() ? -1 : real(fd); }
        int fdatasync(int fd) { static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, "fdatasync"); return broken() ? -1 : real(fd); }
      `)
      try {
        execFileSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"], { stdio: "ignore" })
      } catch {
        return console.warn("left out: fsync that fails, for there is no C compiler to break it with")
      }
      const flag = join(place, "broken")
      const data = join(place, "data")
      const { heard, kill, say } = yield* holder(data, { LD_PRELOAD: library, BROKEN: flag })
      const tell = (text: string) => Effect.andThen(say(text), heard)
      assert.deepStrictEqual(yield* tell("one"), { text: "one", seq: 1 })
      writeFileSync(flag, "")
      assert.match(String((yield* tell("two"))["message"]), /^the disk failed \(/)
      assert.match(String((yield* tell("three"))["message"]), /^the disk failed \(/)
      rmSync(flag)
      const four = yield* tell("four")
      assert.isAbove(Number(four["seq"]), 1)
      yield* kill
      const log = yield* Sqlite.make({ folder: data })
      assert.deepStrictEqual(textsOf((yield* everythingIn(log, "den")).entries), ["one", "four"])
    }))
})

describe("row 55: a process that is killed", () => {
  it.effect("has lost nothing that was kept, and its numbers go on", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const kept: Array<number> = []
      const texts: Array<string> = []
      let epoch: unknown
      for (let round = 0; round < 3; round++) {
        const { heard, kill, opened, say } = yield* holder(place)
        assert.strictEqual(opened["epoch"], epoch ??= opened["epoch"])
        const total = yield* Random.nextIntBetween(50, 400)
        for (let i = 0; i < total; i++) yield* say(`${round}-${i}`)
        const enough = yield* Random.nextIntBetween(1, 50)
        for (let i = 0; i < enough; i++) {
          const { seq, text } = yield* heard
          assert.isAbove(Number(seq), kept.at(-1) ?? 0)
          kept.push(Number(seq))
          texts.push(String(text))
        }
        yield* kill
      }
      const log = yield* Sqlite.make({ folder: place })
      const { entries, seq } = yield* log.recover
      const found = yield* Stream.runCollect(entries)
      assert.deepStrictEqual(found.filter((entry) => kept.includes(entry.seq)).map((entry) => textsOf([entry])[0]), texts)
      assert.isAtLeast(seq, kept.at(-1)!)
      assert.strictEqual(log.epoch, epoch)
    }))

  it.effect("while it gave its file to the disk: what the file lacks is taken from beside it", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const { heard, kill, say } = yield* holder(place)
      for (let i = 0; i < 30; i++) yield* Effect.andThen(say(`${i}`), heard)
      yield* kill
      // As a checkpoint leaves it that wrote the first page only.
      const copy = yield* folder
      for (const name of readdirSync(place)) copyFileSync(join(place, name), join(copy, name))
      const log = readFileSync(fileOf(copy))
      const waiting = readFileSync(`${fileOf(copy)}-wal`)
      for (let at = 32; at + 24 + 4096 <= waiting.length; at += 24 + 4096) {
        if (waiting.readUInt32BE(at) === 1) waiting.copy(log, 0, at + 24, at + 24 + 4096)
      }
      const end = log.readUInt32BE(28) * 4096
      writeFileSync(fileOf(copy), log.subarray(0, 4096))
      assert.isAbove(end, 4096)
      const again = yield* Sqlite.make({ folder: copy })
      assert.lengthOf((yield* everythingIn(again, "den")).entries, 30)
    }))

  it.effect("a log that lost entries is another one from there on (another epoch), and its numbers do not go back", () =>
    Effect.gen(function*() {
      const place = yield* filled(10)
      const old = readFileSync(fileOf(place))
      const epoch = yield* Effect.scoped(Effect.gen(function*() {
        const log = yield* Sqlite.make({ folder: place })
        yield* log.append([said("den", "later")])
        yield* log.search({ rooms: ["den"], words: "later", limit: 1 })
        return log.epoch
      }))
      writeFileSync(fileOf(place), old)
      assert.isFalse(existsSync(`${fileOf(place)}-wal`))
      const again = yield* Sqlite.make({ folder: place })
      assert.notStrictEqual(again.epoch, epoch)
      assert.strictEqual((yield* again.recover).seq, 11)
      const [entry] = yield* again.append([said("den", "new")])
      assert.strictEqual(entry!.seq, 12)
      assert.lengthOf((yield* again.search({ rooms: ["den"], words: "new", limit: 1 })).entries, 1)
    }))
})
