import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Sqlite from "../src/Log/Sqlite.ts"
import { folder, said } from "./Log/folders.ts"
import { chat } from "./support.ts"

/** What the program prints with these arguments, and how it ends. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const started = chat(args)
    const code = await started.exited
    return [code, started.stdout(), started.stderr()] as const
  })

describe("a folder, from the command line", () => {
  it.live("is printed, searched, backed up and restored while it is in use", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const log = yield* Sqlite.make({ folder: place })
      const kept = yield* log.append([said("den", "the red fox \u001b[31m\u009b1m", 1_700_000_000_000), said("Inn", "a fox", 1_700_000_001_000), said("den", "a dog")])
      assert.deepStrictEqual(yield* run("export", "--data", place), [0, kept.map((entry) => `${JSON.stringify(entry).replaceAll("\u009b", "\\u009b")}\n`).join(""), ""])
      assert.deepStrictEqual(yield* run("search", "--data", place, "fox"), [
        0,
        "2023-11-14T22:13:20.000Z #den ana: the red fox ␛[31m␛1m\n2023-11-14T22:13:21.000Z #Inn ana: a fox\n",
        ""
      ])
      assert.deepStrictEqual(yield* run("search", "--data", place, "--room", "#DEN", "fox", "RED"), [0, "2023-11-14T22:13:20.000Z #den ana: the red fox ␛[31m␛1m\n", ""])
      assert.deepStrictEqual(yield* run("search", "--data", place, "--limit", "1", "fox"), [
        0, "2023-11-14T22:13:21.000Z #Inn ana: a fox\n", "chat: not everything that fits is shown: raise --limit, or it is older than what --retain left\n"
      ])
      const file = join(place, "backup")
      const other = join(place, "other")
      assert.deepStrictEqual(yield* run("backup", "--data", place, file), [0, `${place} is backed up in ${file}\n`, ""])
      assert.deepStrictEqual(yield* run("backup", "--data", place, file), [1, "", `chat: ${file} is there already; choose another file\n`])
      assert.deepStrictEqual(yield* run("restore", file, "--data", other), [0, `${other} is made of ${file}; chat serve --data ${other} goes on from there\n`, ""])
      assert.deepStrictEqual(yield* run("restore", file, "--data", other), [1, "", `chat: there is a log in ${other} already; choose an empty folder\n`])
      assert.deepStrictEqual(yield* run("export", "--data", other), yield* run("export", "--data", place))
    }))

  it.live("that is none is said to be none, in one line, and is not made", () =>
    Effect.gen(function*() {
      const place = join(yield* folder, "none")
      const line = `chat: there is no log in ${join(place, "log.db")}\n`
      for (const args of [["export", "--data", place], ["search", "--data", place, "fox"], ["backup", "--data", place, `${place}.db`]]) {
        assert.deepStrictEqual(yield* run(...args), [1, "", line])
      }
      const [code, , error] = yield* run("export")
      assert.strictEqual(code, 2)
      assert.match(error, /^chat: Missing required flag: --data \(or set CHAT_DATA\) .*\n$/)
      writeFileSync(place, "a note")
      assert.deepStrictEqual(yield* run("restore", place, "--data", `${place}2`), [1, "", `chat: ${place} is not a log of effect-chat; choose another folder\n`])
      assert.strictEqual(readFileSync(place, "utf8"), "a note")
      const around = dirname(place)
      assert.deepStrictEqual(yield* run("restore", around, "--data", `${place}2`), [1, "", `chat: ${around} is not a log of effect-chat; choose another folder\n`])
    }))

  it.live("is searched for words, and for nothing else", () =>
    Effect.gen(function*() {
      for (const words of ["", "*** !"]) {
        assert.deepStrictEqual(yield* run("search", "--data", yield* folder, words), [2, "", "chat: say what words to search for\n"])
      }
    }))
})
