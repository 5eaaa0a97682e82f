/**
 * How a connection is let go: last bytes first, then the client's own end, each for a bounded time.
 * Knows nothing of what was said on it.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Connection } from "./Connection.ts"
import { Sleeper } from "./Sleeper.ts"

/** Let the last bytes go, then let the client close, discarding what it still says; both for a bounded time. */
export const bid = Effect.fnUntraced(function*(connection: Connection, patience: Duration.Input, linger: Duration.Input) {
  const sleeper = new Sleeper()
  connection.watch({ onStir: () => sleeper.wake() })
  connection.finish()
  const until = (done: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => {
      while (connection.take() instanceof Uint8Array) { /* it is too late for more */ }
      if (done() || connection.lost() !== undefined) return Effect.void
      if (connection.unsent() > 0) connection.ringWhenSent()
      return Effect.andThen(sleeper.sleep, until(done))
    })
  yield* Effect.timeoutOption(until(() => connection.unsent() === 0), patience)
  if (!connection.finished()) yield* Effect.timeoutOption(until(() => connection.finished()), linger)
})

/** Say some last words to a connection that gets no session, and let it go. */
export const dismiss = (connection: Connection, words: Uint8Array, patience: Duration.Input): Effect.Effect<void> =>
  Effect.suspend(() => {
    connection.give(words)
    return bid(connection, patience, patience)
  })
