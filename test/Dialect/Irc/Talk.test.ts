/** What IRC clients say to each other. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { irc, type State } from "../../../src/Dialect/Irc.ts"
import * as Capabilities from "../../../src/Dialect/Irc/Capabilities.ts"
import * as Show from "../../../src/Dialect/Irc/Show.ts"
import * as Text from "../../../src/Text.ts"
import { Arbitraries, Laws } from "../../../src/testing.ts"
import { open, settled } from "../../house.ts"
import { onIrc, scenes } from "../../scene.ts"

const { among, hostileText, oneOf } = Arbitraries

const target = among("#den", "#DEN", "bo", "#den,#den", "#den,bo", "@#den", "#", "", ":#den", "#d\u0001")
const parts = Arbitrary.array(
  oneOf<string>(
    among(" ", ":", "\u0001", "\u0001ACTION ", "\u0002", "é", "hello", "\t", "\u007f", "x".repeat(100), "x".repeat(420), "x".repeat(500)),
    hostileText
  ),
  { maxLength: 4 }
)

describe("PRIVMSG and NOTICE", () => {
  it.prop("mean the same where there are tags before them, for which they are looked at closely", { target, parts, colon: among(":", "") }, ({ colon, parts, target }) => {
    const line = `PRIVMSG ${target} ${colon}${parts.join("").replaceAll("\n", "")}`
    const here: State = { ...irc.open({ server: "chat", address: "127.0.0.1", echo: undefined }).state, stage: "here", nick: "ana", user: "ana" }
    const heard = (text: string) => irc.receive(here, Text.encode(`${text}\r\n`)).outputs
    // Tags do not count as part of the line.
    assert.deepStrictEqual(heard(line), heard(`@x ${line}`))
  }, { arbitrary: { runs: 1000 } })

  it("behind something that is waited for do not hide that a line has grown too long", () => {
    const here: State = { ...irc.open({ server: "chat", address: "127.0.0.1", echo: undefined }).state, stage: "here", nick: "ana", user: "ana" }
    for (const before of ["", "JOIN #den\r\n", "JOIN #den\r\nPRIVMSG #den :hi\r\n"]) {
      const { outputs } = Laws.received(irc, here, Text.encode(before + "x".repeat(20_000)))
      assert.deepInclude(outputs.at(-1), { _tag: "Close", reason: "line too long" }, before)
    }
  })

  it("are told as one line as long as they go into one, and as several when not", () => {
    const text = (length: number) => "abcdefghij".repeat(60).slice(0, length)
    for (let length = 300; length < 560; length++) {
      const event = { _tag: "Said", room: "den", nick: "ana", text: text(length), kind: "message" } as const
      const entry = { seq: 1, at: 0, id: "x", by: "a", from: "ana@127.0.0.1", event }
      const told = Buffer.from(Show.rendering(Capabilities.none).render([entry], "den").bytes).toString()
      assert.strictEqual(told, Show.event(Capabilities.none, event, entry))
      for (const line of told.split("\n")) assert.isAtMost(line.length + 1, 512)
    }
  })

  scenes("Modern IRC, PRIVMSG message", [
    ["to a channel and to a person", `
      #den: ana bo cy
      ana > PRIVMSG #den :hello there
      bo cy < ana PRIVMSG #den :hello there
      ana > privmsg BO hello
      bo < ana PRIVMSG bo :hello
    `],
    ["to oneself", `
      ana > PRIVMSG ana :remember
      ana < ana PRIVMSG ana :remember
    `],
    ["to several, each once", `
      #den: ana bo
      ana > PRIVMSG bo,cy,#den,bo :hi
      bo < ana PRIVMSG bo :hi
      cy < ana PRIVMSG cy :hi
      bo < ana PRIVMSG #den :hi
      ana > PRIVMSG bo,#Den,BO,#den :hi
      bo < ana PRIVMSG bo :hi
      bo < ana PRIVMSG #den :hi
    `],
    ["to too many", `
      ana > PRIVMSG a,b,c,d,e :hi
      ana < 407 ana a :Too many targets, at most 4
    `],
    ["to nobody, and to no channel", `
      ana > PRIVMSG nobody :hi
      ana < 401 ana nobody :No such nick/channel
      ana > PRIVMSG #nowhere :hi
      ana < 403 ana #nowhere :No such channel
    `],
    ["without a recipient, without a text", `
      ana > PRIVMSG
      ana < 411 ana :No recipient given (PRIVMSG)
      ana > PRIVMSG :
      ana < 411 ana :No recipient given (PRIVMSG)
      ana > PRIVMSG ana
      ana < 412 ana :No text to send
      ana > PRIVMSG ana :
      ana < 412 ana :No text to send
    `],
    ["colours, a colon at the start, and spaces stay", `
      ana > PRIVMSG bo :\\x02bold\\x0f \\x0304red\\x03 :)  two
      bo < ana PRIVMSG bo :\\x02bold\\x0f \\x0304red\\x03 :)  two
      ana > PRIVMSG bo ::)
      bo < ana PRIVMSG bo ::)
    `],
    ["what terminals act on does not", `
      ana > PRIVMSG bo :\\x1b[31mred\\x07 a\\x09tab
      bo < ana PRIVMSG bo :[31mred a tab
    `],
    ["what ends no line is refused", `
      ana > PRIVMSG bo :one\\x0dtwo
      ana < 421 ana * :A line has no CR, LF or NUL in it
      ana > PRIVMSG bo :one\\x00two
      ana < 421 ana * :A line has no CR, LF or NUL in it
    `]
  ])
  scenes("Modern IRC, NOTICE message", [
    ["is heard, and never answered", `
      #den: ana bo
      ana > NOTICE #den :hi
      bo < ana NOTICE #den :hi
      ana > NOTICE bo :hi
      bo < ana NOTICE bo :hi
      ana > NOTICE nobody :hi
      ana > NOTICE #nowhere :hi
      ana > NOTICE
      ana > NOTICE bo
      ana > NOTICE a,b,c,d,e :hi
      bo > AWAY :lunch
      bo < 306 bo :You have been marked as being away
      ana > NOTICE bo :hi
      bo < ana NOTICE bo :hi
    `]
  ])
  scenes("Modern IRC, Client-to-Client Protocol", [
    ["what is nearly an action is told as it was written", `
      pia speaks plain
      #den: ana bo pia
      ana > PRIVMSG #den :\\x01ACTION \\x01
      bo < ana PRIVMSG #den :\\x01ACTION \\x01
      pia < ana: ␁ACTION ␁
      ana > PRIVMSG bo :\\x01ACTION
      bo < ana PRIVMSG bo :\\x01ACTION
      ana > PRIVMSG bo :\\x01ACTION waves\\x01 and goes
      bo < ana PRIVMSG bo :\\x01ACTION waves\\x01 and goes
      ana > PRIVMSG bo :\\x01ACTION waves
      bo < ana PRIVMSG bo :\\x01ACTION waves\\x01
    `],
    ["an action, and other requests", `
      pia speaks plain
      #den: ana bo pia
      ana > PRIVMSG #den :\\x01ACTION waves\\x01
      bo < ana PRIVMSG #den :\\x01ACTION waves\\x01
      pia < * ana waves
      ana > PRIVMSG bo :\\x01VERSION\\x01
      bo < ana PRIVMSG bo :\\x01VERSION\\x01
      ana > NOTICE bo :\\x01VERSION mine\\x01
      bo < ana NOTICE bo :\\x01VERSION mine\\x01
    `]
  ])

  /** What bo is told, and ana, when ana says `text` in a line of so many bytes; what is beyond one line of 512 bytes is cut off. */
  const long = Effect.fnUntraced(function*(start: string, text: string) {
    const house = yield* open()
    const ana = yield* onIrc(house, "ana", "echo-message")
    const bo = yield* onIrc(house, "bo")
    const before = [ana.told().length, bo.told().length] as const
    ana.client.send(`${start}${text}\r\n`)
    yield* Effect.all([ana.fence, bo.fence])
    const heard = bo.client.text().split("\r\n").filter((line) => line.startsWith(":ana!"))
    return { echo: ana.told().slice(before[0]), heard: bo.told().slice(before[1]), bytes: heard.map((line) => Text.byteLength(line) + 2) }
  })
  const room = 512 - ":ana!~ana@memory PRIVMSG bo :\r\n".length
  const lengths: ReadonlyArray<readonly [what: string, text: string, arrives: string]> = [
    ["that fills the line is told whole", "x".repeat(room), "x".repeat(room)],
    ["that fills it with a character of several bytes too", `${"x".repeat(room - 4)}😃`, `${"x".repeat(room - 4)}😃`],
    ["of one byte more is cut off", "x".repeat(room + 1), "x".repeat(room)],
    ["is never cut off within a character", `${"x".repeat(room - 3)}😃`, "x".repeat(room - 3)],
    ["nor within what looks like one", `${"x".repeat(room - 10)}👩‍👧`, "x".repeat(room - 10)]
  ]
  for (const [what, text, arrives] of lengths) {
    it.effect(`Modern IRC, Compatibility with incorrect software, 512 bytes: a text ${what}, and who said it sees so`, () =>
      Effect.gen(function*() {
        const { bytes, echo, heard } = yield* long("PRIVMSG bo :", text)
        assert.deepStrictEqual(heard, [`ana PRIVMSG bo :${arrives}`])
        assert.deepStrictEqual(echo, heard)
        assert.isAtMost(bytes[0]!, 512)
      }))
  }
  it.effect("Modern IRC, ERR_INPUTTOOLONG: a line of 513 bytes is refused, and the session goes on", () =>
    Effect.gen(function*() {
      const { echo, heard } = yield* long("PRIVMSG bo :", "x".repeat(511 - "PRIVMSG bo :".length))
      assert.deepStrictEqual([echo, heard], [["417 ana :Input line was too long"], []])
    }))
  it.effect("an action is cut off before its end", () =>
    Effect.gen(function*() {
      const { echo, heard } = yield* long("PRIVMSG bo :\u0001ACTION ", `${"x".repeat(510 - "PRIVMSG bo :\u0001ACTION \u0001".length)}\u0001`)
      assert.match(heard[0]!, /^ana PRIVMSG bo :\u0001ACTION x+\u0001$/)
      assert.deepStrictEqual(echo, heard)
    }))
  it.effect("what other dialects say in longer lines is told in several", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "message-tags")
      const pia = house.connect()
      pia.send("/nick pia\n")
      const before = ana.told().length
      const text = "word ".repeat(200).trim()
      pia.send(`/msg ana ${text}\n`)
      yield* settled
      yield* ana.fence
      const lines = ana.told().slice(before)
      assert.strictEqual(lines.length, 3)
      assert.match(lines[0]!, /^@msgid=\* :pia!plain@memory PRIVMSG ana :word/)
      for (const line of lines.slice(1)) assert.match(line, /^:pia!plain@memory PRIVMSG ana :/)
      assert.strictEqual(lines.map((line) => line.slice(line.indexOf(" ana :") + 6)).join(""), text)
    }))
  it.effect("Modern IRC, PING message: a text that fills the line is cut off too", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      ana.client.send(`PING ${"x".repeat(505)}\r\n`)
      yield* ana.fence
      const line = ana.client.text().split("\r\n").find((line) => line.endsWith("xxx"))!
      assert.strictEqual(Text.byteLength(line) + 2, 512)
    }))
})

describe("PING and PONG", () => {
  scenes("Modern IRC, PING message", [
    ["a token comes back", `
      ana > PING abcdef
      ana < PONG effect-chat.local :abcdef
      ana > PING :two words
      ana < PONG effect-chat.local :two words
      ana > PING one two
      ana < PONG effect-chat.local :one
    `],
    ["without one", `
      ana > PING
      ana < 461 ana PING :Not enough parameters
      ana > PING :
      ana < 409 ana :No origin specified
    `],
    ["PONG and ERROR are not answered", `
      ana > PONG x
      ana > ERROR :x
    `],
    ["comes with the time, where that was asked for", `
      ana has server-time
      ana > PING x
      ana < @time=1970-01-01T00:00:00.000Z PONG effect-chat.local :x
    `]
  ])
  scenes("Modern IRC, ERR_UNKNOWNCOMMAND", [
    ["what there is not", `
      ana > FOO bar
      ana < 421 ana FOO :Unknown command
      ana > constructor
      ana < 421 ana CONSTRUCTOR :Unknown command
    `]
  ])
})
