/** However what is said is cut, and however long its pieces take, it comes to the same, for who says it and for the others. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { open, settled } from "./house.ts"
import { chance, type Chance, seeded } from "./seeded.ts"

const people: ReadonlyArray<string> = [
  "hello", "//x", "/me waves", "/nick ana", "/nick bo", "/nick x y", "/join den", "/join locked", "/join lobby", "/join locked sesame", "/join", "/part", "/part den",
  "/part lobby", "/part nowhere", "/ignore bo", "/ignore BO", "/unignore bo", "/ignore", "/history", "/history #den 3", "/msg bo psst", "/msg ana psst",
  "/msg #den hi", "/msg #locked hi", "/who bo", "/who", "/names", "/list", "/topic tea", "/topic", "/away lunch", "/back", "/search hi", "/moderate on", "/op bo", "/voice bo",
  "/mode secret on", "/ban bo", "/unban bo", "/kick bo", "/invite bo", "/key k", "/limit 1", "/help", "/nope", "", "  ", "caf\u00e9 \u2b50", "/pass sesame", "/motd"
]

const capabilities = ["echo-message", "message-tags", "server-time", "batch", "labeled-response", "multi-prefix", "away-notify", "extended-join", "draft/chathistory", "standard-replies"]

const clients: ReadonlyArray<string> = [
  "NICK ana", "NICK bo", "NICK 1", "NICK", "USER a 0 * :A", "CAP LS 302", "CAP LIST", "CAP END", ...capabilities.flatMap((name) => [`CAP REQ :${name}`, `CAP REQ :-${name}`]),
  "JOIN #den", "JOIN #locked", "JOIN #locked sesame", "JOIN #lobby,#den", "JOIN 0", "PART #den", "PART #lobby :bye", "PRIVMSG #den :hi", "PRIVMSG #lobby :hi there",
  "PRIVMSG bo :psst", "PRIVMSG ana,bo :psst", "@label=l1 PRIVMSG #den :labelled", "@label=l2 PING x", "@label=l3 WHOIS bo", "@+typing=active TAGMSG #den", "PING y", "NOTICE #den :n",
  "WHO #den", "WHO bo", "WHOIS bo", "NAMES #den", "TOPIC #den :tea", "TOPIC #den", "AWAY :lunch", "AWAY", "MODE #den", "MODE #den +m", "MODE ana +iw", "MODE #den +o bo",
  "SETNAME :B", "MONITOR + bo", "MONITOR S", "CHATHISTORY LATEST #den * 10", "KICK #den bo :out", "MODE #den +b bo", "PASS x", "LIST", "LUSERS", "nope", "", "PRIVMSG #den :caf\u00e9"
]

/** A script of so many lines, of which a client mostly says first who it is. */
const written = (random: Chance, lines: ReadonlyArray<string>, first: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...random() < 0.7 ? first : [],
  ...Array.from({ length: 2 + Math.floor(random() * 60) }, () => lines[Math.floor(random() * lines.length)]!)
]

/** What who says this is told, and what the others are, when it comes in these pieces, each taken before the next comes. */
const transcript = (pieces: ReadonlyArray<string>, greeted: boolean) =>
  seeded(
    Effect.gen(function*() {
      const house = yield* open({ dialect: "auto", echo: undefined })
      const bo = house.connect()
      bo.send("/nick bo\nin the lobby\n/join locked\n/key sesame\n/join den\nhi\nhi again\n")
      yield* settled
      const client = house.connect()
      if (greeted) client.send("\n")
      yield* settled
      for (const piece of pieces) {
        client.send(piece)
        yield* settled
      }
      client.end()
      yield* client.closed
      yield* settled
      return { client: client.text(), bo: bo.text() }
    }),
    1
  )

/** The same text in pieces, some of one line and some of several, and some that end within one. */
const cut = (random: Chance, text: string): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let rest = text
  while (rest.length > 0) {
    const line = rest.indexOf("\n") + 1
    const size = random() < 0.7 ? line : 1 + Math.floor(random() * 40)
    pieces.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  return pieces
}

describe("cutting is insignificant, in time too", () => {
  for (const [dialect, lines, first] of [["plain", people, ["/nick ana"]], ["irc", clients, ["NICK ana", "USER a 0 * :A"]]] as const) {
    for (let seed = 1; seed <= 60; seed++) {
      it(`what ${dialect} clients send comes to the same, whether it comes at once or in pieces (${seed})`, async () => {
        const random = chance(seed)
        const script = written(random, lines, first)
        const text = script.map((line) => `${line}\r\n`).join("")
        const greeted = dialect === "plain" && seed % 2 === 0
        const whole = await transcript([text], greeted)
        assert.deepStrictEqual(await transcript(cut(random, text), greeted), whole, script.join("\n"))
      })
    }
  }

  for (const sizes of [[20], [14, 6], [1, 19], [10, 5, 5]]) {
    it.effect(`what was typed for a room is heard in no other when its author is kicked out of it (${sizes.join(" and ")} lines)`, () =>
      Effect.gen(function*() {
        const house = yield* open({ dialect: "plain", rate: { burst: 10, perSecond: 2 } })
        const [bo, vic, cy] = [house.connect(), house.connect(), house.connect()]
        bo.send("/nick bo\n/join den\n")
        yield* settled
        vic.send("/nick vic\n/join den\n")
        cy.send("/nick cy\n")
        yield* settled
        yield* TestClock.adjust("1 minute")
        let next = 0
        for (const size of sizes) {
          vic.send(Array.from({ length: size }, () => `secret ${next++}\n`).join(""))
          yield* settled
        }
        bo.send("/kick vic\n")
        yield* settled
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(bo.text().match(/vic: secret/g)?.length, 10)
        assert.notInclude(cy.text(), "secret")
        assert.strictEqual(vic.text().match(/you are not in #den/g)?.length, 10)
      }))
  }

  for (const text of ["/help\n/ignore bo\n", "\n/ignore bo\n/join den\n", "/ignore bo\n/ignore ana\nhello\n", "/nick ana\n/ignore bo\n"]) {
    it(`nor does it matter around the arrival: ${JSON.stringify(text)}`, async () => {
      const whole = await transcript([text], false)
      assert.deepStrictEqual(await transcript(text.match(/[^\n]*\n/g)!, false), whole, "by lines")
      assert.deepStrictEqual(await transcript([...text], false), whole, "by bytes")
    })
  }
})
