/**
 * The log that is kept in a folder, by SQLite in threads of its own: one writes, others read, so that neither the disk nor a
 * question stops the event loop. An entry is in hand only when it is on the disk.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Entry } from "../Event.ts"
import { type Draft, kept, Log, type LogError, newEpoch } from "../Log.ts"
import * as Name from "../Name.ts"
import { everything, pageOf, written } from "./Sqlite/Passing.ts"
import { Thread } from "./Sqlite/Thread.ts"

export { backup, found, lines, restore } from "./Sqlite/Upkeep.ts"

/** Where a log is kept, and for how long. */
export interface Options {
  /** Made when it is not there. One server at a time can use it. */
  readonly folder: string
  /** Entries older than this are cut, in milliseconds; none for ever. */
  readonly retain?: number | undefined
  /** The oldest entries are cut when the log takes more bytes than this, its index for searching aside. */
  readonly retainSize?: number | undefined
}

/** How often it is tried to write while that does not work, and looked for what is too old. */
const tryEvery = "1 second"
const tidyEvery = "1 minute"

/** So long after something was kept its words are put where they can be found. */
const indexAfter = "1 second"

/** Between two goes at what nobody waits for, when nothing is being kept and while something is. */
const breath = "25 millis"
const longBreath = "250 millis"

/** The log of a folder, until the scope closes. Fails, with what to do about it, where the folder cannot be used. */
export const make = Effect.fnUntraced(function*(
  { folder, retain, retainSize }: Options
): Effect.fn.Return<Log["Service"], LogError, Scope.Scope> {
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const writer = yield* Thread.make("writer", { folder, epoch: yield* newEpoch, retain, retainSize })
  const reader = yield* Thread.make("reader", { folder })
  writer.begin()
  reader.begin()
  const { epoch, last } = yield* writer.ask("about", undefined)
  const finder = yield* Thread.make("finder", { folder })
  /** The last number that was given to an entry, be it kept or not. */
  let given = last
  let wrote = true
  /** How often it was not. */
  let failures = 0

  const inBackground = (effect: Effect.Effect<void>): void => {
    Fiber.runIn(Effect.runForkWith(context)(effect), scope)
  }

  // --- what nobody waits for -----------------------------------------------------------------------------------------

  /**
   * Say that nothing can be kept, and try to write until it works: one at a time, so that whoever runs the server reads each once.
   * On a disk that is nearly full there may be room for what is tried and none for what is said, so it works when both do.
   */
  let recovering = false
  const recover = Effect.fnUntraced(function*(why: string) {
    yield* Effect.logError(`nothing can be kept in ${folder}, and what is said is refused: ${why}; it is tried again each second`)
    let before: number
    do {
      before = failures
      yield* Effect.sleep(tryEvery)
      wrote ||= (yield* Effect.option(writer.ask("probe", undefined)))._tag === "Some"
    } while (!wrote || failures > before)
    recovering = false
    yield* Effect.logInfo(`what is said is kept in ${folder} again`)
  })

  let tidying = false
  const tidy = Effect.gen(function*() {
    if (tidying) return
    tidying = true
    while (yield* Effect.orElseSucceed(writer.ask("tidy", { now: yield* Clock.currentTimeMillis }), () => false)) {
      yield* Effect.yieldNow
    }
    tidying = false
  })
  if (retain !== undefined || retainSize !== undefined) inBackground(Effect.forever(Effect.andThen(tidy, Effect.sleep(tidyEvery))))

  /** Something was kept that the index may not know, and somebody sees to that: one at a time. */
  let unindexed = false
  let following = false
  const follow = Effect.gen(function*() {
    do {
      yield* Effect.sleep(indexAfter)
      unindexed = false
      while (yield* Effect.orElseSucceed(finder.ask("follow", undefined), () => false)) {
        yield* Effect.sleep(unindexed ? longBreath : breath)
        unindexed = false
      }
    } while (unindexed)
    following = false
  })
  const behind = (): void => {
    unindexed = true
    if (following) return
    following = true
    inBackground(follow)
  }
  behind()

  // --- the service ---------------------------------------------------------------------------------------------------

  const append = (drafts: ReadonlyArray<Draft>): Effect.Effect<ReadonlyArray<Entry>, LogError> =>
    Effect.callback((resume) => {
      const first = given + 1
      given += drafts.length
      writer.tell("append", { first, drafts: written(drafts) }, (answer) => {
        if ("error" in answer) {
          wrote = false
          failures++
          if (!recovering) {
            recovering = true
            inBackground(recover(answer.error.message))
          }
          return resume(Effect.fail(answer.error))
        }
        wrote = true
        resume(Effect.succeed(entries))
        if (answer.value && !tidying) inBackground(tidy)
        behind()
      })
      // Made while the disk is at work.
      const entries = drafts.map((draft, i) => kept(draft, first + i))
    })

  return Log.of({
    epoch,
    append,
    read: (query) => Effect.flatMap(reader.ask("read", { ...query, room: Name.key(query.room) }), pageOf),
    search: (wanted) => Effect.flatMap(finder.ask("find", { ...wanted, rooms: wanted.rooms.map(Name.key) }), pageOf),
    recover: Effect.gen(function*() {
      const { last } = yield* reader.ask("about", undefined)
      const snapshot = yield* reader.ask("snapshot", undefined)
      return { seq: Math.max(last, given), snapshot, entries: everything(reader, snapshot?.seq ?? 0, last) }
    }),
    keepSnapshot: (snapshot) => writer.ask("keepSnapshot", snapshot),
    writes: Effect.sync(() => wrote)
  })
})

/** The log of a folder as a layer. */
export const layer = (options: Options): Layer.Layer<Log, LogError> => Layer.effect(Log, make(options))
