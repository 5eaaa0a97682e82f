/**
 * The IRC clients that people and programs have, against the real program: irssi, WeeChat and sic in terminals, ii by its files,
 * irc-framework.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Client } from "irc-framework"
import overWebSocket from "irc-framework/src/transports/websocket.js"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync } from "node:fs"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import { folder, person, reads, says } from "./clients.ts"
import { eventually, program } from "./support.ts"
import { leftOut, terminal } from "./terminal.ts"

describe.skipIf(leftOut("a person with irssi", "irssi", "tmux"))("a person with irssi", () => {
  it.live("connects, joins, talks, asks who is who, sets a topic, and comes back", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const home = yield* folder
      const irssi = yield* terminal(`irssi --home=${home} -n iris`)
      // It holds back what would be too much for other servers.
      yield* irssi.types("/set cmd_queue_speed 10msec")
      yield* irssi.types(`/connect 127.0.0.1 ${chat.port}`)
      yield* irssi.shows(/Welcome to effect-chat, iris!/)
      yield* irssi.types("/join #lobby")
      yield* irssi.shows(/\[#lobby\]/)
      yield* reads(ana, "-!- iris joined #lobby\n")
      yield* irssi.types("hello from irssi")
      yield* reads(ana, "iris: hello from irssi\n")
      yield* says(ana, "hello, iris")
      yield* irssi.shows(/<.?ana> hello, iris/)
      yield* irssi.types("/me waves")
      yield* reads(ana, "* iris waves\n")
      yield* irssi.types("/window 1")
      yield* irssi.types("/whois ana")
      yield* irssi.shows(/channels\s*: .*#lobby/)
      yield* irssi.shows(/End of WHOIS/i)
      yield* irssi.types("/topic #lobby tea at four")
      yield* reads(ana, "-!- iris changed the topic of #lobby to: tea at four\n")
      yield* irssi.types("/msg ana psst")
      yield* reads(ana, "[iris] psst\n")
      yield* says(ana, "/msg iris yes?")
      yield* irssi.types("/query ana")
      yield* irssi.shows("yes?")
      yield* irssi.types("/window 1")
      yield* irssi.types("/disconnect")
      yield* reads(ana, /-!- iris quit[^\n]*\n/)
      yield* irssi.types("/clear")
      yield* eventually("the first welcome is gone from the screen", () => !irssi.screen().includes("Welcome"))
      yield* irssi.types(`/connect 127.0.0.1 ${chat.port}`)
      yield* irssi.shows(/Welcome to effect-chat, iris!/)
      yield* irssi.types("/join #lobby")
      yield* reads(ana, /-!- iris quit[^]*-!- iris joined #lobby\n/)
      yield* irssi.types("/quit see you")
      // It is gone at once, so its last word may be lost on the way to the server.
      yield* reads(ana, /-!- iris joined #lobby\n[^]*-!- iris quit \((?:Quit: see you|connection reset|Connection closed|connection closed)\)\n/)
      yield* irssi.shows(/\[ended with 0\]/)
    }), 60_000)
})

describe.skipIf(leftOut("a person with WeeChat", "weechat", "tmux"))("a person with WeeChat", () => {
  it.live("connects with its capabilities, talks and leaves", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const home = mkdtempSync(join(yield* folder, "weechat-"))
      const weechat = yield* terminal(`weechat -d ${home} --no-connect`)
      yield* weechat.shows(/WeeChat/)
      yield* weechat.typesUntil(`/server add chat 127.0.0.1/${chat.port} -notls -nicks=wanda -autojoin=#lobby`, /added: chat/)
      yield* weechat.types("/set irc.server.chat.tls off")
      yield* weechat.types("/connect chat")
      yield* reads(ana, "-!- wanda joined #lobby\n")
      // Others may know of it before WeeChat does.
      yield* weechat.shows(/\d:#lobby/)
      yield* weechat.types("/buffer irc.chat.#lobby")
      yield* weechat.types("hello from weechat")
      yield* reads(ana, "wanda: hello from weechat\n")
      yield* says(ana, "hello, wanda")
      yield* weechat.shows("hello, wanda")
      yield* weechat.types("/nick wendy")
      yield* reads(ana, "-!- wanda is now wendy\n")
      yield* weechat.types("/quit bye")
      yield* reads(ana, /-!- wendy quit \((?:Quit: bye|connection reset|Connection closed|connection closed)\)\n/)
    }), 60_000)
})

describe.skipIf(leftOut("a person with sic", "sic", "tmux"))("a person with sic", () => {
  it.live("joins, talks, is called something else and leaves", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const sic = yield* terminal(`sic -h 127.0.0.1 -p ${chat.port} -n sid`)
      yield* sic.shows(/221 \(sid/)
      yield* sic.types(":j #lobby")
      yield* reads(ana, "-!- sid joined #lobby\n")
      yield* sic.types("hello from sic")
      yield* reads(ana, "sid: hello from sic\n")
      yield* says(ana, "hello, sid", "/topic tea")
      yield* sic.shows(/<ana> hello, sid/)
      yield* sic.shows(/TOPIC \(#lobby\): tea/)
      yield* sic.types(":NICK sidney")
      yield* reads(ana, "-!- sid is now sidney\n")
      // What it says next it shows under the nick that it believes to have.
      yield* sic.shows(/NICK \(\): sidney/)
      yield* sic.types("and on")
      yield* reads(ana, "sidney: and on\n")
      yield* sic.shows(/<sidney> and on/)
      yield* sic.presses("C-d")
      yield* reads(ana, "-!- sidney quit")
    }), 30_000)
})

describe.skipIf(leftOut("a person with ii", "ii"))("a person with ii", () => {
  it.live("joins, talks and is called something else, all by files", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const home = yield* folder
      const at = join(home, "127.0.0.1")
      yield* Effect.acquireRelease(
        Effect.sync(() => spawn("ii", ["-s", "127.0.0.1", "-p", String(chat.port), "-n", "ivy", "-i", home], { stdio: "ignore" })),
        (ii) => Effect.sync(() => ii.kill())
      )
      const shows = (file: string, wanted: string) =>
        eventually(`${file} has ${wanted}`, () => existsSync(join(at, file)) && readFileSync(join(at, file), "utf8").includes(wanted))
      const types = (file: string, line: string) => Effect.promise(() => appendFile(join(at, file), `${line}\n`))
      yield* shows("out", "Welcome to effect-chat, ivy!")
      yield* types("in", "/j #lobby")
      yield* reads(ana, "-!- ivy joined #lobby\n")
      yield* shows("#lobby/out", "has joined #lobby")
      yield* types("#lobby/in", "hello from ii")
      yield* reads(ana, "ivy: hello from ii\n")
      yield* says(ana, "hello, ivy", "/topic tea")
      yield* shows("#lobby/out", "<ana> hello, ivy")
      yield* shows("#lobby/out", "tea")
      yield* types("in", "/n iris")
      yield* shows("out", 'changed nick to "iris"')
      yield* types("#lobby/in", "and on")
      yield* reads(ana, "iris: and on\n")
      yield* shows("#lobby/out", "<iris> and on")
      yield* types("in", "/q bye")
      yield* reads(ana, "-!- iris quit")
    }), 30_000)
})

describe("a program with irc-framework", () => {
  interface Told {
    readonly nick: string
    readonly target: string
    readonly message: string
    readonly type: string
    readonly tags: Readonly<Record<string, string>>
  }

  // By TCP, as bots do, and from a browser, as Kiwi IRC does, which is built on it.
  const ways = { TCP: {}, WebSocket: { transport: overWebSocket, path: "/ws", websocket_protocol: "text.ircv3.net" } }
  it.live.each(Object.keys(ways) as Array<keyof typeof ways>)("by %s negotiates, joins, hears and is heard, with times, ids and labels", (way) =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Client()),
        (client) => Effect.sync(() => client.quit())
      )
      const heard: Array<Told> = []
      let registered = false
      let members: ReadonlyArray<{ readonly nick: string }> = []
      client.on("message", (event: Told) => heard.push(event))
      client.on("registered", () => {
        registered = true
      })
      client.on("userlist", (event: { readonly users: ReadonlyArray<{ readonly nick: string }> }) => {
        members = event.users
      })
      client.requestCap(["echo-message", "labeled-response"])
      client.connect({ host: "127.0.0.1", port: chat.port, nick: "robot", username: "robot", gecos: "a robot", auto_reconnect: false, ...ways[way] })
      yield* eventually("it is registered", () => registered)
      assert.strictEqual(client.network.name, "effect-chat")
      assert.isTrue(client.network.cap.isEnabled("server-time"))
      client.join("#lobby")
      yield* eventually("it knows who is there", () => members.some(({ nick }) => nick === "ana"))
      yield* reads(ana, "-!- robot joined #lobby\n")
      client.say("#lobby", "beep")
      client.action("#lobby", "whirrs")
      yield* reads(ana, "robot: beep\n* robot whirrs\n")
      yield* says(ana, "good robot", "/msg robot well done")
      yield* eventually("it hears both", () => heard.some(({ message }) => message === "well done"))
      const [said] = heard.filter(({ message }) => message === "good robot")
      assert.strictEqual(said?.nick, "ana")
      assert.strictEqual(said?.target, "#lobby")
      assert.match(said?.tags["time"] ?? "", /^\d{4}-\d\d-\d\dT/)
      assert.isString(said?.tags["msgid"])
      assert.isTrue(heard.some(({ message, nick }) => nick === "robot" && message === "beep"), "and itself, for it asked for echoes")
    }), 20_000)
})
