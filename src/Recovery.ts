/**
 * What a server begins with: the world as its log has it, and those gone from it who were here when the last one ended.
 * Knows nobody who is to come.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Draft, type Log, LogError } from "./Log.ts"
import * as World from "./World.ts"

/**
 * That world, the sequence number it is at, and that at which it was written down last. `chance` names what this run keeps. It fails
 * when the log cannot be read, or nothing be kept in it.
 */
export const recover = Effect.fnUntraced(function*(log: Log["Service"], clock: Clock.Clock, chance: string) {
  const { entries, seq, snapshot } = yield* log.recover
  if (seq === 0) return { world: World.empty, seq, written: 0 }
  let world = World.empty
  if (snapshot !== undefined) {
    const { decode } = yield* Effect.promise(() => import("./World/Snapshot.ts"))
    const decoded = decode(snapshot.world)
    if (Result.isFailure(decoded)) {
      return yield* new LogError({ message: `the snapshot of entry ${snapshot.seq} cannot be read: ${decoded.failure}; restore a backup, or start in another folder` })
    }
    world = decoded.success
  }
  yield* Stream.runForEachArray(entries, (some) =>
    Effect.sync(() => {
      for (const { at, by, event } of some) world = World.evolve(world, by, event, at)
    }))
  const at = clock.currentTimeMillisUnsafe()
  const draft: Draft = {
    at,
    id: `${chance}${seq.toString(36)}.0`,
    by: `${chance}${seq.toString(36)}`,
    event: { _tag: "Restarted" },
    to: { rooms: World.leftBehind(world), sessions: [] }
  }
  const [kept] = yield* Effect.mapError(log.append([draft]), ({ cause, message }) =>
    new LogError({ message: `nothing can be kept: ${message}; make that possible and start again`, cause }))
  return { world: World.evolve(world, draft.by, draft.event, at), seq: kept!.seq, written: snapshot?.seq ?? 0 }
})
