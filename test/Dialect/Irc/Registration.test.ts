/** How IRC clients come in. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { closeAfter, maxEarly, patience, pingAfter } from "../../../src/Dialect/Irc.ts"
import type { Memory } from "../../../src/testing.ts"
import { version } from "../../../src/Version.ts"
import { open, settled } from "../../house.ts"
import { comings, fence, told } from "../../newcomer.ts"
import { inShort, onIrc } from "../../scene.ts"

describe("registration", () => {
  comings("Modern IRC, Connection Registration", [
    ["NICK and USER", `
      > NICK bo
      > USER bo 0 * :Bo B.
      < GREETING bo`],
    ["USER and NICK", `
      > USER bo 0 * :Bo B.
      > NICK bo
      < GREETING bo`],
    ["in lower case", `
      > NICK bo
      > user bo 0 * bo
      < GREETING bo`],
    ["another nick before USER", `
      > NICK bo
      > NICK cy
      > USER bo 0 * :Bo B.
      < GREETING cy`],
    ["an empty line and spaces are nothing", `
      > NICK bo
      >
      >
      > USER bo 0 * :Bo B.
      < GREETING bo`],
    ["what is said at once after it is heard after it", `
      > NICK bo
      > USER bo 0 * :Bo B.
      > JOIN #den
      > FOO
      > NICK cy
      > MOTD
      < GREETING bo
      < bo JOIN #den
      < 353 bo = #den :@bo
      < 366 bo #den :End of /NAMES list
      < 421 bo FOO :Unknown command
      < bo NICK :cy
      < 422 cy :There is no message of the day`],
    ["out of every room at once, of which some were only just come into", `
      > NICK bo
      > USER bo 0 * :Bo B.
      > JOIN #den,#lair
      > JOIN 0
      > JOIN 0
      < GREETING bo
      < bo JOIN #den
      < 353 bo = #den :@bo
      < 366 bo #den :End of /NAMES list
      < bo JOIN #lair
      < 353 bo = #lair :@bo
      < 366 bo #lair :End of /NAMES list
      < bo PART #den
      < bo PART #lair`],
    ["out and in again, as clients cycle", `
      > NICK bo
      > USER bo 0 * :Bo B.
      > JOIN #den
      > PART #den
      > JOIN #den
      < GREETING bo
      < bo JOIN #den
      < 353 bo = #den :@bo
      < 366 bo #den :End of /NAMES list
      < bo PART #den
      < bo JOIN #den
      < 353 bo = #den :@bo
      < 366 bo #den :End of /NAMES list`]
  ])

  comings("Modern IRC, NICK message", [
    ["without a nick", `
      > NICK
      > NICK :
      < 431 * :No nickname given
      < 431 * :No nickname given`],
    ["erroneous ones", `
      > NICK *
      > NICK 0bo
      > NICK #den
      > NICK b.o
      > NICK b@o
      > NICK :two words
      > NICK ${"x".repeat(33)}
      > NICK nickserv
      < 432 * * :Erroneous nickname
      < 432 * 0bo :Erroneous nickname
      < 432 * #den :Erroneous nickname
      < 432 * b.o :Erroneous nickname
      < 432 * b@o :Erroneous nickname
      < 432 * two_words :Erroneous nickname
      < 432 * ${"x".repeat(33)} :Erroneous nickname
      < 432 * nickserv :Erroneous nickname`],
    ["all signs that must be allowed, as many as may be", `
      > NICK [{bo}]|\\^_\`-${"9".repeat(20)}
      > USER bo 0 * :Bo
      < GREETING [{bo}]|\\^_\`-${"9".repeat(20)}`],
    ["one that is taken is refused at once, in any case", `
      > NICK ANA
      < 433 * ANA :Nickname is already in use`],
    ["and once, whatever follows; another is then enough", `
      > NICK ana
      > USER bo 0 * :Bo
      > NICK Ana
      > NICK bo
      < 433 * ana :Nickname is already in use
      < 433 * Ana :Nickname is already in use
      < GREETING bo`],
    ["the server's own is nobody's", `
      > NICK Effect-Chat
      > USER bo 0 * :Bo
      > NICK effect-chat
      > NICK effect-chat.local
      > NICK bo
      < 432 * Effect-Chat :Erroneous nickname
      < 432 * effect-chat :Erroneous nickname
      < 432 * effect-chat.local :Erroneous nickname
      < GREETING bo`],
    ["each time it is asked for", `
      > NICK ana
      > USER bo 0 * :Bo
      > NICK ana
      > NICK ana
      < 433 * ana :Nickname is already in use
      < 433 * ana :Nickname is already in use
      < 433 * ana :Nickname is already in use`],
    ["and so while capabilities are negotiated", `
      > CAP REQ multi-prefix
      > NICK ana
      > USER bo 0 * :Bo
      > CAP END
      > NICK ana
      > NICK bo
      < CAP * ACK :multi-prefix
      < 433 * ana :Nickname is already in use
      < 433 * ana :Nickname is already in use
      < GREETING bo`],
    ["while it is not granted, nothing else is", `
      > USER bo 0 * :Bo
      > NICK ana
      > JOIN #den
      > NICK bo
      > JOIN #den
      < 433 * ana :Nickname is already in use
      < 451 * :You have not registered
      < GREETING bo
      < bo JOIN #den
      < 353 bo = #den :@bo
      < 366 bo #den :End of /NAMES list`]
  ])

  comings("Modern IRC, USER message", [
    ["too few parameters", `
      > USER
      > USER bo 0 *
      < 461 * USER :Not enough parameters
      < 461 * USER :Not enough parameters`],
    ["empty ones", `
      > NICK bo
      > USER bo 0 * :
      > USER  0 *  :
      > USER bo 0 * :Bo
      < 461 * USER :Not enough parameters
      < 461 * USER :Not enough parameters
      < GREETING bo`],
    ["not twice", `
      > USER bo 0 * :Bo
      > USER cy 0 * :Cy
      > NICK bo
      > USER cy 0 * :Cy
      < 462 * :You may not reregister
      < GREETING bo
      < 462 bo :You may not reregister`],
    ["a name is marked as not looked up, and cut to USERLEN", `
      > NICK bo
      > USER abcdefghijklmnopqrstuvwxyz 0 * :Bo
      > USERHOST bo
      < GREETING bo
      < 302 bo bo=+~abcdefghijklmno@memory`],
    ["signs that masks are made of are left out", `
      > NICK bo
      > USER b!o@*? 0 * :Bo
      > USERHOST bo
      < GREETING bo
      < 302 bo bo=+~bo@memory`]
  ])

  const admits = (password: string | undefined) => password === "sesame"
  comings("Modern IRC, PASS message", [
    ["the right one", `
      > PASS sesame
      > NICK bo
      > USER bo 0 * :Bo
      < GREETING bo`, { admits }],
    ["the last one counts", `
      > PASS wrong
      > PASS sesame
      > NICK bo
      > USER bo 0 * :Bo
      < GREETING bo`, { admits }],
    ["a wrong one is told and closed", `
      > PASS wrong
      > NICK bo
      > USER bo 0 * :Bo
      < 464 * :Password incorrect
      < ERROR :Closing link: wrong password
      < CLOSED`, { admits }],
    ["none is wrong too", `
      > NICK bo
      > USER bo 0 * :Bo
      < 464 * :Password incorrect
      < ERROR :Closing link: wrong password
      < CLOSED`, { admits }],
    ["without one, and after registering", `
      > PASS
      > NICK bo
      > USER bo 0 * :Bo
      > PASS x
      < 461 * PASS :Not enough parameters
      < GREETING bo
      < 462 bo :You may not reregister`]
  ])

  comings("Modern IRC, ERR_NOTREGISTERED", [
    ["only what belongs to registering is heard before", `
      > USER bo 0 * :Bo
      > JOIN #den
      > PRIVMSG ana :hi
      > FOO
      > LIST
      > PONG x
      > ERROR :x
      < 451 * :You have not registered
      < 451 * :You have not registered
      < 451 * :You have not registered
      < 451 * :You have not registered`],
    ["PING is answered before", `
      > NICK bo
      > PING x
      < PONG effect-chat.local :x`],
    ["QUIT is heard before", `
      > NICK bo
      > QUIT :bye
      < ERROR :Closing link: Quit: bye
      < CLOSED`]
  ])

  comings("IRCv3 utf8-only", [
    ["a name that is not UTF-8", `
      > NICK bo
      > USER bo 0 * :B\\xf6
      > \\xff\\xfe
      > US\\xf6
      < FAIL USER INVALID_UTF8 :Message rejected, it is not valid UTF-8
      < FAIL * INVALID_UTF8 :Message rejected, it is not valid UTF-8
      < FAIL * INVALID_UTF8 :Message rejected, it is not valid UTF-8`]
  ])

  it.effect("the greeting is in Modern IRC's order", () =>
    Effect.gen(function*() {
      const house = yield* open({ motd: ["be kind", "", "no cats"], name: "Our House" })
      const client = house.connect()
      client.send("NICK ana\r\nUSER ana 0 * :Ana\r\n")
      yield* fence(client)
      const lines = client.text().split("\r\n")
      assert.deepStrictEqual(lines.filter((line) => !line.includes(" 005 ")).slice(0, -2), [
        ":Our-House.local 001 ana :Welcome to Our House, ana!~ana@memory",
        `:Our-House.local 002 ana :Your host is Our-House.local, running version effect-chat-${version}`,
        ":Our-House.local 003 ana :This server was started Thu, 01 Jan 1970 00:00:00 GMT",
        `:Our-House.local 004 ana Our-House.local effect-chat-${version} BTiow CIbeiklmnostv Ibeklov`,
        ":Our-House.local 251 ana :There are 1 users and 0 invisible on 1 servers",
        ":Our-House.local 252 ana 0 :operator(s) online",
        ":Our-House.local 253 ana 0 :unknown connection(s)",
        ":Our-House.local 254 ana 0 :channels formed",
        ":Our-House.local 255 ana :I have 1 clients and 0 servers",
        ":Our-House.local 265 ana 1 1 :Current local users 1, max 1",
        ":Our-House.local 266 ana 1 1 :Current global users 1, max 1",
        ":Our-House.local 375 ana :- Our-House.local message of the day -",
        ":Our-House.local 372 ana :- be kind",
        ":Our-House.local 372 ana :- ",
        ":Our-House.local 372 ana :- no cats",
        ":Our-House.local 376 ana :End of /MOTD command",
        ":Our-House.local 221 ana +"
      ])
      assert.isTrue(lines.slice(4, 7).every((line) => line.includes(" 005 ")), "after RPL_MYINFO")
    }))
})

/** Time passes, in steps, so that what happens in it can have its own time. */
const pass = (milliseconds: number): Effect.Effect<void> =>
  Effect.forEach(Array.from({ length: milliseconds / 5000 }), () => Effect.andThen(TestClock.adjust(5000), settled), { discard: true })

describe("a client that says nothing", () => {
  it.effect("row 13: is closed when it does not say who it is", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const client = house.connect()
      client.send("NICK ana\r\n")
      yield* settled
      yield* TestClock.adjust(patience - 1)
      assert.strictEqual(client.text(), "")
      yield* TestClock.adjust(1)
      yield* client.closed
      assert.deepStrictEqual(told(client), ["ERROR :Closing link: Registration timeout"])
    }))

  it.effect("Modern IRC, PING message: is asked whether it is there, and given up when it is not", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      const bo = yield* onIrc(house, "bo")
      for (const player of [ana, bo]) {
        player.client.send("JOIN #den\r\n")
        yield* player.fence
      }
      const last = (client: Memory.Client, count: number) => client.text().split("\r\n").slice(0, -1).map(inShort).slice(-count)
      yield* pass(pingAfter)
      assert.deepStrictEqual(last(ana.client, 1), ["PING :effect-chat.local"])
      ana.client.send("PONG effect-chat.local\r\n")
      yield* settled
      yield* pass(closeAfter - pingAfter)
      yield* bo.client.closed
      yield* settled
      assert.deepStrictEqual(last(bo.client, 2), ["PING :effect-chat.local", "ERROR :Closing link: Ping timeout"])
      assert.deepStrictEqual(last(ana.client, 2), ["PING :effect-chat.local", "bo QUIT :Ping timeout"])
      assert.isFalse(ana.client.isClosed())
    }))

  it.effect("and was greeted as a person for it becomes who it says it is", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const client = house.connect()
      yield* TestClock.adjust(300)
      yield* client.until((text) => text.includes("-!- #lobby: 1 member"))
      client.send("CAP LS 302\r\nNICK bo\r\nUSER bo 0 * :Bo B.\r\nCAP REQ :multi-prefix\r\nCAP END\r\nJOIN #den\r\n")
      yield* fence(client)
      assert.deepStrictEqual(told(client).slice(-5), [
        "CAP * ACK :multi-prefix",
        "GREETING bo",
        "bo JOIN #den",
        "353 bo = #den :@bo",
        "366 bo #den :End of /NAMES list"
      ])
      client.send("WHOIS bo\r\n")
      yield* fence(client)
      assert.deepStrictEqual(told(client).slice(-7), [
        "311 bo bo ~bo memory * :Bo B.",
        "378 bo bo :is connecting from ~bo@memory memory",
        "379 bo bo :is using modes +",
        "319 bo bo :@#den",
        "312 bo bo effect-chat.local :a chat for people and programs",
        "317 bo bo 0 0 :seconds idle, signon time",
        "318 bo bo :End of /WHOIS list"
      ])
      const other = house.connect()
      yield* TestClock.adjust(300)
      yield* other.until((text) => text.includes("-!- #lobby: 1 member"))
      other.send("NICK bo\r\nUSER cy 0 * :Cy\r\nNICK cy\r\nNAMES #lobby\r\n")
      yield* fence(other)
      assert.include(other.text(), ":effect-chat.local 433 * bo :Nickname is already in use\r\n:effect-chat.local 001 cy ")
      assert.deepStrictEqual(told(other).slice(-2), [
        "GREETING cy",
        "366 cy #lobby :End of /NAMES list"
      ])
    }))

  it.effect("and was not let in as a person, for want of a password, may still give it", () =>
    Effect.gen(function*() {
      const house = yield* open({ admits: (password) => password === "sesame" })
      const client = house.connect()
      yield* TestClock.adjust(300)
      yield* client.until((text) => text.includes("password"))
      client.send("PASS sesame\r\nNICK bo\r\nUSER bo 0 * :Bo B.\r\nUSERHOST bo\r\n")
      yield* fence(client)
      assert.deepStrictEqual(told(client).slice(-2), ["221 bo +", "302 bo bo=+~bo@memory"])
    }))

  it.effect("row 34: or too much, before it registers, is closed", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const client = house.connect()
      client.send("CAP LIST\r\n".repeat(maxEarly + 1))
      yield* client.closed
      assert.deepStrictEqual(told(client).slice(maxEarly - 1), ["CAP * LIST :", "ERROR :Closing link: too many lines before registering"])
    }))
})
