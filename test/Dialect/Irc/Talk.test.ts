/** What IRC clients say to each other, with what tags and labels, and what is said of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Text from "../../../src/Text.ts"
import { open, settled } from "../../house.ts"
import { onIrc, scenes } from "../../scene.ts"

describe("PRIVMSG and NOTICE", () => {
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
      ana < 421 ana * :A line has no CR and no NUL in it
      ana > PRIVMSG bo :one\\x00two
      ana < 421 ana * :A line has no CR and no NUL in it
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

describe("NICK", () => {
  scenes("Modern IRC, NICK message", [
    ["is told to whoever shares a room, once", `
      #den: ana bo
      #lair: ana bo
      ana > NICK anna
      ana bo < ana NICK anna
      cy > PRIVMSG anna :hi
      ana < cy PRIVMSG anna :hi
    `],
    ["in another case is a change, the same is none", `
      #den: ana bo
      ana > NICK Ana
      ana bo < ana NICK Ana
      ana > NICK Ana
    `],
    ["that is taken, wrong, or not given", `
      ana > NICK BO
      ana < 433 ana BO :Nickname is already in use
      ana > NICK *
      ana < 432 ana * :Erroneous nickname
      ana > NICK 0
      ana < 432 ana 0 :Erroneous nickname
      ana > NICK
      ana < 431 ana :No nickname given
      ana > NICK :
      ana < 431 ana :No nickname given
      bo > PRIVMSG ana :still you?
      ana < bo PRIVMSG ana :still you?
    `],
    ["as long as NICKLEN, and longer", `
      ana > NICK ${"a".repeat(33)}
      ana < 432 ana ${"a".repeat(33)} :Erroneous nickname
      ana > NICK ${"a".repeat(32)}
      ana < ana NICK ${"a".repeat(32)}
    `],
    ["one that was left is free", `
      ana > NICK anna
      ana < ana NICK anna
      bo > NICK ana
      bo < bo NICK ana
    `],
    ["that looks like another is refused, for it is not ASCII", `
      ana > NICK еvan
      ana < 432 ana еvan :Erroneous nickname
    `]
  ])
})

describe("QUIT", () => {
  scenes("Modern IRC, QUIT message", [
    ["is told to whoever shares a room, with what it begins with", `
      #den: ana bo
      #lair: ana bo
      ana > QUIT :gone for lunch
      ana < ERROR :Closing link: Quit: gone for lunch
      bo < ana QUIT :Quit: gone for lunch
    `],
    ["even without a reason", `
      #den: ana bo
      ana > QUIT
      ana < ERROR :Closing link: Quit:\\x20
      bo < ana QUIT :Quit:\\x20
    `]
  ])
  it.effect("Modern IRC, QUIT message: a connection that ends is told as such, and its nick is free", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      const bo = yield* onIrc(house, "bo")
      for (const player of [ana, bo]) {
        player.client.send("JOIN #den\r\n")
        yield* player.fence
      }
      bo.client.end()
      yield* bo.client.closed
      yield* settled
      assert.strictEqual(ana.told().at(-1), "bo QUIT :Connection closed")
      yield* onIrc(house, "bo")
    }))
})

describe("AWAY", () => {
  scenes("Modern IRC, AWAY message", [
    ["and back, which are acknowledged", `
      ana > AWAY :I'm not here right now
      ana < 306 ana :You have been marked as being away
      ana > AWAY :
      ana < 305 ana :You are no longer marked as being away
      ana > AWAY
      ana < 305 ana :You are no longer marked as being away
    `],
    ["is told to who writes, and in WHOIS and USERHOST", `
      bo > AWAY lunch
      bo < 306 bo :You have been marked as being away
      ana > PRIVMSG bo :there?
      bo < ana PRIVMSG bo :there?
      ana < 301 ana bo lunch
      ana > USERHOST bo ana nobody
      ana < 302 ana :bo=-~bo@memory ana=+~ana@memory
      ana > WHOIS bo
      ana < 311 ana bo ~bo memory * :bo Person
      ana < 312 ana bo effect-chat.local effect-chat
      ana < 301 ana bo lunch
      ana < 317 ana bo 0 0 :seconds idle, signon time
      ana < 318 ana bo :End of /WHOIS list
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
      ana > PRIVMSG bo :there?
      bo < ana PRIVMSG bo :there?
    `],
    ["is cut to AWAYLEN", `
      bo > AWAY :${"x".repeat(400)}
      bo < 306 bo :You have been marked as being away
      ana > PRIVMSG bo :there?
      bo < ana PRIVMSG bo :there?
      ana < 301 ana bo ${"x".repeat(390)}
    `]
  ])
  scenes("IRCv3 away-notify", [
    ["who asked for it is told, in shared rooms", `
      ana has away-notify
      #den: ana bo cy
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      ana < bo AWAY :gone fishing
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
      ana < bo AWAY
    `],
    ["and when somebody who is away comes in", `
      ana has away-notify
      #den: ana cy
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      bo > JOIN #den
      ana cy bo < bo JOIN #den
      ana < bo AWAY :gone fishing
      bo < 353 bo = #den :@ana bo cy
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
})

describe("SETNAME", () => {
  scenes("IRCv3 setname", [
    ["is told to oneself and to who asked for it, in shared rooms", `
      ana has setname
      bo has setname
      #den: ana bo cy
      ana > SETNAME :Ana the Second
      ana bo < ana SETNAME :Ana the Second
      cy > WHOIS ana
      cy < 311 cy ana ~ana memory * :Ana the Second
      cy < 319 cy ana :@#den
      cy < 312 cy ana effect-chat.local effect-chat
      cy < 317 cy ana 0 0 :seconds idle, signon time
      cy < 318 cy ana :End of /WHOIS list
    `],
    ["is silent for who has not asked for it", `
      #den: ana bo
      ana > SETNAME :Ana the Second
      bo > WHO ana
      bo < 352 bo * ~ana memory effect-chat.local ana H :0 Ana the Second
      bo < 315 bo ana :End of WHO list
    `],
    ["empty, too long, or without one", `
      ana has setname
      ana > SETNAME :
      ana < FAIL SETNAME INVALID_REALNAME :a real name cannot be empty
      ana > SETNAME :${"x".repeat(151)}
      ana < FAIL SETNAME INVALID_REALNAME :a real name has at most 150 bytes
      ana > SETNAME
      ana < 461 ana SETNAME :Not enough parameters
    `]
  ])
})

describe("JOIN", () => {
  scenes("IRCv3 extended-join", [
    ["has the account, of which there are none, and the real name", `
      ana has extended-join
      #den: ana cy
      bo > JOIN #den
      ana < bo JOIN #den * :bo Person
      cy bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo cy
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
  scenes("IRCv3 no-implicit-names", [
    ["who asked for it is not told who is there", `
      ana has draft/no-implicit-names
      ana > JOIN #den
      ana < ana JOIN #den
    `]
  ])
})

const echoing = "batch labeled-response echo-message message-tags"

describe("tags", () => {
  scenes("IRCv3 message-tags", [
    ["what clients tell each other is passed on to who asked for it, and nothing else", `
      ana has message-tags
      bo has message-tags echo-message
      dan has server-time
      #den: ana bo cy dan
      ana > @+baz=bat;fizz=buzz PRIVMSG #den hi
      bo < @msgid=*;+baz=bat ana PRIVMSG #den :hi
      cy < ana PRIVMSG #den :hi
      dan < @time=1970-01-01T00:00:00.000Z ana PRIVMSG #den :hi
      bo > @+bat=baz;+fizz=buzz PRIVMSG #den :hi yourself
      ana bo < @msgid=*;+bat=baz;+fizz=buzz bo PRIVMSG #den :hi yourself
      cy < bo PRIVMSG #den :hi yourself
      dan < @time=1970-01-01T00:00:00.000Z bo PRIVMSG #den :hi yourself
    `],
    ["of who has not asked for tags none are passed on", `
      bo has message-tags
      ana > @+a=b PRIVMSG bo :hi
      bo < @msgid=* ana PRIVMSG bo :hi
    `],
    ["values are escaped again", `
      ana has message-tags
      bo has message-tags
      ana > @+a=one\\:two\\sthree\\\\four\\n;+b;+c= NOTICE bo :hi
      bo < @msgid=*;+a=one\\:two\\sthree\\\\four\\n;+b;+c ana NOTICE bo :hi
    `],
    ["TAGMSG is for who asked for tags", `
      ana has message-tags
      bo has message-tags echo-message
      dan has server-time
      #den: ana bo cy dan
      bo > @+buzz=fizz\\:buzz;cat=dog;+steel=wootz TAGMSG #den
      ana bo < @msgid=*;+buzz=fizz\\:buzz;+steel=wootz bo TAGMSG #den
      bo > @+a TAGMSG cy
      bo < @msgid=*;+a bo TAGMSG cy
      bo > @unknown-tag TAGMSG ana
      ana bo < @msgid=* bo TAGMSG ana
      cy > @+a TAGMSG #den
      cy < 421 cy TAGMSG :Unknown command
    `],
    ["TAGMSG to nobody, to no room, from outside, and without a target", `
      ana has message-tags
      #den: bo
      ana > @+a TAGMSG nobody
      ana < 401 ana nobody :No such nick/channel
      ana > @+a TAGMSG #nowhere
      ana < 403 ana #nowhere :No such channel
      ana > @+a TAGMSG #den
      ana < 404 ana #den :Cannot send to channel (+n)
      ana > @+a TAGMSG
      ana < 461 ana TAGMSG :Not enough parameters
    `]
  ])
  const filled = (bytes: number) => "a".repeat(bytes - "@foo=bar;+baz= ".length)
  scenes("IRCv3 message-tags, size limit", [
    ["4096 bytes are passed on, one more is refused", `
      ana has message-tags echo-message
      bo has message-tags
      ana > @foo=bar;+baz=${filled(4096)} TAGMSG bo
      ana bo < @msgid=*;+baz=${filled(4096)} ana TAGMSG bo
      ana > @foo=bar;+baz=${filled(4097)} TAGMSG bo
      ana < 417 ana :Input line was too long
      ana > @foo=bar;+baz=${filled(4096)} PRIVMSG bo ${"b".repeat(510 - "PRIVMSG bo ".length)}
      ana bo < @msgid=*;+baz=${filled(4096)} ana PRIVMSG bo :${"b".repeat(512 - ":ana!~ana@memory PRIVMSG bo :\r\n".length)}
      ana > @foo=bar;+baz=${filled(4097)} PRIVMSG bo b
      ana < 417 ana :Input line was too long
    `]
  ])
  scenes("IRCv3 message-ids and server-time", [
    ["are what was asked for, no more", `
      ana has message-tags
      bo has server-time
      cy has message-tags server-time
      #den: ana bo cy dan
      dan > TOPIC #den :tea
      dan < 482 dan #den :You're not channel operator
      dan > PRIVMSG #den :hi
      ana < @msgid=* dan PRIVMSG #den :hi
      bo < @time=1970-01-01T00:00:00.000Z dan PRIVMSG #den :hi
      cy < @time=1970-01-01T00:00:00.000Z;msgid=* dan PRIVMSG #den :hi
    `]
  ])
  scenes("IRCv3 bot mode", [
    ["what a bot says is marked, for who asked for tags", `
      bo has message-tags
      #den: ana bo cy
      ana > MODE ana +B
      ana < ana MODE ana +B
      ana > PRIVMSG #den :beep boop
      bo < @msgid=*;bot ana PRIVMSG #den :beep boop
      cy < ana PRIVMSG #den :beep boop
      ana > PRIVMSG bo :beep
      bo < @msgid=*;bot ana PRIVMSG bo :beep
      ana > MODE ana -B
      ana < ana MODE ana -B
      ana > PRIVMSG bo :beep
      bo < @msgid=* ana PRIVMSG bo :beep
    `]
  ])
})

describe("echo-message", () => {
  scenes("IRCv3 echo-message", [
    ["one's own messages come back, to rooms and people", `
      ana has echo-message
      #den: ana bo
      ana > PRIVMSG #den :hello everyone
      ana bo < ana PRIVMSG #den :hello everyone
      ana > NOTICE bo :hello
      ana bo < ana NOTICE bo :hello
    `],
    ["to oneself both, as said and as heard", `
      ana has echo-message
      ana > PRIVMSG ana :remember
      ana < ana PRIVMSG ana :remember
      ana < ana PRIVMSG ana :remember
    `],
    ["what is changed comes back changed", `
      ana has echo-message
      ana > PRIVMSG bo :a\\x1b[31mb
      ana bo < ana PRIVMSG bo :a[31mb
    `],
    ["what is not sent does not", `
      ana has echo-message
      ana > PRIVMSG nobody :hi
      ana < 401 ana nobody :No such nick/channel
    `]
  ])
})

describe("labeled-response", () => {
  scenes("IRCv3 labeled-response", [
    ["one line is labelled, for the asker only", `
      ana has ${echoing}
      bo has ${echoing}
      ana > @label=12345 PRIVMSG bo :hi
      ana < @label=12345;msgid=* ana PRIVMSG bo :hi
      bo < @msgid=* ana PRIVMSG bo :hi
      ana > @label=x;+a=b NOTICE bo :hi
      ana < @label=x;msgid=*;+a=b ana NOTICE bo :hi
      bo < @msgid=*;+a=b ana NOTICE bo :hi
      ana > @label=y;+a=b TAGMSG bo
      ana < @label=y;msgid=*;+a=b ana TAGMSG bo
      bo < @msgid=*;+a=b ana TAGMSG bo
      ana > @label=z PING me
      ana < @label=z PONG effect-chat.local :me
    `],
    ["several are a batch", `
      ana has ${echoing}
      ana > @label=a PRIVMSG bo,cy,nobody :hi
      ana < @label=a BATCH +b1 labeled-response
      ana < @batch=b1;msgid=* ana PRIVMSG bo :hi
      ana < @batch=b1;msgid=* ana PRIVMSG cy :hi
      ana < @batch=b1 401 ana nobody :No such nick/channel
      ana < BATCH -b1
      bo < ana PRIVMSG bo :hi
      cy < ana PRIVMSG cy :hi
      ana > @label=b JOIN #den
      ana < @label=b BATCH +b2 labeled-response
      ana < @batch=b2;msgid=* ana JOIN #den
      ana < @batch=b2 353 ana = #den :@ana
      ana < @batch=b2 366 ana #den :End of /NAMES list
      ana < BATCH -b2
    `],
    ["none are acknowledged", `
      ana has batch labeled-response
      ana > @label=a PONG x
      ana < @label=a ACK
      ana > @label=b PRIVMSG bo :hi
      ana < @label=b ACK
      bo < ana PRIVMSG bo :hi
      ana > @label=c NOTICE nobody :hi
      ana < @label=c ACK
      ana > @label=d NICK ana
      ana < @label=d ACK
    `],
    ["refusals are labelled", `
      ana has batch labeled-response
      ana > @label=a FOO
      ana < @label=a 421 ana FOO :Unknown command
      ana > @label=b PRIVMSG nobody :hi
      ana < @label=b 401 ana nobody :No such nick/channel
      ana > @label=c NICK bo
      ana < @label=c 433 ana bo :Nickname is already in use
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
    `],
    ["what one hears oneself is not", `
      ana has ${echoing}
      ana > @label=a PRIVMSG ana :hi
      ana < @msgid=* ana PRIVMSG ana :hi
      ana < @label=a;msgid=* ana PRIVMSG ana :hi
    `],
    ["changes of modes are one line", `
      ana has batch labeled-response
      #den: ana bo
      ana > @label=a MODE #den +ov bo bo
      ana < @label=a ana MODE #den +ov bo bo
      bo < ana MODE #den +ov bo bo
    `],
    ["history has its own batch", `
      ana has ${echoing} draft/chathistory
      #den: ana bo
      bo > PRIVMSG #den :one
      ana < @msgid=* bo PRIVMSG #den :one
      ana > @label=a CHATHISTORY LATEST #den * 10
      ana < @label=a BATCH +b1 chathistory #den
      ana < @batch=b1;msgid=* bo PRIVMSG #den :one
      ana < BATCH -b1
    `],
    ["what is not UTF-8 is refused with its label", `
      ana has batch labeled-response
      ana > @label=a PING x
      ana < @label=a PONG effect-chat.local :x
    `],
    ["a label is escaped again, an empty one is none, and one is none without the capability", `
      ana has batch labeled-response
      ana > @label=a\\sb PING x
      ana < @label=a\\sb PONG effect-chat.local :x
      ana > @label= PING x
      ana < PONG effect-chat.local :x
      bo > @label=a PING x
      bo < PONG effect-chat.local :x
    `],
    ["without batches the first of several is labelled", `
      ana has labeled-response
      ana > @label=a JOIN #den
      ana < @label=a ana JOIN #den
      ana < 353 ana = #den :@ana
      ana < 366 ana #den :End of /NAMES list
    `]
  ])
  it.effect("IRCv3 utf8-only: a line that is not UTF-8 is refused with its label, and told to nobody", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "batch labeled-response")
      const bo = yield* onIrc(house, "bo")
      const before = [ana.told().length, bo.told().length] as const
      ana.client.send(Buffer.from("@label=xyz PRIVMSG bo :hi\xaa\r\nPRIVMSG bo :\xff\r\n", "latin1"))
      yield* Effect.all([ana.fence, bo.fence])
      assert.deepStrictEqual(ana.told().slice(before[0]), [
        "@label=xyz FAIL PRIVMSG INVALID_UTF8 :Message rejected, it is not valid UTF-8",
        "FAIL PRIVMSG INVALID_UTF8 :Message rejected, it is not valid UTF-8"
      ])
      assert.deepStrictEqual(bo.told().slice(before[1]), [])
    }))
})

describe("CHATHISTORY", () => {
  const talk = (lines: string) => `
    ana has batch draft/chathistory
    #den: ana bo
    bo > PRIVMSG #den :one
    ana < bo PRIVMSG #den :one
    bo > TOPIC #den :tea
    bo < 482 bo #den :You're not channel operator
    ana > TOPIC #den :tea
    ana bo < ana TOPIC #den tea
    bo > PRIVMSG #den :\\x01ACTION two\\x01
    ana < bo PRIVMSG #den :\\x01ACTION two\\x01
    bo > NOTICE #den :three
    ana < bo NOTICE #den :three
    ${lines}`
  scenes("IRCv3 chathistory", [
    ["the latest, as they were, and nothing but what was said", talk(`
      ana > CHATHISTORY LATEST #den * 50
      ana < BATCH +b1 chathistory #den
      ana < @batch=b1 bo PRIVMSG #den :one
      ana < @batch=b1 bo PRIVMSG #den :\\x01ACTION two\\x01
      ana < @batch=b1 bo NOTICE #den :three
      ana < BATCH -b1
      ana > CHATHISTORY latest #DEN * 1
      ana < BATCH +b2 chathistory #DEN
      ana < @batch=b2 bo NOTICE #den :three
      ana < BATCH -b2`)],
    ["by time", talk(`
      ana > CHATHISTORY AFTER #den timestamp=1969-12-31T23:59:59.000Z 2
      ana < BATCH +b1 chathistory #den
      ana < @batch=b1 bo PRIVMSG #den :one
      ana < @batch=b1 bo PRIVMSG #den :\\x01ACTION two\\x01
      ana < BATCH -b1
      ana > CHATHISTORY BEFORE #den timestamp=1970-01-01T00:00:00.001Z 2
      ana < BATCH +b2 chathistory #den
      ana < @batch=b2 bo PRIVMSG #den :\\x01ACTION two\\x01
      ana < @batch=b2 bo NOTICE #den :three
      ana < BATCH -b2
      ana > CHATHISTORY BETWEEN #den timestamp=1971-01-01T00:00:00.000Z timestamp=1969-01-01T00:00:00.000Z 1
      ana < BATCH +b3 chathistory #den
      ana < @batch=b3 bo NOTICE #den :three
      ana < BATCH -b3
      ana > CHATHISTORY AFTER #den timestamp=1970-01-01T00:00:00.000Z 2
      ana < BATCH +b4 chathistory #den
      ana < BATCH -b4`)],
    ["without batches it is told as it is", `
      #den: ana bo
      bo > PRIVMSG #den :one
      ana < bo PRIVMSG #den :one
      ana > CHATHISTORY LATEST #den * 10
      ana < bo PRIVMSG #den :one
    `],
    ["of rooms one is not in, that are not there, and of people", `
      #den: bo
      ana > CHATHISTORY LATEST #den * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST #den :Messages could not be retrieved
      ana > CHATHISTORY LATEST #nowhere * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST #nowhere :Messages could not be retrieved
      ana > CHATHISTORY BEFORE bo timestamp=1970-01-01T00:00:00.000Z 10
      ana < FAIL CHATHISTORY INVALID_TARGET BEFORE bo :Messages could not be retrieved
    `],
    ["asked for wrongly", `
      #den: ana
      ana > CHATHISTORY
      ana < FAIL CHATHISTORY NEED_MORE_PARAMS * :Missing parameters
      ana > CHATHISTORY LATEST #den *
      ana < FAIL CHATHISTORY NEED_MORE_PARAMS LATEST :Missing parameters
      ana > CHATHISTORY BETWEEN #den msgid=a 10
      ana < FAIL CHATHISTORY NEED_MORE_PARAMS BETWEEN :Missing parameters
      ana > CHATHISTORY FOO #den * 10
      ana < FAIL CHATHISTORY INVALID_PARAMS FOO :Unknown subcommand
      ana > CHATHISTORY LATEST #den * ten
      ana < FAIL CHATHISTORY INVALID_PARAMS LATEST ten :Invalid limit
      ana > CHATHISTORY BEFORE #den * 10
      ana < FAIL CHATHISTORY INVALID_PARAMS BEFORE * :Invalid message reference
      ana > CHATHISTORY BEFORE #den timestamp=yesterday 10
      ana < FAIL CHATHISTORY INVALID_PARAMS BEFORE timestamp=yesterday :Invalid message reference
    `]
  ])

  it.effect("IRCv3 chathistory: by message, before, after, between and around", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "batch echo-message message-tags draft/chathistory")
      ana.client.send("JOIN #den\r\n" + Array.from({ length: 10 }, (_, i) => `PRIVMSG #den :m${i}\r\n`).join(""))
      yield* ana.fence
      const ids = ana.client.text().split("\r\n").flatMap((line) => /msgid=([^; ]+)\S* \S+ PRIVMSG #den :m\d$/.exec(line)?.[1] ?? [])
      assert.strictEqual(new Set(ids).size, 10)
      const page = Effect.fnUntraced(function*(query: string) {
        const before = ana.told().length
        ana.client.send(`CHATHISTORY ${query}\r\n`)
        yield* ana.fence
        const [start, ...rest] = ana.told().slice(before)
        assert.match(start!, /^BATCH \+\S+ chathistory #den$/)
        assert.match(rest.at(-1)!, /^BATCH -/)
        return rest.slice(0, -1).map((line) => line.slice(line.indexOf(" :m") + 2)).join(" ")
      })
      const at = (i: number) => `msgid=${ids[i]}`
      const pages: ReadonlyArray<readonly [query: string, page: string]> = [
        [`LATEST #den ${at(4)} 20`, "m5 m6 m7 m8 m9"],
        [`LATEST #den ${at(4)} 2`, "m8 m9"],
        [`BEFORE #den ${at(6)} 20`, "m0 m1 m2 m3 m4 m5"],
        [`BEFORE #den ${at(6)} 2`, "m4 m5"],
        [`AFTER #den ${at(3)} 20`, "m4 m5 m6 m7 m8 m9"],
        [`AFTER #den ${at(3)} 3`, "m4 m5 m6"],
        [`BETWEEN #den ${at(0)} ${at(9)} 20`, "m1 m2 m3 m4 m5 m6 m7 m8"],
        [`BETWEEN #den ${at(9)} ${at(0)} 20`, "m1 m2 m3 m4 m5 m6 m7 m8"],
        [`BETWEEN #den ${at(0)} ${at(9)} 3`, "m1 m2 m3"],
        [`BETWEEN #den ${at(9)} ${at(0)} 3`, "m6 m7 m8"],
        [`AROUND #den ${at(7)} 1`, "m7"],
        [`AROUND #den ${at(7)} 3`, "m6 m7 m8"]
      ]
      for (const [query, expected] of pages) assert.strictEqual(yield* page(query), expected, query)
    }))
})
