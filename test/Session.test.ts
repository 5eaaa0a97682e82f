import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { house, jsonClient, objects, plainClient } from "./support.ts"

describe("people on plain", () => {
  it.effect("hear each other and not themselves", () =>
    Effect.gen(function*() {
      const server = yield* house()
      const ana = yield* plainClient(server, "ana")
      const bo = yield* plainClient(server, "bo")
      ana.send("hello\n")
      yield* bo.until((text) => text.endsWith("ana: hello\n"))
      bo.send("hi\n")
      yield* ana.until((text) => text.endsWith("bo: hi\n"))
      assert.notInclude(ana.text(), "ana: hello")
    }))

  it.effect("and programs on json hear each other", () =>
    Effect.gen(function*() {
      const server = yield* house({ dialect: "auto" })
      const bot = yield* jsonClient(server, "bot")
      bot.send("{\"_tag\":\"Join\",\"room\":\"lobby\"}\n{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"beep\"}\n")
      yield* bot.until((text) => text.includes("beep"))
      assert.deepInclude(objects(bot).at(-1), { _tag: "Said", room: "lobby", nick: "bot", text: "beep" })
    }))
})
