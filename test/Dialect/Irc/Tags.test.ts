/** With what tags and labels IRC clients are told things. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as Capabilities from "../../../src/Dialect/Irc/Capabilities.ts"
import * as Show from "../../../src/Dialect/Irc/Show.ts"
import * as Text from "../../../src/Text.ts"
import { open } from "../../house.ts"
import { onIrc, scenes } from "../../scene.ts"

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
      bo > @+a TAGMSG cy,CY
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
  it("an id is that of one line, however many bytes that are passed on make", () => {
    const passed = { _tag: "Passed", room: "den", nick: "ana", bytes: Text.encode("one\n\ntwo\n") } as const
    const caps = Capabilities.bits["message-tags"]
    assert.strictEqual(
      Show.event(caps, passed, { at: 0, seq: 1, id: "m1", from: "raw@host" }),
      "@msgid=m1 :ana!raw@host PRIVMSG #den :one\r\n:ana!raw@host PRIVMSG #den :two\r\n"
    )
  })
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
    ["a label is escaped again, an empty one is none, and one is none without the capability", `
      ana has batch labeled-response
      ana > @label=a\\sb PING x
      ana < @label=a\\sb PONG effect-chat.local :x
      ana > @label= PING x
      ana < PONG effect-chat.local :x
      bo > @label=a PING x
      bo < PONG effect-chat.local :x
    `],
    ["a label has at most 64 bytes, whatever is escaped in it", `
      ana has batch labeled-response
      ana > @label=${"é".repeat(31)}\\s\\s PING x
      ana < @label=${"é".repeat(31)}\\s\\s PONG effect-chat.local :x
      ana > @label=${"é".repeat(32)}a PING x
      ana < PONG effect-chat.local :x
      ana > @label=${"a".repeat(4000)} JOIN #den
      ana < ana JOIN #den
      ana < 353 ana = #den :@ana
      ana < 366 ana #den :End of /NAMES list
    `],
    ["without batches the first of several is labelled", `
      ana has labeled-response
      ana > @label=a JOIN #den
      ana < @label=a ana JOIN #den
      ana < 353 ana = #den :@ana
      ana < 366 ana #den :End of /NAMES list
    `],
    ["a line that cannot be one is refused with it", `
      ana has batch labeled-response
      ana > @label=a PRIVMSG bo :${"x".repeat(500)}
      ana < @label=a 417 ana :Input line was too long
      ana > @label=b;+x=${"y".repeat(4096)} PRIVMSG bo :hi
      ana < @label=b 417 ana :Input line was too long
      ana > @label=c PRIVMSG bo :hi\\x00
      ana < @label=c 421 ana * :A line has no CR, LF or NUL in it
    `]
  ])
  it.effect("IRCv3 labeled-response: what happens while an answer takes its time is no part of it", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate: { burst: 10, perSecond: 2 } })
      const ana = yield* onIrc(house, "ana", "batch labeled-response")
      ana.client.send("@label=a MONITOR + bo,cy\r\n")
      yield* ana.fence
      assert.strictEqual(ana.told().filter((line) => line.startsWith("@batch=b1 731 ana ")).length, 2)
      ana.client.send(`@label=b JOIN ${Array.from({ length: 12 }, (_, i) => `#c${i}`).join(",")}\r\n`)
      const bo = yield* onIrc(house, "bo")
      yield* bo.fence
      assert.strictEqual(ana.told().at(-1), "730 ana bo!~bo@memory")
      yield* TestClock.adjust("10 seconds")
      yield* ana.fence
      assert.match(ana.told().at(-1)!, /^BATCH -/)
    }))

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
