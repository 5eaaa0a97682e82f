/**
 * What holds for every adapter of a port, as cases that any test runner can run.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Connection } from "../Connection.ts"
import type { Fact } from "../Event.ts"
import type { Listener } from "../Listener.ts"
import type { Draft, Log } from "../Log.ts"

/** An adapter does not do what its port promises. */
export class ContractBroken extends Data.TaggedError("ContractBroken")<{ readonly message: string }> {}

export interface Case<R> {
  readonly name: string
  readonly run: Effect.Effect<void, ContractBroken, R>
}

const expect = (what: string, holds: boolean): Effect.Effect<void, ContractBroken> =>
  holds ? Effect.void : Effect.fail(new ContractBroken({ message: what }))

const equal = (what: string, actual: unknown, expected: unknown): Effect.Effect<void, ContractBroken> =>
  expect(
    `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`,
    JSON.stringify(actual) === JSON.stringify(expected)
  )

// --- Log -----------------------------------------------------------------------------------------------------------

const said = (room: string, text: string): Draft => ({
  at: 1_700_000_000_000,
  id: `${room}-${text}`,
  by: "s1",
  event: { _tag: "Said", room, nick: "ana", text, kind: "message" },
  to: room
})

const joined = (room: string, nick: string): Draft => ({ ...said(room, nick), id: `j-${nick}`, event: { _tag: "Joined", room, nick } })

const textOf = (event: Fact): string => event._tag === "Said" ? event.text : event._tag

const all = { after: undefined, before: undefined, limit: 1000, messages: false } as const

/** The cases of a log that remembers at least 50 entries of each kind in a room; each is given a new, empty one. */
export const logContract = <R>(fresh: Effect.Effect<Log["Service"], never, R>): ReadonlyArray<Case<R>> => {
  const withLog = (name: string, body: (log: Log["Service"]) => Effect.Effect<void, unknown>): Case<R> => ({
    name,
    run: Effect.flatMap(fresh, body).pipe(
      Effect.mapError((error) => error instanceof ContractBroken ? error : new ContractBroken({ message: String(error) }))
    )
  })
  return [
    withLog("entries come back in the order of the drafts, with growing sequence numbers", (log) =>
      Effect.gen(function*() {
        const first = yield* log.append([said("a", "1"), said("b", "2"), said("a", "3")])
        const second = yield* log.append([said("a", "4")])
        const entries = [...first, ...second]
        yield* equal("texts", entries.map(({ event }) => textOf(event)), ["1", "2", "3", "4"])
        yield* expect("sequence numbers grow", entries.every(({ seq }, i) => i === 0 || seq > entries[i - 1]!.seq))
        yield* expect("sequence numbers are positive", entries[0]!.seq > 0)
        yield* equal("the rest of an entry is the draft's", { ...entries[0], seq: 0 }, {
          seq: 0,
          at: said("a", "1").at,
          id: "a-1",
          by: "s1",
          event: said("a", "1").event
        })
      })),
    withLog("an appended entry can be read at once, in its room only", (log) =>
      Effect.gen(function*() {
        yield* log.append([said("a", "1"), said("b", "2")])
        const page = yield* log.read({ ...all, room: "a" })
        yield* equal("texts", page.entries.map(({ event }) => textOf(event)), ["1"])
        yield* expect("complete", page.complete)
      })),
    withLog("after and before are exclusive, and the last of what is asked for is given", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(Array.from({ length: 10 }, (_, i) => said("a", String(i))))
        const texts = (after?: number, before?: number, limit = 100) =>
          Effect.map(
            log.read({
              room: "a",
              messages: false,
              limit,
              after: after === undefined ? undefined : entries[after]!.seq,
              before: before === undefined ? undefined : entries[before]!.seq
            }),
            (page) => page.entries.map(({ event }) => textOf(event)).join("")
          )
        yield* equal("after", yield* texts(6), "789")
        yield* equal("before", yield* texts(undefined, 3), "012")
        yield* equal("between", yield* texts(2, 6), "345")
        yield* equal("limit", yield* texts(undefined, undefined, 3), "789")
        yield* equal("limit before", yield* texts(undefined, 5, 2), "34")
        yield* equal("nothing after the last", yield* texts(9), "")
      })),
    withLog("what more was asked for than the limit is said not to be complete", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(Array.from({ length: 10 }, (_, i) => said("a", String(i))))
        const after = entries[1]!.seq
        yield* expect("all of it", (yield* log.read({ ...all, room: "a", after })).complete)
        yield* expect("part of it", !(yield* log.read({ ...all, room: "a", after, limit: 3 })).complete)
      })),
    withLog("messages can be read without who came and went", (log) =>
      Effect.gen(function*() {
        yield* log.append([joined("a", "bo"), said("a", "1"), joined("a", "cy"), said("a", "2")])
        const page = yield* log.read({ ...all, room: "a", messages: true })
        yield* equal("messages", page.entries.map(({ event }) => textOf(event)), ["1", "2"])
        const whole = yield* log.read({ ...all, room: "a" })
        yield* equal("everything", whole.entries.map(({ event }) => textOf(event)), ["Joined", "1", "Joined", "2"])
      })),
    withLog("an entry heard in several rooms is in the history of each", (log) =>
      Effect.gen(function*() {
        const renamed: Draft = {
          ...said("a", "x"),
          event: { _tag: "Renamed", nick: "ana", to: "bo" },
          to: { rooms: ["a", "b"], sessions: ["s1"] }
        }
        yield* log.append([renamed])
        for (const room of ["a", "b"]) {
          const page = yield* log.read({ ...all, room })
          yield* equal(`in ${room}`, page.entries.map(({ event }) => event._tag), ["Renamed"])
        }
      })),
    withLog("a room nobody spoke in is empty and complete", (log) =>
      Effect.gen(function*() {
        yield* equal("page", yield* log.read({ ...all, room: "nowhere" }), { entries: [], complete: true })
      })),
    withLog("the epoch has a name", (log) => expect("not empty", log.epoch.length > 0))
  ]
}

// --- Listener ------------------------------------------------------------------------------------------------------

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
      connection.watch(() => {})
      resume(Effect.succeed(taken instanceof Uint8Array || taken === "ended" ? taken : "lost"))
    }
    connection.watch(look)
    look()
  })

const sentOf = (connection: Connection): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const look = () => {
      if (connection.unsent() === 0) resume(Effect.void)
      else connection.ringWhenSent()
    }
    connection.watch(look)
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
    withPair("who ends its side can still be given bytes (SURVIVE row 11)", (connection, caller) =>
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
    withPair("a reset is a lost connection, and giving to it does no harm (SURVIVE row 19)", (connection, caller) =>
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
