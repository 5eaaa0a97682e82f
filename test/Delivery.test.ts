/** What a session has heard, as bytes for its client. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Delivery } from "../src/Delivery.ts"
import { plain } from "../src/Dialect/Plain.ts"
import { Subscription } from "../src/Subscription.ts"
import { Memory } from "../src/testing.ts"
import type { Recall } from "../src/World.ts"
import { open } from "./house.ts"

describe("what a session is told", () => {
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
})
