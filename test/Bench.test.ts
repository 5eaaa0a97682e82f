/**
 * The benchmark's crowd: that it notices what a server loses, doubles and swaps, on servers that do each on purpose.
 */
import { describe, expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { percentile } from "../scripts/bench/latency.ts"
import { naive } from "../scripts/bench/servers.ts"
import { root } from "../scripts/root.ts"
import { Crowd } from "../scripts/bench/traffic.ts"

/** Passes each line on to all others, after changing the lines of each turn for one of them. */
const broadcaster = (change: (lines: ReadonlyArray<string>) => ReadonlyArray<string>) => {
  const people: Array<Socket> = []
  return createServer({ noDelay: true }, (person) => {
    let rest = ""
    people.push(person)
    person.setEncoding("utf8")
    person.on("data", (text) => {
      const lines = (rest + String(text)).split("\n")
      rest = lines.pop() ?? ""
      for (const other of people) {
        if (other === person) continue
        const sent = other === people[0] ? change(lines) : lines
        if (sent.length > 0) other.write(`${sent.join("\n")}\n`)
      }
    })
    person.on("error", () => {})
  })
}

const hundredMessages = async (change: (lines: ReadonlyArray<string>) => ReadonlyArray<string>, threads: number) => {
  const server = broadcaster(change)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const started = { kind: naive, port, pid: process.pid, started: 0, collect: async () => {}, stop: async () => {} }
  const crowd = await Crowd.gather(started, { receivers: 4, senders: 2, size: 64, threads })
  try {
    const tallies = await crowd.talk({ window: 8, messages: 100 })
    const sum = (of: (tally: typeof tallies[number]) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
    return {
      messages: sum(({ messages }) => messages),
      deliveries: sum(({ deliveries }) => deliveries),
      lost: sum(({ lost }) => lost),
      doubled: sum(({ doubled }) => doubled),
      misordered: sum(({ misordered }) => misordered)
    }
  } finally {
    await crowd.disperse()
    server.close()
  }
}

const message = (sender: string, number: number) => (line: string) => line.startsWith(`@${sender}###${String.fromCharCode(35 + number)}`)

describe("the benchmark's crowd", () => {
  it.each([1, 2])("counts what arrives, in %i threads", async (threads) => {
    expect(await hundredMessages((lines) => lines, threads)).toEqual({ messages: 100, deliveries: 500, lost: 0, doubled: 0, misordered: 0 })
  })

  it("notices what is lost", async () => {
    const found = await hundredMessages((lines) => lines.filter((line) => !message("A", 10)(line)), 1)
    expect(found).toEqual({ messages: 100, deliveries: 499, lost: 1, doubled: 0, misordered: 0 })
  })

  it("notices what is doubled", async () => {
    const found = await hundredMessages((lines) => lines.flatMap((line) => message("B", 10)(line) ? [line, line] : [line]), 1)
    expect(found).toEqual({ messages: 100, deliveries: 500, lost: 0, doubled: 1, misordered: 0 })
  })

  it("notices what is out of order", async () => {
    let held: string | undefined
    const found = await hundredMessages((lines) =>
      lines.flatMap((line) => {
        if (message("A", 10)(line)) {
          held = line
          return []
        }
        const kept = held
        if (kept === undefined || !message("A", 11)(line)) return [line]
        held = undefined
        return [line, kept]
      }), 1)
    expect(found).toEqual({ messages: 100, deliveries: 500, lost: 0, doubled: 0, misordered: 1 })
  })

  it("knows percentiles", () => {
    const counts = new Uint32Array(64)
    counts[0] = 98
    counts[48] = 2
    expect(percentile(counts, 0.5)).toBeLessThan(0.02)
    expect(percentile(counts, 0.99)).toBeCloseTo(0.136, 3)
  })
})

describe("the arguments of a script", () => {
  it.each([
    ["bench.ts", "--help", 0],
    ["bench.ts", "--nope", 2],
    ["bench.ts", "--only=nope", 2],
    ["screenshots.ts", "--help", 0],
    ["screenshots.ts", "--nope", 2]
  ] as const)("are explained by %s %s, without a stack", async (script, argument, code) => {
    const ran = await new Promise<readonly [code: number | null, text: string]>((done) => {
      const child = execFile(process.execPath, [join(root, "scripts", script), argument], { cwd: tmpdir() }, (_, out, error) => done([child.exitCode, out + error]))
    })
    expect(ran[0]).toBe(code)
    expect(ran[1]).toContain(`usage: npx node scripts/${script}`)
    expect(ran[1]).not.toMatch(/^\s+at /m)
  })
})
