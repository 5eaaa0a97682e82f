/**
 * Measures `chat serve` beside the server that one writes in twenty lines, in one run and by turns, and prints figures, ratios
 * and the bounds that they are held against. What it prints is for people to judge: it fails only if it cannot measure.
 *
 *   npx node scripts/bench.ts [--quick] [--json] [--only NAME]... [--rounds N] [--threads N] [--profile FOLDER]
 *
 * The names are those of the workloads in bench/traffic.ts (fan1000, one1, rate100, webfan1000, ... by WebSocket, ircfan1000, ... by IRC,
 * keptfan1000, ... with `--data` beside without), and `turns` (one1 by turns of 100 ms, which is more exact), `rooms100` (100 rooms of 10), `growth` (of the cost with the members), `slow` (one member stops reading), `connect` (5000 come in), `start` and `memory`. With `--profile` our
 * servers leave CPU profiles there, for the developer tools of a browser.
 */
import { asked, explain } from "./asked.ts"
import * as Connecting from "./bench/connecting.ts"
import * as Memory from "./bench/memory.ts"
import { type Conditions, describeConditions, describeMachine, describeRows, held, machine, ratio, type Row } from "./bench/report.ts"
import * as Rooms from "./bench/rooms.ts"
import { leaveTheirCpu, profileInto } from "./bench/servers.ts"
import * as Stalling from "./bench/stalling.ts"
import * as Starting from "./bench/starting.ts"
import * as Traffic from "./bench/traffic.ts"
import * as Turns from "./bench/turns.ts"

const names = [...Traffic.workloads.map(({ name }) => name), "turns", "rooms100", "growth", "slow", "connect", "start", "memory"]
const usage = `usage: npx node scripts/bench.ts [--quick] [--json] [--only NAME]... [--rounds N] [--threads N] [--profile FOLDER]
names: ${names.join(", ")}`
const { values } = asked(usage, {
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    rounds: { type: "string" },
    threads: { type: "string" },
    profile: { type: "string" }
  }
})

const { json, only, quick } = values
const unknown = only?.filter((name) => !names.includes(name)) ?? []
if (unknown.length > 0) explain(usage, `there is no workload ${unknown.join(", ")}`)
const wanted = (name: string): boolean => only === undefined || only.includes(name)
const tell = (text: string): void => {
  if (!json) console.log(text)
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) process.on(signal, () => process.exit(code))
leaveTheirCpu()
if (values.profile !== undefined) profileInto(values.profile)
const traffic = {
  rounds: values.rounds === undefined ? quick ? 1 : 3 : Number(values.rounds),
  seconds: quick ? 0.5 : 2,
  warmUp: quick ? 0.3 : 1,
  attempts: quick ? 1 : 3,
  threads: values.threads === undefined ? undefined : Number(values.threads)
}
const sizes = quick
  ? { first: 200, connections: 500, unfinished: 100, endless: 5, stuck: 5, patience: 3000 }
  : { first: 500, connections: 2000, unfinished: 500, endless: 20, stuck: 20, patience: 15_000 }

const rows: Array<Row> = []
const conditions: Array<Conditions> = []
const found = (some: ReadonlyArray<Row>): void => {
  rows.push(...some)
  tell(`\n${describeRows(some)}`)
}

tell(describeMachine())
tell(quick ? "quick: short and once, so the figures say little" : `median of ${traffic.rounds} rounds`)
for (const workload of Traffic.workloads) {
  if (!wanted(workload.name)) continue
  const measured = await Traffic.measure(workload, traffic)
  conditions.push(...measured.conditions)
  found(measured.rows)
}
if (wanted("turns")) found(await Turns.measure(quick ? 2 : 15))
if (wanted("rooms100")) {
  const measured = await Rooms.measure(100, traffic)
  conditions.push(...measured.conditions)
  found(measured.rows)
}
if (wanted("growth")) found([await Traffic.measureGrowth(quick ? 1000 : 5000, traffic)])
if (wanted("slow")) found(await Stalling.measure(traffic.seconds, traffic.rounds))
if (wanted("connect")) found(await Connecting.measure(quick ? 1000 : 5000, traffic.rounds))
if (wanted("start")) found(await Starting.measure(quick ? 3 : 11))
if (wanted("memory")) found(await Memory.measure(sizes))

if (json) {
  const measured = rows.map((row) => ({ ...row, ratio: ratio(row), held: held(row) ?? null }))
  console.log(JSON.stringify({ machine: machine(), quick, rows: measured, conditions }, null, 2))
} else {
  if (conditions.length > 0) console.log(`\nwhether to trust them: nothing lost, doubled or out of order, and who had the CPUs\n${describeConditions(conditions)}`)
  const bound = rows.filter((row) => row.bound !== undefined)
  console.log(`\n${bound.filter(held).length} of ${bound.length} bounds held`)
}
