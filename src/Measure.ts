/**
 * What is counted, by the names that Prometheus users expect. Counted per turn and per session, never per delivery.
 * Knows nothing of how it is exported; a host's metric registry gets it all.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Entry } from "./Event.ts"

const seconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

const counter = (name: string, description: string, attributes: Record<string, string> = {}) =>
  Metric.counter(name, { description, incremental: true, attributes })

const connections = Metric.gauge("chat_connections", { description: "Sessions now, by dialect" })
const byDialect = new Map<string, Metric.Gauge<number>>()

/** Sessions now that speak this dialect. */
export const sessionsOf = (dialect: string): Metric.Gauge<number> => {
  let found = byDialect.get(dialect)
  if (found === undefined) byDialect.set(dialect, found = Metric.withAttributes(connections, { dialect }) as Metric.Gauge<number>)
  return found
}

export const connectionsTotal = counter("chat_connections_total", "Connections accepted, by dialect and outcome")
export const disconnects = counter("chat_disconnects_total", "Sessions ended, by reason")
export const refused = counter("chat_refused_total", "Connections refused, lines not understood and commands not granted, by reason")
const refusedBy = new Map<string, Metric.Counter<number>>()

/** What was refused for this reason, which is one of a few. */
export const refusedFor = (reason: string): Metric.Counter<number> => {
  let found = refusedBy.get(reason)
  if (found === undefined) refusedBy.set(reason, found = Metric.withAttributes(refused, { reason }) as Metric.Counter<number>)
  return found
}
export const waiting = Metric.gauge("chat_waiting", { description: "Connections in the waiting room" })
export const lag = Metric.gauge("chat_eventloop_lag_seconds", { description: "How late the event loop last was" })
export const sendQueue = Metric.gauge("chat_send_queue_bytes", { description: "Bytes given to connections and not yet sent" })
export const build = Metric.gauge("chat_build_info", { description: "Always 1; the version is an attribute" })
const entriesOf = (kind: string) => counter("chat_messages_total", "Entries kept, by kind", { kind })
const deliveries = counter("chat_deliveries_total", "Entries published, times those who hear them")
const delivery = Metric.histogram("chat_delivery_seconds", {
  description: "From when the first bytes of what a turn does came to its last delivery, once a turn",
  boundaries: seconds
})
const append = Metric.histogram("chat_log_append_seconds", { description: "Time to keep one batch, where that has to be waited for", boundaries: seconds })
const rooms = Metric.gauge("chat_rooms", { description: "Rooms that somebody hears" })

const messages = {
  said: entriesOf("said"),
  passed: entriesOf("passed"),
  whispered: entriesOf("whispered"),
  presence: entriesOf("presence")
} as const

const kindOf = (entry: Entry): keyof typeof messages =>
  entry.event._tag === "Said"
    ? "said"
    : entry.event._tag === "Passed"
    ? "passed"
    : entry.event._tag === "Whispered"
    ? "whispered"
    : "presence"

/** The hub's own counting, without effects, because it is done in the middle of a turn. */
export const hub = (context: Context.Context<never>) => {
  return {
    turn: (entries: ReadonlyArray<Entry>): void => {
      // Mostly all of a turn is of one kind.
      let counted = 0
      for (let i = 1; i <= entries.length; i++) {
        const kind = kindOf(entries[i - 1]!)
        if (i < entries.length && kindOf(entries[i]!) === kind) continue
        messages[kind].updateUnsafe(i - counted, context)
        counted = i
      }
    },
    delivered: (count: number, live: number, nanos: number): void => {
      deliveries.updateUnsafe(count, context)
      rooms.updateUnsafe(live, context)
      delivery.updateUnsafe(nanos / 1e9, context)
    },
    /** The code says why, where there is one. */
    notGranted: (code = "command"): void => refusedFor(code).updateUnsafe(1, context),
    appended: (nanos: number): void => append.updateUnsafe(nanos / 1e9, context),
    failed: (cause: unknown): void => {
      Effect.runForkWith(context)(Effect.logError("a turn of the hub failed", cause))
    }
  }
}

/** Why a session or a connection ended, as a metric's attribute: a few words, never what somebody typed. */
export type Ending = "quit" | "ended" | "lost" | "closed" | "removed" | "stuck" | "shutdown" | "interrupted"
