/** Who may come into a room and talk there, who hears of it, and what operators may do to rooms and people. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import { type Command, type Flag, MaskList, Rank, sayPlainly, type Wish } from "../src/Command.ts"
import type { Answer, Code, SessionId } from "../src/Event.ts"
import * as Mask from "../src/Mask.ts"
import * as Name from "../src/Name.ts"
import { Arbitraries } from "../src/testing.ts"
import * as Text from "../src/Text.ts"
import * as World from "../src/World.ts"
import {
  after,
  answers,
  ask,
  askedOf,
  arrivals,
  by,
  code,
  entries,
  facts,
  having,
  keptOf,
  life,
  moment,
  openHouse,
  play,
  refusal,
  refusalsOf,
  scene,
  sessions,
  rules,
  siege
} from "./world.ts"

const { among, anyCommand, command, int, oneOf } = Arbitraries
const runs = { arbitrary: { runs: 150, size: 60 } }
const [ana, bo, cy, dan] = sessions

/** Four people who quarrel about who may come in and talk; the first of them has the first words. */
const sieged = Arbitrary.map(
  Arbitrary.all({
    changes: Arbitrary.array(rules, { minLength: 3, maxLength: 8 }),
    steps: Arbitrary.array(Arbitrary.all({ asked: askedOf(oneOf(siege, entries, entries)), change: rules }), { minLength: 2, maxLength: 6 })
  }),
  ({ changes, steps }) => [...arrivals, ...by("s1", ...changes), ...steps.flatMap(({ asked, change }) => [...asked, ...by("s1", change)])]
)

const roomOf = (world: World.World, name: string): World.Room => World.room(world, name) ?? assert.fail(`there is no room ${name}`)
const then = (world: World.World, who: SessionId, ...commands: ReadonlyArray<Command>) => 
  commands.length === 0 ? world : after(play(by(who, ...commands), world))
const join: Wish = { _tag: "Join", room: "den" }
const say: Wish = { _tag: "Say", target: "#den", text: "hi" }
const ban = (mask: string, on = true): Wish => ({ _tag: "SetMask", room: "den", list: "ban", mask, on })
const except = (mask: string, on = true): Wish => ({ _tag: "SetMask", room: "den", list: "exception", mask, on })
const welcome = (mask: string, on = true): Wish => ({ _tag: "SetMask", room: "den", list: "invitation", mask, on })
const flag = (flag: Flag, on = true): Wish => ({ _tag: "SetFlag", room: "den", flag, on })
const invite = (nick: string): Wish => ({ _tag: "Invite", room: "den", nick })
const rank = (nick: string, rank: Rank, on?: boolean): Wish => ({ _tag: "SetRank", room: "den", nick, rank, ...(on === undefined ? {} : { on }) })
const oper: Command = { _tag: "Oper", name: "root", password: "secret" }

// --- by the rules, said once more ------------------------------------------------------------------------------------

/** Whether a list has a mask for somebody, said without `World.listed`. */
const on = (of: World.Room, list: MaskList, who: World.Person, muted = false): boolean =>
  of.masks[list].some(({ mask }) => {
    const mutes = mask.startsWith("m:")
    return mutes === muted && Mask.fits(mutes ? mask.slice(2) : mask, `${who.nick}!${who.user}@${who.address}`)
  })

/** Whoever is invited may come in unless banned; of several reasons against it the first is given. */
const mayJoin = (of: World.Room, who: World.Person, key: string | undefined): Code | undefined => {
  const invited = of.invited.has(who.id)
  const against: ReadonlyArray<readonly [Code, boolean]> = [
    ["wrong-key", of.key !== undefined && of.key !== key && !invited],
    ["banned", on(of, "ban", who) && !on(of, "exception", who) && !invited],
    ["full", of.limit !== undefined && HashMap.size(of.members) >= of.limit && !invited],
    ["invite-only", of.flags.has("invite-only") && !on(of, "invitation", who) && !invited]
  ]
  return against.find(([, holds]) => holds)?.[0]
}

const mayTalk = (of: World.Room, who: World.Person): Code | undefined => {
  const ranked = World.rank(of, who.id)
  if (ranked === undefined && of.flags.has("members-only")) return of.flags.has("secret") && !who.operator ? "no-room" : "not-in-room"
  if (ranked !== undefined && ranked !== "member") return undefined
  if (of.moderated && [...HashMap.values(of.members)].some((one) => one.includes("operator"))) return "moderated"
  if (on(of, "exception", who)) return undefined
  return on(of, "ban", who) ? "banned" : on(of, "ban", who, true) && !on(of, "exception", who, true) ? "muted" : undefined
}

describe("in any history", () => {
  it.prop("whoever the rules let in comes in, and nobody else", { sieged }, ({ sieged }) => {
    for (const { after, before, by, command, outcomes } of play(sieged)) {
      const who = World.person(before, by)
      if (who === undefined || command._tag !== "Join") continue
      const key = Name.key(Name.withoutHash(command.room))
      const of = World.room(before, key)
      const code = of === undefined || who.rooms.has(key) ? undefined : mayJoin(of, who, command.key)
      assert.strictEqual(refusalsOf(outcomes)[0]?.code, code)
      assert.strictEqual(World.person(after, by)!.rooms.has(key), code === undefined)
      if (code === undefined) assert.isFalse(roomOf(after, key).invited.has(by), "an invitation is used up")
    }
  }, runs)

  it.prop("whoever the rules let talk is heard, and nobody else", { sieged }, ({ sieged }) => {
    for (const { before, by, command, outcomes } of play(sieged)) {
      const who = World.person(before, by)
      if (who === undefined || command._tag !== "Say" || command.text !== "hi") continue
      const name = command.target.replace(/^[@+]?#/, "")
      const of = World.room(before, name)
      if (!command.target.includes("#") && !who.rooms.has(name)) continue
      const code = of === undefined ? "no-room" : mayTalk(of, who)
      assert.strictEqual(refusalsOf(outcomes)[0]?.code, code)
      assert.lengthOf(keptOf(outcomes), code === undefined ? 1 : 0)
    }
  }, runs)

  it.prop("what is said simply to a room is what the rules make of it, found once or each time", { sieged }, ({ sieged }) => {
    for (const { before, by, command } of play(sieged)) {
      if (command._tag !== "Say") continue
      const standing = World.standing(before, by, command)
      for (const text of [command.text, "hi", "", "\u0001VERSION\u0001", "é", "two\nlines", "x".repeat(5000)]) {
        const said = { ...command, text }
        const found = World.saying(standing, said)
        if (found !== undefined) assert.deepStrictEqual(World.decide(before, by, said, moment(0, by)), [found])
      }
      for (const text of ["hi", "", "x".repeat(600), "x".repeat(5000)]) {
        const found = World.saying(standing, sayPlainly(command.target, text))
        if (found !== undefined) assert.deepStrictEqual(World.decide(before, by, { _tag: "Say", target: command.target, text, kind: "message" }, moment(0, by)), [found])
      }
    }
  }, runs)

  it("which is found for whoever talks in a room they are in, and not for what the text decides", () => {
    const standing = World.standing(scene, ana, { ...say, text: "any" })
    assert.strictEqual(World.saying(standing, { ...say, text: "hi" })?.to, "den")
    for (const text of ["", "\u0001VERSION\u0001", "é"]) assert.isUndefined(World.saying(standing, { ...say, text }))
    assert.isUndefined(World.saying(standing, { ...say, target: "#lobby", text: "hi" }))
    assert.isUndefined(World.saying(standing, { ...say, text: "hi", tags: { "+a": "b" } }))
  })

  it.effect("both are met: people who are let in and kept out, heard and silenced for every reason", () =>
    Effect.gen(function*() {
      const lives = yield* Arbitrary.sampleEffect(sieged, { count: 200, size: 60, seed: 1 })
      const met = new Set<string>()
      for (const { command, outcomes } of lives.flatMap((life) => play(life))) {
        if (command._tag === "Join" || command._tag === "Say") met.add(`${command._tag} ${refusalsOf(outcomes)[0]?.code ?? "granted"}`)
      }
      for (const what of ["granted", "banned", "invite-only", "wrong-key", "full"]) assert.include([...met], `Join ${what}`)
      for (const what of ["granted", "banned", "muted", "moderated", "not-in-room", "no-room", "no-ctcp"]) assert.include([...met], `Say ${what}`)
    }))

  it.prop("a room is changed by those who run it, who are told what others are told", { life }, ({ life }) => {
    for (const { before, by, command, outcomes } of play(life)) {
      if (!["SetFlag", "SetKey", "SetLimit", "SetMask", "SetModerated", "SetRank", "Kick"].includes(command._tag)) continue
      const who = World.person(before, by)
      const { room } = command as { readonly room: string }
      const of = World.room(before, Name.withoutHash(room))
      if (who !== undefined && of !== undefined && World.rank(of, by)?.includes("operator") === true) continue
      if (who?.operator === true && command._tag === "Kick") continue
      assert.include(["not-arrived", "no-room", "not-in-room", "not-operator"], refusalsOf(outcomes)[0]?.code)
    }
  }, runs)

  it.prop("what is wished together comes to the same as one after the other", {
    life: sieged,
    wishes: Arbitrary.array(oneOf(rules, rules, entries, command), { maxLength: 12 }),
    by: among(...sessions)
  }, ({ by: asker, life, wishes }) => {
    const world = after(play(life))
    // A session that has quit asks for nothing more.
    const going = wishes.findIndex(({ _tag }) => _tag === "Quit" || _tag === "Arrive")
    const some = going === -1 ? wishes : wishes.slice(0, going)
    const together = World.decide(world, asker, { _tag: "Together", wishes: some }, moment(9, asker))
    const apart = play(by(asker, ...some), world, () => 9)
    assert.deepStrictEqual(keptOf(together), apart.flatMap(({ outcomes }) => keptOf(outcomes)))
    const refused = refusalsOf(together)
    const each = apart.flatMap(({ outcomes }, i) => refusalsOf(outcomes).map((refusal) => ({ ...refusal, path: `${i}` })))
    for (const refusal of refused) assert.deepInclude(each, refusal)
    for (const { code, room } of each) assert.isTrue(refused.some((one) => one.code === code && one.room === room), "nothing is refused silently")
    assert.deepStrictEqual(refusalsOf(together.slice(0, refused.length)), refused, "refusals come first")
  }, runs)

  it.prop("to strangers a secret room is as if it were not there", {
    life,
    asked: oneOf(command, siege, anyCommand)
  }, ({ asked, life }) => {
    const before = after(play([...life, ...by(cy, { _tag: "Arrive", nick: "cyd" }), ...by(dan, { _tag: "Arrive", nick: "dana" })]))
    const name = "cave"
    const hidden = then(
      then(before, dan, { _tag: "Part", room: name }, { _tag: "Join", room: name }, { _tag: "SetFlag", room: name, flag: "secret", on: true }),
      cy,
      { _tag: "Oper" }
    )
    if (World.person(hidden, dan)?.rooms.has(name) !== true) return
    const nowhere = then(before, cy, { _tag: "Oper" })
    const of = roomOf(hidden, name)
    assert.deepStrictEqual([[...HashMap.keys(of.members)], of.flags.has("secret")], [[dan], true])
    const about = { ...asked, ...("room" in asked ? { room: name } : {}), ...("target" in asked ? { target: `#${name}` } : {}) } as Command
    for (const command of [asked, about, { _tag: "List" }, { _tag: "Who", nick: World.person(hidden, dan)!.nick }] as ReadonlyArray<Command>) {
      if (command._tag === "Join") continue
      const seen = (world: World.World) => World.decide(world, cy, command, moment(9, cy))
      assert.deepStrictEqual(seen(hidden), seen(nowhere), command._tag)
    }
  }, runs)
})

// --- by example ------------------------------------------------------------------------------------------------------

describe("a ban", () => {
  it("keeps out whom its mask fits, but for exceptions and the invited", () => {
    for (const mask of ["cy", "CY", "c?", "*!plain@*", "@elsewhere", "*!*@ELSE*", "*"]) {
      const banned = having(ana, ban(mask))
      assert.strictEqual(refusal(cy, join, banned), "you are banned from #den", mask)
      assert.lengthOf(facts(cy, join, then(banned, ana, invite("cy"))), 1, `${mask}: who is invited is wanted`)
      for (const pardoned of [then(banned, ana, except("c*")), then(banned, ana, ban(mask, false))]) {
        assert.lengthOf(facts(cy, join, pardoned), 1, mask)
      }
    }
    for (const mask of ["cyd", "cy!irc", "*!*@::1", "m:cy", "?"]) assert.lengthOf(facts(cy, join, having(ana, ban(mask))), 1, mask)
    assert.lengthOf(facts(cy, join, then(having(ana, ban("cy")), cy, { _tag: "SetNick", nick: "cyd" })), 1, "it is for a nick")
    assert.lengthOf(facts(bo, { _tag: "Part", room: "den" }, having(ana, ban("bo"))), 1, "it throws nobody out")
  })

  it("silences those within whom it fits, unless they have a voice", () => {
    for (const [mask, silent] of [["bo", "banned"], ["m:bo", "muted"], ["m:*!*@192.0.2.2", "muted"]] as const) {
      const banned = having(ana, ban(mask))
      for (const command of [say, { _tag: "Hint", target: "#den", tags: {} }, { _tag: "Pass", room: "den", bytes: Text.encode("hi") },
        { _tag: "Say", target: "@#den", text: "hi" }] as ReadonlyArray<Command>) {
        assert.strictEqual(code(bo, command, banned), silent, mask)
        for (const may of [rank("bo", "voice"), rank("bo", "operator"), except("bo")]) assert.lengthOf(facts(bo, command, then(banned, ana, may)), 1, mask)
        assert.lengthOf(facts(ana, command, then(having(ana, ban("*")), ana, ban("m:*"))), 1, "who runs the room")
      }
    }
    assert.lengthOf(facts(bo, say, having(ana, ban("m:bo"), except("m:bo"))), 1, "who may talk though muted")
    assert.strictEqual(code(bo, say, having(ana, ban("bo"), except("m:bo"))), "banned", "is not who may though banned")
    assert.strictEqual(code(cy, join, having(ana, ban("cy"), except("m:cy"))), "banned")
    assert.lengthOf(facts(cy, join, having(ana, ban("m:*"))), 1, "who is muted may come in")
    assert.strictEqual(code(cy, say, then(having(ana, ban("m:cy")), cy, join)), "muted")
  })

  it.prop("row 37: is kept once in its normal form, by whom and since when, until it is taken off", {
    masks: Arbitrary.array(among("ana", "ANA", "ana!*@*", "*!*@::1", "@::1", "m:ana", "m:ANA!*", "b?"), { maxLength: 20 }),
    list: Arbitrary.schema(MaskList)
  }, ({ list, masks }) => {
    const asked = masks.map((mask): Wish => ({ _tag: "SetMask", room: "den", list, mask, on: true }))
    const world = then(scene, ana, ...asked)
    const kept = roomOf(world, "den").masks[list]
    const bare = (mask: string) => list !== "invitation" && mask.startsWith("m:") ? `m:${Mask.whole(mask.slice(2))}` : Mask.whole(mask)
    const first = [...new Map(masks.map(bare).toReversed().map((mask) => [mask.toLowerCase(), mask])).values()]
    assert.deepStrictEqual(new Set(kept.map(({ mask }) => mask)), new Set(first), "as it was written first")
    assert.isTrue(kept.every(({ by }) => by === "ana"))
    const [told] = answers(cy, { _tag: "Masks", room: "#DEN", list }, world) as ReadonlyArray<Answer & { _tag: "Masks" }>
    assert.deepStrictEqual(told!.masks.map(({ at, by, mask }) => ({ mask, by, at: Date.parse(at) })), kept.map((one) => ({ ...one })))
    const off = then(world, ana, ...kept.map(({ mask }): Wish => ({ _tag: "SetMask", room: "den", list, mask: mask.toUpperCase().replace(/^M:/, "m:"), on: false })))
    assert.isEmpty(roomOf(off, "den").masks[list])
  }, runs)

  it("row 37: is one of a hundred at most, and says nothing when it changes nothing", () => {
    for (const list of MaskList.literals) {
      const many = Array.from({ length: 110 }, (_, n): Wish => ({ _tag: "SetMask", room: "den", list, mask: `nick${n}`, on: true }))
      const turns = play(by(ana, ...many), scene)
      const world = after(turns)
      assert.lengthOf(roomOf(world, "den").masks[list], World.limits.masks)
      assert.deepInclude(refusalsOf(turns.at(-1)!.outcomes)[0], { code: "list-full", room: "den" })
      assert.deepStrictEqual(ask(ana, many[0]!, world), [], "who is on it stays on it")
      assert.deepStrictEqual(ask(ana, { ...many[109]!, on: false } as Wish, world), [])
      const less = then(world, ana, { ...many[0]!, on: false } as Wish)
      assert.lengthOf(facts(ana, many[109]!, less), 1)
    }
  })

  it("is a mask: one word of printable ASCII, short enough to be taken off again", () => {
    for (const mask of ["", "m:", "two words", "é", "a\u0000b", "x".repeat(157), "m:" + "x".repeat(157)]) assert.strictEqual(code(ana, ban(mask)), "erroneous", JSON.stringify(mask))
    for (const bare of ["x".repeat(156), "$a:x", ":", ",", "m:m:x"]) {
      for (const list of MaskList.literals) {
        const set: Wish = { _tag: "SetMask", room: "den", list, mask: bare, on: true }
        const [fact] = facts(ana, set)
        assert.strictEqual(fact?._tag, "MaskSet")
        const kept = (fact as { readonly mask: string }).mask
        assert.isEmpty(roomOf(then(scene, ana, set, { ...set, mask: kept, on: false }), "den").masks[list], bare)
      }
    }
  })
})

describe("a key, a limit and an invitation", () => {
  it("a key is to be known, to the letter", () => {
    const locked = having(ana, { _tag: "SetKey", room: "den", key: "sesame" })
    for (const key of [{}, { key: "" }, { key: "Sesame" }, { key: "sesame " }]) {
      assert.strictEqual(refusal(cy, { ...join, ...key }, locked), "#den wants a key, and that is not it")
    }
    assert.lengthOf(facts(cy, { ...join, key: "sesame" }, locked), 1)
    assert.lengthOf(facts(cy, { ...join, key: "whatever" }), 1, "where there is none any will do")
    assert.lengthOf(facts(cy, join, then(locked, ana, { _tag: "SetKey", room: "den" })), 1)
    assert.notInclude(JSON.stringify(answers(cy, { _tag: "Look", room: "den" }, locked)) + refusal(cy, join, locked), "sesame", "row 43")
    for (const key of ["", "two words", "a,b", ":a", "é", "x".repeat(33)]) assert.strictEqual(code(ana, { _tag: "SetKey", room: "den", key }), "erroneous", key)
    assert.deepStrictEqual(ask(ana, { _tag: "SetKey", room: "den", key: "sesame" }, locked), [])
    assert.deepStrictEqual(facts(ana, { _tag: "SetKey", room: "den", key: "x".repeat(32) }, locked), [{ _tag: "KeySet", room: "den", by: "ana", key: "x".repeat(32) }])
  })

  it("a limit is how many may be in, and throws nobody out", () => {
    const limited = (limit: number) => having(ana, { _tag: "SetLimit", room: "den", limit })
    assert.strictEqual(refusal(cy, join, limited(1)), "#den is full")
    assert.strictEqual(refusal(cy, join, limited(2)), "#den is full")
    assert.lengthOf(facts(cy, join, limited(3)), 1)
    assert.strictEqual(HashMap.size(roomOf(limited(1), "den").members), 2)
    assert.lengthOf(facts(cy, join, then(limited(2), bo, { _tag: "Part", room: "den" })), 1)
    assert.lengthOf(facts(cy, join, then(limited(2), ana, { _tag: "SetLimit", room: "den" })), 1)
    for (const limit of [0, -1, 1_000_001, Number.MAX_SAFE_INTEGER]) assert.strictEqual(code(ana, { _tag: "SetLimit", room: "den", limit }), "erroneous")
    assert.deepStrictEqual(ask(ana, { _tag: "SetLimit", room: "den" }), [])
  })

  it("an invitation opens every door once, and is for one person", () => {
    const shut = having(ana, flag("invite-only"), { _tag: "SetKey", room: "den", key: "sesame" }, { _tag: "SetLimit", room: "den", limit: 1 })
    assert.strictEqual(refusal(cy, join, shut), "#den wants a key, and that is not it")
    assert.strictEqual(refusal(cy, { ...join, key: "sesame" }, shut), "#den is full")
    assert.strictEqual(refusal(cy, join, having(ana, flag("invite-only"))), "#den is for the invited only")
    const invited = then(shut, ana, invite("CY"))
    const inside = then(invited, cy, { _tag: "SetNick", nick: "cyd" }, join)
    assert.isTrue(World.person(inside, cy)!.rooms.has("den"), "whatever they are called now")
    assert.strictEqual(code(cy, join, then(inside, cy, { _tag: "Part", room: "den" })), "wrong-key", "it is used up")
    assert.strictEqual(code(cy, join, then(inside, ana, { _tag: "Kick", room: "den", nick: "cyd" })), "wrong-key")
    const other = then(then(invited, cy, { _tag: "SetNick", nick: "cyd" }), dan, { _tag: "Arrive", nick: "cy" })
    assert.strictEqual(code(dan, join, other), "wrong-key", "it is not for whoever has the nick then")
    const listed = then(shut, ana, welcome("c*"))
    assert.strictEqual(code(cy, join, listed), "wrong-key", "who is on the list of invitations needs none, but the key")
    assert.lengthOf(facts(cy, { ...join, key: "sesame" }, then(listed, ana, { _tag: "SetLimit", room: "den" })), 1)
  })

  it("an invitation is anybody's to give who is in, of those who run it where only the invited come in", () => {
    const invited = ask(bo, invite("cy"))
    assert.deepStrictEqual(invited, [
      { event: { _tag: "Invited", room: "den", nick: "cy", by: "bo" }, to: { rooms: [], sessions: [bo, cy, ana] }, concerns: cy }
    ] satisfies ReadonlyArray<World.Outcome>)
    const shut = having(ana, flag("invite-only"))
    assert.strictEqual(code(bo, invite("cy"), shut), "not-operator")
    assert.lengthOf(facts(ana, invite("cy"), shut), 1)
    assert.strictEqual(code(cy, invite("cy")), "not-in-room")
    assert.strictEqual(refusal(ana, invite("bo")), "bo is in #den already")
    assert.strictEqual(code(ana, invite("ana")), "on-room")
    assert.strictEqual(code(ana, { _tag: "Invite", room: "nest", nick: "cy" }), "no-room")
    assert.deepStrictEqual(answers(ana, invite("cy"), then(scene, cy, { _tag: "SetAway", message: "lunch" })), [{ _tag: "IsAway", nick: "cy", message: "lunch" }])
  })

  it("an invitation lets in past what keeps others out only from who runs the room, whenever it was closed", () => {
    const ways: ReadonlyArray<readonly [Code, ReadonlyArray<Command>]> = [
      ["banned", [ban("cy")]],
      ["wrong-key", [{ _tag: "SetKey", room: "den", key: "sesame" }]],
      ["full", [{ _tag: "SetLimit", room: "den", limit: 2 }]],
      ["invite-only", [flag("invite-only")]]
    ]
    for (const [why, closing] of ways) {
      const isFor = (inviter: SessionId) => then(then(scene, inviter, invite("cy")), ana, ...closing)
      assert.strictEqual(code(cy, join, isFor(bo)), why, "before it was closed")
      assert.lengthOf(facts(cy, join, isFor(ana)), 1, why)
      if (why === "invite-only") continue
      const closed = having(ana, ...closing)
      assert.lengthOf(facts(bo, invite("cy"), closed), 1, "they are told all the same")
      assert.strictEqual(code(cy, join, then(closed, bo, invite("cy"))), why)
      assert.lengthOf(facts(cy, join, then(closed, ana, invite("cy"))), 1)
      assert.lengthOf(facts(cy, join, then(then(closed, ana, invite("cy")), bo, invite("cy"))), 1, "what an operator gave stays")
    }
    const { admits } = facts(ana, invite("cy"))[0] as { readonly admits?: boolean }
    assert.isTrue(admits)
    const old = World.evolve(scene, ana, { _tag: "Invited", room: "den", nick: "cy", by: "ana" }, 0)
    assert.strictEqual(old, scene, "of an old log, in which nothing says so, it lets nobody in")
  })

  it("row 37: no more than a hundred are invited and have not come; who has quit is not one of them", () => {
    const crowd = Array.from({ length: 150 }, (_, n) => `c${n}`)
    const world = after(play(crowd.flatMap((id) => by(id, { _tag: "Arrive", nick: id })), scene))
    const turns = play(by(ana, ...crowd.map(invite)), world)
    assert.lengthOf(turns.filter(({ outcomes }) => keptOf(outcomes).length === 1), World.limits.invited)
    const full = after(turns)
    assert.strictEqual(code(ana, invite("c120"), full), "list-full")
    assert.lengthOf(facts(ana, invite("c0"), full), 1, "once more is not one more")
    for (const gone of [by("c0", { _tag: "Quit" }), by("c0", join)]) {
      const room = after(play(gone, full))
      assert.lengthOf(facts(ana, invite("c120"), room), 1)
      assert.isAtMost(roomOf(then(room, ana, invite("c120"), invite("c121")), "den").invited.size, World.limits.invited)
    }
    assert.lengthOf(facts(bo, invite("c120"), full), 1, "whom it does not let in takes no place")
    const emptied = after(play([...crowd.slice(0, 100).flatMap((id) => by(id, { _tag: "Quit" })), ...by(ana, invite("c120"))], full))
    assert.deepStrictEqual([...roomOf(emptied, "den").invited], ["c120"])
  })
})

describe("talk in a room", () => {
  it("is for members, unless strangers may", () => {
    assert.strictEqual(refusal(cy, say), "you are not in #den")
    const open = having(ana, flag("members-only", false))
    assert.deepStrictEqual(keptOf(ask(cy, say, open)).map(({ to }) => to), ["den"])
    assert.lengthOf(facts(cy, { _tag: "Say", target: "den", text: "hi" }, open), 1)
    assert.strictEqual(code(cy, say, then(open, ana, ban("cy"))), "banned")
    assert.strictEqual(code(cy, say, then(open, ana, ban("m:cy"))), "muted")
    assert.strictEqual(code(cy, say, then(open, ana, { _tag: "SetModerated", room: "den", moderated: true })), "moderated")
    assert.strictEqual(code(cy, { _tag: "Pass", room: "den", bytes: Text.encode("hi") }, open), "not-in-room", "bytes are passed by members")
  })

  it("is none of clients with each other where that is not wanted", () => {
    const quiet = having(ana, flag("no-ctcp"))
    const ctcp: Wish = { ...say, text: "\u0001VERSION\u0001" }
    for (const who of [ana, bo]) assert.strictEqual(code(who, ctcp, quiet), "no-ctcp")
    assert.lengthOf(facts(bo, ctcp), 1)
    for (const command of [say, { ...say, kind: "action" }, { _tag: "Whisper", nick: "ana", text: ctcp.text }] as ReadonlyArray<Wish>) {
      assert.lengthOf(facts(bo, command, quiet), 1)
    }
    const closed = having(ana, { _tag: "SetTrait", trait: "no-ctcp", on: true })
    for (const [_tag, to] of [["Whisper", { nick: "ana" }], ["Say", { target: "ana" }]] as const) {
      const asking = { _tag, ...to, text: ctcp.text } as Wish
      assert.strictEqual(code(bo, asking, closed), "no-ctcp")
      assert.lengthOf(facts(ana, asking, closed), 1)
      assert.lengthOf(facts(bo, { ...asking, text: "hi", kind: "action" } as Wish, closed), 1)
    }
  })

  it("to @#room is for those who run it, to +#room for those with a voice too", () => {
    const world = then(having(ana, flag("members-only", false), rank("bo", "voice")), dan, { _tag: "Arrive", nick: "dan" }, join)
    const heard = (who: SessionId, target: string) =>
      keptOf(ask(who, { _tag: "Say", target, text: "hi" }, world)).map(({ event, to }) => [
        (event as { only?: Rank }).only, typeof to === "string" ? to : { rooms: [...to.rooms], sessions: new Set(to.sessions) }
      ])
    for (const who of [ana, bo, cy, dan]) {
      assert.deepStrictEqual(heard(who, "@#den"), [["operator", { rooms: [], sessions: new Set([who, ana]) }]], who)
      for (const target of ["+#den", "+#DEN", "@+#den", "+@#den"]) {
        assert.deepStrictEqual(heard(who, target), [["voice", { rooms: [], sessions: new Set([who, ana, bo]) }]], who)
      }
    }
    for (const target of ["@den", "+den", "@"]) assert.strictEqual(code(ana, { _tag: "Say", target, text: "hi" }), "nobody", target)
    assert.strictEqual(code(ana, { _tag: "Say", target: "@#nest", text: "hi" }), "no-room")
    assert.deepStrictEqual(facts(ana, { _tag: "Hint", target: "@#den", tags: { "+typing": "active" } }), [
      { _tag: "Hinted", nick: "ana", room: "den", only: "operator", tags: { "+typing": "active" } }
    ])
  })

  it("is one line, as every text is, and not too long: that is told apart", () => {
    const texts: ReadonlyArray<(text: string) => Command> = [
      (text) => ({ _tag: "Say", target: "#den", text }),
      (text) => ({ _tag: "Whisper", nick: "bo", text }),
      (text) => ({ _tag: "SetTopic", room: "den", topic: text }),
      (text) => ({ _tag: "SetAway", message: text }),
      (text) => ({ _tag: "Part", room: "den", reason: text }),
      (text) => ({ _tag: "Kick", room: "den", nick: "bo", reason: text })
    ]
    for (const asking of texts) {
      for (const text of ["a\nb", "a\rb", "\u0000", "\ud800"]) assert.strictEqual(code(ana, asking(text)), "erroneous", JSON.stringify(asking(text)))
      assert.strictEqual(code(ana, asking("x".repeat(5_000))), "too-long")
    }
    assert.strictEqual(code(ana, { ...say, tags: { "+a b": "x" } } as Command), "erroneous")
  })

  it("row 40: has tags that are not too many", () => {
    const tags = (length: number) => ({ "+x": "x".repeat(length) })
    // Between `@` and the space after them: `+x=xxx…`, or `+x=xxx…;+y=…` where there are more.
    const most = World.limits.tags - "+x=".length
    for (const command of [say, { _tag: "Whisper", nick: "bo", text: "hi" }, { _tag: "Hint", target: "#den" }, { _tag: "Hint", target: "bo" }]) {
      const [fact] = facts(ana, { ...command, tags: tags(most) } as Command)
      assert.deepStrictEqual((fact as { tags?: unknown }).tags, tags(most))
      assert.strictEqual(code(ana, { ...command, tags: tags(most + 1) } as Command), "too-long")
      assert.isDefined(code(ana, { ...command, tags: { ...tags(most - 3), "+y": "" } } as Command))
      assert.lengthOf(facts(ana, { ...command, tags: { ...tags(most - 4), "+y": "" } } as Command), 1)
      const thousand = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`+tag${n}`, ""]))
      for (const bomb of [thousand, { "+x": "é".repeat(most / 2 + 1) }, { "": "x" }, { "+": "x" }, { typing: "x" }, { "+a b": "x" }, { "+a;b": "x" }, { "+é": "x" }]) {
        assert.isDefined(code(ana, { ...command, tags: bomb } as Command), Object.keys(bomb)[0])
      }
    }
  })
})

describe("ranks", () => {
  it.prop("are given and taken one by one", {
    steps: Arbitrary.array(Arbitrary.all({ rank: Arbitrary.schema(Rank), on: oneOf<boolean | undefined>(among(true, false), Arbitrary.Constant(undefined)) }), { maxLength: 12 })
  }, ({ steps }) => {
    let world = scene
    let operator = false
    let voice = false
    for (const { on, rank: ranked } of steps) {
      const was = World.rank(roomOf(world, "den"), bo)
      const isOperator = ranked.includes("operator")
      const hasVoice = ranked.includes("voice")
      if (on === undefined) [operator, voice] = [isOperator, hasVoice]
      else [operator, voice] = [isOperator ? on : operator, hasVoice ? on : voice]
      const outcomes = ask(ana, rank("bo", ranked, on), world)
      world = then(world, ana, rank("bo", ranked, on))
      const now = World.rank(roomOf(world, "den"), bo)!
      assert.deepStrictEqual([now.includes("operator"), now.includes("voice")], [operator, voice])
      assert.deepStrictEqual(keptOf(outcomes).map(({ event }) => event), was === now ? [] : [
        { _tag: "RankSet", room: "den", nick: "bo", by: "ana", rank: now, was: was! }
      ])
      assert.strictEqual(roomOf(world, "den").operators, operator ? 2 : 1)
    }
  }, runs)

  it("let one talk in a moderated room, for as long as somebody can give them", () => {
    const moderated = having(ana, { _tag: "SetModerated", room: "den", moderated: true })
    assert.strictEqual(code(bo, say, moderated), "moderated")
    for (const ranked of ["voice", "operator", "voiced operator"] as const) assert.lengthOf(facts(bo, say, then(moderated, ana, rank("bo", ranked))), 1)
    assert.lengthOf(facts(bo, say, then(moderated, ana, { _tag: "Part", room: "den" })), 1)
    assert.lengthOf(facts(bo, say, then(moderated, ana, rank("ana", "voice"))), 1)
  })

  it("let one set the topic where it is locked", () => {
    const topic: Wish = { _tag: "SetTopic", room: "den", topic: "tea" }
    assert.strictEqual(code(bo, topic), "not-operator")
    assert.lengthOf(facts(bo, topic, having(ana, flag("topic-locked", false))), 1)
    assert.lengthOf(facts(bo, topic, having(ana, rank("bo", "voiced operator"))), 1)
    assert.strictEqual(code(bo, topic, having(ana, rank("bo", "voice"))), "not-operator")
    const { topicAt, topicBy } = roomOf(then(scene, ana, topic), "den")
    assert.deepStrictEqual([topicBy, topicAt], ["ana!plain@::1", 0])
  })
})

describe("a secret room", () => {
  const secret = having(ana, flag("secret"))
  const rooms = (who: SessionId, world = secret) =>
    (answers(who, { _tag: "List" }, world)[0] as Answer & { _tag: "Rooms" }).rooms.map(({ room }) => room).toSorted()
  const described = (who: SessionId, world = secret) => (answers(who, { _tag: "Who", nick: "ana" }, world)[0] as Answer & { _tag: "Person" }).rooms

  it("is not listed, described or named to strangers", () => {
    assert.deepStrictEqual([rooms(cy), described(cy)], [["lobby"], ["lobby"]])
    for (const command of [{ _tag: "Look", room: "den" }, { _tag: "Names", room: "den" }, { _tag: "Masks", room: "den", list: "ban" }, say,
      { _tag: "History", room: "den" }, { _tag: "Part", room: "den" }, { _tag: "SetTopic", room: "den", topic: "x" }, { _tag: "Kick", room: "den", nick: "bo" },
      invite("cy"), ban("cy"), flag("secret", false)] as ReadonlyArray<Wish>) {
      assert.strictEqual(refusal(cy, command, secret), "there is no room #den", command._tag)
    }
    assert.strictEqual(refusal(cy, { _tag: "Say", target: "den", text: "hi" }, secret), "there is nobody called den")
    assert.lengthOf(facts(cy, join, secret), 1, "who knows its name may come in")
  })

  it("is not named when somebody quits who was in it", () => {
    assert.deepInclude(facts(bo, { _tag: "Quit" })[0], { rooms: ["lobby", "den"] })
    assert.deepInclude(facts(bo, { _tag: "Quit" }, secret)[0], { rooms: ["lobby"] })
  })

  it("is there for its members, for operators of the server, and for those who may talk to it from without", () => {
    for (const [who, world] of [[bo, secret], [cy, then(secret, cy, oper)]] as const) {
      assert.deepStrictEqual([rooms(who, world), described(who, world)], [["den", "lobby"], ["lobby", "den"]])
      assert.lengthOf(answers(who, { _tag: "Names", room: "den" }, world), 1)
    }
    assert.strictEqual(code(cy, { _tag: "Say", target: "#den", text: "hi" }, then(secret, cy, oper)), "not-in-room")
    assert.lengthOf(facts(cy, say, then(secret, ana, flag("members-only", false))), 1)
    assert.deepStrictEqual(rooms(cy, then(secret, ana, flag("secret", false))), ["den", "lobby"])
  })
})

describe("whoever watches", () => {
  const watch = (nicks: ReadonlyArray<string>, on = true): Wish => ({ _tag: "Watch", nicks, on })
  const seen = (who: SessionId, command: Command, world: World.World) =>
    ask(who, command, world).flatMap((outcome) =>
      World.isKept(outcome) || outcome.answer._tag !== "Seen" ? [] : [[outcome.answer.nick, outcome.answer.here, outcome.to]])

  it("is told who is here, and then who comes, goes and is called something else", () => {
    assert.deepStrictEqual(answers(cy, watch(["ANA", "dan", "no nick", "dan"])), [
      { _tag: "Seen", nick: "ana", here: true, from: `${World.person(scene, ana)!.user}@${World.person(scene, ana)!.address}` }, { _tag: "Seen", nick: "dan", here: false }
    ])
    const watching = having(cy, watch(["ANA", "dan"]))
    assert.deepStrictEqual([...World.person(watching, cy)!.watches.keys()], ["ana", "dan"])
    assert.deepStrictEqual(seen(dan, { _tag: "Arrive", nick: "Dan" }, watching), [["Dan", true, [cy]]])
    assert.deepStrictEqual(seen(ana, { _tag: "Quit" }, watching), [["ana", false, [cy]]])
    assert.deepStrictEqual(seen(ana, { _tag: "SetNick", nick: "Dan" }, watching), [["ana", false, [cy]], ["Dan", true, [cy]]])
    assert.deepStrictEqual(seen(ana, { _tag: "SetNick", nick: "ANA" }, watching), [], "the same nick")
    assert.deepStrictEqual(seen(bo, { _tag: "Quit" }, watching), [])
    assert.deepStrictEqual(ask(cy, watch(["ana"], false), then(watching, cy, watch(["ana"], false))), [])
    assert.deepStrictEqual(seen(ana, { _tag: "Quit" }, then(watching, cy, watch(["Ana"], false))), [])
  })

  it("is told of being away where they would not hear it anyway", () => {
    const watching = after(play([...by(bo, watch(["ana"])), ...by(dan, { _tag: "Arrive", nick: "dan" }, watch(["ana"]))], scene))
    const [told] = keptOf(ask(ana, { _tag: "SetAway", message: "tea" }, watching))
    assert.deepStrictEqual((told!.to as Exclude<World.Audience, string>).sessions, [ana, dan])
  })

  it("is forgotten when they quit", () => {
    const gone = after(play([...by(cy, watch(["ana", "bo"])), ...by(bo, watch(["ana"])), ...by(cy, { _tag: "Quit" })], scene))
    assert.deepStrictEqual(seen(ana, { _tag: "Quit" }, gone), [["ana", false, [bo]]])
    assert.deepStrictEqual([...HashMap.keys(gone.watchers)], ["ana"])
    const back = then(gone, cy, { _tag: "Arrive", nick: "cy" })
    assert.isEmpty(World.person(back, cy)!.watches)
  })

  it("row 37: watches a hundred at most, and is answered once for each", () => {
    const many = Array.from({ length: 100 }, (_, n) => `nick${n}`)
    const full = having(cy, watch(many))
    assert.strictEqual(World.person(full, cy)!.watches.size, World.limits.watches)
    assert.strictEqual(code(cy, watch(["onemore"]), full), "list-full")
    assert.strictEqual(code(cy, watch([...many, "onemore"])), "list-full")
    assert.lengthOf(answers(cy, watch(many), full), 100, "to ask again about the same is not more")
    assert.lengthOf(answers(cy, watch(Array.from({ length: 20_000 }, (_, n) => n % 2 === 0 ? "ana" : "ANA"))), 1)
    assert.lengthOf(facts(cy, watch(["onemore"]), then(full, cy, watch(["nick7"], false))), 1)
  })
})

describe("operators of the server", () => {
  const opered = having(cy, oper)
  const powers: ReadonlyArray<Command> = [{ _tag: "Kill", nick: "bo", reason: "noise" }, { _tag: "Wallop", text: "hi" }, { _tag: "Control", what: "rehash" }, { _tag: "Control", what: "die" }]

  it("are those the house knows, by name and password, until they have enough of it", () => {
    assert.deepStrictEqual(ask(cy, oper), [
      { event: { _tag: "Opered", nick: "cy", on: true }, to: { rooms: [], sessions: [cy] }, concerns: undefined }
    ] satisfies ReadonlyArray<World.Outcome>)
    for (const wrong of [{ password: "Secret" }, { password: "" }, {}, { name: "nobody", password: "secret" }]) {
      const [refused, ...more] = answers(cy, { _tag: "Oper", name: "root", ...wrong }) as ReadonlyArray<Answer & { _tag: "Refused" }>
      assert.isEmpty(more)
      assert.strictEqual(refused!.code, "password")
      if (wrong.password) assert.notInclude(JSON.stringify(refused), wrong.password, "row 43")
    }
    assert.deepStrictEqual(ask(cy, { _tag: "Oper" }), [])
    const retired = then(opered, cy, { _tag: "Oper" })
    for (const power of powers) {
      assert.strictEqual(code(cy, power, retired), "server-operator")
      assert.strictEqual(code(ana, power, opered), "server-operator", "who runs a room is not one")
      assert.isUndefined(code(cy, power, opered))
    }
    assert.strictEqual(code("new", oper), "not-arrived")
    assert.isFalse(World.person(then(opered, cy, { _tag: "Quit" }, { _tag: "Arrive", nick: "cy" }), cy)!.operator)
  })

  it("are no operators of rooms, but they kick from any", () => {
    const moderate: Command = { _tag: "SetModerated", room: "den", moderated: true }
    assert.strictEqual(code(cy, moderate, opered), "not-in-room")
    assert.strictEqual(code(cy, moderate, then(opered, cy, join)), "not-operator")
    const kick: Command = { _tag: "Kick", room: "#den", nick: "bo" }
    assert.deepStrictEqual(ask(cy, kick, opered), [
      { event: { _tag: "Kicked", room: "den", nick: "bo", by: "cy" }, to: { rooms: ["den"], sessions: [cy] }, concerns: bo }
    ] satisfies ReadonlyArray<World.Outcome>, "who is not there is told what came of it")
    assert.deepStrictEqual(keptOf(ask(cy, kick, then(opered, cy, join))).map(({ to }) => to), ["den"])
    assert.strictEqual(code(cy, kick, then(opered, cy, { _tag: "Oper" })), "not-in-room")
    assert.strictEqual(code(cy, { ...kick, nick: "cy" }, opered), "others-room")
    assert.strictEqual(code(cy, { ...kick, room: "nowhere" }, opered), "no-room")
    assert.strictEqual(code(cy, join, then(opered, ana, ban("cy"))), "banned")
  })

  it("end somebody's session with a reason, tell all who want to hear it, and control the server", () => {
    assert.deepStrictEqual(ask(cy, powers[0]!, opered), [
      { answer: { _tag: "Closing", reason: "Killed (cy (noise))", by: Mask.written(World.holder(opered, "cy")!), why: "noise" }, to: [bo] }
    ])
    const [long] = ask(cy, { _tag: "Kill", nick: "bo", reason: "é\r\n".repeat(1_000) }, opered) as ReadonlyArray<World.Told & { answer: { reason: string } }>
    assert.match(long!.answer.reason, /^[^\r\n]{200,}$/)
    assert.isAtMost(Text.byteLength(long!.answer.reason), 450)
    assert.strictEqual(code(cy, { _tag: "Kill", nick: "dan", reason: "" }, opered), "nobody")
    const willing = then(opered, bo, { _tag: "SetTrait", trait: "wallops", on: true })
    const [told] = keptOf(ask(cy, powers[1]!, willing))
    assert.deepStrictEqual(told!.event, { _tag: "Walloped", nick: "cy", text: "hi" })
    assert.deepStrictEqual(new Set((told!.to as { sessions: ReadonlyArray<SessionId> }).sessions), new Set([bo, cy]))
    assert.strictEqual(code(cy, { _tag: "Wallop", text: "x".repeat(5_000) }, opered), "too-long")
    for (const what of ["rehash", "die"] as const) assert.deepStrictEqual(ask(cy, { _tag: "Control", what }, opered), [{ answer: { _tag: "Controlled", what } }])
  })
})

describe("the world", () => {
  it("remembers the last 256 who held a nick before, and how many there were at most", () => {
    const turns = play(by(ana, ...Array.from({ length: 300 }, (_, n): Wish => ({ _tag: "SetNick", nick: `ana${n}` }))), scene, (turn) => 1000 + turn)
    const { past } = after(turns)
    assert.lengthOf(past, 256)
    assert.deepStrictEqual(past.at(-1), { nick: "ana298", user: "plain", address: "::1", realname: "ana298", at: 1299 })
    assert.deepStrictEqual(past.map(({ at }) => at), Array.from({ length: 256 }, (_, n) => 1044 + n), "oldest first")
    assert.lengthOf(having(ana, { _tag: "SetNick", nick: "ANA" }).past, 0)
    const gone = after(play([...by(ana, { _tag: "Quit" }), ...by(bo, { _tag: "Quit" })], scene))
    assert.deepStrictEqual([gone.past.map(({ nick }) => nick), gone.most, HashMap.size(gone.persons)], [["ana", "bo"], 3, 1])
  })

  it("lets in whom the house admits, as the user they say they are as far as that can be written", () => {
    const arrive = (fields: object, password?: string) =>
      World.decide(scene, "new", { _tag: "Arrive", nick: "eve", ...fields, ...(password === undefined ? {} : { password }) }, {
        ...moment(), house: { ...openHouse, admits: (given) => given === "sesame" ? "right" : "wrong" }
      })
    for (const password of [undefined, "", "Sesame"]) assert.deepStrictEqual(refusalsOf(arrive({}, password)).map(({ code }) => code), ["password"])
    const [came] = keptOf(arrive({ user: "~e v!e@\u0000" + "x".repeat(40), realname: "Eve\r\n" + "é".repeat(200) }, "sesame"))
    assert.deepInclude(came!.event, { nick: "eve", user: "~evexxxxxxxxxxxx" })
    assert.match((came!.event as { realname: string }).realname, /^Eve {2}é{72}$/)
    assert.notProperty(keptOf(arrive({ user: "!@" }, "sesame"))[0]!.event, "user")
  })

  it.prop("row 44: does nothing to those who have just gone or are called something else now", {
    asked: among("Kick", "SetRank", "Invite", "Kill", "Whisper", "Hint", "Who"),
    how: among("quit", "renamed"),
    n: int(0, 3)
  }, ({ asked, how, n }) => {
    const commands: Record<typeof asked, Command> = {
      Kick: { _tag: "Kick", room: "den", nick: "bo" },
      SetRank: rank("bo", "operator", true),
      Invite: invite("bo"),
      Kill: { _tag: "Kill", nick: "bo", reason: "" },
      Whisper: { _tag: "Whisper", nick: "bo", text: "psst" },
      Hint: { _tag: "Hint", target: "bo", tags: {} },
      Who: { _tag: "Who", nick: "bo" }
    }
    const before = then(having(ana, oper), bo, ...(n === 0 ? [{ _tag: "Part", room: "den" } as const] : []))
    const world = then(before, bo, how === "quit" ? { _tag: "Quit" } : { _tag: "SetNick", nick: "rob" })
    assert.deepStrictEqual(ask(ana, commands[asked], world).map((outcome) => (outcome as { answer?: { code?: Code } }).answer?.code), ["nobody"])
    // Whoever is called so now is meant, and nobody else.
    const taken = then(world, dan, { _tag: "Arrive", nick: "bo" })
    for (const outcome of ask(ana, commands[asked], taken)) {
      if (World.isKept(outcome)) assert.strictEqual(outcome.concerns, dan)
      else if (outcome.to !== undefined) assert.deepStrictEqual(outcome.to, [dan])
    }
  }, runs)
})
