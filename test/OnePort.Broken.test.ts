/** One port of which the door for browsers cannot be opened, as where what it is made of is not installed. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { vi } from "vitest"
import { ChatServer } from "../src/ChatServer.ts"
import { Hub } from "../src/Hub.ts"
import { Log } from "../src/Log.ts"
import * as OnePort from "../src/OnePort.ts"
import { socket } from "./support.ts"

vi.mock("../src/Http/Door.ts", () => ({ open: () => Effect.die(new Error("it is not there")) }))

describe("one port without what HTTP takes", () => {
  it.live("cuts browsers off, and goes on for all others", () =>
    Effect.gen(function*() {
      const context = yield* OnePort.layer({ host: "127.0.0.1", port: 0 }).pipe(
        Layer.provide(Hub.layer({ server: "my app" })),
        Layer.provide(Log.layerMemory({ history: 10 })),
        Layer.build
      )
      const { port } = Context.get(context, ChatServer)
      for (let i = 0; i < 2; i++) {
        const browser = yield* socket(port)
        browser.net.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield* Effect.promise(() => browser.ended)
        assert.strictEqual(browser.text(), "")
      }
      const ana = yield* socket(port)
      ana.net.write("/nick ana\n")
      yield* Effect.promise(() => ana.until((text) => text.includes("Welcome to my app. You are ana")))
    }))
})
