import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ChatServer } from "../src/ChatServer.ts"
import { Hub } from "../src/Hub.ts"
import * as Sqlite from "../src/Log/Sqlite.ts"
import { Memory } from "../src/testing.ts"
import { heard, settled } from "./house.ts"
import { eventually } from "./support.ts"

/** Built and torn down so often. */
const cycles = process.env["CI"] === undefined ? 30 : 100

describe("a house with its log in a folder", () => {
  it.live(`row 65: built and torn down ${cycles} times leaves no thread, no fiber, no file open, and has kept everything`, () => {
    const fibers = { started: 0, ended: 0 }
    const count: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => void fibers.started++,
      recordFiberEnd: () => void fibers.ended++
    }
    const folder = mkdtempSync(join(tmpdir(), "effect-chat-cycles-"))
    const open = () => existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0
    const resources = () => process.getActiveResourcesInfo().filter((name) => /MessagePort|Worker|Timeout/.test(name)).length
    const cycle = Effect.gen(function*() {
      const memory = yield* Memory.makeListener
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        ChatServer.layer({ dialect: "json", grace: "5 seconds", rate: undefined }).pipe(
          Layer.provideMerge(Hub.layer()),
          Layer.provideMerge(Sqlite.layer({ folder })),
          Layer.provide(memory.layer)
        ),
        scope
      )
      const client = memory.connect()
      client.send("{\"_tag\":\"Join\",\"room\":\"den\"}\n{\"_tag\":\"Say\",\"target\":\"#den\",\"text\":\"hi\"}\n")
      yield* client.until((text) => /"Said"[^\n]*\n/.test(text))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(heard(client).at(-1)?._tag, "Closing")
      return Context.get(context, Hub)
    })
    return Effect.gen(function*() {
      yield* cycle
      yield* settled
      const [running, files, before] = [fibers.started - fibers.ended, open(), resources()]
      for (let i = 1; i < cycles; i++) yield* cycle
      yield* eventually("fibers end", () => fibers.started - fibers.ended <= running)
      yield* eventually("threads end", () => resources() <= before)
      yield* eventually("files are closed", () => open() <= files)
      // In order, each house's leaving and the next one's beginning among it.
      yield* Effect.scoped(Effect.gen(function*() {
        const hub = Context.get(yield* Layer.build(Hub.layer().pipe(Layer.provide(Sqlite.layer({ folder })))), Hub)
        const { entries } = yield* hub.read({ room: "den", after: 0, before: undefined, limit: 1000, earliest: true, messages: false })
        assert.deepStrictEqual(
          entries.map(({ event }) => event._tag),
          Array.from({ length: cycles }, () => ["Joined", "Said", "Quit", "Restarted"]).flat()
        )
      }))
    }).pipe(
      Effect.provideService(Metric.FiberRuntimeMetrics, count),
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
    )
  }, 120_000)
})
