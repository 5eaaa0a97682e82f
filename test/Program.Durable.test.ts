/**
 * The program with a log in a folder, killed, starved of disk and started again: whatever anybody was shown is there
 * afterwards, in order, once.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { reads, says } from "./clients.ts"
import { chance } from "./seeded.ts"
import { chat, eventually, objects, program, type Program, socket } from "./support.ts"

/** How often the program is killed; elsewhere than in CI only often enough to see that it can be. */
const kills = process.env["CI"] === undefined ? 12 : 50
const seed = Number(process.env["CHAT_SEED"] ?? Date.now() % 1_000_000)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-chat-data-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Free of limits and of log lines: what is tested is what is kept. */
const serve = (data: string, ...more: ReadonlyArray<string>) => program(["--data", data, "--rate", "off", "--log-level", "error", ...more])

const kill = ({ child, exited }: Program) =>
  Effect.promise(async () => {
    child.kill("SIGKILL")
    await exited
  })

/** Leave no room on a disk. */
const fill = (disk: string): void => {
  for (let size = 1_000_000; size >= 1; size = Math.floor(size / 2)) {
    for (let full = false; !full;) {
      try {
        appendFileSync(join(disk, "fill"), Buffer.alloc(size))
      } catch {
        full = true
      }
    }
  }
}

interface Told {
  readonly _tag: string
  readonly seq: number
  readonly id: string
  readonly text?: string
}

/** Somebody who says as much as the server takes, comes back after every end, and writes down what was told of the room. */
class Talker {
  readonly nick: string
  readonly told: Array<Told> = []
  /** What was said, in the order in which it was said; some of it into a connection that was cut. */
  said = 0
  /** Whether it came into the room since it came back last. */
  inside = false
  epoch: string | undefined
  constructor(nick: string) {
    this.nick = nick
  }

  /** Talk until the connection ends: resolves then. `onHeard` is called with whatever is told. */
  talk(port: number, onHeard: () => void): Promise<void> {
    this.inside = false
    return new Promise((resolve) => {
      const net = Net.connect({ port, host: "127.0.0.1" })
      const after = this.told.at(-1)?.seq
      const position = after === undefined ? {} : { after, epoch: this.epoch }
      const send = (...wishes: ReadonlyArray<object>) => net.write(wishes.map((wish) => `${JSON.stringify(wish)}\n`).join(""))
      let partial = ""
      net.on("data", (data) => {
        const lines = (partial + data.toString("utf8")).split("\n")
        partial = lines.pop()!
        for (const line of lines) {
          const told = JSON.parse(line) as Told & { readonly epoch?: string; readonly room?: string }
          if (told._tag === "Welcome") {
            assert.strictEqual(told.epoch, this.epoch ?? told.epoch, "the epoch stays")
            this.epoch = told.epoch
          } else if (told._tag === "RoomInfo") this.inside = true
          else if (told._tag === "Missed" || told._tag === "Refused") assert.fail(line)
          else if (told.seq !== undefined && told._tag !== "Renamed") this.told.push(told)
        }
        onHeard()
        // One bundle of words for each that was heard: as much as the disk takes.
        if (this.inside) send(...Array.from({ length: 10 }, () => ({ _tag: "Say", target: "#den", text: `${this.nick} ${++this.said}` })))
      })
      net.on("error", () => {})
      net.on("close", () => resolve())
      send({ _tag: "SetNick", nick: this.nick }, { _tag: "Join", room: "den", ...position })
    })
  }
}

/** Everything that the log holds of the room, as somebody who comes now is told. */
const wholeOf = (running: Program, epoch: string | undefined) =>
  Effect.gen(function*() {
    const reader = yield* socket(running.port)
    yield* says(reader, JSON.stringify({ _tag: "Join", room: "den", after: 0, epoch }))
    yield* reads(reader, /"_tag":"RoomInfo"[^\n]*\n/)
    return (objects(reader) as ReadonlyArray<unknown> as ReadonlyArray<Told>).filter(({ _tag }) => _tag !== "Welcome" && _tag !== "RoomInfo")
  })

describe("kill -9", () => {
  it.live(`row 55: at random moments under load, ${kills} times: what anybody was shown is there, in order, once (CHAT_SEED=${seed})`, () =>
    Effect.gen(function*() {
      const data = yield* folder
      const random = chance(seed)
      const talkers = ["ana", "bo", "cy"].map((nick) => new Talker(nick))
      /** Runs that ended while somebody was in the room. */
      let peopled = 0
      for (let run = 0; run < kills; run++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const running = yield* serve(data)
          // Killed after so much was heard, or a moment later, in the middle of whatever it is doing then; every other time it
          // counts from when somebody is in the room.
          let wanted = 1 + Math.floor(random() * 40)
          const moment = random() * 3
          let talking: ReadonlyArray<Promise<void>> = []
          yield* Effect.promise(() => new Promise<void>((enough) => {
            talking = talkers.map((talker) => talker.talk(running.port, () => {
              if (run % 2 === 1 || talkers.some(({ inside }) => inside)) wanted--
              if (wanted <= 0) enough()
            }))
          }))
          yield* Effect.sleep(moment)
          yield* kill(running)
          yield* Effect.promise(() => Promise.all(talking))
          if (talkers.some(({ inside }) => inside)) peopled++
        }))
      }
      const running = yield* serve(data)
      const whole = yield* wholeOf(running, talkers[0]!.epoch)
      const seqs = whole.map(({ seq }) => seq)
      assert.isTrue(seqs.every((seq, i) => i === 0 || seq > seqs[i - 1]!), "numbers grow")
      assert.lengthOf(whole, new Set(whole.map(({ id }) => id)).size, "every id is there once")
      const said = whole.filter(({ _tag }) => _tag === "Said")
      assert.isAbove(said.length, kills * 10, "it was under load")
      assert.isAtLeast(peopled, kills / 2)
      assert.isAtLeast(whole.filter(({ _tag }) => _tag === "Restarted").length, peopled)
      const byId = new Map(whole.map((told) => [told.seq, told]))
      for (const { nick, told } of talkers) {
        for (const one of told) assert.deepStrictEqual(byId.get(one.seq), one, `${nick} was shown this, and it is kept`)
        const [first, last] = [told[0]!.seq, told.at(-1)!.seq]
        assert.deepStrictEqual(told.map(({ seq }) => seq), seqs.filter((seq) => seq >= first && seq <= last), `${nick} was told everything, in order, once`)
        const own = said.filter(({ text }) => text!.startsWith(`${nick} `)).map(({ text }) => Number(text!.split(" ")[1]))
        assert.isTrue(own.every((number, i) => i === 0 || number > own[i - 1]!), `${nick} said nothing twice`)
      }
    }), 180_000)
})

describe("a server with a log in a folder", () => {
  it.live("row 57: closed in order, has kept everything, and the next one goes on; nobody need be told who left", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const first = yield* serve(data)
      const ana = yield* socket(first.port)
      yield* says(ana, ...[{ _tag: "SetNick", nick: "ana" }, { _tag: "Join", room: "den" }, { _tag: "SetTopic", room: "den", topic: "tea" }, { _tag: "Say", target: "#den", text: "one" }].map((wish) => JSON.stringify(wish)))
      yield* reads(ana, /"one"[^\n]*\n/)
      const [{ epoch } = { epoch: undefined }] = objects(ana)
      const after = objects(ana).findLast((told) => told["seq"] !== undefined)!["seq"]
      first.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => first.exited), 0)
      const second = yield* serve(data)
      const again = yield* socket(second.port)
      yield* says(again, JSON.stringify({ _tag: "SetNick", nick: "ana" }), JSON.stringify({ _tag: "Join", room: "den", after, epoch }))
      yield* reads(again, /"_tag":"RankSet"[^\n]*\n/)
      const told = objects(again)
      assert.deepStrictEqual(told.map(({ _tag }) => _tag), ["Welcome", "Renamed", "Quit", "Restarted", "Joined", "RoomInfo", "RankSet"])
      assert.strictEqual(told[0]!["epoch"], epoch)
      assert.strictEqual(told[5]!["topic"], "tea")
      const http = yield* Effect.promise(async () => (await fetch(`http://127.0.0.1:${second.port}/api/rooms/den/messages`)).json() as Promise<{ readonly messages: ReadonlyArray<Told> }>)
      assert.deepStrictEqual(http.messages.map(({ text }) => text), ["one"])
    }))

  it.live("row 64: is the only one: a second is refused at once, in one line that names the first", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const first = yield* serve(data)
      const second = chat(["serve", "--port", "0", "--data", data])
      assert.strictEqual(yield* Effect.promise(() => second.exited), 1)
      assert.strictEqual(second.stderr(), `chat: ${data} is in use by process ${first.child.pid}; stop that server, or choose another folder\n`)
      assert.strictEqual(second.stdout(), "")
    }))

  it.live("row 54: does not start on a file that is damaged, says in one line what to do, and leaves it as it is", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const running = yield* serve(data)
      const bo = yield* socket(running.port)
      yield* says(bo, JSON.stringify({ _tag: "Join", room: "den" }), ...Array.from({ length: 200 }, (_, i) => JSON.stringify({ _tag: "Say", target: "#den", text: `${i} ${"x".repeat(200)}` })))
      yield* reads(bo, /"199 /)
      running.child.kill("SIGTERM")
      yield* Effect.promise(() => running.exited)
      const file = join(data, "log.db")
      const whole = readFileSync(file)
      const damages = [
        () => truncateSync(file, Math.floor(whole.length / 2)),
        () => writeFileSync(file, Buffer.concat([Buffer.from("this is no log"), whole.subarray(14)]))
      ]
      for (const damage of damages) {
        damage()
        const before = readFileSync(file)
        const broken = chat(["serve", "--port", "0", "--data", data])
        assert.strictEqual(yield* Effect.promise(() => broken.exited), 1)
        assert.match(broken.stderr(), /^chat: [^\n]*log\.db is (damaged|not a log)[^\n]*; [^\n]*choose another folder\n$/)
        assert.deepStrictEqual(readFileSync(file), before)
        writeFileSync(file, whole)
      }
    }))

  it.live("starts in a folder that may not be written, or that is a file, with one line that says so", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const file = join(data, "file")
      writeFileSync(file, "")
      for (const [args, code, line] of [
        [["--data", join(file, "below")], 1, /^chat: \S+file is a file, not a folder; choose another with --data\n$/],
        // On Linux none can be made there, and Node tries for ever.
        [["--data", "/proc/chat/data"], 1, /^chat: cannot create the folder \/proc\/chat\/data; check its permissions, or choose another with --data\n$/],
        [["--retain", "30d"], 2, /^chat: --retain and --retain-size are about what is kept in a folder; add --data FOLDER\n$/],
        [["--data", data, "--retain", "a while"], 2, /^chat: --retain must be a duration such as 30d or 12h, not "a while"/],
        [["--data", data, "--retain-size", "much"], 2, /^chat: --retain-size must be a size such as 1GB or 500MB, not "much"/]
      ] as const) {
        const started = chat(["serve", "--port", "0", ...args])
        assert.strictEqual(yield* Effect.promise(() => started.exited), code, args.join(" "))
        assert.match(started.stderr(), line)
      }
    }))

  it.live("forgets what is older than it is to keep, and says so to who comes back to it", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const before = yield* serve(data)
      const ana = yield* socket(before.port)
      yield* says(ana, JSON.stringify({ _tag: "Join", room: "den" }))
      // Only what is before a snapshot of the world is cut, and there is one after so many.
      for (let i = 0; i < 110; i++) yield* says(ana, ...Array.from({ length: 100 }, () => JSON.stringify({ _tag: "Say", target: "#den", text: "old" })))
      yield* Effect.promise(() => ana.until((text) => text.length > 10_000 && text.split("\"old\"").length > 11_000))
      const [{ epoch } = { epoch: undefined }] = objects(ana)
      before.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => before.exited), 0)
      const running = yield* serve(data, "--retain", "1ms")
      const ask = Effect.gen(function*() {
        const reader = yield* socket(running.port)
        yield* says(reader, JSON.stringify({ _tag: "Join", room: "den", after: 0, epoch }))
        yield* reads(reader, /"_tag":"RoomInfo"[^\n]*\n/)
        return objects(reader).map(({ _tag }) => _tag)
      }).pipe(Effect.scoped)
      let told: ReadonlyArray<unknown> = []
      yield* eventually("it is cut", async () => {
        told = await Effect.runPromise(ask)
        return told.length < 2000
      })
      assert.strictEqual(told[1], "Missed")
    }))

  it.live("row 54: on a disk that is full refuses what cannot be kept, shows it to nobody, and goes on when there is room", (context) =>
    Effect.gen(function*() {
      const disk = yield* folder
      const mounted = yield* Effect.acquireRelease(
        Effect.sync(() => {
          try {
            execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { stdio: "ignore" })
            return true
          } catch {
            return false
          }
        }),
        (mounted) => Effect.sync(() => void (mounted && execFileSync("umount", ["-l", disk], { stdio: "ignore" })))
      )
      if (!mounted) return context.skip("a disk that fills is mounted, which takes root on Linux")
      yield* Effect.gen(function*() {
        const ballast = join(disk, "ballast")
        writeFileSync(ballast, Buffer.alloc(900_000))
        const running = yield* serve(join(disk, "data"))
        const ready = () => fetch(`http://127.0.0.1:${running.port}/readyz`).then(({ status }) => status)
        const ana = yield* socket(running.port)
        const bo = yield* socket(running.port)
        for (const [client, nick] of [[ana, "ana"], [bo, "bo"]] as const) {
          yield* says(client, JSON.stringify({ _tag: "SetNick", nick }), JSON.stringify({ _tag: "Join", room: "den" }))
          yield* reads(client, /"_tag":"RoomInfo"[^\n]*\n/)
        }
        assert.strictEqual(yield* Effect.promise(ready), 200)
        let said = 0
        while (!ana.text().includes("Refused") && said < 10_000) {
          yield* says(ana, JSON.stringify({ _tag: "Say", target: "#den", text: `${said++} ${"x".repeat(2000)}` }))
          yield* Effect.promise(() => ana.until((text) => text.split("\n").filter((line) => /"_tag":"(Said|Refused)"/.test(line)).length >= said))
        }
        assert.include(objects(ana).find(({ _tag }) => _tag === "Refused"), { reason: "it could not be kept: the disk is full" })
        assert.strictEqual(yield* Effect.promise(ready), 503)
        // It lives, and what needs no keeping works.
        yield* says(bo, JSON.stringify({ _tag: "Names", room: "den" }))
        yield* reads(bo, /"_tag":"Members"/)
        rmSync(ballast)
        yield* eventually("it writes again", async () => await ready() === 200)
        yield* says(ana, JSON.stringify({ _tag: "Say", target: "#den", text: "there is room again" }))
        for (const client of [ana, bo]) yield* reads(client, /there is room again[^\n]*\n/)
        const textsOf = (client: { readonly text: () => string }) => objects(client).filter(({ _tag }) => _tag === "Said").map(({ text }) => text)
        assert.deepStrictEqual(textsOf(bo), textsOf(ana), "what was refused was shown to nobody")
        yield* kill(running)
        const again = yield* serve(join(disk, "data"))
        const whole = yield* wholeOf(again, undefined)
        assert.deepStrictEqual(whole.filter(({ _tag }) => _tag === "Said").map(({ text }) => text), textsOf(ana))
        // With no room at all it still closes in order and in time, and does not begin.
        const cy = yield* socket(again.port)
        yield* says(cy, JSON.stringify({ _tag: "Join", room: "den" }))
        yield* reads(cy, /"_tag":"RoomInfo"[^\n]*\n/)
        fill(disk)
        for (let said = 0; !cy.text().includes("Refused") && said < 1000; said++) {
          yield* says(cy, JSON.stringify({ _tag: "Say", target: "#den", text: `${said} ${"y".repeat(3000)}` }))
          yield* Effect.promise(() => cy.until((text) => text.split("\n").filter((line) => /"_tag":"(Said|Refused)"/.test(line)).length > said))
        }
        again.child.kill("SIGTERM")
        assert.strictEqual(yield* Effect.promise(() => again.exited), 0)
        yield* reads(cy, /"_tag":"Closing"/)
        fill(disk)
        const started = chat(["serve", "--port", "0", "--data", join(disk, "data")])
        assert.strictEqual(yield* Effect.promise(() => started.exited), 1)
        assert.match(started.stderr(), /^chat: nothing can be kept[^\n]*: the disk is full[^\n]*\n$/)
      }).pipe(Effect.scoped)
    }), 60_000)

  it.live("leaves nothing of itself in memory-only use: no folder is made without --data", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const running = yield* program([], { cwd: data })
      yield* reads(yield* socket(running.port), "-!- Welcome")
      assert.isFalse(existsSync(join(data, "log.db")))
    }))
})
