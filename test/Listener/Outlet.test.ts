/**
 * A socket's way out: what was given goes in order, whether the kernel takes it at once or not, and what has not gone is known.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import * as Net from "node:net"
import { Outlet } from "../../src/Listener/Outlet.ts"
import { Arbitraries } from "../../src/testing.ts"

const { int, oneOf } = Arbitraries

class Way extends Outlet {
  give(bytes: Uint8Array): void {
    this.write(bytes)
  }
  lend(bytes: Uint8Array): boolean {
    return this.writeLent(bytes)
  }
  get sent(): Promise<void> {
    return new Promise((resolve) => this.whenSent(resolve))
  }
}

/** Whoever is not TCP itself, as TLS is not. */
class Other extends Net.Socket {}

/** Both ends of a connection, with ours as a socket of this class. */
const ends = (Kind: typeof Net.Socket) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = Net.createServer()
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      const ours = new Kind()
      const [[theirs]] = await Promise.all([
        once(server, "connection") as Promise<[Net.Socket]>,
        once(ours.connect({ port: (server.address() as Net.AddressInfo).port, host: "127.0.0.1" }), "connect")
      ])
      server.close()
      ours.on("error", () => {})
      theirs.on("error", () => {})
      return { ours, theirs: theirs.pause() }
    }),
    ({ ours, theirs }) =>
      Effect.sync(() => {
        ours.destroy()
        theirs.destroy()
      })
  )

/** Until it is closed, be it by an error. */
const closed = (socket: Net.Socket): Promise<unknown> => new Promise((resolve) => socket.once("close", resolve))

/** Bytes that are different everywhere, so that none can be missed, doubled or moved. */
const numbered = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (((from + i) >>> 16) * 31 + ((from + i) >>> 8) * 7 + from + i) & 255)

/** More than the kernel takes of anybody who does not read. */
const much = numbered(0, 8_010_000)

const receives = async (socket: Net.Socket, length: number): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  let have = 0
  socket.on("data", (bytes: Buffer) => {
    parts.push(bytes)
    have += bytes.length
  })
  socket.resume()
  while (have < length) await once(socket, "data")
  return Buffer.concat(parts)
}

const sizes = Arbitrary.array(oneOf(int(1, 300), int(100_000, 900_000)), { minLength: 1, maxLength: 12 })

describe("a socket's way out", () => {
  for (const [what, Kind] of [["TCP", Net.Socket], ["another kind", Other]] as const) {
    it.effect.prop(`gives all of it in order by ${what}, before and after somebody begins to read`, { early: sizes, late: sizes }, ({ early, late }) =>
      Effect.gen(function*() {
        const { ours, theirs } = yield* ends(Kind)
        const way = new Way(ours)
        let given = 0
        const give = (all: ReadonlyArray<number>) => {
          for (const size of all) {
            way.give(numbered(given, size))
            given += size
            assert.isAtMost(way.unsent(), given)
          }
        }
        give(early)
        const before = way.progress()
        const reading = receives(theirs, [...early, ...late].reduce((sum, size) => sum + size, 0))
        give(late)
        const sent = way.sent
        const received = yield* Effect.promise(() => reading)
        assert.isTrue(received.equals(numbered(0, given)))
        yield* Effect.promise(() => sent)
        assert.strictEqual(way.unsent(), 0)
        assert.strictEqual(way.progress(), given)
        assert.isAtMost(before, given)
      }), { arbitrary: { runs: 12 } })
  }

  for (const [what, Kind] of [["TCP", Net.Socket], ["another kind", Other]] as const) {
    it.effect.prop(`needs what it was lent no longer than it says by ${what}, however much waits`, { writes: Arbitrary.array(Arbitrary.all({ lends: int(0, 3), size: oneOf(int(1, 300), int(1000, 4000), int(4_000_000, 4_000_100)) }), { minLength: 1, maxLength: 12 }) }, ({ writes }) =>
      Effect.gen(function*() {
        const { ours, theirs } = yield* ends(Kind)
        const way = new Way(ours)
        let place = Buffer.alloc(4_100_000)
        let given = 0
        for (const { lends, size } of writes) {
          const bytes = numbered(given, size)
          given += size
          if (lends === 0) {
            way.give(bytes)
            continue
          }
          place.set(bytes)
          if (way.lend(place.subarray(0, size))) place.fill(0xee, 0, size)
          else place = Buffer.alloc(4_100_000)
        }
        const received = yield* Effect.promise(() => receives(theirs, given))
        assert.isTrue(received.equals(numbered(0, given)))
      }), { arbitrary: { runs: 12 } })
  }

  it.effect.prop("keeps what several are given apart, of whom some are given more than the kernel takes", { writes: Arbitrary.array(Arbitrary.all({ to: int(0, 2), size: oneOf(int(1, 300), int(8_000_000, 8_000_100)) }), { minLength: 2, maxLength: 7 }) }, ({ writes }) =>
    Effect.gen(function*() {
      const all = yield* Effect.all(Array.from({ length: 3 }, () => ends(Net.Socket)))
      const ways = all.map(({ ours }) => new Way(ours))
      const given: ReadonlyArray<Array<Uint8Array>> = ways.map(() => [])
      for (const [i, { size, to }] of writes.entries()) {
        const bytes = much.subarray(1000 * i, 1000 * i + size)
        ways[to]!.give(bytes)
        given[to]!.push(bytes)
      }
      const expected = given.map((parts) => Buffer.concat(parts))
      const received = yield* Effect.promise(() => Promise.all(all.map(({ theirs }, i) => receives(theirs, expected[i]!.length))))
      for (const [i, bytes] of received.entries()) assert.isTrue(bytes.equals(expected[i]!), `what the one at ${i} was given`)
      for (const [i, way] of ways.entries()) {
        yield* Effect.promise(() => way.sent)
        assert.strictEqual(way.unsent(), 0)
        assert.strictEqual(way.progress(), expected[i]!.length)
      }
    }), { arbitrary: { runs: 12 } })

  it.live("knows what waits while nobody reads, and of nothing once it cannot go", () =>
    Effect.gen(function*() {
      const { ours, theirs } = yield* ends(Net.Socket)
      const way = new Way(ours)
      way.give(much)
      assert.isAbove(way.unsent(), 0, "the kernel does not take that much")
      way.give(Buffer.from("more"))
      assert.strictEqual(way.unsent(), much.length + 4)
      theirs.resetAndDestroy()
      yield* Effect.promise(() => closed(ours))
      assert.strictEqual(way.unsent(), 0)
    }))

  it.live("what is given to somebody who is gone ends the socket, and throws nothing", () =>
    Effect.gen(function*() {
      const { ours, theirs } = yield* ends(Net.Socket)
      const way = new Way(ours)
      theirs.resetAndDestroy()
      yield* Effect.promise(async () => {
        const end = closed(ours)
        for (let i = 0; i < 1000 && !ours.destroyed; i++) {
          way.give(Buffer.from("is somebody there?"))
          await new Promise(setImmediate)
        }
        await end
      })
      way.give(Buffer.from("nobody"))
      assert.strictEqual(way.unsent(), 0)
    }))

  it.live("says of a write that fails what failed, as Node does", () =>
    Effect.gen(function*() {
      const { ours } = yield* ends(Net.Socket)
      const why: Array<NodeJS.ErrnoException> = []
      ours.on("error", (error) => why.push(error))
      const way = new Way(ours)
      way.give(Buffer.from("one"))
      const handle = (ours as unknown as { _handle: { writeBuffer: unknown } })._handle
      const end = closed(ours)
      handle.writeBuffer = () => -104
      way.give(Buffer.from("two"))
      yield* Effect.promise(() => end)
      assert.deepStrictEqual(why.map(({ code, message, syscall }) => ({ code, message, syscall })), [{ code: "ECONNRESET", message: "write ECONNRESET", syscall: "write" }])
      assert.strictEqual(way.unsent(), 0)
    }))

  it.live("leaves it to Node to write where what is below a socket is not as expected", () =>
    Effect.gen(function*() {
      const { ours, theirs } = yield* ends(Net.Socket)
      vi.resetModules()
      const fresh = yield* Effect.promise(() => import("../../src/Listener/Direct.ts"))
      // Requests that do not say whether they are under way.
      const handle = (ours as unknown as { _handle: { writeBuffer?: (request: object | null, bytes: Uint8Array) => number } })._handle
      const { writeBuffer } = handle
      const requests = yield* Effect.promise(() => new Promise<object>((resolve) => {
        handle.writeBuffer = (request, bytes) => {
          delete handle.writeBuffer
          resolve(request === null ? {} : Object.getPrototypeOf(request) as object)
          return writeBuffer!.call(handle, request, bytes)
        }
        ours.write(Buffer.from("none"))
      }))
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.defineProperty(requests, "getAsyncId", { value: undefined, configurable: true })),
        () => Effect.sync(() => Reflect.deleteProperty(requests, "getAsyncId"))
      )
      const reading = receives(theirs, 10)
      for (const text of ["one", "two"]) {
        const gone = yield* Effect.promise(() => new Promise((resolve) => {
          if (fresh.write(ours, Buffer.from(text), resolve)) resolve("at once")
        }))
        assert.notStrictEqual(gone, "at once")
      }
      assert.strictEqual((yield* Effect.promise(() => reading)).toString(), "noneonetwo")
    }))
})
