/** What is shown of a text, and where a text is cut. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Text from "../src/Text.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, hostileText, int, oneOf } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const suspects = [
  "\u0000", "\u0007", "\t", "\n", "\r", "\u001b", "\u007f", "\u0085", "\u009b", "\u009d", "\u061c", "\u200b", "\u200e", "\u200f", "\u2028", "\u2029",
  "\u202a", "\u202c", "\u202d", "\u202e", "\u2060", "\u2064", "\u2066", "\u2067", "\u2068", "\u2069", "\u206f", "\ufeff", "\ud800", "\udc00", "a", "שלום", "<U+202E>"
] as const
const text = oneOf<string>(
  hostileText,
  Arbitrary.map(Arbitrary.array(among(...suspects), { maxLength: 12 }), (parts) => parts.join(""))
)

const clusters = [
  "a", " ", "é", "e\u0301", "ß", "語", "👍🏽", "👩‍👩‍👧", "🏳️‍🌈", "🇩🇪", "한", "\u0e01\u0e33", "\r\n", "\u{1d11e}", "z\u0336\u0335\u0337"
] as const
const legible = Arbitrary.map(Arbitrary.array(among(...clusters), { maxLength: 40 }), (parts) => parts.join(""))
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const graphemes = (whole: string) => Array.from(segmenter.segment(whole), ({ segment }) => segment)

/** How many isolates are open after a text, and whether one was ever closed that was not open. */
const isolates = (shown: string) => {
  let open = 0
  for (const character of shown) {
    if (/[\u2066-\u2068]/.test(character)) open++
    if (character === "\u2069" && --open < 0) return "closed too many"
  }
  return open
}

describe("printable text", () => {
  it.prop("has no control, no override, no separator and no half character", { text }, ({ text }) => {
    assert.notMatch(Text.printable(text), /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u206a-\u206f\u200b\ufeff]/u)
  }, runs)

  it.prop("stays as it is", { text }, ({ text }) => {
    const shown = Text.printable(text)
    assert.strictEqual(Text.printable(shown), shown)
  }, runs)

  it.prop("closes every isolate that it opens", { text }, ({ text }) => {
    assert.strictEqual(isolates(Text.printable(text)), 0)
  }, runs)

  it.prop("is the text itself where nothing is suspicious", { text }, ({ text }) => {
    const harmless = text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200b\u202a-\u202e\u2060-\u206f\ufeff]/gu, "")
    assert.strictEqual(Text.printable(harmless), harmless)
  }, runs)

  it.prop("keeps what is not suspicious beside what is", { text: legible }, ({ text }) => {
    assert.strictEqual(Text.printable(`\u001b${text}\u0007`), `␛${text.replaceAll("\r\n", "␍␊")}␇`)
  }, runs)

  it("shows what was there by a sign", () => {
    const shown: ReadonlyArray<readonly [string, string]> = [
      ["\u001b[31mred", "␛[31mred"],
      ["\u009b31m", "␛31m"],
      ["a\tb", "a b"],
      ["a\nb\rc", "a␊b␍c"],
      ["\u0000\u0008\u007f", "␀␈␡"],
      ["\u0085", "<U+0085>"],
      ["a\u2028b", "a␤b"],
      ["abc\u202edef", "abc<U+202E>def"],
      ["\u200bx\ufeff", "<U+200B>x<U+FEFF>"],
      ["\ud83d!", "<U+D83D>!"],
      ["\u2067אב", "\u2067אב\u2069"],
      ["a\u2069b", "ab"],
      ["👩‍👩‍👧", "👩‍👩‍👧"]
    ]
    for (const [typed, seen] of shown) assert.strictEqual(Text.printable(typed), seen)
  })

  it("row 46: reordering ends with the line or is shown", () => {
    assert.strictEqual(Text.printable("\u2066\u2067\u2068 x \u2069"), "\u2066\u2067\u2068 x \u2069\u2069\u2069")
    assert.strictEqual(Text.printable("\u202a\u202b\u202c\u202d\u202e"), "<U+202A><U+202B><U+202C><U+202D><U+202E>")
    assert.strictEqual(Text.printable("\u206a\u2061\u200b"), "<U+206A><U+2061><U+200B>")
    assert.strictEqual(Text.printable("user\u2069\u2069\u2066"), "user\u2066\u2069")
  })

  it.prop("row 47: is one line, so that nobody forges a line of the log", { text }, ({ text }) => {
    assert.lengthOf(Text.printable(`${text}\n2026-01-01 INFO forged`).split(/[\n\r\v\f\u0085\u2028\u2029]/), 1)
  }, runs)
})

describe("text as it is mostly", () => {
  it.prop("is plain only where every character is printable ASCII, and then shown as it is", { text: oneOf<string>(text, Arbitrary.map(text, (some) => some.replace(/[^ -~]/g, ""))) }, ({ text }) => {
    const short = text.slice(0, Text.plainest)
    assert.strictEqual(Text.isPlain(short), /^[ -~]*$/.test(short))
    if (Text.isPlain(text)) assert.strictEqual(Text.printable(text), text)
  }, runs)

  it.prop("is UTF-8 when it is encoded, however long it is", { text, times: among(1, 7, 400) }, ({ text, times }) => {
    const whole = text.repeat(times)
    assert.deepStrictEqual(Buffer.from(Text.encode(whole)), Buffer.from(whole))
  }, runs)
})

describe("cut text", () => {
  it.prop("row 7: is a beginning of whole characters that fits, and the longest", { text: legible, max: int(0, 60) }, ({ max, text }) => {
    const cut = Text.truncate(text, max)
    const whole = graphemes(text)
    const kept = graphemes(cut).length
    assert.isAtMost(Text.byteLength(cut), max)
    assert.strictEqual(cut, whole.slice(0, kept).join(""))
    if (kept < whole.length) assert.isAbove(Text.byteLength(cut + whole[kept]!), max)
  }, { arbitrary: { runs: 2000 } })

  it("is some of it for one who must be given something, and never half a code point", () => {
    assert.deepStrictEqual([...Array(12).keys()].map((max) => Text.begun("👩‍👩x", max)), [0, 0, 0, 0, 2, 2, 2, 3, 3, 3, 3, 5].map((end) => "👩‍👩x".slice(0, end)))
    assert.strictEqual(Text.begun("ab👩‍👩", 12), "ab")
  })

  it("is found without looking at the whole of a long text", () => {
    assert.strictEqual(Text.truncate("x".repeat(10_000_000), 64), "x".repeat(64))
    assert.strictEqual(Text.truncate(`${"x".repeat(63)}e\u0301${"y".repeat(9)}`, 64), "x".repeat(63))
    assert.strictEqual(Text.truncate("👩‍👩‍👧", 17), "")
  })

  it.prop("without its last character is all the others", { text: legible }, ({ text }) => {
    assert.strictEqual(Text.withoutLast(text.slice(-40)), graphemes(text.slice(-40)).slice(0, -1).join(""))
    assert.strictEqual(Text.withoutLast(`${text}x`), text)
  }, runs)
})

describe("text", () => {
  it.prop("has as many bytes as its encoding", { text }, ({ text }) => {
    assert.strictEqual(Text.byteLength(text), Text.encode(text).length)
  }, runs)

  it("counts in the right number", () => {
    assert.deepStrictEqual([0, 1, 2].map((n) => Text.count(n, "message")), ["0 messages", "1 message", "2 messages"])
  })
})
