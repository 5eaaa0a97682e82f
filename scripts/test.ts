/**
 * Runs the tests and says last, on a line of its own, how many passed, failed and were skipped.
 * Arguments go to vitest. A file that cannot be loaded and an error outside of any test count as failed tests.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./root.ts"

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: ReadonlyArray<{ readonly status: string; readonly assertionResults: ReadonlyArray<{ readonly status: string }> }>
}

const folder = mkdtempSync(join(tmpdir(), "effect-chat-test-"))
const file = join(folder, "report.json")

const read = (): Report | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report
  } catch {
    return undefined
  }
}

try {
  const { FORCE_COLOR: forced, ...env } = process.env
  if (!process.stdout.isTTY) env["NO_COLOR"] = "1"
  else if (forced !== undefined) env["FORCE_COLOR"] = forced
  const vitest = spawn(
    join(root, "node_modules/.bin/vitest"),
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...process.argv.slice(2)],
    { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] }
  )
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => vitest.kill(signal))
  const [code] = await once(vitest, "close") as [number | null]

  const report = read()
  const passed = report?.numPassedTests ?? 0
  const unloaded = report?.testResults.filter(({ assertionResults, status }) =>
    status === "failed" && !assertionResults.some((test) => test.status === "failed")
  ).length ?? 0
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
  const known = (report?.numFailedTests ?? 0) + unloaded
  const ran = passed + known > 0
  if (!ran) console.log("no test ran")
  const failed = known === 0 && (code !== 0 || !ran) ? 1 : known
  process.exitCode = ran ? code ?? 1 : 1
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
