/** Folders for the tests of logs, what is put into them, and processes that use them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Entry } from "../../src/Event.ts"
import type { Draft, Log, LogError, Page } from "../../src/Log.ts"

/** An empty folder, until the scope closes. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-chat-log-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Something said in a room. */
export const said = (room: string, text: string, at = 1_700_000_000_000): Draft => ({
  at,
  id: `${room}-${text}`,
  by: "s1",
  event: { _tag: "Said", room, nick: "ana", text, kind: "message" },
  to: room
})

/** Everything that a log has of a room. */
export const everythingIn = (log: Log["Service"], room: string): Effect.Effect<Page, LogError> =>
  log.read({ room, after: undefined, before: undefined, limit: 10_000, messages: false })

/** What was said in these entries. */
export const textsOf = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> => entries.map(({ event }) => event._tag === "Said" ? event.text : event._tag)

/** Why something failed; nothing when it did not. */
export const failure = <A, R>(effect: Effect.Effect<A, LogError, R>): Effect.Effect<string | undefined, never, R> =>
  Effect.match(effect, { onFailure: ({ message }) => message, onSuccess: () => undefined })

/** A process that has the log of a folder open, until the scope closes. */
export const holder = Effect.fnUntraced(function*(folder: string, environment: Readonly<Record<string, string>> = {}) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [join(import.meta.dirname, "holder.ts"), folder], { env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "inherit"] })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const heard = Effect.promise(async () => JSON.parse((await lines.next()).value ?? "{}") as Record<string, unknown>)
  return {
    opened: yield* heard,
    /** Say something; what came of it is heard. */
    say: (text: string) => Effect.sync(() => void child.stdin.write(`${text}\n`)),
    heard,
    kill: Effect.callback<void>((resume) => {
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
  }
})
