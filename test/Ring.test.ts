/** Keeping up with a ring and falling behind it: whoever does either, whenever, hears everything once and in order. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import { Batch } from "../src/Batch.ts"
import type { Connection } from "../src/Connection.ts"
import type { Rendering } from "../src/Dialect.ts"
import type { Entry } from "../src/Event.ts"
import { highWater, Ring, ringCapacity } from "../src/Ring.ts"
import { Subscription } from "../src/Subscription.ts"
import { Arbitraries } from "../src/testing.ts"

const { among } = Arbitraries

/** Bytes that say which entries they are. */
const rendering = (): Rendering => ({
  render: (entries) => ({ bytes: Buffer.from(entries.map(({ seq }) => `${seq} `).join("")), ends: [] })
})
const one = rendering()
const other = rendering()

const entry = (seq: number, by: string): Entry => ({ seq, at: 0, id: `m${seq}`, by, event: { _tag: "Said", room: "den", nick: by, text: "", kind: "message" } })

/** Somebody who hears a room and writes down the numbers of what came, by whichever way. */
class Member {
  readonly heard: Array<number> = []
  readonly due: Array<number> = []
  readonly subscription: Subscription
  /** Whether its client takes nothing. */
  stuck = false
  here = true
  /** Done while it is given something. */
  onGiven: () => void = () => {}
  readonly connection = {
    unsent: () => this.stuck ? highWater + 1 : 0,
    give: (bytes: Uint8Array) => {
      this.heard.push(...Buffer.from(bytes).toString().trim().split(" ").map(Number))
      this.onGiven()
    }
  } as unknown as Connection
  constructor(id: string, ring: Ring) {
    this.subscription = new Subscription(id, "test", "test", { ring: () => this.drain() })
    this.subscription.enter(ring, 1)
  }
  /** Take what waits, as far as the client takes it. */
  drain(): void {
    if (this.stuck) return
    const batch = this.subscription.takeBatch()
    if (batch !== undefined) this.heard.push(...batch.entries.map(({ seq }) => seq))
    for (const { part } of this.subscription.take()) {
      if (part._tag === "Heard") this.heard.push(...part.batch.entries.slice(part.from, part.to).map(({ seq }) => seq))
      else if (part._tag === "Private") this.heard.push(part.entry.seq)
      else assert.fail(`nothing of the kind was told: ${part._tag}`)
    }
  }
  keepUp(): void {
    this.drain()
    this.subscription.keepUp(this.connection, {
      renderingOf: () => this.subscription.id === "cy" ? other : one,
      hear: ({ entries }) => {
        this.heard.push(...entries.map(({ seq }) => seq))
        this.onGiven()
      }
    })
  }
}

const names = ["ana", "bo", "cy"] as const
const deed = among("keep up", "fall behind", "stop reading", "read again", "be told", "go")
const deeds = Arbitrary.array(Arbitrary.all({ who: among(0, 1, 2), deed }), { maxLength: 4 })
const turns = Arbitrary.array(
  Arbitrary.all({ deeds, authors: Arbitrary.array(among(...names, "dan"), { minLength: 1, maxLength: 3 }), knows: among(true, false), meanwhile: among(0, 1, 2, 3), during: deeds }),
  { maxLength: Math.min(24, ringCapacity) }
)

describe("a ring", () => {
  it.prop("gives everybody everything once, in order, whoever keeps up or falls behind, even while others are told", { turns }, ({ turns }) => {
    const ring = new Ring("den", "den", Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => {})
    const members = names.map((name) => new Member(name, ring))
    let seq = 0
    let telling = false
    const act = (who: number, what: typeof deed extends Arbitrary.Arbitrary<infer A> ? A : never): void => {
      const member = members[who]!
      if (!member.here) return
      if (what === "keep up") member.keepUp()
      if (what === "fall behind") member.subscription.fallBehind()
      if (what === "stop reading") member.stuck = true
      if (what === "read again") {
        member.stuck = false
        member.drain()
      }
      // The hub does nothing while it publishes.
      if (what === "be told" && !telling) {
        member.due.push(++seq)
        member.subscription.tell(entry(seq, "server"), true)
      }
      if (what === "go") {
        if (telling) return
        member.drain()
        member.here = false
        member.subscription.end()
      }
    }
    for (const { authors, deeds, during, knows, meanwhile } of turns) {
      for (const { deed, who } of deeds) act(who, deed)
      const entries = authors.map((by) => entry(++seq, by))
      for (const member of members) if (member.here) member.due.push(...entries.map(({ seq }) => seq))
      const given = members[meanwhile]
      if (given !== undefined) {
        given.onGiven = () => {
          given.onGiven = () => {}
          for (const { deed, who } of during) act(who, deed)
        }
      }
      const known = knows ? { authors: authors.map((by) => members.find(({ here, subscription }) => here && subscription.id === by)?.subscription) } : {}
      telling = true
      ring.publish({ entries, ...known }, (id, of) => members.find(({ here, subscription }) => here && subscription.id === id)?.subscription.keepingUp(of))
      telling = false
      if (given !== undefined) given.onGiven = () => {}
      for (let i = ring.behind.length - 1; i >= 0; i--) ring.behind[i]?.subscription.bell.ring()
    }
    assert.strictEqual(ring.size, members.filter(({ here }) => here).length)
    for (const member of members) {
      if (!member.here && member.stuck) continue
      member.stuck = false
      member.drain()
      assert.deepStrictEqual(member.heard, member.due, member.subscription.id)
    }
  }, { arbitrary: { runs: 2000 } })

  it.prop("has the same parts of somebody in it, whether they are known or only named", {
    entries: Arbitrary.array(Arbitrary.all({ by: among(...names), concerns: among(...names, "nobody"), isKnown: among(true, false) }), { minLength: 1, maxLength: 40 }),
    concerned: among(true, false)
  }, ({ concerned, entries: some }) => {
    const members = names.map((id) => ({ id }))
    const entries = some.map(({ by }, i) => entry(i + 1, by))
    const concerns = concerned ? some.map(({ by, concerns }) => concerns === "nobody" || concerns === by ? undefined : concerns) : undefined
    const [known, named] = [{ authors: some.map(({ by, isKnown }) => isKnown ? members.find(({ id }) => id === by) : undefined), concerns, entries }, { concerns, entries }]
      .map((news) => new Batch("den", 0, 0, news)) as [Batch, Batch]
    for (const member of members) assert.deepStrictEqual(known.personalTo(member.id, member), named.personalTo(member.id, member))
  })

  it("is not kept up with from the middle of a batch on", () => {
    const ring = new Ring("den", "den", Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => {})
    const [ana, bo, cy] = names.map((name) => new Member(name, ring)) as [Member, Member, Member]
    ana.keepUp()
    cy.keepUp()
    // Those like ana have been told by then.
    cy.onGiven = () => bo.keepUp()
    ring.publish({ entries: [entry(1, "dan")] }, () => undefined)
    for (let i = ring.behind.length - 1; i >= 0; i--) ring.behind[i]!.subscription.bell.ring()
    assert.deepStrictEqual([ana.heard, bo.heard, cy.heard], [[1], [1], [1]])
  })

  it("is heard by who falls behind while another author hears their own", () => {
    const ring = new Ring("den", "den", Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => {})
    const [ana, bo, cy] = names.map((name) => new Member(name, ring)) as [Member, Member, Member]
    for (const member of [ana, bo, cy]) member.keepUp()
    ana.onGiven = () => bo.subscription.fallBehind()
    ring.publish({ entries: [entry(1, "ana"), entry(2, "bo")] }, (id, of) => [ana, bo].find(({ subscription }) => subscription.id === id)?.subscription.keepingUp(of))
    bo.drain()
    assert.deepStrictEqual([ana.heard, bo.heard, cy.heard], [[1, 2], [1, 2], [1, 2]])
  })

  it("keeps no batch for those who keep up, nor more than its own for who does not", () => {
    const pubsub = Effect.runSync(PubSub.sliding<Batch>(ringCapacity))
    const ring = new Ring("den", "den", pubsub, () => {})
    const [ana, bo] = names.map((name) => new Member(name, ring)) as [Member, Member, Member]
    const others = (id: string) => [ana, bo].find(({ subscription }) => subscription.id === id)?.subscription.keepingUp(ring)
    ana.keepUp()
    bo.keepUp()
    ring.behind[0]!.leave()
    assert.lengthOf(ring.behind, 0)
    for (let seq = 1; seq <= 3; seq++) ring.publish({ entries: [entry(seq, "dan")] }, others)
    assert.isTrue(pubsub.pubsub.isEmpty(), "nobody needs it")
    assert.deepStrictEqual([ana.heard, bo.heard], [[1, 2, 3], [1, 2, 3]])
    bo.stuck = true
    ring.publish({ entries: [entry(4, "dan")] }, others)
    assert.strictEqual(pubsub.pubsub.size(), 1, "it waits for who takes nothing")
    assert.deepStrictEqual([ana.heard, bo.heard], [[1, 2, 3, 4], [1, 2, 3]])
  })

  /** What was held back goes with what is published next. */
  const release = (ring: Ring): void => {
    const entries = ring.quiet
    ring.quiet = []
    ring.publish({ entries }, () => undefined)
  }

  it("is heard once by who took what was held back before it was published", () => {
    const ring = new Ring("den", "den", Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => {})
    const [ana, bo] = names.map((name) => new Member(name, ring)) as [Member, Member, Member]
    ring.quiet.push(entry(1, "dan"))
    for (const member of [ana, bo]) {
      member.subscription.tell(entry(2, "server"), true)
      member.drain()
    }
    const { quiet } = ring
    ring.quiet = []
    // It is about to be published.
    bo.keepUp()
    ring.quiet = quiet
    release(ring)
    for (const member of [ana, bo]) {
      member.drain()
      assert.deepStrictEqual(member.heard, [1, 2])
    }
  })

  it("lets go of nothing for who left that came after", () => {
    const ring = new Ring("den", "den", Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => {})
    const { subscription } = new Member("ana", ring)
    ring.publish({ entries: [entry(1, "dan")] }, () => undefined)
    subscription.leave("den", 1)
    for (let seq = 2; seq <= 2 * ringCapacity; seq++) ring.publish({ entries: [entry(seq, "dan")] }, () => undefined)
    assert.deepInclude(subscription.take().map(({ part }) => part)[0], { _tag: "Gap", after: 0, before: 2, count: 1 })
  })
})
