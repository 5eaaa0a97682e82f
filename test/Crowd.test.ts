/** Many comings and goings, summed up. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Crowd from "../src/Crowd.ts"
import type { Entry, Fact } from "../src/Event.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, anyFact } = Arbitraries
const nick = among("ana", "bo", "cy", "dan")
const moves = Arbitrary.array(Arbitrary.all({ nick, to: nick, going: among("Left", "Quit", "Renamed") }), { maxLength: 20 })

describe("a crowd", () => {
  it.prop("comes to what its comings and goings come to", { here: Arbitrary.array(nick, { maxLength: 4 }), moves }, ({ here, moves }) => {
    const before = new Set<string>(here)
    const now = new Set(before)
    const events = moves.flatMap(({ going, nick, to }): ReadonlyArray<Crowd.Presence> => {
      if (!now.has(nick)) {
        now.add(nick)
        return [{ _tag: "Joined", room: "den", nick }]
      }
      if (going === "Renamed" && now.has(to)) return []
      now.delete(nick)
      if (going === "Left") return [{ _tag: "Left", room: "den", nick }]
      if (going === "Quit") return [{ _tag: "Quit", nick, rooms: ["den"], reason: "" }]
      now.add(to)
      return [{ _tag: "Renamed", nick, to }]
    })
    const { again, joined, left, renamed } = Crowd.sum(events)
    const gone = [...left, ...again, ...renamed.map(({ nick }) => nick)]
    const come = [...joined, ...again, ...renamed.map(({ to }) => to)]
    const stayed = new Map([...before].map((nick) => [nick, nick]))
    for (const event of events) {
      if (event._tag === "Joined") continue
      const first = stayed.get(event.nick)
      stayed.delete(event.nick)
      if (event._tag === "Renamed" && first !== undefined) stayed.set(event.to, first)
    }
    assert.deepStrictEqual(
      new Map([...before].filter((nick) => !gone.includes(nick)).map((nick) => [nick, nick]).concat(renamed.map(({ nick, to }) => [to, nick])) as Array<[string, string]>),
      stayed,
      "whoever stayed is what they were before"
    )
    assert.deepStrictEqual(new Set([...before].filter((nick) => !gone.includes(nick)).concat(come)), now)
    assert.isTrue(gone.every((nick) => before.has(nick)), "only those go who were there")
    assert.lengthOf(gone, new Set(gone).size)
    assert.lengthOf(come, new Set(come).size)
    assert.isFalse(joined.some((nick) => left.includes(nick)), "nobody is told to have come and gone")
  }, { arbitrary: { runs: 1000 } })

  it.prop("is comings and goings, and nothing that was said among them", { facts: Arbitrary.array(anyFact, { maxLength: 20 }) }, ({ facts }) => {
    const entries = facts.map((event, seq): Entry => ({ seq, at: 0, id: "m", by: "s1", event }))
    const comings = new Set<Fact["_tag"]>(["Joined", "Left", "Quit", "Renamed"])
    for (let start = 0; start <= entries.length; start++) {
      const end = start + Crowd.run(entries, start)
      assert.isTrue(facts.slice(start, end).every(({ _tag }) => comings.has(_tag)))
      assert.isFalse(end < facts.length && comings.has(facts[end]!._tag))
    }
  }, { arbitrary: { runs: 200 } })
})
