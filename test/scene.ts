/**
 * Scenes: people who speak different dialects in one house, what they say, and every line that each of them is told,
 * written down as text. Time stands still unless the scene lets it pass.
 *
 *     cy has multi-prefix      what cy's client asks for on coming; an irc client is without anything else
 *     pia speaks plain         or json; who is not mentioned speaks irc
 *     #den: ana bo             they come into the room, in this order, before the scene begins
 *     ana > PART #den          ana says this
 *     ana bo < ana PART #den   ana and bo are told this, next; who is not mentioned is told nothing
 *     2 minutes pass
 *
 * Of irc lines, the server as a source is left out, `:ana!~ana@memory` is written `ana`, and every msgid `*`. Of json, what is the same in
 * every message: where it stands and when it was.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { Memory } from "../src/testing.ts"
import { fence, type House, type HouseOptions, open, understood } from "./house.ts"

interface Player {
  readonly client: Memory.Client
  /** Once it has been told everything that was ordered before now. */
  readonly fence: Effect.Effect<unknown>
  /** What it was told, one line each, without what comes of fences. */
  readonly told: () => ReadonlyArray<string>
  /** How many of them were looked at. */
  seen: number
}

let fences = 0

export const inShort = (line: string): string =>
  line.replace(/^((?:@\S+ )?):effect-chat\.local /, "$1").replace(/^((?:@\S+ )?):([^ !]+)!~\2@memory /i, "$1$2 ").replace(/^(@\S*?msgid=)[^; ]+/, "$1*")

const lines = (client: Memory.Client, ending: string): ReadonlyArray<string> => client.text().split(ending).slice(0, -1)

/** Somebody on an IRC client, who has arrived. */
export const onIrc = Effect.fnUntraced(function*(house: Pick<House, "connect">, nick: string, caps = "") {
  const client = house.connect()
  const asked = caps === "" ? "" : `CAP LS 302\r\nCAP REQ :${caps}\r\n`
  client.send(`${asked}NICK ${nick}\r\nUSER ${nick} 0 * :${nick} Person\r\n${asked === "" ? "" : "CAP END\r\n"}`)
  yield* client.until(` 221 ${nick} `)
  const player: Player = {
    client,
    seen: 0,
    told: () => lines(client, "\r\n").filter((line) => !/ PONG \S+ :fence\d+$|^PING :/.test(line)).map(inShort),
    fence: Effect.suspend(() => {
      const word = `fence${++fences}`
      client.send(`PING ${word}\r\n`)
      return client.until(` :${word}\r\n`)
    })
  }
  player.seen = player.told().length
  return player
})

/** Where something stands and when it was, wherever it is said. */
const withoutStamps = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutStamps)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !["seq", "at", "id"].includes(key)).map(([key, inner]) => [key, withoutStamps(inner)])
  )
}

const onJson = Effect.fnUntraced(function*(house: Pick<House, "connect">, nick: string) {
  const client = house.connect()
  client.send(`{"_tag":"SetNick","nick":"${nick}"}\n`)
  yield* fence(client)
  const player: Player = {
    client,
    seen: 0,
    told: () => lines(client, "\n").filter((line) => !line.includes("there is no room #fence")).map((line) => JSON.stringify(withoutStamps(JSON.parse(line)))),
    fence: Effect.suspend(() => fence(client))
  }
  player.seen = player.told().length
  return player
})

const onPlain = Effect.fnUntraced(function*(house: Pick<House, "connect">, nick: string) {
  const client = house.connect()
  client.send(`/nick ${nick}\n`)
  yield* understood(client)
  const player: Player = {
    client,
    seen: 0,
    told: () => lines(client, "\n").filter((line) => !line.startsWith("-!- there is nobody called nobody")),
    fence: Effect.suspend(() => understood(client))
  }
  player.seen = player.told().length
  return player
})

type Step =
  | { readonly _tag: "Has"; readonly who: string; readonly caps: string }
  | { readonly _tag: "Speaks"; readonly who: string; readonly dialect: string }
  | { readonly _tag: "In"; readonly room: string; readonly who: ReadonlyArray<string> }
  | { readonly _tag: "Pass"; readonly minutes: number }
  | { readonly _tag: "Say"; readonly who: string; readonly line: string }
  | { readonly _tag: "Told"; readonly who: ReadonlyArray<string>; readonly line: string }

const words = (text: string): ReadonlyArray<string> => text.split(" ").filter((word) => word !== "")

/** A line of a scene. `\x01` and the like stand for bytes that cannot be seen. */
const step = (line: string): Step => {
  const match = (pattern: RegExp) => pattern.exec(line)?.slice(1) as [string, string] | undefined
  const visible = (text: string) =>
    text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  const said = match(/^(\w+) > ?(.*)$/)
  if (said !== undefined) return { _tag: "Say", who: said[0], line: visible(said[1]) }
  const told = match(/^([\w ]+?) < ?(.*)$/)
  if (told !== undefined) return { _tag: "Told", who: words(told[0]), line: visible(told[1]) }
  const has = match(/^(\w+) has (.*)$/)
  if (has !== undefined) return { _tag: "Has", who: has[0], caps: has[1] }
  const speaks = match(/^(\w+) speaks (\w+)$/)
  if (speaks !== undefined) return { _tag: "Speaks", who: speaks[0], dialect: speaks[1] }
  const inRoom = match(/^(#\S+): (.*)$/)
  if (inRoom !== undefined) return { _tag: "In", room: inRoom[0], who: words(inRoom[1]) }
  const pass = match(/^(\d+) minutes? pass(?:es)?$/)
  if (pass !== undefined) return { _tag: "Pass", minutes: Number(pass[0]) }
  throw new Error(`that is no line of a scene: ${line}`)
}

const parse = (text: string): ReadonlyArray<Step> => text.split("\n").map((line) => line.trim()).filter((line) => line !== "").map(step)

const cameIn = (dialect: string, room: string): string =>
  dialect === "irc" ? `JOIN ${room}\r\n` : dialect === "plain" ? `/join ${room}\n` : `{"_tag":"Join","room":"${room.slice(1)}"}\n`

/** What everybody who plays in a scene was told since one last looked. */
const news = (players: ReadonlyMap<string, Player>): string =>
  [...players].flatMap(([nick, player]) => {
    const told = player.told()
    const fresh = told.slice(player.seen)
    player.seen = told.length
    return fresh.map((line) => `${nick} < ${line}`)
  }).join("\n")

/** Play a scene in a new house. */
export const play = Effect.fnUntraced(function*(text: string, options: HouseOptions = {}) {
  const house = yield* open(options)
  const steps = parse(text)
  const caps = new Map(steps.flatMap((one) => one._tag === "Has" ? [[one.who, one.caps]] : []))
  const dialects = new Map(steps.flatMap((one) => one._tag === "Speaks" ? [[one.who, one.dialect]] : []))
  const nicks = new Set(steps.flatMap((one) => one._tag === "Say" ? [one.who] : one._tag === "Told" || one._tag === "In" ? one.who : []))
  const players = new Map<string, Player>()
  const dialect = (nick: string) => dialects.get(nick) ?? "irc"
  for (const nick of nicks) {
    const enter = dialect(nick) === "plain" ? onPlain(house, nick) : dialect(nick) === "json" ? onJson(house, nick) : onIrc(house, nick, caps.get(nick))
    players.set(nick, yield* enter)
  }
  const gone = new Set<Player>()
  const settle = (first?: Player) =>
    Effect.gen(function*() {
      const others = [...players.values()].filter((player) => player !== first)
      for (const player of first === undefined ? others : [first, ...others]) yield* (gone.has(player) ? player.client.closed : player.fence)
    })
  for (const one of steps) {
    if (one._tag !== "In") continue
    for (const nick of one.who) {
      const player = players.get(nick)!
      player.client.send(cameIn(dialect(nick), one.room))
      yield* player.fence
    }
  }
  yield* settle()
  news(players)
  let speaker: Player | undefined
  let spoken = ""
  let expected: Array<Step & { readonly _tag: "Told" }> = []
  const compare = Effect.gen(function*() {
    yield* settle(speaker)
    const wanted = [...players.keys()].flatMap((nick) => expected.filter(({ who }) => who.includes(nick)).map(({ line }) => `${nick} < ${line}`)).join("\n")
    assert.strictEqual(news(players), wanted, `after ${spoken}`)
    expected = []
  })
  for (const [i, one] of steps.entries()) {
    if (one._tag === "Pass") {
      for (let minute = 0; minute < one.minutes; minute++) {
        yield* TestClock.adjust(60_000)
        yield* settle()
      }
    } else if (one._tag === "Told") expected.push(one)
    else if (one._tag === "Say") {
      speaker = players.get(one.who)!
      spoken = `${one.who} > ${one.line}`
      speaker.client.send(`${one.line}\r\n`)
      if (/^(?:QUIT|\/quit|\{"_tag":"Quit")/i.test(one.line)) gone.add(speaker)
      // What several say one after the other is heard before it is compared.
      if (steps[i + 1]?._tag === "Say") yield* settle(speaker)
    }
    if ((one._tag === "Say" || one._tag === "Told") && steps[i + 1]?._tag !== "Told" && steps[i + 1]?._tag !== "Say") yield* compare
    else if (one._tag === "Told" && steps[i + 1]?._tag === "Say") yield* compare
  }
})

/** A table of scenes: what is shown, and the scene. `source` says where it is written that it must be so. */
export const scenes = (source: string, table: ReadonlyArray<readonly [what: string, scene: string, options?: HouseOptions]>): void => {
  for (const [what, scene, options] of table) it.effect(`${source}: ${what}`, () => play(scene, options))
}
