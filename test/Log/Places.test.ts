/** Where entries lie in the file of a log, in whatever room of how many. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Reader } from "../../src/Log/Sqlite/Reader.ts"
import { end, maxRooms, place, seqOf, shelfOf } from "../../src/Log/Sqlite/Schema.ts"
import { entriesOf, written } from "../../src/Log/Sqlite/Passing.ts"
import { Writer } from "../../src/Log/Sqlite/Writer.ts"
import { Arbitraries } from "../../src/testing.ts"
import { folder, said, textsOf } from "./folders.ts"

const { among, int, oneOf } = Arbitraries

const database = new DatabaseSync(":memory:")
const asked = database.prepare(`SELECT CAST(${place("?1", "?2")} AS TEXT) AS place, ${seqOf(place("?1", "?2"))} AS seq`)

const open = (place: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Writer({ folder: place, epoch: "e", retain: undefined, retainSize: undefined })),
    (writer) => Effect.sync(() => writer.close())
  )

/** Entry `1` in so many rooms, then ten messages by turns in two that are new. */
const peopled = (writer: Writer, rooms: number): void => {
  const all = [
    ...Array.from({ length: rooms }, (_, i) => said(`r${i}`, "1")),
    ...Array.from({ length: 10 }, (_, i) => said(i % 2 === 0 ? "late" : "later", `m${i}`))
  ]
  for (let i = 0; i < all.length; i += 1000) writer.append({ first: writer.last + 1, drafts: written(all.slice(i, i + 1000)) })
}

const readIn = (place: string) => {
  const reader = new Reader({ folder: place })
  try {
    const { entries } = reader.read({ room: "late", after: undefined, before: undefined, limit: 100, messages: true })
    const all = entriesOf(reader.inOrder({ after: 0, upTo: end, limit: 100_000 }))
    return {
      late: entriesOf(entries).map(({ event, seq }) => [event._tag === "Said" ? event.text : "", seq]),
      seqs: all.map(({ seq }) => seq),
      last: textsOf(all.slice(-10)).join(" ")
    }
  } finally {
    reader.close()
  }
}

const expected = (rooms: number) => ({
  late: [0, 2, 4, 6, 8].map((i) => [`m${i}`, rooms + i + 1]),
  seqs: Array.from({ length: rooms + 10 }, (_, i) => i + 1),
  last: Array.from({ length: 10 }, (_, i) => `m${i}`).join(" ")
})

describe("the place of an entry", () => {
  const room = oneOf<number>(int(0, maxRooms), among(0, 4095, 4096, 8191, 8192, maxRooms))
  const seq = oneOf(int(-1, end), int(1, 1000))

  it.prop("is that of its shelf and number, to the last digit", { room, seq, said: among(0, 1) }, ({ room, said, seq }) => {
    const shelf = shelfOf(room, said)
    const found = asked.get(shelf, seq)
    assert.strictEqual(String(found?.["place"]), String((BigInt(shelf) << 40n) + BigInt(seq)))
    if (seq >= 0 && seq < end) assert.strictEqual(Number(found?.["seq"]), seq)
  })

  for (const rooms of [4095, 20_000]) {
    it.effect(`row 55: of more than ${rooms} rooms everything is there, under the numbers that were shown`, () =>
      Effect.gen(function*() {
        const place = yield* folder
        peopled(yield* open(place), rooms)
        assert.deepStrictEqual(readIn(place), expected(rooms))
      }))
  }

  it.effect("that was rounded by an earlier version is put right when the log is opened", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const rooms = 17_000
      yield* Effect.scoped(Effect.map(open(place), (writer) => peopled(writer, rooms)))
      const database = new DatabaseSync(join(place, "log.db"))
      // As they would have been kept: what found its place taken was refused.
      const lost: Array<number> = []
      for (const { seq, shelf } of database.prepare("SELECT seq, shelf FROM ordinal ORDER BY seq").all()) {
        const right = (BigInt(Number(shelf)) << 40n) + BigInt(Number(seq))
        const rounded = BigInt(Number(right))
        if (rounded === right) continue
        if (database.prepare("SELECT 1 FROM entry WHERE place = ?").get(rounded) === undefined) {
          database.prepare("UPDATE entry SET place = ? WHERE place = ?").run(rounded, right)
        } else {
          database.prepare("DELETE FROM entry WHERE place = ?").run(right)
          database.prepare("DELETE FROM ordinal WHERE seq = ?").run(Number(seq))
          lost.push(Number(seq))
        }
      }
      database.close()
      assert.isAbove(expected(rooms).seqs.length - readIn(place).seqs.length - lost.length, 1000)
      for (let times = 0; times < 2; times++) {
        yield* Effect.scoped(open(place))
        const { late, seqs } = readIn(place)
        const all = expected(rooms)
        assert.deepStrictEqual(seqs, all.seqs.filter((seq) => !lost.includes(seq)))
        assert.deepStrictEqual(late, all.late.filter(([, seq]) => !lost.includes(Number(seq))))
      }
    }))
})
