/** What IRC clients ask of the server, and what its operators have it do. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Commands from "../../../src/Dialect/Irc/Commands.ts"
import * as Help from "../../../src/Dialect/Irc/Help.ts"
import { version } from "../../../src/Version.ts"
import { open, settled } from "../../house.ts"
import { fence } from "../../newcomer.ts"
import { inShort, onIrc, scenes } from "../../scene.ts"

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
      ana < 364 ana effect-chat.local effect-chat.local :0 a chat for people and programs
      ana < 365 ana * :End of /LINKS list
      ana > LINKS elsewhere.*
      ana < 365 ana elsewhere.* :End of /LINKS list
    `],
    ["what LINKS and WHOIS say of a server is what it is, not how it is called (RFC 2812 5.1, 364 and 312)", `
      ana > LINKS
      ana < 364 ana effect-chat.local effect-chat.local :0 the attic of the house
      ana < 365 ana * :End of /LINKS list
      ana > WHOIS ana
      ana < 311 ana ana ~ana memory * :ana Person
      ana < 378 ana ana :is connecting from ~ana@memory memory
      ana < 379 ana ana :is using modes +
      ana < 312 ana ana effect-chat.local :the attic of the house
      ana < 317 ana ana 0 0 :seconds idle, signon time
      ana < 318 ana ana :End of /WHOIS list
    `, { description: "the attic of the house" }],
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
      ana < 254 ana 1 :channels formed
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
      const [line, ...more] = ana.told().slice(before)
      assert.strictEqual(line, `351 ana effect-chat-${version} effect-chat.local https://ircv3.net`)
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
      assert.deepStrictEqual(bo!.told().slice(-2), ["ana KILL bo :for a reason", "ERROR :Closing link: Killed (ana (for a reason))"])
      assert.deepStrictEqual(cy!.told().slice(-2), ["ana KILL cy :no reason given", "ERROR :Closing link: Killed (ana (no reason given))"])
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

  it.effect("DIE is for this server and nobody else", () =>
    Effect.gen(function*() {
      const wanted: Array<string> = []
      const house = yield* open({ isOperator, onControl: (what) => void wanted.push(what) })
      const ana = yield* onIrc(house, "ana")
      ana.client.send("OPER root secret\r\n")
      yield* ana.fence
      const before = ana.told().length
      ana.client.send("DIE nob\r\nDIE ana\r\nDIE *\r\nDIE nob effect-chat.local\r\n")
      yield* ana.fence
      assert.deepStrictEqual(ana.told().slice(before), ["nob", "ana", "*", "nob"].map((name) => `402 ana ${name} :No such server`))
      assert.deepStrictEqual(wanted, [])
      ana.client.send("DIE Effect-Chat.local\r\nDIE :\r\n")
      yield* ana.fence
      assert.deepStrictEqual(wanted, ["die", "die"])
    }))
})
