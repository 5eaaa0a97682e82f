/** What a session has heard, as bytes for its client. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Batch } from "../src/Batch.ts"
import type { Connection } from "../src/Connection.ts"
import { Delivery } from "../src/Delivery.ts"
import { plain } from "../src/Dialect/Plain.ts"
import type { Entry } from "../src/Event.ts"
import { Subscription } from "../src/Subscription.ts"
import { Memory } from "../src/testing.ts"
import type { Recall } from "../src/World.ts"
import { open } from "./house.ts"

describe("what a session is told", () => {
  it.effect("is not overwritten by what another is told, as long as its connection needs it", () =>
    Effect.gen(function*() {
      const { hub } = yield* open()
      const given: Array<Uint8Array> = []
      const told = (text: string, done: boolean) => {
        const { connection } = Memory.makeConnection()
        const heard: Connection = {
          ...connection,
          lend: (bytes) => {
            given.push(done ? Uint8Array.from(bytes) : bytes)
            return done
          }
        }
        const { state } = plain.open({ server: "test", echo: true })
        const subscription = new Subscription("s1", "plain", "memory", { ring: () => {} })
        const entries = ["s1", "s2"].map((by, i): Entry => ({ seq: i + 1, at: 0, id: `m${i}`, by, event: { _tag: "Said", room: "lobby", nick: by, text, kind: "message" } }))
        new Delivery(hub, heard, subscription, { dialect: plain, state }, { untilRoom: () => Effect.succeed(true) }).giveBatch(new Batch("lobby", 0, 0, { entries }))
      }
      for (const [i, done] of [true, false, true, false, false, true].entries()) told(`text ${i}`, done)
      assert.deepStrictEqual(given.map((bytes) => Buffer.from(bytes).toString()), given.map((_, i) => `s1: text ${i}\ns2: text ${i}\n`))
    }))

  it.effect("ends with why it is over, whatever it had asked the log for behind that", () =>
    Effect.gen(function*() {
      const { hub } = yield* open()
      for (const why of ["asked", "resumed"] as const) {
        const client = Memory.makeConnection()
        const subscription = new Subscription("s1", "plain", "memory", { ring: () => {} })
        const { state } = plain.open({ server: "test", echo: undefined })
        const delivery = new Delivery(hub, client.connection, subscription, { dialect: plain, state }, { untilRoom: () => Effect.succeed(true) })
        const recall: Recall = { _tag: "Recall", room: "lobby", after: 0, before: undefined, limit: 1, why }
        subscription.answer(1, { _tag: "Closing", reason: "the server is closing" })
        subscription.answer(1, recall)
        assert.isTrue(delivery.flush())
        assert.strictEqual(client.text(), "-!- the server is closing\n")
      }
    }))

  it.effect("is in order however long its parts are; a long one is not copied, and others may be told meanwhile", () =>
    Effect.gen(function*() {
      const { hub } = yield* open()
      /** Somebody whose own is the entry in the middle, and what they are given. */
      const listener = (size: number, meanwhile: () => void) => {
        const given: Array<Uint8Array> = []
        const { connection } = Memory.makeConnection()
        const heard: Connection = {
          ...connection,
          give: (bytes) => {
            given.push(bytes)
            meanwhile()
          }
        }
        const subscription = new Subscription("s1", "plain", "memory", { ring: () => {} })
        const { state } = plain.open({ server: "test", echo: true })
        const delivery = new Delivery(hub, heard, subscription, { dialect: plain, state }, { untilRoom: () => Effect.succeed(true) })
        const texts = ["a".repeat(10), "own", "b".repeat(size), "c"]
        const entries = texts.map((text, i): Entry => ({
          seq: i + 1, at: 0, id: `m${i}`, by: text === "own" ? "s1" : "s2", event: { _tag: "Said", room: "lobby", nick: "ana", text, kind: "message" }
        }))
        return { batch: new Batch("lobby", 0, 0, { entries }), delivery, given, text: texts.map((text) => `ana: ${text}\n`).join("") }
      }
      const joined = (given: ReadonlyArray<Uint8Array>) => Buffer.concat(given).toString()
      const short = listener(100, () => {})
      short.delivery.giveBatch(short.batch)
      assert.lengthOf(short.given, 1)
      assert.strictEqual(joined(short.given), short.text)
      const long = listener(20_000, () => {
        const other = listener(50, () => {})
        other.delivery.giveBatch(other.batch)
        assert.strictEqual(joined(other.given), other.text)
      })
      long.delivery.giveBatch(long.batch)
      assert.strictEqual(joined(long.given), long.text)
      const shared = long.batch.rendered(long.delivery.renderingOf("lobby")!).bytes
      const isPart = ({ buffer, byteOffset, length }: Uint8Array) =>
        buffer === shared.buffer && byteOffset >= shared.byteOffset && byteOffset + length <= shared.byteOffset + shared.length
      assert.isTrue(long.given.some((bytes) => bytes.length > 20_000 && isPart(bytes)), "it is a part of what all share")
    }))
})
