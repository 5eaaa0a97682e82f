/** How long it takes from starting a server to its listening, beside how long Node takes to do nothing. */
import { once } from "node:events"
import { join } from "node:path"
import { root } from "../root.ts"
import { median, type Row } from "./report.ts"
import { naive, ours, spawnNode, start } from "./servers.ts"

const untilEnd = async (...args: ReadonlyArray<string>): Promise<number> => {
  const begun = performance.now()
  await once(spawnNode(args, "ignore"), "exit")
  return performance.now() - begun
}

const bareNode = (): Promise<number> => untilEnd("-e", "0")
const version = (): Promise<number> => untilEnd(join(root, "dist/chat.cjs"), "--version")

const listening = async (kind: typeof ours): Promise<number> => {
  const server = await start(kind)
  // Its last act is to leave for the next start what V8 made of it.
  await server.stop("SIGTERM")
  return server.started
}

export const measure = async (times: number): Promise<ReadonlyArray<Row>> => {
  const bare: Array<number> = []
  const naives: Array<number> = []
  const own: Array<number> = []
  const versions: Array<number> = []
  await bareNode()
  await listening(ours)
  for (let i = 0; i < times; i++) {
    bare.push(await bareNode())
    naives.push(await listening(naive))
    own.push(await listening(ours))
    versions.push(await version())
  }
  return [
    { what: "time to listen", unit: "ms", ours: median(own), naive: median(naives), bound: { of: "figure", most: 400 } },
    { what: "time to listen, against bare Node's start", unit: "ms", ours: median(own), naive: median(bare), beside: "bare", bound: { of: "ratio", most: 3 } },
    { what: "time for --version", unit: "ms", ours: median(versions), naive: median(bare), beside: "bare", bound: { of: "figure", most: 150 } }
  ]
}
