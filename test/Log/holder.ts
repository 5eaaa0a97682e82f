/**
 * A process that has a log open, for the tests that kill it or break its disk. Appends each line it is given as a message, and
 * says of each what came of it.
 */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { createInterface } from "node:readline"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { said } from "./folders.ts"

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)

const program = Effect.gen(function*() {
  const log = yield* Sqlite.make({ folder: process.argv[2]! })
  say({ epoch: log.epoch, pid: process.pid })
  const lines = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), (cause) => cause)
  yield* Stream.runForEach(lines, (text) =>
    log.append([said("den", text)]).pipe(
      Effect.match({ onFailure: ({ message }) => ({ text, message }), onSuccess: ([entry]) => ({ text, seq: entry!.seq }) }),
      Effect.map(say)
    ))
}).pipe(Effect.scoped, Effect.provide(Logger.layer([])), Effect.catch((error) => Effect.sync(() => say({ message: String((error as Error).message) }))))

await Effect.runPromise(program)
