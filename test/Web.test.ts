/**
 * WebSockets and HTTP on the port of the chat, against a real peer library and against raw bytes. The rows are those of docs/survive.md.
 */
import { WebSocket } from "@effect/platform-node/NodeWS"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Web from "../src/Listener/Web.ts"
import { descriptors, ended, memory, person, processesShow, reads, robot, says } from "./clients.ts"
import { type Frame, frame, upgrade, upgraded } from "./frames.ts"
import { chance } from "./seeded.ts"
import { eventually, type Program, program, type Socket, socket } from "./support.ts"

/** A client of the library `ws`: what it was told so far, and how it ended. */
const peer = (port: number, protocol: ReadonlyArray<Web.Subprotocol> = ["chat.json"], options: WebSocket.ClientOptions = {}) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly ws: WebSocket
      readonly told: ReadonlyArray<string>
      readonly hears: (wanted: string) => Effect.Effect<void>
      readonly closed: Effect.Effect<readonly [code: number, reason: string]>
    }>((resume) => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, [...protocol], options)
      const told: Array<string> = []
      const looks = new Set<(line: string) => void>()
      const end = new Promise<readonly [number, string]>((resolve) => ws.on("close", (code, reason) => resolve([code, reason.toString()])))
      ws.on("error", () => {})
      ws.on("message", (data: Buffer) => {
        const line = data.toString()
        told.push(line)
        for (const look of looks) look(line)
      })
      ws.on("open", () =>
        resume(Effect.succeed({
          ws,
          told,
          hears: (wanted) =>
            Effect.promise(() =>
              new Promise<void>((resolve, reject) => {
                const look = (line: string) => {
                  if (!line.includes(wanted)) return
                  looks.delete(look)
                  resolve()
                }
                looks.add(look)
                for (const line of told) look(line)
                void end.then((how) => reject(new Error(`closed ${how.join()} before ${wanted}; told:\n${told.join("\n")}`)))
              })
            ),
          closed: Effect.promise(() => end)
        })))
      ws.on("unexpected-response", (_, response) => resume(Effect.die(new Error(`answered ${response.statusCode}`))))
    }),
    ({ ws }) => Effect.sync(() => ws.terminate())
  )

const say = (text: string, target = "lobby"): string => JSON.stringify({ _tag: "Say", target, text })

/** One who speaks json over a WebSocket and is in the lobby. */
const webby = Effect.fnUntraced(function*(port: number, nick: string) {
  const client = yield* peer(port)
  client.ws.send(JSON.stringify({ _tag: "SetNick", nick }))
  client.ws.send("{\"_tag\":\"Join\",\"room\":\"lobby\"}")
  yield* client.hears("\"_tag\":\"RoomInfo\"")
  return client
})

/** One who speaks IRC over a WebSocket and is in #lobby. */
const kiwi = Effect.fnUntraced(function*(port: number, nick: string, protocol: "text.ircv3.net" | "binary.ircv3.net" = "text.ircv3.net") {
  const client = yield* peer(port, [protocol])
  for (const line of [`NICK ${nick}`, `USER ${nick} 0 * :${nick}`, "JOIN #lobby"]) client.ws.send(protocol === "text.ircv3.net" ? line : Buffer.from(line))
  yield* client.hears(" 366 ")
  return client
})

/** What is answered to these bytes before the server closes. */
const answered = Effect.fnUntraced(function*(port: number, ...pieces: ReadonlyArray<string>) {
  const client = yield* socket(port)
  client.net.write(pieces.join(""))
  yield* Effect.promise(() => client.ended)
  return client.text()
})

/** Everybody in the lobby has heard what was said before this, and that is all there was. */
const heardNothing = Effect.fnUntraced(function*(listener: { readonly text: () => string; readonly net: Net.Socket }, ...never: ReadonlyArray<string>) {
  listener.net.write("/who nobody-at-all\n")
  yield* eventually("it is answered", () => listener.text().includes("nobody-at-all"))
  for (const words of never) assert.notInclude(listener.text(), words)
})

class House extends Context.Service<House, Program>()("test/House") {}

/** One who sends headers without end, from the beginning of all this on: it takes a while until that is too long. */
class Slow extends Context.Service<Slow, Socket>()("test/Slow") {}

const slow = Effect.gen(function*() {
  const { port } = yield* House
  const client = yield* socket(port)
  client.net.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
  const drip = setInterval(() => client.net.write("X: y\r\n"), 500)
  const stop = () => clearInterval(drip)
  void client.ended.then(stop)
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  return client
})

const house = Layer.effect(House, program(["--rate", "off"]))

layer(Layer.provideMerge(Layer.effect(Slow, slow), house), { excludeTestServices: true })("a WebSocket", (it) => {
  it.effect("speaks json, IRC as text and IRC as bytes, in one room with people on nc", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "ana")
      const clients = [
        { name: "wanda", client: yield* webby(chat.port, "wanda"), says: say("hello from wanda") },
        { name: "kit", client: yield* kiwi(chat.port, "kit"), says: "PRIVMSG #lobby :hello from kit" },
        { name: "bin", client: yield* kiwi(chat.port, "bin", "binary.ircv3.net"), says: Buffer.from("PRIVMSG #lobby :hello from bin") }
      ]
      for (const { client, name, says } of clients) {
        client.ws.send(says)
        yield* reads(ana, `${name}: hello from ${name}\n`)
      }
      yield* says(ana, "hello, all")
      for (const { client, name } of clients) {
        yield* client.hears("hello, all")
        for (const other of clients) if (other.name !== name) yield* client.hears(`hello from ${other.name}`)
        // One message is one line, without its end.
        for (const line of client.told) assert.notInclude(line, "\n")
      }
      clients[1]!.client.ws.close()
      yield* reads(ana, /-!- kit quit/)
    }))

  it.effect("without a subprotocol speaks IRC or json, as its first message does; who says nothing is greeted as a program", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "anaw")
      const [gam, wim, sil] = [yield* peer(chat.port, []), yield* peer(chat.port, []), yield* peer(chat.port, [])]
      for (const line of ["CAP LS 302", "NICK gam", "USER gam 0 * :gam", "CAP END", "JOIN #lobby", "PRIVMSG #lobby :hello from gam"]) gam.ws.send(line)
      yield* reads(ana, "gam: hello from gam\n")
      yield* gam.hears(" 366 ")
      for (const line of ["{\"_tag\":\"SetNick\",\n\"nick\":\"wim\"}", "{\"_tag\":\"Join\",\"room\":\"lobby\"}", say("hello from wim")]) wim.ws.send(line)
      yield* reads(ana, "wim: hello from wim\n")
      yield* gam.hears(":hello from wim")
      yield* sil.hears("\"_tag\":\"Welcome\"")
      assert.strictEqual(gam.ws.protocol + wim.ws.protocol, "")
    }))

  it.effect("row 12: a line with a newline in it is no line, and not two, but may end with one; in JSON it is space", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "ana12")
      const kit = yield* kiwi(chat.port, "kit12")
      for (const line of ["PRIVMSG #lobby :one\nQUIT :two", "PRIVMSG #lobby :three\r\nNICK four", "\nPRIVMSG #lobby :five"]) kit.ws.send(line)
      kit.ws.send("PRIVMSG #lobby :six")
      yield* reads(ana, "kit12: six\n")
      assert.notMatch(ana.text(), /one|two|three|four|five/)
      kit.ws.send("PING first12")
      yield* kit.hears("first12")
      const refused = () => kit.told.filter((line) => line.includes(" 421 kit12 * :A line has no CR, LF or NUL in it")).length
      assert.strictEqual(refused(), 3, "who sends several is told so")
      kit.ws.send("PRIVMSG #lobby :seven\r\n")
      kit.ws.send("PRIVMSG #lobby :eight\n")
      kit.ws.send("PRIVMSG #lobby :nine\n\n")
      kit.ws.send("PRIVMSG #lobby :ten")
      yield* reads(ana, "kit12: seven\nkit12: eight\nkit12: ten\n")
      kit.ws.send("PING last12\r\n")
      yield* kit.hears("last12")
      assert.strictEqual(refused(), 4)
      const wanda = yield* webby(chat.port, "wanda12")
      wanda.ws.send("{\"_tag\":\"Say\",\n\"target\":\"lobby\",\r\n\"text\":\"over\\nlines\"}")
      wanda.ws.send(say("next"))
      yield* reads(ana, "wanda12: next\n")
    }))

  it.effect("row 14: who begins with HTTP speaks HTTP for ever, and no body is chat", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "ana14")
      const host = `Host: 127.0.0.1:${chat.port}\r\n`
      const body = "NICK mallory14\r\nUSER m 0 * :m\r\nJOIN #lobby\r\nPRIVMSG #lobby :heard14\r\n{\"_tag\":\"Say\",\"target\":\"lobby\",\"text\":\"heard14\"}\n"
      for (const method of ["POST", "PUT", "GET", "DELETE", "PATCH"]) {
        const text = yield* answered(chat.port, `${method} /nothing HTTP/1.1\r\n${host}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`, body)
        assert.match(text, /^HTTP\/1\.1 4\d\d /, method)
      }
      // Behind an answered request, instead of the next.
      const after = yield* answered(chat.port, `GET /healthz HTTP/1.1\r\n${host}\r\n`, body)
      assert.match(after, /^HTTP\/1\.1 (?:200|400) /)
      // However it is cut.
      const cut = yield* socket(chat.port)
      for (const piece of ["P", "OS", "T", ` /nothing HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`, body]) {
        yield* Effect.callback<void>((sent) => void cut.net.write(piece, () => sent(Effect.void)))
      }
      assert.match(yield* Effect.promise(() => cut.until((text) => text.includes("\r\n\r\n"))), /^HTTP\/1\.1 4\d\d /)
      for (const line of ["CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", `GET / HTTP/1.1\r\nNICK mallory14\r\n\r\n`]) {
        assert.match(yield* answered(chat.port, line), /^HTTP\/1\.1 (?:4|5)\d\d |^$/, line)
      }
      yield* heardNothing(ana, "mallory14", "heard14")
    }))

  it.effect("row 15: a page of another site cannot post, as a form or in any other way", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "ana15")
      const types = ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json"]
      for (const origin of ["http://evil.example", "null", "file://", `http://127.0.0.1:${chat.port}.evil.example`, "http://127.0.0.1:1"]) {
        for (const type of types) {
          for (const path of ["/", "/ws", "/nothing", "/api/rooms/lobby/messages"]) {
            const body = "NICK mallory15\r\nPRIVMSG #lobby :heard15\r\n"
            const text = yield* answered(chat.port, `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${chat.port}\r\nOrigin: ${origin}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`, body)
            assert.match(text, /^HTTP\/1\.1 403 /, `${origin} ${type} ${path}`)
          }
        }
      }
      yield* heardNothing(ana, "mallory15", "heard15")
    }))

  const asked: ReadonlyArray<readonly [what: string, headers: (port: number) => ReadonlyArray<string>, status: number]> = [
    ["a program, which has no Origin", () => [], 101],
    ["the page itself", (port) => [`Origin: http://127.0.0.1:${port}`], 101],
    ["the page by another name", (port) => [`Host: localhost:${port}`, `Origin: http://localhost:${port}`], 101],
    ["the page by IPv6", (port) => [`Host: [::1]:${port}`, `Origin: http://[::1]:${port}`], 101],
    ["another site", () => ["Origin: http://evil.example"], 403],
    ["another page of this machine", () => ["Origin: http://127.0.0.1:3000"], 403],
    ["a name that begins like ours", () => ["Origin: http://127.0.0.1.evil.example"], 403],
    ["one that has our name before an @", (port) => [`Origin: http://127.0.0.1:${port}@evil.example`], 403],
    ["no origin that can be named", () => ["Origin: null"], 403],
    ["a file", () => ["Origin: file://"], 403],
    ["an empty one", () => ["Origin: "], 403],
    ["a name rebound to us", (port) => [`Host: evil.example:${port}`], 421],
    ["a name rebound to us, from its own page", (port) => [`Host: evil.example:${port}`, `Origin: http://evil.example:${port}`], 421],
    ["a host that begins like ours", () => ["Host: 127.0.0.1.evil.example"], 421],
    ["headers without end before the Origin", () => [...Array.from({ length: 200 }, (_, i) => `X-${i}: ${i}`), "Origin: http://evil.example"], 431]
  ]
  it.effect("row 16: who may come is told by Host and Origin, before the upgrade", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "ana16")
      for (const [what, headers, status] of asked) {
        const client = yield* socket(chat.port)
        client.net.write(upgrade(chat.port, headers(chat.port)))
        if (status !== 101) client.net.write(frame(1, say("heard16")))
        const text = yield* Effect.promise(() => client.until((text) => text.includes("\r\n\r\n")))
        assert.strictEqual(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), status, what)
      }
      assert.match(yield* answered(chat.port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), /^HTTP\/1\.1 421 /)
      assert.match(yield* answered(chat.port, "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 421 /)
      for (const hosts of ["", `Host: 127.0.0.1:${chat.port}\r\nHost: evil.example\r\n`]) {
        assert.match(yield* answered(chat.port, `GET / HTTP/1.1\r\n${hosts}\r\n`), /^HTTP\/1\.1 400 /, hosts)
      }
      yield* heardNothing(ana, "heard16")
    }))

  it.effect("a WebSocket is opened at /ws, and at / by who was given no path; nowhere else, and at neither by another site", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const paths: ReadonlyArray<readonly [path: string, status: number]> = [["/ws", 101], ["/", 101], ["/?x=/ws", 101], [`http://127.0.0.1:${port}/ws`, 101], [`http://127.0.0.1:${port}`, 101], ["//", 404], ["/ws/", 404], ["/healthz", 404]]
      for (const [path, status] of paths) {
        for (const [of, expected] of [["text.ircv3.net", status], ["evil.example", 403]] as const) {
          const client = yield* socket(port)
          client.net.write(upgrade(port, [of.startsWith("text") ? `Sec-WebSocket-Protocol: ${of}` : `Origin: http://${of}`], path))
          const text = yield* Effect.promise(() => client.until((text) => text.includes("\r\n\r\n")))
          assert.strictEqual(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), expected, `${path} ${of}`)
        }
      }
    }))

  it.effect("what is no request for a WebSocket as RFC 6455 4.2 has it is answered so", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const good = upgrade(port)
      const bad: ReadonlyArray<readonly [what: string, request: string, status: RegExp]> = [
        ["another version", good.replace(/Sec-WebSocket-Version: 13/, "Sec-WebSocket-Version: 8"), /^HTTP\/1\.1 426 [^]*Sec-WebSocket-Version: 13\r\n/],
        ["a key that is none", good.replace(/Sec-WebSocket-Key: \S+/, "Sec-WebSocket-Key: abc"), /^HTTP\/1\.1 400 /],
        ["no key", good.replace(/Sec-WebSocket-Key: \S+\r\n/, ""), /^HTTP\/1\.1 400 /],
        ["POST", good.replace(/^GET /, "POST "), /^HTTP\/1\.1 (?:405|403) /],
        ["a subprotocol that is no word", good.replace(/\r\n\r\n$/, "\r\nSec-WebSocket-Protocol: chat json\r\n\r\n"), /^HTTP\/1\.1 400 /],
        ["one twice", good.replace(/\r\n\r\n$/, "\r\nSec-WebSocket-Protocol: chat.json, chat.json\r\n\r\n"), /^HTTP\/1\.1 400 /]
      ]
      for (const [what, request, status] of bad) {
        assert.notStrictEqual(request, good, what)
        assert.match(yield* answered(port, request), status, what)
      }
      // Its own example (1.3).
      const client = yield* socket(port)
      client.net.write(good.replace(/Sec-WebSocket-Key: \S+/, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
      yield* Effect.promise(() => client.until((text) => text.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")))
    }))

  it.effect("another protocol that is offered is not taken up, and the request is answered", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const h2c = `Host: 127.0.0.1:${port}\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`
      assert.match(yield* answered(port, `GET /healthz HTTP/1.1\r\n${h2c}\r\n`), /^HTTP\/1\.1 200 [^]*\r\n\r\nok\n$/)
      assert.match(yield* answered(port, `POST /api/rooms/lobby/messages HTTP/1.1\r\n${h2c}Content-Length: 2\r\n\r\n`, "{}"), /^HTTP\/1\.1 401 /)
    }))

  it.effect("row 20: too many headers, too long headers and too long addresses are refused", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const host = `Host: 127.0.0.1:${port}\r\n`
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["2,000 headers", `GET / HTTP/1.1\r\n${host}${Array.from({ length: 2000 }, (_, i) => `a${i % 9}: b\r\n`).join("")}\r\n`],
        ["a long header", `GET / HTTP/1.1\r\n${host}A: ${"x".repeat(20_000)}\r\n\r\n`],
        ["an address of 100 KB", `GET /${"x".repeat(100_000)} HTTP/1.1\r\n${host}\r\n`]
      ]
      for (const [what, request] of cases) assert.match(yield* answered(port, request), /^HTTP\/1\.1 431 /, what)
    }))

  const text = "{}"
  const broken: ReadonlyArray<readonly [row: number, what: string, code: number, frames: ReadonlyArray<Buffer>]> = [
    [23, "an unmasked frame", 1002, [frame(1, text, { masked: false })]],
    ...[1, 2, 4].map((reserved) => [23, `reserved bits ${reserved}`, 1002, [frame(1, text, { reserved })]] as const),
    ...[3, 7, 11, 15].map((opcode) => [23, `opcode ${opcode}`, 1002, [frame(opcode, text)]] as const),
    [23, "a ping in fragments", 1002, [frame(9, "", { fin: false })]],
    [23, "a ping that is too long", 1002, [frame(9, "x".repeat(126))]],
    [23, "a fragment of nothing", 1002, [frame(0, text)]],
    [23, "a message within a message", 1002, [frame(1, text, { fin: false }), frame(1, text)]],
    ...[0, 999, 1004, 1005, 1006, 1015, 2000, 5000].map((code) => [23, `closing with ${code}`, 1002, [frame(8, Buffer.from([code >> 8, code & 255]))]] as const),
    [23, "closing with half a code", 1002, [frame(8, Buffer.from([3]))]],
    [24, "a frame of 2^63 bytes", 1009, [frame(1, "x", { length: 2n ** 63n })]],
    [24, "a frame of 2^53 bytes", 1009, [frame(1, "x", { length: 2n ** 53n })]],
    [24, "a frame of 64 KiB and a byte", 1009, [frame(1, "x", { length: 65_537n })]],
    [25, "a thousand fragments and one", 1008, [frame(1, " ", { fin: false }), ...Array.from({ length: 1000 }, () => frame(0, " ", { fin: false }))]],
    [25, "64 KiB and a byte in fragments", 1009, [frame(1, " ".repeat(60_000), { fin: false }), frame(0, " ".repeat(5537), { fin: false })]],
    [27, "text that is not UTF-8", 1007, [frame(1, Buffer.from([0x7b, 0xff, 0x7d]))]],
    [27, "text that ends within a character", 1007, [frame(1, Buffer.from([0xf0, 0x9f]))]],
    [27, "text that is half a surrogate pair", 1007, [frame(1, Buffer.from([0xed, 0xa0, 0x80]))]],
    [28, "bytes where text was agreed", 1003, [frame(2, text)]],
    [29, "more pings than anybody needs", 1008, Array.from({ length: 1000 }, () => frame(9, "x"))]
  ]
  for (const row of [23, 24, 25, 27, 28, 29]) {
    it.effect(`row ${row}: ${broken.filter(([of]) => of === row).map(([, what]) => what).join(", ").slice(0, 60)}: closed with its code`, () =>
      Effect.gen(function*() {
        const { port } = yield* House
        for (const [of, what, code, frames] of broken) {
          if (of !== row) continue
          const client = yield* upgraded(port)
          yield* client.write(...frames, frame(1, say(`heard after ${what}`)))
          assert.strictEqual(yield* client.closed, code, what)
          yield* Effect.promise(() => client.socket.ended)
          assert.notInclude(client.texts().join(), "Said", what)
        }
      }))
  }

  it.effect("rows 24, 25 and 27: a message of 64 KiB, and one in a thousand fragments, cut within a character, are taken", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const client = yield* upgraded(port)
      const long = `${say("long", "nobody24")}`.padEnd(65_536)
      yield* client.write(frame(1, long))
      yield* client.until(() => client.texts().join().includes("nobody24"))
      const cut = say("cut", "nobody25").padEnd(1000)
      yield* client.write(...Array.from(cut, (letter, i) => frame(i === 0 ? 1 : 0, letter, { fin: i === cut.length - 1 })))
      yield* client.until(() => client.texts().join().includes("nobody25"))
      // Text may be cut within a character (row 27), and pings come between fragments.
      const face = Buffer.from(say("😀", "nobody27"))
      const at = face.indexOf(0xf0) + 2
      yield* client.write(frame(1, face.subarray(0, at), { fin: false }), frame(9, "still there?"), frame(0, face.subarray(at)))
      yield* client.until(() => client.texts().join().includes("nobody27"))
      assert.deepStrictEqual(client.frames().filter(({ opcode }) => opcode === 10).map(({ payload }) => payload.toString()), ["still there?"])
    }))

  it.effect("row 26: compression is not agreed to, and compressed frames are none", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const client = yield* upgraded(port, ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"])
      assert.match(client.answer, /^HTTP\/1\.1 101 /)
      assert.notMatch(client.answer, /permessage|extensions/i)
      yield* client.write(frame(1, "{}", { reserved: 4 }))
      assert.strictEqual(yield* client.closed, 1002)
    }))

  it.effect("row 28: text where bytes were agreed", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const client = yield* upgraded(port, ["Sec-WebSocket-Protocol: binary.ircv3.net"])
      assert.match(client.answer, /Sec-WebSocket-Protocol: binary\.ircv3\.net/)
      yield* client.write(frame(1, "NICK x"))
      assert.strictEqual(yield* client.closed, 1003)
    }))

  it.effect("row 29: as many pings as anybody needs are answered", () =>
    Effect.gen(function*() {
      const { port } = yield* House
      const client = yield* upgraded(port)
      const pongs = (frames: ReadonlyArray<Frame>) => frames.filter(({ opcode }) => opcode === 10).length
      yield* client.write(...Array.from({ length: 40 }, () => frame(9, "x")))
      yield* client.until((frames) => pongs(frames) === 40)
    }))

  it.effect("row 45: no control character of one reaches another, live or in history", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const bot = yield* robot(chat, "bot45")
      const nasty = "\u001b[31mred\u001b]52;c;aGk=\u0007 \u0090q\u009b2J \u009fx\b\u007f\u2028 back"
      const client = yield* upgraded(chat.port)
      yield* client.write(frame(1, "{\"_tag\":\"Join\",\"room\":\"lobby\"}"))
      yield* client.until(() => client.texts().join().includes("RoomInfo"))
      yield* says(bot, say(`${nasty} live`), JSON.stringify({ _tag: "SetTopic", room: "lobby", topic: nasty }), JSON.stringify({ _tag: "SetAway", message: nasty }), JSON.stringify({ _tag: "SetNick", nick: `x${nasty}` }), say("last45"))
      yield* client.until(() => client.texts().join().includes("last45"))
      yield* client.write(frame(1, "{\"_tag\":\"History\",\"room\":\"lobby\"}"))
      yield* client.until(() => client.texts().some((line) => line.includes("Recalled") && line.includes("last45")))
      const all = client.texts()
      assert.isTrue(all.some((line) => line.includes(" live")))
      // oxlint-disable-next-line no-control-regex
      for (const line of all) assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    }))

  it.effect("who comes and never says a word is asked, and let go when nothing is answered; who is not listened to is not asked", () =>
    Effect.gen(function*() {
      const server = Http.createServer()
      const accepted: Array<Web.WebConnection> = []
      const take = Web.upgrading(() => 0)
      server.on("upgrade", (request, socket, head) => take(request, socket, head, (connection) => void accepted.push(connection)))
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
        () => Effect.sync(() => void server.close())
      )
      const { port } = server.address() as Net.AddressInfo
      const lively = yield* peer(port)
      const mute = yield* peer(port, ["chat.json"], { autoPong: false })
      const busy = yield* peer(port, ["chat.json"], { autoPong: false })
      yield* eventually("all came", () => accepted.length === 3)
      const pinged = ({ ws }: { readonly ws: WebSocket }) => new Promise<void>((resolve) => ws.once("ping", () => resolve()))
      const pings = [pinged(lively), pinged(mute)]
      // More than is read before somebody asks for it.
      for (let i = 0; i < 20; i++) busy.ws.send("x".repeat(10_000))
      yield* eventually("it is not read", () => accepted[2]!.unsent() === 0 && busy.ws.bufferedAmount === 0)
      for (const connection of accepted) connection.look(Web.pingAfter - 1)
      for (const connection of accepted) connection.look(Web.pingAfter)
      yield* Effect.promise(() => Promise.all(pings))
      // The answer to a ping comes before what is sent after it.
      lively.ws.send("{}")
      yield* eventually("the answer came", () => accepted[0]!.take() instanceof Uint8Array)
      for (const connection of accepted) connection.look(Web.pingAfter + Web.pongWithin)
      assert.deepStrictEqual(accepted.map((one) => one.lost()?.reason), [undefined, "ping timeout", undefined])
      assert.strictEqual((yield* mute.closed)[0], 1006)
      for (const connection of accepted) connection.destroy()
    }))

  it.effect("rows 16 and 19: the upgrade reset at any moment, a thousand times: the server stays up, and nothing is left of it", () =>
    Effect.gen(function*() {
      const chat = yield* House
      const ana = yield* person(chat, "ana19")
      const before = processesShow ? descriptors(chat) : 0
      const next = chance(19)
      const whole = Buffer.concat([
        Buffer.from(upgrade(chat.port)),
        frame(1, "{\"_tag\":\"Join\",\"room\":\"lobby\"}"),
        frame(1, say("x"), { fin: false }),
        frame(8, Buffer.from([3, 232]))
      ])
      const one = Effect.scoped(Effect.gen(function*() {
        const client = yield* socket(chat.port)
        const cut = Math.floor(next() * (whole.length + 1))
        const how = next()
        yield* Effect.callback<void>((sent) => void client.net.write(whole.subarray(0, cut), () => sent(Effect.void)))
        if (how < 0.3 && cut > 180) yield* Effect.promise(() => client.until((text) => text.length > 0).catch(() => {}))
        if (how < 0.8) client.net.resetAndDestroy()
        else client.net.end()
        if (how >= 0.8) yield* Effect.promise(() => client.ended)
      }))
      yield* Effect.forEach(Array.from({ length: 1000 }), () => one, { concurrency: 50, discard: true })
      const wanda = yield* webby(chat.port, "wanda19")
      wanda.ws.send(say("still here"))
      yield* reads(ana, "wanda19: still here\n")
      if (processesShow) yield* eventually("nothing is left", () => descriptors(chat) <= before + 2, 15_000)
      assert.notMatch(chat.stderr(), /a session failed|ERROR|uncaught/i)
    }), 30_000)

  it.effect("row 20: who sends headers slowly is told and cut off", () =>
    Effect.gen(function*() {
      const client = yield* Slow
      yield* Effect.promise(() => client.ended)
      assert.match(client.text(), /^HTTP\/1\.1 408 /)
    }))
})

// These take a while, of which little is spent by anybody.
describe.concurrent("a WebSocket, in time", () => {
  it.live.skipIf(!processesShow)("row 49: one that does not read costs others nothing, is told what it missed, and hears again", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--rate", "off", "--history", "100"])
      const ana = yield* robot(chat, "ana")
      const stuck = yield* webby(chat.port, "stuck")
      const other = yield* webby(chat.port, "other")
      let heard = 0
      other.ws.on("message", () => heard++)
      const line = say("x".repeat(1000))
      const talk = (lines: number) =>
        Effect.gen(function*() {
          const wanted = heard + lines
          yield* says(ana, ...Array.from({ length: lines }, () => line))
          yield* eventually("the other hears it", () => heard >= wanted)
        })
      ana.net.removeAllListeners("data").resume()
      yield* talk(2000)
      stuck.ws.pause()
      const before = memory(chat)
      let most = before
      for (let i = 0; i < 20; i++) {
        yield* talk(1000)
        most = Math.max(most, memory(chat))
      }
      assert.isBelow(most - before, 100)
      const already = stuck.told.length
      stuck.ws.resume()
      yield* stuck.hears("\"_tag\":\"Missed\"")
      yield* says(ana, say("the end"))
      yield* stuck.hears("the end")
      const seqs = stuck.told.slice(already).map((line) => JSON.parse(line) as { readonly _tag: string; readonly seq?: number; readonly count?: number })
      const said = seqs.filter(({ _tag }) => _tag === "Said").map(({ seq }) => seq!)
      assert.deepStrictEqual(said, [...new Set(said)].sort((a, b) => a - b))
      const missed = seqs.filter(({ _tag }) => _tag === "Missed").reduce((sum, { count }) => sum + (count ?? 0), 0)
      assert.strictEqual(stuck.told.filter((one) => one.includes("\"_tag\":\"Said\"")).length + missed, 22_001)
    }), 30_000)

  it.live("a fast writer is slowed and not dropped, and is told goodbye when the server closes", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--rate", "20/50"])
      const wanda = yield* webby(chat.port, "wanda")
      for (let i = 0; i < 100; i++) wanda.ws.send(say(`${i} ${"x".repeat(1000)}`))
      yield* wanda.hears("\"text\":\"99 ")
      const texts = wanda.told.filter((line) => line.includes("\"_tag\":\"Said\"")).map((line) => Number(/"text":"(\d+)/.exec(line)![1]))
      assert.deepStrictEqual(texts, Array.from({ length: 100 }, (_, i) => i))
      chat.child.kill("SIGTERM")
      yield* wanda.hears("\"_tag\":\"Closing\"")
      assert.strictEqual((yield* wanda.closed)[0], 1001)
      assert.strictEqual(yield* ended(chat), 0)
    }), 25_000)
})
