/** What is left of a line when telnet and the editing keys have had their part. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Telnet from "../src/Telnet.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, cuts, hostileBytes, hostileText, int, oneOf, pieces } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const IAC = 255
const DONT = 254
const DO = 253
const WONT = 252
const WILL = 251
const SB = 250
const SE = 240

/** All that comes of some chunks. */
const hear = (chunks: ReadonlyArray<Uint8Array>) => {
  const data: Array<number> = []
  const replies: Array<number> = []
  let telnet = Telnet.start
  for (const chunk of chunks) {
    let rest = chunk
    while (rest.length > 0) {
      const heard = Telnet.hear(telnet, rest)
      telnet = heard.telnet
      rest = heard.rest
      data.push(...heard.data)
      replies.push(...heard.reply)
      if (heard.stopped !== "") return { data, replies, telnet, stopped: heard.stopped }
    }
  }
  return { data, replies, telnet, stopped: "" as const }
}

interface Part {
  readonly data: ReadonlyArray<number>
  readonly sent: ReadonlyArray<number>
  readonly offer: readonly [verb: number, option: number] | undefined
}
const doubled = (bytes: ReadonlyArray<number>) => bytes.flatMap((byte) => byte === IAC ? [IAC, IAC] : [byte])
const bytes = Arbitrary.array(oneOf(int(0, 255), among(IAC, SE, WILL)), { maxLength: 12 })

/** Pieces of a telnet session: data, offers, subnegotiations, commands that mean nothing here. */
const part: Arbitrary.Arbitrary<Part> = oneOf<Part>(
  Arbitrary.map(bytes, (data) => ({ data, sent: doubled(data), offer: undefined })),
  Arbitrary.map(Arbitrary.all({ verb: among(WILL, WONT, DO, DONT), option: among(0, 1, 3, 31, IAC) }), ({ option, verb }) => ({
    data: [],
    sent: [IAC, verb, option],
    offer: [verb, option] as const
  })),
  Arbitrary.map(bytes, (sub) => ({ data: [], sent: [IAC, SB, ...doubled(sub), IAC, SE], offer: undefined })),
  Arbitrary.map(among(241, 242, 243, 246, 249), (command) => ({ data: [], sent: [IAC, command], offer: undefined }))
)
const parts = Arbitrary.array(part, { maxLength: 12 })
const sent = (session: ReadonlyArray<Part>) => Uint8Array.from(session.flatMap((one) => one.sent))

describe("telnet", () => {
  it.prop("leaves the data and nothing else, wherever it is cut", { session: parts, sizes: cuts }, ({ session, sizes }) => {
    const heard = hear(pieces(sent(session), sizes))
    assert.deepStrictEqual(heard.data, session.flatMap((one) => one.data))
    assert.strictEqual(heard.telnet.at, "data")
  }, runs)

  it.prop("is told no to each offer, once", { session: parts, sizes: cuts }, ({ session, sizes }) => {
    const offers = new Map<string, ReadonlyArray<number>>()
    for (const { offer } of session) {
      if (offer === undefined || (offer[0] !== WILL && offer[0] !== DO)) continue
      offers.set(offer.join(), [IAC, offer[0] === WILL ? DONT : WONT, offer[1]])
    }
    assert.deepStrictEqual(hear(pieces(sent(session), sizes)).replies, [...offers.values()].flat())
  }, runs)

  it.prop("comes to the same wherever any bytes are cut", { bytes: hostileBytes, sizes: cuts }, ({ bytes, sizes }) => {
    assert.deepStrictEqual(hear(pieces(bytes, sizes)), hear([bytes]))
  }, runs)

  it.prop("hands on a chunk without any of it untouched", { bytes: hostileBytes }, ({ bytes }) => {
    const chunk = bytes.filter((byte) => byte !== IAC)
    assert.strictEqual(Telnet.hear(Telnet.start, chunk).data, chunk)
  }, runs)

  it("row 9: is answered once or ignored, and bounded", () => {
    const twice = [IAC, WILL, 1, IAC, DO, 3, IAC, WILL, 1, IAC, DO, 3, IAC, WONT, 1, IAC, DONT, 3, IAC, IAC, 0x61]
    const bytewise = hear(pieces(Uint8Array.from(twice), [1]))
    assert.deepStrictEqual(bytewise.replies, [IAC, DONT, 1, IAC, WONT, 3])
    assert.deepStrictEqual(bytewise.data, [IAC, 0x61])

    const sub = (length: number) => Uint8Array.from([IAC, SB, 24, ...Array.from({ length: length - 1 }, () => 0), IAC, SE, 0x61])
    assert.deepInclude(hear([sub(Telnet.maxSubnegotiation)]), { stopped: "", data: [0x61] })
    assert.deepInclude(hear([sub(Telnet.maxSubnegotiation + 1)]), { stopped: "flooded", data: [] })
    const many = Buffer.concat(Array.from({ length: 9 }, () => sub(1_000)))
    assert.deepInclude(hear([many]), { stopped: "", data: Array.from({ length: 9 }, () => 0x61) }, "each by itself")
    assert.deepInclude(hear(pieces(sub(5_000), [7])), { stopped: "flooded", data: [] })
    const doubles = Array.from({ length: 5_000 }, () => IAC)
    assert.strictEqual(hear([Uint8Array.from([IAC, SB, ...doubles])]).stopped, "flooded", "IAC IAC counts too")

    const every = [WILL, DO].flatMap((verb) => Array.from({ length: 256 }, (_, option) => [IAC, verb, option]).flat())
    const { replies, telnet } = hear([Uint8Array.from([...every, ...every])])
    assert.lengthOf(replies, every.length)
    assert.isAtMost(telnet.answered.length, 512)
  })

  it("ends when the person asks it to, and what comes after does not count", () => {
    for (const command of [244, 236, 238]) {
      const heard = Telnet.hear(Telnet.start, Uint8Array.from([0x61, IAC, command, 0x62]))
      assert.strictEqual(heard.stopped, "asked")
      assert.deepStrictEqual([...heard.data], [0x61])
    }
  })
})

describe("an edited line", () => {
  it.prop("has no editing key left in it", { text: hostileText }, ({ text }) => {
    assert.notMatch(Telnet.edit(text), /[\b\u007f\u0015\u0017]/)
  }, runs)

  it.prop("is the line itself when no key was pressed", { text: hostileText }, ({ text }) => {
    const typed = text.replace(/[\b\u007f\u0015\u0017\u001b]/g, "")
    assert.strictEqual(Telnet.edit(typed), typed)
  }, runs)

  it.prop("has lost a whole character by each backspace", {
    before: hostileText,
    character: among("x", "é", "語", "👩‍👩‍👧", "🇩🇪", "e\u0301", "🏳️‍🌈"),
    key: among("\b", "\u007f")
  }, ({ before, character, key }) => {
    assert.strictEqual(Telnet.edit(`${before}a${character}${key}`), Telnet.edit(`${before}a`))
  }, runs)

  it.prop("begins anew after ^U", { before: hostileText, after: hostileText }, ({ after, before }) => {
    assert.strictEqual(Telnet.edit(`${before}x\u0015${after}`), Telnet.edit(after))
  }, runs)

  it("is what the person meant", () => {
    const meant: ReadonlyArray<readonly [string, string]> = [
      ["helo\blo", "hello"],
      ["\b\b\u007fa", "a"],
      ["one two\u0017three", "one three"],
      ["one two  \u0017three", "one three"],
      ["one\u0017", ""],
      ["\u0017a", "a"],
      ["a\u001b[A\u001b[1;5Cb\u001bOPc\u001b[3~", "abc"],
      ["a\u001b[\u001b", "a\u001b[\u001b"],
      ["\u001b]52;c;eA==\u0007", "\u001b]52;c;eA==\u0007"],
      [`\u001b[${"1".repeat(40)}m`, `\u001b[${"1".repeat(40)}m`]
    ]
    for (const [typed, line] of meant) assert.strictEqual(Telnet.edit(typed), line, JSON.stringify(typed))
  })
})
