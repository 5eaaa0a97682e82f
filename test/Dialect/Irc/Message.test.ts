/** IRC's grammar (https://modern.ircdocs.horse/#message-format, https://ircv3.net/specs/extensions/message-tags#format). */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Text from "../../../src/Text.ts"
import * as Message from "../../../src/Dialect/Irc/Message.ts"
import { Arbitraries } from "../../../src/testing.ts"

const { among, hostileText, oneOf, string } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const word = among("a", "#den", "+o", "-", "x:y", "~ana@there", "{}", "42")
const name = among("label", "+typing", "+example.com/reply", "msgid", "draft/x", "a-b.c")
const value = oneOf<string>(among("", "1", "a;b", "a b", "back\\slash", "\\", "line\r\nend", "é", "=:@"), among("\\s", "\\:n"))
const tags = Arbitrary.map(
  Arbitrary.array(Arbitrary.all({ name, value }), { maxLength: 4 }),
  (pairs) => Object.fromEntries(pairs.map((pair) => [pair.name, pair.value]))
)
/** Messages that can be printed: all but the last parameter are words. */
const printable = Arbitrary.all({
  tags,
  source: among("irc.example", "ana", "ana!~ana@::1"),
  command: among("PRIVMSG", "001", "TAGMSG"),
  before: Arbitrary.array(word, { maxLength: 3 }),
  last: oneOf<string>(word, among("", ":", ":)", "two words", " led by a space", "\u0001ACTION waves\u0001", "\u0002bold\u000f 👋", "ends in a space "))
})

const written = (message: { readonly tags: Message.Message["tags"]; readonly source: string; readonly command: string; readonly params: ReadonlyArray<string> }) =>
  Message.printTags(message.tags) + Message.print(message.source, message.command, ...message.params)

describe("a message that is printed", () => {
  it.prop("is read as what it was", { message: printable }, ({ message: { before, last, ...rest } }) => {
    const message = { ...rest, params: [...before, last] }
    const line = written(message)
    assert.isTrue(line.endsWith("\r\n"))
    assert.deepStrictEqual({ ...Message.parse(line.slice(0, -2)), tags: { ...Message.parse(line.slice(0, -2))!.tags } }, message)
  }, runs)

  it.prop("is one line of a source, a command and as many parameters, whatever they are", {
    source: hostileText,
    params: Arbitrary.array(hostileText, { maxLength: 4 })
  }, ({ params, source }) => {
    const line = Message.print(source, "NOTICE", ...params)
    assert.isTrue(line.endsWith("\r\n"))
    assert.notMatch(line.slice(0, -2), /[\r\n\u0000]/)
    assert.match(line, /^:[^ :][^ ]* NOTICE(?: |\r\n$)/)
    assert.isAtMost(Text.byteLength(line), Message.maxLine)
    // What is cut off for its length may be all of the last ones.
    assert.isAtMost(Message.parse(line.slice(0, -2))!.params.length, params.length)
  }, runs)

  it.prop("keeps every parameter where it is short enough", { params: Arbitrary.array(among("", " ", ":", ":x", "a b", "\r\n", "é", "-"), { minLength: 1, maxLength: 4 }) }, ({ params }) => {
    assert.strictEqual(Message.parse(Message.print("s", "X", ...params).slice(0, -2))!.params.length, params.length)
  }, runs)

  it.prop("of a text that is too long is several, and nothing of it is lost but what cannot be shown", { text: hostileText }, ({ text }) => {
    const head = ":ana!~ana@there PRIVMSG #den :"
    const lines = Message.lines(head, text)
    for (const line of lines) {
      assert.isTrue(line.startsWith(head) && line.endsWith("\r\n"))
      assert.isAtMost(Text.byteLength(line), Message.maxLine)
      assert.notMatch(line.slice(0, -2), /[\r\n\u0000\ufffd]/)
    }
    assert.strictEqual(lines.map((line) => line.slice(head.length, -2)).join(""), Message.clean(text))
  }, runs)

  const head = ":ana!~ana@there PRIVMSG #den :"
  const room = Message.maxLine - 2 - head.length
  const divided: ReadonlyArray<readonly [what: string, text: string, parts: ReadonlyArray<string>]> = [
    ["between words", `${"x".repeat(room - 4)} one two`, [`${"x".repeat(room - 4)} `, "one two"]],
    ["behind the space that just fits", `${"x".repeat(room - 5)} one two`, [`${"x".repeat(room - 5)} one `, "two"]],
    ["within a word that is longer than half a line", `a ${"x".repeat(room)}`, [`a ${"x".repeat(room - 2)}`, "xx"]],
    ["within a word that has no end", "x".repeat(room + 1), ["x".repeat(room), "x"]]
  ]
  for (const [what, text, parts] of divided) {
    it(`of a text that is too long is divided ${what}`, () =>
      assert.deepStrictEqual(Message.lines(head, text).map((line) => line.slice(head.length, -2)), parts))
  }
})

/** sic and ii take what stands behind a colon for the text of a line, and nothing else; to others it is the same (RFC 1459 2.3.1). */
describe("what somebody wrote stands behind a colon, a word of theirs too", () => {
  const printed: ReadonlyArray<readonly [of: ReadonlyArray<string>, line: string]> = [
    [["NICK", "bo"], "NICK :bo"],
    [["TOPIC", "#den", "tea"], "TOPIC #den :tea"],
    [["TOPIC", "#den", ""], "TOPIC #den :"],
    [["PART", "#den"], "PART #den"],
    [["PART", "#den", "bye"], "PART #den :bye"],
    [["KICK", "#den", "bo", "spam"], "KICK #den bo :spam"],
    [["KILL", "bo", "spam"], "KILL bo :spam"],
    [["QUIT", "bye"], "QUIT :bye"],
    [["AWAY"], "AWAY"],
    [["AWAY", "tea"], "AWAY :tea"],
    [["SETNAME", "Ana"], "SETNAME :Ana"],
    [["WALLOPS", "tea"], "WALLOPS :tea"],
    [["301", "ana", "bo", "tea"], "301 ana bo :tea"],
    [["311", "ana", "bo", "~bo", "memory", "*", "Bo"], "311 ana bo ~bo memory * :Bo"],
    [["312", "ana", "bo", "chat.local", "chat"], "312 ana bo chat.local :chat"],
    [["314", "ana", "bo", "~bo", "memory", "*", "Bo"], "314 ana bo ~bo memory * :Bo"],
    [["322", "ana", "#den", "3", "tea"], "322 ana #den 3 :tea"],
    [["332", "ana", "#den", "tea"], "332 ana #den :tea"],
    [["JOIN", "#den"], "JOIN #den"],
    [["MODE", "#den", "+o", "bo"], "MODE #den +o bo"],
    [["INVITE", "bo", "#den"], "INVITE bo #den"],
    [["324", "ana", "#den", "+nt"], "324 ana #den +nt"]
  ]
  for (const [[command = "", ...params], line] of printed) {
    it(`${line}`, () => assert.strictEqual(Message.print("ana", command, ...params), `:ana ${line}\r\n`))
  }
})

describe("tags", () => {
  it.prop("are read as what was printed", { tags }, ({ tags: some }) => {
    const read = Message.parse(`${Message.printTags(some)}PING x`)!.tags
    assert.deepStrictEqual({ ...read }, some)
  }, runs)

  it.prop("never end what they stand in, whatever they are", { some: Arbitrary.map(Arbitrary.array(Arbitrary.all({ name: hostileText, value: hostileText }), { maxLength: 3 }), (pairs) => Object.fromEntries(pairs.map((pair) => [pair.name, pair.value]))) }, ({ some }) => {
    const printed = Message.printTags(some)
    assert.match(printed, /^(?:@[^ ]+ )?$/)
    assert.notMatch(printed, /[\u0000-\u001f\u007f]/)
  }, runs)
})

describe("any text", () => {
  it.prop("is a message or none", { line: oneOf(string, hostileText) }, ({ line }) => {
    const message = Message.parse(line)
    if (message === undefined) return
    assert.strictEqual(message.command, message.command.toUpperCase())
    assert.notInclude(message.command, " ")
    for (const param of message.params.slice(0, -1)) assert.match(param, /^[^: ][^ ]*$/su)
    assert.isBoolean(Message.tooLong(line))
  }, runs)
})

describe("odd lines", () => {
  const odd: ReadonlyArray<readonly [line: string, message: Partial<Message.Message> | undefined]> = [
    ["", undefined],
    ["   ", undefined],
    [":", undefined],
    [":ana", undefined],
    [":ana ", undefined],
    ["@a=b", undefined],
    ["@a=b ", undefined],
    ["@a=b :ana", undefined],
    ["ping", { command: "PING", params: [] }],
    ["PiNg x", { command: "PING", params: ["x"] }],
    ["  PING   x   y  ", { command: "PING", params: ["x", "y"] }],
    ["PING :", { params: [""] }],
    ["PING ::", { params: [":"] }],
    ["PING :a  b ", { params: ["a  b "] }],
    ["PING a:b :c:d", { params: ["a:b", "c:d"] }],
    ["PRIVMSG #den :", { params: ["#den", ""] }],
    ["PRIVMSG #den  :two  words", { params: ["#den", "two  words"] }],
    [":ana!~a@there  PRIVMSG  #den  x", { source: "ana!~a@there", command: "PRIVMSG", params: ["#den", "x"] }],
    ["@a PING x", { tags: { a: "" } }],
    ["@a= PING x", { tags: { a: "" } }],
    ["@a=1;a=2 PING x", { tags: { a: "2" } }],
    ["@a=1;;b=2; PING x", { tags: { a: "1", b: "2" } }],
    ["@a=b=c PING x", { tags: { a: "b=c" } }],
    ["@;=x;a PING x", { tags: { a: "" } }],
    ["@a=1   :ana   PING   x", { tags: { a: "1" }, source: "ana", params: ["x"] }],
    ["@a=\\:\\s\\r\\n\\\\ PING x", { tags: { a: "; \r\n\\" } }],
    ["@a=\\x\\ PING x", { tags: { a: "x" } }],
    ["@a=\\\\s PING x", { tags: { a: "\\s" } }],
    ["@__proto__=1;constructor=2 PING x", { command: "PING", params: ["x"] }],
    ["@+example.com/é=ü PING x", { tags: { "+example.com/é": "ü" } }]
  ]
  for (const [line, expected] of odd) {
    it(`${JSON.stringify(line)}`, () => {
      const message = Message.parse(line)
      if (expected === undefined) return assert.isUndefined(message)
      const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, key === "tags" ? { ...message!.tags } : message![key as "command"]]))
      assert.deepStrictEqual(seen, expected as Record<string, unknown>)
    })
  }
})

describe("a character that is longer than a line", () => {
  const head = ":ana!~ana@there PRIVMSG #den :"
  for (const [what, text] of [["people joined together", "👩\u200d".repeat(300)], ["a letter with a thousand accents", `e${"\u0301".repeat(1000)}`]] as const) {
    it(`row 7: such as ${what} goes into a few lines, each of it text`, () => {
      const lines = Message.lines(head, text)
      assert.strictEqual(lines.map((line) => line.slice(head.length, -2)).join(""), text)
      for (const line of lines) {
        assert.isAtMost(Text.byteLength(line), 512)
        assert.strictEqual(Buffer.from(line).toString(), line)
      }
      assert.isAtMost(lines.length, 2 * Math.ceil(Text.byteLength(text) / (510 - head.length)))
      assert.strictEqual(`${head}${Message.fitted(head, text)}\r\n`, lines[0])
    })
  }
})

describe("the length of a line", () => {
  const tagged = (bytes: number, rest = "TAGMSG #den") => `@+a=${"x".repeat(bytes - 5)} ${rest}`
  const lengths: ReadonlyArray<readonly [what: string, line: string, tooLong: boolean]> = [
    ["512 bytes with its end", "x".repeat(510), false],
    ["513 bytes with its end", "x".repeat(511), true],
    ["512 bytes in fewer characters", "é".repeat(255), false],
    ["513 bytes in fewer characters", `${"é".repeat(255)}x`, true],
    ["4096 bytes of tags", tagged(4096), false],
    ["4097 bytes of tags", tagged(4097), true],
    ["4096 bytes of tags and 512 of the rest", tagged(4096, "x".repeat(510)), false],
    ["4096 bytes of tags and 513 of the rest", tagged(4096, "x".repeat(511)), true],
    ["a few tags and 513 bytes of the rest", `@a ${"x".repeat(511)}`, true],
    ["tags and nothing else", `@${"x".repeat(5000)}`, true],
    ["a thousand tags", `@${Array.from({ length: 1000 }, (_, i) => i.toString(36)).join(";")} PING x`, true]
  ]
  for (const [what, line, tooLong] of lengths) it(`${what}`, () => assert.strictEqual(Message.tooLong(line), tooLong))
})

describe("text", () => {
  const cleaned: ReadonlyArray<readonly [what: string, text: string, clean: string]> = [
    ["as people write it stays", "plain, ünï and 👩‍👩‍👧", "plain, ünï and 👩‍👩‍👧"],
    ["keeps colours, bold, italics and the like", "\u0002b\u000304r\u0004\u000f\u0011\u0016\u001d\u001e\u001f", "\u0002b\u000304r\u0004\u000f\u0011\u0016\u001d\u001e\u001f"],
    ["keeps requests to clients", "\u0001VERSION\u0001", "\u0001VERSION\u0001"],
    ["loses what ends lines and what terminals act on", "a\r\nb\u0000c\u001b[2Jd\u0007e\u009b2Jf\u007fg\u2028h", "abc[2Jde2Jfgh"],
    ["has spaces for tabs", "a\tb", "a b"],
    ["loses half a character", "a\ud83db", "ab"]
  ]
  for (const [what, text, clean] of cleaned) it(`${what}`, () => assert.strictEqual(Message.clean(text), clean))
})
