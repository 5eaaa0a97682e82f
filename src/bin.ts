/**
 * The process: arguments, environment, signals and exit codes go in and out here and nowhere else.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeStdio from "@effect/platform-node/NodeStdio"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import { availableParallelism } from "node:os"
import { PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { codeOf, main } from "./Cli/Main.ts"

/**
 * How far the nursery may grow, both halves, in bytes: in a larger one more of what a message needs dies before it must be
 * copied, but one that grew on would keep tens of kilobytes for each connection that a burst brought.
 */
const nursery = 4_194_304

// With one processor to share, those who would help to collect the nursery are only in the way.
if (availableParallelism() === 1) setFlagsFromString("--no-parallel-scavenge")

const collected = new PerformanceObserver(() => {
  const size = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? Infinity
  if (size < nursery) return
  setFlagsFromString("--semi-space-growth-factor=1")
  collected.disconnect()
})
setImmediate(() => collected.observe({ entryTypes: ["gc"] }))

// A closed terminal or a full disk behind a pipe is no reason to stop serving.
process.stdout.on("error", () => {})
process.stderr.on("error", () => {})

/** Log lines that nobody takes are kept up to this many bytes; more are dropped, so that they do not fill the memory. */
const maxUntaken = 1_048_576

/** Log lines of this turn of the event loop: they are written together, for in a crowd each write would cost as much as its line. */
let logged = ""
const writeLogged = (): void => {
  const lines = logged
  logged = ""
  if (lines !== "" && process.stderr.writableLength < maxUntaken) process.stderr.write(lines)
}
process.on("exit", writeLogged)

const hangups = Effect.runSync(Queue.sliding<void>(1))

const unused = Effect.die("the program asks nobody anything and starts nothing")

/** Node's own terminal opens the standard input, which only who asks for something needs. */
const services = Layer.mergeAll(
  NodeFileSystem.layer,
  NodePath.layer,
  NodeStdio.layer,
  Layer.succeed(
    Terminal.Terminal,
    Terminal.make({ columns: unused, rows: unused, size: unused, readInput: unused, readLine: unused, display: () => unused })
  ),
  Layer.succeed(ChildProcessSpawner.ChildProcessSpawner, ChildProcessSpawner.make(() => unused))
)

const fiber = Effect.runFork(
  main({
    args: process.argv.slice(2),
    environment: process.env,
    color: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
    writeLog: (line) => {
      if (logged === "") setImmediate(writeLogged)
      logged += line
    },
    hangups: Stream.fromQueue(hangups)
  }).pipe(Effect.provide(services))
)

let asked = false
const onSignal = (code: number) => () => {
  if (asked) process.exit(code)
  asked = true
  fiber.interruptUnsafe()
}

process.on("SIGINT", onSignal(130))
process.on("SIGTERM", onSignal(143))
process.on("SIGHUP", () => Queue.offerUnsafe(hangups, undefined))

fiber.addObserver((exit) => process.exit(codeOf(exit)))
