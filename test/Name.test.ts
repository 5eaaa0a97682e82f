/** What may be a name, and when two names are one. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Name from "../src/Name.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, oneOf, string } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const letters = "aZqK[]\\`_^{|}"
const spelled = (alphabet: string, maxLength: number) =>
  Arbitrary.map(Arbitrary.array(among(...alphabet), { minLength: 1, maxLength }), (characters) => characters.join(""))

/** Texts that are often names, and often just not. */
const nameLike = oneOf(spelled(`${letters}09-`, 40), spelled("aK0-#@:,. é\u212a\u0130\u200b\u0007", 8), string)

describe("a name's key", () => {
  it.prop("is the name with A to Z small and every other character as it is", { name: nameLike }, ({ name }) => {
    const small = Array.from(name, (character) => character >= "A" && character <= "Z" ? character.toLowerCase() : character)
    assert.strictEqual(Name.key(name), small.join(""))
  }, runs)

  it.prop("is the key of itself", { name: nameLike }, ({ name }) => {
    assert.strictEqual(Name.key(Name.key(name)), Name.key(name))
  }, runs)

  it("does not take a look-alike for an ASCII letter", () => {
    assert.notStrictEqual(Name.key("\u212a"), "k") // KELVIN SIGN
    assert.notStrictEqual(Name.key("\uff2b"), "k")
  })
})

describe("a nick", () => {
  it.prop("spelled with the right characters, not too long and not reserved, is one", { nick: spelled(letters, 32) }, ({ nick }) => {
    assert.isUndefined(Name.nickProblem(nick))
    assert.isUndefined(Name.nickProblem(`${nick.slice(0, 31)}0`))
  }, runs)

  it.prop("starts and goes on as no sign of the chat does", { nick: nameLike }, ({ nick }) => {
    if (Name.nickProblem(nick) !== undefined) return
    assert.match(nick, /^[!-~]{1,32}$/)
    assert.notMatch(nick, /[#@+:,*!<>/ ]/)
    assert.notMatch(nick, /^[-0-9]/)
    assert.isUndefined(Name.nickProblem(Name.key(nick)), "the same nick, spelled as its key")
  }, runs)

  it("row 32: names of services, signs, the empty and the endless are no nicks", () => {
    const bad = [
      "*", ":", ":ana", "0", "1ana", "-ana", "", " ", "a b", "a,b", "a!b", "a:b", "a/b", "root@", "root", "ROOT", "@ana", "+ana", "#x",
      "&x", "server", "Server", "services", "NickServ", "chanserv", "global", "everyone", "ALL", "here", "ana\n", "ana\0", "-!-",
      "<ana>", "a".repeat(33), "a".repeat(10_240)
    ]
    for (const nick of bad) assert.isString(Name.nickProblem(nick), JSON.stringify(nick))
    for (const nick of ["ana", "Ana", "a", "[ana]", "_", "a-1", "servant", "rooted", "a".repeat(32)]) {
      assert.isUndefined(Name.nickProblem(nick), nick)
    }
  })

  it("row 33: nothing that looks like another name is a name", () => {
    const lookalikes = [
      "\u0430na", // CYRILLIC SMALL LETTER A
      "an\u0251", "\uff41na", "\u212a", "\ufb01n", "\u0131", "ana\u200b", "a\u200dna", "\u202eana", "\u2066ana\u2069", "\u00adana", "ana\ufeff",
      "a\u0301na", "a\u0336\u0335\u0337\u0338na", "\u00e4na", "ana\ufe0f", "\u{1d41a}na", "👻", "ana\u00a0", "\ud800"
    ]
    for (const name of lookalikes) {
      assert.isString(Name.nickProblem(name), JSON.stringify(name))
      assert.isString(Name.roomProblem(name), JSON.stringify(name))
    }
  })
})

describe("the server's name", () => {
  it("is one word where it must be, and nobody else's, however it is written", () => {
    const words: ReadonlyArray<readonly [string, string]> = [["effect-chat", "effect-chat"], ["My  Chat!", "My-Chat"], ["chat.example", "chat.example"], ["☃", "chat"], ["", "chat"]]
    for (const [server, word] of words) {
      assert.strictEqual(Name.wordOf(server), word)
      assert.isTrue(Name.isServers(server, word.toUpperCase()))
      assert.isFalse(Name.isServers(server, `${word}_`))
    }
    assert.isTrue(Name.isServers("[home]", "[HOME]"))
  })
})

describe("a room's name", () => {
  it.prop("is one word of visible ASCII that fits a list and a path", { name: oneOf(nameLike, spelled("aB9.#,/: -_", 70)) }, ({ name }) => {
    if (Name.roomProblem(name) !== undefined) return
    assert.match(name, /^[!-~]{1,64}$/)
    assert.notMatch(name, /[,/:]|\.\./)
    assert.isUndefined(Name.roomProblem(Name.key(name)))
  }, runs)

  it.prop("can be written with and without its sign", { name: nameLike }, ({ name }) => {
    assert.strictEqual(Name.withoutHash(Name.withHash(name)), name)
    assert.strictEqual(Name.withoutHash(Name.withHash(name)), name)
    assert.strictEqual(Name.withoutHash(`x${name}`), `x${name}`)
  }, runs)

  it("can be the lobby's, be long and hold signs", () => {
    for (const name of [Name.lobby, "a", "0", "c++", "#double", "v1.2", "it's", "a".repeat(64)]) {
      assert.isUndefined(Name.roomProblem(name), name)
    }
    for (const name of ["", "a b", "a,b", "a/b", "a:b", "a..b", "..", ".", "-!-", "a\u0007", "a".repeat(65)]) {
      assert.isString(Name.roomProblem(name), JSON.stringify(name))
    }
  })
})
