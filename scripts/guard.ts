/**
 * Fails when speaking to a thousand is no longer at least twice as fast as with the server that one writes in twenty lines.
 * A ratio within one run, and a generous one: it is five or more, so a machine that is slow or busy does not fail it.
 */
import { describeRows, ratio } from "./bench/report.ts"
import { leaveTheirCpu, naive } from "./bench/servers.ts"
import * as Traffic from "./bench/traffic.ts"

const least = 2

const fanOut: Traffic.Workload = { ...Traffic.workloads.find(({ name }) => name === "fan1000")!, shows: ["throughput"], beside: [naive], least }

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) process.on(signal, () => process.exit(code))
leaveTheirCpu()
let best = 0
for (let attempt = 0; attempt < 2 && best < least; attempt++) {
  const { conditions, rows } = await Traffic.measure(fanOut, { rounds: 1, seconds: 1, warmUp: 0.5, attempts: 1, threads: undefined })
  console.log(describeRows(rows))
  const wrong = conditions.filter(({ doubled, lost, misordered, server }) => server === "ours" && doubled + lost + misordered > 0)
  if (wrong.length > 0) {
    console.error("messages were lost, doubled or out of order")
    process.exit(1)
  }
  best = Math.max(best, ...rows.map(ratio))
}
if (best < least) {
  console.error(`the fan-out to a thousand is ${best.toFixed(1)} times that of the naive server; it is to be ${least} times at least`)
  process.exit(1)
}
