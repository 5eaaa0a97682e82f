/**
 * The ring running: commands that wait are decided in one go, kept in one go, folded and published in one go.
 * The only place where the world changes. Knows no connections, no bytes, no dialects.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { type Command, isSay } from "./Command.ts"
import type { Entry, Fact, SessionId } from "./Event.ts"
import { also, none } from "./Few.ts"
import { type Draft, isDone, Log, type LogError, type Page, type Reading, type Wanted } from "./Log.ts"
import * as Measure from "./Measure.ts"
import * as Names from "./Names.ts"
import * as Name from "./Name.ts"
import * as Doors from "./Doors.ts"
import * as Recovery from "./Recovery.ts"
import { Rooms } from "./Rooms.ts"
import { type Rings, Subscription } from "./Subscription.ts"
import * as World from "./World.ts"

/** What the hub says in the server's name. */
export interface Options {
  readonly server: string
  /** What it is, in a few words. */
  readonly description: string
  readonly motd: ReadonlyArray<string>
  /** Whether somebody who gives this password, or none, may come in. */
  readonly admits: (password: string | undefined) => boolean
  /** Whether this is the password of that operator of the server. */
  readonly isOperator: (name: string, password: string) => boolean
  /** An operator of the server wants the settings read again, or the server to stop. */
  readonly onControl: (what: "rehash" | "die") => void
  /** Most messages of a room's past that whoever joins is shown unasked. */
  readonly replay: number
  /** After so many entries the world is written down, so that the next start need not begin before that. */
  readonly snapshotEvery: number
}

export const defaults: Options = {
  server: "effect-chat",
  description: "a chat for people and programs",
  motd: [],
  admits: () => true,
  isOperator: () => false,
  onControl: () => {},
  replay: Infinity,
  snapshotEvery: 10_000
}

/** What is known of whoever takes a seat. */
export interface Newcomer {
  readonly dialect: string
  readonly address: string
  /** Rung once after each turn of the hub that brought something to take. */
  readonly bell: Rings
}

/** Whoever asks for something. */
export interface Asker {
  /** It is done, or refused. */
  readonly onDone: () => void
}

export class Hub extends Context.Service<Hub, {
  /**
   * A subscription for whoever takes a seat. Nothing is heard before an `Arrive` is submitted and granted. It must be
   * closed.
   */
  readonly open: (newcomer: Newcomer) => Subscription
  /** Whoever arrived by this subscription quits, once, giving this reason or because the server closes; nothing is heard any more. */
  readonly close: (subscription: Subscription, reason: string, closing?: boolean) => Effect.Effect<void>
  /** Hear these rooms without being anybody. */
  readonly listen: (rooms: ReadonlyArray<string>, bell: Rings) => Effect.Effect<Subscription, never, Scope.Scope>
  /**
   * Ask for commands, in order. Returns when what follows from them is kept and published, or refused: then everything
   * ordered before, and the answers, can be taken from the subscription.
   */
  readonly submit: (subscription: Subscription, commands: ReadonlyArray<Command>) => Effect.Effect<void>
  /**
   * The same for who has no fiber to wait with: it is told instead, synchronously, so it must not block. `came`: when the
   * bytes did that ask for it, in nanoseconds as the clock has them, for many take a while to be understood; `longAgo` for whoever
   * is in no hurry, and is done together with all who ask in this turn of the event loop.
   */
  readonly ask: (subscription: Subscription, commands: ReadonlyArray<Command>, asker: Asker, came?: bigint) => void
  /**
   * When the bytes of the first came of those who asked and will soon be done, in nanoseconds as the clock has them: whoever asks now
   * is done with them, so it is as good a time. `undefined` when nobody waits, or nobody knows for how long.
   */
  readonly gathering: () => bigint | undefined
  /** Tell now what is held back of who comes and goes: the sequence number up to which everything is told. */
  readonly settle: Effect.Effect<number>
  /** The world as it is now. */
  readonly world: Effect.Effect<World.World>
  /** Entries of a room's past. */
  readonly read: (reading: Reading) => Effect.Effect<Page, LogError>
  /** Entries of a room's past that somebody asked for at this place in the order; an `Exit` where the log need not be waited for. */
  readonly recall: (recall: World.Recall, at: number) => Effect.Effect<Page, LogError>
  /** What was said with some words in it. */
  readonly search: (wanted: Wanted) => Effect.Effect<Page, LogError>
  /** Whether what is said now can be kept. */
  readonly writes: Effect.Effect<boolean>
  readonly epoch: string
  /** The newest sequence number that was shown. */
  readonly newest: Effect.Effect<number>
  /** Say other things in the server's name from now on. */
  readonly configure: (options: Partial<Options>) => Effect.Effect<void>
}>()("effect-chat/Hub") {
  /** Goes on from where the log ended; fails when that cannot be read. */
  static readonly make = (options: Partial<Options> = {}): Effect.Effect<Hub["Service"], LogError, Log | Scope.Scope> =>
    make({ ...defaults, ...options })
  static readonly layer = (options: Partial<Options> = {}): Layer.Layer<Hub, LogError, Log> =>
    Layer.effect(Hub, Hub.make(options))
}

interface Work {
  readonly subscription: Subscription
  readonly commands: ReadonlyArray<Command>
  readonly asker: Asker
  /** Whether it must be done whatever the log says, as somebody's leaving must. */
  readonly must: boolean
}

/** What commands led to, in order: each outcome, and in the same place whose it is; and drafts of the entries it takes. */
interface Plan {
  outcomes: Array<World.Outcome>
  by: Array<Subscription>
  drafts: Array<Draft>
}

/** How long somebody's leaving may take to be kept before the session is given up without it. */
const farewell = "5 seconds"

/** What is held back of who comes and goes is looked at so often, in milliseconds. */
const quietFor = 1000

/** What has changed the world is written down after this long, even if it is little. */
const snapshotWithin = "1 hour"

/**
 * After so long without anything asked whoever asks is taken to be alone, in nanoseconds; after a turn that was long by this
 * measure a part of it, for so long what it wrote keeps others from being heard.
 */
const pause = 50_000n
const part = 4n
const long = 2_000_000n

/** When whoever comes or goes asked: in a crowd they are many, and alone nobody minds a turn of the event loop. */
export const longAgo = 0n

/** How long the world is written down in one go, in nanoseconds, while others wait. */
const slice = 2_000_000

const noEntries: ReadonlyArray<Entry> = []

const internal = { _tag: "Refused", reason: "that failed inside the server; the operator finds why in the log" } as const

const make = Effect.fnUntraced(function*(initial: Options) {
  const log = yield* Log
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const dispatcher = (yield* Scheduler.Scheduler).makeDispatcher()
  const measure = Measure.hub(context)
  const read = Doors.read(log)
  const named = Doors.make()
  // Names made here differ from those of a run before by where in the log it began, and from those of another log by chance.
  const chance = (Math.abs(random.nextIntUnsafe()) % 36 ** 6).toString(36).padStart(6, "0")
  const before = yield* Recovery.recover(log, clock, chance)
  const origin = before.seq === 0 ? chance : `${chance}${before.seq.toString(36)}`
  const nextId = Names.make(`${origin}.`)

  let options = initial
  let world = before.world
  /** Another for each world that anything is decided in. */
  let worlds = 0
  let sessions = 0
  /** Subscriptions of those who have a seat, arrived or not. */
  let seated = 0
  let lastSeq = before.seq
  /** Entries since the world was written down last; never enough of them where there is no use in that. */
  let unwritten = log.isFleeting === true ? -Infinity : before.seq - before.written
  let inbox: Array<Work> = none
  /** By a clock that never steps back. */
  const nanos = (): number => Number(clock.monotonicTimeNanosUnsafe())
  /** When the oldest of what waits came; as the clock says it, for making a number of it takes a while, and somebody waits. */
  let since = 0n
  /** When whoever asks next is alone. */
  let alone = 0n
  /** A turn is under way, or is to begin as soon as whatever comes at the same time has come too. */
  let busy = false
  /** The log is waited for: who asks meanwhile may wait for long. */
  let keeping = false
  let closed = false
  const stirred = Latch.makeUnsafe(false)
  const members = new Map<SessionId, Subscription>()

  // --- a turn --------------------------------------------------------------------------------------------------------

  const house: World.House = {
    description: options.description,
    admits: (password) => options.admits(password),
    isOperator: (name, password) => options.isOperator(name, password),
    spokeAt: (id) => members.get(id)?.spokeAt,
    since: clock.currentTimeMillisUnsafe(),
    unknown: () => seated - members.size,
    replay: () => options.replay
  }

  const moment = (by: Subscription, at: number, guest: number): World.Moment => ({
    at,
    guest,
    server: options.server,
    motd: options.motd,
    epoch: log.epoch,
    seq: lastSeq,
    dialect: by.dialect,
    address: by.address,
    house
  })

  const anyGuest = (): number => 1 + (random.nextIntUnsafe() >>> 0) % 99_999

  /** What is only said, which is nearly all that is asked: false when it is to be decided as everything else. It changes no world. */
  const say = (head: World.World, subscription: Subscription, command: Command & { readonly _tag: "Say" }, at: number, plan: Plan): boolean => {
    let { standing } = subscription
    if (standing === undefined || standing.world !== worlds || standing.target !== command.target) {
      const of = World.standing(head, subscription.id, command)
      standing = subscription.standing = { ...of, world: worlds, name: of.to === undefined ? "" : named(of.to, head, head) as string }
    }
    const said = World.saying(standing, command)
    if (said === undefined) return false
    plan.outcomes = also(plan.outcomes, said)
    plan.by = also(plan.by, subscription)
    plan.drafts = also(plan.drafts, draft(subscription, said.event, standing.name, at, false))
    subscription.spokeAt = at
    return true
  }

  /** Decide everything that waits, each against the world as the ones before will have left it. */
  const decide = (work: ReadonlyArray<Work>, at: number, plan: Plan): World.World => {
    let head = world
    let anyone: World.Moment | undefined
    for (const { commands, subscription } of work) {
      for (const command of commands) {
        let outcomes: ReadonlyArray<World.Outcome>
        try {
          if (isSay(command) && say(head, subscription, command, at, plan)) continue
          outcomes = World.decide(
            head,
            subscription.id,
            command,
            command._tag === "Arrive" ? moment(subscription, at, anyGuest()) : anyone ??= moment(work[0]!.subscription, at, 0)
          )
        } catch (cause) {
          measure.failed(cause)
          outcomes = [{ answer: internal }]
        }
        const last = command._tag === "Together" ? outcomes.findLastIndex(World.isKept) : 0
        for (let i = 0; i < outcomes.length; i++) {
          const outcome = outcomes[i]!
          plan.outcomes = also(plan.outcomes, outcome)
          plan.by = also(plan.by, subscription)
          if (!World.isKept(outcome)) continue
          const { event } = outcome
          const was = head
          head = World.evolve(was, subscription.id, event, at)
          if (head !== was) worlds++
          switch (event._tag) {
            case "Arrived":
              subscription.from = `${event.user ?? event.dialect}@${event.address}`
              break
            case "Said":
            case "Whispered":
              subscription.spokeAt = at
              break
            case "TraitSet":
              if (event.trait === "bot") subscription.bot = event.on
              break
          }
          plan.drafts = also(plan.drafts, draft(subscription, event, named(outcome.to, was, head), at, i < last))
        }
      }
    }
    return head
  }

  /** What is to be kept of an event. Only what there is to say is there, for it is written down. */
  const draft = ({ bot, from, id: by }: Subscription, event: Fact, to: World.Audience, at: number, more: boolean): Draft => {
    const id = nextId()
    const plain: Draft = from === undefined ? { at, id, by, event, to } : { at, id, by, from, event, to }
    return bot || more ? { ...plain, ...(bot ? { bot } : {}), ...(more ? { more } : {}) } : plain
  }

  const rooms = new Rooms({
    cursorOf: (id, ring) => members.get(id)?.keepingUp(ring),
    nanos,
    onHeld: () => stirred.openUnsafe(),
    onFailed: (cause) => measure.failed(cause)
  })

  const tell = (id: SessionId, entry: Entry, needed: boolean): void => {
    const subscription = members.get(id)
    if (subscription === undefined) return
    subscription.tell(entry, needed)
    rooms.willRing(subscription)
  }

  /** An entry goes to those who hear it; who comes or goes by it gets or gives up a place. */
  const route = (entry: Entry, by: Subscription, { concerns, to }: World.Kept): void => {
    const { event } = entry
    if (event._tag === "Arrived") members.set(by.id, by)
    if (event._tag === "Joined" && members.has(by.id)) {
      by.enter(rooms.ring(Name.key(event.room), event.room), entry.seq, World.room(world, event.room)?.number)
    }
    if (typeof to === "string") rooms.publish(to, entry, by, concerns)
    else {
      for (const room of to.rooms) rooms.publish(room, entry, by, concerns)
      for (const id of to.sessions) tell(id, entry, id === by.id)
    }
    switch (event._tag) {
      case "Said":
      case "Passed":
        return
      case "Left":
        by.leave(Name.key(event.room), entry.seq)
        tell(by.id, entry, true)
        break
      case "Kicked": {
        const target = concerns === undefined ? undefined : members.get(concerns)
        if (target !== undefined) {
          target.leave(Name.key(event.room), entry.seq)
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
    rooms.willRing(to)
  }

  /** What was kept becomes the world, and is shown. In one go, so that nobody sees half of a turn. */
  const apply = ({ by, outcomes }: Plan, entries: ReadonlyArray<Entry>, head: World.World, began: bigint): void => {
    world = head
    let next = 0
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i]!
      const author = by[i]!
      if (World.isKept(outcome)) {
        const entry = entries[next++]!
        lastSeq = entry.seq
        route(entry, author, outcome)
      } else {
        const { answer, to } = outcome
        if (answer._tag === "Refused") measure.notGranted()
        if (answer._tag === "Controlled") options.onControl(answer.what)
        if (to === undefined) pass(author, answer)
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
    unwritten += entries.length
    if (unwritten >= options.snapshotEvery) writeDownSoon()
  }

  const writeDownSoon = (): void => {
    unwritten = -Infinity
    fork(writeDown)
  }

  /** Write the world down as it is now, while it goes on. It is asked for again after as many entries, whatever comes of this. */
  const writeDown: Effect.Effect<void> = Effect.gen(function*() {
    const { encode } = yield* Effect.promise(() => import("./World/Snapshot.ts"))
    const seq = lastSeq
    let text = ""
    let part = nanos()
    for (const line of encode(world)) {
      text += line
      if (nanos() - part < slice) continue
      yield* Effect.yieldNow
      part = nanos()
    }
    yield* log.keepSnapshot({ seq, world: text })
    unwritten = lastSeq - seq
  }).pipe(Effect.catchCause((cause) => {
    unwritten = 0
    return Effect.logWarning("the world could not be written down; the next start takes longer", cause)
  }))

  const show = (began: bigint): void => {
    const deliveries = rooms.show()
    measure.delivered(deliveries, rooms.size, Number(clock.monotonicTimeNanosUnsafe() - began))
  }

  /** Nothing of this turn was kept: its authors are told so of each thing they asked for, and who must leave tries again. */
  const refuse = (work: ReadonlyArray<Work>, why: string, began: bigint): void => {
    worlds++
    const again: Array<Work> = []
    for (const one of work) {
      if (one.must) again.push(one)
      else {
        for (const asked of one.commands) {
          if (answered(one.subscription, asked)) continue
          one.subscription.answer(lastSeq, { _tag: "Refused", command: asked._tag, reason: why })
          measure.notGranted()
        }
        rooms.willRing(one.subscription)
      }
    }
    show(began)
    for (const one of work) if (!one.must) one.asker.onDone()
    if (again.length > 0) fork(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => again.forEach((one) => enqueue(one)))))
  }

  /** Answer what need not be kept, by the world as it is; false of anything else. */
  const answered = (subscription: Subscription, asked: Command): boolean => {
    const replies: Array<World.Reply> = []
    try {
      for (const outcome of World.decide(world, subscription.id, asked, moment(subscription, clock.currentTimeMillisUnsafe(), 0))) {
        if (World.isKept(outcome) || outcome.to !== undefined || outcome.answer._tag === "Controlled") return false
        replies.push(outcome.answer)
      }
    } catch {
      return false
    }
    for (const reply of replies) subscription.answer(lastSeq, reply)
    return true
  }

  /** Run until it ends or the hub does. It begins at once, so what needs no waiting is done when this returns. */
  const fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> => Fiber.runIn(Effect.runForkWith(context)(effect), scope)

  const append = (drafts: ReadonlyArray<Draft>): Effect.Effect<ReadonlyArray<Entry>, LogError> => {
    try {
      return log.append(drafts)
    } catch (cause) {
      return Exit.die(cause)
    }
  }

  /** Do everything that waits. There is no fiber in it as long as the log need not be waited for. */
  const turn = (): void => {
    if (closed) return
    const work = inbox
    inbox = none
    // Of who was in no hurry nobody knows when they came.
    const began = since === longAgo ? clock.monotonicTimeNanosUnsafe() : since
    const plan: Plan = { outcomes: none, by: none, drafts: none }
    let head: World.World
    try {
      head = decide(work, clock.currentTimeMillisUnsafe(), plan)
    } catch (cause) {
      return conclude(work, plan, Exit.die(cause), world, began)
    }
    if (plan.drafts.length === 0) return conclude(work, plan, Exit.succeed(noEntries), head, began)
    const asked = append(plan.drafts)
    if (isDone(asked)) return conclude(work, plan, asked, head, began)
    const before = nanos()
    const onKept = (kept: Exit.Exit<ReadonlyArray<Entry>, LogError>): void => {
      measure.appended(nanos() - before)
      conclude(work, plan, kept, head, began)
    }
    const appending = Effect.runForkWith(context)(asked)
    const kept = appending.pollUnsafe()
    if (kept === undefined) {
      keeping = true
      Fiber.runIn(appending, scope).addObserver(onKept)
    } else onKept(kept)
  }

  const conclude = (
    work: ReadonlyArray<Work>,
    plan: Plan,
    kept: Exit.Exit<ReadonlyArray<Entry>, LogError>,
    head: World.World,
    began: bigint
  ): void => {
    if (closed) return
    keeping = false
    if (Exit.isSuccess(kept)) {
      try {
        apply(plan, kept.value, head, began)
      } catch (cause) {
        measure.failed(cause)
      }
      for (const one of work) one.asker.onDone()
    } else {
      const error = Cause.findErrorOption(kept.cause)
      if (Option.isNone(error)) measure.failed(kept.cause)
      refuse(work, Option.isSome(error) ? `it could not be kept: ${error.value.message}` : internal.reason, began)
    }
    busy = false
    // From when its authors were heard again: what they say next comes together.
    const now = clock.monotonicTimeNanosUnsafe()
    alone = now + (now - began < long ? pause : (now - began) / part)
    begin()
  }

  /** What comes together is done together; who comes after a pause is alone, and is not kept waiting for others. */
  const begin = (): void => {
    if (busy || inbox.length === 0) return
    busy = true
    if (since > alone) turn()
    else dispatcher.scheduleTask(turn, 0)
  }

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
    })
  )

  const settle = (upTo = Infinity): void => {
    const now = clock.monotonicTimeNanosUnsafe()
    rooms.settle(upTo)
    if (rooms.isSettled) stirred.closeUnsafe()
    show(now)
  }

  yield* stirred.await.pipe(
    Effect.andThen(Effect.sleep(quietFor)),
    Effect.andThen(Effect.sync(() => settle(nanos()))),
    Effect.forever,
    Effect.forkScoped
  )

  // What is before it may be forgotten, which is not to wait for a busy day.
  if (log.isFleeting !== true) {
    yield* Effect.sync(() => {
      if (unwritten > 0) writeDownSoon()
    }).pipe(Effect.delay(snapshotWithin), Effect.forever, Effect.forkScoped)
  }

  // --- the service ---------------------------------------------------------------------------------------------------

  const enqueue = (work: Work, came?: bigint): void => {
    if (inbox.length === 0) since = came ?? clock.monotonicTimeNanosUnsafe()
    inbox = also(inbox, work)
    begin()
  }

  const ask = (subscription: Subscription, commands: ReadonlyArray<Command>, asker: Asker, came?: bigint): void => {
    subscription.asked = true
    enqueue({ subscription, commands, must: false, asker }, came)
  }

  const quit = (subscription: Subscription, reason: string, closing: boolean): Effect.Effect<void> =>
    Effect.callback<void>((resume) =>
      enqueue({ subscription, commands: [{ _tag: closing ? "Dismiss" : "Quit", reason }], must: true, asker: { onDone: () => resume(Effect.void) } }, longAgo)
    )

  const open = ({ address, bell, dialect }: Newcomer): Subscription => {
    seated++
    return new Subscription(`${origin}-${++sessions}`, dialect, address, bell)
  }

  const close = (subscription: Subscription, reason: string, closing = false): Effect.Effect<void> =>
    Effect.suspend(() => {
      seated--
      subscription.mute()
      // Who has asked for anything may be about to arrive, so the leaving goes the same way, behind the asking.
      const left = subscription.asked
        ? Effect.timeoutOption(Effect.interruptible(quit(subscription, reason, closing)), farewell)
        : Effect.void
      return Effect.andThen(left, Effect.sync(() => subscription.end()))
    })

  const listen = (names: ReadonlyArray<string>, bell: Rings) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const subscription = new Subscription(`${origin}-${++sessions}`, "host", "host", bell)
        for (const name of names) {
          const bare = Name.withoutHash(name)
          subscription.enter(rooms.ring(Name.key(bare), bare), lastSeq + 1)
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
    gathering: () => !keeping && inbox.length > 0 && since !== longAgo ? since : undefined,
    submit: (subscription, commands) =>
      Effect.callback<void>((resume) => ask(subscription, commands, { onDone: () => resume(Effect.void) })),
    settle: Effect.sync(() => {
      settle()
      return lastSeq
    }),
    world: Effect.sync(() => world),
    read: (reading) => Effect.suspend(() => read(reading)),
    recall: Doors.recall(log),
    search: log.search,
    writes: log.writes,
    epoch: log.epoch,
    newest: Effect.sync(() => lastSeq),
    configure: (changes) =>
      Effect.sync(() => {
        options = { ...options, ...changes }
      })
  })
})
