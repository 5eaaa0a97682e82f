/** The examples, run as they are. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServer } from "effect/http"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { ChatServer } from "effect-chat"
import { execFileSync } from "node:child_process"
import { appendFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { app } from "../examples/app.ts"
import { app as bots } from "../examples/bot.ts"
import { app as kept, keptIn } from "../examples/log.ts"
import { Contracts } from "../src/testing.ts"
import { folder } from "./Log/folders.ts"
import { root, socket } from "./support.ts"

const file = Effect.map(folder, (folder) => join(folder, "chat.jsonl"))

const anyPorts = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { HTTP_PORT: "0", CHAT_PORT: "0" } }))

describe("the examples", () => {
  it.live("an app with its own HTTP server counts what is said and speaks for whoever posts", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(app.pipe(Layer.provide(anyPorts)))
      const { port } = Context.get(context, ChatServer)
      const { address } = Context.get(context, HttpServer.HttpServer)
      assert(address._tag === "InetAddressV4")
      const url = `http://127.0.0.1:${address.port}/`
      const ana = yield* socket(port)
      yield* Effect.promise(() => ana.until((text) => text.includes("-!- #lobby: 2 members: frontdesk")))
      ana.net.write("hello\n")
      const posted = yield* Effect.promise(() => fetch(url, { method: "POST", body: "welcome all" }))
      assert.strictEqual(yield* Effect.promise(() => posted.text()), "said\n")
      yield* Effect.promise(() => ana.until((text) => text.includes("frontdesk: welcome all\n")))
      const count = () => Effect.promise(() => fetch(url).then((response) => response.text()))
      yield* Effect.repeat(count(), { until: (text) => text === "2 messages\n" })
    }))

  it.live("a bot without a socket greets and rolls dice", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(bots.pipe(Layer.provide(anyPorts)))
      const ana = yield* socket(Context.get(context, ChatServer).port)
      yield* Effect.promise(() => ana.until((text) => /dicebot: hello guest\d+, say !roll\n/.test(text)))
      ana.net.write("!roll\n")
      yield* Effect.promise(() => ana.until((text) => /dicebot: guest\d+ rolls [1-6]\n/.test(text)))
    }))

  for (const one of Contracts.logContract(Effect.orDie(Effect.flatMap(file, keptIn)))) it.effect(`a log of one's own: ${one.name}`, () => one.run)

  it.live("a log of one's own has everything after a restart, but what was being written when the process died", () =>
    Effect.gen(function*() {
      const place = yield* file
      const served = <A, E>(use: (port: number) => Effect.Effect<A, E>) =>
        Effect.scoped(Effect.gen(function*() {
          const context = yield* Layer.build(kept(place).pipe(Layer.provide(anyPorts)))
          return yield* use(Context.get(context, ChatServer).port)
        }))
      const said = (text: string) => (port: number) =>
        Effect.scoped(Effect.gen(function*() {
          const ana = yield* socket(port)
          ana.net.write(`/nick ana\n${text}\n/history\n/nick bob\n`)
          yield* Effect.promise(() => ana.until((text) => text.includes("you are now bob")))
          return ana.text()
        }))
      yield* served(said("one"))
      const whole = readFileSync(place, "utf8")
      appendFileSync(place, whole.slice(-20, -10))
      const heard = yield* served(said("two"))
      assert.match(heard, /ana: one\n[^]*ana: two\n/)
      assert.isTrue(readFileSync(place, "utf8").startsWith(whole))
    }))

  it.live("a log of one's own keeps what it says it keeps when the disk is full, and nothing of what it could not", () =>
    Effect.gen(function*() {
      const place = yield* file
      const program = `
        import { Effect, Exit } from "effect"
        import { keptIn } from ${JSON.stringify(join(root, "examples/log.ts"))}
        const said = (id) => ({ at: 0, id, by: "s1", to: "a", event: { _tag: "Said", room: "a", nick: "ana", text: "x".repeat(1000), kind: "message" } })
        const keeping = Effect.flatMap(keptIn(${JSON.stringify(place)}), (log) =>
          Effect.forEach(Array.from({ length: 10 }, (_, i) => String(i)), (id) => Effect.map(Effect.exit(log.append([said(id)])), Exit.isSuccess)))
        console.log(JSON.stringify(await Effect.runPromise(Effect.scoped(keeping))))`
      const within = ["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh", process.execPath, "--input-type=module", "--eval", program]
      const kept = (JSON.parse(execFileSync("sh", within, { cwd: root, encoding: "utf8" })) as ReadonlyArray<boolean>).flatMap((is, i) => is ? [String(i)] : [])
      assert.isAbove(kept.length, 0)
      assert.isBelow(kept.length, 10)
      const log = yield* keptIn(place)
      const { entries } = yield* log.recover
      assert.deepStrictEqual((yield* Stream.runCollect(entries)).map(({ id }) => id), kept)
      assert.strictEqual(readFileSync(place, "utf8").at(-1), "\n")
    }))
})
