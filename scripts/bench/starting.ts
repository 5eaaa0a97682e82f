/** How long it takes from starting a server to its listening, beside how long Node takes to do nothing. */
import { once } from "node:events"
import { median, type Row } from "./report.ts"
import { naive, ours, spawnNode, start } from "./servers.ts"

const bareNode = async (): Promise<number> => {
  const begun = performance.now()
  await once(spawnNode(["-e", "0"], "ignore"), "exit")
  return performance.now() - begun
}

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
  await bareNode()
  await listening(ours)
  for (let i = 0; i < times; i++) {
    bare.push(await bareNode())
    naives.push(await listening(naive))
    own.push(await listening(ours))
  }
  return [
    { what: "time to listen", unit: "ms", ours: median(own), naive: median(naives) },
    { what: "time to listen, against bare Node's start", unit: "ms", ours: median(own), naive: median(bare), beside: "bare", bound: { of: "ratio", most: 3 } }
  ]
}
