/** Bytes that are put together in one place. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import { Sheet } from "../src/Sheet.ts"
import { Arbitraries } from "../src/testing.ts"
import * as Text from "../src/Text.ts"

const { among, hostileText, int, oneOf } = Arbitraries

const printable = Arbitrary.map(Arbitrary.array(int(0x20, 0x7e), { maxLength: 200 }), (codes) => String.fromCharCode(...codes))
const parts = Arbitrary.array(oneOf<string>(hostileText, printable), { maxLength: 20 })

describe("a sheet", () => {
  const sheet = new Sheet()

  it.prop("has the bytes of what was put there, however it was", { parts }, ({ parts }) => {
    sheet.clear()
    for (const part of parts) {
      const before = sheet.length
      const isPlain = sheet.plain(part)
      assert.strictEqual(isPlain, Text.isPlain(part))
      if (!isPlain) {
        sheet.length = before
        sheet.text(part)
      }
      sheet.byte(0x0a)
      sheet.bytes(Buffer.from(` ${part} `), 1, 1 + Buffer.byteLength(part))
    }
    // Each by itself: the halves of an emoji do not find each other across two parts.
    assert.deepStrictEqual(Buffer.from(sheet.taken()), Buffer.concat(parts.map((part) => Buffer.from(`${part}\n${part}`))))
  }, { arbitrary: { runs: 500 } })

  it.prop("takes a text for printable ASCII that is that to its last character, however little room there is", {
    length: int(1, 70),
    odd: oneOf<string>(among("\u0000", "\u001f", "\u007f", "\u0080", "\u00ff", "\u0141", "\ud83d\ude00", "\ud800", "\n", "~", " "), printable),
    at: int(0, 70),
    room: int(0, 80)
  }, ({ at, length, odd, room }) => {
    const text = "x".repeat(Math.min(at, length)) + odd + "x".repeat(Math.max(0, length - at))
    sheet.clear()
    sheet.bytes(new Uint8Array(32_768 - room))
    assert.strictEqual(sheet.plain(text), Text.isPlain(text))
  }, { arbitrary: { runs: 1000 } })

  it("grows, and what was taken of it stays as it was", () => {
    sheet.clear()
    for (let i = 0; i < 2000; i++) sheet.plain("x".repeat(100))
    sheet.text("é".repeat(100_000))
    const taken = sheet.taken()
    sheet.clear()
    sheet.text("something else")
    assert.deepStrictEqual(Buffer.from(taken), Buffer.from("x".repeat(200_000) + "é".repeat(100_000)))
    assert.strictEqual(Buffer.from(sheet.taken()).toString(), "something else")
  })

  it("is lent as it is, unless it is long, and used again unless that is lost", () => {
    const put = (text: string): string | undefined => {
      sheet.clear()
      sheet.text(text)
      const lent = sheet.lent()
      return lent && Buffer.from(lent).toString()
    }
    assert.strictEqual(put("one"), "one")
    const lent = sheet.lent()!
    assert.strictEqual(put("two"), "two")
    assert.strictEqual(Buffer.from(lent).toString(), "two", "it is the same place")
    sheet.lose()
    assert.strictEqual(put("six"), "six")
    assert.strictEqual(Buffer.from(lent).toString(), "two", "it is another")
    assert.isUndefined(put("x".repeat(10_000)))
    assert.isUndefined(put("x".repeat(50_000)))
    assert.strictEqual(put("ten"), "ten")
  })

  it("takes words where words are asked for", () => {
    sheet.clear()
    assert.isTrue(sheet.plain("word", 0x21))
    assert.isFalse(sheet.plain("two words", 0x21))
  })
})
