/** Who is handed on to HTTP, and who to chat. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Net from "node:net"
import type { Connection } from "../../src/Connection.ts"
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

describe("row 57: closing the listener", () => {
  const tick = Effect.promise(() => new Promise<void>((resolve) => process.nextTick(resolve)))

  // A server that takes no more says that it is done before the last of its sockets does.
  for (const ticks of [0, 1, 2, 3]) {
    it.live(`ends, though the last connection is let go of only just before (${ticks})`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const listener = yield* Scope.provide(Tcp.make({ host: "127.0.0.1", port: 0, backlog: 5 }), scope)
        const accepted = yield* Queue.unbounded<Connection>()
        const accepting = yield* Effect.forkScoped(Stream.runForEach(listener.connections, (connection) => Queue.offer(accepted, connection)))
        yield* socket(listener.port)
        const connection = yield* Queue.take(accepted)
        yield* Fiber.interrupt(accepting)
        connection.destroy()
        for (let i = 0; i < ticks; i++) yield* tick
        const closing = Effect.runFork(Scope.close(scope, Exit.void))
        yield* Effect.timeout(Fiber.join(closing), "5 seconds")
      }).pipe(Effect.scoped))
  }
})

describe("binding", () => {
  const bind = (port: number) => Tcp.make({ host: "127.0.0.1", port, backlog: 5 })

  it.live("leaves the port free when it is interrupted", () =>
    Effect.gen(function*() {
      const { port } = yield* Effect.scoped(bind(0))
      yield* Fiber.interrupt(Effect.runFork(Effect.scoped(bind(port))))
      assert.strictEqual((yield* bind(port)).port, port)
    }).pipe(Effect.scoped))

  it.effect("fails without a host, for Node would listen on all addresses", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(Effect.scoped(Tcp.make({ host: "", port: 0, backlog: 5 })))
      assert.strictEqual(message, "there is no host to listen on; 127.0.0.1 is this machine alone, :: all who reach it")
    }))

  for (const port of [65_536, -1, NaN]) {
    it.effect(`fails on port ${port}, which there is not`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(bind(port))).message, `there is no port ${port}; choose one from 0 to 65535`)
      }))
  }
})
