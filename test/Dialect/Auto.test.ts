/** What a connection is taken for by its first bytes, and what becomes of it. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../src/Command.ts"
import type { Output } from "../../src/Dialect.ts"
import { auto, greetAfter, opening, patience } from "../../src/Dialect/Auto.ts"
import { irc } from "../../src/Dialect/Irc.ts"
import { json } from "../../src/Dialect/Json.ts"
import { plain } from "../../src/Dialect/Plain.ts"
import { Arbitraries, Laws } from "../../src/testing.ts"
import * as Text from "../../src/Text.ts"

const { among, hostileBytes, int, pieces } = Arbitraries

const dialect = auto({ text: plain, json, irc })
const opened = dialect.open({ server: "test", echo: undefined }).state
const bytes = (input: string) => Uint8Array.from(Buffer.from(input, "latin1"))

type Seen =
  | Command
  | { readonly _tag: "Reply"; readonly bytes: string }
  | { readonly _tag: "Close"; readonly bytes: string; readonly reason: string }

const seen = (output: Output): Seen =>
  output._tag === "Reply" || output._tag === "Close" ? { ...output, bytes: Buffer.from(output.bytes).toString("latin1") } : output

/** What comes of chunks after which nothing more comes, up to its end: bytes as texts, those next to each other as one. */
const heard = (chunks: ReadonlyArray<Uint8Array>, from = opened): ReadonlyArray<Seen> => {
  let state = from
  const outputs: Array<Output> = []
  for (const chunk of chunks) {
    const step = Laws.received(dialect, state, chunk)
    state = step.state
    outputs.push(...step.outputs)
  }
  outputs.push(...dialect.end(state).outputs)
  const all: Array<Seen> = []
  for (const output of outputs.map(seen)) {
    const last = all.at(-1)
    if (output._tag === "Reply" && last?._tag === "Reply") all[all.length - 1] = { ...last, bytes: last.bytes + output.bytes }
    else all.push(output)
    if (output._tag === "Close") break
  }
  return all
}

const arrival: Record<"plain" | "json", ReadonlyArray<Seen>> = {
  plain: [{ _tag: "Arrive" }, { _tag: "Join", room: "lobby", last: 20 }],
  json: [{ _tag: "Arrive" }]
}
const said = (text: string): Seen => ({ _tag: "Say", target: "#lobby", text, kind: "message" })
const goodbye: Seen = { _tag: "Close", bytes: "-!- goodbye\n", reason: "" }

describe("a connection", () => {
  it("is taken for what its first bytes are", () => {
    const known: ReadonlyArray<readonly [string, ReturnType<typeof opening>]> = [
      ["", "undecided"], ["C", "undecided"], ["CAP", "undecided"], ["CAP LS 302", "irc"], ["NICK x", "irc"], ["USER x", "irc"], ["PASS x", "irc"], ["JOIN #den", "irc"], ["PRIVMSG #den :hi", "irc"], ["QUIT :bye", "irc"], ["QUIT", "undecided"], ["QUIT it", "text"], ["JOIN", "undecided"], ["JOIN us", "text"], ["NICK\n", "text"], ["NICK\r\n", "irc"],
      ["cap", "undecided"], ["cap ls", "undecided"], ["cap ls 302", "irc"], ["cap ls\r\n", "irc"], ["cap ls\n", "irc"], ["cap lsd", "text"], ["cap it", "text"], ["cat", "text"],
      ["u", "undecided"], ["user", "undecided"], ["user ana", "undecided"], ["user ana 0 * ", "undecided"], ["user ana 0 * ana", "irc"], ["user ana 8 * :Ana B.", "irc"],
      ["user\n", "text"], ["users", "text"], ["user ana is away", "text"], ["user ana 2 times", "text"], ["up", "text"], ["nick x", "text"], ["nick x\r\n", "text"], ["n", "text"],
      [":", "undecided"], [":x NI", "undecided"], [":x NICK ", "undecided"], [":x NICK y", "irc"], [":irc.example USER ana 0 * :Ana", "irc"], [":)", "undecided"], [":)\n", "text"], [":) hello", "text"], [":x nick y", "text"], [": NICK y", "text"], [":x NICKs", "text"], [":wq\r\n", "text"],
      ["@a=b NICK y", "irc"], ["@label=1 CAP LS 302", "irc"], ["@bo", "undecided"], ["@bo hi", "text"], ["@bo: hi", "text"], ["@bo C\n", "text"], [`:${"x".repeat(510)}`, "undecided"], [`:${"x".repeat(511)}`, "text"], [`:${"x".repeat(600)} NICK x`, "text"],
      ["GET / HTTP/1.1", "http"], ["POST /", "http"], ["OPTIONS *", "http"], ["PRI * HTTP/2.0", "http"], ["P", "undecided"],
      ["{", "json"], ["{\"_tag\":", "json"], ["\xef\xbb\xbf{", "json"], ["\xef\xbb", "undecided"], ["\xef\xbb\xbfhello", "text"],
      ["\xef\xbb\xbfNI", "undecided"], ["\xef\xbb\xbfNICK x", "irc"], ["\xef\xbb\xbfAUTHENTICATE P", "irc"], ["\xef\xbb\xbfGET / ", "text"],
      ["\x03", "undecided"], ["\x03\0", "foreign"], ["\x03h", "text"], ["\x16", "undecided"], ["\x16\x03\x01", "tls"], ["\x16\x04", "text"], ["\0", "foreign"], ["SSH-2.0-x", "foreign"], ["PROXY TCP4", "foreign"],
      ["\r\n\r\n\0\r\nQUIT\n", "foreign"], ["\r\n", "undecided"], ["\r\nhi", "text"], ["hello", "text"], ["Cat", "text"], ["NICKs", "text"],
      ["GETTING", "text"], ["get / ", "text"], [" {", "text"], ["[", "text"], ["/help", "text"], ["\xff\xfb\x01", "text"], ["\n", "text"]
    ]
    for (const [head, what] of known) assert.strictEqual(opening(bytes(head)), what, JSON.stringify(head))
  })

  it.prop("stays what it was taken for, however much more comes", {
    head: among("cap ls ", "user ana 0 * :", ":x NICK y", "@a=b NICK y", "CAP ", "NICK ", "QUIT :", "JOIN #", "PRIVMSG ", "GET ", "POST ", "PRI * HTTP/", "{", "\xef\xbb\xbf{", "\xef\xbb\xbfNICK ", "\x16\x03", "SSH-", "PROXY ", "hello", "PASS", "\r\n\r\n\0"),
    cut: int(0, 16),
    more: hostileBytes
  }, ({ cut, head, more }) => {
    const whole = Buffer.concat([bytes(head).subarray(0, cut), more])
    let settled: string = "undecided"
    for (let length = 0; length <= Math.min(whole.length, 64); length++) {
      const what = opening(whole.subarray(0, length))
      if (settled !== "undecided") assert.strictEqual(what, settled)
      settled = what
    }
  }, { arbitrary: { runs: 300 } })

  it("row 1: comes to the same wherever its bytes are cut", () => {
    const streams = [
      "hello\r\n/nick bo\n\r\n//x\n/join #den\nhi\n/part\nbye", "\xef\xbb\xbfhell\xc3\xb6 \xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd\n", "a\rb\r\0c\r\r\nd",
      "\xff\xfb\x01\xff\xfd\x03\xff\xfa\x18\x00x\xff\xff\xff\xf0he\xff\xf9llo\n\xff\xff\n\xff\xfb\x01\xff\xf4late\n", "CAPtain\nC\n", "helo\x08\x08lo\x1b[A\n\x04late\n",
      "\xef\xbb\xbf{\"_tag\":\"Join\",\"room\":\"d\xc3\xa9n\"}\r\n\n{}\n{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"\\u00e9\"}\nnot json\n\xc0\xaf\n{\"_tag\":\"Quit\"}\n{\"_tag\":\"List\"}\n",
      "CAP LS 302\r\nNICK x\r\nUSER x 0 * :X\r\nCAP END\r\nJOIN #den\r\nPRIVMSG #den :h\xc3\xb6\r\nQUIT\r\n", "JOIN #den\r\n", ":x NICK y\r\nUSER y 0 * :Y\r\nQUIT\r\n", "user y 0 * y\nnick y\nquit\n", "cap ls\r\n", ":) hello\n:x\n", "@bo hi\n", "user ana is away\n", "nick x\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n/quit\n", "\x16\x03\x01\x00\xa5", "\x03\x00\x00\x13", "\x03", "SSH-2.0-x\r\n", "PRI * HTTP/2.0\r\n", "CAP", "\xef\xbb", "{"
    ].map(bytes)
    for (const stream of streams) {
      const whole = heard([stream])
      assert.deepStrictEqual(heard(pieces(stream, [1])), whole)
      for (let at = 0; at <= stream.length; at++) {
        assert.deepStrictEqual(heard([stream.subarray(0, at), stream.subarray(at)]), whole, `${Buffer.from(stream).toString("latin1")} at ${at}`)
      }
    }
  })

  it("that speaks text is a person's, one that speaks JSON a program's, one that speaks IRC an IRC client's", () => {
    assert.deepStrictEqual(heard([bytes("hello\n")]), [...arrival.plain, said("hello"), goodbye])
    assert.deepStrictEqual(heard([bytes("\xef\xbb\xbfhello\n")]), [...arrival.plain, said("hello"), goodbye])
    assert.deepStrictEqual(heard([bytes("{\"_tag\":\"List\"}\n")]), [...arrival.json, { _tag: "List" }, { _tag: "Close", bytes: "", reason: "" }])
    const registered = heard([bytes("NICK ana\r\nUSER ana 0 * :Ana\r\nPRIVMSG #den :hi\r\n")])
    assert.deepInclude(registered, { _tag: "Arrive", nick: "ana", user: "~ana", realname: "Ana", password: "" })
    assert.deepInclude(registered, { _tag: "Say", target: "#den", text: "hi", kind: "message" })
    for (const first of ["CAP LS\r\n", "NICK x\r\n", "USER x 0 * :x\r\n", "PASS x\r\n", "QUIT :x\r\n", "cap ls 302\r\n", "user x 0 * x\r\n", ":x NICK y\r\n", "@a=b NICK y\r\n"]) {
      assert.strictEqual(dialect.speaks(dialect.receive(opened, bytes(first)).state), "irc")
    }
    assert.strictEqual(dialect.speaks(opened), "auto")
    assert.strictEqual(dialect.speaks(dialect.receive(opened, bytes("x")).state), "plain")
    assert.strictEqual(dialect.speaks(dialect.receive(opened, bytes("{")).state), "json")
  })

  it("whose first line says what to call a person is of whom is never seen as a guest", () => {
    const [, join_] = arrival.plain
    const named = (nick: string): ReadonlyArray<Seen> => [{ _tag: "Arrive", nick, guest: true }, join_!]
    const cases: ReadonlyArray<readonly [string, ReadonlyArray<Seen>]> = [
      ["/nick ana\nhi\n", [...named("ana"), said("hi"), goodbye]],
      ["/NICK\t ana b\r\n/nick bo\n", [...named("ana"), { _tag: "SetNick", nick: "bo" }, goodbye]],
      [`/nick ${"x".repeat(64)}\n`, [...named("x".repeat(64)), goodbye]],
      [`/nick ${"x".repeat(65)}\n`, [...arrival.plain, { _tag: "SetNick", nick: "x".repeat(65) }, goodbye]],
      ["/nick ana\n/pass sesame\n", [...named("ana"), { _tag: "Arrive", password: "sesame", nick: "ana", guest: true }, join_!, goodbye]],
      ["/nick ana", [...arrival.plain, { _tag: "SetNick", nick: "ana" }, goodbye]],
      ["/nickname ana\n", heard([bytes("/nickname ana\n")])],
      ["hi\n/nick ana\n", [...arrival.plain, said("hi"), { _tag: "SetNick", nick: "ana" }, goodbye]]
    ]
    for (const [input, outputs] of cases) {
      assert.deepStrictEqual(heard([bytes(input)]), outputs, input)
      assert.deepStrictEqual(heard(Array.from(bytes(input), (byte) => Uint8Array.of(byte))), outputs, `${input} byte by byte`)
    }
    const begun = dialect.receive(opened, bytes("/nick a")).state
    assert.strictEqual(dialect.patience(begun), greetAfter)
    const greeted = dialect.silence(begun)
    assert.deepStrictEqual(greeted.outputs.map(seen), arrival.plain)
    assert.deepStrictEqual(heard([bytes("na\n")], greeted.state), [{ _tag: "SetNick", nick: "ana" }, goodbye])
  })

  it("row 8: is what it is, whether a byte order mark comes first or not", () => {
    for (const first of ["/nick ana\nhi\n", "hi\n/nick ana\n", "NICK ana\r\nUSER ana 0 * :Ana\r\nPRIVMSG #den :hi\r\n", "PASS sesame\r\nNICK ana\r\n", "{\"_tag\":\"List\"}\n"]) {
      const marked = bytes(`\xef\xbb\xbf${first}`)
      assert.deepStrictEqual(heard([marked]), heard([bytes(first)]), first)
      assert.deepStrictEqual(heard(pieces(marked, [1])), heard([bytes(first)]), `${first} byte by byte`)
    }
  })

  it("that ends is a person's if it said anything, even half a protocol's word", () => {
    assert.deepStrictEqual(heard([bytes("CAP")]), [...arrival.plain, said("CAP"), goodbye])
    assert.deepStrictEqual(heard([]), [{ _tag: "Close", bytes: "", reason: "" }])
  })

  it("that speaks another protocol is told so in it and closed, and nothing of it is chat", () => {
    const post = "POST / HTTP/1.1\r\nContent-Length: 24\r\n\r\n/nick root\n{\"_tag\":\"List\"}\n"
    const told: ReadonlyArray<readonly [string, RegExp]> = [
      [post, /^HTTP\/1\.1 400 Bad Request\r\n(?:.+\r\n)*Connection: close\r\n\r\nHTTP is not spoken here/],
      ["\x16\x03\x01hello\n", /^TLS is not spoken here/],
      ["SSH-2.0-x\nhello\n", /^this port speaks chat/]
    ]
    for (const [stream, words] of told) {
      for (const chunks of [[bytes(stream)], pieces(bytes(stream), [1])]) {
        const [close, ...more] = heard(chunks)
        assert.isEmpty(more)
        assert.strictEqual(close?._tag, "Close")
        assert.match((close as { bytes: string }).bytes, words)
      }
    }
    const page = (heard([bytes(post)])[0] as { bytes: string }).bytes
    const [head, body] = page.split("\r\n\r\n")
    assert.include(head, `Content-Length: ${Buffer.byteLength(body!)}`)
  })
})

describe("a silent connection", () => {
  const greeted = dialect.silence(opened)

  it("is greeted as a person's, soon", () => {
    assert.strictEqual(dialect.patience(opened), greetAfter)
    assert.isBelow(greetAfter, 1_000)
    assert.deepStrictEqual(greeted.outputs.map(seen), arrival.plain)
    assert.strictEqual(dialect.speaks(greeted.state), "plain")
    const welcome = { _tag: "Welcome", nick: "ana", server: "test", motd: [], epoch: "e" } as const
    assert.isUndefined(dialect.patience(dialect.tell(greeted.state, welcome, { seq: 1, at: 0, id: "", mine: true }).state))
  })

  it("arrives once, whatever it turns out to speak", () => {
    assert.deepStrictEqual(heard([bytes("hello\n")], greeted.state), [said("hello"), goodbye])
    assert.deepStrictEqual(heard(pieces(bytes("{\"_tag\":\"List\"}\n"), [1]), greeted.state), [{ _tag: "List" }, { _tag: "Close", bytes: "", reason: "" }])
    assert.strictEqual(heard([bytes("GET / HTTP/1.1\r\n\r\n")], greeted.state)[0]?._tag, "Close")
    assert.deepStrictEqual(heard([], greeted.state), [goodbye])
  })

  it("that registers as an IRC client's after that is asked for what it needs to arrive", () => {
    assert.deepStrictEqual(heard([bytes("CAP LS\r\n")], greeted.state).map(({ _tag }) => _tag), ["Reply", "Close"])
  })

  it("keeps as a person what it was told before it spoke", () => {
    const named = dialect.tell(greeted.state, { _tag: "Welcome", server: "test", nick: "ana", epoch: "e", motd: [] }, { seq: 0, at: 0, id: "", mine: true })
    assert.include(Buffer.from(named.bytes).toString(), "You are ana")
    const spoken = dialect.receive(named.state, bytes("hi\n")).state
    const kicked = dialect.tell(spoken, { _tag: "Kicked", room: "lobby", nick: "ana", by: "bo" }, { seq: 1, at: 0, id: "m", mine: false })
    assert.include(Buffer.from(kicked.bytes).toString(), "you were kicked")
  })

  it("in the middle of a protocol's first word is given half a minute", () => {
    const { state } = dialect.receive(opened, bytes("CA"))
    assert.strictEqual(dialect.patience(state), patience)
    assert.deepStrictEqual(dialect.silence(state).outputs, [
      { _tag: "Close", bytes: Text.encode("nothing more came for 30 seconds\n"), reason: "handshake timeout" }
    ])
  })

  it.each([["text", "hello\n"], ["JSON", "{\"_tag\":\"List\"}\n"]])("that goes on to speak %s is in the same state while it only talks", (_, typed) => {
    const { state } = Laws.received(dialect, opened, bytes(typed))
    const again = dialect.receive(state, bytes(typed))
    assert.isNotEmpty(again.outputs)
    assert.strictEqual(again.state, state)
  })

  it("that goes on to speak IRC is in the same state while it only talks, once it is in", () => {
    const asked = Laws.received(dialect, opened, bytes("NICK ana\r\nUSER ana 0 * :ana\r\n"))
    const { state } = dialect.tell(asked.state, { _tag: "Welcome", server: "chat", nick: "ana", epoch: "e", motd: [], newest: 0 }, { seq: 0, at: 0, id: "", mine: true })
    const again = dialect.receive(state, bytes("PRIVMSG #lobby :hello\r\nPRIVMSG #lobby :again\r\n"))
    assert.lengthOf(again.outputs, 2)
    assert.strictEqual(again.state, state)
  })

  it.each([["\r\n", []], ["\r", []], ["\u0003", [goodbye]]] as const)("is a person's that sends %j and no more for a moment, greeted or not", (first, said) => {
    for (const [state, before] of [[opened, arrival.plain], [greeted.state, []]] as const) {
      const begun = dialect.receive(state, bytes(first))
      assert.deepStrictEqual(begun.outputs, [])
      assert.strictEqual(dialect.patience(begun.state), greetAfter)
      const step = dialect.silence(begun.state)
      assert.strictEqual(dialect.speaks(step.state), "plain")
      const later = step.more === true ? dialect.receive(step.state, new Uint8Array(0)).outputs : []
      assert.deepStrictEqual([...step.outputs, ...later].map(seen), [...before, ...said])
    }
  })

  it("is told why the server closes, and nothing else, while it is nobody's", () => {
    const stamp = { seq: 0, at: 0, id: "", mine: true }
    assert.strictEqual(Buffer.from(dialect.tell(opened, { _tag: "Closing", reason: "the server closes" }, stamp).bytes).toString(), "-!- the server closes\n")
    assert.strictEqual(Buffer.from(dialect.tell(opened, { _tag: "Closing", reason: "\u001b[2J\n" }, stamp).bytes).toString(), "-!- ␛[2J␊\n")
    assert.lengthOf(dialect.tell(opened, { _tag: "Motd", lines: ["hi"] }, stamp).bytes, 0)
    assert.isUndefined(dialect.rendering(opened, "lobby"))
  })
})
