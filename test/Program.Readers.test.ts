/**
 * Readers who stop, go on, and are gone at any moment, while others talk: in every dialect whoever reads is told everything in
 * order, nobody is told anything twice or damaged, and the program goes on.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import { ended, memory, processesShow } from "./clients.ts"
import { program } from "./support.ts"

/** Numbers from 0 to 1 that are the same in every run (Park and Miller's). */
const randoms = (seed: number) => () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647

interface Kind {
  readonly dialect: string
  /** What whoever comes says first, and what shows that it is in. */
  readonly hello: (nick: string) => string
  readonly ready: RegExp
  readonly say: (text: string) => string
  /** How long a text is, in characters. */
  readonly length: number
  /** How many of them are said in all. */
  readonly messages: number
  readonly talkers: number
}

const kinds: ReadonlyArray<Kind> = [
  // What several say at once may be cut and mixed, so only one talks.
  { dialect: "raw", hello: () => "", ready: /^/, say: (text) => `${text}\n`, length: 16_000, messages: 6000, talkers: 1 },
  { dialect: "plain", hello: (nick) => `/nick ${nick}\n`, ready: /you are now/, say: (text) => `${text}\n`, length: 3500, messages: 12_000, talkers: 3 },
  {
    dialect: "json",
    hello: (nick) => `{"_tag":"SetNick","nick":"${nick}"}\n{"_tag":"Join","room":"lobby"}\n`,
    ready: /"RoomInfo"/,
    say: (text) => `{"_tag":"Say","target":"#lobby","text":"${text}"}\n`,
    length: 3500,
    messages: 12_000,
    talkers: 3
  },
  {
    dialect: "irc",
    hello: (nick) => `NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\nJOIN #lobby\r\n`,
    ready: / 366 /,
    say: (text) => `PRIVMSG #lobby :${text}\r\n`,
    length: 400,
    messages: 40_000,
    talkers: 3
  }
]

const fickle = 20
/** Said and not yet heard by the one who reads, at most. */
const window = 64
/** After so many messages some of the others do something else. */
const spell = 64

const text = (kind: Kind, talker: number, number: number): string => `S${talker}N${number}E`.padEnd(kind.length, "x") + "$"

const message = /S(\d)N(\d+)E(x*)\$/g

/** Somebody in the lobby: how many messages of each talker it was told, and what was wrong with one. */
class Member {
  readonly socket: Net.Socket
  /** The number of the last message of each talker; none yet is -1. */
  readonly last: Array<number>
  wrong: string | undefined
  skipped = 0
  readonly ready: Promise<void>
  constructor(port: number, kind: Kind, nick: string, heard: () => void = () => {}) {
    this.last = Array.from({ length: kind.talkers }, () => -1)
    this.socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    this.socket.on("error", () => {})
    this.socket.write(kind.hello(nick))
    let rest = ""
    this.ready = new Promise((resolve) => {
      if (kind.hello("") === "") this.socket.once("connect", () => resolve())
      this.socket.on("data", (bytes: Buffer) => {
        rest += bytes.toString("latin1")
        const end = rest.lastIndexOf("\n") + 1
        const lines = rest.slice(0, end)
        rest = rest.slice(end)
        if (kind.ready.test(lines)) resolve()
        for (const [, talker, number, filling] of lines.matchAll(message)) this.#hear(kind, Number(talker), Number(number), filling!)
        heard()
      })
    })
  }
  #hear(kind: Kind, talker: number, number: number, filling: string): void {
    const before = this.last[talker]!
    if (number <= before) this.wrong ??= `message ${number} of ${talker} after ${before}`
    if (filling.length + `S${talker}N${number}E`.length !== kind.length) this.wrong ??= `message ${number} of ${talker} is damaged`
    if (before !== -1) this.skipped += number - before - 1
    this.last[talker] = number
  }
}

const soak = (kind: Kind, port: number, seed: number) =>
  new Promise<{ readonly reader: Member; readonly others: ReadonlyArray<Member> }>((resolve, reject) => {
    const random = randoms(seed)
    const all: Array<Member> = []
    const others: Array<Member> = []
    const join = (heard?: () => void): Member => {
      const member = new Member(port, kind, `r${all.length}`, heard)
      all.push(member)
      return member
    }
    const stir = () => {
      others.forEach((member, i) => {
        const choice = random()
        if (choice < 0.3) member.socket.pause()
        else if (choice < 0.5) member.socket.resume()
        else if (choice < 0.52) member.socket.end()
        else if (choice < 0.58) {
          if (choice < 0.55) member.socket.destroy()
          else member.socket.resetAndDestroy()
          others[i] = join()
        }
      })
    }
    let said = 0
    let stirred = 0
    const talkers = Array.from({ length: kind.talkers }, () => join())
    const reader: Member = join(() => {
      const heard = reader.last.reduce((sum, number) => sum + number + 1, 0)
      for (; stirred + spell <= heard; stirred += spell) stir()
      if (heard === kind.messages) {
        for (const { socket } of all) socket.destroy()
        resolve({ reader, others: all.filter((member) => member !== reader) })
      } else talk(heard)
    })
    const talk = (heard: number) => {
      for (; said < kind.messages && said - heard < window; said++) {
        const talker = said % kind.talkers
        talkers[talker]!.socket.write(kind.say(text(kind, talker, Math.floor(said / kind.talkers))))
      }
    }
    reader.socket.once("close", () => reject(new Error("the one who reads was thrown out")))
    for (let i = 0; i < fickle; i++) others.push(join())
    void Promise.all(all.map(({ ready }) => ready)).then(() => talk(0))
  })

describe("readers who stop, go on and are gone at any moment", () => {
  for (const kind of kinds) {
    it.live(`rows 19 and 49: in ${kind.dialect} whoever reads is told all of it in order, and the others nothing twice`, () =>
      Effect.gen(function*() {
        const server = yield* program(["--dialect", kind.dialect, "--rate", "off", "--log-level", "warn"])
        const seed = 19_760
        const { others, reader } = yield* Effect.promise(() => soak(kind, server.port, seed))
        assert.isUndefined(reader.wrong)
        assert.strictEqual(reader.skipped, 0)
        for (const member of others) assert.isUndefined(member.wrong)
        // Each may have some megabytes unsent, in the room's ring or on the way; what a server that keeps all would have is far more.
        if (processesShow) assert.isBelow(memory(server), 600)
        server.child.kill("SIGTERM")
        assert.strictEqual(yield* ended(server), 0)
        assert.notInclude(server.stderr(), "error")
      }), 60_000)
  }
})
