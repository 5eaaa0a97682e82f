/** Many come into one room at once: how many are served a second, and at what cost. Served is who hears what is said there. */
import type { Socket } from "node:net"
import { probe } from "./message.ts"
import { arrive, leave, pause, within } from "./people.ts"
import { median, type Row } from "./report.ts"
import { cpuTime, type Kind, naive, ours, oursIrc, start } from "./servers.ts"

/** Until each of these has been sent something that the first of them said. */
const allHear = async ({ around: [before, behind] }: Kind, people: ReadonlyArray<Socket>): Promise<void> => {
  const [speaker, ...listeners] = people
  const said = `${before}${probe}${behind}\n`
  let missing = listeners.length
  for (const socket of listeners) {
    const listen = (bytes: Buffer) => {
      if (!bytes.includes(probe)) return
      socket.off("data", listen)
      missing--
    }
    socket.on("data", listen)
  }
  speaker!.write(said)
  for (let waited = 0; missing > 0; waited++) {
    await pause(5)
    // Who came in just now may not have heard the first.
    if (waited % 40 === 39) speaker!.write(said)
  }
}

interface Coming {
  readonly perSecond: number
  /** CPU time of the server for each of them, in microseconds. */
  readonly cost: number
}

const comeIn = async (kind: Kind, count: number): Promise<Coming> => {
  const server = await start(kind)
  try {
    await pause(300)
    const before = cpuTime(server.pid)
    const begun = performance.now()
    const people = await arrive(server, count)
    await within(60_000, `${count} connections are served by ${kind.name}`, allHear(kind, people))
    const seconds = (performance.now() - begun) / 1000
    const cost = (cpuTime(server.pid) - before) * 1e6 / count
    leave(people)
    return { perSecond: count / seconds, cost }
  } finally {
    await server.stop()
  }
}

export const measure = async (count: number, rounds: number): Promise<ReadonlyArray<Row>> => {
  const own: Array<Coming> = []
  const byIrc: Array<Coming> = []
  const others: Array<Coming> = []
  for (let round = 0; round < rounds; round++) {
    own.push(await comeIn(ours, count))
    others.push(await comeIn(naive, count))
    byIrc.push(await comeIn(oursIrc, count))
  }
  const row = (what: string, unit: string, of: (coming: Coming) => number): Row => ({
    what: `${count} connections into one room: ${what}`,
    unit,
    ours: median(own.map(of)),
    naive: median(others.map(of))
  })
  return [
    { ...row("served", "1/s", ({ perSecond }) => perSecond), bound: { of: "ratio", least: 0.7 } },
    row("CPU for each", "µs", ({ cost }) => cost),
    { what: "the same by irc, where each is told the names of all: served", unit: "1/s", ours: median(byIrc.map(({ perSecond }) => perSecond)) },
    { what: "and CPU for each", unit: "µs", ours: median(byIrc.map(({ cost }) => cost)) }
  ]
}
