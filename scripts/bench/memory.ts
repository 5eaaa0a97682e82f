/** What a server keeps in memory: idle, for each connection, for a line without end, and for somebody who never reads. */
import { arrive, leave, pause } from "./people.ts"
import type { Row } from "./report.ts"
import { type Kind, naive, naiveWeb, ours, oursIrc, oursWeb, residentMemory, type Server, start } from "./servers.ts"
import { Crowd } from "./traffic.ts"

const KB = 1024
const MB = 1024 * KB

interface Sizes {
  /** How many come and stay before those whose memory is measured. */
  readonly first: number
  readonly connections: number
  readonly unfinished: number
  readonly endless: number
  readonly stuck: number
  /** How long memory may take to come to rest, in milliseconds. */
  readonly patience: number
}

/** Memory when it has been the same for a while. */
const settled = async ({ pid }: Server, patience: number): Promise<number> => {
  const deadline = performance.now() + patience
  let last = residentMemory(pid)
  let same = 0
  while (same < 4 && performance.now() < deadline) {
    await pause(500)
    const now = residentMemory(pid)
    same = Math.abs(now - last) < last / 200 ? same + 1 : 0
    last = now
  }
  return last
}

const collected = async (server: Server): Promise<number> => {
  await server.collect()
  return residentMemory(server.pid)
}

const using = async <A>(server: Promise<Server>, use: (server: Server) => Promise<A>): Promise<A> => {
  const running = await server
  try {
    return await use(running)
  } finally {
    await running.stop()
  }
}

const idle = (kind: Kind, { patience }: Sizes): Promise<number> =>
  using(start(kind), async (server) => {
    await pause(1000)
    return settled(server, patience)
  })

/** For each of many connections that say nothing: as it comes to rest by itself, and after a collection. */
const connections = (kind: Kind, sizes: Sizes) =>
  using(start(kind, { collectable: true }), async (server) => {
    // What is loaded for the first, and what grows once however many come (compiled code, the nursery), is no connection's.
    const first = await arrive(server, sizes.first)
    const [before, collectedBefore] = [await settled(server, sizes.patience), await collected(server)]
    const people = await arrive(server, sizes.connections)
    const [after, collectedAfter] = [await settled(server, sizes.patience), await collected(server)]
    leave([...first, ...people])
    return [(after - before) / sizes.connections, (collectedAfter - collectedBefore) / sizes.connections] as const
  })

const piece = Buffer.alloc(KB, "x")

/** For each of many who have sent 15 KB of a line; then for each of a few who go on to 4 MB, at the worst. */
const lines = (kind: Kind, sizes: Sizes) =>
  using(start(kind, { collectable: true }), async (server) => {
    const people = await arrive(server, sizes.unfinished)
    const before = await collected(server)
    for (let i = 0; i < 15; i++) {
      for (const socket of people) socket.write(piece)
      await pause(20)
    }
    await settled(server, sizes.patience)
    const unfinished = (await collected(server) - before) / sizes.unfinished
    leave(people)
    await pause(500)

    const others = await arrive(server, sizes.endless)
    const start_ = await collected(server)
    for (const socket of others) socket.on("error", () => {})
    for (let i = 0; i < 64; i++) {
      for (const socket of others) if (socket.writable) socket.write(Buffer.alloc(64 * KB, "x"))
      await pause(20)
    }
    await pause(1000)
    const endless = Math.max(0, await collected(server) - start_) / sizes.endless
    leave(others)
    return [unfinished, endless] as const
  })

/** For each who never reads, while others send 12 MB to the room. */
const stuck = (kind: Kind, sizes: Sizes) =>
  using(start(kind, { collectable: true }), async (server) => {
    const crowd = await Crowd.gather(server, { receivers: 4, senders: 4, size: 1000, threads: 1 })
    const task = { window: 16, messages: 12_000 }
    await crowd.talk(task)
    const before = await collected(server)
    const people = await arrive(server, sizes.stuck)
    for (const socket of people) socket.pause()
    await crowd.talk(task)
    const after = await collected(server)
    leave(people)
    await crowd.disperse()
    return (after - before) / sizes.stuck
  })

export const measure = async (sizes: Sizes): Promise<ReadonlyArray<Row>> => {
  const both = async <A>(measure: (kind: Kind, sizes: Sizes) => Promise<A>) => [await measure(ours, sizes), await measure(naive, sizes)] as const
  const row = (what: string, unit: string, size: number, own: number, other: number, most?: number): Row => ({
    what,
    unit,
    ours: own / size,
    naive: other / size,
    ...(most === undefined ? {} : { bound: { of: "figure", most } })
  })
  const [idleOurs, idleNaive] = await both(idle)
  const [connectionsOurs, connectionsNaive] = await both(connections)
  const ircOurs = await connections(oursIrc, sizes)
  const [webOurs, webNaive] = [await connections(oursWeb, sizes), await connections(naiveWeb, sizes)]
  const [linesOurs, linesNaive] = await both(lines)
  const [stuckOurs, stuckNaive] = await both(stuck)
  return [
    row("idle memory", "MB", MB, idleOurs, idleNaive, 80),
    row(`memory per idle connection, of ${sizes.connections}`, "KB", KB, connectionsOurs[0], connectionsNaive[0], 25),
    row("the same after a collection", "KB", KB, connectionsOurs[1], connectionsNaive[1], 15),
    { what: "the same by irc", unit: "KB", ours: ircOurs[0] / KB, bound: { of: "figure", most: 25 } },
    { what: "and after a collection", unit: "KB", ours: ircOurs[1] / KB, bound: { of: "figure", most: 15 } },
    row("the same by WebSocket", "KB", KB, webOurs[0], webNaive[0], 25),
    row("and after a collection", "KB", KB, webOurs[1], webNaive[1]),
    row("memory for 15 KB of a line", "KB", KB, linesOurs[0], linesNaive[0], 1024),
    row("memory for 4 MB of a line", "KB", KB, linesOurs[1], linesNaive[1], 1024),
    row("memory for one who never reads", "KB", KB, stuckOurs, stuckNaive, 1024)
  ]
}
