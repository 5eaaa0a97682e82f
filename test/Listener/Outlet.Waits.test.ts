/** Whoever waits for a direct write waits until Node says that it is done, even if the kernel has taken it before. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import * as Net from "node:net"
import { vi } from "vitest"
import type { Gone } from "../../src/Listener/Direct.ts"
import { Outlet } from "../../src/Listener/Outlet.ts"

const under: Array<Gone> = []

// Takes the bytes, and does not say so until it is told to.
vi.mock("../../src/Listener/Direct.ts", () => ({
  write: (socket: Net.Socket, bytes: Uint8Array, gone: Gone): boolean => {
    socket.write(bytes)
    under.push(gone)
    return false
  }
}))

class Way extends Outlet {
  give(bytes: Uint8Array): void {
    this.write(bytes)
  }
  onSent(sent: () => void): void {
    this.whenSent(sent)
  }
}

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("a direct write that has gone, and nobody has said so", () => {
  it.live("is not waited for by asking again and again", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(Effect.sync(() => Net.createServer((socket) => socket.resume()).listen(0, "127.0.0.1")), (server) => Effect.sync(() => server.close()))
      yield* Effect.promise(() => once(server, "listening"))
      const socket = yield* Effect.acquireRelease(Effect.sync(() => Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")), (socket) => Effect.sync(() => socket.destroy()))
      yield* Effect.promise(() => once(socket, "connect"))
      const way = new Way(socket)
      way.give(Buffer.from("hello"))
      let asked = 0
      // As a session does that waits until its client has taken what there is.
      const wait = (): void => {
        if (way.unsent() === 0) return
        if (++asked > 100) throw new Error("asked again and again")
        way.onSent(wait)
      }
      wait()
      for (let i = 0; i < 5; i++) yield* turn
      assert.strictEqual(asked, 1)
      for (const gone of under) gone()
      for (let i = 0; i < 5; i++) yield* turn
      assert.strictEqual(way.unsent(), 0)
      let sent = false
      way.onSent(() => (sent = true))
      while (!sent) yield* turn
    }))
})
