/** Who is handed on to HTTP, and who to chat. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type * as Net from "node:net"
import * as Tcp from "../../src/Listener/Tcp.ts"
import { socket } from "../support.ts"

/** Let this process stand still, in milliseconds. */
const standStill = (time: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time)
}

describe("a connection", () => {
  it.live("whose first bytes came in time is what they are, though the process stood still meanwhile", () =>
    Effect.gen(function*() {
      const handed = yield* Queue.unbounded<"http" | "chat">()
      const listener = yield* Tcp.make({
        host: "127.0.0.1",
        port: 0,
        backlog: 5,
        onHttp: (socket: Net.Socket) => {
          socket.destroy()
          Queue.offerUnsafe(handed, "http")
        }
      })
      yield* Effect.forkScoped(Stream.runForEach(listener.connections, (connection) =>
        Effect.sync(() => {
          connection.destroy()
          Queue.offerUnsafe(handed, "chat")
        })))
      const first = yield* socket(listener.port)
      // They are accepted in order: when the second is known, the first was accepted.
      const second = yield* socket(listener.port)
      second.net.write("{")
      assert.strictEqual(yield* Queue.take(handed), "chat")
      first.net.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
      standStill(Tcp.silence + 100)
      assert.strictEqual(yield* Queue.take(handed), "http")
    }).pipe(Effect.scoped))
})
