/**
 * The house: connections are admitted, served each in a fiber of its own, and let out in order when the scope closes.
 * Knows nothing of what they say, nor where they come from.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Admission from "./Admission.ts"
import { Alarms } from "./Alarms.ts"
import type { Connection } from "./Connection.ts"
import type { Any, Heard, Hello, Stamp } from "./Dialect.ts"
import { auto } from "./Dialect/Auto.ts"
import { irc } from "./Dialect/Irc.ts"
import { json } from "./Dialect/Json.ts"
import { plain } from "./Dialect/Plain.ts"
import { raw } from "./Dialect/Raw.ts"
import { refusals } from "./Dialect/Strangers.ts"
import * as Farewell from "./Farewell.ts"
import * as Given from "./Given.ts"
import { Hub } from "./Hub.ts"
import { Listener } from "./Listener.ts"
import * as Measure from "./Measure.ts"
import type { Rate } from "./Rate.ts"
import * as Session from "./Session.ts"
import * as Text from "./Text.ts"

/** The dialects there are, by name. */
export const dialects = { auto: auto({ text: plain, json, irc }), raw, plain, json, irc } as const

/** What connections speak on which it was agreed. */
const agreed = { json, irc, either: auto({ text: json, json, irc }) } as const

/** How a server is run. */
export interface Options extends Admission.Options {
  /** What is spoken: one of `dialects`, or one of your own. */
  readonly dialect: keyof typeof dialects | Any
  /** Whether people hear what they say themselves; `undefined` leaves it to the dialect. */
  readonly echo: boolean | undefined
  /** Commands a session may ask for; `undefined` for any number. */
  readonly rate: Rate | undefined
  /** Bytes that may wait for all clients together: when there are more, those go for whom most waits, and nobody comes in. */
  readonly maxUnsent: number
  /** How long clients have to take their last bytes when the server closes. */
  readonly grace: Duration.Input
}

/** What holds of the options that are not given. */
export const defaults: Options = {
  maxClients: 10_000,
  backlog: 5,
  dialect: "auto",
  echo: undefined,
  rate: { burst: 10, perSecond: 2 },
  maxUnsent: 256_000_000,
  grace: "10 seconds"
}

/** All options: no rate is another thing than none given. */
export const complete = (given: Given.Given<Options>): Options => ({
  ...Given.complete(defaults, given),
  ...("rate" in given ? { rate: given.rate } : {})
})

/** The event loop is looked at this often, and complained of when it is late by more than this, in milliseconds. */
const lookEvery = 500
const tooLate = 250

/** How long somebody who was turned away may take to read why. */
const linger = "1 second"

/** Whoever waits for a seat is told so. */
const waits = { _tag: "Waiting", reason: "the server is full; you come in as soon as somebody leaves" } as const

const tooSoon = "the server is full, and you ended before a seat was free; try again later"

const outside: Stamp = { seq: 0, at: 0, id: "", mine: false }

/**
 * How whoever has no seat is told something, in the words of what they speak. Where that is not known yet they are told nothing, but
 * for why they are let go.
 */
const outsideWords = (connection: Connection, dialect: Any, hello: Hello, event: Heard): Uint8Array => {
  const opened = dialect.open({ ...hello, address: connection.peer.address })
  const said = connection.peek()
  const wasSilent = event._tag === "Closing" || (connection.silentFor ?? 0) >= (dialect.patience(opened.state) ?? Infinity)
  const { state } = said !== undefined ? dialect.receive(opened.state, said) : wasSilent ? dialect.silence(opened.state) : opened
  return dialect.tell(state, event, outside).bytes
}

/** A server that is running: it serves the connections of the `Listener`, each by a session at the `Hub`. */
export class ChatServer extends Context.Service<ChatServer, {
  /** Where people can come in: `127.0.0.1:8000`. */
  readonly address: string
  /** The port of the address. */
  readonly port: number
  /** Connections now, in seats, waiting, or being let out. */
  readonly connections: Effect.Effect<number>
  /** Whether newcomers are taken in. */
  readonly ready: Effect.Effect<boolean>
}>()("effect-chat/ChatServer") {
  /** Serve until the scope closes. */
  static readonly make = (
    options: Given.Given<Options> = {}
  ): Effect.Effect<ChatServer["Service"], never, Listener | Hub | Scope.Scope> => make(complete(options))
  /** Serve until the layer's scope closes. */
  static readonly layer = (options: Given.Given<Options> = {}): Layer.Layer<ChatServer, never, Listener | Hub> =>
    Layer.effect(ChatServer, ChatServer.make(options))
}

const make = Effect.fnUntraced(function*(options: Options) {
  const listener = yield* Listener
  const hub = yield* Hub
  const admission = yield* Admission.make(options)
  // Every connection is let go by the fiber that serves it; this is for those whose fiber never began.
  const open = yield* Effect.acquireRelease(
    Effect.sync(() => new Set<Connection>()),
    (open) =>
      Effect.sync(() => {
        for (const connection of open) connection.destroy()
        open.clear()
      })
  )
  // Closed after the sessions, who may wait until they are gone.
  const alarms = yield* Alarms.make
  const sessions = yield* FiberSet.make<unknown>()
  const begin = yield* FiberSet.runtime(sessions)<never>()
  const seated = new Set<Session.Seated>()
  let closing: string | undefined
  /** More waited for the clients than may, when that was looked at last. */
  let overfull = false
  /** The listener has ended or failed. */
  let deaf = false
  /** Whether it was told once that somebody tried TLS. */
  let spokeTls = false
  const dialect: Any = typeof options.dialect === "string" ? dialects[options.dialect] : options.dialect
  const traced = (yield* Tracer.Tracer) !== Tracer.nativeTracer
  const context = yield* Effect.context<never>()
  const sessionOptions: Session.Options = {
    hello: { server: hub.server, echo: options.echo },
    rate: options.rate,
    seated,
    closing: () => closing,
    traced,
    logged: LogLevel.isLessThanOrEqualTo(yield* References.MinimumLogLevel, "Info"),
    alarms,
    context
  }

  const spokenOn = ({ speaks }: Connection): Any => speaks === undefined ? dialect : agreed[speaks]

  const inWords = (connection: Connection, event: Heard): Uint8Array => outsideWords(connection, spokenOn(connection), sessionOptions.hello, event)

  const dismiss = (connection: Connection, reason: string): Effect.Effect<void> =>
    Effect.suspend(() => Farewell.dismiss(connection, inWords(connection, { _tag: "Closing", reason }), linger))

  const turnAway = Effect.fnUntraced(function*(connection: Connection, { line, reason }: Admission.Refusal) {
    yield* Metric.update(Metric.withAttributes(Measure.refused, { reason }), 1)
    yield* Effect.logInfo("refused").pipe(Effect.annotateLogs({ address: connection.peer.address, reason }))
    yield* dismiss(connection, line)
  })

  /** Who leaves before a seat is free may only have said all there is to say, and be told so. */
  const away = (connection: Connection, why: Admission.Refusal | Admission.Left): Effect.Effect<void> => {
    const outcome = why._tag === "Left" ? "left" : "refused"
    const counted = Metric.update(Metric.withAttributes(Measure.connectionsTotal, { outcome, dialect: "none" }), 1)
    return Effect.andThen(counted, why._tag === "Left" ? dismiss(connection, tooSoon) : turnAway(connection, why))
  }

  const serve = (connection: Connection): Effect.Effect<unknown> => {
    open.add(connection)
    const talk: Effect.Effect<unknown> = Session.run(hub, connection, spokenOn(connection), sessionOptions, (how, exit) => ended(connection, how, exit))
    const served = Effect.ensuring(
      admission.within(connection, talk, (why) => away(connection, why), () => connection.give(inWords(connection, waits))),
      Effect.sync(() => {
        open.delete(connection)
        connection.destroy()
      })
    )
    const { address } = connection.peer
    return traced ? Effect.withSpan(served, "chat.connection", { attributes: { address } }) : served
  }

  const ended = Effect.fnUntraced(function*(
    { peer: { address } }: Connection,
    { dialect, how, reason, session }: Session.Ended,
    exit: Exit.Exit<void>
  ) {
    const broken = Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
    if (broken) yield* Effect.annotateLogs(Effect.logError("a session failed", exit.cause), { session })
    if (!spokeTls && reason === refusals.tls.reason) {
      spokeTls = true
      yield* Effect.logWarning("a client began with TLS, which is not spoken here; put a proxy in front that ends it, or tell clients to leave it off")
    }
    yield* Metric.update(Metric.withAttributes(Measure.connectionsTotal, { outcome: "served", dialect }), 1)
    yield* Metric.update(Metric.withAttributes(Measure.disconnects, { reason: how }), 1)
    yield* Effect.logInfo("disconnected").pipe(
      Effect.annotateLogs({ address, session, dialect, how, reason: broken ? "failed" : Text.printable(reason) })
    )
  })

  /** Let those go for whom most waits, until no more waits than may: how many that were. */
  const shed = (unsent: number): number => {
    const waiting = Array.from(seated, (session) => ({ session, unsent: session.unsent() })).sort((a, b) => b.unsent - a.unsent)
    let left = unsent
    let count = 0
    for (; count < waiting.length && left > options.maxUnsent; count++) {
      left -= waiting[count]!.unsent
      waiting[count]!.session.shed()
    }
    return count
  }

  const watchLoop = Effect.gen(function*() {
    const before = yield* Clock.monotonicTimeNanos
    yield* Effect.sleep(lookEvery)
    const late = Math.max(0, Number((yield* Clock.monotonicTimeNanos) - before) / 1e6 - lookEvery)
    yield* Metric.update(Measure.lag, late / 1000)
    let unsent = 0
    for (const connection of open) {
      unsent += connection.unsent()
      connection.probe?.()
    }
    yield* Metric.update(Measure.sendQueue, unsent)
    overfull = unsent > options.maxUnsent
    admission.hold(overfull)
    if (overfull) yield* Effect.logWarning(`${unsent} bytes wait to be sent, and ${shed(unsent)} who do not read were let go`)
    if (late > tooLate) yield* Effect.logWarning(`the event loop was ${Math.round(late)} ms late`)
  })

  yield* Effect.forkScoped(Effect.forever(watchLoop))

  // Closing runs upwards from here: no newcomers, then a goodbye and a bounded wait, then whoever is left is interrupted.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      yield* admission.close
      closing = "the server is closing"
      // Who came and was not taken in yet is told at the door.
      for (const connection of yield* listener.untaken ?? Effect.succeed([])) begin(serve(connection))
      // What is held back is told to all alike; of who leaves from now on nobody needs to be told, for all do.
      const upTo = yield* hub.settle
      for (const session of seated) session.close(closing, upTo)
      yield* Effect.timeoutOption(Effect.interruptible(FiberSet.awaitEmpty(sessions)), options.grace)
    })
  )
  yield* listener.connections.pipe(
    Stream.runForEachArray((connections) =>
      Effect.sync(() => {
        for (const connection of connections) begin(serve(connection))
      })
    ),
    Effect.onExit((exit) => {
      deaf = true
      return Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
        ? Effect.void
        : Effect.logError("no connection is taken in any more, for the listener failed", exit.cause)
    }),
    Effect.forkScoped
  )

  return ChatServer.of({
    address: listener.address,
    port: listener.port,
    connections: Effect.sync(() => open.size),
    ready: Effect.sync(() => closing === undefined && !overfull && !deaf)
  })
})
