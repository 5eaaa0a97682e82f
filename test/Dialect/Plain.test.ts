/** People on nc and telnet: what their lines ask for, and what they are shown. */
import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import { type Command, Flag, type Kind } from "../../src/Command.ts"
import type { Recalled, Stamp } from "../../src/Dialect.ts"
import { json } from "../../src/Dialect/Json.ts"
import { plain } from "../../src/Dialect/Plain.ts"
import { maxIgnored, maxLine, maxPending, type State } from "../../src/Dialect/Plain/State.ts"
import type { Answer, Entry, Event, Fact } from "../../src/Event.ts"
import * as Name from "../../src/Name.ts"
import { Arbitraries, Laws } from "../../src/testing.ts"
import * as Text from "../../src/Text.ts"
import * as World from "../../src/World.ts"
import { openHouse } from "../world.ts"

const { among, anyEvent, hostileText } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const stamp = (mine: boolean): Stamp => ({ seq: 7, at: Date.UTC(2026, 0, 2, 3, 4, 5), id: "m7", mine })
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8")
const hello = { server: "test", echo: undefined }

/** What a person is shown, and who they are then. */
const tell = (state: State, event: Event | Recalled, mine = false): readonly [shown: string, State] => {
  const told = plain.tell(state, event, stamp(mine))
  return [text(told.bytes), told.state]
}
const shown = (event: Event | Recalled, state = ana, mine = false) => tell(state, event, mine)[0]
const through = (state: State, ...events: ReadonlyArray<readonly [Event, mine: boolean]>) =>
  events.reduce((before, [event, mine]) => tell(before, event, mine)[1], state)

type Asked =
  | Command
  | { readonly _tag: "Reply"; readonly bytes: string; readonly fault?: string }
  | { readonly _tag: "Close"; readonly bytes: string; readonly reason: string; readonly fault?: string }

/** What a line asks for, with texts instead of bytes, and who the person is then. */
const typed = (input: string | Uint8Array, state = ana): { readonly state: State; readonly asked: ReadonlyArray<Asked> } => {
  const { outputs, state: after } = Laws.received(plain, state, typeof input === "string" ? Text.encode(input) : input)
  return {
    state: after,
    asked: outputs.map((output) => output._tag === "Reply" || output._tag === "Close" ? { ...output, bytes: text(output.bytes) } : output)
  }
}
const asked = (line: string, state = ana) => typed(`${line}\n`, state).asked
const isCommand = (asked: Asked): asked is Command => asked._tag !== "Reply" && asked._tag !== "Close"
/** The hints that a line is answered with, when it asks for nothing. */
const hints = (line: string, state = ana) =>
  asked(line, state).map((output) => output._tag === "Reply" ? output.bytes : assert.fail(JSON.stringify(output)))
const said = (line: string, room = "#lobby", kind: Kind = "message"): ReadonlyArray<Asked> => [{ _tag: "Say", target: room, text: line, kind }]

const joined = (room: string, nick = "ana"): readonly [Event, boolean] => [{ _tag: "Joined", room, nick }, nick === "ana"]
/** ana, in the lobby. */
const ana = through(
  plain.open(hello).state,
  [{ _tag: "Welcome", server: "test", nick: "ana", epoch: "e", motd: [] }, true],
  joined("lobby")
)
/** ana, in the lobby and talking in #den. */
const inDen = through(typed("/join den\n").state, joined("den"))

const message = (event: Partial<Fact & { _tag: "Said" }>): Event =>
  ({ _tag: "Said", room: "lobby", nick: "bo", text: "hello", kind: "message", ...event })

// --- what people type ------------------------------------------------------------------------------------------------

describe("a person", () => {
  it("arrives in the lobby, and is shown the last messages", () => {
    assert.deepStrictEqual(plain.open(hello).outputs, [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby", last: 20 }])
    assert.isUndefined(plain.patience(ana), "nobody is hurried")
  })

  it("asks by slash commands", () => {
    const meant: ReadonlyArray<readonly [string, Asked]> = [
      ["/nick bo", { _tag: "SetNick", nick: "bo" }],
      ["/NICK  bo  ", { _tag: "SetNick", nick: "bo" }],
      ["/join den", { _tag: "Join", room: "#den", last: 20 }],
      ["/join #Den", { _tag: "Join", room: "#Den", last: 20 }],
      ["/join #Den  sesame please", { _tag: "Join", room: "#Den", last: 20, key: "sesame" }],
      ["/join ##den", { _tag: "Join", room: "##den", last: 20 }],
      ["/topic ##den tea", { _tag: "SetTopic", room: "##den", topic: "tea" }],
      ["/part", { _tag: "Part", room: "#lobby" }],
      ["/part #den", { _tag: "Part", room: "#den" }],
      ["/part so long", { _tag: "Part", room: "#lobby", reason: "so long" }],
      ["/part #den so long", { _tag: "Part", room: "#den", reason: "so long" }],
      ["/msg bo psst  there", { _tag: "Whisper", nick: "bo", text: "psst  there" }],
      ["/msg #den hi all", { _tag: "Say", target: "#den", text: "hi all" }],
      ["/me waves", { _tag: "Say", target: "#lobby", text: "waves", kind: "action" }],
      ["/who bo", { _tag: "Who", nick: "bo" }],
      ["/who", { _tag: "Names", room: "#lobby" }],
      ["/names", { _tag: "Names", room: "#lobby" }],
      ["/names #den", { _tag: "Names", room: "#den" }],
      ["/list", { _tag: "List" }],
      ["/topic", { _tag: "Look", room: "#lobby" }],
      ["/topic #den", { _tag: "Look", room: "#den" }],
      ["/topic tea at four", { _tag: "SetTopic", room: "#lobby", topic: "tea at four" }],
      ["/topic #den tea", { _tag: "SetTopic", room: "#den", topic: "tea" }],
      ["/away", { _tag: "SetAway", message: "away" }],
      ["/away lunch", { _tag: "SetAway", message: "lunch" }],
      ["/back", { _tag: "SetAway" }],
      ["/motd", { _tag: "Motd" }],
      ["/history", { _tag: "History", room: "#lobby", limit: 100 }],
      ["/history 5", { _tag: "History", room: "#lobby", limit: 5 }],
      ["/history #den 5", { _tag: "History", room: "#den", limit: 5 }],
      ["/search tea at four", { _tag: "Search", room: "#lobby", words: "tea at four" }],
      ["/search #den tea", { _tag: "Search", room: "#den", words: "tea" }],
      ["/kick bo", { _tag: "Kick", room: "#lobby", nick: "bo" }],
      ["/kick #den bo too loud", { _tag: "Kick", room: "#den", nick: "bo", reason: "too loud" }],
      ["/op bo", { _tag: "SetRank", room: "#lobby", nick: "bo", rank: "operator", on: true }],
      ["/deop bo", { _tag: "SetRank", room: "#lobby", nick: "bo", rank: "operator", on: false }],
      ["/voice #den bo", { _tag: "SetRank", room: "#den", nick: "bo", rank: "voice", on: true }],
      ["/devoice bo", { _tag: "SetRank", room: "#lobby", nick: "bo", rank: "voice", on: false }],
      ["/moderate on", { _tag: "SetModerated", room: "#lobby", moderated: true }],
      ["/moderate #den off", { _tag: "SetModerated", room: "#den", moderated: false }],
      ...Flag.literals.flatMap((flag): ReadonlyArray<readonly [string, Asked]> => [
        [`/mode ${flag} on`, { _tag: "SetFlag", room: "#lobby", flag, on: true }],
        [`/mode #den ${flag.toUpperCase()}  off`, { _tag: "SetFlag", room: "#den", flag, on: false }]
      ]),
      ...([["ban", "ban", "", true], ["unban", "ban", "", false], ["mute", "ban", "m:", true], ["unmute", "ban", "m:", false],
        ["except", "exception", "", true], ["unexcept", "exception", "", false]] as const
      ).flatMap(([name, list, prefix, on]): ReadonlyArray<readonly [string, Asked]> => [
        [`/${name}`, { _tag: "Masks", room: "#lobby", list }],
        [`/${name} #den`, { _tag: "Masks", room: "#den", list }],
        [`/${name} bo`, { _tag: "SetMask", room: "#lobby", list, mask: `${prefix}bo`, on }],
        [`/${name} #den *!*@192.0.2.* for spam`, { _tag: "SetMask", room: "#den", list, mask: `${prefix}*!*@192.0.2.*`, on }]
      ]),
      ["/invite bo", { _tag: "Invite", room: "#lobby", nick: "bo" }],
      ["/invite #den bo please", { _tag: "Invite", room: "#den", nick: "bo" }],
      ["/key sesame", { _tag: "SetKey", room: "#lobby", key: "sesame" }],
      ["/key #den two words", { _tag: "SetKey", room: "#den", key: "two words" }],
      ["/key", { _tag: "SetKey", room: "#lobby" }],
      ["/key #den", { _tag: "SetKey", room: "#den" }],
      ["/limit 12", { _tag: "SetLimit", room: "#lobby", limit: 12 }],
      ["/limit #den 0", { _tag: "SetLimit", room: "#den", limit: 0 }],
      ["/limit", { _tag: "SetLimit", room: "#lobby" }],
      ["/quit", { _tag: "Close", bytes: "-!- goodbye\n", reason: "" }],
      ["/quit bye all", { _tag: "Close", bytes: "-!- goodbye\n", reason: "bye all" }]
    ]
    for (const [line, command] of meant) assert.deepStrictEqual(asked(line), [command], line)
  })

  it("is told how when a slash command is incomplete, and nothing is asked", () => {
    const incomplete = ["/nick", "/join", "/msg", "/msg bo", "/me", "/history x", "/history -1", "/history 1.5", "/search", "/search #den", "/kick", "/kick #den", "/op",
      "/deop", "/voice", "/devoice", "/moderate", "/moderate maybe", "/mode", "/mode secret", "/mode secret maybe", "/mode quiet on", "/mode on",
      "/mode #den", "/invite", "/invite #den", "/limit many", "/limit -1", "/limit 1.5", "/limit 12345678", "/limit 1e3"]
    for (const line of incomplete) assert.match(hints(line).join(""), /^-!- usage: \/[a-z]+ .+\n$/, line)
    for (const line of ["/join a,b", "/join a..b", "/join #", "/ignore *", "/unignore bo"]) {
      assert.match(hints(line).join(""), /^-!- (?!usage).+\n$/, line)
    }
  })

  it("is told of every slash command by /help", () => {
    const help = hints("/help").join("")
    const known = ["nick", "join", "part", "msg", "me", "who", "names", "list", "topic", "away", "back", "ignore", "unignore", "motd", "history",
      "help", "quit", "kick", "op", "deop", "voice", "devoice", "moderate", "mode", "ban", "unban", "mute", "unmute", "except", "unexcept",
      "invite", "key", "limit", "pass", "search"]
    for (const name of known) {
      assert.include(help, `/${name}`)
      assert.notMatch(JSON.stringify(asked(`/${name}`)), /there is no command/, name)
    }
    assert.deepStrictEqual(new Set(help.match(/\/[a-z]{2,}/g)), new Set(known.map((name) => `/${name}`)), "and of no other")
    for (const line of hints("/help")) assert.isAtMost(line.length, 160)
    for (const flag of Flag.literals) assert.include(hints("/mode").join(""), flag)
  })

  it("gives the password that a server wants, and is in the lobby then", () => {
    const arriving = plain.open(hello).state
    assert.deepStrictEqual(asked("/pass open sesame", arriving), [
      { _tag: "Arrive", password: "open sesame" }, { _tag: "Join", room: "lobby", last: 20 }
    ])
    const named = [{ _tag: "Arrive", password: "sesame", nick: "bo", guest: true }, { _tag: "Join", room: "lobby", last: 20 }] as const
    const nicks = [{ _tag: "SetNick", nick: "ana" }, { _tag: "SetNick", nick: "bo" }] as const
    assert.deepStrictEqual(asked("/nick ana\n/nick bo\n/pass sesame", arriving), [...nicks, ...named], "under the nick asked for last")
    const [, arrived] = tell(typed("/nick ana\n", arriving).state, { _tag: "Welcome", server: "s", nick: "guest1", epoch: "e", motd: [] })
    assert.deepStrictEqual(asked("/pass sesame", arrived), [{ _tag: "Arrive", password: "sesame" }], "once in, they stay where they talk")
    assert.match(hints("/pass", arriving).join(""), /^-!- usage: \/pass PASSWORD\n$/)
  })

  it("is told that they are in no room by what is about a room", () => {
    const nowhere = typed("/part\n").state
    for (const line of ["/ban bo", "/mute", "/unexcept bo", "/invite bo", "/key", "/limit 3", "/mode secret on", "/op bo"]) {
      assert.match(hints(line, nowhere).join(""), /^-!- you are in no room/, line)
      assert.isTrue(asked(line.replace(/ |$/, " #den "), nowhere).every(isCommand), line)
    }
  })

  it.prop("never says an unknown command to the room, and is given a hint", { name: among("slap", "NickServ", "constructor", "__proto__"), rest: hostileText }, ({ name, rest }) => {
    const [hint, ...more] = hints(`/${name} ${rest.replace(/[\n\b\u0003\u0004\u007f\u0015\u0017\u001b]/g, "").slice(0, 500)}`)
    assert.match(hint!, /^-!- there is no command \/[^\n]*\/help lists them/)
    assert.isEmpty(more)
    assert.isAtMost(hints(`/${"x".repeat(4_000)}`)[0]!.length, 120)
  }, runs)

  it("says a plain line in the room they are talking in, and /x with //x", () => {
    assert.deepStrictEqual(asked("hello"), said("hello"))
    assert.deepStrictEqual(asked("  /quit  "), said("  /quit  "))
    assert.deepStrictEqual(asked("//quit"), said("/quit"))
    assert.deepStrictEqual(asked("///"), said("//"))
    assert.deepStrictEqual(asked("-!- bo quit"), said("-!- bo quit"))
    assert.deepStrictEqual(asked("hello", inDen), said("hello", "#den"))
    assert.deepStrictEqual(asked("/me waves", inDen), said("waves", "#den", "action"))
  })

  it("talks in the room turned to last, from the moment of asking", () => {
    assert.deepStrictEqual(asked("/join den\nhello\n/join lobby\nhello").filter(({ _tag }) => _tag === "Say"), [...said("hello", "#den"), ...said("hello")])
    assert.deepStrictEqual(asked("/part\nhello", inDen)[1], said("hello")[0])
    assert.deepStrictEqual(asked("/part #lobby\nhello", inDen)[1], said("hello", "#den")[0])
    assert.deepStrictEqual(asked("/part\n/join den\nhello", inDen)[2], said("hello", "#den")[0])
    const refused = through(typed("/join cave\n", inDen).state, [{ _tag: "Refused", command: "Join", reason: "you are in 50 rooms" }, true])
    assert.deepStrictEqual(asked("hello", refused), said("hello", "#den"))
    const kept = through(typed("/part for a long reason\n", inDen).state, [{ _tag: "Refused", command: "Part", reason: "a reason has at most 390 bytes" }, true])
    assert.deepStrictEqual(asked("hello", kept), said("hello", "#den"))
    assert.match(hints("hello", typed("/part\n").state).join(""), /you are in no room/)
  })

  it("is told where they talk when the room is left, by whatever way", () => {
    const left = { _tag: "Left", room: "den", nick: "ana" } as const
    const kicked = { _tag: "Kicked", room: "den", nick: "ana", by: "bo", reason: "noise" } as const
    const [shownLeft, after] = tell(typed("/part\n", inDen).state, left, true)
    assert.strictEqual(shownLeft, "-!- you left #den\n-!- you are talking in #lobby now\n")
    assert.deepStrictEqual(asked("hello", after), said("hello"))
    assert.strictEqual(shown(kicked, inDen), "-!- you were kicked from #den by bo (noise)\n-!- you are talking nowhere now; /join lobby to talk there\n")
    assert.strictEqual(shown({ ...left, room: "lobby" }, typed("/part #lobby\n", inDen).state, true), "-!- you left #lobby\n")
    assert.strictEqual(shown({ ...kicked, room: "lobby" }, inDen), "-!- you were kicked from #lobby by bo (noise)\n")
    assert.strictEqual(
      shown({ ...left, room: "lobby" }, typed("/part\n").state, true),
      "-!- you left #lobby\n-!- you are in no room now; /join lobby to come back\n"
    )
  })

  it("says nothing elsewhere of what was meant for a room that they are kicked out of", () => {
    const kicked = { _tag: "Kicked", room: "den", nick: "ana", by: "bo" } as const
    const out = tell(inDen, kicked)[1]
    // The room itself refuses it.
    assert.deepStrictEqual(asked("hello", out), said("hello", "#den"))
    assert.deepStrictEqual(asked("/me waves", out), asked("/me waves", inDen))
    for (const command of ["/join lobby", "/join #Lobby"]) {
      const turned = typed(`${command}\n`, out).state
      assert.deepStrictEqual(asked("hello", turned), said("hello"))
      assert.deepStrictEqual(asked("hello", through(turned, [{ _tag: "Kicked", room: "lobby", nick: "ana", by: "bo" }, false])), said("hello"))
    }
    const refused = through(typed("/join cave\n", out).state, [{ _tag: "Refused", command: "Join", reason: "you are banned from #cave" }, true])
    assert.deepStrictEqual(asked("hello", refused), said("hello", "#den"))
    const banned = through(typed("/join den\n", out).state, [{ _tag: "Refused", command: "Join", reason: "you are banned from #den" }, true])
    assert.deepStrictEqual(asked("hello", banned), said("hello", "#den"))
    const back = through(typed("/join den\n", out).state, [{ _tag: "Joined", room: "den", nick: "ana" }, true])
    assert.deepStrictEqual(asked("hello", back), said("hello", "#den"))
    const elsewhere = through(typed("/join cave\n", out).state, [{ _tag: "Joined", room: "cave", nick: "ana" }, true])
    assert.deepStrictEqual(asked("hello", tell(typed("/part\n", elsewhere).state, { _tag: "Left", room: "cave", nick: "ana" }, true)[1]), said("hello"))
    // There is nothing to leave but the thought of it.
    assert.deepStrictEqual(hints("/part", out), ["-!- you are talking in #lobby now\n"])
    assert.deepStrictEqual(asked("hello", typed("/part\n", out).state), said("hello"))
    const alone = tell(typed("").state, { ...kicked, room: "lobby" })[1]
    assert.match(hints("/part", alone).join(""), /you are in no room/)
    // From a room that they do not talk in they are only gone.
    assert.deepStrictEqual(asked("hello", tell(inDen, { ...kicked, room: "lobby" })[1]), said("hello", "#den"))
  })

  it("row 6: is told when a line is not UTF-8, of which nobody hears", () => {
    for (const hex of ["c0af", "eda080", "f09f98", "f4908080", "ff80"]) {
      const line = Buffer.concat([Buffer.from("hi "), Buffer.from(hex.replaceAll("ff", "ffff"), "hex"), Buffer.from("\nok\n")])
      assert.deepStrictEqual(typed(line).asked, [
        { _tag: "Reply", bytes: "-!- that line was not valid UTF-8; it was not sent\n", fault: "not-utf8" },
        ...said("ok")
      ], hex)
    }
  })

  it("row 8: says nothing by an empty line, nor by a byte order mark", () => {
    assert.deepStrictEqual(typed("\ufeffhello\n\r\n\n   \n\t\n\0\n\b\n").asked, said("hello"))
    assert.deepStrictEqual(typed("\ufeff\n\ufeffhello\n").asked, said("\ufeffhello"), "only the first")
  })

  it("row 10: may correct themselves in a terminal, and leave it as it is left", () => {
    assert.deepStrictEqual(asked("hello\b\u007flo\u001b[D\u001b[C there\u0017you"), said("hello you"))
    assert.deepStrictEqual(asked("/quit\u0015stay"), said("stay"))
    const goodbye: Asked = { _tag: "Close", bytes: "-!- goodbye\n", reason: "" }
    for (const end of [[3], [4], [3, 10, 4], [4, 10, 3], [255, 244], [255, 236], [255, 238]]) {
      const { asked } = typed(Buffer.concat([Buffer.from("hi\nnot se"), Uint8Array.from(end), Buffer.from("nt\n")]))
      assert.deepStrictEqual(asked.slice(0, asked.findIndex(({ _tag }) => _tag === "Close") + 1), [...said("hi"), goodbye])
    }
    assert.deepStrictEqual(typed(Uint8Array.of(255, 251, 1, 255, 251, 1, 104, 105, 10)).asked, [
      { _tag: "Reply", bytes: text(Uint8Array.of(255, 254, 1)) },
      ...said("hi")
    ])
    const { outputs } = plain.end(typed("last words").state)
    assert.deepStrictEqual(outputs.map((output) => output._tag), ["Say", "Close"], "what was not ended is still said")
  })

  it("may say so much in a line, and is cut off when no line ends", () => {
    assert.deepStrictEqual(asked("é".repeat(maxLine / 2)), said("é".repeat(maxLine / 2)))
    assert.deepStrictEqual(hints("é".repeat(maxLine / 2) + "x"), ["-!- a line has at most 4096 bytes; this one was not sent\n"])
    assert.deepStrictEqual(asked("x".repeat(maxLine)), said("x".repeat(maxLine)))
    assert.lengthOf(hints("x".repeat(maxLine + 1)), 1)
    assert.lengthOf(hints("x".repeat(maxPending)), 1)
    const reason = "line too long: at most 16384 bytes may come without a newline"
    for (const line of ["x".repeat(maxPending + 1) + "\n", "x".repeat(maxPending + 2)]) {
      assert.deepStrictEqual(typed(line).asked, [{ _tag: "Close", bytes: `-!- ${reason}\n`, reason, fault: "too-long" }])
    }
  })

  it("hears their own lines only when the server echoes", () => {
    const echoing = through(plain.open({ ...hello, echo: true }).state, joined("lobby"))
    assert.strictEqual(shown(message({ nick: "ana" }), ana, true), "")
    assert.strictEqual(shown(message({ nick: "ana" }), echoing, true), "ana: hello\n")
  })
})

describe("ignoring", () => {
  const ignoring = typed("/ignore Bo\n").state

  it("hides what a person says and where they come and go, until it ends", () => {
    const hidden: ReadonlyArray<Event> = [message({}), { _tag: "Whispered", nick: "bo", to: "ana", text: "psst", kind: "message" },
      joined("lobby", "bo")[0], { _tag: "Left", room: "lobby", nick: "bo" }, { _tag: "Quit", nick: "bo", rooms: ["lobby"], reason: "" },
      { _tag: "Invited", room: "den", nick: "ana", by: "Bo" }]
    for (const event of hidden) {
      assert.strictEqual(shown(event, ignoring), "", event._tag)
      assert.notStrictEqual(shown(event, typed("/unignore BO\n", ignoring).state), "", event._tag)
    }
    assert.strictEqual(shown(message({ nick: "cy" }), ignoring), "cy: hello\n")
    assert.deepStrictEqual(hints("/ignore", ignoring), ["-!- you ignore bo\n"])
    assert.isUndefined(plain.rendering(ignoring, "lobby"), "so that nothing shared reaches them")
  })

  it("follows who is ignored to another nick", () => {
    const after = through(ignoring, [{ _tag: "Renamed", nick: "bo", to: "Rob" }, false])
    assert.strictEqual(shown(message({ nick: "rob" }), after), "")
    assert.strictEqual(shown(message({ nick: "bo" }), after), "bo: hello\n")
  })

  it("hides what was said before, too", () => {
    const entries = ["bo", "cy"].map((nick, i) => ({ seq: i, at: stamp(false).at, id: `m${i}`, by: nick, event: message({ nick }) as Fact }))
    assert.strictEqual(
      shown({ _tag: "Recalled", room: "lobby", why: "joined", entries, complete: true }, ignoring),
      "-!- the last 1 message in #lobby (UTC):\n03:04 cy: hello\n"
    )
  })

  it("row 37: and topics have limits", () => {
    let state = ana
    for (let i = 0; i < maxIgnored; i++) state = typed(`/ignore nick${i}\n`, state).state
    assert.match(hints("/ignore onemore", state).join(""), /^-!- you ignore 100 people, the most one can\n$/)
    assert.strictEqual(shown(message({ nick: "onemore" }), typed("/ignore onemore\n", state).state), "onemore: hello\n")
    assert.strictEqual(shown(message({ nick: "nick99" }), state), "")

    const moment = { at: 0, guest: 1, server: "test", motd: [], epoch: "e", seq: 0, dialect: "plain", address: "::1", house: openHouse }
    const facts: ReadonlyArray<Fact> = [{ _tag: "Arrived", nick: "ana", dialect: "plain", address: "::1" }, { _tag: "Joined", room: "lobby", nick: "ana" }]
    const world = facts.reduce((world, fact) => World.evolve(world, "s1", fact, 0), World.empty)
    for (const [topic, granted] of [["é".repeat(195), true], ["é".repeat(196), false], ["a\nb", false]] as const) {
      const [outcome] = World.decide(world, "s1", { _tag: "SetTopic", room: "lobby", topic }, moment)
      assert.strictEqual(World.isKept(outcome!), granted)
    }
  })

  it("row 38: means the nick that was typed, whatever it would mean as a pattern", () => {
    for (const pattern of ["*", ".*", "b?", "/bo/", "(a+)+$", "bo|cy", "^(([a-z])+.)+$", "b*"]) {
      const { asked, state } = typed(`/ignore ${pattern}\n`)
      assert.strictEqual(shown(message({}), state), "bo: hello\n", pattern)
      // `|` and `^` may be in nicks; with the other signs of patterns it is no nick.
      assert.strictEqual(asked[0]?._tag === "Reply" && asked[0].bytes.includes("you ignore"), Name.nickProblem(pattern) === undefined)
    }
    const literal = typed("/ignore [bo]\n/ignore b|o\n/ignore ^bo\n").state
    assert.strictEqual(literal.ignored.size, 3)
    for (const nick of ["b", "o", "bo"]) assert.strictEqual(shown(message({ nick }), literal), `${nick}: hello\n`)
    assert.strictEqual(shown(message({ nick: "[BO]" }), literal), "")
  })
})

// --- what people are shown -------------------------------------------------------------------------------------------

describe("a person in the lobby", () => {
  it("is shown what others do there", () => {
    const lines: ReadonlyArray<readonly [Event, string]> = [
      [message({}), "bo: hello"],
      [message({ kind: "action", text: "waves" }), "* bo waves"],
      [message({ kind: "notice", text: "beep" }), "-bo- beep"],
      [message({ room: "den" }), "#den bo: hello"],
      [message({ room: "den", kind: "action", text: "waves" }), "#den * bo waves"],
      [message({ room: "LOBBY" }), "bo: hello"],
      [{ _tag: "Whispered", nick: "bo", to: "ana", text: "psst", kind: "message" }, "[bo] psst"],
      [{ _tag: "Whispered", nick: "bo", to: "ana", text: "waves", kind: "action" }, "[bo] * bo waves"],
      [{ _tag: "Passed", room: "lobby", nick: "bo", bytes: Text.encode("one\r\n\ntwo") }, "bo: one\nbo: two"],
      [{ _tag: "Passed", room: "den", nick: "bo", bytes: Uint8Array.of(0x68, 0xe9, 0x1b) }, "#den bo: hé␛"],
      [joined("lobby", "bo")[0], "-!- bo joined #lobby"],
      [{ _tag: "Left", room: "lobby", nick: "bo" }, "-!- bo left #lobby"],
      [{ _tag: "Left", room: "lobby", nick: "bo", reason: "tea" }, "-!- bo left #lobby (tea)"],
      [{ _tag: "Quit", nick: "bo", rooms: ["lobby"], reason: "connection closed" }, "-!- bo quit (connection closed)"],
      [{ _tag: "Quit", nick: "bo", rooms: ["lobby"], reason: "" }, "-!- bo quit"],
      [{ _tag: "Renamed", nick: "bo", to: "rob" }, "-!- bo is now rob"],
      [{ _tag: "TopicSet", room: "lobby", nick: "bo", topic: "tea" }, "-!- bo changed the topic of #lobby to: tea"],
      [{ _tag: "TopicSet", room: "lobby", nick: "bo", topic: "" }, "-!- bo cleared the topic of #lobby"],
      [{ _tag: "RankSet", room: "lobby", nick: "ana", by: "bo", rank: "operator" }, "-!- bo made ana an operator of #lobby"],
      [{ _tag: "Kicked", room: "lobby", nick: "cy", by: "bo", reason: "noise" }, "-!- cy was kicked from #lobby by bo (noise)"],
      [{ _tag: "ModeratedSet", room: "lobby", by: "bo", moderated: false }, "-!- bo ended the moderation of #lobby"],
      [{ _tag: "RankSet", room: "lobby", nick: "ana", by: "bo", rank: "voiced operator", was: "voice" }, "-!- bo made ana an operator with a voice of #lobby"],
      [{ _tag: "RankSet", room: "lobby", nick: "ana", by: "bo", rank: "member", was: "voice" }, "-!- bo made ana an ordinary member of #lobby"],
      [message({ only: "operator" }), "@#lobby bo: hello"],
      [message({ only: "voice", kind: "action", text: "waves" }), "+#lobby * bo waves"],
      [message({ room: "den", only: "operator" }), "@#den bo: hello"],
      [message({ tags: { "+reply": "m7" } }), "bo: hello"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "secret", on: true }, "-!- bo made #lobby secret: it is not listed"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "secret", on: false }, "-!- bo made #lobby listed again"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "invite-only", on: true }, "-!- bo made #lobby open to the invited only"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "invite-only", on: false }, "-!- bo made #lobby open to everybody"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "topic-locked", on: true }, "-!- bo made #lobby a room whose topic only operators set"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "members-only", on: false }, "-!- bo made #lobby a room in which strangers may talk"],
      [{ _tag: "FlagSet", room: "lobby", by: "bo", flag: "no-ctcp", on: true }, "-!- bo made #lobby closed to client-to-client requests"],
      [{ _tag: "KeySet", room: "lobby", by: "bo", key: "sesame" }, "-!- bo put a key on #lobby"],
      [{ _tag: "KeySet", room: "lobby", by: "bo" }, "-!- bo took the key off #lobby"],
      [{ _tag: "LimitSet", room: "lobby", by: "bo", limit: 7 }, "-!- bo lets at most 7 into #lobby"],
      [{ _tag: "LimitSet", room: "lobby", by: "bo" }, "-!- bo lets any number into #lobby"],
      [{ _tag: "MaskSet", room: "lobby", by: "bo", list: "ban", mask: "cy!*@*", on: true }, "-!- bo put cy!*@* on the bans of #lobby"],
      [{ _tag: "MaskSet", room: "lobby", by: "bo", list: "ban", mask: "m:cy!*@*", on: false }, "-!- bo took m:cy!*@* off the bans of #lobby"],
      [{ _tag: "MaskSet", room: "lobby", by: "bo", list: "exception", mask: "cy!*@*", on: true }, "-!- bo put cy!*@* on the exceptions from bans of #lobby"],
      [{ _tag: "Invited", room: "den", nick: "ana", by: "bo" }, "-!- bo invited ana to #den"],
      [{ _tag: "Opered", nick: "bo", on: true }, "-!- bo is an operator of the server"],
      [{ _tag: "Walloped", nick: "bo", text: "back at four" }, "-!- bo to all: back at four"],
      [{ _tag: "Hinted", nick: "bo", room: "lobby", tags: { "+typing": "active" } }, ""],
      [{ _tag: "RealnameSet", nick: "bo", realname: "Bo" }, ""],
      [{ _tag: "TraitSet", nick: "bo", trait: "bot", on: true }, ""],
      [{ _tag: "Watched", nick: "bo", nicks: ["ana"], on: true }, ""],
      [{ _tag: "AwaySet", nick: "bo", message: "lunch" }, ""],
      [{ _tag: "Arrived", nick: "bo", dialect: "plain", address: "::1" }, ""]
    ]
    for (const [event, line] of lines) assert.strictEqual(shown(event), line === "" ? "" : `${line}\n`, event._tag)
  })

  it("is shown what they did themselves, where their terminal does not show it", () => {
    const lines: ReadonlyArray<readonly [Event, string]> = [
      [message({ nick: "ana" }), ""],
      [{ _tag: "Whispered", nick: "ana", to: "bo", text: "psst", kind: "message" }, ""],
      [{ _tag: "Whispered", nick: "ana", to: "ana", text: "note", kind: "message" }, "[ana] note\n"],
      [joined("den")[0], ""],
      [{ _tag: "Renamed", nick: "ana", to: "ann" }, "-!- you are now ann\n"],
      [{ _tag: "AwaySet", nick: "ana", message: "lunch" }, "-!- you are away: lunch\n"],
      [{ _tag: "AwaySet", nick: "ana" }, "-!- you are back\n"],
      [{ _tag: "TopicSet", room: "lobby", nick: "ana", topic: "tea" }, "-!- ana changed the topic of #lobby to: tea\n"],
      [{ _tag: "Kicked", room: "lobby", nick: "bo", by: "ana" }, "-!- bo was kicked from #lobby by ana\n"]
    ]
    for (const [event, line] of lines) assert.strictEqual(shown(event, ana, true), line, event._tag)
    const renamed = through(ana, [{ _tag: "Renamed", nick: "ana", to: "ann" }, true])
    assert.match(shown({ _tag: "Kicked", room: "lobby", nick: "Ann", by: "bo" }, renamed), /^-!- you were kicked/)
  })

  it("is answered", () => {
    const members = ["ana", "bo", "cy"].map((nick, i) => ({ nick, rank: (["operator", "voice", "member"] as const)[i]!, away: false }))
    const info = { _tag: "RoomInfo", room: "den", topic: "tea", moderated: false, members: 5, some: members } as const
    const answers: ReadonlyArray<readonly [Answer, string]> = [
      [{ _tag: "Welcome", server: "test", nick: "ana", epoch: "e", motd: ["be kind"] },
        "-!- be kind\n-!- Welcome to test. You are ana; /nick NAME to be called something else, /help for more.\n"],
      [{ _tag: "Refused", reason: "bo is taken", command: "SetNick" }, "-!- bo is taken\n"],
      [info, "-!- #den: 5 members: @ana, +bo, cy and 2 more\n-!- topic of #den: tea\n"],
      [{ ...info, topic: "", moderated: true, members: 1, some: members.slice(2) }, "-!- #den (moderated): 1 member: cy\n"],
      [{ _tag: "Members", room: "den", members: [] }, "-!- #den: \n"],
      [{ _tag: "Members", room: "den", members }, "-!- #den: @ana, +bo, cy\n"],
      [{ _tag: "Rooms", rooms: [{ room: "den", members: 1, topic: "tea" }, { room: "lobby", members: 2, topic: "" }] },
        "-!- #den: 1 member: tea\n-!- #lobby: 2 members\n"],
      [{ _tag: "Person", nick: "bo", dialect: "json", rooms: ["den", "lobby"], since: "2026-01-02T03:04:05.678Z", away: "lunch" },
        "-!- bo speaks json, is here since 2026-01-02 03:04 UTC, in #den #lobby, away: lunch\n"],
      [{ _tag: "Person", nick: "bo", dialect: "json", rooms: [], since: "2026-01-02T03:04:05.678Z" },
        "-!- bo speaks json, is here since 2026-01-02 03:04 UTC, in no room\n"],
      [{ _tag: "Motd", lines: [] }, "-!- there is no message of the day\n"],
      [{ _tag: "Motd", lines: ["be", "kind"] }, "-!- be\n-!- kind\n"],
      [{ _tag: "IsAway", nick: "bo", message: "lunch" }, "-!- bo is away: lunch\n"],
      [{ _tag: "Missed", room: "den", count: 2, after: 7 }, "-!- you missed 2 messages in #den\n"],
      [{ _tag: "Missed" }, "-!- you missed messages to you\n"],
      [{ _tag: "Masks", room: "den", list: "ban", masks: [] }, "-!- there are no bans in #den\n"],
      [{ _tag: "Masks", room: "den", list: "exception", masks: [{ mask: "bo!*@*", by: "ana", at: "2026-01-02T03:04:05.678Z" }, { mask: "*!*@::1", by: "cy", at: "" }] },
        "-!- exceptions from bans of #den: bo!*@* (by ana)\n-!- exceptions from bans of #den: *!*@::1 (by cy)\n"],
      [{ _tag: "Seen", nick: "bo", here: true }, "-!- bo is here\n"],
      [{ _tag: "Seen", nick: "bo", here: false }, "-!- bo is not here\n"],
      [{ _tag: "Refused", reason: "#den wants a key, and that is not it", command: "Join", code: "wrong-key", room: "den" }, "-!- #den wants a key, and that is not it\n"],
      [{ _tag: "Closing", reason: "the server closes" }, "-!- the server closes\n"]
    ]
    for (const [answer, lines] of answers) assert.strictEqual(shown(answer, ana, true), lines, answer._tag)
  })

  it("is shown a long list of members in lines of sixteen", () => {
    const members = Array.from({ length: 33 }, (_, i) => ({ nick: `n${i}`, rank: "member" as const, away: false }))
    const lines = shown({ _tag: "Members", room: "den", members }).split("\n").slice(0, -1)
    assert.deepStrictEqual(lines.map((line) => line.split(", ").length), [16, 16, 1])
    assert.strictEqual(lines.map((line) => line.replace("-!- #den: ", "")).join(", "), members.map(({ nick }) => nick).join(", "))
  })

  it("is shown the past with its time, and only what was said", () => {
    const events = [message({}), joined("lobby", "cy")[0], message({ kind: "action", text: "waves" }),
      { _tag: "Passed", room: "lobby", nick: "cy", bytes: Text.encode("one\ntwo\n") }] as ReadonlyArray<Fact>
    const entries = events.map((event, i) => ({ seq: i, at: stamp(false).at + i * 60_000, id: `m${i}`, by: "s2", event }))
    const recalled: Recalled = { _tag: "Recalled", room: "lobby", why: "joined", entries, complete: true }
    assert.strictEqual(shown(recalled), "-!- the last 3 messages in #lobby (UTC):\n03:04 bo: hello\n03:06 * bo waves\n03:07 cy: one\n03:07 cy: two\n")
    assert.strictEqual(shown({ ...recalled, entries: [] }), "")
    assert.strictEqual(shown({ ...recalled, entries: [], why: "asked" }), "-!- nothing was said in #lobby that is still known\n")
    const failed = { ...recalled, entries: [], complete: false, failed: true }
    assert.strictEqual(shown({ ...failed, why: "asked" }), "-!- what was said in #lobby cannot be read now\n")
    assert.strictEqual(shown({ ...failed, why: "found", words: "x" }), "-!- what was said in #lobby cannot be searched now\n")
    const found: Recalled = { ...recalled, entries: entries.slice(0, 1), why: "found", words: "Hello" }
    assert.strictEqual(shown(found), `-!- 1 message in #lobby with these words (UTC): Hello\n${new Date(stamp(false).at).toISOString().slice(0, 10)} 03:04 bo: hello\n`)
    assert.match(shown({ ...found, complete: false }), /^-!- the last 1 message in #lobby/)
    assert.strictEqual(shown({ ...found, entries: [] }), "-!- nothing with these words in it is known in #lobby: Hello\n")
  })
})

// --- safe to look at -------------------------------------------------------------------------------------------------

/** Every event, answer and recollection there is, with this text wherever a text can be. */
const everywhere = (payload: string): ReadonlyArray<Event | Recalled> => {
  const member = { nick: payload, rank: "member", away: true } as const
  const facts: ReadonlyArray<Fact> = [
    { _tag: "Arrived", nick: payload, dialect: payload, address: payload },
    { _tag: "Renamed", nick: payload, to: payload },
    { _tag: "Joined", room: payload, nick: payload },
    { _tag: "Left", room: payload, nick: payload, reason: payload },
    { _tag: "Quit", nick: payload, rooms: [payload], reason: payload },
    ...(["message", "action", "notice"] as const).flatMap((kind): ReadonlyArray<Fact> => [
      { _tag: "Said", room: payload, nick: payload, text: payload, kind },
      { _tag: "Whispered", nick: payload, to: payload, text: payload, kind }
    ]),
    { _tag: "Passed", room: payload, nick: payload, bytes: Text.encode(payload) },
    { _tag: "Passed", room: payload, nick: payload, bytes: Uint8Array.from([...Text.encode(payload), 0x9b, 0xff, 0x1b]) },
    { _tag: "TopicSet", room: payload, nick: payload, topic: payload },
    { _tag: "RankSet", room: payload, nick: payload, by: payload, rank: "voice" },
    { _tag: "ModeratedSet", room: payload, by: payload, moderated: true },
    { _tag: "Kicked", room: payload, nick: payload, by: payload, reason: payload },
    { _tag: "AwaySet", nick: payload, message: payload },
    { _tag: "FlagSet", room: payload, by: payload, flag: "secret", on: true },
    { _tag: "KeySet", room: payload, by: payload, key: payload },
    { _tag: "LimitSet", room: payload, by: payload, limit: 7 },
    { _tag: "MaskSet", room: payload, by: payload, list: "ban", mask: payload, on: true },
    { _tag: "Invited", room: payload, nick: payload, by: payload },
    { _tag: "Hinted", nick: payload, room: payload, tags: { [payload]: payload } },
    { _tag: "RealnameSet", nick: payload, realname: payload },
    { _tag: "TraitSet", nick: payload, trait: "bot", on: true },
    { _tag: "Opered", nick: payload, on: true },
    { _tag: "Watched", nick: payload, nicks: [payload], on: true },
    { _tag: "Walloped", nick: payload, text: payload }
  ]
  return [
    ...facts,
    { _tag: "Welcome", server: payload, nick: payload, epoch: payload, motd: [payload] },
    { _tag: "Refused", reason: payload, path: payload, command: payload },
    { _tag: "RoomInfo", room: payload, topic: payload, moderated: true, members: 2, some: [member], rank: "member" },
    { _tag: "Members", room: payload, members: [member] },
    { _tag: "Rooms", rooms: [{ room: payload, members: 1, topic: payload }] },
    { _tag: "Person", nick: payload, dialect: payload, rooms: [payload], since: payload, away: payload },
    { _tag: "Motd", lines: [payload, payload] },
    { _tag: "IsAway", nick: payload, message: payload },
    { _tag: "Missed", room: payload, count: 1 },
    { _tag: "Masks", room: payload, list: "exception", masks: [{ mask: payload, by: payload, at: payload }] },
    { _tag: "Seen", nick: payload, here: true },
    { _tag: "Closing", reason: payload },
    ...(["joined", "resumed", "asked"] as const).map((why): Recalled => ({
      _tag: "Recalled", room: payload, why, complete: true, entries: facts.map((event, seq) => ({ seq, at: 0, id: "m", by: "s2", event }))
    }))
  ]
}

describe("whatever people type", () => {
  it("row 45: no control sequence in any field of any event reaches a terminal", () => {
    const control = /[\p{Cc}\p{Zl}\p{Zp}]/u
    const { state: jsonState } = json.open(hello)
    const payloads = ["\u001b[31m", "\u001b]52;c;eA==\u0007", "\u001bP1$q\u001b\\", "\u001b_x\u001b\\", "\u0007", "\u009b2J", "\u009d0;x\u009c",
      "a\rb", "a\bb", "a\u007fb", "a\u0000b", "a\u0085b", "a\u2028b", "a\u000eb", "a\vb\fc"]
    for (const payload of payloads) {
      for (const event of everywhere(payload)) {
        for (const mine of [true, false]) {
          for (const bytes of [shown(event, ana, mine), text(json.tell(jsonState, event, { ...stamp(mine), id: "" }).bytes)]) assert.notMatch(bytes.replaceAll("\n", ""), control, `${event._tag} ${JSON.stringify(payload)}`)
        }
      }
      const crowd = Array.from({ length: 9 }, (_, seq): Entry => {
        const event: Fact = seq < 3 ? { _tag: "Joined", room: payload, nick: `${payload}${seq}` }
          : seq < 6 ? { _tag: "Left", room: payload, nick: `x${payload}${seq}` }
          : { _tag: "Renamed", nick: `y${payload}${seq}`, to: `${payload}z${seq}` }
        return { seq, at: 0, id: "m", by: "s2", event }
      })
      for (const rendering of [plain.rendering(ana, "lobby")!, json.rendering(jsonState, "lobby")!]) {
        assert.notMatch(text(rendering.render(crowd, payload).bytes).replaceAll("\n", ""), control)
      }
      for (const line of ["", "/", "/nick ", "/ignore ", "/join ", "/unignore ", "/history ", "/moderate ", "/msg ", "/kick ", "/mode ", "/limit ", "/invite "]) {
        for (const output of asked(`${line}x${payload}`)) {
          if (output._tag === "Reply") assert.notMatch(output.bytes.replaceAll("\n", ""), control, line)
        }
      }
    }
  })

  it.prop("every line that is shown is printable by itself", { event: anyEvent, text: hostileText }, ({ event, text }) => {
    for (const one of [event, ...everywhere(text)]) {
      for (const mine of [true, false]) {
        for (const line of shown(one, ana, mine).split("\n")) assert.strictEqual(Text.printable(line), line, one._tag)
      }
    }
  }, { arbitrary: { runs: 100 } })

  it.prop("what comes alone reads as it does among others", { event: anyEvent, text: hostileText, plainly: among(true, false) }, ({ event, plainly, text: typed }) => {
    const words = plainly ? typed.replace(/[^ -~]/g, "") : typed
    for (const one of [event, ...everywhere(words)]) {
      if (one._tag === "Recalled") continue
      const entry = { seq: 7, at: 0, id: "m", by: "s2", event: one } as Entry
      for (const room of ["lobby", "den"]) {
        const { render } = plain.rendering(ana, room)!
        const alone = text(render([entry], room).bytes)
        assert.strictEqual(text(render([entry, entry], room).bytes), alone + alone, one._tag)
      }
    }
  }, { arbitrary: { runs: 100 } })

  it.prop("row 48: nobody's line is taken for the server's, or for a private one", {
    nick: among("bo", "[ana]", "[ana", "_", "^", "`x`", "{}", "a--", "|", "b[]"),
    text: hostileText,
    kind: among("message", "action", "notice"),
    room: among("lobby", "den", "bo", "x-!-")
  }, ({ kind, nick, room, text }) => {
    assert.isUndefined(Name.nickProblem(nick))
    const lines = (event: Event) => shown(event).split("\n").slice(0, -1)
    const author = kind === "action" ? `* ${nick} ` : kind === "notice" ? `-${nick}- ` : nick.startsWith("[") ? `<${nick}>: ` : `${nick}: `
    const place = room === "lobby" ? "" : `#${room} `
    assert.notMatch(place + author, /^(?:-!-|\[|\d)/)
    const said = lines({ _tag: "Said", room, nick, text, kind })
    assert.lengthOf(said, 1)
    assert.isTrue(said[0]!.startsWith(place + author), said[0])
    const whispered = lines({ _tag: "Whispered", nick, to: "ana", text, kind })
    assert.lengthOf(whispered, 1)
    assert.isTrue(whispered[0]!.startsWith(`[${nick}] `), whispered[0])
    for (const line of lines({ _tag: "Passed", room, nick, bytes: Text.encode(text) })) {
      assert.isTrue(line.startsWith(nick.startsWith("[") ? `${place}<${nick}>: ` : `${place}${nick}: `), line)
    }
    // Nor does a text within the server's own lines begin another.
    const notices: ReadonlyArray<Event> = [
      { _tag: "Left", room, nick, reason: text }, { _tag: "Quit", nick, rooms: [], reason: text }, { _tag: "TopicSet", room, nick, topic: text },
      { _tag: "Kicked", room, nick, by: nick, reason: text }, { _tag: "IsAway", nick, message: text }, { _tag: "Refused", reason: text }
    ]
    for (const event of notices) assert.match(shown(event), /^-!- [^\n]*\n$/, event._tag)
  }, runs)

  it.prop("it comes to the others as one line or is refused", { typed: hostileText }, ({ typed: input }) => {
    const moment = { at: 0, guest: 1, server: "test", motd: [], epoch: "e", seq: 0, dialect: "plain", address: "::1", house: openHouse }
    let world = World.empty
    const hear = (commands: ReadonlyArray<Command>) => {
      for (const command of commands) {
        for (const outcome of World.decide(world, "s1", command, moment)) {
          if (!World.isKept(outcome)) continue
          world = World.evolve(world, "s1", outcome.event, 0)
          assert.match(shown(outcome.event), /^(?:[^\n]+\n)?$/, outcome.event._tag)
        }
      }
    }
    hear([{ _tag: "Arrive", nick: "ana" }, { _tag: "Join", room: "lobby" }])
    hear(typed(`${input}\n`).asked.filter(isCommand))
    assert.strictEqual(HashMap.size(world.persons), 1)
  }, runs)
})
