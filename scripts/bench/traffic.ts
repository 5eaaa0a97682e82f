/** One room full of people, and messages to all of them: how many a second, how soon, and at what cost. */
import { MessageChannel, Worker } from "node:worker_threads"
import type { Order, Setup, Tally } from "./crowd.ts"
import { frame, request } from "./frames.ts"
import { percentile, together } from "./latency.ts"
import { sharedMemory } from "./ledger.ts"
import { blank, probe } from "./message.ts"
import { within } from "./people.ts"
import { type Conditions, median, type Row } from "./report.ts"
import type { Task } from "./sending.ts"
import { busyTime, cpuCount, cpuTime, type Kind, nagling, naive, naiveWeb, ours, oursIrc, oursKept, oursWeb, pinned, type Server, start } from "./servers.ts"

export interface Workload {
  readonly name: string
  readonly what: string
  /** Members who only read, and members who send. */
  readonly receivers: number
  readonly senders: number
  readonly task: Task
  /** Our server, as its clients come to it. */
  readonly of: Kind
  readonly shows: ReadonlyArray<"throughput" | "cost" | "latency">
  /** What else it is measured beside. */
  readonly beside: ReadonlyArray<Kind>
  /** How many times as many deliveries as beside it there are to be. */
  readonly least?: number
  /** How soon half of the messages are to be heard, in milliseconds. */
  readonly soon?: number
}

const saturated = (receivers: number, least?: number): Workload => ({
  name: `fan${receivers}`,
  what: `fan-out to ${receivers} members, saturated`,
  receivers,
  senders: 4,
  task: { window: 16 },
  shows: ["throughput", "cost"],
  of: ours,
  beside: [naive, nagling],
  ...(least === undefined ? {} : { least })
})

const steady = (receivers: number, rate: number): Workload => ({
  name: `rate${receivers}`,
  what: `${rate} messages/s to ${receivers} members`,
  receivers,
  senders: 4,
  task: { rate },
  shows: ["cost", "latency"],
  of: ours,
  beside: [naive]
})

const alone = (senders: number): Workload => ({
  name: `one${senders}`,
  what: `one message at a time${senders === 1 ? "" : ` from each of ${senders}`}, 100 members`,
  receivers: 100,
  senders,
  task: { window: 1 },
  shows: ["throughput", "cost", "latency"],
  of: ours,
  beside: [naive]
})

const single = (senders: number): Workload => ({ ...alone(senders), least: 1 })

/** The same by WebSocket. */
const web = (workload: Workload): Workload => ({ ...workload, name: `web${workload.name}`, what: `WebSocket, ${workload.what}`, of: oursWeb, beside: [naiveWeb] })

/** The same by IRC, beside lines. */
const irc = (workload: Workload): Workload => ({ ...workload, name: `irc${workload.name}`, what: `IRC, ${workload.what}`, of: oursIrc, beside: [naive] })

/** The same on the disk before it is shown, beside our own server that keeps it in memory. */
const kept = (workload: Workload, bound: Pick<Workload, "least" | "soon"> = {}): Workload => ({
  ...workload,
  name: `kept${workload.name}`,
  what: `kept on the disk, ${workload.what}`,
  of: oursKept,
  beside: [ours],
  ...bound
})

export const workloads: ReadonlyArray<Workload> = [
  saturated(10),
  saturated(100),
  saturated(1000, 10),
  alone(1),
  single(4),
  steady(100, 1000),
  steady(1000, 100),
  web(saturated(10)),
  web(saturated(100)),
  web(saturated(1000, 10)),
  web(single(1)),
  web(single(4)),
  web(steady(100, 1000)),
  irc(saturated(10)),
  irc(saturated(100)),
  irc(saturated(1000, 10)),
  kept(saturated(10)),
  kept(saturated(100)),
  kept(saturated(1000), { least: 0.33 }),
  kept(alone(1), { soon: 10 }),
  kept(steady(100, 1000))
]

/** Length of a message, in bytes, without its newline. */
const messageSize = 64

/** How many threads the clients have, when not told. */
const defaultThreads = pinned ? Math.min(4, cpuCount - 1) : 1

/** What a client says, as it goes to this server. */
const wired = ({ framed }: Kind, text: string): Buffer => framed ? frame(text) : Buffer.from(`${text}\n`)

/** What a crowd's members say. */
const said = (kind: Kind, port: number, size: number) => {
  const [before, behind] = kind.around
  const text = blank(size).toString("latin1", 0, size)
  const whole = wired(kind, before + text + behind)
  return {
    opening: kind.framed ? request(port) : undefined,
    enter: kind.enter === undefined ? undefined : wired(kind, kind.enter),
    blank: whole,
    stampAt: whole.indexOf(text),
    probe: wired(kind, before + probe + behind)
  }
}

/** A crowd that is in a server's room. */
export class Crowd {
  readonly #workers: ReadonlyArray<Worker>
  readonly #died: Promise<never>
  private constructor(workers: ReadonlyArray<Worker>) {
    this.#workers = workers
    this.#died = new Promise<never>((_, reject) => {
      for (const worker of workers) worker.on("error", reject)
    })
    this.#died.catch(() => {})
  }

  static async gather(
    { kind, port }: Server,
    options: { readonly receivers: number; readonly senders: number; readonly size: number; readonly threads?: number }
  ): Promise<Crowd> {
    const { receivers, senders, size } = options
    const { introduce } = kind
    const threads = Math.max(1, Math.min(options.threads ?? defaultThreads, receivers))
    const shared = sharedMemory(senders, threads)
    const channels = Array.from({ length: threads - 1 }, () => new MessageChannel())
    const nicks = Array.from({ length: senders }, (_, index) => `sender${String.fromCharCode(65 + index)}`)
    const workers = Array.from({ length: threads }, (_, thread) => {
      const ports = thread === 0 ? channels.map(({ port1 }) => port1) : [channels[thread - 1]!.port2]
      const setup: Setup = {
        ...said(kind, port, size),
        port,
        receivers: Math.floor(receivers / threads) + (thread < receivers % threads ? 1 : 0),
        senders,
        size,
        greeting: kind.greeting,
        introductions: introduce === undefined ? [] : nicks.map((nick) => [wired(kind, introduce(nick)[0]), introduce(nick)[1]]),
        prefix: kind.prefix(nicks[0]!).length,
        behind: kind.behind ?? 0,
        thread,
        threads,
        shared,
        ports
      }
      return new Worker(new URL("crowd.ts", import.meta.url), { workerData: setup, transferList: ports })
    })
    const crowd = new Crowd(workers)
    await crowd.#order(workers, { _tag: "ComeIn" }, `${receivers + senders} members of ${kind.name}`)
    await crowd.#order(workers.slice(0, 1), { _tag: "Probe", members: receivers + senders }, `all hear all in ${kind.name}`)
    return crowd
  }

  async #order(workers: ReadonlyArray<Worker>, order: Order, what: string): Promise<ReadonlyArray<unknown>> {
    const answers = workers.map((worker) => new Promise((resolve) => worker.once("message", resolve)))
    for (const worker of workers) worker.postMessage(order)
    return within(120_000, what, Promise.race([Promise.all(answers), this.#died]))
  }

  /** Let them talk, and ask what they heard: one tally for each thread, the first of which has sent. */
  async talk(task: Task): Promise<ReadonlyArray<Tally>> {
    await this.#order(this.#workers, { _tag: "Forget" }, "forgetting")
    await this.#order(this.#workers.slice(0, 1), { _tag: "Send", task }, "sending")
    return await this.#order(this.#workers, { _tag: "Tally" }, "counting") as ReadonlyArray<Tally>
  }

  async disperse(): Promise<void> {
    for (const worker of this.#workers) worker.postMessage({ _tag: "Leave" } satisfies Order)
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

/** What one stretch of talking came to. */
interface Stretch {
  readonly tallies: ReadonlyArray<Tally>
  readonly deliveries: number
  readonly perSecond: number
  /** CPU time of the server for each delivery, in microseconds. */
  readonly cost: number
  readonly serverShare: number
  readonly clientShare: number
  readonly elsewhereShare: number
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

export const stretch = async (server: Server, crowd: Crowd, task: Task): Promise<Stretch> => {
  const before = { cpu: cpuTime(server.pid), busy: busyTime(), clients: process.cpuUsage(), at: performance.now() }
  const tallies = await crowd.talk(task)
  const seconds = (performance.now() - before.at) / 1000
  const cpu = cpuTime(server.pid) - before.cpu
  const { system, user } = process.cpuUsage(before.clients)
  const clients = (system + user) / 1e6
  const deliveries = sum(tallies.map((tally) => tally.deliveries))
  return {
    tallies,
    deliveries,
    perSecond: deliveries / tallies[0]!.seconds,
    cost: cpu * 1e6 / deliveries,
    serverShare: cpu / seconds,
    clientShare: clients / seconds,
    elsewhereShare: Math.max(0, busyTime() - before.busy - cpu - clients) / seconds / cpuCount
  }
}

interface Place {
  readonly server: Server
  crowd: Crowd | undefined
  /** Those that the figures are taken from. */
  readonly stretches: Array<Stretch>
  /** Those too that were disturbed, for whatever happens nothing may be lost. */
  readonly all: Array<Stretch>
}

/** More than this share of the CPUs used by others, and a stretch is tried again, up to twice; the least disturbed counts. */
const disturbance = 0.15

const calmStretch = async ({ all, crowd, server }: Place, task: Task, attempts: number): Promise<Stretch> => {
  let best: Stretch | undefined
  for (let attempt = 0; attempt < attempts; attempt++) {
    const one = await stretch(server, crowd!, task)
    all.push(one)
    if (best === undefined || one.elsewhereShare < best.elsewhereShare) best = one
    if (!(one.elsewhereShare > disturbance)) break
  }
  return best!
}

const conditions = ({ task, what }: Workload, { all, server, stretches }: Place): Conditions => {
  const tallies = all.flatMap((one) => one.tallies)
  return {
    what,
    server: server.kind.name,
    messages: sum(tallies.map((tally) => tally.messages)),
    deliveries: sum(tallies.map((tally) => tally.deliveries)),
    lost: sum(tallies.map((tally) => tally.lost)),
    doubled: sum(tallies.map((tally) => tally.doubled)),
    misordered: sum(tallies.map((tally) => tally.misordered)),
    serverShare: median(stretches.map((one) => one.serverShare)),
    clientShare: median(stretches.map((one) => one.clientShare)),
    elsewhereShare: median(stretches.map((one) => one.elsewhereShare)),
    lag: task.rate !== undefined ? percentile(together(stretches.map((one) => one.tallies[0]!.lags)), 0.99) : undefined
  }
}

const rows = (workload: Workload, own: Place, other: Place): ReadonlyArray<Row> => {
  const row = (what: string, unit: string, of: (stretches: ReadonlyArray<Stretch>) => number): Row => ({
    what: `${workload.what}: ${what}`,
    unit,
    ours: of(own.stretches),
    naive: of(other.stretches),
    ...(other.server.kind.name === "naive" ? {} : { beside: other.server.kind.name })
  })
  const latency = (share: number) => (stretches: ReadonlyArray<Stretch>) =>
    percentile(together(stretches.flatMap((one) => one.tallies.map((tally) => tally.latencies))), share)
  return workload.shows.flatMap((shown) => {
    switch (shown) {
      case "throughput": {
        const all = row("deliveries", "1/s", (stretches) => median(stretches.map((one) => one.perSecond)))
        return workload.least === undefined ? [all] : [{ ...all, bound: { of: "ratio", least: workload.least } }]
      }
      case "cost":
        return [row("CPU per delivery", "µs", (stretches) => median(stretches.map((one) => one.cost)))]
      case "latency":
        return [
          { ...row("latency p50", "ms", latency(0.5)), ...(workload.soon === undefined ? {} : { bound: { of: "figure" as const, most: workload.soon } }) },
          row("latency p99", "ms", latency(0.99))
        ]
    }
  })
}

/** Whether a delivery costs more where there are many members: CPU time for each in a room of so many, beside a room of ten. */
export const measureGrowth = async (
  members: number,
  { rounds, seconds, warmUp }: { readonly rounds: number; readonly seconds: number; readonly warmUp: number }
): Promise<Row> => {
  const task = { window: 16 }
  const cost = async (receivers: number): Promise<number> => {
    const server = await start(ours)
    let crowd: Crowd | undefined
    try {
      crowd = await Crowd.gather(server, { receivers, senders: 4, size: messageSize })
      await stretch(server, crowd, { ...task, seconds: warmUp })
      const costs: Array<number> = []
      for (let round = 0; round < rounds; round++) costs.push((await stretch(server, crowd, { ...task, seconds })).cost)
      return median(costs)
    } finally {
      await crowd?.disperse()
      await server.stop()
    }
  }
  const few = await cost(10)
  return {
    what: `CPU per delivery to ${members} members`,
    unit: "µs",
    ours: await cost(members),
    naive: few,
    beside: "to 10",
    bound: { of: "ratio", most: 1.25 }
  }
}

/** Measure a workload on all its servers, by turns. */
export const measure = async (
  workload: Workload,
  options: {
    readonly rounds: number
    readonly seconds: number
    readonly warmUp: number
    /** How often a stretch is tried, at most. */
    readonly attempts: number
    readonly threads: number | undefined
  }
): Promise<{ readonly rows: ReadonlyArray<Row>; readonly conditions: ReadonlyArray<Conditions> }> => {
  const { receivers, senders, task } = workload
  const { attempts, rounds, seconds, threads, warmUp } = options
  const places: Array<Place> = []
  try {
    for (const kind of [workload.of, ...workload.beside]) {
      const place: Place = { server: await start(kind), crowd: undefined, stretches: [], all: [] }
      places.push(place)
      place.crowd = await Crowd.gather(place.server, { receivers, senders, size: messageSize, ...(threads === undefined ? {} : { threads }) })
      await stretch(place.server, place.crowd, { ...task, seconds: warmUp })
    }
    for (let round = 0; round < rounds; round++) {
      for (const place of round % 2 === 0 ? places : places.toReversed()) {
        place.stretches.push(await calmStretch(place, { ...task, seconds }, attempts))
      }
    }
  } finally {
    for (const { crowd, server } of places) {
      await crowd?.disperse()
      await server.stop()
    }
  }
  const [own, ...others] = places
  return {
    rows: others.flatMap((other) => rows(workload, own!, other)),
    conditions: places.map((place) => conditions(workload, place))
  }
}
