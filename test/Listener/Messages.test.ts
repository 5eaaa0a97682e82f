/** Messages from frames: the same wherever the network cuts them and however a client fragments and masks them, and total on any bytes. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { codes, type Listener, maxMessage, Messages } from "../../src/Listener/Messages.ts"
import { Arbitraries } from "../../src/testing.ts"
import { frame } from "../frames.ts"

const { cuts, hostileBytes, pieces } = Arbitraries
const runs = { arbitrary: { runs: 300 } }

type Heard = readonly [what: string, value?: unknown]

/** All that is heard of these bytes, which are left as they are. */
const heard = (parts: ReadonlyArray<Uint8Array>): ReadonlyArray<Heard> => {
  const all: Array<Heard> = []
  const listener: Listener = {
    onMessage: (bytes, isBinary) => all.push([isBinary ? "bytes" : "text", bytes.toString("latin1")]),
    onPing: (bytes) => all.push(["ping", bytes.toString("latin1")]),
    onPong: () => all.push(["pong"]),
    onClose: (code) => all.push(["close", code]),
    onFault: (code) => all.push(["fault", code])
  }
  const messages = new Messages(listener)
  for (const part of parts) messages.receive(Buffer.from(part))
  return all
}

const Sent = Schema.Array(Schema.Struct({
  text: Schema.String,
  isBinary: Schema.Boolean,
  fragments: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))),
  ping: Schema.Boolean
}))

describe("messages", () => {
  it.prop("are what was sent, however it was fragmented and cut, and pings come between", { sent: Arbitrary.schema(Sent), sizes: cuts }, ({ sent, sizes }) => {
    const frames: Array<Buffer> = []
    const wanted: Array<Heard> = []
    for (const { fragments, isBinary, ping, text } of sent) {
      const bytes = Buffer.from(text)
      let at = 0
      for (const [i, size] of fragments.entries()) {
        frames.push(frame(i === 0 ? isBinary ? 2 : 1 : 0, bytes.subarray(at, at + size), { fin: false }))
        at += size
        if (ping && i === 0) frames.push(frame(9, "still there?"))
      }
      frames.push(frame(fragments.length > 0 ? 0 : isBinary ? 2 : 1, bytes.subarray(at)))
      if (ping && fragments.length > 0) wanted.push(["ping", "still there?"])
      wanted.push([isBinary ? "bytes" : "text", bytes.toString("latin1")])
    }
    const all = Buffer.concat(frames)
    assert.deepStrictEqual(heard([all]), wanted)
    assert.deepStrictEqual(heard(pieces(all, sizes)), wanted)
  }, runs)

  it.prop("are the same wherever bytes are cut that nobody should send, and the first fault is the last thing heard", { bytes: hostileBytes, sizes: cuts }, ({ bytes, sizes }) => {
    const whole = heard([bytes])
    assert.deepStrictEqual(heard(pieces(bytes, sizes)), whole)
    const over = whole.findIndex(([what]) => what === "fault" || what === "close")
    assert.isTrue(over === -1 || over === whole.length - 1)
  }, runs)

  const Flips = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 })))
  it.prop("are the same wherever frames are cut in which bits are wrong", { sent: Arbitrary.schema(Sent), flips: Arbitrary.schema(Flips), sizes: cuts }, ({ flips, sent, sizes }) => {
    const frames = Buffer.concat(sent.flatMap(({ fragments, isBinary, text }) => [frame(isBinary ? 2 : 1, text, { fin: fragments.length === 0 }), ...fragments.map((of) => frame(of % 16, text.slice(0, of)))]))
    for (const at of flips) if (frames.length > 0) frames[(at >> 3) % frames.length]! ^= 1 << (at & 7)
    assert.deepStrictEqual(heard(pieces(frames, sizes)), heard([frames]))
  }, { arbitrary: { runs: 1000 } })

  it("are as long as they may be, by every way to write a length", () => {
    for (const length of [0, 1, 3, 4, 125, 126, 65_535, maxMessage]) {
      const text = "x".repeat(length)
      assert.deepStrictEqual(heard([frame(1, text)]), [["text", text]])
    }
    assert.deepStrictEqual(heard([frame(1, "x".repeat(maxMessage + 1))]), [["fault", codes.tooBig]])
  })

  it("what is wrong is noticed as soon as it can be", () => {
    assert.deepStrictEqual(heard([frame(1, "x", { length: 2n ** 63n }).subarray(0, 14)]), [["fault", codes.tooBig]])
    assert.deepStrictEqual(heard([frame(3, "x").subarray(0, 2)]), [["fault", codes.protocol]])
  })

  it("a goodbye has a code that there is, or none", () => {
    const closing = (...bytes: ReadonlyArray<number>) => heard([frame(8, Buffer.from(bytes))])
    assert.deepStrictEqual(closing(), [["close", codes.none]])
    for (const code of [1000, 1001, 1002, 1003, 1007, 1014, 3000, 4999]) assert.deepStrictEqual(closing(code >> 8, code & 255), [["close", code]])
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535]) assert.deepStrictEqual(closing(code >> 8, code & 255), [["fault", codes.protocol]])
    assert.deepStrictEqual(closing(3, 232, 0xff), [["fault", codes.notText]])
  })
})
