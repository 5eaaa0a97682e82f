/** Everything on one port, as an app embeds it: over real sockets, from the sources. */
import { WebSocket } from "@effect/platform-node/NodeWS"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ChatServer } from "../src/ChatServer.ts"
import { Hub } from "../src/Hub.ts"
import { Log } from "../src/Log.ts"
import * as OnePort from "../src/OnePort.ts"
import { ask } from "./Http/web.ts"
import { socket } from "./support.ts"

/** The port of a server of this name, open until the scope closes. */
const open = (server: string, options: Partial<OnePort.Options> = {}) =>
  OnePort.layer({ host: "127.0.0.1", port: 0, ...options }).pipe(
    Layer.provide(Hub.layer({ server })),
    Layer.provide(Log.layerMemory({ history: 10 })),
    Layer.build,
    Effect.map((context) => Context.get(context, ChatServer).port)
  )

/** A program by WebSocket, once it was told this: the code that it is closed with. */
const byWebSocket = (port: number, wanted: string) =>
  Effect.callback<Promise<number>>((resume) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, ["chat.json"])
    const ended = new Promise<number>((resolve) => client.on("close", resolve))
    client.on("message", (data: Buffer) => {
      if (data.toString().includes(wanted)) resume(Effect.succeed(ended))
    })
  })

describe("one port", () => {
  it.live("is for people, browsers and programs, who meet in the same rooms, and are told when it closes", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const port = yield* Scope.provide(open("my app", { api: { tokens: new Map([["ci", "s3cret"]]) } }), scope)
      const ana = yield* socket(port)
      ana.net.write("/nick ana\nhello\n")
      yield* Effect.promise(() => ana.until((text) => text.includes("Welcome to my app. You are ana")))
      const ended = yield* byWebSocket(port, "Welcome")
      assert.strictEqual((yield* ask(port, "/readyz")).text, "ready\n")
      assert.strictEqual((yield* ask(port, "/api/rooms/lobby/messages", { token: "s3cret", body: { text: "from a program" } })).status, 201)
      yield* Effect.promise(() => ana.until((text) => text.includes("ci: from a program\n")))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Effect.promise(() => ended), 1001)
      yield* Effect.promise(() => ana.until((text) => text.endsWith("-!- the server is closing\n")))
    }))

  it.live("may be one of several in a process", () =>
    Effect.gen(function*() {
      const names = ["one", "two"]
      const ports = yield* Effect.forEach(names, (name) => open(name))
      for (const [i, name] of names.entries()) {
        yield* byWebSocket(ports[i]!, `"server":"${name}"`)
        assert.strictEqual((yield* ask(ports[i]!, "/healthz")).text, "ok\n")
      }
    }))

  it.live("is no browser's where one dialect is spoken", () =>
    Effect.gen(function*() {
      const client = yield* socket(yield* open("my app", { dialect: "plain" }))
      client.net.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
      yield* Effect.promise(() => client.until((text) => text.includes("HTTP is not spoken here")))
    }))

  it.live("is as it is by default in what is given as undefined, but for the rate, which is none then", () =>
    Effect.gen(function*() {
      const port = yield* open("my app", { backlog: undefined, dialect: undefined, grace: undefined, maxClients: undefined, maxUnsent: undefined, rate: undefined, publicHosts: undefined, api: undefined })
      const ana = yield* socket(port)
      ana.net.write(Array.from({ length: 20 }, (_, i) => `/nick ana${i}\n`).join(""))
      yield* Effect.promise(() => ana.until((text) => text.includes("you are now ana19\n")))
      assert.strictEqual((yield* ask(port, "/readyz")).text, "ready\n")
    }), 3000)
})
