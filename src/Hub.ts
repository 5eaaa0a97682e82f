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
import type { Command } from "./Command.ts"
import type { Entry, SessionId } from "./Event.ts"
import { also, none } from "./Few.ts"
import { type Asked, Decider, failed, type Plan } from "./Hub/Deciding.ts"
import { Router } from "./Hub/Routing.ts"
import * as Snapshots from "./Hub/Snapshots.ts"
import { type Draft, isDone, Log, type LogError, type Page, type Reading, type Wanted } from "./Log.ts"
import * as Given from "./Given.ts"
import { Guesses } from "./Guesses.ts"
import * as Measure from "./Measure.ts"
import * as Identifiers from "./Identifiers.ts"
import * as Name from "./Name.ts"
import * as Doors from "./Doors.ts"
import * as Recovery from "./Recovery.ts"
import { Rooms } from "./Rooms.ts"
import { type Rings, Subscription } from "./Subscription.ts"
import * as World from "./World.ts"

/** What the hub says in the server's name. */
export interface Options {
  /** Its name, as people are told it. */
  readonly server: string
  /** What it is, in a few words. */
  readonly description: string
  /** The message of the day, line by line. */
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

/** What holds of the options that are not given. */
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

/** Where everybody is: what is asked for is decided here, kept in the `Log`, and told to those who hear it. */
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
   * Arrival time of the oldest command in the turn being gathered, in nanoseconds as the clock has them, for callers who will be decided
   * with it; `undefined` if none.
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
  /** Names the order of its log. */
  readonly epoch: string
  /** The server's name, which stays. */
  readonly server: string
  /** The newest sequence number that was shown. */
  readonly newest: Effect.Effect<number>
  /** Say other things in the server's name, or heed other rules, from now on. */
  readonly configure: (options: Given.Given<Omit<Options, "server">>) => Effect.Effect<void>
}>()("effect-chat/Hub") {
  /** Goes on from where the log ended; fails when that cannot be read. */
  static readonly make = (options: Given.Given<Options> = {}): Effect.Effect<Hub["Service"], LogError, Log | Scope.Scope> =>
    make(Given.complete(defaults, options))
  /** The same as a layer. */
  static readonly layer = (options: Given.Given<Options> = {}): Layer.Layer<Hub, LogError, Log> =>
    Layer.effect(Hub, Hub.make(options))
}

interface Work extends Asked {
  readonly asker: Asker
  /** Whether it must be done whatever the log says, as somebody's leaving must. */
  readonly must: boolean
  /** Whether nobody waits for more than the first attempt. */
  readonly once?: boolean
}

/** How long somebody's leaving may take to be kept before the session is given up without it. */
const farewell = "5 seconds"

/** What is held back of who comes and goes is looked at so often, in milliseconds. */
const quietFor = 1000

/**
 * After so long without anything asked whoever asks is taken to be alone, in nanoseconds; after a turn that was long by this
 * measure a part of it, for so long what it wrote keeps others from being heard.
 */
const pause = 50_000n
const part = 4n
const long = 2_000_000n

/** When whoever comes or goes asked: in a crowd they are many, and alone nobody minds a turn of the event loop. */
export const longAgo = 0n

const isClosed = "the hub is closed"

const notLetIn = { _tag: "Closing", reason: "you could not be let in; try again later" } as const

const noEntries: ReadonlyArray<Entry> = []

const make = Effect.fnUntraced(function*(initial: Options) {
  const log = yield* Log
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const scope = yield* Effect.scope
  const context = yield* Effect.context<never>()
  const dispatcher = (yield* Scheduler.Scheduler).makeDispatcher()
  const measure = Measure.hub(context)
  const read = Doors.read(log)
  // Identifiers made here differ from those of an earlier run by where in the log it began, and from those of another log by chance.
  const chance = (Math.abs(random.nextIntUnsafe()) % 36 ** 6).toString(36).padStart(6, "0")
  const before = yield* Recovery.recover(log, clock, chance)
  const origin = before.seq === 0 ? chance : `${chance}${before.seq.toString(36)}`

  let options = initial
  let world = before.world
  let sessions = 0
  let lastSeq = before.seq
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
  /** Who has a seat and has not arrived. */
  const strangers = new Set<Subscription>()
  const guesses = new Guesses()
  const operGuesses = new Guesses()

  // --- a turn --------------------------------------------------------------------------------------------------------

  const house: World.House = {
    get description() {
      return options.description
    },
    // Whoever gives none guesses nothing, and where none is wanted none is wrong.
    admits: (password, address) =>
      options.admits(undefined)
        ? "right"
        : password === undefined || password === ""
        ? "wrong"
        : guesses.judge(address, nanos() / 1e6, () => options.admits(password)),
    isOperator: (name, password, address) => operGuesses.judge(address, nanos() / 1e6, () => options.isOperator(name, password)),
    spokeAt: (id) => members.get(id)?.spokeAt,
    since: clock.currentTimeMillisUnsafe(),
    unknown: () => strangers.size,
    replay: () => options.replay
  }

  /** A number nobody can foresee. */
  const guest = (): number => 1 + (random.nextIntUnsafe() >>> 0) % 99_999

  const moment = (by: Subscription, at: number, arrives: boolean): World.Moment => ({
    at,
    guest: arrives ? guest() : 0,
    server: initial.server,
    motd: options.motd,
    epoch: log.epoch,
    seq: lastSeq,
    dialect: by.dialect,
    address: by.address,
    house
  })

  const decider = new Decider({ moment, nextId: Identifiers.make(`${origin}.`), onFailed: (cause) => measure.failed(cause) })

  const rooms = new Rooms({
    cursorOf: (id, ring) => members.get(id)?.keepingUp(ring),
    nanos,
    onHeld: () => stirred.openUnsafe(),
    onFailed: (cause) => measure.failed(cause)
  })

  const router = new Router(rooms, members, strangers)

  const grown = yield* Snapshots.make(log, {
    every: () => options.snapshotEvery,
    unwritten: before.seq - before.written,
    now: () => ({ world, seq: lastSeq })
  })

  /** What was kept becomes the world, and is shown. In one go, so that nobody sees half of a turn. */
  const apply = ({ by, head, outcomes }: Plan, entries: ReadonlyArray<Entry>, began: bigint): void => {
    world = head
    let next = 0
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i]!
      if (World.isKept(outcome)) {
        const entry = entries[next++]!
        lastSeq = entry.seq
        router.route(world, entry, by[i]!, outcome)
      } else {
        if (outcome.answer._tag === "Refused") measure.notGranted(outcome.answer.code)
        if (outcome.answer._tag === "Controlled") control(outcome.answer.what)
        router.answer(lastSeq, by[i]!, outcome)
      }
    }
    show(began)
    measure.turn(entries)
    grown(entries.length)
  }

  // What the host fails in is no affair of those who asked.
  const control = (what: "rehash" | "die"): void => {
    try {
      options.onControl(what)
    } catch (cause) {
      measure.failed(cause)
    }
  }
  const done = ({ asker }: Work): void => {
    try {
      asker.onDone()
    } catch (cause) {
      measure.failed(cause)
    }
  }

  const show = (began: bigint): void => {
    const deliveries = rooms.show()
    measure.delivered(deliveries, rooms.size, Number(clock.monotonicTimeNanosUnsafe() - began))
  }

  /** Nothing of this turn was kept: its authors are told so of each thing they asked for, and who must leave tries again. */
  const refuse = (work: ReadonlyArray<Work>, reason: string, began: bigint): void => {
    decider.drop()
    const at = clock.currentTimeMillisUnsafe()
    const again: Array<Work> = []
    for (const one of work) {
      if (one.must) {
        again.push(one)
        continue
      }
      for (const command of one.commands) {
        const answers = decider.answers(world, one.subscription, command, at)
        if (answers === undefined) measure.notGranted("not-kept")
        for (const answer of answers ?? [{ _tag: "Refused", command: command._tag, reason } as const]) {
          router.pass(lastSeq, one.subscription, answer)
        }
        // Who is not in can do nothing but come again.
        if (answers === undefined && command._tag === "Arrive") router.pass(lastSeq, one.subscription, notLetIn)
      }
    }
    show(began)
    for (const one of work) if (!one.must || one.once === true) done(one)
    if (again.length > 0) fork(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => again.forEach((one) => enqueue(one)))))
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
    let plan: Plan
    try {
      plan = decider.decide(world, work, clock.currentTimeMillisUnsafe())
    } catch (cause) {
      measure.failed(cause)
      refuse(work, failed.reason, began)
      return rest(began)
    }
    if (plan.drafts.length === 0) return conclude(work, plan, Exit.succeed(noEntries), began)
    const asked = append(plan.drafts)
    if (isDone(asked)) return conclude(work, plan, asked, began)
    const before = nanos()
    const onKept = (kept: Exit.Exit<ReadonlyArray<Entry>, LogError>): void => {
      measure.appended(nanos() - before)
      conclude(work, plan, kept, began)
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
    began: bigint
  ): void => {
    if (closed) return
    keeping = false
    if (Exit.isSuccess(kept)) {
      try {
        apply(plan, kept.value, began)
      } catch (cause) {
        measure.failed(cause)
      }
      for (const one of work) done(one)
    } else {
      refuse(work, why(kept.cause), began)
    }
    rest(began)
  }

  /** Why something was not kept. */
  const why = (cause: Cause.Cause<LogError>): string => {
    if (Cause.hasInterruptsOnly(cause)) return isClosed
    const error = Cause.findErrorOption(cause)
    if (Option.isNone(error)) measure.failed(cause)
    return Option.isSome(error) ? `it could not be kept: ${error.value.message}` : failed.reason
  }

  /** A turn is over. */
  const rest = (began: bigint): void => {
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

  /** Nothing is done any more: whoever asks is told so, and who leaves has left. */
  const turnAway = (work: ReadonlyArray<Work>): void => {
    for (const one of work) {
      if (!one.must) router.pass(lastSeq, one.subscription, { _tag: "Refused", reason: isClosed })
    }
    rooms.show()
    work.forEach(done)
  }

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      closed = true
      // What was being kept was given up before.
      turnAway(inbox)
      inbox = none
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

  // --- the service ---------------------------------------------------------------------------------------------------

  const enqueue = (work: Work, came?: bigint): void => {
    if (closed) return turnAway([work])
    if (inbox.length === 0) since = came ?? clock.monotonicTimeNanosUnsafe()
    inbox = also(inbox, work)
    begin()
  }

  const ask = (subscription: Subscription, commands: ReadonlyArray<Command>, asker: Asker, came?: bigint): void => {
    subscription.asked = true
    enqueue({ subscription, commands, must: false, asker }, came)
  }

  /** A server that closes waits for one attempt only: whoever is still here when the hub closes too is taken out when it begins again. */
  const quit = (subscription: Subscription, reason: string, closing: boolean): Effect.Effect<void> =>
    Effect.callback<void>((resume) =>
      enqueue({ subscription, commands: [{ _tag: closing ? "Dismiss" : "Quit", reason }], must: true, once: closing, asker: { onDone: () => resume(Effect.void) } }, longAgo)
    )

  const open = ({ address, bell, dialect }: Newcomer): Subscription => {
    const subscription = new Subscription(`${origin}-${++sessions}`, dialect, address, bell)
    strangers.add(subscription)
    return subscription
  }

  const close = (subscription: Subscription, reason: string, closing = false): Effect.Effect<void> =>
    Effect.suspend(() => {
      strangers.delete(subscription)
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
    server: initial.server,
    newest: Effect.sync(() => lastSeq),
    configure: (changes) =>
      Effect.sync(() => {
        options = Given.complete<Options>(options, changes)
      })
  })
})
