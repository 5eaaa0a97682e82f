/** The rules of the chat, and the world that comes of what happened. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import type { Command, Wish } from "../src/Command.ts"
import { type Answer, Fact, type SessionId } from "../src/Event.ts"
import * as Name from "../src/Name.ts"
import * as Rate from "../src/Rate.ts"
import { Arbitraries } from "../src/testing.ts"
import * as Text from "../src/Text.ts"
import * as World from "../src/World.ts"
import {
  after,
  answers,
  answersOf,
  arrivals,
  ask,
  by,
  contradictions,
  excesses,
  facts,
  factsOf,
  farewells,
  grabbing,
  having,
  house,
  keptOf,
  life,
  moment,
  play,
  refusal,
  refusalsOf,
  rumour,
  scene,
  sessions,
  toldOf
} from "./world.ts"

const { among, anyCommand, anyFact, hostileText, int, oneOf } = Arbitraries
const runs = { arbitrary: { runs: 150, size: 60 } }
const [ana, bo, cy] = sessions

// --- laws ------------------------------------------------------------------------------------------------------------

describe("any world that can be reached", () => {
  it.prop("fits together", { life }, ({ life }) => {
    for (const { after } of play(life)) assert.deepStrictEqual(contradictions(after), [])
  }, runs)

  it.prop("row 37: holds valid names, and of nothing more than one may have", { life }, ({ life }) => {
    for (const { after } of play(life)) assert.deepStrictEqual(excesses(after), [])
  }, runs)

  it.prop("is as it was at first, but for the lobby's topic, when all have quit", { life }, ({ life }) => {
    const world = after(play([...life, ...farewells]))
    assert.deepStrictEqual([HashMap.size(world.persons), HashMap.size(world.nicks), HashMap.size(world.watchers)], [0, 0, 0])
    assert.deepStrictEqual([...HashMap.keys(world.rooms)], [Name.lobby])
    assert.strictEqual(HashMap.size(World.room(world, Name.lobby)!.members), 0)
  }, runs)

  it.prop("stays one whatever happens in it, even what nobody could have decided", {
    life,
    facts: Arbitrary.array(Arbitrary.all({ by: among(...sessions, "nobody"), event: oneOf(rumour, rumour, anyFact) }), { maxLength: 20 })
  }, ({ facts, life }) => {
    let world = after(play(life))
    for (const { by, event } of facts) {
      world = World.evolve(world, by, event, 0)
      assert.deepStrictEqual(contradictions(world), [], event._tag)
    }
  }, runs)

  it.effect("is reached by all that can happen", () =>
    Effect.gen(function*() {
      const lives = yield* Arbitrary.sampleEffect(life, { count: 200, size: 60, seed: 1 })
      const happened = new Set(lives.flatMap((life) => play(life).flatMap(({ outcomes }) => keptOf(outcomes).map(({ event }) => event._tag))))
      const missing = Object.keys(Fact.cases).filter((tag) => !happened.has(tag as Fact["_tag"]))
      assert.deepStrictEqual(missing.filter((tag) => tag !== "Passed" && tag !== "Restarted"), [])
    }))
})

describe("a decision", () => {
  it.prop("is made about anything that anybody asks", { life, by: among(...sessions, "nobody"), last: anyCommand }, ({ by, last, life }) => {
    for (const { after, before, command, outcomes } of play([...life, { by, command: last }])) {
      if (outcomes.length > 0) continue
      // Nothing is said to a change that changes nothing.
      assert.include([
        "PartAll", "SetNick", "SetTopic", "SetRank", "SetModerated", "SetFlag", "SetKey", "SetLimit", "SetMask", "SetRealname", "SetTrait", "Watch", "Oper", "Quit"
      ], command._tag)
      assert.strictEqual(after, before)
    }
  }, runs)

  it.prop("is answered in its place with Fenced and Observed, even before one has arrived", { life, by: among(...sessions, "nobody") }, ({ by, life }) => {
    const token = { any: "thing" }
    for (const { after: world } of play(life)) {
      const fenced = World.decide(world, by, { _tag: "Fence", token }, moment())
      assert.deepStrictEqual(fenced, [{ answer: { _tag: "Fenced", token } }])
      assert.strictEqual((fenced[0] as World.Told & { answer: World.Fenced }).answer.token, token)
      const [observed, ...more] = World.decide(world, by, { _tag: "Observe", question: token, cost: 0 }, moment(7)) as ReadonlyArray<World.Told>
      assert.isEmpty(more)
      const answer = observed!.answer as World.Observed
      assert.deepStrictEqual([answer._tag, answer.question, answer.moment.at], ["Observed", token, 7])
      assert.strictEqual(answer.world, world, "as it is then, no copy")
    }
  }, runs)

  it.prop("that refuses keeps nothing, says why in short, and to which command", { life }, ({ life }) => {
    for (const { after, before, command, outcomes } of play(life)) {
      const [refusal] = refusalsOf(outcomes)
      // Whoever comes as a guest comes in all the same.
      if (refusal === undefined || (command._tag === "Arrive" && command.guest === true && refusal.command === "SetNick")) continue
      assert.lengthOf(outcomes, 1)
      assert.strictEqual(after, before)
      assert.strictEqual(refusal.command, command._tag)
      assert.isDefined(refusal.code)
      assert.isNotEmpty(refusal.reason)
      assert.isAtMost(Text.byteLength(refusal.reason), 200)
    }
  }, runs)

  it("says in short what it refuses at length", () => {
    const long = "x".repeat(60_000)
    const wishes: ReadonlyArray<Command> = [
      { _tag: "SetNick", nick: long }, { _tag: "Join", room: long }, { _tag: "Part", room: long }, { _tag: "Say", target: long, text: "hi" },
      { _tag: "Say", target: `#${long}`, text: "hi" }, { _tag: "Say", target: "den", text: long }, { _tag: "Whisper", nick: long, text: "hi" },
      { _tag: "Kick", room: "den", nick: long }, { _tag: "Names", room: long }, { _tag: "Who", nick: long }, { _tag: "History", room: long },
      { _tag: "Pass", room: long, bytes: Text.encode("hi") }, { _tag: "Arrive", nick: long }, { _tag: "SetKey", room: "den", key: long },
      { _tag: "SetMask", room: "den", list: "ban", mask: long, on: true }, { _tag: "Masks", room: long, list: "ban" },
      { _tag: "Invite", room: "den", nick: long }, { _tag: "Invite", room: long, nick: "bo" }, { _tag: "SetRealname", realname: long },
      { _tag: "Hint", target: "den", tags: { "+x": long } }, { _tag: "Hint", target: `@#${long}`, tags: {} }, { _tag: "Kill", nick: long, reason: long },
      { _tag: "Oper", name: long, password: long }, { _tag: "SetFlag", room: long, flag: "secret", on: true }
    ]
    for (const { command, outcomes } of play([...arrivals, ...by("s1", ...wishes)]).slice(arrivals.length)) {
      assert.isAtMost(Text.byteLength(refusalsOf(outcomes)[0]!.reason), 200, command._tag)
    }
  })

  it.prop("keeps one line of whole characters in every text, and not too much of it", {
    texts: Arbitrary.array(oneOf(hostileText, among("\ud800", "a\udfffb", "\r", "👩‍👩‍👧", "é".repeat(3_000))), { minLength: 1, maxLength: 6 })
  }, ({ texts }) => {
    const text = texts.join("")
    const { reason, text: most, topic } = World.limits
    const turns = play(by("s1", { _tag: "Arrive", nick: "ana", user: text, realname: text }, { _tag: "Join", room: "den" }, { _tag: "Say", target: "den", text },
      { _tag: "SetRealname", realname: text }, { _tag: "SetKey", room: "den", key: text }, { _tag: "SetKey", room: "den" },
      { _tag: "SetMask", room: "den", list: "ban", mask: text, on: true }, { _tag: "SetMask", room: "den", list: "exception", mask: "*", on: true },
      { _tag: "Oper", name: "root", password: "secret" }, { _tag: "Wallop", text },
      { _tag: "Whisper", nick: "ana", text }, { _tag: "SetTopic", room: "den", topic: text }, { _tag: "SetAway", message: text },
      { _tag: "Kick", room: "den", nick: "ana", reason: text }, { _tag: "Join", room: "den" }, { _tag: "Part", room: "den", reason: text },
      { _tag: "Quit", reason: text }))
    for (const event of factsOf(turns)) {
      const max = event._tag === "Said" || event._tag === "Whispered" || event._tag === "Walloped" ? most : event._tag === "TopicSet" ? topic : reason
      for (const value of Object.values(event)) {
        if (typeof value !== "string") continue
        assert.notMatch(value, /[\0\r\n\p{Cs}]/u, event._tag)
        assert.isAtMost(Text.byteLength(value), max, event._tag)
      }
    }
    assert.strictEqual(HashMap.size(after(turns).persons), 0, "whoever wants to go is gone, whatever they say")
  }, runs)

  it.prop("is heard by those it is about, and by nobody else", { life }, ({ life }) => {
    for (const { before, by, outcomes } of play(life)) {
      for (const { concerns, event, to: audience } of keptOf(outcomes)) {
        const who = World.person(before, by)!
        const to = typeof audience === "string" ? audience : { rooms: [...audience.rooms], sessions: [...audience.sessions] }
        const holder = (nick: string) => World.holder(before, nick)!.id
        const those = (which: (person: World.Person) => boolean) =>
          Array.from(HashMap.values(before.persons)).filter(which).map(({ id }) => id)
        const ranked = (name: string, ...ranks: ReadonlyArray<string | undefined>) => {
          const of = World.room(before, name)!
          return those(({ id }) => id !== by && ranks.includes(World.rank(of, id)))
        }
        const operators = ["operator", "voiced operator"]
        const sessionsOf = () => (typeof to === "string" ? assert.fail(to) : to.sessions)
        const heardBy = (...ids: ReadonlyArray<SessionId>) => {
          assert.deepStrictEqual(typeof to === "string" ? to : to.rooms, [])
          assert.lengthOf(sessionsOf(), new Set(ids).size, "nobody twice")
          assert.deepStrictEqual(new Set(sessionsOf()), new Set(ids))
        }
        switch (event._tag) {
          case "Arrived":
          case "Watched":
            heardBy()
            break
          case "TraitSet":
          case "Opered":
            heardBy(by)
            break
          case "Renamed":
            assert.deepStrictEqual(to, { rooms: [...who.rooms], sessions: [by] })
            break
          case "AwaySet":
          case "RealnameSet": {
            if (event._tag === "AwaySet" && event.message === who.away) {
              heardBy(by)
              break
            }
            // Who watches hears it once: in a room, or else by being told alone.
            const watching = those(({ id, rooms, watches }) =>
              id !== by && watches.has(Name.key(who.nick)) && [...rooms].every((room) => !who.rooms.has(room)))
            assert.deepStrictEqual(typeof to === "string" ? to : to.rooms, [...who.rooms])
            assert.deepStrictEqual(new Set(sessionsOf()), new Set([by, ...watching]))
            assert.lengthOf(sessionsOf(), watching.length + 1)
            break
          }
          case "Quit":
            assert.deepStrictEqual(to, { rooms: [...who.rooms], sessions: [] })
            break
          case "Whispered":
            heardBy(by, holder(event.to))
            break
          case "Invited":
            heardBy(by, holder(event.nick), ...ranked(event.room, ...operators))
            break
          case "Walloped":
            heardBy(...those(({ operator, traits }) => operator || traits.has("wallops")))
            break
          case "Said":
          case "Hinted": {
            const { only, room } = event
            if (room === undefined) heardBy(by, holder(event._tag === "Hinted" ? event.to! : assert.fail()))
            else if (only === undefined) assert.strictEqual(to, Name.key(room))
            else heardBy(by, ...ranked(room, ...operators, ...(only === "voice" ? ["voice"] : [])))
            break
          }
          case "Kicked":
            // An operator of the server need not be in the room.
            assert.deepStrictEqual(to, who.rooms.has(Name.key(event.room)) ? Name.key(event.room) : { rooms: [Name.key(event.room)], sessions: [by] })
            break
          case "Restarted":
            assert.fail("nobody can ask for that")
          default:
            assert.strictEqual(to, Name.key(event.room))
        }
        const concerned = event._tag === "Whispered" || (event._tag === "Hinted" && event.to !== undefined)
          ? holder(event.to!)
          : event._tag === "Kicked" || event._tag === "RankSet" || event._tag === "Invited"
          ? holder(event.nick)
          : undefined
        assert.strictEqual(concerns, concerned)
      }
    }
  }, runs)

  it.prop("tells whoever watches that somebody came or went, at once and once", { life }, ({ life }) => {
    for (const { after, before, by, command, outcomes } of play([...life, ...farewells])) {
      const told = toldOf(outcomes).filter(({ to }) => to !== undefined)
      const sight = (nick: string, here: boolean) => {
        const who = World.holder(after, nick)
        return { _tag: "Seen" as const, nick, here, ...here ? { from: `${who?.user}@${who?.address}` } : {} }
      }
      const expected = keptOf(outcomes).flatMap(({ event }): ReadonlyArray<readonly [nick: string, here: boolean]> =>
        event._tag === "Arrived"
          ? [[event.nick, true]]
          : event._tag === "Quit"
          ? [[event.nick, false]]
          : event._tag === "Renamed" && Name.key(event.nick) !== Name.key(event.to)
          ? [[event.nick, false], [event.to, true]]
          : [])
      const watching = (nick: string) =>
        Array.from(HashMap.values(before.persons)).filter(({ watches }) => watches.has(Name.key(nick))).map(({ id }) => id)
      if (command._tag === "Kill") continue
      assert.deepStrictEqual(
        told.map(({ answer, to }) => ({ answer, to: new Set(to) })),
        expected.filter(([nick]) => watching(nick).length > 0)
          .map(([nick, here]) => ({ answer: sight(nick, here), to: new Set(watching(nick)) })),
        by
      )
    }
  }, runs)
})

describe("everybody", () => {
  it.prop("row 31: has a nick of their own, and whoever asks for another's is refused", { life: grabbing }, ({ life }) => {
    for (const { after, before, by, command, outcomes } of play(life)) {
      if ((command._tag !== "SetNick" && command._tag !== "Arrive") || command.nick === undefined) continue
      const holder = World.holder(before, command.nick)
      if (holder === undefined || holder.id === by) continue
      assert.lengthOf(refusalsOf(outcomes), 1)
      assert.strictEqual(World.holder(after, command.nick)!.id, holder.id)
    }
    const nicks = Array.from(HashMap.values(after(play(life)).persons), ({ nick }) => Name.key(nick))
    assert.lengthOf(nicks, new Set(nicks).size)
  }, runs)

  it.prop("leaves every room exactly once, however it ends", { life }, ({ life }) => {
    const rooms = new Map<SessionId, Set<string>>()
    for (const { before, by, outcomes } of play([...life, ...farewells])) {
      for (const { event } of keptOf(outcomes)) {
        const own = rooms.get(by) ?? new Set()
        rooms.set(by, own)
        if (event._tag === "Joined") {
          assert.isFalse(own.has(Name.key(event.room)), "joined once")
          own.add(Name.key(event.room))
        } else if (event._tag === "Left") assert.isTrue(own.delete(Name.key(event.room)))
        else if (event._tag === "Kicked") {
          assert.isTrue(rooms.get(World.holder(before, event.nick)!.id)!.delete(Name.key(event.room)))
        } else if (event._tag === "Quit") {
          // Those that are secret are left without being named.
          assert.deepStrictEqual(new Set(event.rooms.map(Name.key)), new Set([...own].filter((key) => World.room(before, key)?.flags.has("secret") !== true)))
          rooms.delete(by)
        }
      }
    }
    assert.deepStrictEqual([...rooms.values()].filter((own) => own.size > 0), [])
  }, runs)

  it.prop("row 61: lives in the same world when the clock steps back", { life, steps: Arbitrary.array(int(-10_000, 10_000), { minLength: 1 }) }, ({ life, steps }) => {
    const jumping = play(life, World.empty, (turn) => 1_000_000 + steps[turn % steps.length]!)
    assert.deepStrictEqual(factsOf(jumping), factsOf(play(life)))
    assert.deepStrictEqual(contradictions(after(jumping)), [])
    const rate = { burst: 10, perSecond: 2 }
    const spent = Rate.spend(Rate.full(rate, 1_000_000), 9)
    for (const step of steps) {
      const { tokens } = Rate.refill(rate, spent, 1_000_000 + step)
      assert.strictEqual(tokens, step < 0 ? 1 : Math.min(10, 1 + step / 500))
    }
  }, runs)
})

// --- rules, by example -----------------------------------------------------------------------------------------------

describe("nicks", () => {
  it("are given to those who name none", () => {
    assert.deepStrictEqual(facts("new", { _tag: "Arrive" }), [{ _tag: "Arrived", nick: "guest7", dialect: "plain", address: "::1" }])
    assert.deepStrictEqual(answers("new", { _tag: "Arrive" }), [
      { _tag: "Welcome", server: "test", nick: "guest7", epoch: "e1", motd: ["be kind"], newest: 1000 }
    ])
    const other = having("new", { _tag: "Arrive" })
    assert.deepInclude(facts("newer", { _tag: "Arrive" }, other)[0], { nick: "guest8" })
    assert.strictEqual(refusal(ana, { _tag: "Arrive" }), "you are already here")
    // Whoever would be a guest is told why they are.
    assert.deepInclude(facts("new", { _tag: "Arrive", nick: "eve", guest: true })[0], { nick: "eve" })
    for (const [nick, code] of [["Ana", "nick-taken"], ["1st", "erroneous"]] as const) {
      assert.deepInclude(facts("new", { _tag: "Arrive", nick, guest: true })[0], { nick: "guest7" })
      const [welcome, refused] = answers("new", { _tag: "Arrive", nick, guest: true })
      assert.deepInclude(welcome, { _tag: "Welcome", nick: "guest7" })
      assert.deepInclude(refused, { _tag: "Refused", command: "SetNick", code, nick })
    }
    assert.strictEqual(refusal("new", { _tag: "List" }), "you are not let in yet; say who you are, with the password where one is wanted")
  })

  it("are one whatever their case, which one may change", () => {
    assert.strictEqual(refusal(bo, { _tag: "SetNick", nick: "ANA" }), "ana is taken")
    assert.strictEqual(refusal("new", { _tag: "Arrive", nick: "Ana" }), "ana is taken")
    assert.deepStrictEqual(facts(ana, { _tag: "SetNick", nick: "ANA" }), [{ _tag: "Renamed", nick: "ana", to: "ANA" }])
    assert.deepStrictEqual(ask(ana, { _tag: "SetNick", nick: "ana" }), [])
  })

  it("row 44: that were left are nobody's, and what is said to them reaches nobody", () => {
    const gone: Wish = { _tag: "Whisper", nick: "ana", text: "psst" }
    for (const world of [having(ana, { _tag: "SetNick", nick: "ann" }), having(ana, { _tag: "Quit" })]) {
      assert.strictEqual(refusal(bo, gone, world), "there is nobody called ana")
      assert.strictEqual(refusal(bo, { _tag: "Say", target: "ana", text: "psst" }, world), "there is nobody called ana")
      assert.strictEqual(refusal(bo, { _tag: "Kick", room: "den", nick: "bo" }, world), "you are not an operator of #den")
      assert.deepInclude(facts(cy, { _tag: "SetNick", nick: "ana" }, world)[0], { to: "ana" })
    }
    const renamed = having(ana, { _tag: "SetNick", nick: "ann" })
    assert.deepStrictEqual(keptOf(ask(bo, { ...gone, nick: "ann" }, renamed)).map(({ concerns }) => concerns), [ana])
  })
})

describe("rooms", () => {
  it("are run by those who open them, but for the lobby", () => {
    const info = (who: SessionId, room: string, world = scene) => answers(who, { _tag: "Look", room }, world)[0] as Answer & { _tag: "RoomInfo" }
    assert.strictEqual(info(ana, "den").rank, "operator")
    assert.strictEqual(info(bo, "den").rank, "member")
    assert.isUndefined(info(cy, "den").rank)
    assert.strictEqual(info(ana, "lobby").rank, "member")
    assert.strictEqual(info(cy, "nest", having(cy, { _tag: "Join", room: "nest" })).rank, "operator")
  })

  it("are joined once, and shown each time", () => {
    assert.deepStrictEqual(ask(cy, { _tag: "Join", room: "#DEN" }), [
      { event: { _tag: "Joined", room: "den", nick: "cy" }, to: "den", concerns: undefined },
      {
        answer: {
          _tag: "RoomInfo", room: "den", topic: "", moderated: false, members: 3, rank: "member",
          some: [{ nick: "ana", rank: "operator", away: false }, { nick: "bo", rank: "member", away: false }, { nick: "cy", rank: "member", away: false }]
        }
      }
    ] satisfies ReadonlyArray<World.Outcome>)
    assert.deepStrictEqual(answers(bo, { _tag: "Join", room: "den", last: 20 }).map(({ _tag }) => _tag), ["RoomInfo"])
    assert.deepStrictEqual(facts(bo, { _tag: "Join", room: "den" }), [])
  })

  it("show newcomers what was said last, or what they missed", () => {
    const recall = (command: Partial<Wish>) => answers(cy, { _tag: "Join", room: "DEN", ...command } as Wish)[0]
    const asked = { _tag: "Recall", room: "den", after: undefined, before: undefined }
    assert.deepStrictEqual(recall({ last: 20 }), { ...asked, limit: 20, why: "joined" } as World.Recall)
    assert.deepInclude(recall({ last: 1e9 }), { limit: World.limits.history })
    for (const last of [0, -1]) assert.strictEqual(recall({ last })?._tag, "RoomInfo")
    assert.deepInclude(recall({ after: 12, epoch: "e1" }), { _tag: "Recall", after: 12, why: "resumed" })
    assert.deepInclude(recall({ after: 12, epoch: "e0" }), { _tag: "Missed", room: "den", after: 12 })
    // The newest there is has number 1000.
    assert.deepInclude(recall({ after: 1000 }), { _tag: "Recall", after: 1000, why: "resumed" })
    assert.deepInclude(recall({ after: 1001 }), { _tag: "Missed", room: "den", after: 1001 })
    const few = (replay: number) => World.decide(scene, cy, { _tag: "Join", room: "den", last: 20 }, { ...moment(0, cy), house: { ...house, replay: () => replay } })
    assert.deepInclude(answersOf(few(5))[0], { _tag: "Recall", limit: 5 })
    assert.strictEqual(answersOf(few(0))[0]?._tag, "RoomInfo", "the house wants none of it shown")
    assert.deepStrictEqual(answers(cy, { _tag: "Join", room: "nest", last: 20 }).map(({ _tag }) => _tag), ["Recall", "RoomInfo"], "a room that was empty has a past")
  })

  it("show who resumes in one whose name another had that was closed the number of that one, of which they can be told nothing", () => {
    const resumed = (world: World.World) => answers(cy, { _tag: "Join", room: "den", after: 12 }, world)[0]
    const left = (...first: ReadonlyArray<Command>) => after(play([...by(ana, ...first, { _tag: "Part", room: "den" }), ...by(bo, { _tag: "Part", room: "den" })], scene))
    const closed = left({ _tag: "SetKey", room: "den", key: "k" }, { _tag: "SetKey", room: "den" })
    assert.deepInclude(resumed(closed), { _tag: "Recall", why: "resumed", former: World.room(scene, "den")!.number })
    assert.notProperty(resumed(left()), "former")
  })

  it("are gone with the last who leaves, but for the lobby", () => {
    const topic = after(play([
      { by: ana, command: { _tag: "SetTopic", room: "den", topic: "tea" } }, { by: ana, command: { _tag: "SetTopic", room: "lobby", topic: "hi" } },
      { by: ana, command: { _tag: "Part", room: "den" } }, { by: bo, command: { _tag: "Part", room: "#DEN", reason: "bye" } },
      { by: ana, command: { _tag: "Quit" } }, { by: bo, command: { _tag: "Quit" } }, { by: cy, command: { _tag: "Part", room: "lobby" } }
    ], scene))
    assert.isUndefined(World.room(topic, "den"))
    assert.strictEqual(World.room(topic, "lobby")!.topic, "hi")
    assert.strictEqual(refusal(cy, { _tag: "Names", room: "den" }, topic), "there is no room #den")
  })

  it("row 35: have proper names, and one is in fifty of them at most", () => {
    for (const room of ["a,b", "a b", "a\u0007", "..", "../etc", "a/b", "", "#", "x".repeat(65), "é", "a:b"]) {
      assert.isString(refusal(ana, { _tag: "Join", room }), JSON.stringify(room))
    }
    const storm = by("s1", ...Array.from({ length: 10_000 }, (_, n): Wish => ({ _tag: "Join", room: `room${n}` })))
    const stormed = play(storm, having("s4", { _tag: "Arrive" }))
    assert.strictEqual(World.person(after(stormed), ana)!.rooms.size, World.limits.rooms)
    assert.strictEqual(HashMap.size(after(stormed).rooms), World.limits.rooms)
    assert.match(refusalsOf(stormed.at(-1)!.outcomes)[0]!.reason, /50 rooms/)
    assert.isDefined(facts(ana, { _tag: "Join", room: "last" }, after(play(by(ana, { _tag: "Part", room: "room0" }), after(stormed))))[0])
  })
})

describe("talk", () => {
  it("goes to a room one is in or to a person, never further", () => {
    const said = { _tag: "Said", room: "den", nick: "ana", text: "hi", kind: "message" } as const
    for (const target of ["den", "#den", "#DEN"]) assert.deepStrictEqual(facts(ana, { _tag: "Say", target, text: "hi" }), [said])
    assert.deepStrictEqual(facts(ana, { _tag: "Say", target: "den", text: "hi", kind: "action" }), [{ ...said, kind: "action" }])
    assert.deepStrictEqual(facts(ana, { _tag: "Say", target: "CY", text: "hi" }), [
      { _tag: "Whispered", nick: "ana", to: "cy", text: "hi", kind: "message" }
    ])
    const refused: ReadonlyArray<readonly [string, string]> = [
      ["den", "you are not in #den"], ["#den", "you are not in #den"], ["#nest", "there is no room #nest"], ["nest", "there is nobody called nest"]
    ]
    for (const [target, reason] of refused) assert.strictEqual(refusal(cy, { _tag: "Say", target, text: "hi" }), reason)
    for (const command of [{ _tag: "Say", target: "den", text: "" }, { _tag: "Whisper", nick: "bo", text: "" }] as const) {
      assert.strictEqual(refusal(ana, command), "there is nothing to say")
    }
    assert.strictEqual(refusal(ana, { _tag: "Say", target: "den", text: "é".repeat(2_049) }), "a message has at most 4096 bytes")
    assert.isDefined(facts(ana, { _tag: "Say", target: "den", text: "é".repeat(2_048) })[0])
  })

  it("goes to the room of a name rather than to the person, unless it is whispered", () => {
    const named = having(cy, { _tag: "SetNick", nick: "den" })
    assert.strictEqual(facts(ana, { _tag: "Say", target: "den", text: "hi" }, named)[0]?._tag, "Said")
    assert.deepInclude(facts(ana, { _tag: "Whisper", nick: "den", text: "hi" }, named)[0], { _tag: "Whispered", to: "den" })
  })

  it("to somebody away is answered with why, unless it is a notice", () => {
    const away = having(bo, { _tag: "SetAway", message: "lunch" })
    assert.deepStrictEqual(answers(ana, { _tag: "Whisper", nick: "bo", text: "hi" }, away), [{ _tag: "IsAway", nick: "bo", message: "lunch" }])
    assert.deepStrictEqual(answers(ana, { _tag: "Whisper", nick: "bo", text: "hi", kind: "notice" }, away), [])
    const back = after(play(by(bo, { _tag: "SetAway" }), away))
    assert.deepStrictEqual(answers(ana, { _tag: "Whisper", nick: "bo", text: "hi" }, back), [])
  })

  it("in a moderated room is for those with a voice", () => {
    const moderated = having(ana, { _tag: "SetModerated", room: "den", moderated: true })
    const say: Wish = { _tag: "Say", target: "den", text: "hi" }
    const pass: Command = { _tag: "Pass", room: "den", bytes: Text.encode("hi") }
    const voiced = after(play(by(ana, { _tag: "SetRank", room: "den", nick: "bo", rank: "voice" }), moderated))
    for (const command of [say, pass]) {
      assert.match(refusal(bo, command, moderated)!, /moderated/)
      assert.lengthOf(facts(ana, command, moderated), 1)
      assert.lengthOf(facts(bo, command, voiced), 1)
      assert.isString(refusal(cy, command))
    }
  })
})

describe("operators", () => {
  const powers: ReadonlyArray<Wish> = [
    { _tag: "SetTopic", room: "den", topic: "tea" },
    { _tag: "SetRank", room: "den", nick: "bo", rank: "voice" },
    { _tag: "SetModerated", room: "den", moderated: true },
    { _tag: "Kick", room: "den", nick: "bo", reason: "noise" }
  ]

  it("may do what others in the room and those outside may not", () => {
    for (const power of powers) {
      assert.lengthOf(facts(ana, power), 1, power._tag)
      assert.match(refusal(bo, power)!, /operator/, power._tag)
      assert.strictEqual(refusal(cy, power), "you are not in #den", power._tag)
      assert.strictEqual(refusal(ana, { ...power, room: "nest" } as Wish), "there is no room #nest", power._tag)
    }
  })

  it("act on people who are there, and only when it changes something", () => {
    assert.strictEqual(refusal(ana, { _tag: "Kick", room: "den", nick: "cy" }), "cy is not in #den")
    assert.strictEqual(refusal(ana, { _tag: "SetRank", room: "den", nick: "dan", rank: "voice" }), "there is nobody called dan")
    assert.deepStrictEqual(ask(ana, { _tag: "SetRank", room: "den", nick: "bo", rank: "member" }), [])
    assert.deepStrictEqual(ask(ana, { _tag: "SetModerated", room: "den", moderated: false }), [])
    assert.deepStrictEqual(facts(ana, { _tag: "Kick", room: "DEN", nick: "BO", reason: "" }), [{ _tag: "Kicked", room: "den", nick: "bo", by: "ana" }])
  })

  it("make others operators, and themselves not", () => {
    const handed = having(ana, { _tag: "SetRank", room: "den", nick: "bo", rank: "operator" }, { _tag: "SetRank", room: "den", nick: "ana", rank: "member" })
    assert.match(refusal(ana, powers[3]!, handed)!, /operator/)
    assert.lengthOf(facts(bo, { _tag: "Kick", room: "den", nick: "ana" }, handed), 1)
  })

  it("are not needed for a topic where there are none", () => {
    assert.lengthOf(facts(bo, { _tag: "SetTopic", room: "lobby", topic: "hi" }), 1)
    assert.lengthOf(facts(bo, powers[0]!, having(ana, { _tag: "Part", room: "den" })), 1)
  })
})

describe("answers", () => {
  it("tell what is asked", () => {
    assert.deepStrictEqual(answers(cy, { _tag: "Motd" }), [{ _tag: "Motd", lines: ["be kind"] }])
    assert.deepStrictEqual(answers(cy, { _tag: "List" }), [
      { _tag: "Rooms", rooms: [{ room: "lobby", members: 3, topic: "" }, { room: "den", members: 2, topic: "" }] }
    ])
    const away = having(ana, { _tag: "SetAway", message: "lunch" })
    assert.deepStrictEqual(answers(cy, { _tag: "Who", nick: "ANA" }, away), [{
      _tag: "Person", nick: "ana", dialect: "plain", rooms: ["lobby", "den"], since: "1970-01-01T00:00:00.000Z", away: "lunch"
    }])
    assert.deepStrictEqual(answers(cy, { _tag: "Names", room: "#den" }, away), [{
      _tag: "Members", room: "den",
      members: [{ nick: "ana", rank: "operator", away: true }, { nick: "bo", rank: "member", away: false }]
    }])
    assert.deepStrictEqual(answers(ana, { _tag: "History", room: "den", before: 9 }), [
      { _tag: "Recall", room: "den", after: undefined, before: 9, limit: 100, why: "asked" }
    ])
    assert.strictEqual(refusal(cy, { _tag: "History", room: "den" }), "you are not in #den")
  })

  it("row 41: words are searched for in a room one is in, and not too many of them", () => {
    assert.deepStrictEqual(answers(ana, { _tag: "Search", room: "#den", words: "Tea, four!", before: 9 }), [
      { _tag: "Recall", room: "den", after: undefined, before: 9, limit: World.limits.found, why: "found", words: "Tea, four!" }
    ])
    for (const [limit, given] of [[1e9, World.limits.history], [0, 1], [7, 7]] as const) {
      assert.deepInclude(answers(ana, { _tag: "Search", room: "den", words: "tea", limit })[0], { limit: given })
    }
    assert.strictEqual(refusal(cy, { _tag: "Search", room: "den", words: "tea" }), "you are not in #den")
    assert.strictEqual(refusal(ana, { _tag: "Search", room: "den", words: " ?! " }), "say what words to search for")
    assert.strictEqual(refusal(ana, { _tag: "Search", room: "den", words: "tea ".repeat(21) }), "search for 20 words at most")
  })

  it("show all of a few by their nicks, and of many those who came first, each as they are now", () => {
    const some = (world: World.World) => (answers("p0", { _tag: "Look", room: "big" }, world)[0] as Answer & { _tag: "RoomInfo" }).some
    const come = (from: number, to: number, world: World.World): World.World =>
      after(play(Array.from({ length: to - from }, (_, i) => by(`p${from + i}`, { _tag: "Arrive", nick: `n${99 - from - i}` }, { _tag: "Join", room: "big" })).flat(), world))
    const few = come(0, World.limits.shown, World.empty)
    assert.deepStrictEqual(some(few).map(({ nick }) => nick), Array.from({ length: World.limits.shown }, (_, i) => `n${99 - World.limits.shown + 1 + i}`))
    const many = come(World.limits.shown, 60, few)
    const first = Array.from({ length: World.limits.shown }, (_, i) => `n${99 - i}`)
    assert.deepStrictEqual(some(many).map(({ nick }) => nick), first)
    const changed = after(play([
      ...by("p1", { _tag: "SetAway", message: "tea" }),
      ...by("p0", { _tag: "SetRank", room: "big", nick: "n97", rank: "voice" }),
      ...by("p3", { _tag: "SetNick", nick: "zoe" })
    ], many))
    assert.deepInclude(some(changed)[1], { nick: "n98", away: true })
    assert.deepInclude(some(changed)[2], { nick: "n97", rank: "voice" })
    assert.deepInclude(some(changed)[3], { nick: "zoe" })
    assert.deepStrictEqual(some(many).map(({ nick }) => nick), first, "and another world is as it was")
  })

  it("row 36: are bounded, and one message has one target", () => {
    const crowd = after(play(Array.from({ length: 1_200 }, (_, n) => by(`c${n}`, { _tag: "Arrive", nick: `c${n}` }, { _tag: "Join", room: "den" },
      { _tag: "Join", room: `room${n}` })).flat(), scene))
    const [info] = answers(ana, { _tag: "Look", room: "den" }, crowd)
    assert.deepInclude(info, { members: 1_202 })
    assert.lengthOf((info as Answer & { _tag: "RoomInfo" }).some, World.limits.shown)
    assert.lengthOf((answers(ana, { _tag: "List" }, crowd)[0] as Answer & { _tag: "Rooms" }).rooms, World.limits.list)
    for (const [limit, given] of [[1e9, World.limits.history], [0, 1], [-5, 1]] as const) {
      assert.deepInclude(answers(ana, { _tag: "History", room: "den", limit })[0], { limit: given })
    }
    for (const [limit, given] of [[1e9, World.limits.history], [0, 0], [-5, 0]] as const) {
      assert.deepInclude(answers(ana, { _tag: "Recollect", nick: "bo", limit })[0], { limit: given })
    }
    assert.strictEqual(refusal(ana, { _tag: "Say", target: "bo,cy", text: "hi" }), "there is nobody called bo,cy")
    assert.strictEqual(refusal(ana, { _tag: "Whisper", nick: "bo,cy", text: "hi" }), "there is nobody called bo,cy")
    assert.isString(refusal(ana, { _tag: "Join", room: "#a,#b" }))
  })
})
