/**
 * One connection talking: bytes to a dialect, its commands to the hub, what is heard back to bytes.
 * One fiber, one wait for whatever comes first. Knows no rules and no network.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Metric from "effect/Metric"
import type { Alarm, Alarms, Waits } from "./Alarms.ts"
import type { Batch } from "./Batch.ts"
import type { Command } from "./Command.ts"
import { type Connection, nobody, type Watcher } from "./Connection.ts"
import { Delivery } from "./Delivery.ts"
import { type Any, type Hello, type Output, type Rendering, silent, type Step } from "./Dialect.ts"
import * as Farewell from "./Farewell.ts"
import { type Asker, type Hub, longAgo } from "./Hub.ts"
import * as Measure from "./Measure.ts"
import * as Rate from "./Rate.ts"
import { highWater, type Speaker } from "./Ring.ts"
import { Sleeper } from "./Sleeper.ts"
import type { Subscription } from "./Subscription.ts"

/** A client that takes nothing for this long is told why and closed, in milliseconds. */
export const patience = 60_000

/** Commands asked for in one go, so that one client's flood is heard between others' words. */
export const maxRun = 64

/** What trying a password, or searching, takes of the allowance, where a message takes 1. */
const dear = 5

/** How long a closed client may take to get its last bytes, and then to close its side. */
const farewell = "10 seconds"
const linger = "1 second"

/** A session, as the house sees it. */
export interface Seated {
  /** Bytes that wait for its client. */
  readonly unsent: () => number
  /** Tell it that it ends and why, after what happened up to a sequence number. */
  readonly close: (reason: string, upTo: number) => void
  /** End it at once, and let go of what waits for its client, who does not read. */
  readonly shed: () => void
}

export interface Options {
  readonly hello: Hello
  /** How many commands may be asked for; `undefined` for any number. */
  readonly rate: Rate.Rate | undefined
  /** Where sessions stand for as long as they last. */
  readonly seated: Set<Seated>
  /** Why the server closes, once it does: a session that begins then is told at once. */
  readonly closing: () => string | undefined
  /** Whether somebody looks at spans, and at the log; nothing is made for nobody. */
  readonly traced: boolean
  readonly logged: boolean
  readonly alarms: Alarms
  /** Where metrics are counted. */
  readonly context: Context.Context<never>
}

/** How a session ended: the reason others are given, and the kind of end for the metrics. */
export interface End {
  readonly reason: string
  readonly how: Measure.Ending
}

const doesNotRead: End = { reason: "does not read", how: "stuck" }
const interrupted: End = { reason: "interrupted", how: "interrupted" }

/** What is known of a session that has ended. */
export interface Ended extends End {
  readonly dialect: string
  readonly session: string
}

/** Serve one client until it or the server has enough. Never fails; `over` is told how it ended, whatever ended it. */
export const run = (
  hub: Hub["Service"],
  connection: Connection,
  dialect: Any,
  options: Options,
  over: (ended: Ended, exit: Exit.Exit<void>) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.clockWith((clock) => {
    const session = new Session(hub, clock, connection, dialect, options)
    return Effect.andThen(
      Effect.onExit(session.talk, (exit) => session.leave(exit)),
      Effect.suspend(() => session.bidFarewell)
    ).pipe(Effect.onExit((exit) => over(session.ended(exit), exit)))
  })

const isCommand = (output: Output): output is Command => output._tag !== "Reply" && output._tag !== "Close"

const areCommands = (outputs: ReadonlyArray<Output>): boolean => {
  for (let i = 0; i < outputs.length; i++) { if (!isCommand(outputs[i]!)) return false }
  return true
}

const noOutputs: ReadonlyArray<Output> = []

/** A session's state, and what changes it. Methods that do not return effects are done at once. */
class Session extends Sleeper implements Asker, Seated, Speaker, Waits, Watcher {
  readonly #delivery: Delivery
  /** Waiting for the client to take what it has: until then whatever is heard costs it nothing but a place in a ring. */
  #blocked = false
  readonly #hub: Hub["Service"]
  readonly #clock: Clock.Clock
  readonly #connection: Connection
  readonly #options: Options
  readonly #subscription: Subscription
  /** What the dialect wants done, and how much of it was. */
  #todo: ReadonlyArray<Output> = noOutputs
  #next = 0
  /** Whether the dialect has heard only a part of what came, and hears on when that is done. */
  #more = false
  #end: End | undefined
  #bucket: Rate.Bucket | undefined
  /** Whether anything was asked for. */
  #begun = false
  #inputEnded = false
  /** When something came last, in nanoseconds; since when nothing did, in milliseconds, as soon as that is asked for. */
  #came = longAgo
  #silentSince: number | undefined
  /** Waiting for nothing but the client or the hub. */
  #resting = false
  /** The hub was asked for something from here, and has not done it yet. */
  #asking = false
  /** What was thrown in a call from outside: the fiber fails of it, and nobody who called. */
  #thrown: { readonly cause: unknown } | undefined
  /** The gauge that counts this session, once it has arrived. */
  #counted: Metric.Gauge<number> | undefined
  #alarm: Alarm | undefined
  /** For how long a silence it was set at the latest. */
  #armedFor = 0

  constructor(hub: Hub["Service"], clock: Clock.Clock, connection: Connection, dialect: Any, options: Options) {
    super()
    this.#hub = hub
    this.#clock = clock
    this.#connection = connection
    const opened = dialect.open({ ...options.hello, address: connection.peer.address })
    this.#todo = opened.outputs
    this.#options = options
    const now = this.#now()
    this.#silentSince = now - (connection.silentFor ?? 0)
    this.#bucket = options.rate === undefined ? undefined : Rate.full(options.rate, now)
    this.#subscription = hub.open({
      dialect: dialect.name,
      address: connection.peer.address,
      bell: this
    })
    this.#delivery = new Delivery(
      hub,
      connection,
      this.#subscription,
      { dialect, state: opened.state },
      this
    )
    options.seated.add(this)
    connection.watch(this)
    const closing = options.closing()
    if (closing !== undefined) this.close(closing, Number.MAX_SAFE_INTEGER)
  }

  unsent(): number {
    return this.#connection.unsent()
  }

  close(reason: string, upTo: number): void {
    this.#subscription.answer(upTo, { _tag: "Closing", reason })
    this.ring()
  }

  shed(): void {
    this.#end ??= doesNotRead
    this.#connection.destroy()
    this.wake()
  }

  /** The whole conversation. */
  readonly talk: Effect.Effect<void> = Effect.gen({ self: this }, function*(this: Session) {
    const delivery = this.#delivery
    while (this.#end === undefined) {
      if (this.#thrown !== undefined) yield* Effect.die(this.#thrown.cause)
      else if (delivery.holds) yield* delivery.giveHeld()
      else if (!delivery.flush()) { if (!delivery.holds) yield* this.untilRoom() }
      else if (delivery.closing !== undefined) this.#end = { reason: delivery.closing, how: this.#options.closing() === undefined ? "removed" : "shutdown" }
      else if (delivery.arrived && this.#counted === undefined) {
        this.#count()
        if (this.#options.logged) yield* this.#tellLog()
      } else if (this.#asking) yield* this.sleep
      else if (this.#next < this.#todo.length) {
        const doing = this.#act()
        if (doing !== undefined) yield* doing
      } else if (this.#more) this.#take(delivery.dialect.receive(delivery.state, silent))
      else if (!this.#listen()) {
        yield* this.#idle()
        this.#resting = false
      }
    }
  })

  /** Nothing to do: wait for the client or the hub, for as long as the dialect has patience. */
  #idle(): Effect.Effect<void> {
    const until = this.#patientUntil()
    const late = until === undefined ? -1 : this.#now() - until
    if (late >= 0) {
      // While it was not listened to: what it is asked now it has as long to answer as if it had been asked in time.
      this.#silentSince! += late
      this.#take(this.#delivery.dialect.silence(this.#delivery.state))
      return Effect.void
    }
    this.#resting = true
    this.#forget()
    this.#delivery.keepUp(this)
    this.#arm(until)
    if (until !== undefined) this.#armedFor = until - this.#silentSince!
    return this.sleep
  }

  /** When the dialect has had enough of silence. */
  #patientUntil(): number | undefined {
    const patience = this.#delivery.dialect.patience(this.#delivery.state)
    if (patience === undefined) return undefined
    this.#silentSince ??= Number(this.#came) / 1e6
    return this.#silentSince + patience
  }

  /** Whether it is woken by itself when the dialect has had enough of silence that begins now. The clock is not asked. */
  get #watchesSilence(): boolean {
    const patience = this.#delivery.dialect.patience(this.#delivery.state)
    return patience === undefined || (this.#alarm !== undefined && patience >= this.#armedFor)
  }

  /** Whether nothing is to be armed for it to be woken by this time. */
  #timed(at: number | undefined): boolean {
    return at === undefined || (this.#alarm !== undefined && this.#alarm.at <= at)
  }

  /** Be gone from the hub, once, whatever ended it. */
  leave(exit: Exit.Exit<void>): Effect.Effect<void> {
    this.#options.seated.delete(this)
    this.#disarm()
    this.#end ??= { reason: "connection closed", how: "interrupted" }
    if (Exit.isFailure(exit)) this.#connection.watch(nobody)
    const left = this.#hub.close(this.#subscription, this.#end.reason, this.#options.closing() !== undefined)
    this.#counted?.modifyUnsafe(-1, this.#options.context)
    return left
  }

  /** Let the client go. */
  get bidFarewell(): Effect.Effect<void> {
    return this.#end!.how === "lost" ? Effect.void : Farewell.bid(this.#connection, farewell, linger)
  }

  ended(exit: Exit.Exit<void>): Ended {
    return { ...(Exit.isSuccess(exit) ? this.#end! : interrupted), dialect: this.#speaks(), session: this.#subscription.id }
  }

  /** Milliseconds by a clock that never steps back. */
  #now(): number {
    return Number(this.#clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  #speaks(): string {
    return this.#delivery.dialect.speaks(this.#delivery.state)
  }

  /** Called by the hub. While the fiber waits, what was heard goes out from here, without waking it. */
  ring(): void {
    if (this.#blocked) return
    const delivery = this.#delivery
    let quiet = false
    try {
      quiet = this.sleeps && !delivery.holds && delivery.flush() && delivery.closing === undefined
    } catch (cause) {
      this.#thrown ??= { cause }
    }
    if (quiet) this.#delivery.keepUp(this)
    else this.wake()
  }

  renderingOf(room: string): Rendering | undefined {
    return this.#delivery.renderingOf(room)
  }

  /** Called by the ring of a room while this keeps up with it: what is this session's own goes out in its own words. */
  hear(batch: Batch): void {
    try {
      this.#delivery.giveBatch(batch)
      this.#delivery.keepUp(this)
    } catch (cause) {
      this.#thrown ??= { cause }
      this.wake()
    }
  }

  /** Wait for the client to take what it has; one that takes nothing for a minute is given up: false. */
  untilRoom(): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, this.#untilRoom)
  }

  *#untilRoom() {
    const connection = this.#connection
    this.#blocked = true
    let progress = connection.progress()
    let deadline = this.#now() + patience
    while (connection.unsent() > 0 && connection.lost() === undefined && this.#end === undefined) {
      connection.ringWhenSent()
      this.#arm(deadline)
      yield* this.sleep
      const now = this.#now()
      if (connection.progress() !== progress) {
        progress = connection.progress()
        deadline = now + patience
      } else if (now >= deadline) {
        const reason = `you took nothing for ${patience / 1000} seconds; come back and resume`
        this.#delivery.sayWhy(reason)
        this.#end = doesNotRead
      }
    }
    this.#blocked = false
    return this.#end === undefined
  }

  // --- from the client -----------------------------------------------------------------------------------------------

  /** Be woken at this time or before. It may be for something asked for before; then it is asked for again. */
  #arm(at: number | undefined): void {
    if (at === undefined || this.#timed(at)) return
    this.#disarm()
    this.#alarm = this.#options.alarms.set(at, this)
  }

  #disarm(): void {
    if (this.#alarm !== undefined) this.#options.alarms.takeBack(this.#alarm)
    this.#alarm = undefined
  }

  /** Called by the alarm. */
  onTime(): void {
    this.#alarm = undefined
    this.wake()
  }

  /** What was done is not kept while there is nothing to do. */
  #forget(): void {
    this.#todo = noOutputs
    this.#next = 0
  }

  #take(step: Step<unknown>): void {
    this.#delivery.state = step.state
    this.#todo = step.outputs
    this.#next = 0
    this.#more = step.more === true
  }

  /** Take what the client has sent, if anything. */
  #listen(): boolean {
    const arrival = this.#connection.take()
    if (arrival === "nothing") return false
    if (arrival === "ended") {
      if (this.#inputEnded) return false
      this.#inputEnded = true
      this.#take(this.#delivery.dialect.end(this.#delivery.state))
    } else if (arrival instanceof Uint8Array) {
      this.#silentSince = undefined
      this.#came = this.#hub.gathering() ?? this.#clock.monotonicTimeNanosUnsafe()
      this.#take(this.#delivery.dialect.receive(this.#delivery.state, arrival))
    } else this.#end ??= { reason: arrival.reason, how: "lost" }
    return true
  }

  /** Called by the connection. While the fiber rests, what the client says goes to the hub from here, without waking it. */
  onStir(): void {
    if (!this.#rests || (!this.#asking && !this.#heard())) this.wake()
  }

  /** As `#hear`, for those who call from outside: what is thrown is this session's affair alone. */
  #heard(): boolean {
    try {
      return this.#hear()
    } catch (cause) {
      this.#thrown ??= { cause }
      return false
    }
  }

  get #rests(): boolean {
    return this.#resting && this.sleeps
  }

  /** Ask for what the client has said, if anything. False when the fiber must see to what there is. */
  #hear(): boolean {
    if (this.#connection.unsent() > highWater) return false
    do {
      if (!this.#listen()) return true
      if (this.#end !== undefined || !this.#watchesSilence) return false
    } while (this.#todo.length === 0 && !this.#more)
    const { length } = this.#todo
    if (this.#counted === undefined || this.#more || this.#options.traced || length > maxRun || !areCommands(this.#todo)) return false
    this.#next = this.#allowed(length)
    if (this.#next === 0) return false
    this.#asking = true
    const all = this.#todo
    const allowed = this.#next === length ? all : all.slice(0, this.#next)
    if (allowed === all) this.#forget()
    this.#hub.ask(this.#subscription, allowed as ReadonlyArray<Command>, this, this.#came)
    return true
  }

  /** Called by the hub when what was asked for is done: what came meanwhile is heard now. */
  onDone(): void {
    this.#asking = false
    if (!this.#rests || this.#next < this.#todo.length || !this.#heard()) this.wake()
  }

  /** Do the next of what the dialect wants done; what is to be waited for. */
  #act(): Effect.Effect<void> | undefined {
    const output = this.#todo[this.#next]!
    if (!isCommand(output) && output.fault !== undefined) Measure.refusedFor(output.fault).updateUnsafe(1, this.#options.context)
    if (output._tag === "Reply") {
      this.#next++
      this.#delivery.give(output.bytes)
      return undefined
    }
    if (output._tag === "Close") {
      this.#subscription.fallBehind()
      this.#delivery.give(output.bytes)
      this.#end = { reason: output.reason, how: this.#inputEnded ? "ended" : "closed" }
      return undefined
    }
    const from = this.#next
    let to = from + 1
    while (to < this.#todo.length && to - from < maxRun && isCommand(this.#todo[to]!)) to++
    const count = this.#allowed(to - from)
    if (count === 0) return this.#waitForAllowance()
    this.#next += count
    return this.#submit(this.#todo.slice(from, from + count) as ReadonlyArray<Command>)
  }

  /** How many of the next `wanted` things to do, commands all, may go now. */
  #allowed(wanted: number): number {
    if (this.#bucket === undefined) return wanted
    let bucket = Rate.refill(this.#options.rate!, this.#bucket, this.#now())
    let count = 0
    for (; count < wanted; count++) {
      const cost = this.#cost(this.#todo[this.#next + count] as Command)
      if (!Rate.affords(bucket, cost)) break
      bucket = Rate.spend(bucket, cost)
      this.#begun = true
    }
    this.#bucket = bucket
    return count
  }

  /** What a command takes of the allowance. The first arriving is free; a password is not tried often (row 42). */
  #cost(command: Command): number {
    switch (command._tag) {
      case "Fence":
        return 0
      case "Observe":
        return command.cost
      case "Arrive":
        return this.#begun ? Math.min(dear, this.#options.rate!.burst) : 0
      case "Oper":
      case "Search":
        return Math.min(dear, this.#options.rate!.burst)
      default:
        return 1
    }
  }

  #waitForAllowance(): Effect.Effect<void> {
    const lost = this.#connection.lost()
    if (lost !== undefined) {
      this.#end = { reason: lost.reason, how: "lost" }
      return Effect.void
    }
    const cost = this.#cost(this.#todo[this.#next] as Command)
    this.#arm(this.#now() + Rate.wait(this.#options.rate!, this.#bucket!, cost))
    return this.sleep
  }

  /** Ask the hub; what is to be waited for besides being woken. */
  #submit(commands: ReadonlyArray<Command>): Effect.Effect<void> | undefined {
    this.#subscription.dialect = this.#speaks()
    if (this.#options.traced) {
      return Effect.withSpan(this.#hub.submit(this.#subscription, commands), "chat.command", { attributes: { commands: commands.map(({ _tag }) => _tag) } })
    }
    this.#asking = true
    this.#hub.ask(this.#subscription, commands, this, this.#delivery.arrived ? undefined : longAgo)
    return undefined
  }

  /** From now on there is one more session of this dialect. */
  #count(): void {
    this.#counted = Measure.sessionsOf(this.#speaks())
    this.#counted.modifyUnsafe(1, this.#options.context)
  }

  #tellLog(): Effect.Effect<void> {
    const { address, id } = this.#subscription
    return Effect.annotateLogs(Effect.logInfo("connected"), { session: id, address, dialect: this.#speaks() })
  }
}
