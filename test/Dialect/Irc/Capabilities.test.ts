/** What IRC clients negotiate, and what they are told is supported. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type HouseOptions, open } from "../../house.ts"
import { comings, fence } from "../../newcomer.ts"
import { scenes } from "../../scene.ts"

const all = "account-notify account-tag away-notify batch cap-notify chghost draft/chathistory draft/event-playback draft/no-implicit-names echo-message "
  + "extended-join extended-monitor invite-notify labeled-response message-tags multi-prefix no-implicit-names server-time setname standard-replies userhost-in-names"

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
    ["what is too long for one line is granted in several, in which every name is whole", `
      > NICK ${"b".repeat(32)}
      > CAP REQ :${Array.from({ length: 38 }, () => "multi-prefix").join(" ")}
      < CAP * ACK :${Array.from({ length: 36 }, () => "multi-prefix").join(" ")}
      < CAP * ACK :multi-prefix multi-prefix`],
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
    ["MAXLIST=b:100,e:100,I:100", "Modern IRC, MAXLIST parameter"],
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
      const targmax = all.find((token) => token.startsWith("TARGMAX="))!
      assert.match(targmax, /^TARGMAX=[A-Z]+:[0-9]*(?:,[A-Z]+:[0-9]*)*$/)
      assert.include(targmax, ",NAMES:,", "each of several channels is answered")
    }))

  it.effect("Modern IRC, RPL_ISUPPORT: spaces, backslashes and equal signs in values are escaped", () =>
    Effect.gen(function*() {
      assert.include((yield* tokens({ name: "a b=c\\d é" })).flat(), "NETWORK=a\\x20b\\x3Dc\\x5Cd\\x20_")
    }))
})
