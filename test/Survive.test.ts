/**
 * Rows of docs/survive.md that in-memory connections show best, by their numbers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import * as Net from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { ChatServer } from "../src/ChatServer.ts"
import { Hub } from "../src/Hub.ts"
import * as Tcp from "../src/Listener/Tcp.ts"
import { Log } from "../src/Log.ts"
import { highWater } from "../src/Ring.ts"
import { patience } from "../src/Session.ts"
import { Memory } from "../src/testing.ts"
import { ask, fence, heard, type House, hurried, lines, open, person, program, say, settled, understood } from "./house.ts"

setFlagsFromString("--expose_gc")
const collect = runInNewContext("gc") as () => void

const rate = { burst: 10, perSecond: 2 }
const maxUnsent = 262_144
const times = <A>(n: number, make: (i: number) => A) => Array.from({ length: n }, (_, i) => make(i))
const saidTo = (client: Memory.Client) => heard(client, "Said").map(({ text }) => text as string)
const reasons = (client: Memory.Client) => heard(client, "Refused").map(({ reason }) => reason as string)
const bytes = (...parts: ReadonlyArray<string | ReadonlyArray<number>>) =>
  Buffer.concat(parts.map((part) => typeof part === "string" ? Buffer.from(part) : Buffer.from(part)))

describe("framing and bytes", () => {
  it.effect("row 4: a gibibyte without a newline is cut off after 16 KiB, with the reason", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      const ana = yield* person(house, "ana")
      const flood = house.connect(undefined, { lingering: true })
      yield* settled
      // What the session takes before it has had enough; the rest is thrown away unread.
      let kept = 0
      const { finish, take } = flood.connection
      let finished = false
      Object.assign(flood.connection, {
        take: () => {
          const arrival = take.call(flood.connection)
          if (arrival instanceof Uint8Array && !finished) kept += arrival.length
          return arrival
        },
        finish: () => {
          finished = true
          finish.call(flood.connection)
        }
      })
      const chunk = new Uint8Array(16_384).fill(120)
      for (let sent = 0; sent < 1 << 30; sent += chunk.length) {
        flood.send(chunk)
        if (sent < 1 << 20) yield* Effect.yieldNow
      }
      assert.isAtMost(kept, 2 * chunk.length)
      yield* hurried(flood.closed, 3000)
      yield* TestClock.adjust("2 seconds")
      yield* settled
      assert.strictEqual(lines(flood).at(-1), "-!- line too long: at most 16384 bytes may come without a newline")
      assert.strictEqual(lines(ana).at(-1), "-!- guest" + /guest(\d+) quit/.exec(ana.text())![1] + " quit (line too long: at most 16384 bytes may come without a newline)")
      assert.notInclude(ana.text(), "xxxx")
      assert.strictEqual(yield* house.server.connections, 1)
    }))

  it.effect("row 4: a line that stays below the limit and ends in time is only not sent", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* person(house, "ana")
      const bo = yield* person(house, "bo")
      bo.send("x".repeat(4097) + "\n" + "y".repeat(4096) + "\nhello\n")
      yield* understood(bo)
      yield* understood(ana)
      assert.include(bo.text(), "-!- a line has at most 4096 bytes; this one was not sent\n")
      assert.deepStrictEqual(lines(ana).filter((line) => line.startsWith("bo: ")), [`bo: ${"y".repeat(4096)}`, "bo: hello"])
    }))

  it.effect("row 6: a line that is not UTF-8 is refused and never relayed, and the next one is", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* person(house, "ana")
      const bot = yield* program(house, "bot", "lobby")
      const bad = [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xff, 0xff], [0x80], [0xf4, 0x90, 0x80, 0x80]]
      for (const some of bad) {
        ana.send(bytes("bad ", some, " words\n"))
        bot.send(bytes(`{"_tag":"Say","target":"#lobby","text":"bad `, some, `"}\n`))
      }
      ana.send("good ⭐\n")
      ask(bot, say("lobby", "good ⭐"))
      yield* Effect.all([understood(ana), fence(bot)])
      yield* Effect.all([understood(ana), fence(bot)])
      assert.strictEqual(lines(ana).filter((line) => line === "-!- that line was not valid UTF-8; it was not sent").length, bad.length)
      assert.strictEqual(reasons(bot).filter((reason) => reason === "this line is not valid UTF-8").length, bad.length)
      assert.deepStrictEqual(saidTo(bot).sort(), ["good ⭐", "good ⭐"])
      for (const client of [ana, bot]) assert.notMatch(client.text(), /\ufffd|bad/)
    }))

  it.effect("row 11: who ends its side is still given what it is owed, then closed", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bo = yield* program(house, "bo", "lobby")
      const ana = house.connect()
      ana.send("/nick ana\nhi\n/names\n/motd\nlast words without a newline")
      ana.end()
      yield* ana.closed
      yield* fence(bo)
      assert.deepStrictEqual(saidTo(bo), ["hi", "last words without a newline"])
      assert.deepStrictEqual(lines(ana).slice(-3), ["-!- #lobby: ana, bo", "-!- there is no message of the day", "-!- goodbye"])
      const bot = house.connect()
      ask(bot, { _tag: "Join", room: "lobby" }, say("lobby", "beep"))
      bot.send("{\"_tag\":\"Motd\"}")
      bot.end()
      yield* bot.closed
      assert.deepStrictEqual(heard(bot).map(({ _tag }) => _tag), ["Welcome", "Joined", "RoomInfo", "Said", "Motd"])
    }))
})

describe("connections", () => {
  it.effect("row 13: a silent connection is greeted as a person after a moment, and may stay", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const silent = house.connect()
      yield* TestClock.adjust(299)
      assert.strictEqual(silent.text(), "")
      yield* TestClock.adjust(1)
      yield* silent.until((text) => text.startsWith("-!- Welcome to effect-chat.") && text.includes("-!- #lobby: 1 member"))
      yield* TestClock.adjust("3 minutes")
      assert.isFalse(silent.isClosed())
    }))

  it.effect("row 13: a program that says nothing, or never ends its first word, is closed after half a minute", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "json" })
      const auto = yield* open()
      const silent = house.connect()
      const half = auto.connect()
      half.send("GE")
      const begun = auto.connect()
      begun.send("{\"_tag\"")
      yield* settled
      yield* TestClock.adjust(29_999)
      for (const client of [silent, half, begun]) assert.isFalse(client.isClosed())
      yield* TestClock.adjust(1)
      for (const client of [silent, half, begun]) yield* client.closed
      assert.deepStrictEqual(heard(silent).at(-1), { _tag: "Closing", reason: "nothing came for 30 seconds" })
      assert.strictEqual(half.text(), "nothing more came for 30 seconds\n")
    }))

  for (const dialect of ["auto", "plain", "json", "irc"] as const) {
    it.effect(`row 13: whoever is not let in, for want of the password, has half a minute for it (${dialect})`, () =>
      Effect.gen(function*() {
        const house = yield* open({ dialect, admits: (password) => password === "sesame" })
        const [out, late] = [house.connect(), house.connect()]
        const [no, yes] = dialect === "json"
          ? ['{"_tag":"List"}\n', '{"_tag":"Arrive","password":"sesame"}\n']
          : dialect === "irc"
          ? ["NICK ana\r\n", "PASS sesame\r\nNICK bo\r\nUSER b 0 * :B\r\n"]
          : ["hello?\n", "/pass sesame\n"]
        for (const client of [out, late]) client.send(no)
        yield* settled
        yield* TestClock.adjust("29 seconds")
        late.send(yes)
        yield* settled
        yield* TestClock.adjust("2 seconds")
        yield* out.closed
        assert.match(out.text(), /30 seconds|timeout/)
        yield* TestClock.adjust("35 seconds")
        assert.isFalse(late.isClosed())
      }))
  }

  it.effect("row 19: a reset at any moment is only a disconnect", () =>
    Effect.gen(function*() {
      const house = yield* open({ maxClients: 4, backlog: 3 })
      const ana = yield* program(house, "ana", "lobby", "den")
      const script = `{"_tag":"Join","room":"den"}\n{"_tag":"Say","target":"#den","text":"hi"}\n{"_tag":"History","room":"den"}\n`
      for (const i of times(120, (i) => i)) {
        const client = house.connect()
        if (i % 5 === 0) client.stopReading()
        client.send(i % 2 === 0 ? script.slice(0, i) : `/join den\nhello ${i}\n/history\n`.slice(0, i))
        for (let turn = 0; turn < i % 7; turn++) yield* Effect.yieldNow
        client.reset()
        client.send("more")
        client.connection.give(Buffer.from("nobody hears this"))
      }
      yield* settled
      yield* fence(ana)
      assert.strictEqual(yield* house.server.connections, 1)
      assert.strictEqual(Array.from((yield* house.hub.world).persons).length, 1)
      const present = new Map<string, number>()
      for (const told of heard(ana, "Joined", "Quit", "Left")) {
        const nick = told["nick"] as string
        const rooms = told._tag === "Quit" ? -(told["rooms"] as ReadonlyArray<string>).length : told._tag === "Left" ? -1 : 1
        present.set(nick, (present.get(nick) ?? 0) + rooms)
      }
      present.delete("ana")
      assert.isAbove(present.size, 10)
      for (const [nick, rooms] of present) assert.strictEqual(rooms, 0, nick)
    }))

  it.effect("row 21: a peer that vanishes leaves once, with the network's reason", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const watcher = yield* person(house, "watcher", "den")
      const bot = yield* program(house, "bot", "den", "lobby")
      const gone = yield* person(house, "gone", "den")
      gone.reset("ping timeout")
      gone.reset("ping timeout")
      yield* watcher.until((text) => text.includes("gone quit"))
      yield* Effect.all([understood(watcher), fence(bot)])
      assert.strictEqual(lines(watcher).filter((line) => line === "-!- gone quit (ping timeout)").length, 1)
      assert.deepStrictEqual(heard(bot, "Quit", "Left").map(({ nick, reason, rooms }) => [nick, reason, rooms]), [
        ["gone", "ping timeout", ["lobby", "den"]]
      ])
    }))

  it.effect("row 22: ten thousand connections from one network are turned away with a reason, others come in", () =>
    Effect.gen(function*() {
      const house = yield* open({ dialect: "plain" })
      const attackers: Array<Memory.Client> = []
      for (const i of times(10_000, (i) => i)) {
        attackers.push(house.connect({ address: `2001:db8:0:1::${(i % 65_536).toString(16)}` }))
        if (i % 500 === 0) yield* settled
      }
      const friend = house.connect({ address: "2001:db8:0:2::1" })
      const local = house.connect({ address: "127.0.0.1" })
      yield* Effect.all([friend, local].map((client) => client.until((text) => text.includes("-!- #lobby:"))))
      yield* settled
      const let_in = attackers.filter((client) => !client.isClosed())
      assert.strictEqual(let_in.length, 32)
      for (const client of attackers) {
        if (client.isClosed()) assert.match(client.text(), /^-!- (there are 32 connections from your address|too many connections from your)/)
      }
      assert.strictEqual(yield* house.server.connections, 34)
    }))
})

describe("abuse of what is spoken", () => {
  it.effect("row 42: whoever tries out an operator's password on many connections is soon answered without a look, and nobody else is", () =>
    Effect.gen(function*() {
      let looked = 0
      const house = yield* open({
        dialect: "irc",
        isOperator: (name, password) => {
          looked++
          return name === "root" && password === "sesame"
        }
      })
      const come = (nick: string, address: string) => {
        const client = house.connect({ address })
        client.send(`NICK ${nick}\r\nUSER a 0 * :A\r\n`)
        return client
      }
      const guessers = Array.from({ length: 20 }, (_, i) => come(`g${i}`, "192.0.2.7"))
      const [other, same] = [come("other", "192.0.2.8"), come("same", "192.0.2.7")]
      yield* settled
      same.send("OPER root sesame\r\n")
      yield* settled
      assert.include(same.text(), " 381 ", "a right one is no guess")
      for (const guesser of guessers) guesser.send("OPER root a\r\nOPER root b\r\nOPER ana c\r\n")
      yield* settled
      assert.strictEqual(looked - 1, 10)
      const answered = guessers.map((client) => client.text()).join("")
      assert.strictEqual(answered.match(/ 464 /g)?.length, 60)
      same.send("MODE same -o\r\nOPER root sesame\r\n")
      other.send("OPER root sesame\r\n")
      yield* settled
      assert.strictEqual(same.text().match(/ 381 /g)?.length, 1, "nobody from there, for a while")
      assert.include(other.text(), " 381 ")
      yield* TestClock.adjust("1 second")
      same.send("OPER root sesame\r\n")
      yield* settled
      assert.strictEqual(same.text().match(/ 381 /g)?.length, 2)
    }))

  it.effect("row 42: whoever gives no password guesses none, and keeps out nobody who has it, or who needs none", () =>
    Effect.gen(function*() {
      const come = (house: House, nick: string, ...first: ReadonlyArray<string>) => {
        const client = house.connect({ address: "192.0.2.7" })
        client.send([...first, `NICK ${nick}`, "USER a 0 * :A", ""].join("\r\n"))
        return client
      }
      const shut = yield* open({ dialect: "irc", admits: (password) => password === "sesame", isOperator: () => false })
      const inside = come(shut, "inside", "PASS sesame")
      yield* settled
      inside.send("OPER root x\r\n".repeat(20))
      yield* settled
      for (let i = 0; i < 20; i++) come(shut, `n${i}`)
      yield* settled
      const right = come(shut, "right", "PASS sesame")
      const free = yield* open({ dialect: "irc", isOperator: () => false })
      const guesser = come(free, "guesser")
      yield* settled
      guesser.send("OPER root x\r\n".repeat(20))
      yield* settled
      const other = come(free, "other", "PASS anything")
      yield* settled
      for (const client of [right, other]) assert.include(client.text(), " 001 ")
    }))

  it.effect("row 42: nor does trying out the server's password on many connections lead anywhere", () =>
    Effect.gen(function*() {
      let looked = 0
      const house = yield* open({
        dialect: "plain",
        admits: (password) => {
          if (password !== undefined) looked++
          return password === "sesame"
        }
      })
      const clients = Array.from({ length: 30 }, () => house.connect({ address: "192.0.2.7" }))
      for (const client of clients) client.send("/pass guess\n")
      yield* settled
      assert.strictEqual(looked, 10)
      for (const client of clients) assert.isTrue(client.isClosed())
      assert.include(clients[29]!.text(), "too many wrong passwords")
      const ana = house.connect({ address: "192.0.2.8" })
      ana.send("/pass sesame\n")
      yield* settled
      assert.include(ana.text(), "Welcome")
    }))

  it.effect("row 31: of two who take one nick at the same instant one gets it, and keeps it", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const clients = yield* Effect.forEach(times(8, (i) => i), (i) => program(house, `p${i}`))
      for (const [i, client] of clients.entries()) ask(client, { _tag: "SetNick", nick: i % 2 === 0 ? "star" : "STAR" })
      yield* Effect.forEach(clients, fence)
      const winners = clients.filter((client) => heard(client, "Renamed").length === 2)
      assert.strictEqual(winners.length, 1)
      for (const client of clients) {
        if (client === winners[0]) continue
        assert.match(reasons(client)[1]!, /^(star|STAR) is taken$/)
        client.reset()
      }
      yield* settled
      const late = yield* program(house, "late")
      ask(late, { _tag: "SetNick", nick: "Star" }, { _tag: "Whisper", nick: "sTAR", text: "still you?" })
      yield* fence(late)
      assert.match(reasons(late)[1]!, /is taken$/)
      yield* winners[0]!.until((text) => text.includes("still you?"))
      ask(winners[0]!, { _tag: "Quit" })
      yield* winners[0]!.closed
      yield* settled
      ask(late, { _tag: "SetNick", nick: "Star" })
      yield* late.until((text) => text.includes("\"to\":\"Star\""))
    }))

  it.effect("row 35: ten thousand joins end at fifty rooms, and names that are none are refused", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bot = yield* program(house, "bot")
      ask(bot, ...times(10_000, (i) => ({ _tag: "Join", room: `r${i}` })))
      yield* fence(bot)
      assert.strictEqual(heard(bot, "Joined").length, 50)
      assert.strictEqual(reasons(bot).filter((reason) => reason === "you are in 50 rooms, the most one can be in").length, 9950)
      const odd = ["a,b", "a b", "\u0007", "..", "a..b", "a/b", "../etc", "", "#", "a:b", "\u202e", "ｌobby", "x".repeat(65), "a\nb"]
      ask(bot, { _tag: "Part", room: "r0" }, ...odd.map((room) => ({ _tag: "Join", room })), { _tag: "Join", room: "0" })
      yield* fence(bot)
      assert.strictEqual(heard(bot, "Joined").length, 51)
      assert.strictEqual(heard(bot, "Joined").at(-1)!["room"], "0")
      const world = yield* house.hub.world
      assert.strictEqual(Array.from(world.rooms).length, 51)
    }))

  it.effect("row 36: a message goes to one target, and a list of them is nobody's name", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const bot = yield* program(house, "bot", "den")
      const many = times(1000, (i) => i === 0 ? "ana" : `ana${i}`).join(",")
      ask(bot, { _tag: "Say", target: many, text: "spam" }, { _tag: "Whisper", nick: many, text: "spam" }, say("den,#lobby", "spam"))
      yield* Effect.all([fence(bot), fence(ana)])
      assert.notInclude(ana.text(), "spam")
      for (const reason of reasons(bot)) assert.isAtMost(reason.length, 200)
      assert.strictEqual(reasons(bot).length, 5)
    }))

  it.effect("row 36: a storm of questions is slowed, and what it is owed is bounded", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate })
      const free = yield* open()
      const many = yield* Effect.forEach(times(200, (i) => i), (i) => program(house, `member${i}`, "den"))
      const ana = yield* program(free, "ana", "den")
      ask(ana, ...times(120, (i) => say("den", `${i}${"\u0001".repeat(4000)}`)))
      yield* fence(ana)
      for (const [where, slow] of [[house, many[0]!], [free, yield* program(free, "slow", "den")]] as const) {
        yield* TestClock.adjust("10 seconds")
        const answers = () => heard(slow, "Members", "Rooms", "Recalled").length
        const before = answers()
        slow.stopReading()
        let most = 0
        ask(slow, ...times(30, (i) => i % 3 === 0 ? { _tag: "Names", room: "den" } : i % 3 === 1 ? { _tag: "List" } : { _tag: "History", room: "den", limit: 500 }))
        for (let i = 0; i < 20; i++) {
          yield* settled
          most = Math.max(most, slow.connection.unsent())
          slow.startReading(10_000)
        }
        assert.isAbove(most, 0)
        assert.isAtMost(most, maxUnsent)
        slow.startReading()
        yield* settled
        if (where === house) assert.isAtMost(answers() - before, rate.burst)
        else {
          yield* fence(slow)
          assert.strictEqual(answers() - before, 30)
        }
      }
    }))

  it.effect("row 37: everything one may have has a limit", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* person(house, "ana", "den")
      const bot = yield* program(house, "bot", "bots")
      ask(
        bot,
        { _tag: "SetTopic", room: "bots", topic: "é".repeat(196) },
        { _tag: "SetTopic", room: "bots", topic: "é".repeat(195) },
        { _tag: "SetAway", message: "x".repeat(391) },
        { _tag: "Part", room: "bots", reason: "x".repeat(391) },
        { _tag: "SetNick", nick: "x".repeat(33) },
        { _tag: "SetNick", nick: "y".repeat(32) },
        say("bots", "⭐".repeat(1366)),
        say("bots", "⭐".repeat(1365)),
        { _tag: "Whisper", nick: "ana", text: "x".repeat(4097) }
      )
      yield* fence(bot)
      assert.deepStrictEqual(reasons(bot).slice(1, -1), [
        "a topic has at most 390 bytes",
        "an away message has at most 390 bytes",
        "a reason has at most 390 bytes",
        "a nick has at most 32 characters",
        "a message has at most 4096 bytes",
        "a message has at most 4096 bytes"
      ])
      ana.send(times(101, (i) => `/ignore troll${i}\n`).join(""))
      yield* understood(ana)
      assert.strictEqual(lines(ana).filter((line) => line.startsWith("-!- you ignore troll")).length, 100)
      assert.include(ana.text(), "-!- you ignore 100 people, the most one can\n")
      ask(bot, { _tag: "Quit", reason: "q".repeat(5000) })
      yield* bot.closed
    }))

  it.effect("row 44: a message to someone who left in the same instant is refused, whoever was first", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana")
      for (const i of times(20, (i) => i)) {
        const bo = yield* program(house, "bo")
        if (i % 2 === 0) ask(bo, { _tag: "Quit" })
        ask(ana, { _tag: "Whisper", nick: "bo", text: `w${i}` })
        if (i % 2 === 1) bo.reset()
        yield* settled
        yield* fence(ana)
        const own = heard(ana, "Whispered").filter(({ text }) => text === `w${i}`).length
        const refused = reasons(ana).filter((reason) => reason === "there is nobody called bo").length
        assert.strictEqual(heard(ana, "Whispered").length + refused, i + 1)
        if (own === 0) assert.notInclude(bo.text(), `w${i}`)
      }
    }))

  it.effect("row 44: a message to someone who is renamed in the same instant reaches nobody else", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana")
      const bo = yield* program(house, "bo")
      const names = ["bo", "bob"]
      let arrived = 0
      for (const i of times(40, (i) => i)) {
        const [from, to] = [names[i % 2]!, names[(i + 1) % 2]!]
        if (i % 3 !== 0) ask(bo, { _tag: "SetNick", nick: to })
        ask(ana, { _tag: "Whisper", nick: from, text: `w${i}.` })
        if (i % 3 === 0) ask(bo, { _tag: "SetNick", nick: to })
        yield* Effect.all([fence(ana), fence(bo)])
        const delivered = heard(bo, "Whispered").filter(({ text }) => text === `w${i}.`).length
        const refused = reasons(ana).filter((reason) => reason === `there is nobody called ${from}`).length
        arrived += delivered
        assert.strictEqual(arrived + reasons(ana).filter((reason) => reason.startsWith("there is nobody called bo")).length, i + 1)
        assert.isAtLeast(delivered + refused, 1)
      }
    }))
})

describe("what is shown", () => {
  const nasty = [
    ["\u001b[31mred", "␛[31mred"],
    ["\u001b]52;c;eA==\u0007", "␛]52;c;eA==␇"],
    ["\u009b2Jclear", "␛2Jclear"],
    ["a\u0007b", "a␇b"],
    ["a\bb", "a␈b"],
    ["a\u0085b", "a<U+0085>b"]
  ] as const

  it.effect("row 45: escape sequences are shown as signs, live and in the history that is replayed", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bot = yield* program(house, "bot", "den")
      const pat = yield* person(house, "pat", "den")
      ask(bot, ...nasty.map(([text]) => say("den", text)), { _tag: "SetTopic", room: "den", topic: nasty[0][0] })
      yield* fence(bot)
      yield* understood(pat)
      const late = yield* person(house, "late", "den")
      late.send("/history\n")
      yield* understood(late)
      for (const [, shown] of nasty) {
        assert.include(pat.text(), `bot: ${shown}\n`)
        assert.strictEqual(lines(late).filter((line) => line === `00:00 bot: ${shown}`).length, 2)
      }
      assert.include(late.text(), "-!- topic of #den: ␛[31mred\n")
      const again = house.connect()
      ask(again, { _tag: "Join", room: "den", last: 20 }, { _tag: "History", room: "den" })
      yield* fence(again)
      assert.deepStrictEqual(saidTo(again), nasty.map(([text]) => text))
      for (const client of [pat, late, again]) assert.notMatch(client.text(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    }))

  it.effect("row 45: a carriage return or a NUL cannot make a second line", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bot = yield* program(house, "bot", "den")
      const pat = yield* person(house, "pat", "den")
      ask(bot, ...["a\r-!- x", "a\n-!- x", "a\u0000-!- x"].map((text) => say("den", text)))
      ask(bot, { _tag: "Quit", reason: "a\r\n-!- x" })
      yield* pat.until((text) => text.includes("bot quit"))
      assert.strictEqual(reasons(bot).filter((reason) => reason === "a message is one line of text").length, 3)
      assert.isFalse(lines(pat).some((line) => line.startsWith("-!- x")))
      assert.strictEqual(lines(pat).at(-1), "-!- bot quit (a  -!- x)")
    }))

  it.effect("row 46: bidi overrides are shown, isolates are closed, and no name has either", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const bot = yield* program(house, "bot", "den")
      const pat = yield* person(house, "pat", "den")
      ask(
        bot,
        say("den", "\u202eevil\u202c"),
        say("den", "\u2066open"),
        say("den", "\u2069closed\u2067x\u2069"),
        say("den", "ze\u200bro"),
        { _tag: "SetNick", nick: "b\u200bot" },
        { _tag: "SetNick", nick: "b\u202eot" },
        { _tag: "Join", room: "d\u200ben" }
      )
      yield* fence(bot)
      yield* understood(pat)
      assert.deepStrictEqual(lines(pat).filter((line) => line.startsWith("bot: ")), [
        "bot: <U+202E>evil<U+202C>",
        "bot: \u2066open\u2069",
        "bot: closed\u2067x\u2069",
        "bot: ze<U+200B>ro"
      ])
      assert.strictEqual(heard(bot, "Renamed", "Joined").length, 3)
    }))

  it.effect("row 48: nobody's line looks like the server's, a private message or another room's", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const pat = yield* person(house, "pat", "den")
      const before = lines(pat).length
      const tricks = ["-!- the server is closing", "[ana] psst", "#lobby ana: hi", "* ana waves", "-ana- notice", "12:00 ana: hi"]
      const nicks = ["[ana]", "ana", "-!-", "-ana", "#ana", "*", "<ana>", "[x]"]
      const bots = yield* Effect.forEach(times(nicks.length, (i) => i), (i) => program(house, `bot${i}`, "den"))
      for (const [i, bot] of bots.entries()) {
        ask(bot, { _tag: "SetNick", nick: nicks[i]! })
        yield* fence(bot)
        for (const text of tricks) {
          for (const kind of ["message", "action", "notice"]) ask(bot, { _tag: "Say", target: "#den", text, kind })
        }
        yield* fence(bot)
      }
      yield* understood(pat)
      const shown = lines(pat).slice(before)
      const holders = "(?:\\[ana\\]|ana|\\[x\\]|bot\\d)"
      const sayings = tricks.map((trick) => trick.replace(/[[\]*#-]/g, "\\$&")).join("|")
      const own = new RegExp(`^(?:<\\[\\w+\\]>|ana|bot\\d): (?:${sayings})$|^\\* ${holders} (?:${sayings})$|^-${holders}- (?:${sayings})$`)
      const servers = /^-!- (?:\S+ joined #den|.* joined #den|\S+ is now \S+|there is nobody called nobody\d+)$/
      for (const line of shown) assert.isTrue(own.test(line) || servers.test(line), line)
      assert.strictEqual(shown.filter((line) => own.test(line)).length, nicks.length * tricks.length * 3)
    }))
})

/** Everything that is logged while this runs, a line each. */
const logged = (into: Array<string>) =>
  Effect.provide(Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void into.push(line))]))

const ownMetrics = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

/** The test's clock, with a wall clock and a monotonic clock that can be put off, in milliseconds. */
const crookedClock = Effect.clockWith((clock) => {
  const off = { wall: 0, monotonic: 0 }
  const wall = () => clock.currentTimeMillisUnsafe() + off.wall
  const nanos = () => BigInt(wall()) * 1_000_000n
  const monotonic = () => clock.monotonicTimeNanosUnsafe() + BigInt(off.monotonic) * 1_000_000n
  const crooked: Clock.Clock = {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => clock.sleep(duration)
  }
  return Effect.succeed({ off, crooked })
})

describe("pressure", () => {
  it.effect("row 49: one that does not read costs others nothing, is told what it missed, and can resume", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 40 })
      const ana = yield* program(house, "ana", "den")
      const stuck = yield* program(house, "stuck", "den")
      const slow = yield* program(house, "slow", "den")
      for (const client of [stuck, slow]) client.stopReading()
      const long = "x".repeat(3000)
      let most = 0
      for (const i of times(300, (i) => i)) {
        ask(ana, say("den", `${i}.${long}`))
        yield* fence(ana)
        for (const client of [stuck, slow]) most = Math.max(most, client.connection.unsent())
      }
      assert.isAtLeast(most, highWater)
      assert.isAtMost(most, maxUnsent)
      assert.strictEqual(saidTo(ana).length, 300)
      slow.startReading()
      yield* fence(slow)
      const [missed] = heard(slow, "Missed")
      assert.strictEqual(saidTo(slow).length + (missed!["count"] as number), 300)
      yield* TestClock.adjust(patience)
      yield* ana.until((text) => text.includes("\"nick\":\"stuck\",\"rooms\":[\"den\"],\"reason\":\"does not read\""))
      stuck.startReading()
      yield* stuck.closed
      assert.strictEqual(heard(stuck).at(-1)!._tag, "Closing")
      const after = heard(stuck, "Said").at(-1)!.seq!
      const again = house.connect()
      ask(again, { _tag: "Join", room: "den", after, epoch: heard(stuck, "Welcome")[0]!["epoch"] })
      yield* fence(again)
      assert.deepInclude(heard(again, "Missed")[0], { room: "den", after })
      assert.deepStrictEqual(saidTo(again).map((text) => parseInt(text, 10)), times(40, (i) => 260 + i))
    }))

  it.effect("row 50: one who says a hundred thousand things is slowed, and others are not", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate })
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      yield* TestClock.adjust("10 seconds")
      for (let i = 0; i < 100_000; i += 100) ana.send(times(100, (j) => JSON.stringify(say("den", `${i + j}`)) + "\n").join(""))
      for (const i of times(10, (i) => i)) {
        ask(bo, say("den", `bo${i}`))
        yield* bo.until((text) => text.includes(`bo${i}"`))
        yield* TestClock.adjust("1 second")
      }
      yield* settled
      const fromAna = saidTo(bo).filter((text) => !text.startsWith("bo"))
      assert.deepStrictEqual(fromAna, times(30, (i) => `${i}`))
    }))

  it.effect("row 50: without a limit a flood is heard between others' words, in order", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      ask(ana, ...times(5000, (i) => say("den", `${i}`)))
      yield* bo.until((text) => text.includes("\"Said\""))
      for (const i of times(10, (i) => i)) {
        ask(bo, say("den", `bo${i}`))
        yield* bo.until((text) => text.includes(`bo${i}"`))
      }
      const between = saidTo(bo).length
      assert.isBelow(between, 3000)
      yield* fence(ana)
      yield* fence(bo)
      assert.deepStrictEqual(saidTo(bo).filter((text) => !text.startsWith("bo")), times(5000, (i) => `${i}`))
    }))

  it.effect("row 50: a thousand clients who speak at once are all heard, in one order", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const clients = times(1000, () => house.connect())
      for (const [i, client] of clients.entries()) ask(client, { _tag: "Join", room: `r${i % 20}` })
      yield* settled
      for (const [i, client] of clients.entries()) ask(client, say(`r${i % 20}`, `m${i}`))
      yield* Effect.forEach(clients, fence)
      for (const [i, client] of clients.entries()) {
        assert.deepStrictEqual(saidTo(client), saidTo(clients[i % 20]!))
        if (i < 20) assert.deepStrictEqual(saidTo(client).sort(), times(50, (j) => `m${i + 20 * j}`).sort())
      }
    }))

  it.effect("row 51: a storm of a thousand who come and go is a few lines for people and programs, and each by irc, with one list of names for who comes", () =>
    Effect.gen(function*() {
      const count = 1000
      const house = yield* open()
      const ana = yield* person(house, "ana")
      const bo = yield* program(house, "bo", "lobby")
      const byIrc = (nick: string) => {
        const client = house.connect()
        client.send(`NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\nJOIN #lobby\r\n`)
        return client
      }
      const matches = (client: Memory.Client, pattern: RegExp) => client.text().match(pattern) ?? []
      /** Of how many people are told that they came or went, by their names or their number. */
      const told = (happened: "joined" | "left") =>
        [...ana.text().matchAll(new RegExp(`^-!- (.*) ${happened}`, "gm"))].reduce((sum, [, who]) => {
          const others = Number(/ and (\d+) others$/.exec(who!)?.[1] ?? 0)
          return sum + others + who!.replace(/ and \d+ others$/, "").split(/, | and /).length
        }, 0)
      const cy = byIrc("cy")
      yield* settled
      yield* TestClock.adjust("2 seconds")
      yield* settled
      const before = [ana, bo, cy].map((client) => lines(client).length) as [number, number, number]
      const since = (client: Memory.Client, i: number) => lines(client).length - before[i]!
      const joined = told("joined")
      const comers: Array<Memory.Client> = []
      for (let i = 0; i < count; i++) {
        const client = i % 2 === 0 ? byIrc(`i${i}`) : house.connect()
        comers.push(client)
        if (i % 2 === 1) client.send(`/nick p${i}\n`)
        // Not all in one turn of the hub.
        if (i % 20 === 0) yield* settled
      }
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.strictEqual(told("joined") - joined, count)
      assert.strictEqual(new Set(matches(cy, /^:\S+ JOIN #lobby/gm)).size, count + 1)
      for (const [i, client] of comers.entries()) {
        if (i % 2 === 1) assert.isBelow(lines(client).length, 30)
        else assert.lengthOf(matches(client, / 366 i\d+ #lobby /g), 1)
      }
      const left = told("left")
      for (const [i, client] of comers.entries()) {
        client.send(i % 2 === 0 ? "QUIT\r\n" : "/quit\n")
        if (i % 20 === 0) yield* settled
      }
      yield* TestClock.adjust("20 seconds")
      yield* settled
      assert.strictEqual(told("left") - left, count)
      assert.lengthOf(matches(cy, /^:\S+ QUIT /gm), count)
      assert.isBelow(since(ana, 0), 40)
      assert.isBelow(since(bo, 1), 40)
    }))

  it.effect("row 52: with too much unsent to all together those go for whom most waits, and nobody comes in until there is less", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      // Two who do not read are borne, and three are not.
      const house = yield* open({ maxUnsent: 2.5 * highWater })
      const ana = yield* program(house, "ana", "den")
      const unread = yield* Effect.forEach(["slow", "stuck", "worse"], (nick) => program(house, nick, "den"))
      const talk = Effect.forEach(times(40, (i) => i), (i) => {
        ask(ana, say("den", `${i}.${"x".repeat(3000)}`))
        return fence(ana)
      })
      for (const client of unread.slice(1)) client.stopReading()
      yield* talk
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* house.server.ready)
      assert.lengthOf(heard(ana, "Quit"), 0)
      unread[0]!.stopReading()
      yield* talk
      const waits = unread.map(({ connection }) => connection.unsent())
      const goes = waits.indexOf(Math.max(...waits))
      yield* TestClock.adjust("500 millis")
      yield* unread[goes]!.closed
      yield* ana.until((text) => text.includes(`"nick":"${["slow", "stuck", "worse"][goes]}","rooms":["den"],"reason":"does not read"`))
      assert.lengthOf(heard(ana, "Quit"), 1)
      assert.isFalse(yield* house.server.ready)
      assert.deepStrictEqual(log.filter((line) => /level=WARN .* bytes wait to be sent, and 1 /.test(line)).length, 1)
      const early = house.connect()
      yield* early.closed
      assert.strictEqual(early.text(), "-!- the server is full: too much waits to be sent to those who are here; try again later\n")
      // There is room again, and who stayed misses nothing.
      yield* TestClock.adjust("500 millis")
      assert.isTrue(yield* house.server.ready)
      yield* program(house, "late", "den")
      for (const [i, client] of unread.entries()) {
        if (i === goes) continue
        client.startReading()
        yield* fence(client)
        assert.deepStrictEqual(saidTo(client), saidTo(ana))
      }
    }).pipe(logged(log), ownMetrics)
  })

  it.effect("row 53: an event loop that is late shows in a gauge and a log line", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      const { crooked, off } = yield* crookedClock
      yield* Effect.provideService(open(), Clock.Clock, crooked)
      const lag = Effect.map(Metric.snapshot, (all) => all.find(({ id }) => id === "chat_eventloop_lag_seconds")?.state)
      const warnings = () => log.filter((line) => line.includes("the event loop was"))
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* lag, { value: 0 })
      off.monotonic += 250
      yield* TestClock.adjust("500 millis")
      assert.deepInclude(yield* lag, { value: 0.25 })
      assert.deepStrictEqual(warnings(), [])
      off.monotonic += 1234
      yield* TestClock.adjust("500 millis")
      assert.deepInclude(yield* lag, { value: 1.234 })
      assert.strictEqual(warnings().length, 1)
      assert.match(warnings()[0]!, /level=WARN .*the event loop was 1234 ms late/)
      yield* TestClock.adjust("500 millis")
      assert.deepInclude(yield* lag, { value: 0 })
      assert.strictEqual(warnings().length, 1)
    }).pipe(logged(log), ownMetrics)
  })
})

describe("life and death of the server", () => {
  it.effect("row 57: idle, busy, stuck and waiting clients are told goodbye, and the end comes within the grace period", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate, maxClients: 5, backlog: 2 })
      const idle = yield* person(house, "idle", "den")
      const busy = yield* program(house, "busy", "den")
      const stuck = yield* program(house, "stuck", "den")
      const mute = house.connect()
      const flood = yield* program(house, "flood", "den")
      const waits = house.connect()
      stuck.stopReading()
      for (let i = 0; i < 60; i++) {
        yield* TestClock.adjust("1 second")
        ask(flood, say("den", `${i}.${"x".repeat(3000)}`))
        yield* fence(flood)
      }
      yield* TestClock.adjust("10 seconds")
      assert.isAbove(stuck.connection.unsent(), highWater)
      ask(busy, ...times(1000, (i) => say("den", `${i}`)))
      yield* settled
      const began = yield* Clock.currentTimeMillis
      const closing = yield* Effect.forkScoped(house.close)
      yield* settled
      for (const client of [idle, busy, mute, waits, flood]) assert.isTrue(client.isClosed())
      assert.strictEqual(lines(idle).at(-1), "-!- the server is closing")
      assert.strictEqual(lines(mute).at(-1), "-!- the server is closing")
      assert.deepStrictEqual(heard(busy).at(-1), { _tag: "Closing", reason: "the server is closing" })
      assert.strictEqual(waits.text(), "-!- the server is closing; try again later\n")
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.isDefined(closing.pollUnsafe())
      assert.isTrue(stuck.isClosed())
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 10_000)
    }))

  it.effect("row 61: a clock that steps back delays nobody and disorders nothing", () =>
    Effect.gen(function*() {
      const { crooked, off } = yield* crookedClock
      const house = yield* Effect.provideService(open({ rate }), Clock.Clock, crooked)
      yield* TestClock.adjust("1 hour")
      const ana = yield* program(house, "ana", "den")
      const bo = yield* program(house, "bo", "den")
      yield* TestClock.adjust("10 seconds")
      ask(ana, say("den", "before"))
      yield* fence(ana)

      const silent = house.connect()
      const half = house.connect()
      half.send("GE")
      yield* settled
      ask(bo, ...times(20, (i) => say("den", `bo${i}`)))
      yield* settled
      off.wall -= 3_600_000
      yield* TestClock.adjust(300)
      yield* settled
      assert.include(silent.text(), "-!- Welcome to effect-chat.")
      yield* TestClock.adjust("29700 millis")
      yield* settled
      assert.isTrue(half.isClosed())
      assert.strictEqual(saidTo(ana).filter((text) => text.startsWith("bo")).length, 20)

      ask(ana, say("den", "after"))
      yield* fence(ana)
      ask(ana, { _tag: "History", room: "den" })
      yield* ana.until((text) => text.includes("\"Recalled\""))
      const told = heard(ana, "Said")
      const { entries } = heard(ana, "Recalled")[0] as unknown as { readonly entries: typeof told }
      assert.deepStrictEqual(entries.map(({ text }) => text), told.map(({ text }) => text))
      const [before, after] = [told[0]!, told.at(-1)!]
      assert.isBelow(before.seq!, after.seq!)
      assert.isAbove(Date.parse(before["at"] as string), Date.parse(after["at"] as string))
      assert.strictEqual(new Set(told.map(({ id }) => id)).size, told.length)
      const late = house.connect()
      ask(late, { _tag: "Join", room: "den", after: before.seq })
      yield* fence(late)
      assert.deepStrictEqual(saidTo(late), told.slice(1).map(({ text }) => text))
    }))

  it.effect("row 61: a clock that steps back keeps nobody who does not read", () =>
    Effect.gen(function*() {
      const { crooked, off } = yield* crookedClock
      const house = yield* Effect.provideService(open(), Clock.Clock, crooked)
      const ana = yield* program(house, "ana", "den")
      const stuck = yield* program(house, "stuck", "den")
      stuck.stopReading()
      ask(ana, ...times(60, (i) => say("den", `${i}.${"x".repeat(3000)}`)))
      yield* fence(ana)
      yield* TestClock.adjust("10 seconds")
      off.wall -= 3_600_000
      yield* TestClock.adjust(patience)
      yield* fence(ana)
      assert.strictEqual(heard(ana, "Quit")[0]?.["reason"], "does not read")
    }))

  it.effect("row 65: nothing of who has gone is kept", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.makeListener
      yield* Layer.build(
        ChatServer.layer({ maxClients: 20, backlog: 5 }).pipe(
          Layer.provideMerge(Hub.layer()),
          Layer.provideMerge(Log.layerMemory({ history: 10 })),
          Layer.provide(memory.layer)
        )
      )
      const gone: Array<WeakRef<object>> = []
      for (const round of times(20, (i) => i)) {
        for (const i of times(30, (i) => i)) {
          const client = memory.connect({ address: `192.0.2.${round}` })
          client.send(i % 2 === 0 ? `{"_tag":"Join","room":"r${round}"}\n` : "hello\n/join den\n")
          gone.push(new WeakRef(client.connection))
          if (i % 3 === 0) yield* settled
          if (i % 4 === 0) client.reset()
          else client.end()
        }
        yield* settled
      }
      yield* TestClock.adjust("1 minute")
      yield* settled
      collect()
      yield* settled
      collect()
      // A register or two may still hold the last ones.
      assert.isAtMost(gone.filter((one) => one.deref() !== undefined).length, 10)
    }))

  const once = (port: number): Effect.Effect<void> =>
    Effect.callback((resume) => {
      const socket = Net.connect(port, "127.0.0.1")
      socket.on("error", () => {})
      socket.once("data", () => resume(Effect.void))
    })

  it.live("row 65: a hundred houses built and torn down leave no socket, timer or fiber", () => {
    const fibers = { started: 0, ended: 0 }
    const count: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => void fibers.started++,
      recordFiberEnd: () => void fibers.ended++
    }
    const cycle = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const server = yield* Layer.buildWithScope(
        ChatServer.layer({ dialect: "plain", grace: "5 seconds" }).pipe(
          Layer.provideMerge(Hub.layer()),
          Layer.provideMerge(Log.layerMemory({ history: 10 })),
          Layer.provideMerge(Tcp.layer({ host: "127.0.0.1", port: 0, backlog: 5 }))
        ),
        scope
      ).pipe(Effect.map((context) => context.mapUnsafe.get(ChatServer.key) as ChatServer["Service"]))
      yield* Effect.all([once(server.port), once(server.port)], { concurrency: 2 })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* server.connections, 0)
    })
    const resources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Socket|Server/.test(name)).sort()
    return Effect.gen(function*() {
      yield* cycle
      yield* settled
      const before = resources()
      const running = fibers.started - fibers.ended
      for (let i = 0; i < 100; i++) yield* cycle
      yield* settled
      assert.isAbove(fibers.started, 1000)
      assert.strictEqual(fibers.started - fibers.ended, running)
      const more = resources()
      for (const name of before) { if (more.includes(name)) more.splice(more.indexOf(name), 1) }
      assert.deepStrictEqual(more, [])
    }).pipe(Effect.provideService(Metric.FiberRuntimeMetrics, count))
  })
})
