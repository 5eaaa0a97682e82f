/** The tutorial's server: bytes in, bytes out. */
import { assert, describe, it } from "@effect/vitest"
import type { Stamp } from "../../src/Dialect.ts"
import { raw } from "../../src/Dialect/Raw.ts"
import { Arbitraries } from "../../src/testing.ts"
import * as Text from "../../src/Text.ts"
import * as World from "../../src/World.ts"
import { openHouse } from "../world.ts"

const { anyEvent, hostileBytes } = Arbitraries
const open = (echo: boolean | undefined = undefined) => raw.open({ server: "test", echo })
const stamp = (mine: boolean): Stamp => ({ seq: 7, at: 0, id: "m7", mine })

describe("raw", () => {
  it("goes straight to the lobby", () => {
    assert.deepStrictEqual(open().outputs, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby" }])
  })

  it.prop("passes bytes on to others as they are, through the world", { bytes: hostileBytes }, ({ bytes }) => {
    const { outputs, state } = raw.receive(open().state, bytes)
    if (bytes.length === 0) return assert.isEmpty(outputs)
    assert.deepStrictEqual(outputs, [{ _tag: "Pass", room: "lobby", bytes }])
    const moment = { at: 0, guest: 1, server: "test", motd: [], epoch: "e", seq: 0, dialect: "raw", address: "::1", house: openHouse }
    let world = World.empty
    for (const command of [...open().outputs, ...outputs]) {
      if (command._tag === "Reply" || command._tag === "Close") continue
      for (const outcome of World.decide(world, "s1", command, moment)) {
        if (!World.isKept(outcome)) continue
        world = World.evolve(world, "s1", outcome.event, 0)
        const told = raw.tell(state, outcome.event, stamp(false)).bytes
        assert.deepStrictEqual(Buffer.from(told), Buffer.from(outcome.event._tag === "Passed" ? bytes : []))
      }
    }
  }, { arbitrary: { runs: 200 } })

  it("echoes unless it is told not to", () => {
    const passed = { _tag: "Passed", room: "lobby", nick: "ana", bytes: Uint8Array.of(0, 255) } as const
    for (const [echo, length] of [[undefined, 2], [true, 2], [false, 0]] as const) {
      const { state } = open(echo)
      assert.lengthOf(raw.tell(state, passed, stamp(true)).bytes, length)
      assert.lengthOf(raw.tell(state, passed, stamp(false)).bytes, 2)
    }
  })

  it.prop("tells what a host says and why it closes, and of all else nothing", { event: anyEvent }, ({ event }) => {
    const bytes = Buffer.from(raw.tell(open().state, event, stamp(false)).bytes)
    const expected = event._tag === "Said" ? Text.encode(`${event.text}\n`)
      : event._tag === "Closing" ? Text.encode(`${event.reason}\n`)
      : event._tag === "Passed" ? event.bytes
      : []
    assert.deepStrictEqual(bytes, Buffer.from(expected))
  }, { arbitrary: { runs: 300 } })

  it("ends without a word, and is never impatient", () => {
    const { state } = open()
    assert.deepStrictEqual(raw.end(state).outputs, [{ _tag: "Close", bytes: new Uint8Array(), reason: "" }])
    assert.isUndefined(raw.patience(state))
  })
})
