import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import { type Command, runs } from "../src/Command.ts"
import type { Fact, SessionId } from "../src/Event.ts"
import * as Name from "../src/Name.ts"
import { Arbitraries } from "../src/testing.ts"
import * as Mask from "../src/Mask.ts"
import * as World from "../src/World.ts"
import * as Snapshot from "../src/World/Snapshot.ts"
import { by, contradictions, excesses, keptOf, life, moment, refusalsOf } from "./world.ts"

const { anyFact, int } = Arbitraries
const runsOf = { arbitrary: { runs: 60 } }

interface Happened {
  readonly by: SessionId
  readonly event: Fact
  readonly at: number
}

/** What happens in the lives of a server: people ask, and now and then it begins again, or closes first. */
const lives = Arbitrary.all({
  life,
  ends: Arbitrary.array(Arbitrary.all({ turn: int(0, 100), closes: Arbitrary.map(int(0, 2), (n) => n > 0), hours: int(0, 30) }), { maxLength: 4 })
})

const play = ({ ends, life }: { life: ReadonlyArray<{ by: SessionId; command: Command }>; ends: ReadonlyArray<{ turn: number; closes: boolean; hours: number }> }) => {
  const happened: Array<Happened> = []
  const worlds: Array<World.World> = [World.empty]
  let world = World.empty
  let clock = 0
  let run = 0
  const happens = (by: SessionId, event: Fact) => {
    happened.push({ by, event, at: clock })
    worlds.push(world = World.evolve(world, by, event, clock))
  }
  const ask = (by: SessionId, command: Command) => {
    for (const { event } of keptOf(World.decide(world, by, command, moment(clock, by.slice(0, 2))))) happens(by, event)
  }
  for (const [turn, { by, command }] of life.entries()) {
    for (const end of ends) {
      if (end.turn !== turn) continue
      if (end.closes) for (const id of [...HashMap.keys(world.persons)].slice(end.hours % 3)) ask(id, { _tag: "Dismiss", reason: "closing" })
      clock += end.hours * 3_600_000
      happens("server", { _tag: "Restarted" })
      run++
      // They come back, or some of them do.
      for (const id of ["s1", "s2", "s3", "s4"].slice(end.hours % 4)) {
        ask(`${id}-${run}`, { _tag: "Arrive", nick: { s1: "ana", s2: "bo", s3: "cy", s4: "dan" }[id]! })
        ask(`${id}-${run}`, { _tag: "Join", room: "den" })
      }
    }
    clock++
    ask(run === 0 ? by : `${by}-${run}`, command)
  }
  return { happened, worlds }
}

const textOf = (world: World.World) => [...Snapshot.encode(world)].join("")
const decoded = (world: World.World) => Result.getOrThrowWith(Snapshot.decode(textOf(world)), (why) => new Error(why))
const fold = (from: World.World, happened: ReadonlyArray<Happened>) =>
  happened.reduce((world, { at, by, event }) => World.evolve(world, by, event, at), from)

/** A world as plain data, whatever it is made of. */
const plainly = (world: World.World) => ({
  ...world,
  persons: new Map(world.persons),
  nicks: new Map(world.nicks),
  gone: new Map(world.gone),
  watchers: new Map(world.watchers),
  rooms: new Map(Array.from(world.rooms, ([key, room]) => [key, { ...room, members: new Map(room.members) }])),
  waiting: new Map(Array.from(world.waiting, ([key, room]) => [key, { ...room, members: new Map(room.members) }]))
})

describe("a world that is written down", () => {
  it.prop("is the same when it is read", { lives }, ({ lives }) => {
    const { worlds } = play(lives)
    for (const world of worlds.filter((_, i) => i % 7 === 0 || i === worlds.length - 1)) {
      assert.deepStrictEqual(plainly(decoded(world)), plainly(world))
    }
  }, runsOf)

  it.prop("and goes on from there is the one that was there all the time: a snapshot and the tail are the whole", {
    lives,
    cut: int(0, 200)
  }, ({ cut, lives }) => {
    const { happened, worlds } = play(lives)
    const at = Math.min(cut, happened.length)
    const again = fold(decoded(worlds[at]!), happened.slice(at))
    assert.deepStrictEqual(plainly(again), plainly(worlds.at(-1)!))
    assert.deepStrictEqual(contradictions(again), [])
  }, runsOf)

  it.prop("is none when a part of it is gone, or it is of another version", { lives, cut: int(1, 10_000) }, ({ cut, lives }) => {
    const text = textOf(play(lives).worlds.at(-1)!)
    assert.isTrue(Result.isFailure(Snapshot.decode(text.slice(0, -Math.min(cut, text.length)))))
    assert.isTrue(Result.isFailure(Snapshot.decode(text.replace("\"version\":1", "\"version\":2"))))
    const lines = text.split("\n")
    lines.splice(1 + cut % (lines.length - 2), 1)
    assert.isTrue(Result.isFailure(Snapshot.decode(lines.join("\n"))))
  }, runsOf)
})

describe("a server that begins again", () => {
  it.prop("finds nobody, and has a world that fits together", { lives }, ({ lives }) => {
    const { happened, worlds } = play(lives)
    for (const [i, world] of worlds.entries()) {
      if (i % 3 > 0 && happened[i - 1]?.event._tag !== "Restarted") continue
      assert.deepStrictEqual([...contradictions(world), ...excesses(world)], [])
      if (happened[i - 1]?.event._tag !== "Restarted") continue
      assert.deepStrictEqual([HashMap.size(world.persons), HashMap.size(world.nicks), HashMap.size(world.watchers)], [0, 0, 0])
      assert.deepStrictEqual([...HashMap.keys(world.rooms)], [Name.lobby])
    }
  }, runsOf)

  it.prop("keeps how rooms were that somebody was in, and lets whoever had a rank have it again", { lives }, ({ lives }) => {
    const { worlds } = play(lives)
    const before = worlds.at(-1)!
    const after = World.evolve(before, "server", { _tag: "Restarted" }, 1e12)
    for (const [key, room] of before.rooms) {
      if (key === Name.lobby) continue
      const waits = World.waitingRoom(after, key, 1e12)
      if (waits === undefined) {
        assert.isTrue(room.flags.has("invite-only"), "only a room that nobody can come into is gone")
        continue
      }
      const { invited: _, members: __, operators: ___, roster: ____, wait: _____, ...how } = room
      const { invited: _i, members: _m, operators: _o, roster: _r, wait, ...kept } = waits
      assert.deepStrictEqual(kept, how)
      for (const [who, ranked] of World.membersOf(before, room)) {
        if (ranked === "member") continue
        const found = wait!.absent.find((absent) => absent.who === Mask.written(who))
        assert.deepStrictEqual(found, { who: Mask.written(who), rank: ranked, at: 1e12 })
      }
    }
  }, runsOf)

  it.prop("has rooms that somebody runs, as long as somebody may come back to do so or has come", { lives, turn: int(0, 200) }, ({ lives }) => {
    for (const { rooms } of play(lives).worlds.slice(-20)) {
      for (const [key, { members, operators, wait }] of rooms) {
        if (key === Name.lobby || wait === undefined || operators > 0) continue
        assert.isFalse(HashMap.isEmpty(members))
        assert.isTrue(wait.closing || wait.absent.length > 0, "a room that waits for nobody does not wait")
      }
    }
  }, runsOf)

  it.prop("is not confused by what cannot have happened", { facts: Arbitrary.array(anyFact, { maxLength: 30 }) }, ({ facts }) => {
    let world = World.empty
    for (const event of facts) {
      world = World.evolve(World.evolve(world, "s1", event, 0), "server", { _tag: "Restarted" }, 0)
      assert.deepStrictEqual(contradictions(world), [])
    }
  }, runsOf)
})

// --- by example ------------------------------------------------------------------------------------------------------

const day = World.patience
const addresses: Record<string, string> = { s1: "192.0.2.1", s2: "192.0.2.2", s3: "192.0.2.3" }

/** What happens to a world, one thing after the other. */
const story = (start = World.empty) => {
  let world = start
  let clock = 0
  const refused: Array<string> = []
  const facts: Array<Fact> = []
  const tell = {
    ask: (who: SessionId, ...commands: ReadonlyArray<Command>) => {
      for (const { command } of by(who, ...commands)) {
        const outcomes = World.decide(world, who, command, { ...moment(clock), address: addresses[who.slice(0, 2)] ?? "::1" })
        refused.push(...refusalsOf(outcomes).map(({ code }) => code!))
        for (const { event } of keptOf(outcomes)) {
          facts.push(event)
          world = World.evolve(world, who, event, clock)
        }
      }
      return tell
    },
    arrives: (who: SessionId, nick: string, ...rooms: ReadonlyArray<string>) =>
      tell.ask(who, { _tag: "Arrive", nick }, ...rooms.map((room): Command => ({ _tag: "Join", room }))),
    later: (milliseconds: number) => {
      clock += milliseconds
      return tell
    },
    restarts: () => {
      world = World.evolve(world, "server", { _tag: "Restarted" }, clock)
      return tell
    },
    world: () => world,
    room: (name = "den") => World.room(world, name),
    rank: (who: SessionId, name = "den") => World.rank(World.room(world, name)!, who),
    refused,
    facts
  }
  return tell
}

const begun = () =>
  story().arrives("s1", "ana", "den").arrives("s2", "bo", "den").ask(
    "s1",
    { _tag: "SetTopic", room: "den", topic: "tea" },
    { _tag: "SetMask", room: "den", list: "ban", mask: "eve", on: true },
    { _tag: "SetRank", room: "den", nick: "bo", rank: "voice" }
  )

describe("a room that outlives the server", () => {
  it("is as it was for whoever comes, who has no rank; those who had one have it again", () => {
    const den = begun().restarts().later(1000)
    assert.isUndefined(den.room(), "it is not there while nobody is")
    den.arrives("s3-2", "cy", "den")
    assert.strictEqual(den.room()?.topic, "tea")
    assert.strictEqual(den.room()?.since, 0)
    assert.strictEqual(den.rank("s3-2"), "member")
    den.arrives("s1-2", "Ana", "den").arrives("s2-2", "bo", "den")
    assert.strictEqual(den.rank("s1-2"), "operator")
    assert.strictEqual(den.rank("s2-2"), "voice")
    assert.strictEqual(den.room()?.operators, 1)
    assert.isUndefined(den.room()?.wait, "nobody is awaited any more")
    assert.deepInclude(den.facts.filter(({ _tag }) => _tag === "RankSet"), {
      _tag: "RankSet", room: "den", nick: "Ana", by: "Ana", rank: "operator", was: "member", cause: "returned"
    })
    den.arrives("s4-2", "eve", "den")
    assert.deepStrictEqual(den.refused, ["banned"])
  })

  it("knows nobody by the nick alone", () => {
    const den = begun().restarts().arrives("s3-2", "ana", "den")
    assert.strictEqual(den.rank("s3-2"), "member")
  })

  it("cannot be taken over by whoever comes first and goes again", () => {
    const den = begun().restarts().arrives("s3-2", "cy", "den").ask("s3-2", { _tag: "Part", room: "den" }, { _tag: "Join", room: "den" })
    assert.strictEqual(den.rank("s3-2"), "member")
    assert.strictEqual(den.room()?.topic, "tea")
    den.arrives("s1-2", "ana", "den")
    assert.strictEqual(den.rank("s1-2"), "operator")
  })

  it("is gone after a day, and then whoever opens it runs another", () => {
    const den = begun().restarts().later(day + 1).arrives("s3-2", "cy", "den")
    assert.strictEqual(den.room()?.topic, "")
    assert.strictEqual(den.rank("s3-2"), "operator")
    assert.notStrictEqual(den.room()?.number, World.room(begun().world(), "den")?.number)
    den.arrives("s1-2", "ana", "den")
    assert.strictEqual(den.rank("s1-2"), "member")
  })

  it("is run by whoever is there for longest when nobody who ran it came back in a day", () => {
    const den = begun().restarts().arrives("s2-2", "bo", "den").later(1000).arrives("s4-2", "dan", "den")
    assert.strictEqual(den.room()?.operators, 0)
    den.later(day).arrives("s3-2", "cy", "den")
    assert.strictEqual(den.rank("s2-2"), "voiced operator")
    assert.strictEqual(den.room()?.operators, 1)
    assert.deepStrictEqual(den.facts.at(-1), {
      _tag: "RankSet", room: "den", nick: "bo", by: "cy", rank: "voiced operator", was: "voice", cause: "remaining"
    })
    const late = begun().restarts().arrives("s2-2", "bo", "den").later(day + 1).arrives("s1-2", "ana", "den")
    assert.deepStrictEqual([late.rank("s2-2"), late.rank("s1-2")], ["voiced operator", "member"])
  })

  it("does not live longer for beginning again and again while nobody comes", () => {
    const den = begun().restarts()
    for (let i = 0; i < 4; i++) den.later(day / 3).restarts()
    assert.strictEqual(HashMap.size(den.world().waiting), 0)
  })

  it("is run by whoever comes first, with a voice or without, where nobody in it had run it", () => {
    const den = () => begun().ask("s1", { _tag: "Part", room: "den" }).ask("s2", { _tag: "SetTopic", room: "den", topic: "bo's" }).restarts()
    assert.strictEqual(den().arrives("s3-2", "cy", "den").rank("s3-2"), "operator")
    assert.strictEqual(den().arrives("s2-2", "bo", "den").rank("s2-2"), "voiced operator")
  })

  it("is kept when the server closes in order, too, and for a day from when it begins again", () => {
    const den = begun().ask("s1", { _tag: "Dismiss", reason: "closing" }).later(5).ask("s2", { _tag: "Dismiss", reason: "closing" })
    assert.deepStrictEqual(den.facts.at(-1), { _tag: "Quit", nick: "bo", rooms: ["den"], reason: "closing", closing: true })
    assert.isUndefined(den.room())
    den.later(3 * day).restarts().later(day - 1).arrives("s3-2", "cy", "den").arrives("s1-2", "ana", "den")
    assert.deepStrictEqual([den.rank("s3-2"), den.rank("s1-2")], ["member", "operator"])
    assert.strictEqual(den.room()?.topic, "tea")
  })

  it("waits no longer for those who were away before the server closed again", () => {
    const den = begun().restarts().arrives("s2-2", "bo", "den").later(day - 1).ask("s2-2", { _tag: "Dismiss", reason: "closing" }).restarts().later(2)
    den.arrives("s3-3", "cy", "den").arrives("s1-3", "ana", "den")
    assert.deepStrictEqual([den.rank("s3-3"), den.rank("s1-3")], ["operator", "member"])
    den.arrives("s2-3", "bo", "den")
    assert.strictEqual(den.rank("s2-3"), "voice")
  })

  it("is forgotten as ever when people leave by themselves", () => {
    const den = begun().ask("s1", { _tag: "Quit" }).ask("s2", { _tag: "Quit" }).restarts().arrives("s3-2", "cy", "den")
    assert.strictEqual(den.room()?.topic, "")
    assert.strictEqual(den.rank("s3-2"), "operator")
  })

  it("row 41: lets those back into a room for the invited who were in it, by where they are, and nobody else", () => {
    const closed = () => begun().ask("s1", { _tag: "SetFlag", room: "den", flag: "invite-only", on: true }).restarts()
    const den = closed().arrives("s3-2", "cy", "den").arrives("s2-2", "bo", "den")
    assert.deepStrictEqual(den.refused, ["invite-only"])
    assert.strictEqual(den.rank("s2-2"), "voice")
    const other = closed().arrives("s3-2", "bo", "den")
    assert.deepStrictEqual(other.refused, ["invite-only"])
    const behind = begun().arrives("s8", "hal", "den").ask("s1", { _tag: "SetFlag", room: "den", flag: "invite-only", on: true }).restarts()
    behind.arrives("s8-2", "hal", "den").arrives("s1-2", "ana", "den")
    assert.deepStrictEqual(behind.refused, ["invite-only"], "who was in it from this machine's own address")
    assert.strictEqual(behind.rank("s1-2"), "operator")
    // A nick from this machine's own address says nothing of who it is: there may be a proxy.
    const local = story().arrives("s8", "ana", "den").ask("s8", { _tag: "SetFlag", room: "den", flag: "invite-only", on: true }).restarts()
    assert.strictEqual(HashMap.size(local.world().waiting), 0, "nobody could ever come in")
    local.arrives("s9", "ana", "den")
    assert.strictEqual(local.room()?.number, 2, "it is another room")
  })

  it("keeps its key", () => {
    const den = begun().ask("s1", { _tag: "SetKey", room: "den", key: "sesame" }).restarts().arrives("s3-2", "cy", "den").arrives("s1-2", "ana", "den")
    assert.deepStrictEqual(den.refused, ["wrong-key", "wrong-key"])
    den.ask("s1-2", { _tag: "Join", room: "den", key: "sesame" })
    assert.strictEqual(den.rank("s1-2"), "operator")
  })

  it("is one of so many that wait, of which the oldest are let go", () => {
    let world = World.empty
    const people = Math.ceil(World.maxWaiting / 50) + 1
    for (let i = 0; i < people; i++) {
      world = World.evolve(world, `p${i}`, { _tag: "Arrived", nick: `p${i}`, dialect: "json", address: "192.0.2.9" }, 0)
      for (let j = 0; j < 50; j++) world = World.evolve(world, `p${i}`, { _tag: "Joined", room: `r${i}-${j}`, nick: `p${i}` }, 0)
    }
    world = World.evolve(world, "server", { _tag: "Restarted" }, 1)
    assert.strictEqual(HashMap.size(world.waiting), World.maxWaiting)
    assert.isUndefined(World.waitingRoom(world, "r0-0", 1))
    assert.isDefined(World.waitingRoom(world, `r${people - 1}-49`, 1))
    const found = [...HashMap.values(world.waiting)].every(({ wait }) => wait!.absent.every(({ rank }) => runs(rank)))
    assert.isTrue(found)
  })
})
