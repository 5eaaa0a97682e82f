/**
 * The world written down from time to time, while it goes on, so that the next start need not begin before that. Knows nothing of what
 * is in it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Log } from "../Log.ts"
import type * as World from "../World.ts"

/** What has changed the world is written down after this long, even if it is little. */
const within = "1 hour"

/** How long the world is written down in one go, in nanoseconds, while others wait. */
const slice = 2_000_000n

export interface Options {
  /** After so many entries, as the settings have it now. */
  readonly every: () => number
  /** Entries since the world was written down last. */
  readonly unwritten: number
  /** The world as it is, and the sequence number of the last entry that was folded into it. */
  readonly now: () => { readonly world: World.World; readonly seq: number }
}

/** Write the world down in this log until the scope closes: to be called with how many entries were kept. */
export const make = Effect.fnUntraced(function*(
  log: Log["Service"],
  { every, now, unwritten: atFirst }: Options
): Effect.fn.Return<(entries: number) => void, never, Scope.Scope> {
  if (log.isFleeting === true) return () => {}
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  let unwritten = atFirst

  /** It is asked for again after as many entries, whatever comes of this. */
  const write: Effect.Effect<void> = Effect.gen(function*() {
    const { encode } = yield* Effect.promise(() => import("../World/Snapshot.ts"))
    const { seq, world } = now()
    let text = ""
    let part = clock.monotonicTimeNanosUnsafe()
    for (const line of encode(world)) {
      text += line
      if (clock.monotonicTimeNanosUnsafe() - part < slice) continue
      yield* Effect.yieldNow
      part = clock.monotonicTimeNanosUnsafe()
    }
    yield* log.keepSnapshot({ seq, world: text })
    unwritten = now().seq - seq
  }).pipe(Effect.catchCause((cause) => {
    unwritten = 0
    return Effect.logWarning("the world could not be written down; the next start takes longer", cause)
  }))

  const writeSoon = (): void => {
    unwritten = -Infinity
    Fiber.runIn(Effect.runForkWith(context)(write), scope)
  }

  // What is before it may be forgotten, which is not to wait for a busy day.
  yield* Effect.sync(() => {
    if (unwritten > 0) writeSoon()
  }).pipe(Effect.delay(within), Effect.forever, Effect.forkScoped)

  return (entries) => {
    unwritten += entries
    if (unwritten >= every()) writeSoon()
  }
})
