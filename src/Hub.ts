/**
 * The ring running: commands that wait are decided in one go, kept in one go, folded and published in one go.
 * The only place where the world changes. Knows no connections, no bytes, no dialects.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Command } from "./Command.ts"
import * as Crowd from "./Crowd.ts"
import type { Answer, Entry, SessionId } from "./Event.ts"
import { type Draft, Log, type LogError, type Page, type Query } from "./Log.ts"
import * as Measure from "./Measure.ts"
import * as Name from "./Name.ts"
import { type Batch, batchSize, Cursor, Ring, ringCapacity, Subscription } from "./Subscription.ts"
import * as World from "./World.ts"

/** What the hub says in the server's name. */
export interface Options {
  readonly server: string
  readonly motd: ReadonlyArray<string>
  /** Whether somebody who gives this password, or none, may come in. */
  readonly admits: (password: string | undefined) => boolean
  /** Whether this is the password of that operator of the server. */
  readonly isOperator: (name: string, password: string) => boolean
  /** An operator of the server wants the settings read again, or the server to stop. */
  readonly onControl: (what: "rehash" | "die") => void
}

export const defaults: Options = {
  server: "effect-chat",
  motd: [],
  admits: () => true,
  isOperator: () => false,
  onControl: () => {}
}

/** What is known of whoever takes a seat. */
export interface Newcomer {
  readonly dialect: string
  readonly address: string
  /** Rung once after each turn of the hub that brought something to take; synchronously, so it must not block. */
  readonly bell: () => void
}

export class Hub extends Context.Service<Hub, {
  /**
   * A subscription for whoever takes a seat. Nothing is heard before an `Arrive` is submitted and granted. It must be
   * closed.
   */
  readonly open: (newcomer: Newcomer) => Subscription
  /** Whoever arrived by this subscription quits, once, giving this reason; nothing is heard any more. */
  readonly close: (subscription: Subscription, reason: string) => Effect.Effect<void>
  /** Hear these rooms without being anybody. */
  readonly listen: (rooms: ReadonlyArray<string>, bell: () => void) => Effect.Effect<Subscription, never, Scope.Scope>
  /**
   * Ask for commands, in order. Returns when what follows from them is kept and published, or refused: then everything
   * ordered before, and the answers, can be taken from the subscription.
   */
  readonly submit: (subscription: Subscription, commands: ReadonlyArray<Command>) => Effect.Effect<void>
  /** The same for who has no fiber to wait with: `done` is called instead, synchronously, so it must not block. */
  readonly ask: (subscription: Subscription, commands: ReadonlyArray<Command>, done: () => void) => void
  /** The world as it is now. */
  readonly world: Effect.Effect<World.World>
  /** Entries of a room's past. */
  readonly read: (query: Query) => Effect.Effect<Page, LogError>
  readonly epoch: string
  /** Say other things in the server's name from now on. */
  readonly configure: (options: Partial<Options>) => Effect.Effect<void>
}>()("effect-chat/Hub") {
  static readonly make = (options: Partial<Options> = {}): Effect.Effect<Hub["Service"], never, Log | Scope.Scope> =>
    make({ ...defaults, ...options })
  static readonly layer = (options: Partial<Options> = {}): Layer.Layer<Hub, never, Log> =>
    Layer.effect(Hub, Hub.make(options))
}

interface Work {
  readonly subscription: Subscription
  readonly commands: ReadonlyArray<Command>
  readonly done: () => void
  /** Whether it must be done whatever the log says, as somebody's leaving must. */
  readonly must: boolean
}

/** What a command led to, in order: the draft of an entry, or an answer to whoever asked. */
type Planned = { readonly by: Subscription; readonly kept: World.Kept } | { readonly by: Subscription; readonly told: World.Told }

/** One room's share of a turn, until it is published. */
interface Share {
  readonly ring: Ring
  entries: Array<Entry>
  personal: Map<SessionId, Array<number>>
  size: number
}

/** How long somebody's leaving may take to be kept before the session is given up without it. */
const farewell = "5 seconds"

/** In rooms with more members than this, who comes and goes is told with what is said next, or after this long. */
const quietFrom = 32
const quietFor = "1 second"

const internal: Answer = { _tag: "Refused", reason: "that failed inside the server; the operator finds why in the log" }

const sizeOf = (entry: Entry): number =>
  entry.event._tag === "Said" ? entry.event.text.length + 64 : entry.event._tag === "Passed" ? entry.event.bytes.length : 64

const make = Effect.fnUntraced(function*(initial: Options) {
  const log = yield* Log
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const context = yield* Effect.context<never>()
  const measure = Measure.hub(context)
  const origin = Math.abs(random.nextIntUnsafe()).toString(36)

  let options = initial
  let world = World.empty
  let sessions = 0
  /** Subscriptions of those who have a seat, arrived or not. */
  let seated = 0
  let ids = 0
  let lastSeq = 0
  let inbox: Array<Work> = []
  /** When the oldest of what waits came, by the monotonic clock. */
  let since = 0n
  const bell = Latch.makeUnsafe(false)
  const stirred = Latch.makeUnsafe(false)
  const members = new Map<SessionId, Subscription>()
  const rings = new Map<string, Ring>()

  // --- rings ---------------------------------------------------------------------------------------------------------

  const ringOf = (room: string, name: string): Ring => {
    let ring = rings.get(room)
    if (ring === undefined) {
      ring = new Ring(room, name, Effect.runSync(PubSub.sliding<Batch>(ringCapacity)), () => rings.delete(room))
      rings.set(room, ring)
    }
    return ring
  }

  const enter = (subscription: Subscription, room: string, name: string, from: number): void => {
    subscription.cursors.push(new Cursor(ringOf(room, name), subscription, from))
  }

  const leave = (subscription: Subscription, room: string, until: number): void => {
    for (const cursor of subscription.cursors) {
      if (cursor.ring.room === room && cursor.until === Infinity) cursor.until = until
    }
  }

  // --- a turn --------------------------------------------------------------------------------------------------------

  const house: World.House = {
    admits: (password) => options.admits(password),
    isOperator: (name, password) => options.isOperator(name, password),
    spokeAt: (id) => members.get(id)?.spokeAt,
    since: clock.currentTimeMillisUnsafe(),
    unknown: () => seated - members.size
  }

  const moment = (by: Subscription, at: number): World.Moment => ({
    at,
    guest: 1 + (random.nextIntUnsafe() >>> 0) % 99_999,
    server: options.server,
    motd: options.motd,
    epoch: log.epoch,
    dialect: by.dialect,
    address: by.address,
    house
  })

  /** Decide everything that waits, each against the world as the ones before will have left it. */
  const decide = (work: ReadonlyArray<Work>, at: number, plan: Array<Planned>, drafts: Array<Draft>): World.World => {
    let head = world
    const anyone = moment(work[0]!.subscription, at)
    for (const { commands, subscription } of work) {
      for (const command of commands) {
        const now = command._tag === "Arrive" ? moment(subscription, at) : anyone
        let outcomes: ReadonlyArray<World.Outcome>
        try {
          outcomes = World.decide(head, subscription.id, command, now)
        } catch (cause) {
          measure.failed(cause)
          outcomes = [{ answer: internal }]
        }
        const last = command._tag === "Together" ? outcomes.findLastIndex(World.isKept) : 0
        for (let i = 0; i < outcomes.length; i++) {
          const outcome = outcomes[i]!
          if (World.isKept(outcome)) {
            const id = origin + (++ids).toString(36)
            plan.push({ by: subscription, kept: outcome })
            head = World.evolve(head, subscription.id, outcome.event, at)
            if (outcome.event._tag === "Arrived") {
              subscription.from = `${outcome.event.user ?? outcome.event.dialect}@${outcome.event.address}`
            } else if (outcome.event._tag === "TraitSet" && outcome.event.trait === "bot") subscription.bot = outcome.event.on
            else if (outcome.event._tag === "Said" || outcome.event._tag === "Whispered") subscription.spokeAt = at
            drafts.push({
              at,
              id,
              by: subscription.id,
              event: outcome.event,
              to: outcome.to,
              ...(subscription.from === undefined ? {} : { from: subscription.from }),
              ...(subscription.bot ? { bot: true } : {}),
              ...(i < last ? { more: true } : {})
            })
          } else plan.push({ by: subscription, told: outcome })
        }
      }
    }
    return head
  }

  let toRing: Array<Subscription> = []
  const ring = (subscription: Subscription): void => {
    if (subscription.rung) return
    subscription.rung = true
    toRing.push(subscription)
  }

  const shares = new Map<string, Share>()
  const shareOf = (ring: Ring): Share => {
    let share = shares.get(ring.room)
    // A room left empty and opened again in one turn has another ring.
    if (share?.ring !== ring) shares.set(ring.room, share = { ring, entries: [], personal: new Map(), size: 0 })
    return share
  }

  /** The entry put last is personal to this session. */
  const note = (share: Share, id: SessionId): void => {
    const index = share.entries.length - 1
    const indices = share.personal.get(id)
    if (indices === undefined) share.personal.set(id, [index])
    else indices.push(index)
  }

  const put = (share: Share, entry: Entry, concerns: SessionId | undefined): void => {
    if (share.size > batchSize) {
      share.ring.publish(share.entries, share.personal)
      share.entries = []
      share.personal = new Map()
      share.size = 0
    }
    share.entries.push(entry)
    share.size += sizeOf(entry)
    note(share, entry.by)
    if (concerns !== undefined && concerns !== entry.by) note(share, concerns)
  }

  /** What was held back in a room goes before whatever comes next. */
  const unhold = (held: Ring): void => {
    const share = shareOf(held)
    for (const entry of held.quiet) put(share, entry, undefined)
    held.quiet = []
    restless.delete(held)
  }

  /** Rooms in which comings and goings are held back. */
  const restless = new Set<Ring>()
  const publish = (room: string, entry: Entry, concerns: SessionId | undefined): void => {
    const found = rings.get(room)
    if (found === undefined) return
    if (found.cursors.size > quietFrom && Crowd.isPresence(entry.event)) {
      found.quiet.push(entry)
      restless.add(found)
      stirred.openUnsafe()
    } else {
      if (found.quiet.length > 0) unhold(found)
      put(shareOf(found), entry, concerns)
    }
  }

  const tell = (id: SessionId, entry: Entry, needed: boolean): void => {
    const subscription = members.get(id)
    if (subscription === undefined) return
    subscription.tell(entry, needed)
    ring(subscription)
  }

  /** An entry goes to those who hear it; who comes or goes by it gets or gives up a place. */
  const route = (entry: Entry, by: Subscription, { concerns, to }: World.Kept): void => {
    const { event } = entry
    if (event._tag === "Arrived") members.set(by.id, by)
    if (event._tag === "Joined" && members.has(by.id)) enter(by, Name.key(event.room), event.room, entry.seq)
    if (typeof to === "string") publish(to, entry, concerns)
    else {
      for (const room of to.rooms) publish(room, entry, concerns)
      for (const id of to.sessions) tell(id, entry, id === by.id)
    }
    switch (event._tag) {
      case "Said":
      case "Passed":
        return
      case "Left":
        leave(by, Name.key(event.room), entry.seq)
        tell(by.id, entry, true)
        break
      case "Kicked": {
        const target = concerns === undefined ? undefined : members.get(concerns)
        if (target !== undefined) {
          leave(target, Name.key(event.room), entry.seq)
          tell(target.id, entry, true)
        }
        break
      }
      case "Joined":
        tell(by.id, entry, true)
        break
      case "Quit":
        members.delete(by.id)
        by.end()
        break
      case "RankSet":
        if (concerns !== undefined) tell(concerns, entry, true)
        break
    }
  }

  const pass = (to: Subscription, answer: World.Reply): void => {
    to.answer(lastSeq, answer)
    ring(to)
  }

  /** What was kept becomes the world, and is shown. In one go, so that nobody sees half of a turn. */
  const apply = (plan: ReadonlyArray<Planned>, entries: ReadonlyArray<Entry>, head: World.World, began: bigint): void => {
    world = head
    let next = 0
    for (const planned of plan) {
      if ("kept" in planned) {
        const entry = entries[next++]!
        lastSeq = entry.seq
        route(entry, planned.by, planned.kept)
      } else {
        const { answer, to } = planned.told
        if (answer._tag === "Refused") measure.notGranted()
        if (answer._tag === "Controlled") options.onControl(answer.what)
        if (to === undefined) pass(planned.by, answer)
        else {
          for (const id of to) {
            const other = members.get(id)
            if (other !== undefined) pass(other, answer)
          }
        }
      }
    }
    show(began)
    measure.turn(entries)
  }

  const show = (began: bigint): void => {
    let deliveries = 0
    for (const share of shares.values()) {
      share.ring.publish(share.entries, share.personal)
      deliveries += share.entries.length * share.ring.cursors.size
    }
    const rung = toRing
    toRing = []
    // One room and nobody else to ring: who hears it is rung once without keeping count.
    if (shares.size === 1 && rung.length === 0) {
      for (const { ring } of shares.values()) { for (const cursor of ring.cursors) cursor.subscription.bell() }
    } else {
      for (const share of shares.values()) {
        for (const { subscription } of share.ring.cursors) {
          if (subscription.rung) continue
          subscription.rung = true
          rung.push(subscription)
        }
      }
      for (const subscription of rung) subscription.rung = false
      for (const subscription of rung) subscription.bell()
    }
    shares.clear()
    measure.delivered(deliveries, rings.size, clock.monotonicTimeNanosUnsafe() - began)
  }

  /** Nothing of this turn was kept: its authors are told so, and who must leave tries again. */
  const refuse = (work: ReadonlyArray<Work>, error: LogError, began: bigint): void => {
    const again: Array<Work> = []
    for (const one of work) {
      if (one.must) again.push(one)
      else {
        one.subscription.answer(lastSeq, { _tag: "Refused", reason: `it could not be kept: ${error.message}` })
        measure.notGranted()
        ring(one.subscription)
        one.done()
      }
    }
    show(began)
    inbox = [...again, ...inbox]
  }

  const turn = Effect.gen(function*() {
    yield* bell.await
    bell.closeUnsafe()
    const work = inbox
    inbox = []
    if (work.length === 0) return
    const began = since
    const at = clock.currentTimeMillisUnsafe()
    const plan: Array<Planned> = []
    const drafts: Array<Draft> = []
    const head = decide(work, at, plan, drafts)
    let entries: ReadonlyArray<Entry> = []
    if (drafts.length > 0) {
      const before = clock.monotonicTimeNanosUnsafe()
      const kept = yield* Effect.result(log.append(drafts))
      measure.appended(clock.monotonicTimeNanosUnsafe() - before)
      if (kept._tag === "Failure") {
        refuse(work, kept.failure, began)
        if (inbox.length > 0) yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 second"), bell.open))
        return
      }
      entries = kept.success
    }
    try {
      apply(plan, entries, head, began)
    } catch (cause) {
      measure.failed(cause)
    }
    for (const one of work) one.done()
  })

  yield* turn.pipe(
    Effect.forever,
    Effect.forkScoped
  )

  yield* stirred.await.pipe(
    Effect.andThen(Effect.sleep(quietFor)),
    Effect.andThen(Effect.sync(() => {
      stirred.closeUnsafe()
      for (const ring of restless) unhold(ring)
      show(clock.monotonicTimeNanosUnsafe())
    })),
    Effect.forever,
    Effect.forkScoped
  )

  // --- the service ---------------------------------------------------------------------------------------------------

  const enqueue = (work: Work): void => {
    if (inbox.length === 0) since = clock.monotonicTimeNanosUnsafe()
    inbox.push(work)
    bell.openUnsafe()
  }

  const ask = (subscription: Subscription, commands: ReadonlyArray<Command>, done: () => void): void => {
    subscription.asked = true
    enqueue({ subscription, commands, must: false, done })
  }

  const quit = (subscription: Subscription, reason: string): Effect.Effect<void> =>
    Effect.callback<void>((resume) =>
      enqueue({ subscription, commands: [{ _tag: "Quit", reason }], must: true, done: () => resume(Effect.void) })
    )

  const open = ({ address, bell, dialect }: Newcomer): Subscription => {
    seated++
    return new Subscription(`${origin}-${++sessions}`, dialect, address, bell)
  }

  const close = (subscription: Subscription, reason: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      seated--
      subscription.bell = () => {}
      // Who has asked for anything may be about to arrive, so the leaving goes the same way, behind the asking.
      const left = subscription.asked
        ? Effect.timeoutOption(Effect.interruptible(quit(subscription, reason)), farewell)
        : Effect.void
      return Effect.andThen(left, Effect.sync(() => subscription.end()))
    })

  const listen = (rooms: ReadonlyArray<string>, onBell: () => void) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const subscription = new Subscription(`${origin}-${++sessions}`, "host", "host", onBell)
        for (const name of rooms) {
          const bare = Name.withoutHash(name)
          enter(subscription, Name.key(bare), bare, lastSeq + 1)
        }
        return subscription
      }),
      (subscription) => Effect.sync(() => subscription.end())
    )

  return Hub.of({
    open,
    close,
    listen,
    ask,
    submit: (subscription, commands) =>
      Effect.callback<void>((resume) => ask(subscription, commands, () => resume(Effect.void))),
    world: Effect.sync(() => world),
    read: log.read,
    epoch: log.epoch,
    configure: (changes) =>
      Effect.sync(() => {
        options = { ...options, ...changes }
      })
  })
})
