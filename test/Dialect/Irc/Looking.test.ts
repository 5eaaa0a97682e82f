/** docs/survive.md, rows 33, 41 to 43 and 45, on IRC: names that look like others, a past that is not one's own, passwords, and what terminals obey. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { open } from "../../house.ts"
import { onIrc, scenes } from "../../scene.ts"

describe("names that look like others", () => {
  const lookalikes = ["аna", "ａna", "a\u200bna", "ana\u202e", "ﬁona", "a\u0301na", "ана", "z\u0351\u0352\u0353a"]
  scenes("row 33", [
    ["are no nicks and no channels", lookalikes.map((name) => `
      ana > NICK ${name}
      ana < 432 ana ${name.replace(/[\u2028\u2029]/g, "")} :Erroneous nickname
      ana > JOIN #${name}
      ana < 403 ana #${name} :No such channel
    `).join("")]
  ])
})

describe("a past that is not one's own", () => {
  scenes("row 41", [
    ["is like one that does not exist: a secret channel, one that was left, another's words, none at all", `
      #den: bo
      bo > MODE #den +s
      bo < bo MODE #den +s
      bo > PRIVMSG #den :secret
      ana > CHATHISTORY LATEST #den * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST #den :Messages could not be retrieved
      ana > CHATHISTORY LATEST #nowhere * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST #nowhere :Messages could not be retrieved
      bo > PRIVMSG cy :between us
      cy < bo PRIVMSG cy :between us
      ana > CHATHISTORY LATEST bo * 10
      ana > CHATHISTORY LATEST nobody * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST nobody :Messages could not be retrieved
    `]
  ])
})

describe("passwords", () => {
  it.effect("row 42: are not tried often: two at once, then one in two and a half seconds", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate: { burst: 10, perSecond: 2 } })
      const ana = yield* onIrc(house, "ana")
      yield* TestClock.adjust("10 seconds")
      const refused = () => ana.told().filter((line) => line.startsWith("464 ")).length
      ana.client.send("OPER root wrong\r\n".repeat(10))
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(refused(), 2)
      yield* TestClock.adjust("2400 millis")
      assert.strictEqual(refused(), 2)
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(refused(), 3)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(refused(), 10)
    }))

  it.effect("row 43: are told to nobody, whether they are right or not", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bo = yield* onIrc(house, "bo")
      const ana = yield* onIrc(house, "ana")
      for (const player of [ana, bo]) {
        player.client.send("JOIN #den\r\nMODE bo +w\r\n")
        yield* player.fence
      }
      ana.client.send("OPER root swordfish\r\nPASS swordfish\r\nPRIVMSG #den :after\r\nCHATHISTORY LATEST #den * 10\r\nHISTORY swordfish\r\n")
      yield* ana.fence
      yield* bo.fence
      assert.include(bo.told(), "ana PRIVMSG #den :after")
      for (const player of [ana, bo]) assert.notInclude(player.client.text(), "swordfish")
    }))
})

describe("what terminals obey", () => {
  it.effect("row 45: reaches no IRC client: not in words, topics, reasons or what was said before, whoever wrote it", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "batch draft/chathistory server-time away-notify extended-join setname message-tags")
      const nasty = "\u001b[2J\u001b]52;c;eA==\u0007\u009b31m\b\u001bP\u0090x"
      ana.client.send("JOIN #lobby\r\n")
      yield* ana.fence
      const json = house.connect()
      const wishes = [
        { _tag: "SetNick", nick: "jo" },
        { _tag: "SetRealname", realname: `Jo ${nasty}` },
        { _tag: "Join", room: "lobby" },
        { _tag: "Say", target: "lobby", text: `words ${nasty}` },
        { _tag: "Say", target: "ana", text: `whisper ${nasty}`, tags: { "+x": nasty } },
        { _tag: "SetTopic", room: "lobby", topic: `topic ${nasty}` },
        { _tag: "SetAway", message: `away ${nasty}` },
        { _tag: "Part", room: "lobby", reason: `reason ${nasty}` },
        { _tag: "Quit", reason: `bye ${nasty}` }
      ]
      json.send(wishes.map((wish) => `${JSON.stringify(wish)}\n`).join(""))
      yield* json.closed
      ana.client.send("CHATHISTORY LATEST #lobby * 10\r\nTOPIC #lobby\r\nWHOWAS jo\r\n")
      yield* ana.fence
      const text = ana.client.text()
      for (const word of ["words ", "whisper ", "topic ", "away ", "reason "]) assert.include(text, word)
      assert.notMatch(text.replaceAll("\r\n", ""), /[\u0000\u0004-\u001e\u007f-\u009f]/)
    }))
})
