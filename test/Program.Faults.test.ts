/**
 * What networks and bad clients do to the program: nothing that others notice, and nothing that stays.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { descriptors, ended, floods, memory, person, processesShow, reads, robot, says, tooMuch } from "./clients.ts"
import { eventually, objects, program, type Socket, socket } from "./support.ts"

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
const randoms = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** What a program sends to say this. */
const saying = (target: string, text: string): string => JSON.stringify({ _tag: "Say", target, text })

/** The next answer to this, after what was read before. */
const asks = (client: Socket, question: string, answer: RegExp) =>
  Effect.promise(async () => {
    const from = client.text().length
    client.net.write(`${question}\n`)
    const found = (text: string) => answer.exec(text.slice(from))
    return found(await client.until((text) => found(text) !== null))!
  })

/** Once only these two are in the lobby, as a person and a program are told. */
const aloneAgain = (observer: Socket, bot: Socket) =>
  Effect.gen(function*() {
    const [, shown] = yield* asks(observer, "/names", /^-!- #lobby: (.*)\n/m)
    const [line] = yield* asks(bot, "{\"_tag\":\"Names\",\"room\":\"lobby\"}", /^\{"_tag":"Members".*\n/m)
    const { members } = JSON.parse(line) as { readonly members: ReadonlyArray<{ readonly nick: string }> }
    if (shown === "bot, observer" && members.length === 2) return true
    yield* Effect.sleep("50 millis")
    return false
  }).pipe(
    Effect.repeat({ until: (alone) => alone }),
    Effect.timeout("20 seconds")
  )

/** Everybody whom a program saw come to the lobby was seen to go once, and nobody else. */
const cameAndWent = (bot: Socket): void => {
  const here = new Set(["bot", "observer"])
  const comes = (nick: string) => {
    assert.isFalse(here.has(nick), `${nick} came twice`)
    here.add(nick)
  }
  const goes = (nick: string) => assert.isTrue(here.delete(nick), `${nick} went without having come`)
  const messages = objects(bot)
  for (const message of messages.slice(messages.findIndex(({ _tag }) => _tag === "RoomInfo"))) {
    const { _tag: tag, joined, left, nick, renamed, to } = message as unknown as {
      readonly _tag: string
      readonly nick: string
      readonly to: string
      readonly joined: ReadonlyArray<string>
      readonly left: ReadonlyArray<string>
      readonly renamed: ReadonlyArray<{ readonly nick: string; readonly to: string }>
    }
    if (tag === "Joined") comes(nick)
    if (tag === "Left" || tag === "Quit") goes(nick)
    if (tag === "Renamed") {
      goes(nick)
      comes(to)
    }
    if (tag === "Crowd") {
      for (const nick of left) goes(nick)
      for (const { nick } of renamed) goes(nick)
      for (const { to } of renamed) comes(to)
      for (const nick of joined) comes(nick)
    }
  }
  assert.deepStrictEqual([...here].sort(), ["bot", "observer"])
}

/** A connection that says the beginning of something and is reset at some moment. */
const resets = (port: number, words: Buffer, moment: number): Promise<void> =>
  new Promise((resolve) => {
    const net = Net.connect({ port, host: "127.0.0.1" })
    const reset = () => void net.resetAndDestroy()
    net.on("error", () => {})
    net.on("close", () => resolve())
    if (moment < 0.1) return reset()
    net.on("connect", () => {
      if (moment < 0.25) return reset()
      net.write(words, () => {
        if (moment < 0.5) return reset()
        net.once("data", () => moment < 0.8 ? reset() : net.once("data", reset))
        net.setTimeout(400, reset)
      })
    })
  })

const beginnings = [
  "/nick %\nhello\n/join den\nhello den\n/me waves\n/quit\n",
  "{\"_tag\":\"SetNick\",\"nick\":\"%\"}\n{\"_tag\":\"Join\",\"room\":\"lobby\"}\n{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"hello\"}\n",
  "/join den\n/part\n/join lobby\n/topic hello\n/names\n/list\n/history\n",
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "\u00ff\u00fd\u0001\u00ff\u00fb\u001f\u00ff\u00fa\u001fhello\u00ff\u00f0hello\n",
  "\u0016\u0003\u0001\u0002\u0000",
  "hello\n".repeat(200)
]

describe("connections that break", () => {
  it.live.skipIf(!processesShow)("row 19: 600 of them, reset at any moment, leave nobody and nothing behind", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--rate", "off", "--backlog", "200"])
      const observer = yield* person(chat, "observer")
      const bot = yield* robot(chat, "bot")
      yield* Effect.promise(() => resets(chat.port, Buffer.from(beginnings[0]!), 0.9))
      yield* aloneAgain(observer, bot)
      const before = descriptors(chat)
      const random = randoms(19)
      const victims = Array.from({ length: 600 }, (_, i) => {
        const words = Buffer.from(beginnings[Math.floor(random() * beginnings.length)]!.replaceAll("%", `v${i}`), "latin1")
        return { words: words.subarray(0, Math.floor(random() * (words.length + 1))), moment: random() }
      })
      yield* Effect.forEach(victims, ({ moment, words }) => Effect.promise(() => resets(chat.port, words, moment)), { concurrency: 60 })
      yield* aloneAgain(observer, bot)
      yield* eventually("their descriptors are closed", () => descriptors(chat) === before)
      const [rooms] = yield* asks(observer, "/list", /(?:^-!- #.*\n)+/m)
      assert.match(rooms, /^-!- #lobby: 2 members.*\n$/)
      cameAndWent(bot)
      assert.notMatch(chat.stderr(), /ERROR|error|failed/)
    }))

  it.live("row 19: reset as soon as they are there, they harm nobody", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--dialect", "plain", "--backlog", "200"])
      const observer = yield* person(chat, "observer")
      const bot = yield* person(chat, "bot")
      for (let i = 0; i < 5; i++) {
        yield* Effect.forEach(Array.from({ length: 100 }, (_, i) => i), (i) =>
          Effect.promise(() => resets(chat.port, Buffer.alloc(0), i % 2 === 0 ? 0 : 0.2)), { concurrency: 50 })
        yield* says(bot, `round ${i}`)
        yield* reads(observer, `bot: round ${i}\n`)
      }
    }))

  it.live("row 19: reset in the waiting room, they give up their places", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--max-clients", "1", "--backlog", "3", "--dialect", "plain"])
      const first = yield* person(chat, "first")
      // More than is read before there is a seat, too.
      for (const words of ["", "hello\n", "hello\n".repeat(50_000)]) {
        const waiting = [yield* socket(chat.port), yield* socket(chat.port), yield* socket(chat.port)]
        for (const { net } of waiting) net.write(words)
        const refused = yield* socket(chat.port)
        yield* reads(refused, "-!- the server is full: all 1 seats")
        for (const { net } of waiting) net.resetAndDestroy()
        // A place is free again when somebody who comes may wait; nobody tells when that is.
        yield* eventually("a place is free", () =>
          Effect.runPromise(Effect.scoped(Effect.flatMap(socket(chat.port), (client) =>
            Effect.promise(() => client.until((text) => text.includes("you come in as soon as")).then(() => true, () => false))))))
      }
      const next = yield* socket(chat.port)
      yield* says(first, "/quit")
      yield* reads(next, "-!- Welcome")
    }))

  it.live("row 19: reset while they wait for their turn to speak, they say no more", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const observer = yield* person(chat, "observer")
      const flood = yield* socket(chat.port)
      flood.net.write("/nick flood\n" + "hello\n".repeat(50_000))
      // Ten at once, and then one every half second.
      yield* reads(observer, /(?:flood: hello\n){11}/)
      flood.net.resetAndDestroy()
      yield* reads(observer, "-!- flood quit")
    }))
})

describe("clients that do not read", () => {
  it.live("row 57: 200 of them and a flood do not keep it from closing within the grace", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--rate", "off", "--grace", "2s", "--backlog", "200"])
      const flooder = yield* robot(chat, "flooder")
      const stuck = yield* Effect.all(Array.from({ length: 200 }, () => socket(chat.port)), { concurrency: 50 })
      // All are in the lobby; ten of them are in a room where more is said than the network holds.
      yield* Effect.forEach(stuck, (client, i) =>
        Effect.gen(function*() {
          yield* says(client, i < 10 ? "/join den" : "hello")
          yield* reads(client, i < 10 ? "-!- #den: " : "-!- #lobby: ")
          client.net.pause()
        }), { concurrency: "unbounded" })
      yield* says(flooder, "{\"_tag\":\"Join\",\"room\":\"den\"}")
      yield* floods(flooder, saying("#den", "x".repeat(1000)))
      const others = [yield* person(chat, "ana"), yield* person(chat, "bo")]
      let flooding = true
      const line = "y".repeat(100) + "\n"
      for (const { net } of others) {
        const more = () => {
          while (flooding && net.writable && net.write(line.repeat(10))) { /* more */ }
        }
        net.on("drain", more)
        more()
      }
      yield* eventually("they are in the midst of it", () => others.every(({ net }) => net.bytesRead > 100_000))
      const asked = performance.now()
      chat.child.kill("SIGTERM")
      assert.strictEqual(yield* ended(chat), 0)
      flooding = false
      const took = performance.now() - asked
      assert.isAtLeast(took, 1990)
      assert.isBelow(took, 5000)
    }))

  it.live.skipIf(!processesShow)("row 49: a reader who stops costs others nothing, and is told what was missed", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--rate", "off"])
      const ana = yield* robot(chat, "ana")
      const bo = yield* socket(chat.port)
      yield* says(bo, "/nick bo")
      yield* reads(bo, "-!- you are now bo\n")
      const stuck = yield* person(chat, "stuck")
      const line = saying("lobby", "x".repeat(1000))
      const heard = (text: string) => text.split(`ana: ${"x".repeat(1000)}\n`).length - 1
      const count = 30_000
      // Some of it first, with everybody reading, so that what is measured is not the warming up.
      yield* says(ana, ...Array.from({ length: 5000 }, () => line), saying("lobby", "ready"))
      yield* reads(stuck, "ana: ready\n")
      yield* reads(bo, "ana: ready\n")
      const already = heard(stuck.text())
      stuck.net.pause()
      const before = memory(chat)
      let most = before
      ana.net.removeAllListeners("data").resume()
      for (let said = 0; said < count; said += 500) {
        yield* says(ana, ...Array.from({ length: 500 }, () => line))
        const wanted = (5000 + said + 500) * 1000
        yield* eventually("bo hears it", () => bo.net.bytesRead > wanted)
        most = Math.max(most, memory(chat))
      }
      yield* says(ana, saying("lobby", "that is all"))
      yield* reads(bo, "ana: that is all\n")
      assert.strictEqual(heard(bo.text()), 5000 + count)
      assert.notInclude(bo.text(), "missed")
      assert.isBelow(most - before, 100)
      stuck.net.resume()
      yield* reads(stuck, "ana: that is all\n")
      const [, missed] = /^-!- you missed (\d+) messages in #lobby$/m.exec(stuck.text())!
      assert.isAbove(Number(missed), 0)
      assert.strictEqual(heard(stuck.text()) - already + Number(missed), count)
      yield* says(stuck, "I am back")
      yield* reads(bo, "stuck: I am back\n")
    }))
})

describe("bytes", () => {
  it.live.skipIf(!processesShow)("row 4: without a newline they end the connection after 16 KiB, and fill no memory", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const chunk = Buffer.alloc(65_536, "x")
      const pours = Effect.fnUntraced(function*() {
        const client = yield* socket(chat.port)
        const before = memory(chat)
        let most = before
        yield* Effect.promise(() =>
          new Promise<void>((resolve) => {
            client.net.on("close", () => resolve())
            const pour = () => {
              most = Math.max(most, memory(chat))
              while (client.net.bytesWritten < 500_000_000 && client.net.write(chunk)) { /* more */ }
              if (client.net.bytesWritten >= 500_000_000) client.net.end()
            }
            client.net.on("drain", pour)
            pour()
          })
        )
        assert.match(client.text(), /^-!- line too long: at most 16384 bytes may come without a newline\n$/m)
        return { grown: most - before, sent: client.net.bytesWritten }
      })
      yield* pours()
      const { grown, sent } = yield* pours()
      assert.isAbove(sent, 10_000_000)
      // Of half a gigabyte, what was read last and not yet collected.
      assert.isBelow(grown, 80)
      yield* reads(ana, "quit (line too long")
      yield* says(ana, "/names")
      yield* reads(ana, "-!- #lobby: ana\n")
    }))

  const conversation = Buffer.concat([
    Buffer.from("/nick ana\r\nhello\r\n/me wäves 👋🏽\n\n  \n/topic ünïcode\r\n"),
    Buffer.from([0xff, 0xfd, 0x01, 0xff, 0xfb, 0x1f, 0xff, 0xfa, 0x1f, 0x00, 0x50, 0xff, 0xf0]),
    Buffer.from("/names\r\u0000\n//names\n/foo\nab\u0008c\u007fd\n"),
    Buffer.from([0xc3, 0x28, 0x0a]),
    Buffer.from("/nick\n/msg ana psst\n/list\nlast words")
  ])
  const program_ = Buffer.from(
    "\u00ef\u00bb\u00bf{\"_tag\":\"SetNick\",\"nick\":\"ana\"}\r\n\n{\"_tag\":\"Join\",\"room\":\"lobby\"}\n{\"_tag\":\"Say\",\n"
      + "{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"w\u00c3\u00a4ves\"}\n{\"_tag\":\"Names\",\"room\":\"lobby\"}",
    "latin1"
  )

  for (const [who, bytes] of [["a person", conversation], ["a program", program_]] as const) {
    it.live(`row 1: of ${who} mean the same one at a time as all at once`, () =>
      Effect.gen(function*() {
        /** What is answered to a client alone with the server, without what is different each time. */
        const answered = Effect.fnUntraced(function*(write: (net: Net.Socket) => Effect.Effect<void>) {
          const { port } = yield* program(["--rate", "off", "--echo"])
          const client = yield* socket(port)
          client.net.setNoDelay(true)
          yield* write(client.net)
          client.net.end()
          yield* Effect.promise(() => client.ended)
          return client.bytes().toString("latin1")
            .replace(/guest\d+/g, "guest")
            .replace(/"(at|id|epoch)":"[^"]*"/g, "\"$1\"")
        })
        const writes = (net: Net.Socket, part: Uint8Array) =>
          Effect.callback<void>((resume) => {
            net.write(part, () => resume(Effect.void))
          })
        const whole = yield* answered((net) => writes(net, bytes))
        const cut = yield* answered((net) => Effect.forEach(bytes, (byte) => writes(net, Uint8Array.of(byte)), { discard: true }))
        assert.include(whole, "ana")
        assert.strictEqual(cut, whole)
      }))
  }

  it.live("row 11: whoever ends their side after the last word is heard, answered and let go", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      for (const last of ["bye\n", "bye"]) {
        const bo = yield* socket(chat.port)
        bo.net.end(`/nick bo\n/names\n${last}`)
        yield* Effect.promise(() => bo.ended)
        assert.match(bo.text(), /-!- you are now bo\n(?:.*\n)*-!- #lobby: ana, bo\n-!- goodbye\n$/)
        yield* reads(ana, /bo: bye\n(?:.*\n)*?-!- bo quit\n/)
      }
    }))

  it.live("row 11: whoever ends their side is still given all that is owed", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--rate", "off"])
      const bot = yield* robot(chat, "bot")
      bot.net.pause()
      const count = tooMuch / 1000
      for (let said = 0; said < count; said += 100) bot.net.write(`${saying("lobby", "x".repeat(1000))}\n`.repeat(100))
      bot.net.end(`${saying("lobby", "last words")}\n`)
      yield* eventually("much of it is answered", () => bot.net.bytesWritten - bot.net.writableLength > 2_000_000)
      bot.net.resume()
      yield* Effect.promise(() => bot.ended)
      assert.strictEqual(objects(bot).filter(({ _tag }) => _tag === "Said").length, count + 1)
      assert.strictEqual(objects(bot).at(-1)!["text"], "last words")
    }))
})
