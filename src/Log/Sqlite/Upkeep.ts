/**
 * What is done with a log's folder from outside, while a server uses it or none does: backups, what is made of them, all of it as
 * text, and searching it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type LogError, newEpoch, type Page } from "../../Log.ts"
import * as Name from "../../Name.ts"
import { pageOf, slice } from "./Passing.ts"
import { Thread } from "./Thread.ts"

/** Copy the log of a folder, as it is now, to a file that is not there yet. */
export const backup = (folder: string, file: string): Effect.Effect<void, LogError> =>
  Effect.scoped(Effect.flatMap(Thread.make("keeper", {}), (keeper) => keeper.ask("backup", { folder, file })))

/**
 * Make a folder that has no log yet of a backup. What happens there from then on is not what happened where the backup was made,
 * so it has another epoch, and who resumes is told so.
 */
export const restore = (file: string, folder: string): Effect.Effect<void, LogError> =>
  Effect.scoped(Effect.gen(function*() {
    const keeper = yield* Thread.make("keeper", {})
    yield* keeper.ask("restore", { folder, file, epoch: yield* newEpoch })
  }))

/** Every entry of a folder in order as it is now, each as JSON on a line: an encoded `Entry`. */
export const lines = (folder: string): Stream.Stream<string, LogError> =>
  Stream.unwrap(Effect.gen(function*() {
    const reader = yield* Thread.make("reader", { folder })
    const { last } = yield* reader.ask("about", undefined)
    return Stream.paginate(0, (after) =>
      Effect.map(reader.ask("lines", { after, upTo: last, limit: slice }), ({ lines, next }) => [lines, Option.fromUndefinedOr(next)]))
  }))

/** The last that was said with all of these words in it, in any of these rooms or in whatever room, however long that takes. */
export const found = (
  folder: string,
  wanted: { readonly words: string; readonly limit: number; readonly rooms?: ReadonlyArray<string> }
): Effect.Effect<Page, LogError> =>
  Effect.scoped(Effect.gen(function*() {
    const finder = yield* Thread.make("finder", { folder })
    // Where no server has made the index yet it takes a while.
    while (yield* finder.ask("follow", undefined)) { /* until all that is kept is in it */ }
    return yield* pageOf(yield* finder.ask("find", { ...wanted, everything: true, rooms: wanted.rooms?.map(Name.key) }))
  }))
