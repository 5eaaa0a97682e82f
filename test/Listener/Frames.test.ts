/** Lines as frames: what a client reads from them is those lines, however long, and what is given to many is framed once. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Arbitrary from "effect/Arbitrary"
import * as Frames from "../../src/Listener/Frames.ts"
import { framesOf } from "../frames.ts"

const Lines = Schema.Array(Schema.Struct({ text: Schema.String, ending: Schema.Literals(["\n", "\r\n"]) }))

const bare = (text: string): string => text.replace(/[\r\n]/g, "")

describe("Frames", () => {
  it.prop("each line is a frame, without its end; nothing is none", { lines: Arbitrary.schema(Lines), last: Arbitrary.schema(Schema.String) }, ({ last, lines }) => {
    const bytes = Buffer.from(lines.map(({ ending, text }) => bare(text) + ending).join("") + bare(last))
    const wanted = [...lines.map(({ text }) => bare(text)), bare(last)].filter((text) => text !== "").map((text) => Buffer.from(text).toString())
    for (const opcode of [Frames.text, Frames.binary] as const) {
      const frames = framesOf(Frames.of(bytes, opcode))
      assert.deepStrictEqual(frames.map(({ payload }) => payload.toString()), wanted)
      assert.isTrue(frames.every((frame) => frame.opcode === opcode))
    }
  })

  it("of every length that is written in another way", () => {
    for (const length of [1, 125, 126, 127, 65_535, 65_536, 200_000]) {
      const line = Buffer.alloc(length, "x")
      const bytes = Frames.of(Buffer.concat([line, Buffer.from("\r\n"), line, Buffer.from("\n")]), Frames.text)
      assert.strictEqual(bytes[0], 0x81, "final, and nothing reserved")
      assert.strictEqual(bytes[1]! & 0x80, 0, "not masked (RFC 6455 5.1)")
      assert.deepStrictEqual(framesOf(bytes).map(({ payload }) => payload.length), [length, length])
      assert.strictEqual(bytes.length, 2 * (length + (length < 126 ? 2 : length < 65_536 ? 4 : 10)), "in as few bytes as it takes (5.2)")
    }
  })

  it("frames the same bytes once, whatever comes between, and again in another way", () => {
    const framed = Frames.framer()
    const [all, other] = [Buffer.from("one\ntwo\n"), Buffer.from("one\ntwo\n")]
    const frames = framed(all, Frames.text)
    assert.notStrictEqual(framed(other, Frames.text), frames)
    assert.notDeepEqual(framed(all, Frames.binary), frames)
    assert.strictEqual(framed(all, Frames.text), frames)
    for (let i = 0; i < 100; i++) framed(Buffer.from(`${i}\n`), Frames.text)
    assert.deepStrictEqual(framed(all, Frames.text), frames, "what was forgotten is framed again")
  })
})
