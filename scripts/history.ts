/**
 * Measures the durable log as it grows: how long its start and a page of a room's past take, and what searching does, with ten
 * thousand entries, a million and five million. What it prints is for people to judge.
 *
 *   npx node scripts/history.ts [--entries N]... [--folder DIR] [--keep]
 *
 * Needs `dist`. Takes several minutes and 3 GB in the folder (a temporary one unless told), which is then deleted unless it is to be kept.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Draft, Log, Query } from "../src/Log.ts"
import * as Sqlite from "../src/Log/Sqlite.ts"
import { Finder } from "../src/Log/Sqlite/Finder.ts"
import * as World from "../src/World.ts"
import { encode } from "../src/World/Snapshot.ts"
import { asked } from "./asked.ts"
import { median } from "./bench/report.ts"
import { ours, start } from "./bench/servers.ts"

const { values } = asked("usage: npx node scripts/history.ts [--entries N]... [--folder DIR] [--keep]", {
  options: { entries: { type: "string", multiple: true }, folder: { type: "string" }, keep: { type: "boolean", default: false } }
})
const sizes = (values.entries ?? ["10000", "1000000", "5000000"]).map(Number)
const base = values.folder ?? mkdtempSync(join(tmpdir(), "effect-chat-history-"))

/** Half of everything is in one room, the rest in a thousand; every tenth entry is somebody coming. */
const rooms = 1000
const roomOf = (i: number): string => i % 2 === 0 ? "busy" : `room${(i * 7919) % rooms}`
const vocabulary = 20_000
const began = 1_700_000_000_000

const textOf = (i: number): string => {
  let seed = (i * 2_654_435_761) >>> 0
  const words: Array<string> = []
  for (let k = 0; k < 9; k++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    // Some words are said far more often than others.
    words.push(`w${Math.floor(vocabulary * (seed / 2 ** 32) ** 3).toString(36)}`)
  }
  return words.join(" ")
}

const draft = (i: number): Draft => {
  const to = roomOf(i)
  const nick = `ana${i % 500}`
  const event = Math.floor(i / 7) % 10 === 9 ? { _tag: "Joined" as const, room: to, nick } : { _tag: "Said" as const, room: to, nick, text: textOf(i), kind: "message" as const }
  return { at: began + i * 20, id: `k3x9q2${i.toString(36)}`, by: `k3x9q2-${i % 500}`, from: `plain@10.0.0.${i % 250}`, event, to }
}

/** A world with so many people in as many rooms as there are. */
const crowd = (): World.World => {
  let world = World.empty
  for (let i = 0; i < 5000; i++) {
    const by = `k3x9q2-${i}`
    world = World.evolve(world, by, { _tag: "Arrived", nick: `ana${i}`, dialect: "plain", address: "10.0.0.1" }, began)
    world = World.evolve(world, by, { _tag: "Joined", room: roomOf(2 * i + 1), nick: `ana${i}` }, began)
  }
  return world
}

const timed = async <A>(effect: Effect.Effect<A, unknown>): Promise<readonly [A, number]> => {
  const before = performance.now()
  const result = await Effect.runPromise(effect)
  return [result, performance.now() - before]
}

/** Have the system forget what it remembers of these files. */
const forget = (folder: string): boolean =>
  readdirSync(folder).every((name) => spawnSync("dd", [`of=${join(folder, name)}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"], { stdio: "ignore" }).status === 0)

const fill = (log: Log["Service"], from: number, to: number): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    for (let i = from; i < to; i += 1000) yield* log.append(Array.from({ length: Math.min(1000, to - i) }, (_, k) => draft(i + k)))
  })

/** Questions of each kind, the n-th of each. */
const queries = (entries: number): Readonly<Record<string, (n: number) => Query>> => {
  const page = { after: undefined, before: undefined, limit: 100, messages: true } as const
  const place = (n: number) => Math.floor((entries * ((n * 7) % 11 + 1)) / 12)
  return {
    "the last 100": (n) => ({ ...page, room: n % 2 === 0 ? "busy" : `room${n * 26 + 1}` }),
    "before a number": (n) => ({ ...page, room: "busy", before: place(n) }),
    "after a number": (n) => ({ ...page, room: "busy", after: place(n), earliest: true, messages: false }),
    "before an id": (n) => ({ ...page, room: "busy", before: { id: draft(place(n) & ~1).id } }),
    "around a time": (n) => ({ ...page, room: "busy", around: { at: began + place(n) * 20 } }),
    "between times": (n) => ({ ...page, room: `room${n * 26 + 1}`, after: { at: began + place(n) * 20 }, before: { at: began + entries * 20 }, earliest: true, between: true })
  }
}

const sizeOf = (folder: string, start: string): number =>
  readdirSync(folder).filter((name) => name.startsWith(start)).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6

const measure = async (entries: number): Promise<Record<string, string>> => {
  const folder = join(base, String(entries))
  mkdirSync(folder, { recursive: true })
  const row: Record<string, string> = { entries: entries.toLocaleString("en") }
  const ms = (time: number): string => `${time.toFixed(time < 10 ? 2 : 0)} ms`
  if (!existsSync(join(folder, "log.db"))) {
    const [, filling] = await timed(Effect.scoped(Effect.flatMap(Sqlite.make({ folder }), (log) =>
      Effect.gen(function*() {
        yield* fill(log, 0, entries)
        yield* log.keepSnapshot({ seq: entries - 1000, world: [...encode(crowd())].join("") })
      }))))
    row["kept each second"] = Math.round((entries / filling) * 1000).toLocaleString("en")
  }
  // Made anew where that does not take long, to see how fast it is.
  const afresh = entries <= 1_000_000
  if (afresh) for (const name of readdirSync(folder)) if (name.startsWith("search.db")) rmSync(join(folder, name))
  const finder = new Finder({ folder })
  const indexing = performance.now()
  while (finder.follow()) { /* until everything is in the index */ }
  if (afresh) row["indexed each second"] = Math.round((entries / (performance.now() - indexing)) * 1000).toLocaleString("en")
  finder.close()
  row["log"] = `${sizeOf(folder, "log.db").toFixed(0)} MB`
  row["index"] = `${sizeOf(folder, "search.db").toFixed(0)} MB`
  const forgot = forget(folder)
  await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const before = performance.now()
    const log = yield* Sqlite.make({ folder })
    const recovered = yield* log.recover
    let tail = 0
    yield* Stream.runForEachArray(recovered.entries, (some) => Effect.sync(() => void (tail += some.length)))
    row[forgot ? "opened and recovered, nothing cached" : "opened and recovered"] = `${ms(performance.now() - before)} (${tail} after the snapshot)`
    for (const [name, query] of Object.entries(queries(entries))) {
      const times: Array<number> = []
      for (let n = 0; n < 30; n++) {
        const [page, time] = yield* Effect.promise(() => timed(log.read(query(n))))
        if (page.entries.length > 100 || (n === 0 && page.entries.length === 0)) throw new Error(`${name} gave ${page.entries.length} entries`)
        times.push(time)
      }
      row[`${name}: first`] = ms(times[0]!)
      row[`${name}: median`] = ms(median(times))
      row[`${name}: worst`] = ms(Math.max(...times.slice(1)))
    }
    const busy: Array<number> = []
    let written = 0
    const writing = performance.now()
    const writer = yield* Effect.forkChild(Effect.forever(Effect.suspend(() =>
      Effect.map(log.append(Array.from({ length: 500 }, (_, k) => draft(entries + written + k))), (kept) => void (written += kept.length)))))
    for (let n = 0; performance.now() - writing < 3000; n++) busy.push((yield* Effect.promise(() => timed(log.read(queries(entries)["before a number"]!(n)))))[1])
    row["before a number while others write: median"] = ms(median(busy))
    row["before a number while others write: p99"] = ms(busy.toSorted((a, b) => a - b)[Math.floor(busy.length * 0.99)]!)
    row["written meanwhile each second"] = Math.round((written / (performance.now() - writing)) * 1000).toLocaleString("en")
    yield* Fiber.interrupt(writer)
    for (const [name, words] of [["a rare word", `w${(vocabulary - 5).toString(36)}`], ["a common word", "w0"], ["three words", "w0 w1 w2"]] as const) {
      const times: Array<number> = []
      for (let n = 0; n < 5; n++) times.push((yield* Effect.promise(() => timed(log.search({ rooms: ["busy", "room13"], words, limit: 50 }))))[1])
      row[`search, ${name}: median`] = ms(median(times))
      row[`search, ${name}: first`] = ms(times[0]!)
    }
  })))
  const starts: Array<number> = []
  for (let i = 0; i < 5; i++) {
    const server = await start({ ...ours, args: () => [...ours.args(), "--data", folder] })
    starts.push(server.started)
    await server.stop("SIGTERM")
  }
  row["chat serve listens after"] = ms(median(starts))
  return row
}

try {
  const rows: Array<Record<string, string>> = []
  for (const entries of sizes) {
    rows.push(await measure(entries))
    console.error(`${entries} measured`)
  }
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  for (const name of names) console.log(`| ${[name, ...rows.map((row) => row[name] ?? "")].join(" | ")} |`)
} finally {
  if (!values.keep) rmSync(base, { recursive: true, force: true })
}
