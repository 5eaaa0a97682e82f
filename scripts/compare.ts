/**
 * What a message costs of our own work, in this build and in another, by turns in one process, so that whatever else the machine
 * does disturbs both alike. There are no sockets: what the kernel does is not in it. Prints for people to judge.
 *
 *   npx node scripts/compare.ts OTHER_DIST [--dialect plain|irc] [--rooms 100] [--members 10] [--window 16] [--seconds 15]
 *
 * OTHER_DIST is the folder `dist` of another checkout that was built; in each room members say `window` messages in a turn.
 * A ratio below 1 says that this build needs less. Two copies of one build differ by some hundredths.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import type * as Library from "../src/index.ts"
import type { Connection, Watcher } from "../src/Connection.ts"
import { asked, explain } from "./asked.ts"
import { root } from "./root.ts"

const usage = "usage: npx node scripts/compare.ts OTHER_DIST [--dialect plain|irc] [--rooms 100] [--members 10] [--window 16] [--seconds 15]"
const { positionals: [other], values } = asked(usage, {
  allowPositionals: true,
  options: {
    dialect: { type: "string", default: "plain" },
    rooms: { type: "string", default: "100" },
    members: { type: "string", default: "10" },
    window: { type: "string", default: "16" },
    seconds: { type: "string", default: "15" }
  }
})
const mine = join(root, "dist")
for (const folder of [mine, other]) {
  if (folder !== undefined && existsSync(join(folder, "index.js"))) continue
  explain(usage, folder === undefined ? "say which other build" : `there is no build in ${folder}; npm run build makes one`)
}
const { dialect } = values
const [rooms, members, window, seconds] = [values.rooms, values.members, values.window, values.seconds].map(Number) as [number, number, number, number]

/** A client who takes everything, and says a line when told to. */
class Client implements Connection {
  readonly peer
  arrived: Uint8Array | undefined
  onStir: () => void = () => {}
  taken = 0
  constructor(port: number) {
    this.peer = { address: "127.0.0.1", port }
  }
  take = () => {
    const bytes = this.arrived
    this.arrived = undefined
    return bytes ?? "nothing" as const
  }
  peek = () => this.arrived
  give = (bytes: Uint8Array) => {
    this.taken += bytes.length
  }
  // As a connection does it now, and as it did before.
  watch = (watcher: Watcher | (() => void)) => {
    this.onStir = typeof watcher === "function" ? watcher : () => watcher.onStir()
  }
  lost = () => undefined
  gone = () => false
  unsent = () => 0
  progress = () => this.taken
  ringWhenSent = () => {}
  finish = () => {}
  finished = () => true
  destroy = () => {}
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await turn()
}

/** The same order each time, in which nobody stands beside the others of a room. */
const mixed = (count: number): ReadonlyArray<number> => {
  let step = Math.floor(count * 0.618) | 1
  const divides = (a: number, b: number): number => b === 0 ? a : divides(b, a % b)
  while (divides(count, step) !== 1) step += 2
  return Array.from({ length: count }, (_, i) => (i * step) % count)
}

/** A house of this build with everybody in it; what it gives lets each room say its messages, and says how long that took, in ns. */
const open = async (dist: string): Promise<() => Promise<number>> => {
  const { ChatServer, Hub, Listener, Log } = await import(pathToFileURL(join(resolve(dist), "index.js")).href) as typeof Library
  const accepted = Effect.runSync(Queue.unbounded<Connection>())
  const listener = Layer.succeed(Listener, { address: "memory", port: 1, connections: Stream.fromQueue(accepted) })
  const house = ChatServer.layer({ rate: undefined, dialect: dialect as "plain", maxClients: rooms * members }).pipe(
    Layer.provide(Hub.layer()),
    Layer.provide(Log.layerMemory({ history: 1000 })),
    Layer.provide(listener)
  )
  Effect.runFork(Layer.launch(house).pipe(Effect.provideService(References.MinimumLogLevel, "Error")))
  const clients: Array<Client> = []
  for (let i = 0; i < rooms * members; i++) {
    const client = new Client(i)
    clients.push(client)
    Queue.offerUnsafe(accepted, client)
    await turns(3)
    const room = `r${Math.floor(i / members)}`
    client.arrived = Buffer.from(dialect === "irc" ? `NICK u${i}\r\nUSER u 0 * :u\r\nJOIN #${room}\r\n` : `/nick u${i}\n/join ${room}\n`)
    client.onStir()
    await turns(3)
  }
  await turns(50)
  const order = mixed(clients.length)
  let said = 0
  return async () => {
    const lines = new Array<string>(clients.length).fill("")
    for (let room = 0; room < rooms; room++) {
      for (let i = 0; i < window; i++) {
        const text = `${String(++said).padStart(12, "0")}${"x".repeat(52)}`
        lines[room * members + (said + i) % members] += dialect === "irc" ? `PRIVMSG #r${room} :${text}\r\n` : `${text}\n`
      }
    }
    const speakers = order.filter((i) => lines[i] !== "")
    for (const i of speakers) clients[i]!.arrived = Buffer.from(lines[i]!, "latin1")
    const before = performance.now()
    for (const i of speakers) clients[i]!.onStir()
    await turns(2)
    return 1e6 * (performance.now() - before)
  }
}

const [ours, theirs] = [await open(mine), await open(other!)]
/** So many turns in a row of one of them, that about 16,000 messages are said. */
const repeat = Math.max(1, Math.round(16_000 / (rooms * window)))
const measure = async (say: () => Promise<number>): Promise<number> => {
  let nanos = 0
  for (let i = 0; i < repeat; i++) nanos += await say()
  return nanos / (repeat * rooms * window)
}
for (let i = 0; i < 15; i++) for (const say of [ours, theirs]) await measure(say)
const pairs: Array<readonly [ours: number, theirs: number]> = []
for (const end = performance.now() + 1000 * seconds; performance.now() < end;) {
  pairs.push([await measure(ours), await measure(theirs)])
  // What comes second is cheaper by some hundredths.
  const second = await measure(theirs)
  pairs.push([await measure(ours), second])
}
const median = (all: ReadonlyArray<number>): number => [...all].sort((a, b) => a - b)[all.length >> 1]!
console.log(
  `${dialect}, ${rooms} rooms of ${members}, ${window} messages a turn in each: this build ${Math.round(median(pairs.map(([ours]) => ours)))} ns a message, `
    + `the other ${Math.round(median(pairs.map(([, theirs]) => theirs)))}; ratio ${median(pairs.map(([ours, theirs]) => ours / theirs)).toFixed(3)} (median of ${pairs.length} pairs)`
)
process.exit(0)
