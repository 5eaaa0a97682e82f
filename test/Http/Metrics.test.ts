/**
 * What `/metrics` gives, held against the text format's rules (https://prometheus.io/docs/instrumenting/exposition_formats/)
 * and against those of promtool's linter (https://prometheus.io/docs/practices/naming/); against promtool itself where it is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { fence, program, say } from "../house.ts"
import { ask as tell } from "../house.ts"
import { openWeb } from "./web.ts"

type Sample = readonly [name: string, labels: ReadonlyMap<string, string>, value: number]
interface Family {
  readonly name: string
  help?: string
  type?: string
  readonly samples: Array<Sample>
}

const value = (text: string): number => text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text)

/** A text in the format as its families; complains of the first line that is none. */
const parse = (text: string): ReadonlyArray<Family> => {
  assert.isTrue(text.endsWith("\n"), "the last line ends")
  const families = new Map<string, Family>()
  let now: Family | undefined
  const open = (name: string): Family => {
    if (now?.name === name) return now
    assert.isFalse(families.has(name), `${name} is in one group`)
    families.set(name, now = { name, samples: [] })
    return now
  }
  for (const line of text.split("\n").slice(0, -1)) {
    const meta = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line)
    if (meta !== null) {
      const family = open(meta[2]!)
      assert.isEmpty(family.samples, `${line} comes before samples`)
      const key = meta[1] === "HELP" ? "help" : "type"
      assert.isUndefined(family[key], `${line} comes once`)
      family[key] = meta[3]!
      if (key === "type") assert.include(["counter", "gauge", "histogram", "summary", "untyped"], meta[3])
      else assert.notMatch(meta[3]!, /\\[^\\n]/, "escapes")
      continue
    }
    if (line === "" || line.startsWith("#")) continue
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/.exec(line)
    assert.isNotNull(sample, `no line of the format: ${line}`)
    const labels = new Map<string, string>()
    const rest = (sample![2] ?? "").replace(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/g, (_, name: string, text: string) => {
      assert.isFalse(labels.has(name), `${line}: ${name} twice`)
      labels.set(name, text)
      return ""
    })
    assert.strictEqual(rest, "", `labels of ${line}`)
    assert.isFalse(Number.isNaN(value(sample![3]!)) && sample![3] !== "NaN", `value of ${line}`)
    const family = now !== undefined && (now.type === "histogram" || now.type === "summary") && [`${now.name}_bucket`, `${now.name}_sum`, `${now.name}_count`].includes(sample![1]!)
      ? now
      : open(sample![1]!)
    family.samples.push([sample![1]!, labels, value(sample![3]!)])
  }
  return [...families.values()]
}

const keyOf = (labels: ReadonlyMap<string, string>, without?: string): string =>
  JSON.stringify([...labels].filter(([name]) => name !== without).sort(([a], [b]) => a < b ? -1 : 1))

/** What promtool would say of these. */
const lint = (families: ReadonlyArray<Family>): ReadonlyArray<string> =>
  families.flatMap(({ help, name, samples, type }) => {
    const wrong: Array<string> = []
    const complain = (when: boolean, what: string) => when && wrong.push(`${name} ${what}`)
    complain(help === undefined || help === "", "has no help text")
    complain(type === undefined || type === "untyped", "has no type")
    complain(samples.length === 0, "has no samples")
    complain((type === "counter") !== name.endsWith("_total"), "is a counter and ends in _total, or neither")
    complain(/_(?:count|sum|bucket)$/.test(name), "ends as parts of others do")
    complain(/(?:milli|micro|nano)seconds|(?:minutes|hours|days|kilobytes|megabytes|bits)(?:_|$)/.test(name), "is not in base units")
    complain(/[A-Z:]/.test(name), "is written in camel case or with colons")
    complain(new RegExp(`(?:^|_)${type}(?:_|$)`).test(name), "says its type")
    const seen = new Set<string>()
    for (const [sample, labels, number] of samples) {
      const key = sample + keyOf(labels)
      complain(seen.has(key), `is told twice: ${key}`)
      seen.add(key)
      complain(labels.has("le") && type !== "histogram", "uses le")
      complain(labels.has("quantile") && type !== "summary", "uses quantile")
      complain(type === "counter" && !(number >= 0), "goes below 0")
    }
    if (type !== "histogram") return wrong
    for (const [sample, labels, count] of samples) {
      if (sample !== `${name}_count`) continue
      const buckets = samples.filter(([other, own]) => other === `${name}_bucket` && keyOf(own, "le") === keyOf(labels))
      complain(!samples.some(([other, own]) => other === `${name}_sum` && keyOf(own) === keyOf(labels)), "has no sum")
      const edges = buckets.map(([, own]) => value(own.get("le") ?? "NaN"))
      complain(edges.at(-1) !== Infinity, "has no last bucket")
      complain(buckets.at(-1)?.[2] !== count, "has not everything in its last bucket")
      complain(edges.some((edge, i) => i > 0 && !(edge > edges[i - 1]!)), "has buckets in disorder")
      complain(buckets.some(([, , number], i) => i > 0 && number < buckets[i - 1]![2]), "has buckets that do not add up")
    }
    return wrong
  })

const promtool = spawnSync("promtool", ["--version"]).status === 0

describe("/metrics", () => {
  it.effect("passes a linter, whatever was done", () =>
    Effect.gen(function*() {
      const web = yield* openWeb({ api: { tokens: new Map([["ci", "token"]]) } })
      const ana = yield* program(web, "ana", "den", "lobby")
      tell(ana, say("den", "hi"), { _tag: "Kick", room: "lobby", nick: "bo" })
      yield* fence(ana)
      yield* web.ask("/api/rooms/den/messages", { body: { text: "hi" }, token: "wrong" })
      yield* web.ask("/api/rooms", { headers: { origin: "http://evil.example" } })
      for (const request of [{ headers: { host: "evil.example" } }, { body: {}, headers: { origin: "http://evil.example" } }]) yield* web.ask("/", request)
      yield* web.ask("/api/rooms/den/messages", { body: { text: "hi" }, token: "token" })
      const { headers, status, text } = yield* web.ask("/metrics")
      assert.strictEqual(status, 200)
      assert.match(headers["content-type"]!, /^text\/plain; version=0\.0\.4/)
      const families = parse(text)
      const chat = families.filter(({ name }) => name.startsWith("chat_"))
      assert.deepStrictEqual(lint(chat), [])
      const names = families.map(({ name }) => name)
      for (const name of ["chat_connections", "chat_messages_total", "chat_deliveries_total", "chat_delivery_seconds", "chat_rooms", "chat_refused_total"]) assert.include(names, name)
      const refused = families.find(({ name }) => name === "chat_refused_total")!.samples.map(([, labels]) => labels.get("reason"))
      assert.includeMembers(refused, ["token", "origin", "host"])
      assert.notMatch(text, /nick|ana|evil/, "nothing of anybody")
      if (promtool) assert.strictEqual(execFileSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" }).trim(), "")
    }))

  it("the linter finds what is wrong", () => {
    const good = "# HELP a_total what\n# TYPE a_total counter\na_total{x=\"1\"} 1\n"
    assert.deepStrictEqual(lint(parse(good)), [])
    const histogram = (buckets: string) => `# HELP h_seconds what\n# TYPE h_seconds histogram\n${buckets}h_seconds_sum 1\nh_seconds_count 2\n`
    assert.deepStrictEqual(lint(parse(histogram("h_seconds_bucket{le=\"1\"} 1\nh_seconds_bucket{le=\"+Inf\"} 2\n"))), [])
    for (const bad of [
      good.replace("# HELP a_total what\n", ""),
      good.replaceAll("a_total", "a"),
      good.replace("counter", "gauge"),
      `${good}a_total{x="1"} 2\n`,
      histogram("h_seconds_bucket{le=\"1\"} 2\nh_seconds_bucket{le=\"+Inf\"} 1\n"),
      histogram("h_seconds_bucket{le=\"1\"} 1\n"),
      "# HELP a_milliseconds what\n# TYPE a_milliseconds gauge\na_milliseconds 1\n"
    ]) assert.isNotEmpty(lint(parse(bad)), bad)
    for (const none of ["a 1", "a{x=1} 1\n", "a{x=\"1\"} one\n", "1a 1\n", "a 1\nb 1\na 2\n", `${good}# TYPE a_total counter\n`]) assert.throws(() => parse(none), undefined, undefined, none)
  })
})
