/**
 * What holds for every listener. Knows none of them.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Connection, nobody } from "../Connection.ts"
import type { Listener } from "../Listener.ts"
import { type Case, type ContractBroken, equal, expect } from "./Case.ts"

/** What a test can do from the other end of a listener. */
export interface Caller {
  readonly send: (text: string) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
  readonly reset: Effect.Effect<void>
  /** Once this much text, or more, was received. */
  readonly received: (length: number) => Effect.Effect<string>
  /** Once the server has closed. */
  readonly closed: Effect.Effect<void>
}

const arrival = (connection: Connection): Effect.Effect<Uint8Array | "ended" | "lost"> =>
  Effect.callback((resume) => {
    const look = () => {
      const taken = connection.take()
      if (taken === "nothing") return
      connection.watch(nobody)
      resume(Effect.succeed(taken instanceof Uint8Array ? Uint8Array.from(taken) : taken === "ended" ? taken : "lost"))
    }
    connection.watch({ onStir: look })
    look()
  })

const turnsOfLoop = (count: number): Effect.Effect<void> =>
  Effect.promise(async () => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
  })

const sentOf = (connection: Connection): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const look = () => {
      if (connection.unsent() === 0) resume(Effect.void)
      else connection.ringWhenSent()
    }
    connection.watch({ onStir: look })
    look()
  })

/** Take until so many bytes have come. */
const takeText = (connection: Connection, length: number): Effect.Effect<string> =>
  Effect.gen(function*() {
    let text = ""
    while (text.length < length) {
      const taken = yield* arrival(connection)
      if (!(taken instanceof Uint8Array)) break
      text += Buffer.from(taken).toString("latin1")
    }
    return text
  })

/** The cases of a listener; each is given a new one, and how to call it. */
export const listenerContract = <R>(
  fresh: Effect.Effect<{ readonly listener: Listener["Service"]; readonly call: Effect.Effect<Caller> }, never, R>
): ReadonlyArray<Case<R | Scope.Scope>> => {
  const withPair = (
    name: string,
    body: (connection: Connection, caller: Caller) => Effect.Effect<void, ContractBroken, Scope.Scope>
  ): Case<R | Scope.Scope> => ({
    name,
    run: Effect.gen(function*() {
      const { call, listener } = yield* fresh
      const accepted = yield* Effect.forkScoped(Stream.runHead(listener.connections.pipe(
        Stream.tap((connection) => Effect.addFinalizer(() => Effect.sync(() => connection.destroy())))
      )))
      const caller = yield* call
      const connection = Option.getOrThrow(yield* Fiber.join(accepted))
      yield* body(connection, caller)
    })
  })
  return [
    withPair("what has come can be looked at, and is still there to be taken", (connection, caller) =>
      Effect.gen(function*() {
        yield* equal("seen", connection.peek(), undefined)
        yield* caller.send("hello")
        while (connection.peek() === undefined) yield* turnsOfLoop(1)
        yield* equal("seen", Buffer.from(connection.peek()!).toString(), "hello".slice(0, connection.peek()!.length))
        yield* equal("taken", yield* takeText(connection, 5), "hello")
        yield* equal("seen", connection.peek(), undefined)
      })),
    withPair("what is sent can be taken, and what is given is received", (connection, caller) =>
      Effect.gen(function*() {
        yield* caller.send("hello")
        yield* equal("taken", yield* takeText(connection, 5), "hello")
        connection.give(Buffer.from("wor"))
        connection.give(Buffer.from("ld"))
        yield* equal("received", yield* caller.received(5), "world")
      })),
    withPair("bytes come in order, however they are cut", (connection, caller) =>
      Effect.gen(function*() {
        const text = Array.from({ length: 2000 }, (_, i) => `${i};`).join("")
        for (let i = 0; i < text.length; i += 97) yield* caller.send(text.slice(i, i + 97))
        yield* equal("taken", yield* takeText(connection, text.length), text)
      })),
    withPair("what nobody took when it came can be taken later, as it was", (connection, caller) =>
      Effect.gen(function*() {
        let rung = 0
        connection.watch({ onStir: () => void rung++ })
        for (let i = 1; i <= 26; i++) {
          const before = rung
          yield* caller.send(String.fromCharCode(64 + i).repeat(100))
          while (rung === before) yield* turnsOfLoop(1)
        }
        const text = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i).repeat(100)).join("")
        yield* equal("taken", yield* takeText(connection, text.length), text)
      })),
    withPair("what was lent is given as it was then", (connection, caller) =>
      Effect.gen(function*() {
        // Until the network takes no more, where it ever does: nobody reads meanwhile.
        let place = Buffer.alloc(4096)
        const sizes: Array<number> = []
        for (let left = 3; left > 0 && sizes.length < 5000;) {
          const size = place.length - sizes.length % 7
          const lent = place.subarray(0, size).fill(65 + sizes.length % 26)
          sizes.push(size)
          if (connection.lend === undefined) connection.give(Uint8Array.from(lent))
          else if (!connection.lend(lent)) {
            place = Buffer.alloc(4096)
            left--
          }
        }
        const text = sizes.map((size, i) => String.fromCharCode(65 + i % 26).repeat(size)).join("")
        yield* expect("received", (yield* caller.received(text.length)) === text)
      })),
    withPair("who ends its side can still be given bytes (row 11)", (connection, caller) =>
      Effect.gen(function*() {
        yield* caller.send("last")
        yield* caller.end
        yield* equal("taken", yield* takeText(connection, 4), "last")
        yield* equal("then the end", yield* arrival(connection), "ended")
        yield* expect("it is gone", connection.gone())
        connection.give(Buffer.from("answer"))
        connection.finish()
        yield* equal("received", yield* caller.received(6), "answer")
        yield* caller.closed
      })),
    withPair("a reset is a lost connection, and giving to it does no harm (row 19)", (connection, caller) =>
      Effect.gen(function*() {
        yield* caller.reset
        let taken = yield* arrival(connection)
        while (taken instanceof Uint8Array) taken = yield* arrival(connection)
        yield* equal("taken", taken, "lost")
        connection.give(Buffer.from("nobody hears this"))
        yield* equal("unsent", connection.unsent(), 0)
        connection.finish()
        connection.destroy()
        connection.destroy()
      })),
    withPair("a reset shows where nothing is taken, when it is looked for (row 19)", (connection, caller) =>
      Effect.gen(function*() {
        for (let i = 0; i < 16; i++) {
          yield* caller.send("x".repeat(60_000))
          // What is read without anybody asking is read meanwhile.
          yield* turnsOfLoop(20)
        }
        yield* caller.reset
        for (let i = 0; i < 20_000 && connection.lost() === undefined; i++) {
          connection.probe?.()
          yield* turnsOfLoop(1)
        }
        yield* expect("it is lost", connection.lost() !== undefined)
      })),
    withPair("destroying it lets go of what has not gone, and it is lost", (connection) =>
      Effect.gen(function*() {
        connection.give(Buffer.alloc(20_000_000, "x"))
        connection.destroy()
        yield* equal("unsent", connection.unsent(), 0)
        yield* equal("taken", yield* arrival(connection), "lost")
      })),
    withPair("the bell rings when everything given has gone", (connection, caller) =>
      Effect.gen(function*() {
        connection.give(Buffer.alloc(100_000, "x"))
        yield* Effect.all([sentOf(connection), caller.received(100_000)], { concurrency: 2 })
        yield* equal("unsent", connection.unsent(), 0)
      })),
    withPair("finishing ends the caller's input, destroying closes it", (connection, caller) =>
      Effect.gen(function*() {
        connection.give(Buffer.from("bye"))
        connection.finish()
        yield* equal("received", yield* caller.received(3), "bye")
        yield* caller.closed
        connection.destroy()
      }))
  ]
}
