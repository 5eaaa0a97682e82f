/**
 * A log that outlives the server, without a disk: what one house appended, the next one recovers. For what must hold of any
 * durable log and of the hub on top of it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Entry } from "../src/Event.ts"
import { type Draft, Log, type Snapshot } from "../src/Log.ts"

export interface Kept {
  /** The log for the next house; the one before is dead, and whatever it still appends is lost. */
  readonly layer: Layer.Layer<Log>
  /** The house of now dies as by `kill -9`. */
  readonly crash: () => void
  /** All that is kept happened so many milliseconds earlier. */
  readonly age: (by: number) => void
  readonly entries: Array<Entry>
  readonly drafts: Array<Draft>
  snapshots: Array<Snapshot>
}

export const make = (epoch = "e1"): Kept => {
  let generation = 0
  const kept: Kept = {
    entries: [],
    drafts: [],
    snapshots: [],
    crash: () => {
      generation++
    },
    age: (by) => {
      for (const [i, entry] of kept.entries.entries()) kept.entries[i] = { ...entry, at: entry.at - by }
    },
    layer: Layer.effect(Log, Effect.gen(function*() {
      const own = ++generation
      const memory = Context.get(yield* Layer.build(Log.layerMemory({ history: 100_000 })), Log)
      if (kept.drafts.length > 0) yield* Effect.orDie(memory.append(kept.drafts))
      const snapshot = kept.snapshots.at(-1)
      return Log.of({
        ...memory,
        epoch,
        isFleeting: false,
        append: (drafts) =>
          Effect.tap(memory.append(drafts), (entries) =>
            Effect.sync(() => {
              if (own !== generation) return
              kept.drafts.push(...drafts)
              kept.entries.push(...entries)
            })),
        recover: Effect.succeed({
          seq: kept.entries.length,
          snapshot,
          entries: Stream.fromIterable(kept.entries.slice(snapshot?.seq ?? 0))
        }),
        keepSnapshot: (snapshot) => Effect.sync(() => void (own === generation && kept.snapshots.push(snapshot)))
      })
    }))
  }
  return kept
}
