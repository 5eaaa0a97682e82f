/**
 * Newcomers on IRC: what somebody says who has not come in yet, in whatever pieces it arrives, and what they are told.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Memory } from "../src/testing.ts"
import { type HouseOptions, open, settled } from "./house.ts"
import { inShort, onIrc } from "./scene.ts"

let fences = 0

/** Once a client was told everything that was ordered before now; or was closed. */
export const fence = Effect.fnUntraced(function*(client: Memory.Client) {
  const word = `fence${++fences}`
  client.send(`PING ${word}\r\n`)
  for (let turns = 0; turns < 20 && !client.isClosed(); turns++) {
    yield* settled
    if (client.text().includes(` :${word}\r\n`)) return
  }
  if (!client.isClosed()) assert.fail(`no answer to PING; what was read:\n${client.text()}`)
})

/** What a client was told, the greeting as one word; what comes of fences is left out. */
export const told = (client: Memory.Client): ReadonlyArray<string> => {
  const lines = client.text().split("\r\n").slice(0, -1).filter((line) => !/ PONG \S+ :fence\d+$/.test(line)).map(inShort)
  const from = lines.findIndex((line) => line.startsWith("001 "))
  const to = lines.findIndex((line) => line.startsWith("221 "))
  return from === -1 ? lines : [...lines.slice(0, from), `GREETING ${lines[from]!.split(" ")[1]}`, ...lines.slice(to + 1)]
}

/** Bytes as a client may send them: all at once, a line at a time, or a byte at a time. The answers are the same. */
const cuts: ReadonlyArray<readonly [how: string, cut: (text: string) => ReadonlyArray<string>]> = [
  ["in one segment", (text) => [text]],
  ["line by line", (text) => text.split(/(?<=\n)/)],
  ["byte by byte", (text) => text.split("")]
]

/**
 * What a newcomer says (`>`) and is told (`<`); ana is here already. `GREETING nick` is all from RPL_WELCOME to RPL_UMODEIS,
 * and `CLOSED` the end.
 */
export const comings = (source: string, table: ReadonlyArray<readonly [what: string, talk: string, options?: HouseOptions]>): void => {
  for (const [what, talk, options] of table) {
    const steps = talk.split("\n").map((line) => line.trim()).filter((line) => line !== "")
    const said = steps.filter((line) => line.startsWith(">")).map((line) => `${line.slice(2)}\r\n`).join("")
      .replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    const expected = steps.filter((line) => line.startsWith("<")).map((line) => line.slice(2).replace(/ \$$/, " "))
    for (const [how, cut] of cuts) {
      it.effect(`${source}: ${what} (${how})`, () =>
        Effect.gen(function*() {
          const house = yield* open(options)
          if (options?.admits === undefined) yield* onIrc(house, "ana")
          const client = house.connect()
          for (const part of cut(said)) {
            client.send(Buffer.from(part, "latin1"))
            yield* settled
          }
          yield* fence(client)
          assert.deepStrictEqual([...told(client), ...client.isClosed() ? ["CLOSED"] : []], expected)
        }))
    }
  }
}
