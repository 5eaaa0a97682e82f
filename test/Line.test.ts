/** Bytes to lines, wherever they are cut. */
import { assert, describe, it } from "@effect/vitest"
import { isUtf8 } from "node:buffer"
import * as Line from "../src/Line.ts"
import * as Text from "../src/Text.ts"
import { Arbitraries } from "../src/testing.ts"

const { cuts, hostileBytes, int, pieces } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const split = (parts: ReadonlyArray<Uint8Array>) => {
  const lines: Array<Line.Line> = []
  let pending = Line.nothing
  for (const part of parts) {
    const step = Line.split(pending, part)
    lines.push(...step.lines)
    pending = step.pending
  }
  return { lines, pending: Buffer.from(pending) }
}
const linesOf = (bytes: Uint8Array | string) => split([typeof bytes === "string" ? Text.encode(bytes) : bytes]).lines

describe("lines", () => {
  it.prop("are the same wherever the bytes are cut", { bytes: hostileBytes, sizes: cuts }, ({ bytes, sizes }) => {
    assert.deepStrictEqual(split(pieces(bytes, sizes)), split([bytes]))
  }, runs)

  it.prop("that are printable ASCII are the same as others", { bytes: hostileBytes }, ({ bytes }) => {
    // Behind something pending nothing is taken for simple.
    const all = Buffer.from(Buffer.from(bytes).toString("latin1").replace(/[^ -~\r\n]/g, "") + "\n")
    assert.deepStrictEqual(linesOf(all), split([Text.encode("+"), all]).lines.map((line, i) => i === 0 ? (line as string).slice(1) : line))
    assert.deepStrictEqual(Line.simple(all), /\r(?!\n)/.test(all.toString()) ? undefined : linesOf(all) as ReadonlyArray<string>)
  }, runs)

  it.prop("have words that are what is written there, whichever came before", { bytes: hostileBytes, cut: int(0, 40) }, ({ bytes, cut }) => {
    const chunk = Buffer.from(Buffer.from(bytes).toString("latin1").replace(/[^ -~]/g, "."))
    const to = Math.min(cut, chunk.length)
    for (let from = 0; from <= to; from++) assert.strictEqual(Line.word(chunk, from, to), chunk.toString("latin1", from, to))
  }, runs)

  it.prop("are what is between the line feeds, byte for byte", { bytes: hostileBytes, sizes: cuts }, ({ bytes, sizes }) => {
    const { lines, pending } = split(pieces(bytes, sizes))
    const between = Buffer.from(bytes).toString("latin1").split("\n").map((part) => Buffer.from(part, "latin1"))
    assert.deepStrictEqual(pending, between.pop())
    assert.strictEqual(lines.length, between.length)
    lines.forEach((line, i) => {
      const part = between[i]!
      if (typeof line === "string") assert.strictEqual(line, part.toString("utf8").replace(/\r$/, ""))
      else assert.strictEqual(line.invalid, part.length)
      assert.strictEqual(typeof line === "string", isUtf8(part))
    })
  }, runs)

  it.prop("do not hold on to the chunk that they came in", { bytes: hostileBytes }, ({ bytes }) => {
    const { pending } = Line.split(Line.nothing, bytes)
    const before = Buffer.from(pending)
    bytes.fill(0x78)
    assert.deepStrictEqual(Buffer.from(pending), before)
  }, runs)

  it("row 2: end in LF or CRLF, and in nothing else", () => {
    assert.deepStrictEqual(linesOf("a\nb\r\n\r\nc\rd\ne\r\0f\n\n\r\r\ng"), ["a", "b", "", "c\rd", "e\r\0f", "", "\r"])
  })

  it("are never made up from bytes that are not UTF-8", () => {
    const broken = ["c0af", "eda080", "f09f98", "f4908080", "ff", "80", "e28028"]
    for (const hex of broken) {
      const bytes = Buffer.concat([Buffer.from("ok\n"), Buffer.from(hex, "hex"), Buffer.from("\nalso ok\n")])
      assert.deepStrictEqual(linesOf(bytes), ["ok", { invalid: hex.length / 2, start: "" }, "also ok"])
    }
  })

  it("tell how they start when they are not UTF-8, as far as that is ASCII", () => {
    const [broken, next] = linesOf(Uint8Array.from(Buffer.from("PRIVMSG #den :h\xc3 x\nok\n", "latin1")))
    assert.deepStrictEqual([broken, next], [{ invalid: 18, start: "PRIVMSG #den :h" }, "ok"])
  })

  it("keep a byte order mark unless asked to drop it from the first", () => {
    assert.deepStrictEqual(linesOf("\ufeffa\n\ufeffb\n"), ["\ufeffa", "\ufeffb"])
    assert.deepStrictEqual(["\ufeffa", "a", "\ufeff\ufeff", ""].map(Line.withoutBOM), ["a", "a", "\ufeff", ""])
  })
})

describe("the last line", () => {
  it("needs no line feed, and is none when nothing came", () => {
    const last = (text: string | Uint8Array) => Line.last(split([typeof text === "string" ? Text.encode(text) : text]).pending)
    assert.strictEqual(last("a\nb"), "b")
    assert.strictEqual(last("a\nb\r"), "b")
    assert.isUndefined(last("a\n"))
    assert.deepStrictEqual(last(Uint8Array.of(0x61, 0xc3)), { invalid: 2, start: "a" })
  })
})

describe("a line's length", () => {
  const found = (parts: ReadonlyArray<Uint8Array>, max: number) => {
    let pending = Line.nothing
    for (const part of parts) {
      const step = Line.split(pending, part)
      if (step.lines.some((line) => Line.longerThan(line, max)) || Line.outgrown(step.pending, max)) return true
      pending = step.pending
    }
    const end = Line.last(pending)
    return end !== undefined && Line.longerThan(end, max)
  }

  it.prop("is found too long by its bytes, and wherever it is cut", { bytes: hostileBytes, sizes: cuts, max: int(0, 40) }, ({ bytes, max, sizes }) => {
    const size = (line: Line.Line) => typeof line === "string" ? Text.byteLength(line) : line.invalid
    const whole = split([bytes])
    const end = Line.last(whole.pending)
    const long = [...whole.lines, ...(end === undefined ? [] : [end])].some((line) => size(line) > max)
    assert.strictEqual(found(pieces(bytes, sizes), max), long)
    assert.strictEqual(found([bytes], max), long)
  }, runs)

  it("does not count its end", () => {
    for (const end of ["\n", "\r\n", ""]) {
      for (const [length, long] of [[8, false], [9, true]] as const) {
        const bytes = Text.encode("x".repeat(length) + end)
        for (let at = 0; at <= bytes.length; at++) {
          assert.strictEqual(found([bytes.subarray(0, at), bytes.subarray(at)], 8), long, `${length} and ${JSON.stringify(end)} cut at ${at}`)
        }
      }
    }
  })
})
