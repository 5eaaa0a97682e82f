/**
 * Programs that people talk to the server with, in terminals that a test can type into and look at.
 * Where a tool is missing its suite is left out, in one line; under CI that is a failure.
 */
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { writeSync } from "node:fs"
import { join } from "node:path"
import { folder } from "./clients.ts"
import { eventually } from "./support.ts"

const installed = (tool: string): boolean => spawnSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" }).status === 0

/** Whether a suite is left out because one of its tools is missing, which is said; under CI it may not be. */
export const leftOut = (suite: string, ...tools: ReadonlyArray<string>): boolean => {
  const missing = tools.find((tool) => !installed(tool))
  if (missing === undefined) return false
  const line = `left out: ${suite}: ${missing} is not installed`
  if ((process.env["CI"] ?? "") !== "") throw new Error(line)
  writeSync(1, `${line}\n`)
  return true
}

/** A terminal: what is typed into it, and what it shows. */
export interface Terminal {
  readonly types: (line: string) => Effect.Effect<void>
  /** Keys by tmux's names for them, such as C-d. */
  readonly presses: (...keys: ReadonlyArray<string>) => Effect.Effect<void>
  readonly shows: (wanted: string | RegExp) => Effect.Effect<void>
  /** Type a line again and again until this is shown: a program that has only just started may lose what is typed. */
  readonly typesUntil: (line: string, wanted: string | RegExp) => Effect.Effect<void>
  readonly screen: () => string
}

/** A terminal in which this command runs, for as long as the test lasts; it stays to be looked at when the command has ended. */
export const terminal = (command: string) =>
  Effect.gen(function*() {
    // A tmux of our own, so that the person's is left alone.
    const place = join(yield* folder, "tmux")
    const tmux = (...args: ReadonlyArray<string>) => execFileSync("tmux", ["-S", place, "-f", "/dev/null", ...args], { encoding: "utf8" })
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        tmux("new-session", "-d", "-x", "160", "-y", "50", `${command}; printf '[ended with %d]\\n' $?; exec cat`, ";", "set", "-g", "status", "off")
      ),
      () => Effect.sync(() => tmux("kill-server"))
    )
    const screen = () => tmux("capture-pane", "-p")
    const presses = (...keys: ReadonlyArray<string>) => Effect.sync(() => void tmux("send-keys", ...keys))
    const types = (line: string) => Effect.sync(() => void tmux("send-keys", "-l", `${line}\n`))
    const shows = (wanted: string | RegExp) =>
      eventually(`the terminal shows ${wanted}`, () => typeof wanted === "string" ? screen().includes(wanted) : wanted.test(screen())).pipe(
        Effect.catchDefect((defect) => Effect.die(new Error(`${(defect as Error).message}; it shows:\n${screen()}`)))
      )
    return {
      types,
      presses,
      screen,
      shows,
      typesUntil: (line, wanted) =>
        Effect.orDie(Effect.retry(Effect.timeout(Effect.andThen(types(line), shows(wanted)), "3 seconds"), { times: 10 }))
    } satisfies Terminal
  })
