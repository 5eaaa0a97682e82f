/**
 * The dashboard in `scripts/grafana.json`: whatever it asks for is there, by its name, its labels and their values.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { folder } from "./clients.ts"
import { ask } from "./Http/web.ts"
import { eventually, program, root, socket } from "./support.ts"

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>
}

const dashboard = JSON.parse(readFileSync(`${root}scripts/grafana.json`, "utf8")) as {
  readonly panels: ReadonlyArray<Panel>
  readonly templating: { readonly list: ReadonlyArray<{ readonly name: string; readonly definition?: string }> }
}
const targets = dashboard.panels.flatMap((panel) => panel.targets)
const expressions = [...targets.map(({ expr }) => expr), ...dashboard.templating.list.flatMap(({ definition }) => definition ?? [])]

/** Labels that Prometheus puts on what it takes from a server, and those it makes of histograms. */
const ofPrometheus = ["job", "instance", "le"]

/** Samples by name: the labels each of them has. */
const samples = (text: string): ReadonlyMap<string, ReadonlyArray<Readonly<Record<string, string>>>> => {
  const found = new Map<string, Array<Record<string, string>>>()
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(?:\{(.*)\})? \S+$/.exec(line)
    if (match === null) continue
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]))
    found.set(match[1]!, [...found.get(match[1]!) ?? [], labels])
  }
  return found
}

/** What an expression asks for: names of metrics, what it wants of their labels, and by which it adds up. */
const asked = (expression: string) => ({
  metrics: [...expression.matchAll(/\b(chat_[a-z_]+)(?:\{([^}]*)\})?/g)].map(([, name, inside]) => ({
    name: name!,
    wants: [...(inside ?? "").matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label, value]) => [label!, value!] as const)
  })),
  by: [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(",").map((label) => label.trim()))
})

describe("the Grafana dashboard", () => {
  it.live("asks for nothing that /metrics does not have", () =>
    Effect.gen(function*() {
      // A log in a folder takes time, which is counted.
      const server = yield* program(["--max-clients", "1", "--backlog", "1", "--data", yield* folder])
      const ana = yield* socket(server.port)
      ana.net.write("/nick ana\n/nonsense\n/join den\nhi\n/msg ana psst\n/kick nobody\n")
      yield* Effect.promise(() => ana.until((text) => text.includes("nobody called nobody")))
      const bo = yield* socket(server.port)
      const cy = yield* socket(server.port)
      yield* Effect.promise(() => cy.ended)
      bo.net.destroy()
      ana.net.end("/quit\n")
      yield* Effect.promise(() => ana.ended)
      const metrics = Effect.map(ask(server.port, "/metrics"), ({ text }) => samples(text))
      yield* eventually("the server looked at itself", async () => (await Effect.runPromise(metrics)).has("chat_send_queue_bytes"))
      const there = yield* metrics
      assert.isAbove(expressions.length, 20)
      for (const expression of expressions) {
        const { by, metrics } = asked(expression)
        assert.isNotEmpty(metrics, expression)
        for (const { name, wants } of metrics) {
          const of = there.get(name)
          assert.isDefined(of, `${name}, which ${expression} asks for`)
          for (const label of [...by, ...wants.map(([wanted]) => wanted)]) {
            if (!ofPrometheus.includes(label)) assert.isTrue(of!.some((labels) => label in labels), `${label} of ${name}, which ${expression} asks for`)
          }
          for (const [label, values] of wants) {
            if (!ofPrometheus.includes(label)) assert.isTrue(of!.some((labels) => values.split("|").includes(labels[label]!)), `${label}=~${values} of ${name}`)
          }
        }
      }
    }))

  it("names in its legends what it adds up by, and has every panel in a place of its own", () => {
    for (const { expr, legendFormat } of targets) {
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) assert.include(asked(expr).by, label)
    }
    const { panels } = dashboard
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
    for (const [i, { gridPos: a }] of panels.entries()) {
      assert.isAtMost(a.x + a.w, 24)
      for (const { gridPos: b } of panels.slice(i + 1)) {
        assert.isFalse(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h, "two panels in one place")
      }
    }
  })
})
