/** Who is in a room, in pieces that stay the same as long as nobody in them changes. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as HashMap from "effect/HashMap"
import { Rank } from "../src/Command.ts"
import * as Answers from "../src/Dialect/Irc/Answers.ts"
import * as Capabilities from "../src/Dialect/Irc/Capabilities.ts"
import { Arbitraries } from "../src/testing.ts"
import * as World from "../src/World.ts"
import * as Roster from "../src/World/Roster.ts"
import { by, life, moment, play } from "./world.ts"

const { among, int } = Arbitraries
const runs = { arbitrary: { runs: 150, size: 60 } }

const steps = Arbitrary.array(Arbitrary.all({ what: among("add", "add", "remove", "renew"), number: int(0, 300) }), { maxLength: 200 })

const of = (numbers: Iterable<number>): Roster.Roster =>
  [...numbers].sort((a, b) => a - b).reduce((roster, number) => Roster.add(roster, number, `s${number}`), Roster.empty)

describe("a roster", () => {
  it.prop("is the same for the same members, whoever came and went, and holds them in order", { steps }, ({ steps }) => {
    const here = new Set<number>()
    let roster = Roster.empty
    for (const { number, what } of steps) {
      const before = roster
      if (what === "remove") {
        roster = Roster.remove(roster, number)
        here.delete(number)
      } else if (what === "renew") roster = Roster.renew(roster, number)
      else if (!here.has(number)) {
        roster = Roster.add(roster, number, `s${number}`)
        here.add(number)
      }
      assert.deepStrictEqual(roster, of(here))
      for (const piece of roster) {
        const touched = piece.at === Math.floor(number / Roster.span)
        assert.isTrue(touched || before.includes(piece), "who is in other pieces is not touched")
        if (what === "renew" && touched && here.has(number)) assert.isFalse(before.includes(piece), "whose piece it is, it is another")
      }
    }
  }, runs)

  it.prop("keeps a piece only while nobody in it is called otherwise, has another rank or goes away", { life }, ({ life }) => {
    for (const { after, before } of play(life)) {
      for (const [key, room] of after.rooms) {
        const was = World.room(before, key)
        for (const piece of room.roster) {
          if (was === undefined || !was.roster.includes(piece)) continue
          for (const id of piece.ids) {
            const [then, now] = [World.person(before, id)!, World.person(after, id)!]
            assert.deepStrictEqual(
              [now.nick, now.user, now.address, now.away, World.rank(room, id)],
              [then.nick, then.user, then.address, then.away, World.rank(was, id)]
            )
          }
        }
      }
    }
  }, runs)
})

describe("the names of a channel with many in it", () => {
  const many = 150
  const crowd = play(Array.from({ length: many }, (_, i) => by(`c${i}`, { _tag: "Arrive", nick: `n${i}${"x".repeat(i % 20)}` }, { _tag: "Join", room: "den" })).flat())
  const first = crowd[crowd.length - 1]!.after

  const namesIn = (world: World.World, caps: Capabilities.Set): ReadonlyArray<string> => {
    const nick = World.person(world, "c0")!.nick
    const lines = Answers.answer({ server: "chat.local", nick, caps }, { _tag: "Names", rooms: ["#den"] }, {
      _tag: "Observed",
      question: undefined,
      world,
      moment: moment()
    })
    for (const line of lines) assert.isAtMost(line.length, 512)
    return lines.filter((line) => line.includes(" 353 ")).flatMap((line) => line.trimEnd().slice(line.indexOf(" :") + 2).split(" "))
  }

  const { "multi-prefix": multiPrefix, "userhost-in-names": userhost } = Capabilities.bits

  const signs: Record<Rank, string> = { member: "", voice: "+", operator: "@", "voiced operator": "@+" }

  const happenings = Arbitrary.array(Arbitrary.all({
    who: int(0, many - 1),
    what: among("Left", "Renamed", "RankSet", "AwaySet", "Quit"),
    rank: Arbitrary.schema(Rank)
  }), { minLength: 1, maxLength: 12 })

  it.prop("are those who are in it now, whatever was told before", { happenings }, ({ happenings }) => {
    let world = first
    for (const [i, { rank, what, who }] of happenings.entries()) {
      const id = `c${who}`
      const person = World.person(world, id)
      if (person === undefined || (who === 0 && what !== "Renamed")) continue
      const { nick } = person
      world = World.evolve(
        world,
        id,
        what === "Left"
          ? { _tag: "Left", room: "den", nick }
          : what === "Renamed"
          ? { _tag: "Renamed", nick, to: `m${i}` }
          : what === "RankSet"
          ? { _tag: "RankSet", room: "den", nick, by: nick, rank }
          : what === "AwaySet"
          ? { _tag: "AwaySet", nick, message: "out" }
          : { _tag: "Quit", nick, rooms: ["den"], reason: "" },
        0
      )
      const room = World.room(world, "den")!
      assert.isAbove(HashMap.size(room.members), 100)
      // Each by its own capabilities, though all ask about the same pieces.
      for (const caps of [0, multiPrefix, userhost, multiPrefix | userhost]) {
        const expected = World.membersOf(world, room).map(([{ address, nick, user }, rank]) =>
          signs[rank].slice(0, caps & multiPrefix ? 2 : 1) + (caps & userhost ? `${nick}!${user}@${address}` : nick)
        )
        assert.deepStrictEqual([...namesIn(world, caps)].sort(), expected.sort())
      }
    }
  }, { arbitrary: { runs: 60 } })
})
