/** How IRC clients come in, and what they are told of the server. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as Commands from "../../../src/Dialect/Irc/Commands.ts"
import * as Help from "../../../src/Dialect/Irc/Help.ts"
import { closeAfter, maxEarly, patience, pingAfter } from "../../../src/Dialect/Irc.ts"
import type { Memory } from "../../../src/testing.ts"
import { type HouseOptions, open, settled } from "../../house.ts"
import { inShort, onIrc, scenes } from "../../scene.ts"

let fences = 0

/** Once a client was told everything that was ordered before now; or was closed. */
const fence = Effect.fnUntraced(function*(client: Memory.Client) {
  const word = `fence${++fences}`
  client.send(`PING ${word}\r\n`)
  for (let turns = 0; turns < 20 && !client.isClosed(); turns++) {
    yield* settled
    if (client.text().includes(` :${word}\r\n`)) return
  }
  if (!client.isClosed()) assert.fail(`no answer to PING; what was read:\n${client.text()}`)
})

/** What a client was told, the greeting as one word; what comes of fences is left out. */
const told = (client: Memory.Client): ReadonlyArray<string> => {
  const lines = client.text().split("\r\n").slice(0, -1).filter((line) => !/ PONG \S+ :fence\d+$/.test(line)).map(inShort)
  const from = lines.findIndex((line) => line.startsWith("001 "))
  const to = lines.findIndex((line) => line.startsWith("221 "))
  return from === -1 ? lines : [...lines.slice(0, from), `GREETING ${lines[from]!.split(" ")[1]}`, ...lines.slice(to + 1)]
}

/** Bytes as a client may send them: all at once, a line at a time, or a byte at a time. The answers are the same. */
const cuts: ReadonlyArray<readonly [how: string, cut: (text: string) => ReadonlyArray<string>]> = [
  ["in one segment", (text) => [text]],
  ["line by line", (text) => text.split(/(?<=\n)/)],
  ["byte by byte", (text) => text.split("")]
]

/**
 * What a newcomer says (`>`) and is told (`<`); ana is here already. `GREETING nick` is all from RPL_WELCOME to RPL_UMODEIS,
 * and `CLOSED` the end.
 */
const comings = (source: string, table: ReadonlyArray<readonly [what: string, talk: string, options?: HouseOptions]>): void => {
  for (const [what, talk, options] of table) {
    const steps = talk.split("\n").map((line) => line.trim()).filter((line) => line !== "")
    const said = steps.filter((line) => line.startsWith(">")).map((line) => `${line.slice(2)}\r\n`).join("")
      .replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    const expected = steps.filter((line) => line.startsWith("<")).map((line) => line.slice(2).replace(/ \$$/, " "))
    for (const [how, cut] of cuts) {
      it.effect(`${source}: ${what} (${how})`, () =>
        Effect.gen(function*() {
          const house = yield* open(options)
          if (options?.admits === undefined) yield* onIrc(house, "ana")
          const client = house.connect()
          for (const part of cut(said)) {
            client.send(Buffer.from(part, "latin1"))
            yield* settled
          }
          yield* fence(client)
          assert.deepStrictEqual([...told(client), ...client.isClosed() ? ["CLOSED"] : []], expected)
        }))
    }
  }
}

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
      < bo NICK cy
      < 422 cy :There is no message of the day`],
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
        ":Our-House.local 002 ana :Your host is Our-House.local, running version effect-chat",
        ":Our-House.local 003 ana :This server was started Thu, 01 Jan 1970 00:00:00 GMT",
        ":Our-House.local 004 ana Our-House.local effect-chat Biow CIbeiklmnostv Ibeklov",
        ":Our-House.local 251 ana :There are 1 users and 0 invisible on 1 servers",
        ":Our-House.local 252 ana 0 :operator(s) online",
        ":Our-House.local 253 ana 0 :unknown connection(s)",
        ":Our-House.local 254 ana 1 :channels formed",
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

describe("RPL_ISUPPORT", () => {
  const tokens = Effect.fnUntraced(function*(options: HouseOptions = {}) {
    const house = yield* open(options)
    const client = house.connect()
    client.send("NICK ana\r\nUSER ana 0 * :Ana\r\n")
    yield* fence(client)
    return client.text().split("\r\n").filter((line) => line.includes(" 005 ")).map((line) => line.slice(1).split(" :")[0]!.split(" ").slice(3))
  })

  it.effect("Modern IRC, RPL_ISUPPORT: at most 13 tokens a line, none twice, each of a name and perhaps a value", () =>
    Effect.gen(function*() {
      const lines = yield* tokens()
      for (const line of lines) assert.isAtMost(line.length, 13)
      const all = lines.flat()
      for (const token of all) assert.match(token, /^[A-Z0-9]{1,20}(?:=[!-<>-~]*)?$/)
      const names = all.map((token) => token.split("=")[0])
      assert.strictEqual(new Set(names).size, names.length)
    }))

  const expected: ReadonlyArray<readonly [token: string, source: string]> = [
    ["AWAYLEN=390", "Modern IRC, AWAYLEN parameter"],
    ["BOT=B", "IRCv3 bot mode"],
    ["CASEMAPPING=ascii", "Modern IRC, CASEMAPPING parameter"],
    ["CHANLIMIT=#:50", "Modern IRC, CHANLIMIT parameter"],
    ["CHANMODES=Ibe,k,l,Cimnst", "Modern IRC, CHANMODES parameter"],
    ["CHANNELLEN=65", "Modern IRC, CHANNELLEN parameter"],
    ["CHANTYPES=#", "Modern IRC, CHANTYPES parameter"],
    ["CHATHISTORY=500", "IRCv3 chathistory"],
    ["EXCEPTS=e", "Modern IRC, EXCEPTS parameter"],
    ["INVEX=I", "Modern IRC, INVEX parameter"],
    ["KICKLEN=390", "Modern IRC, KICKLEN parameter"],
    ["MAXLIST=beI:100", "Modern IRC, MAXLIST parameter"],
    ["MONITOR=100", "IRCv3 monitor"],
    ["MSGREFTYPES=msgid,timestamp", "IRCv3 chathistory"],
    ["NAMELEN=150", "IRCv3 setname"],
    ["NETWORK=effect-chat", "Modern IRC, NETWORK parameter"],
    ["NICKLEN=32", "Modern IRC, NICKLEN parameter"],
    ["PREFIX=(ov)@+", "Modern IRC, PREFIX parameter"],
    ["SAFELIST", "Modern IRC, SAFELIST parameter"],
    ["STATUSMSG=@+", "Modern IRC, STATUSMSG parameter"],
    ["TOPICLEN=390", "Modern IRC, TOPICLEN parameter"],
    ["USERLEN=16", "Modern IRC, USERLEN parameter"],
    ["UTF8ONLY", "IRCv3 utf8-only"],
    ["WHOX", "IRCv3 WHOX"]
  ]
  it.effect("has what is supported", () =>
    Effect.gen(function*() {
      const all = (yield* tokens()).flat()
      for (const [token, source] of expected) assert.include(all, token, source)
      assert.match(all.find((token) => token.startsWith("TARGMAX="))!, /^TARGMAX=[A-Z]+:[0-9]*(?:,[A-Z]+:[0-9]*)*$/)
    }))

  it.effect("Modern IRC, RPL_ISUPPORT: spaces, backslashes and equal signs in values are escaped", () =>
    Effect.gen(function*() {
      assert.include((yield* tokens({ name: "a b=c\\d é" })).flat(), "NETWORK=a\\x20b\\x3Dc\\x5Cd\\x20_")
    }))
})

const all = "account-notify account-tag away-notify batch cap-notify chghost draft/chathistory draft/no-implicit-names echo-message "
  + "extended-join extended-monitor invite-notify labeled-response message-tags multi-prefix server-time setname standard-replies userhost-in-names"

describe("CAP", () => {
  comings("IRCv3 capability negotiation", [
    ["LS lists them and holds registration until END", `
      > CAP LS 302
      > NICK bo
      > USER bo 0 * :Bo
      > CAP LIST
      > CAP END
      < CAP * LS :${all}
      < CAP * LIST :cap-notify
      < GREETING bo`],
    ["LS of old has no values, and brings no cap-notify", `
      > CAP LS
      > CAP LIST
      < CAP * LS :${all}
      < CAP * LIST :`],
    ["LIST is empty at first", `
      > CAP LIST
      < CAP * LIST :`],
    ["REQ holds registration too", `
      > CAP REQ multi-prefix
      > NICK bo
      > USER bo 0 * :Bo
      > CAP END
      < CAP * ACK :multi-prefix
      < GREETING bo`],
    ["LIST does not", `
      > CAP LIST
      > NICK bo
      > USER bo 0 * :Bo
      < CAP * LIST :
      < GREETING bo`],
    ["END alone is nothing", `
      > CAP END
      > NICK bo
      > USER bo 0 * :Bo
      > CAP END
      < GREETING bo`],
    ["what there is not is refused, in the words it was asked for", `
      > CAP REQ :foo qux bar baz qux quux
      < CAP * NAK :foo qux bar baz qux quux`],
    ["all are granted, or none", `
      > CAP REQ :multi-prefix foo
      > CAP REQ :foo multi-prefix
      > CAP LIST
      > CAP REQ :multi-prefix batch
      > CAP LIST
      < CAP * NAK :multi-prefix foo
      < CAP * NAK :foo multi-prefix
      < CAP * LIST :
      < CAP * ACK :multi-prefix batch
      < CAP * LIST :batch multi-prefix`],
    ["names have their case", `
      > CAP REQ :Batch
      < CAP * NAK :Batch`],
    ["what one has may be asked for, and what one has not given back", `
      > CAP REQ :batch batch
      > CAP REQ :batch -setname
      > CAP REQ :-batch
      > CAP LIST
      < CAP * ACK :batch batch
      < CAP * ACK :batch -setname
      < CAP * ACK :-batch
      < CAP * LIST :`],
    ["cap-notify comes with 302 and cannot be given back then", `
      > CAP REQ :cap-notify
      > CAP REQ :-cap-notify
      > CAP LS 307
      > CAP REQ :cap-notify
      > CAP REQ :-cap-notify
      > CAP LS
      > CAP REQ :-cap-notify batch
      > CAP LIST
      < CAP * ACK :cap-notify
      < CAP * ACK :-cap-notify
      < CAP * LS :${all}
      < CAP * ACK :cap-notify
      < CAP * NAK :-cap-notify
      < CAP * LS :${all}
      < CAP * NAK :-cap-notify batch
      < CAP * LIST :cap-notify`],
    ["other subcommands, and none", `
      > CAP FOO
      > CAP
      < 410 * FOO :Invalid CAP command
      < 461 * CAP :Not enough parameters`],
    ["is heard after registering, which it does not undo", `
      > NICK bo
      > USER bo 0 * :Bo
      > CAP LS 302
      > JOIN #den
      > CAP REQ :multi-prefix
      > CAP END
      > CAP FOO
      < GREETING bo
      < CAP bo LS :${all}
      < bo JOIN #den
      < 353 bo = #den :@bo
      < 366 bo #den :End of /NAMES list
      < CAP bo ACK :multi-prefix
      < 410 bo FOO :Invalid CAP command`],
    ["a nick that is taken is told while it lasts", `
      > CAP LS
      > NICK ana
      > USER bo 0 * :Bo
      > CAP END
      > NICK bo
      < CAP * LS :${all}
      < 433 * ana :Nickname is already in use
      < GREETING bo`]
  ])

  scenes("IRCv3 capability negotiation", [
    ["what is given back is not told any more", `
      ana has server-time message-tags
      bo > PRIVMSG ana :one
      ana < @time=1970-01-01T00:00:00.000Z;msgid=* bo PRIVMSG ana :one
      ana > CAP REQ :-message-tags
      ana < CAP ana ACK :-message-tags
      bo > PRIVMSG ana :two
      ana < @time=1970-01-01T00:00:00.000Z bo PRIVMSG ana :two
      ana > CAP REQ :-server-time
      ana < CAP ana ACK :-server-time
      bo > PRIVMSG ana :three
      ana < bo PRIVMSG ana :three
    `]
  ])
})

/** Time passes, in steps, so that what happens in it can have its own time. */
const pass = (milliseconds: number): Effect.Effect<void> =>
  Effect.forEach(Array.from({ length: milliseconds / 5000 }), () => Effect.andThen(TestClock.adjust(5000), settled), { discard: true })

describe("a client that says nothing", () => {
  it.effect("SURVIVE row 13: is closed when it does not say who it is", () =>
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
        ":bo!plain@memory JOIN #den",
        "353 bo = #den :@bo",
        "366 bo #den :End of /NAMES list"
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

  it.effect("SURVIVE row 34: or too much, before it registers, is closed", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const client = house.connect()
      client.send("CAP LIST\r\n".repeat(maxEarly + 1))
      yield* client.closed
      assert.deepStrictEqual(told(client).slice(maxEarly - 1), ["CAP * LIST :", "ERROR :Closing link: too many lines before registering"])
    }))
})

describe("the server", () => {
  scenes("Modern IRC, server queries", [
    ["MOTD, when there is none", `
      ana > MOTD
      ana < 422 ana :There is no message of the day
    `],
    ["MOTD", `
      ana > MOTD
      ana < 375 ana :- effect-chat.local message of the day -
      ana < 372 ana :- be kind
      ana < 376 ana :End of /MOTD command
    `, { motd: ["be kind"] }],
    ["of another server there is none", `
      ana > MOTD elsewhere.example
      ana < 402 ana elsewhere.example :No such server
      ana > VERSION elsewhere.*
      ana < 402 ana elsewhere.* :No such server
      ana > ADMIN nobody
      ana < 402 ana nobody :No such server
      ana > TIME elsewhere.example
      ana < 402 ana elsewhere.example :No such server
      ana > INFO elsewhere.example
      ana < 402 ana elsewhere.example :No such server
      ana > STATS u elsewhere.example
      ana < 402 ana elsewhere.example :No such server
      ana > LUSERS * elsewhere.example
      ana < 402 ana elsewhere.example :No such server
    `],
    ["this one is asked by its name, a pattern, or somebody who is on it", `
      bo > PING x
      bo < PONG effect-chat.local :x
      ana > TIME effect-chat.local
      ana < 391 ana effect-chat.local :Thu, 01 Jan 1970 00:00:00 GMT
      ana > TIME *.LOCAL
      ana < 391 ana effect-chat.local :Thu, 01 Jan 1970 00:00:00 GMT
      ana > TIME BO
      ana < 391 ana effect-chat.local :Thu, 01 Jan 1970 00:00:00 GMT
    `],
    ["ADMIN", `
      ana > ADMIN
      ana < 256 ana effect-chat.local :Administrative info
      ana < 257 ana effect-chat
      ana < 258 ana :run by whoever started it
      ana < 259 ana :ask in #lobby
    `],
    ["INFO", `
      ana > INFO
      ana < 371 ana :effect-chat: a chat server written as one Effect program
      ana < 371 ana :People on nc and telnet, programs on json and IRC clients are in the same rooms.
      ana < 371 ana :Running since Thu, 01 Jan 1970 00:00:00 GMT
      ana < 374 ana :End of INFO list
    `],
    ["LINKS", `
      ana > LINKS
      ana < 364 ana effect-chat.local effect-chat.local :0 effect-chat
      ana < 365 ana * :End of /LINKS list
      ana > LINKS elsewhere.*
      ana < 365 ana elsewhere.* :End of /LINKS list
    `],
    ["STATS", `
      ana > STATS
      ana < 461 ana STATS :Not enough parameters
      ana > STATS u
      ana < 242 ana :Server Up 0 days 0:00:00
      ana < 219 ana u :End of /STATS report
      ana > STATS z
      ana < 219 ana z :End of /STATS report
    `],
    ["LUSERS", `
      pia speaks plain
      #den: ana bo pia
      ana > LUSERS
      ana < 251 ana :There are 3 users and 0 invisible on 1 servers
      ana < 252 ana 0 :operator(s) online
      ana < 253 ana 0 :unknown connection(s)
      ana < 254 ana 2 :channels formed
      ana < 255 ana :I have 3 clients and 0 servers
      ana < 265 ana 3 3 :Current local users 3, max 3
      ana < 266 ana 3 3 :Current global users 3, max 3
      bo > MODE bo +i
      bo < bo MODE bo +i
      ana > OPER root secret
      ana < ana MODE ana +o
      ana < 381 ana :You are now an IRC operator
      pia > /quit
      ana bo < :pia!plain@memory QUIT :
      pia < -!- goodbye
      ana > LUSERS
      ana < 251 ana :There are 1 users and 1 invisible on 1 servers
      ana < 252 ana 1 :operator(s) online
      ana < 253 ana 0 :unknown connection(s)
      ana < 254 ana 2 :channels formed
      ana < 255 ana :I have 2 clients and 0 servers
      ana < 265 ana 2 3 :Current local users 2, max 3
      ana < 266 ana 2 3 :Current global users 2, max 3
    `, { isOperator: (name, password) => name === "root" && password === "secret" }]
  ])

  it.effect("Modern IRC, RPL_LUSERUNKNOWN: who has not registered is counted apart", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      const unknown = Effect.fnUntraced(function*() {
        ana.client.send("LUSERS\r\n")
        yield* ana.fence
        return ana.told().findLast((line) => line.startsWith("253 "))
      })
      const bo = house.connect()
      bo.send("NICK bo\r\n")
      yield* fence(bo)
      assert.strictEqual(yield* unknown(), "253 ana 1 :unknown connection(s)")
      bo.send("USER bo 0 * :Bo\r\n")
      yield* fence(bo)
      assert.strictEqual(yield* unknown(), "253 ana 0 :unknown connection(s)")
    }))

  it.effect("Modern IRC, VERSION message: RPL_VERSION and RPL_ISUPPORT", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      const before = ana.told().length
      ana.client.send("VERSION\r\n")
      yield* ana.fence
      const [version, ...more] = ana.told().slice(before)
      assert.strictEqual(version, "351 ana effect-chat effect-chat.local https://ircv3.net")
      assert.isNotEmpty(more)
      assert.deepStrictEqual(more, ana.client.text().split("\r\n").map(inShort).filter((line) => line.startsWith("005 ")).slice(0, more.length))
    }))

  describe("Modern IRC, HELP message", () => {
    scenes("Modern IRC, HELP message", [
      ["of a command", `
        ana > HELP privmsg
        ana < 704 ana PRIVMSG :The PRIVMSG command
        ana < 705 ana PRIVMSG :
        ana < 705 ana PRIVMSG :PRIVMSG #room|nick|@#room[,...] :text says something to rooms and people;
        ana < 706 ana PRIVMSG :@#room is for those who run it, +#room for those with a voice too.
        ana > HELPOP TIME
        ana < 704 ana TIME :The TIME command
        ana < 705 ana TIME :
        ana < 706 ana TIME :TIME [server]: what time it is.
      `],
      ["of what there is not", `
        ana > HELP FOO
        ana < 524 ana FOO :No help available on this topic
        ana > HELP :two words
        ana < 524 ana * :No help available on this topic
        ana > HELP constructor
        ana < 524 ana constructor :No help available on this topic
      `]
    ])
    it("there is help on every command", () => {
      for (const command of Commands.commands) assert.isAtLeast(Help.of(command)?.length ?? 0, 3, command)
      const listed = Help.of("*")!.slice(2, -1).join(" ").split(" ")
      assert.deepStrictEqual(listed, [...Commands.commands].sort())
    })
  })
})

describe("operators of the server", () => {
  const isOperator = (name: string, password: string) => name === "root" && password === "secret"
  const opered = `
    ana > OPER root secret
    ana < ana MODE ana +o
    ana < 381 ana :You are now an IRC operator`
  scenes("Modern IRC, OPER message", [
    ["with its name and password", opered, { isOperator }],
    ["with a wrong password, a wrong name, and too little", `
      ana > OPER root wrong
      ana < 464 ana :Password incorrect
      ana > OPER ana secret
      ana < 464 ana :Password incorrect
      ana > OPER root
      ana < 461 ana OPER :Not enough parameters
      ana > OPER
      ana < 461 ana OPER :Not enough parameters
    `, { isOperator }]
  ])
  scenes("Modern IRC, operator messages", [
    ["are for operators", `
      ana > KILL bo :x
      ana < 481 ana :Permission Denied- You're not an IRC operator
      ana > KILL ana :x
      ana < 481 ana :Permission Denied- You're not an IRC operator
      bo > REHASH
      bo < 481 bo :Permission Denied- You're not an IRC operator
      bo > DIE
      bo < 481 bo :Permission Denied- You're not an IRC operator
      bo > WALLOPS :hi
      bo < 481 bo :Permission Denied- You're not an IRC operator
    `, { isOperator }],
    ["KILL of nobody, and without a nick", `${opered}
      ana > KILL nobody :x
      ana < 401 ana nobody :No such nick/channel
      ana > KILL
      ana < 461 ana KILL :Not enough parameters
    `, { isOperator }],
    ["REHASH", `${opered}
      ana > REHASH
      ana < 382 ana settings Rehashing
    `, { isOperator }],
    ["WALLOPS without a text", `${opered}
      ana > WALLOPS
      ana < 461 ana WALLOPS :Not enough parameters
      ana > WALLOPS :
      ana < 461 ana WALLOPS :Not enough parameters
    `, { isOperator }]
  ])

  it.effect("Modern IRC, KILL message: ends a session, of which the others are told why", () =>
    Effect.gen(function*() {
      const house = yield* open({ isOperator })
      const [ana, bo, cy] = yield* Effect.forEach(["ana", "bo", "cy"], (nick) => onIrc(house, nick))
      for (const player of [ana!, bo!, cy!]) {
        player.client.send("JOIN #den\r\n")
        yield* player.fence
      }
      ana!.client.send("OPER root secret\r\nKILL bo :for a reason\r\nKILL cy\r\n")
      yield* Effect.all([ana!.fence, bo!.client.closed, cy!.client.closed])
      yield* settled
      assert.strictEqual(bo!.told().at(-1), "ERROR :Closing link: Killed (ana (for a reason))")
      assert.strictEqual(cy!.told().at(-1), "ERROR :Closing link: Killed (ana (no reason given))")
      assert.deepStrictEqual(ana!.told().slice(-2), ["bo QUIT :Killed (ana (for a reason))", "cy QUIT :Killed (ana (no reason given))"])
    }))

  it.effect("Modern IRC, REHASH and DIE reach the server", () =>
    Effect.gen(function*() {
      const wanted: Array<string> = []
      const house = yield* open({ isOperator, onControl: (what) => void wanted.push(what) })
      const ana = yield* onIrc(house, "ana")
      ana.client.send("REHASH\r\nDIE\r\nOPER root secret\r\nREHASH\r\nDIE\r\n")
      yield* ana.fence
      assert.deepStrictEqual(wanted, ["rehash", "die"])
    }))
})
