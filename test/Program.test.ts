/**
 * The program as people start it: what it prints, speaks, refuses, reads from where, and how it ends.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process"
import { chownSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { networkInterfaces } from "node:os"
import { basename, dirname, join } from "node:path"
import { matcher } from "../src/Secrets.ts"
import { ended, floods, folder, person, processesShow, reads, robot, says } from "./clients.ts"
import { chat, eventually, program, type Program, root, type Socket, socket, type Start } from "./support.ts"

/** Run `chat` to its end. */
const ran = (args: ReadonlyArray<string>, options?: Start) =>
  Effect.acquireUseRelease(
    Effect.sync(() => chat(args, options)),
    (started) =>
      Effect.map(
        Effect.timeout(Effect.promise(() => started.exited), "15 seconds"),
        (code) => ({ code, stdout: started.stdout(), stderr: started.stderr() })
      ),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** `chat` refuses to run: with this code, and one plain line on standard error that says this. */
const refuses = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  code: number,
  says: string,
  options?: Start
) {
  const result = yield* ran(args, options)
  const what = `chat ${args.join(" ")}`
  assert.match(result.stderr, /^chat: [^\n]+\n$/, what)
  assert.include(result.stderr, says, what)
  assert.notMatch(result.stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|\bat .*:\d+:\d+|"_tag"|SchemaError|undefined/, what)
  assert.strictEqual(result.stdout, "", what)
  assert.strictEqual(result.code, code, what)
})

const versionOf = (folder: string): string =>
  (JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { readonly version: string }).version

/** A port that is in use for as long as the test lasts. */
const taken = Effect.acquireRelease(
  Effect.callback<Net.Server>((resume) => {
    const server = Net.createServer()
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
).pipe(Effect.map((server) => (server.address() as Net.AddressInfo).port))

describe("chat serve", () => {
  it.live("says where it listens, with the real port", () =>
    Effect.gen(function*() {
      const { port, stdout } = yield* program()
      assert.isAbove(port, 0)
      assert.strictEqual(stdout(), `effect-chat listens on 127.0.0.1:${port} (try: nc 127.0.0.1 ${port}, or http://127.0.0.1:${port} in a browser)\n`)
    }))

  it.live("says so in one line that no terminal acts on, whatever it is called", () =>
    Effect.gen(function*() {
      const { stdout } = yield* program(["--name", "our\n\u001b[31mhouse"])
      assert.match(stdout(), /^our␊␛\[31mhouse listens on .*\n$/)
    }))

  const hasIPv6 = Object.values(networkInterfaces()).some((all) => all!.some(({ address }) => address === "::1"))

  it.live.skipIf(!hasIPv6)("says how to reach an IPv6 address", () =>
    Effect.gen(function*() {
      const { port, stdout } = yield* program(["--host", "::1"])
      assert.strictEqual(stdout(), `effect-chat listens on [::1]:${port} (try: nc ::1 ${port}, or http://[::1]:${port} in a browser)\n`)
      yield* reads(yield* socket(port, { host: "::1" }), "-!- Welcome")
    }))

  it.live.skipIf(!hasIPv6)("knows who comes by IPv4 by that address, where it listens for IPv6 too", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--host", "::", "--insecure"])
      const ana = yield* person(chat, "ana")
      yield* says(ana, "/join kitchen", "/ban *!*@127.0.0.1")
      yield* reads(ana, "bans of #kitchen")
      const bo = yield* person(chat, "bo")
      yield* says(bo, "/join kitchen")
      yield* reads(bo, "-!- you are banned from #kitchen\n")
    }))

  it.live("lets people talk", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const bo = yield* person(chat, "bo")
      yield* says(ana, "hello")
      yield* reads(bo, "ana: hello\n")
      yield* says(bo, "hi")
      yield* reads(ana, "bo: hi\n")
      assert.notInclude(ana.text(), "ana: hello")
    }))

  it.live("lets programs talk with people", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const bot = yield* robot(chat, "bot")
      yield* says(bot, "{\"_tag\":\"Say\",\"target\":\"#lobby\",\"text\":\"beep\"}")
      yield* reads(ana, "bot: beep\n")
      yield* says(ana, "boop")
      yield* reads(bot, /"_tag":"Said","room":"lobby","nick":"ana","text":"boop"/)
    }))

  it.live("greets who is silent after 300 milliseconds, and who speaks at once", () =>
    Effect.gen(function*() {
      const { port } = yield* program()
      const before = performance.now()
      const silent = yield* socket(port)
      yield* reads(silent, "-!- Welcome")
      assert.isAtLeast(performance.now() - before, 290)
      const hasty = yield* socket(port)
      yield* says(hasty, "hello")
      yield* reads(hasty, "-!- Welcome")
      yield* reads(silent, ": hello\n")
    }))

  it.live("takes a line that starts with { for a program's, whatever comes of it", () =>
    Effect.gen(function*() {
      const { port } = yield* program()
      const bot = yield* socket(port)
      yield* says(bot, "{\"_tag\":\"Jion\"}")
      yield* reads(bot, "\"_tag\":\"Refused\"")
      for (const line of bot.text().trim().split("\n")) assert.property(JSON.parse(line), "_tag")
    }))

  it.live("raw passes any bytes on to everybody, without a newline", () =>
    Effect.gen(function*() {
      const { port } = yield* program(["--dialect", "raw"])
      const ana = yield* socket(port)
      const bo = yield* socket(port)
      // Whoever hears their own bytes is in.
      bo.net.write("b")
      yield* reads(bo, "b")
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      ana.net.write(bytes)
      const hears = (client: Socket) => Effect.promise(() => client.until(() => client.bytes().subarray(-256).equals(bytes)))
      yield* hears(ana)
      yield* hears(bo)
      assert.deepStrictEqual(bo.bytes(), Buffer.concat([Buffer.from("b"), bytes]))
    }))

  it.live("raw leaves out the sender with --no-echo", () =>
    Effect.gen(function*() {
      const { port } = yield* program(["--dialect", "raw", "--no-echo"])
      const ana = yield* socket(port)
      const bo = yield* socket(port)
      // The first words wait until both are in: they are repeated until they are heard.
      yield* eventually("bo hears ana", () => {
        ana.net.write("a")
        return bo.text().includes("a")
      })
      yield* eventually("ana hears bo", () => {
        bo.net.write("b")
        return ana.text().includes("b")
      })
      assert.match(ana.text(), /^b+$/)
      assert.match(bo.text(), /^a+$/)
    }))

  it.live("seats as many as there are seats, lets five wait in order, and tells the others", () =>
    Effect.gen(function*() {
      const { port } = yield* program(["--max-clients", "2", "--backlog", "5", "--dialect", "plain"])
      const clients: Array<Socket> = []
      for (let i = 0; i < 12; i++) clients.push(yield* socket(port))
      const refused = clients.slice(7)
      for (const client of refused) {
        yield* Effect.promise(() => client.ended)
        assert.match(client.text(), /^-!- the server is full[^\n]*\n$/)
      }
      for (const client of clients.slice(0, 2)) yield* reads(client, "-!- Welcome")
      for (let next = 2; next < 7; next++) {
        for (const waiting of clients.slice(next, 7)) assert.strictEqual(waiting.text(), "-!- the server is full; you come in as soon as somebody leaves\n")
        clients[next - 2]!.net.end()
        yield* reads(clients[next]!, "-!- Welcome")
      }
    }))

  it.live("row 22: goes on accepting when file descriptors have run out and come back", () =>
    Effect.gen(function*() {
      const { logged, port } = yield* program(["--dialect", "plain", "--backlog", "200"], {
        through: ["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]
      })
      const first = yield* socket(port)
      yield* reads(first, "-!- Welcome")
      yield* Effect.scoped(Effect.gen(function*() {
        const clients = yield* Effect.all(Array.from({ length: 100 }, () => socket(port)), { concurrency: 100 })
        const cut = (client: Socket) => client.net.readableEnded || client.net.destroyed
        yield* eventually("everybody is greeted or cut off", () => clients.every((client) => client.text() !== "" || cut(client)))
        assert.isAbove(clients.filter((client) => client.text() === "").length, 20)
        if (processesShow) yield* Effect.promise(() => logged("file descriptors are in use"))
      }))
      yield* says(first, "/names")
      yield* reads(first, "-!- #lobby: ")
      let last: Socket | undefined
      yield* Effect.suspend(() => socket(port)).pipe(
        Effect.tap((client) =>
          Effect.promise(() => client.until((text) => text.includes("-!- Welcome")).then(() => last = client, () => {}))
        ),
        Effect.repeat({ until: () => last !== undefined, times: 100 })
      )
      yield* says(last!, "here again")
      yield* reads(first, ": here again\n")
    }))
})

describe("the log", () => {
  const evil = "gone\u001b]0;owned\u0007\u001b[31m\u0085\u009b31m\u2028\nfake=\"line\" level=INFO\r\u202e"

  for (const format of ["pretty", "json", "logfmt"]) {
    it.live(`row 47: in ${format} is one line an event, and nothing in it that a terminal acts on`, () =>
      Effect.gen(function*() {
        const motd = join(yield* folder, "motd\u001b[31m")
        writeFileSync(motd, "")
        const chat = yield* program(["--log-format", format, "--motd", motd])
        rmSync(motd)
        chat.child.kill("SIGHUP")
        yield* Effect.promise(() => chat.logged("everything stays as it was"))
        const bot = yield* robot(chat, "bot")
        yield* says(bot, JSON.stringify({ _tag: "Quit", reason: evil }))
        yield* Effect.promise(() => bot.ended)
        bot.net.end()
        const other = yield* robot(chat, "other")
        yield* says(other, JSON.stringify({ _tag: "Say", target: "#lobby", text: "nobody's business" }))
        yield* reads(other, "nobody's business")
        chat.child.kill("SIGTERM")
        yield* Effect.promise(() => other.ended)
        other.net.end()
        assert.strictEqual(yield* ended(chat), 0)
        const log = chat.stderr()
        assert.notMatch(log, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
        assert.notInclude(log, "nobody's business")
        const lines = log.trimEnd().split("\n")
        const of = (word: string) => lines.filter((line) => new RegExp(`\\b${word}`).test(line)).length
        assert.deepStrictEqual([of("connected"), of("disconnected"), of("closing;"), of("SIGHUP"), lines.length], [2, 2, 1, 1, 6], log)
        if (format === "json") {
          for (const line of lines) assert.property(JSON.parse(line), "message")
        }
      }))
  }
})

describe("chat hash", () => {
  const hashed = (input: string, ...args: ReadonlyArray<string>) =>
    spawnSync(process.execPath, [join(root, "dist", "chat.cjs"), "hash", ...args], { input, encoding: "utf8", timeout: 10_000 })

  it("hashes a line of its input, which no list of processes shows, or its argument", () => {
    for (const [input, ...args] of [["s3cret and more\n"], ["s3cret and more\r\nanother\n"], ["s3cret and more"], ["", "s3cret and more"]] as const) {
      const { status, stdout } = hashed(input, ...args)
      assert.strictEqual(status, 0)
      assert.match(stdout, /^scrypt\$[\w-]+\$[\w-]+\n$/)
      const matches = matcher(stdout.trim())
      assert.deepStrictEqual(["s3cret and more", "s3cret"].map(matches), [true, false])
    }
  })

  it("says what is missing", () => {
    for (const [input, ...args] of [[""], ["\n"], ["s3cret\n", ""]] as const) {
      const { status, stderr } = hashed(input, ...args)
      assert.deepStrictEqual([status, stderr], [2, "chat: there is no password; give one as the argument, or as a line on standard input\n"])
    }
  })
})

describe("closing", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(`row 57: ${signal} is told to everybody, and is a success`, () =>
      Effect.gen(function*() {
        const chat = yield* program(["--max-clients", "2"])
        const ana = yield* person(chat, "ana")
        const bot = yield* robot(chat, "bot")
        const waiting = yield* socket(chat.port)
        // People come in by turns: when one who came later is let go, the one before is waiting.
        const leaving = yield* socket(chat.port)
        leaving.net.end()
        yield* Effect.promise(() => leaving.ended)
        chat.child.kill(signal)
        yield* reads(ana, "-!- the server is closing\n")
        yield* reads(bot, /"_tag":"Closing","reason":"the server is closing"/)
        yield* reads(waiting, "-!- the server is closing; try again later\n")
        for (const { net } of [ana, bot, waiting]) net.end()
        assert.strictEqual(yield* ended(chat), 0)
      }))
  }

  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    it.live(`row 57: a second ${signal} ends it at once`, () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off", "--grace", "1h"])
        const ana = yield* person(chat, "ana")
        const stuck = yield* person(chat, "stuck")
        const bot = yield* robot(chat, "bot")
        yield* says(stuck, "/join deep")
        yield* reads(stuck, "-!- #deep: ")
        yield* says(bot, JSON.stringify({ _tag: "Join", room: "deep" }))
        yield* reads(stuck, "-!- bot joined #deep\n")
        stuck.net.pause()
        yield* floods(bot, JSON.stringify({ _tag: "Say", target: "#deep", text: "x".repeat(1000) }))
        chat.child.kill(signal)
        yield* reads(ana, "-!- the server is closing\n")
        const asked = performance.now()
        chat.child.kill(signal)
        assert.strictEqual(yield* ended(chat), code)
        assert.isBelow(performance.now() - asked, 5000)
      }))
  }

  it.live("row 58: SIGHUP reads the message of the day again, and keeps the old one when that fails", () =>
    Effect.gen(function*() {
      const motd = join(yield* folder, "motd")
      writeFileSync(motd, "be kind\n")
      const chat = yield* program(["--motd", motd])
      const ana = yield* person(chat, "ana")
      assert.include(ana.text(), "-!- be kind\n")
      writeFileSync(motd, "be brief\nbe clear\n")
      chat.child.kill("SIGHUP")
      yield* Effect.promise(() => chat.logged("read the message of the day again"))
      const bo = yield* person(chat, "bo")
      assert.match(bo.text(), /^-!- be brief\n-!- be clear\n-!- Welcome/)
      rmSync(motd)
      chat.child.kill("SIGHUP")
      yield* Effect.promise(() => chat.logged("everything stays as it was"))
      const cy = yield* person(chat, "cy")
      assert.match(cy.text(), /^-!- be brief\n-!- be clear\n-!- Welcome/)
      yield* says(ana, "still here")
      yield* reads(cy, "ana: still here\n")
    }))

  it.live("an empty file is no message of the day", () =>
    Effect.gen(function*() {
      const motd = join(yield* folder, "motd")
      writeFileSync(motd, "\n")
      const ana = yield* person(yield* program(["--motd", motd]), "ana")
      assert.match(ana.text(), /^-!- Welcome/)
      yield* says(ana, "/motd")
      yield* reads(ana, "-!- there is no message of the day\n")
    }))

  it.live("row 58: SIGHUP without a message of the day changes nothing", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      chat.child.kill("SIGHUP")
      yield* Effect.promise(() => chat.logged("SIGHUP: there is nothing to read again"))
      yield* says(ana, "/motd")
      yield* reads(ana, "-!- there is no message of the day\n")
    }))

  it.live("row 60: with its output closed it goes on serving, and closes in order", () =>
    Effect.gen(function*() {
      const chat = yield* program(["--log-level", "trace"])
      chat.child.stdout!.destroy()
      chat.child.stderr!.destroy()
      const ana = yield* person(chat, "ana")
      const bo = yield* person(chat, "bo")
      yield* says(bo, "/quit")
      yield* reads(ana, "-!- bo quit\n")
      const cy = yield* person(chat, "cy")
      yield* says(cy, "hello")
      yield* reads(ana, "cy: hello\n")
      chat.child.kill("SIGTERM")
      yield* reads(ana, "-!- the server is closing\n")
      for (const { net } of [ana, bo, cy]) net.end()
      assert.strictEqual(yield* ended(chat), 0)
    }))

  it.live.skipIf(!existsSync("/dev/full"))("row 60: with a full disk behind its output it goes on serving", () =>
    Effect.gen(function*() {
      const chat = yield* program([], { through: ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"] })
      const ana = yield* person(chat, "ana")
      const bo = yield* person(chat, "bo")
      yield* says(bo, "hello")
      yield* reads(ana, "bo: hello\n")
      chat.child.kill("SIGTERM")
      yield* reads(ana, "-!- the server is closing\n")
      for (const { net } of [ana, bo]) net.end()
      assert.strictEqual(yield* ended(chat), 0)
    }))
})

describe.concurrent("bytes of other protocols", () => {
  const request = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 22\r\n\r\n"
  const protocols: ReadonlyArray<readonly [name: string, answer: RegExp, ...segments: ReadonlyArray<string | Buffer>]> = [
    ["row 14: an HTTP request", /^HTTP\/1\.1 404 /, request + "form=hello+everybody\r\n"],
    ["row 14: an HTTP request in pieces", /^HTTP\/1\.1 404 /, "PO", request.slice(2), "hello everybody\r\n"],
    ["row 17: a TLS greeting", /^TLS is not spoken here[^\n]*\n$/, Buffer.from("16030100c8010000c4030368656c6c6f0a", "hex")],
    ["row 17: an SSH client", /^this port speaks chat[^\n]*\n$/, "SSH-2.0-hello\r\n"],
    ["row 17: a PROXY header", /^this port speaks chat[^\n]*\n$/, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello\r\n"],
    ["row 17: a PROXY header in binary", /^this port speaks chat[^\n]*\n$/, Buffer.from("0d0a0d0a000d0a515549540a2111000c", "hex"), "hello\r\n"],
    ["row 17: a remote desktop client", /^this port speaks chat[^\n]*\n$/, Buffer.from("030000130ee0000000000001000800", "hex"), "hello\n"],
    ["row 17: an SMB client", /^this port speaks chat[^\n]*\n$/, Buffer.from("00000045ff534d4272000000000000000068656c6c6f0a", "hex")]
  ]
  for (const [name, answer, ...segments] of protocols) {
    it.live(`${name} gets one clear line, and nobody hears of it`, () =>
      Effect.gen(function*() {
        const chat = yield* program()
        const ana = yield* person(chat, "ana")
        const bo = yield* person(chat, "bo")
        yield* reads(ana, "bo joined #lobby\n")
        const before = ana.text()
        const stranger = yield* socket(chat.port)
        for (const segment of segments) {
          yield* Effect.callback<void>((resume) => {
            stranger.net.write(segment, () => resume(Effect.void))
          })
        }
        yield* Effect.promise(() => stranger.ended)
        assert.match(stranger.text(), answer)
        yield* says(bo, "that is all")
        yield* reads(ana, "bo: that is all\n")
        assert.strictEqual(ana.text().slice(before.length), "bo: that is all\n")
      }))
  }

  it.live("row 17: that somebody tries TLS is told to who runs it, once", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      for (let i = 0; i < 3; i++) {
        const stranger = yield* socket(chat.port)
        stranger.net.write(Buffer.from("16030100c8010000c4030368656c6c6f0a", "hex"))
        yield* Effect.promise(() => stranger.ended)
      }
      chat.child.kill("SIGTERM")
      assert.strictEqual(yield* ended(chat), 0)
      assert.lengthOf(chat.stderr().match(/a client began with TLS/g) ?? [], 1)
    }))
})

/** A setting with a value that is good and one that is not, and what is said of the one that is not. */
interface Setting {
  readonly name: string
  readonly good: string | number | boolean
  readonly bad: (source: string) => string
  readonly complaint: (source: string, bad: string) => string
}

const must = (name: string, good: Setting["good"], bad: string, words: string): Setting => ({
  name,
  good,
  bad: () => bad,
  complaint: (source) => `${source} must be ${words}, not "${bad}"`
})

const settings: ReadonlyArray<Setting> = [
  must("port", 0, "65536", "a whole number from 0 to 65535"),
  must("backlog", 5, "many", "a whole number"),
  must("max-clients", 2, "0", "a whole number from 1 to 1000000"),
  must("dialect", "plain", "morse", "auto, raw, plain, json or irc"),
  must("echo", true, "perhaps", "true or false"),
  must("rate", "off", "fast", "burst/per-second such as 10/2, or off"),
  must("history", 10, "1.5", "a whole number"),
  must("max-unsent", "1GB", "much", "a size such as 1GB or 500MB"),
  must("grace", "1s", "5", "a duration such as 10s or 500ms"),
  must("public-host", "chat.example ::1", "chat.example:8443", "a host name without a port, or several with spaces between"),
  must("insecure", false, "maybe", "true or false"),
  must("log-level", "info", "loud", "trace, debug, info, warn, error or none"),
  must("log-format", "json", "xml", "pretty, json or logfmt"),
  {
    name: "host",
    good: "127.0.0.1",
    bad: (source) => source.startsWith("--") ? "192.0.2.1" : source.startsWith("CHAT_") ? "192.0.2.2" : "192.0.2.3",
    complaint: (_, bad) => `on ${bad} others on the network could read along`
  },
  {
    name: "motd",
    good: join(root, "package.json"),
    bad: (source) => `/nowhere/${source.startsWith("--") ? "flag" : source.startsWith("CHAT_") ? "variable" : "file"}`,
    complaint: (_, bad) => `cannot be read from ${bad}`
  }
]

const variable = (name: string) => `CHAT_${name.toUpperCase().replaceAll("-", "_")}`

const flag = (name: string, value: Setting["good"]) => `--${name}=${value}`

describe.concurrent("a setting", () => {
  for (const { bad, complaint, good, name } of settings) {
    it.live(`${name} comes from its flag, else its variable, else the file, and says where it is wrong`, () =>
      Effect.gen(function*() {
        const place = yield* folder
        const [byFlag, byVariable, byFile] = [bad(`--${name}`), bad(variable(name)), bad("file")]
        const file = (called: string, value: Setting["good"]) => {
          const path = join(place, called)
          writeFileSync(path, JSON.stringify({ [name]: value }))
          return path
        }
        const right = file("right.json", good)
        const wrong = file("wrong.json", byFile)
        const args = ["serve", ...name === "port" ? [] : ["--port", "0"], "--config"]
        yield* Effect.all([
          refuses([...args, right, flag(name, byFlag)], 2, complaint(`--${name}`, byFlag), { env: { [variable(name)]: String(good) } }),
          refuses([...args, right], 2, complaint(variable(name), byVariable), { env: { [variable(name)]: byVariable } }),
          refuses([...args, wrong], 2, complaint(`${wrong}: "${name}"`, byFile))
        ], { concurrency: 3 })
      }))
  }

  it.live("port is taken from the first source that has it", () =>
    Effect.gen(function*() {
      const config = join(yield* folder, "chat.json")
      const [byFlag, byVariable, byFile] = [yield* taken, yield* taken, yield* taken] as const
      writeFileSync(config, JSON.stringify({ port: byFile }))
      const inUse = (port: number) => `port ${port} of 127.0.0.1 is in use`
      const env = { CHAT_PORT: String(byVariable) }
      yield* refuses(["serve", "--port", String(byFlag), "--config", config], 1, inUse(byFlag), { env })
      yield* refuses(["serve", "--config", config], 1, inUse(byVariable), { env })
      yield* refuses(["serve"], 1, inUse(byFile), { env: { CHAT_CONFIG: config } })
      yield* refuses([`--config=${config}`, "serve"].reverse(), 1, inUse(byFile))
    }))

  it.live("insecure is taken from the first source that has it", () =>
    Effect.gen(function*() {
      const config = join(yield* folder, "chat.json")
      const file = (insecure: boolean) => Effect.sync(() => writeFileSync(config, JSON.stringify({ insecure })))
      const args = ["serve", "--host", "192.0.2.1", "--port", "0", "--config", config]
      const allowed = [1, "192.0.2.1 is not an address of this machine; choose another with --host"] as const
      const refused = [2, "on 192.0.2.1 others on the network could read along"] as const
      yield* file(true)
      yield* refuses(args, ...allowed)
      yield* refuses(args, ...refused, { env: { CHAT_INSECURE: "false" } })
      yield* refuses([...args, "--no-insecure"], ...refused, { env: { CHAT_INSECURE: "true" } })
      yield* file(false)
      yield* refuses(args, ...refused)
      yield* refuses(args, ...allowed, { env: { CHAT_INSECURE: "true" } })
      yield* refuses([...args, "--insecure"], ...allowed, { env: { CHAT_INSECURE: "false" } })
    }))

  const chosen = {
    name: "attic",
    dialect: "plain",
    echo: true,
    "max-clients": 3,
    backlog: 1,
    rate: "off",
    history: 2,
    grace: "400ms",
    "log-level": "error",
    "log-format": "json"
  }
  const passedOver = {
    name: "cellar",
    dialect: "raw",
    echo: false,
    "max-clients": 1,
    backlog: 0,
    rate: "1/0.001",
    history: 0,
    grace: "30s",
    motd: "/nowhere",
    "log-level": "none",
    "log-format": "logfmt"
  }
  const asFlags = (values: object) => Object.entries(values).map(([name, value]) => flag(name, value as string))
  const asVariables = (values: object) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [variable(name), String(value)]))

  /** A program with these settings keeps to `chosen`, and to the message of the day in this file. */
  const keepsTo = Effect.fnUntraced(function*(chat: Program, motd: string) {
    assert.match(chat.stdout(), /^attic listens on /)
    const ana = yield* socket(chat.port)
    yield* reads(ana, "-!- Welcome to attic")
    assert.include(ana.text(), "-!- the message of the day\n")
    yield* says(ana, "{\"_tag\":\"List\"}")
    yield* reads(ana, ": {\"_tag\":\"List\"}\n")
    const before = performance.now()
    yield* says(ana, ...Array.from({ length: 30 }, (_, i) => `line ${i}.`))
    yield* reads(ana, ": line 29.\n")
    assert.isBelow(performance.now() - before, 8000)
    yield* says(ana, "/history 10")
    yield* reads(ana, /-!- the last 2 messages in #lobby \(UTC\):\n[^\n]*: line 28\.\n[^\n]*: line 29\.\n/)
    const bo = yield* socket(chat.port)
    yield* reads(bo, "-!- Welcome")
    yield* reads(yield* socket(chat.port), "-!- Welcome")
    const waiting = yield* socket(chat.port)
    const refused = yield* socket(chat.port)
    yield* Effect.promise(() => refused.ended)
    assert.match(refused.text(), /^-!- the server is full: all 3 seats .* 1 /)
    assert.strictEqual(waiting.text(), "-!- the server is full; you come in as soon as somebody leaves\n")
    // Somebody who does not read makes the server wait as long as it may.
    bo.net.pause()
    yield* floods(ana, "x".repeat(1000))
    rmSync(motd)
    chat.child.kill("SIGHUP")
    yield* Effect.promise(() => chat.logged("everything stays as it was"))
    const asked = performance.now()
    chat.child.kill("SIGTERM")
    assert.strictEqual(yield* ended(chat), 0)
    assert.isAtLeast(performance.now() - asked, 390)
    assert.isBelow(performance.now() - asked, 8000)
    const levels = chat.stderr().trim().split("\n").map((line) => (JSON.parse(line) as { readonly level: string }).level)
    assert.include(levels, "ERROR")
    assert.notInclude(levels, "INFO")
  })

  const withMotd = Effect.map(folder, (path) => {
    const motd = join(path, "motd")
    writeFileSync(motd, "the message of the day\n")
    return { config: join(path, "chat.json"), motd }
  })

  it.live("does what its flag says, whatever its variable and the file say", () =>
    Effect.gen(function*() {
      const { config, motd } = yield* withMotd
      writeFileSync(config, JSON.stringify(passedOver))
      const chat = yield* program([...asFlags({ ...chosen, motd }), "--config", config], { env: asVariables(passedOver) })
      yield* keepsTo(chat, motd)
    }))

  it.live("does what its variable says, whatever the file says", () =>
    Effect.gen(function*() {
      const { config, motd } = yield* withMotd
      writeFileSync(config, JSON.stringify(passedOver))
      const chat = yield* program([], { env: { ...asVariables({ ...chosen, motd }), CHAT_CONFIG: config } })
      yield* keepsTo(chat, motd)
    }))

  it.live("does what the file says", () =>
    Effect.gen(function*() {
      const { config, motd } = yield* withMotd
      writeFileSync(config, JSON.stringify({ ...chosen, motd }))
      yield* keepsTo(yield* program(["--config", config]), motd)
    }))

  it.live("that nothing is said of has its default", () =>
    Effect.gen(function*() {
      const without = yield* ran(["serve", "--help"])
      for (const value of ["8000", "127.0.0.1", "5", "10000", "auto", "10/2", "1000", "10s", "effect-chat", "info", "pretty"]) {
        assert.include(without.stdout, `(default ${value})`)
      }
      const chat = yield* program()
      assert.match(chat.stdout(), /^effect-chat listens on 127\.0\.0\.1:/)
      const ana = yield* person(chat, "ana")
      const bo = yield* person(chat, "bo")
      const before = performance.now()
      yield* says(ana, ...Array.from({ length: 12 }, (_, i) => `line ${i}.`))
      yield* reads(bo, "ana: line 11.\n")
      // At most ten at once, then two a second.
      assert.isAtLeast(performance.now() - before, 900)
      assert.notInclude(ana.text(), "ana: line 0.")
      assert.match(chat.stderr(), /^\d\d:\d\d:\d\d\.\d\d\dZ info  connected .*dialect=plain/)
    }))

  it.live("port is 8000 when nothing is said of it", () =>
    Effect.scoped(Effect.gen(function*() {
      const started = yield* Effect.acquireRelease(
        Effect.sync(() => chat(["serve"])),
        ({ child, exited }) => Effect.promise(() => (child.kill("SIGKILL"), exited))
      )
      const said = () => started.stdout() + started.stderr()
      yield* eventually("it listens or cannot", () => said().includes("\n"))
      assert.match(said(), /^(effect-chat listens on 127\.0\.0\.1:8000 |chat: port 8000 of 127\.0\.0\.1 is in use)/)
    })))

  it.live("that is empty in the environment counts as not given", () =>
    Effect.gen(function*() {
      const chat = yield* program([], { env: { CHAT_CONFIG: "", CHAT_NAME: "", CHAT_DIALECT: "", CHAT_MOTD: "" } })
      assert.match(chat.stdout(), /^effect-chat listens/)
    }))
})

describe.concurrent("the configuration file", () => {
  const files: ReadonlyArray<readonly [what: string, text: string, says: string]> = [
    ["an unknown key", "{\"max-client\": 3}", "there is no setting \"max-client\"; did you mean \"max-clients\"?"],
    ["a key like nothing there is", "{\"colour\": true}", "there is no setting \"colour\""],
    ["a value that is no scalar", "{\"port\": [8000]}", "\"port\" must be a string, a number or true or false"],
    ["something else than JSON", "port = 8000", "is not JSON"],
    ["JSON over several lines that ends too early", "{\n\n\"port\":\n8000", "is not JSON"],
    ["something else than an object", "[8000]", "must be a JSON object"]
  ]
  for (const [what, text, says] of files) {
    it.live(`is refused in one line for ${what}`, () =>
      Effect.gen(function*() {
        const config = join(yield* folder, "chat.json")
        writeFileSync(config, text)
        yield* refuses(["serve", "--config", config], 2, `chat: ${config}: ${says}`)
      }))
  }

  it.live("must be there", () => refuses(["serve", "--config", "/nowhere/chat.json"], 2, "/nowhere/chat.json: cannot be read"))
})

describe.concurrent("the command line", () => {
  it.live("names no token as the server is called, under which nobody could talk", () =>
    refuses(["serve", "--name", "Our House", "--api-token", "our-house:s3cret"], 2, "nobody can be called our-house, for that is the server's name; name the token of --api-token otherwise"))

  const wrong: ReadonlyArray<readonly [args: string, says: string]> = [
    ["serve --prot 3", "there is no flag --prot; did you mean --port?"],
    ["serve --max-client 3", "there is no flag --max-client; did you mean --max-clients?"],
    ["serv", "there is no command serv; did you mean serve?"],
    ["serve lobby", "nothing is expected after the flags, but there is lobby"],
    ["serve --port", "--port needs a value: a whole number"],
    ["serve --port 3.5", "--port must be a whole number, not \"3.5\""],
    ["serve --port 1 --port 2", "--port is given more than once"],
    ["serve --port -1", "--port must be a whole number from 0 to 65535"],
    ["serve --rate 0/1", "--rate must be"],
    ["serve --public-host chat.example:443", "--public-host must be a host name without a port, or several with spaces between, not \"chat.example:443\""],
    ["serve --public-host https://chat.example", "--public-host must be a host name without a port"],
    ["serve --oper=root:x\u00a0root:y", "--oper must be name:password, or several with spaces between, no name twice ("],
    ["serve --name=", "--name needs a value"],
    ["serve --no-echo=false", "--no-echo takes no value"],
    ["serve --name=\u001b[31m --port=\u001b[32m", "--port must be a whole number"]
  ]
  it.live("is refused in one line where it is not understood", () =>
    Effect.forEach(wrong, ([args, says]) => refuses(args.split(" "), 2, says), { concurrency: 4 }))

  it.live("answers --help and --version on standard output, without colours in a pipe", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ran(["--version"]), { code: 0, stdout: `chat ${versionOf(".")}\n`, stderr: "" })
      for (const args of [["--help"], ["serve", "--help"], ["serve", "--port", "x", "-h"]]) {
        const help = yield* ran(args)
        assert.strictEqual(help.code, 0)
        assert.strictEqual(help.stderr, "")
        assert.include(help.stdout, "USAGE\n  chat ")
        assert.notInclude(help.stdout, "\u001b")
      }
      const { stdout } = yield* ran(["serve", "--help"])
      for (const { name } of settings) assert.include(stdout, `  --${name} `)
    }))

  it.live("keeps what V8 made of it for the next start, and starts without it where it is cut short, another's or cannot be kept", () =>
    Effect.gen(function*() {
      const cache = yield* folder
      const version = (where: string) => ran(["--version"], { env: { NODE_COMPILE_CACHE: where } })
      const printed = yield* version(cache)
      const [name, ...others] = readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((entry) => basename(entry).startsWith("chat-"))
      assert.deepStrictEqual([printed.code, printed.stderr, others], [0, "", []])
      const kept = join(cache, name!)
      const made = () => ({ at: statSync(kept).ino, bytes: statSync(kept).size })
      const first = made()
      assert.isAbove(first.bytes, 100_000)

      assert.deepStrictEqual(yield* version(cache), printed)
      assert.deepStrictEqual(made(), first, "what is good is not made again")

      truncateSync(kept, first.bytes / 2)
      assert.deepStrictEqual(yield* version(cache), printed)
      assert.notStrictEqual(made().at, first.at, "what is cut short is replaced")

      const mine = made()
      if (process.getuid!() === 0) {
        chownSync(kept, 65_534, 65_534)
        assert.deepStrictEqual(yield* version(cache), printed)
        assert.notStrictEqual(made().at, mine.at, "what another left there is replaced")
      }

      const file = join(cache, "file")
      writeFileSync(file, "")
      assert.deepStrictEqual(yield* version(file), printed)
    }))

  it.live("shows the help on standard error when nothing is asked for", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* ran([])
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /serve +Serve chat on a TCP port/)
    }))

  it.live("row 59: a port in use, an address that is not this machine's or no host at all ends it in one line", () =>
    Effect.gen(function*() {
      const port = yield* taken
      yield* refuses(["serve", "--port", String(port)], 1, `port ${port} of 127.0.0.1 is in use; stop what uses it, or choose another with --port`)
      yield* refuses(["serve", "--port", "0", "--insecure", "--host", "192.0.2.1"], 1, "192.0.2.1 is not an address of this machine")
      yield* refuses(["serve", "--port", "0", "--insecure", "--host", "nowhere.invalid"], 1, "there is no host nowhere.invalid")
    }))

  const firstAllowed = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
  const somePortsAreNotAllowed = existsSync(firstAllowed) && Number(readFileSync(firstAllowed, "utf8")) > 80

  it.live.skipIf(!somePortsAreNotAllowed)("row 59: a port that is not allowed ends it in one line", () =>
    Effect.gen(function*() {
      const nobody = process.getuid!() === 0 ? { uid: 65_534, cwd: "/" } : {}
      yield* refuses(["serve", "--port", "80"], 1, "port 80 is not allowed for this user; choose one from 1024 on with --port", nobody)
    }))

  it.live("refuses to listen where others can read along, unless told that this is all right", () =>
    Effect.gen(function*() {
      for (const host of ["0.0.0.0", "::", "example.com", "127.0.0.1.example.com"]) {
        yield* refuses(["serve", "--port", "0", "--host", host], 2, "add --insecure if that is all right")
      }
    }))

  it.live("says in one line that Node is too old", () =>
    Effect.gen(function*() {
      const preload = join(yield* folder, "old.mjs")
      for (const old of ["20.20.2", "22.18.0", "18.0.0"]) {
        writeFileSync(preload, `Object.defineProperty(process.versions, "node", { value: "${old}" })`)
        yield* refuses(["serve", "--port", "0"], 1, `chat: this is Node ${old}, and chat needs Node 22.19 or newer`, {
          node: ["--import", preload]
        })
      }
      writeFileSync(preload, "Object.defineProperty(process.versions, \"node\", { value: \"22.19.0\" })")
      assert.strictEqual((yield* ran(["--version"], { node: ["--import", preload] })).code, 0)
    }))

  const oldNode = [...process.env["PATH"]!.split(":"), "/usr/bin", "/usr/local/bin"]
    .map((place) => join(place, "node"))
    .filter((place) => existsSync(place))
    .find((place) => Number(/^v(\d+)\./.exec(String(spawnSync(place, ["--version"]).stdout))?.[1] ?? 99) < 22)

  it.live.skipIf(oldNode === undefined)("says so in an old Node, where there is one", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* ran(["--version"], { through: ["sh", "-c", "shift; exec \"$0\" \"$@\"", oldNode!] })
      assert.match(stderr, /^chat: this is Node \d[^\n]*, and chat needs Node 22\.19 or newer[^\n]*\n$/)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }))
})

describe.concurrent("the package", () => {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` }

  /** Run a command to its end; what it wrote on standard output. */
  const command = (cwd: string, name: string, ...args: ReadonlyArray<string>) =>
    Effect.callback<string>((resume) => {
      const child = execFile(name, args, { cwd, env }, (error, stdout, stderr) =>
        resume(
          error === null
            ? Effect.succeed(stdout)
            : Effect.die(new Error(`${name} ${args.join(" ")}: ${error.message}\n${stdout}\n${stderr}`))
        ))
      return Effect.sync(() => child.kill("SIGKILL"))
    })

  const exitOf = (child: ChildProcess) =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise<void>((resolve) => void child.once("exit", () => resolve()))

  /** An app by somebody else, over what is exported; each mistake must be seen as one. */
  const app = `
import { ChatServer, Hub, Log } from "effect-chat"
import * as Tcp from "effect-chat/Listener/Tcp"
import { Laws, Memory } from "effect-chat/testing"
import { Effect, Layer } from "effect"

const tcp = Tcp.layer({ host: "127.0.0.1", port: 0, backlog: 5 })
// @ts-expect-error: a port is a number
Tcp.layer({ host: "127.0.0.1", port: "0", backlog: 5 })
// @ts-expect-error: there is no such law
Laws.nothing

const house = ChatServer.layer({ dialect: "plain" }).pipe(
  Layer.provideMerge(Hub.layer({ server: "my app" })),
  Layer.provide(Log.layerMemory({ history: 10 }))
)
const overTcp = house.pipe(Layer.provide(tcp))
const main: Effect.Effect<number, unknown> = Effect.map(ChatServer, ({ port }) => port).pipe(Effect.provide(overTcp))

const inMemory = Effect.gen(function*() {
  const memory = yield* Memory.makeListener
  yield* Layer.build(house.pipe(Layer.provide(memory.layer)))
  const client = memory.connect()
  yield* client.until((text) => text.includes("\\n"))
  console.log(client.text().split(".")[0])
  client.reset("done")
})

await Effect.runPromise(Effect.scoped(inMemory))
if (await Effect.runPromise(main) === 0) throw new Error("no port")
`

  it.live("installs elsewhere, serves from there, and has types", () =>
    Effect.gen(function*() {
      const away = yield* folder
      yield* command(root, "npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", away)
      const [tarball] = (yield* command(away, "sh", "-c", "ls *.tgz")).trim().split("\n")
      writeFileSync(join(away, "package.json"), JSON.stringify({ private: true, type: "module" }))
      yield* command(away, "npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", `./${tarball}`, `effect@${versionOf("node_modules/effect")}`)

      assert.strictEqual(yield* command(away, "npx", "--no-install", "chat", "--version"), `chat ${versionOf(".")}\n`)
      const served = yield* Effect.acquireRelease(
        Effect.sync(() => spawn("npx", ["--no-install", "chat", "serve", "--port", "0"], { cwd: away, env, detached: true })),
        // npx starts it through a shell; all three are one group, and end together.
        (child) =>
          Effect.promise(async () => {
            if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL")
            await exitOf(child)
          })
      )
      const port = yield* Effect.promise(() =>
        new Promise<number>((resolve) => {
          let out = ""
          served.stdout.on("data", (data: Buffer) => {
            out += data.toString()
            const [, port] = /^effect-chat listens on 127\.0\.0\.1:(\d+) /.exec(out) ?? []
            if (port !== undefined) resolve(Number(port))
          })
        })
      )
      const ana = yield* socket(port)
      yield* reads(ana, "-!- Welcome")
      process.kill(-served.pid!, "SIGTERM")
      yield* reads(ana, "-!- the server is closing\n")
      yield* Effect.promise(() => exitOf(served))

      writeFileSync(join(away, "app.ts"), app)
      writeFileSync(join(away, "tsconfig.json"), JSON.stringify({
        compilerOptions: { target: "ES2023", lib: ["ES2023", "DOM"], module: "NodeNext", strict: true, types: [], skipLibCheck: true },
        files: ["app.ts"]
      }))
      yield* command(away, join(root, "node_modules/.bin/tsc"), "-p", ".")
      assert.match(yield* command(away, "node", "app.js"), /^-!- Welcome to my app\n/)
    }), 120_000)
})
