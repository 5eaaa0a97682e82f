import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Arbitrary from "effect/Arbitrary"
import type { Mark } from "../../src/Event.ts"
import { type Draft, Log, type Query, whispers } from "../../src/Log.ts"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { folder } from "./folders.ts"

/** One log in a folder for many histories: each has rooms of its own. */
class Folder extends Context.Service<Folder, { readonly log: Log["Service"]; history: number; last: number }>()("test/Folder") {
  static readonly layer = Layer.effect(
    Folder,
    Effect.map(Effect.flatMap(folder, (folder) => Sqlite.make({ folder })), (log) => ({ log, history: 0, last: 0 }))
  )
}

/** What happens where, and when: clocks step back (row 61). */
const Happening = Schema.Struct({
  what: Schema.Literals(["said", "said", "joined", "passed", "renamed", "whispered", "hinted", "typing", "nowhere"]),
  room: Schema.Literals(["a", "b"]),
  at: Schema.Literals([0, 1, 2, 3, 4, 5, 6]),
  bot: Schema.Boolean,
  more: Schema.Boolean
})
type Happening = typeof Happening.Type

/** A place by the number of a happening, by its id or by a time. */
const Place = Schema.Struct({ by: Schema.Literals(["nothing", "seq", "id", "at"]), n: Schema.Literals([-3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 90]) })
type Place = typeof Place.Type

const Question = Schema.Struct({
  room: Schema.Literals(["a", "b", "none", "s1 s2 "]),
  after: Place,
  before: Place,
  around: Place,
  isAround: Schema.Boolean,
  limit: Schema.Literals([0, 1, 2, 3, 5, 8, 100, -1]),
  earliest: Schema.Boolean,
  between: Schema.Boolean,
  messages: Schema.Boolean,
  until: Schema.Literals([-1, 3, 7, 15])
})
type Question = typeof Question.Type

const drafted = ({ at, bot, more, room, what }: Happening, i: number, history: number): Draft => {
  const named = `${room}${history}`
  const stamp = { at, id: `${history}-${i}`, by: "s1", ...(bot ? { bot } : {}), ...(more ? { more } : {}), ...(i % 3 === 0 ? { from: "u@h" } : {}) }
  switch (what) {
    case "said":
      return { ...stamp, event: { _tag: "Said", room: named, nick: "ana", text: `"${i}" \u0000 ✓`, kind: "message", tags: { "+x": "y" } }, to: named }
    case "joined":
      return { ...stamp, event: { _tag: "Joined", room: named, nick: "bo" }, to: named }
    case "passed":
      return { ...stamp, event: { _tag: "Passed", room: named, nick: "bo", bytes: new Uint8Array([i, 255]) }, to: named }
    case "renamed":
      return { ...stamp, event: { _tag: "Renamed", nick: "ana", to: "cy" }, to: { rooms: new Set([`a${history}`, `b${history}`]), sessions: ["s1"] } }
    case "whispered":
      return { ...stamp, event: { _tag: "Whispered", nick: "ana", to: "cy", text: "psst", kind: "action" }, to: { rooms: [], sessions: [`${history}s2`, `${history}s1`] } }
    case "hinted":
    case "typing":
      return {
        ...stamp,
        event: { _tag: "Hinted", nick: "ana", to: "cy", tags: what === "typing" ? { "+typing": "active" } : { "+typing": "done", "+x": "y" } },
        to: { rooms: [], sessions: [`${history}s1`, `${history}s2`] }
      }
    case "nowhere":
      return { ...stamp, event: { _tag: "Walloped", nick: "ana", text: "all" }, to: { rooms: [], sessions: ["s1", "s2"] } }
  }
}

const mark = ({ by, n }: Place, history: number, base: number): Mark | undefined =>
  by === "nothing" ? undefined : by === "seq" ? Math.max(0, n) + base : by === "id" ? { id: `${history}-${n}` } : { at: n }

const query = (question: Question, history: number, base: number): Query => {
  const { after, around, before, between, earliest, isAround, limit, messages, room, until } = question
  return {
    room: room.endsWith(" ") ? whispers([`${history}s1`, `${history}s2`]) : `${room}${history}`,
    after: isAround ? undefined : mark(after, history, base),
    before: isAround ? undefined : mark(before, history, base),
    limit: limit >= 0 ? limit : isAround ? 1000 : Infinity,
    messages,
    ...(earliest && !isAround ? { earliest } : {}),
    ...(between && !isAround ? { between } : {}),
    ...(isAround && around.by !== "nothing" ? { around: mark(around, history, base)! } : {}),
    ...(until < 0 ? {} : { until: until + base })
  }
}

describe("both logs", () => {
  layer(Folder.layer)((it) => {
    it.effect.prop(
      "whatever happened, every question is answered alike",
      {
        batches: Arbitrary.array(Arbitrary.array(Arbitrary.schema(Happening), { minLength: 1, maxLength: 8 }), { maxLength: 5 }),
        questions: Arbitrary.array(Arbitrary.schema(Question), { minLength: 8, maxLength: 20 })
      },
      ({ batches, questions }) =>
        Effect.gen(function*() {
          const folder = yield* Folder
          const history = ++folder.history
          const base = folder.last
          const memory = yield* Effect.scoped(Effect.provide(Log, Log.layerMemory({ history: 100 })))
          let count = 0
          for (const batch of batches) {
            const drafts = batch.map((happening) => drafted(happening, count++, history))
            const kept = yield* folder.log.append(drafts)
            folder.last = kept.at(-1)!.seq
            const remembered = yield* memory.append(drafts)
            assert.deepStrictEqual(kept, remembered.map((entry) => ({ ...entry, seq: entry.seq + base })))
          }
          for (const question of questions) {
            const found = yield* folder.log.read(query(question, history, base))
            const expected = yield* memory.read(query(question, history, 0))
            const entries = expected.entries.map((entry) => ({ ...entry, seq: entry.seq + base }))
            assert.deepStrictEqual(found, { ...expected, entries }, JSON.stringify(query(question, history, 0)))
          }
        }),
      { arbitrary: { runs: 200 } }
    )
  })

  it("there are questions of every kind", () => {
    assert.deepStrictEqual(query({ room: "a", after: { by: "id", n: 1 }, before: { by: "at", n: 2 }, around: { by: "nothing", n: 0 }, isAround: false, limit: 3, earliest: true, between: true, messages: false, until: 7 }, 1, 10), {
      room: "a1", after: { id: "1-1" }, before: { at: 2 }, limit: 3, messages: false, earliest: true, between: true, until: 17
    })
  })
})
