/** Rows of docs/survive.md that IRC clients can bring about, by their numbers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { maxPending } from "../../../src/Dialect/Irc.ts"
import type { Memory } from "../../../src/testing.ts"
import { type House, open, settled } from "../../house.ts"
import { inShort, onIrc } from "../../scene.ts"

const lines = (client: Memory.Client): ReadonlyArray<string> => client.text().split("\r\n").slice(0, -1).map(inShort)

/** Ana and bo in a room, and what each is told from then on. */
const two = Effect.fnUntraced(function*(house: House, caps = "") {
  const ana = yield* onIrc(house, "ana", caps)
  const bo = yield* onIrc(house, "bo", caps)
  for (const player of [ana, bo]) {
    player.client.send("JOIN #den\r\n")
    yield* player.fence
  }
  yield* ana.fence
  const before = new Map([[ana, ana.told().length], [bo, bo.told().length]])
  const since = (player: typeof ana) => player.told().slice(before.get(player))
  return { ana, bo, since, fence: Effect.all([ana.fence, bo.fence]) }
})

describe("what an IRC client must not do to the server", () => {
  it.effect("row 3: control bytes are never passed on, but for what colours text; NUL not even heard", () =>
    Effect.gen(function*() {
      const { ana, bo, fence, since } = yield* two(yield* open())
      const bytes = Array.from({ length: 32 }, (_, i) => i).filter((byte) => byte !== 0 && byte !== 10 && byte !== 13)
      const all = `${String.fromCharCode(...bytes)}\u007f\u009b`
      ana.client.send(`PRIVMSG #den :a${all}b\r\nTOPIC #den :${all}t\r\nAWAY :${all}w\r\nNICK x${all}\r\nPART #den :${all}p\r\nPRIVMSG bo :a\u0000b\r\n`)
      bo.client.send("PRIVMSG ana :hi\r\n")
      yield* fence
      const kept = "\u0001\u0002\u0003\u0004\u000f\u0011\u0016\u001d\u001e\u001f"
      assert.deepStrictEqual(since(bo).filter((line) => !line.startsWith("301")), [
        `ana PRIVMSG #den :a${kept.slice(0, 4)} ${kept.slice(4)}b`,
        `ana TOPIC #den :${kept.slice(0, 4)} ${kept.slice(4)}t`,
        `ana PART #den :${kept.slice(0, 4)} ${kept.slice(4)}p`
      ])
      for (const player of [ana, bo]) assert.notMatch(player.client.text().replaceAll("\r\n", ""), /[\u0000\u0005-\u000e\u0010\u0012-\u0015\u0017-\u001c\u007f-\u009f]/)
      assert.include(since(ana), "421 ana * :A line has no CR, LF or NUL in it")
    }))

  it.effect("row 5: a line that is too long is refused whole, and the session goes on; one without an end is cut off", () =>
    Effect.gen(function*() {
      const { ana, bo, fence, since } = yield* two(yield* open())
      for (const length of [513, 1024, 8191, maxPending]) ana.client.send(`${`PRIVMSG #den :${"x".repeat(length)}`.slice(0, length - 2)}\r\n`)
      ana.client.send("PRIVMSG #den :still here\r\n")
      yield* fence
      assert.deepStrictEqual(since(ana), Array.from({ length: 4 }, () => "417 ana :Input line was too long"))
      assert.deepStrictEqual(since(bo), ["ana PRIVMSG #den :still here"])
      ana.client.send("x".repeat(maxPending + 2))
      yield* ana.client.closed
      yield* bo.fence
      assert.strictEqual(lines(ana.client).at(-1), "ERROR :Closing link: line too long")
      assert.deepStrictEqual(since(bo).slice(1), ["ana QUIT :line too long"])
    }))

  it.effect("row 6: what is not UTF-8 is refused and told to nobody", () =>
    Effect.gen(function*() {
      const { ana, bo, fence, since } = yield* two(yield* open())
      const broken = [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xff], [0x80], [0xf4, 0x90, 0x80, 0x80]]
      for (const bytes of broken) {
        for (const start of ["PRIVMSG #den :bad ", "TOPIC #den :bad ", "NICK bad"]) ana.client.send(Buffer.concat([Buffer.from(start), Buffer.from(bytes), Buffer.from("\r\n")]))
      }
      ana.client.send("PRIVMSG #den :göod ⭐\r\n")
      yield* fence
      const refused = (command: string) => `FAIL ${command} INVALID_UTF8 :Message rejected, it is not valid UTF-8`
      assert.deepStrictEqual(since(ana), broken.flatMap(() => ["PRIVMSG", "TOPIC", "NICK"].map(refused)))
      assert.deepStrictEqual(since(bo), ["ana PRIVMSG #den :göod ⭐"])
    }))

  it.effect("row 31: of two who want a nick at the same instant one gets it, and the other is told", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const clients = Array.from({ length: 8 }, () => house.connect())
      for (const client of clients) client.hold()
      for (const client of clients) client.send("NICK zed\r\nUSER z 0 * :Z\r\n")
      for (const client of clients) client.release()
      yield* settled
      const greeted = clients.filter((client) => client.text().includes(" 001 zed "))
      assert.lengthOf(greeted, 1)
      for (const client of clients) if (client !== greeted[0]) assert.deepStrictEqual(lines(client), ["433 * zed :Nickname is already in use"])
      // That others failed to get it does not free it, and each of them can have another.
      const [loser] = clients.filter((client) => client !== greeted[0])
      loser!.send("NICK zed\r\nNICK zoe\r\nNICK ZED\r\n")
      yield* settled
      const told = lines(loser!)
      assert.deepStrictEqual([told[1], told[2]!.slice(0, 8), told.at(-1)], [
        "433 * zed :Nickname is already in use", "001 zoe ", "433 zoe ZED :Nickname is already in use"
      ])
    }))

  it.effect("row 32: nicks that are none, or the server's, are refused", () =>
    Effect.gen(function*() {
      const { ana, bo, fence, since } = yield* two(yield* open())
      const bad = ["*", "0", "#x", "root", "server", "nickserv", "a@b", "a!b", "a b", "-a", "1a", "é", "x".repeat(33)]
      ana.client.send(`${bad.map((nick) => `NICK :${nick}\r\n`).join("")}NICK :\r\nNICK\r\nNICK ${"x".repeat(10_000)}\r\nNICK Ana\r\nNICK Ana\r\n`)
      yield* fence
      const told = since(ana)
      assert.deepStrictEqual(told.slice(0, bad.length).map((line) => line.slice(0, 8)), bad.map(() => "432 ana "))
      assert.deepStrictEqual(told.slice(bad.length), [
        "431 ana :No nickname given", "431 ana :No nickname given", "417 ana :Input line was too long", "ana NICK :Ana"
      ])
      assert.deepStrictEqual(since(bo), ["ana NICK :Ana"])
    }))

  it.effect("row 34: before it registers a client is heard in what belongs to registering, and not for ever", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const { bo, since } = yield* two(house)
      const client = house.connect()
      client.send("NICK zed\r\nJOIN #den\r\nPRIVMSG #den :hi\r\nNOTICE bo :hi\r\nOPER a b\r\nWHO *\r\nCHATHISTORY LATEST #den * 10\r\n")
      yield* settled
      assert.deepStrictEqual(lines(client), Array.from({ length: 6 }, () => "451 * :You have not registered"))
      client.send("PING x\r\n".repeat(64 - 7))
      yield* settled
      assert.isFalse(client.isClosed())
      client.send("PING x\r\n")
      yield* client.closed
      assert.strictEqual(lines(client).at(-1), "ERROR :Closing link: too many lines before registering")
      yield* bo.fence
      assert.deepStrictEqual(since(bo), [])
    }))

  it.effect("row 40: tags that are too long or too many are refused, what is escaped wrongly is read, and none end a line", () =>
    Effect.gen(function*() {
      const { ana, bo, fence, since } = yield* two(yield* open(), "message-tags")
      const tags = (count: number) => Array.from({ length: count }, (_, i) => `+${i.toString(36)}`).join(";")
      for (const bomb of [`+a=${"x".repeat(4092)}`, tags(1000), ";".repeat(4095), `+a=${"\\".repeat(8000)}`]) ana.client.send(`@${bomb} PRIVMSG #den :bomb\r\n`)
      ana.client.send("@+a=\\r\\nQUIT\\:\\x\\;+b\\;+c=\\;+d=\u001b[2J;__proto__=x;+=y;+é=z PRIVMSG #den :fine\r\n")
      yield* fence
      assert.deepStrictEqual(since(ana), Array.from({ length: 4 }, () => "417 ana :Input line was too long"))
      assert.deepStrictEqual(since(bo).map((line) => line.replace(/msgid=[^;]+;/, "")), ["@+a=\\r\\nQUIT\\:x;+c;+d=[2J ana PRIVMSG #den :fine"])
    }))
})
