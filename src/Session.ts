/**
 * One connection talking: bytes to a dialect, its commands to the hub, what is heard back to bytes.
 * One fiber, one wait for whatever comes first. Knows no rules and no network.
 */
import type * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type { Command } from "./Command.ts"
import type { Connection } from "./Connection.ts"
import type { Any, Hello, Output, Recalled, Stamp, Step } from "./Dialect.ts"
import type { Answer, Entry, Event } from "./Event.ts"
import type { Hub } from "./Hub.ts"
import * as Measure from "./Measure.ts"
import * as Rate from "./Rate.ts"
import { type Batch, isGap, type Placed, refilled, type Subscription } from "./Subscription.ts"
import type { Recall } from "./World.ts"

/** More than this unsent, and the client is given nothing until it has taken what there is, in bytes. */
export const highWater = 65_536

/** How much of a room's past is told in one go, in bytes. */
const maxPage = 131_072

/** A client that takes nothing for this long is told why and closed, in milliseconds. */
export const patience = 60_000

/** Commands asked for in one go, so that one client's flood is heard between others' words. */
export const maxRun = 64

/** How long a closed client may take to get its last bytes, and then to close its side. */
const farewell = "10 seconds"
const linger = "1 second"

export interface Options {
  readonly hello: Hello
  /** How many commands may be asked for; `undefined` for any number. */
  readonly rate: Rate.Rate | undefined
  /** Sessions that are to be told when the server closes: each is called with the reason. */
  readonly closers: Set<(reason: string) => void>
  /** Whether somebody looks at spans; they are not made for nobody. */
  readonly traced: boolean
}

/** How a session ended: the reason others are given, and the kind of end for the metrics. */
export interface End {
  readonly reason: string
  readonly how: Measure.Ending
}

/** What is known of a session that has ended. */
export interface Ended extends End {
  readonly dialect: string
  readonly session: string
}

/** The fiber's one wait: whatever rings the bell, even before it waits, ends it. */
class Bell {
  #resume: ((effect: Effect.Effect<void>) => void) | undefined
  #rung = false
  get awaited(): boolean {
    return this.#resume !== undefined
  }
  readonly ring = (): void => {
    const resume = this.#resume
    this.#resume = undefined
    if (resume === undefined) this.#rung = true
    else resume(Effect.void)
  }
  readonly wait: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.#rung) {
      this.#rung = false
      resume(Effect.void)
    } else this.#resume = resume
  })
}

/** Serve one client until it or the server has enough. Never fails: how it ended is the result. */
export const run = (hub: Hub["Service"], connection: Connection, dialect: Any, options: Options): Effect.Effect<Ended> =>
  Effect.clockWith((clock) => {
    const session = new Session(hub, clock, connection, dialect, options)
    return Effect.andThen(
      Effect.onExit(session.talk, (exit) => session.leave(exit)),
      Effect.suspend(() => session.bidFarewell)
    )
  })

/** Let the last bytes go, then let the client close, discarding what it still says; both for a bounded time. */
const bidFarewell = Effect.fnUntraced(function*(connection: Connection, patience: Duration.Input, linger: Duration.Input) {
  const bell = new Bell()
  connection.watch(bell.ring)
  connection.finish()
  const until = (done: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => {
      while (connection.take() instanceof Uint8Array) { /* it is too late for more */ }
      if (done() || connection.lost() !== undefined) return Effect.void
      if (connection.unsent() > 0) connection.ringWhenSent()
      return Effect.andThen(bell.wait, until(done))
    })
  yield* Effect.timeoutOption(until(() => connection.unsent() === 0), patience)
  if (!connection.finished()) yield* Effect.timeoutOption(until(() => connection.finished()), linger)
})

/** Say some last words to a connection that gets no session, and let it go. */
export const dismiss = (connection: Connection, words: Uint8Array, patience: Duration.Input): Effect.Effect<void> =>
  Effect.suspend(() => {
    connection.give(words)
    return bidFarewell(connection, patience, patience)
  })

const answerStamp: Stamp = { seq: 0, at: 0, id: "", mine: true }

const isCommand = (output: Output): output is Command => output._tag !== "Reply" && output._tag !== "Close"

const noOutputs: ReadonlyArray<Output> = []
const noParts: ReadonlyArray<Placed> = []
const noIndices: ReadonlyArray<number> = []

/** What takes more bytes when it is shown than when it is kept. */
const swelling = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

const sizeOf = (text: string): number =>
  Buffer.byteLength(JSON.stringify(text)) + 6 * (text.match(swelling)?.length ?? 0)

/** Entries in pages of at most about `maxPage` bytes, whatever dialect they are told in; the last page is full. */
const pages = (entries: ReadonlyArray<Entry>): ReadonlyArray<ReadonlyArray<Entry>> => {
  const out: Array<ReadonlyArray<Entry>> = []
  let to = entries.length
  let size = 0
  for (let i = entries.length - 1; i >= 0; i--) {
    const { event } = entries[i]!
    size += 256 + (event._tag === "Said" ? sizeOf(event.text) : event._tag === "Passed" ? 8 * event.bytes.length : 1024)
    if (size <= maxPage || to === i + 1) continue
    out.unshift(entries.slice(i + 1, to))
    to = i + 1
    size = 0
    i++
  }
  out.unshift(entries.slice(0, to))
  return out
}

/** A session's state, and what changes it. Methods that do not return effects are done at once. */
class Session {
  readonly #hub: Hub["Service"]
  readonly #clock: Clock.Clock
  readonly #connection: Connection
  readonly #dialect: Any
  readonly #options: Options
  readonly #subscription: Subscription
  readonly #bell = new Bell()
  readonly #close: (reason: string) => void
  /** The dialect's. */
  #state: unknown
  /** What the dialect wants done, and how much of it was. */
  #todo: ReadonlyArray<Output> = noOutputs
  #next = 0
  /** What was taken from the subscription and waits for the log to be asked. */
  #held: ReadonlyArray<Placed> = noParts
  #end: End | undefined
  #bucket: Rate.Bucket | undefined
  #inputEnded = false
  #silentSince: number
  /** Waiting for the client to take what it has: until then whatever is heard costs it nothing but a place in a ring. */
  #blocked = false
  #arrived = false
  /** The gauge that counts this session, once it has arrived. */
  #counted: Metric.Gauge<number> | undefined
  #timer: { readonly at: number; readonly fiber: Fiber.Fiber<void> } | undefined

  constructor(hub: Hub["Service"], clock: Clock.Clock, connection: Connection, dialect: Any, options: Options) {
    this.#hub = hub
    this.#clock = clock
    this.#connection = connection
    this.#dialect = dialect
    this.#options = options
    this.#silentSince = this.#now()
    this.#bucket = options.rate === undefined ? undefined : Rate.full(options.rate, this.#silentSince)
    this.#subscription = hub.open({
      dialect: dialect.name,
      address: connection.peer.address,
      bell: () => this.#onHeard()
    })
    this.#close = (reason) => {
      this.#subscription.answer(Number.MAX_SAFE_INTEGER, { _tag: "Closing", reason })
      this.#onHeard()
    }
    options.closers.add(this.#close)
    connection.watch(this.#bell.ring)
    this.#take(dialect.open(options.hello))
  }

  /** The whole conversation. */
  readonly talk: Effect.Effect<void> = Effect.gen({ self: this }, function*(this: Session) {
    while (this.#end === undefined) {
      if (this.#held.length > 0) yield* this.#giveHeld()
      else if (!this.#flush()) { if (this.#held.length === 0) yield* this.#waitForRoom() }
      else if (this.#end !== undefined) break
      else if (this.#arrived && this.#counted === undefined) yield* this.#count()
      else if (this.#next < this.#todo.length) yield* this.#act()
      else if (!this.#listen()) {
        const wait = this.#dialect.patience(this.#state)
        if (wait !== undefined && this.#now() >= this.#silentSince + wait) {
          this.#take(this.#dialect.silence(this.#state))
          continue
        }
        if (wait !== undefined || this.#timer !== undefined) {
          yield* this.#arm(wait === undefined ? undefined : this.#silentSince + wait)
        }
        yield* this.#bell.wait
      }
    }
  })

  /** Be gone from the hub, once, whatever ended it. */
  leave(exit: Exit.Exit<void>): Effect.Effect<void> {
    this.#options.closers.delete(this.#close)
    this.#end ??= { reason: "connection closed", how: "interrupted" }
    if (Exit.isFailure(exit)) this.#connection.watch(() => {})
    const left = this.#hub.close(this.#subscription, this.#end.reason)
    return this.#counted === undefined ? left : Effect.andThen(Metric.modify(this.#counted, -1), left)
  }

  /** Let the client go, and say how it was. */
  get bidFarewell(): Effect.Effect<Ended> {
    const ended = { ...this.#end!, dialect: this.#speaks(), session: this.#subscription.id }
    return ended.how === "lost" ? Effect.succeed(ended) : Effect.as(bidFarewell(this.#connection, farewell, linger), ended)
  }

  /** Milliseconds by a clock that never steps back. */
  #now(): number {
    return Number(this.#clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  #speaks(): string {
    return this.#dialect.speaks(this.#state)
  }

  // --- to the client -------------------------------------------------------------------------------------------------

  /** Called by the hub. While the fiber waits, what was heard goes out from here, without waking it. */
  #onHeard(): void {
    if (this.#blocked) return
    if (!this.#bell.awaited || this.#held.length > 0 || !this.#flush() || this.#end !== undefined) this.#bell.ring()
  }

  /** Give everything that is pending. False when the client must first take what it has, or the log be asked. */
  #flush(): boolean {
    while (this.#connection.unsent() <= highWater) {
      const batch = this.#subscription.takeBatch()
      if (batch !== undefined) this.#giveBatch(batch)
      else {
        const parts = this.#subscription.take()
        if (parts.length === 0) return true
        this.#held = parts.some(isGap) ? parts : this.#giveParts(parts)
        if (this.#held.length > 0) return false
      }
    }
    return false
  }

  #give(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#connection.give(bytes)
  }

  #giveAll(chunks: ReadonlyArray<Uint8Array>): void {
    if (chunks.length > 0) this.#give(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
  }

  /** A whole batch: shared bytes, unless something in it is personal. */
  #giveBatch(batch: Batch): void {
    const rendering = batch.personal.has(this.#subscription.id)
      ? undefined
      : this.#dialect.rendering(this.#state, batch.room)
    if (rendering !== undefined) this.#give(batch.rendered(rendering).bytes)
    else {
      const chunks: Array<Uint8Array> = []
      this.#hear(batch, 0, batch.entries.length, chunks)
      this.#giveAll(chunks)
    }
  }

  /** Give these until the client has enough unsent or the log must be asked; what is left then. */
  #giveParts(parts: ReadonlyArray<Placed>): ReadonlyArray<Placed> {
    const chunks: Array<Uint8Array> = []
    let room = highWater - this.#connection.unsent()
    let i = 0
    for (; i < parts.length && room >= 0; i++) {
      const { part } = parts[i]!
      if (part._tag === "Recall") break
      const before = chunks.length
      if (part._tag === "Heard") {
        let { to } = part
        // Neighbours in a batch are heard together.
        for (; i + 1 < parts.length; i++) {
          const next = parts[i + 1]!.part
          if (next._tag !== "Heard" || next.batch !== part.batch || next.from !== to) break
          to = next.to
        }
        this.#hear(part.batch, part.from, to, chunks)
      } else if (part._tag === "Private") chunks.push(this.#tellEntry(part.entry))
      else if (part._tag !== "Gap") chunks.push(this.#tellAnswer(part))
      for (let j = before; j < chunks.length; j++) room -= chunks[j]!.length
    }
    this.#giveAll(chunks)
    return i === parts.length ? noParts : parts.slice(i)
  }

  /** Entries of a batch: what is not personal as the bytes it shares with others, the rest told one by one. */
  #hear(batch: Batch, from: number, to: number, chunks: Array<Uint8Array>): void {
    let start = from
    for (const i of batch.personal.get(this.#subscription.id) ?? noIndices) {
      if (i < start || i >= to) continue
      if (i > start) this.#share(batch, start, i, chunks)
      chunks.push(this.#tellEntry(batch.entries[i]!))
      start = i + 1
    }
    if (to > start) this.#share(batch, start, to, chunks)
  }

  #share(batch: Batch, from: number, to: number, chunks: Array<Uint8Array>): void {
    const rendering = this.#dialect.rendering(this.#state, batch.room)
    if (rendering !== undefined) chunks.push(batch.part(rendering, from, to))
    else { for (let i = from; i < to; i++) chunks.push(this.#tellEntry(batch.entries[i]!)) }
  }

  #tell(event: Event | Recalled, stamp: Stamp): Uint8Array {
    const told = this.#dialect.tell(this.#state, event, stamp)
    this.#state = told.state
    return told.bytes
  }

  #tellEntry({ at, by, event, id, seq }: Entry): Uint8Array {
    return this.#tell(event, { seq, at, id, mine: by === this.#subscription.id })
  }

  #tellAnswer(answer: Answer): Uint8Array {
    if (answer._tag === "Welcome") this.#arrived = true
    if (answer._tag === "Closing") this.#end ??= { reason: answer.reason, how: "shutdown" }
    return this.#tell(answer, answerStamp)
  }

  // --- what the log must be asked for --------------------------------------------------------------------------------

  /** Give what is held, asking the log where it must be asked, as far and as fast as the client takes it. */
  *#askLog() {
    let parts = this.#held
    if (parts.some(isGap)) parts = yield* refilled(parts, this.#hub.read)
    while (parts.length > 0) {
      const { at, part } = parts[0]!
      if (this.#connection.unsent() > highWater) {
        yield* this.#waitForRoom()
        if (this.#end !== undefined) return
      } else if (part._tag === "Recall") {
        parts = parts.slice(1)
        yield* this.#recall(part, at)
      } else parts = this.#giveParts(parts)
    }
    this.#held = noParts
  }

  #giveHeld(): Effect.Effect<void> {
    return Effect.gen({ self: this }, this.#askLog)
  }

  #recall(recall: Recall, at: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, () => this.#recalling(recall, at))
  }

  *#recalling({ after, before, limit, room, why }: Recall, at: number) {
    const resumed = why === "resumed"
    // What was before this place in the order; what is after it comes by itself.
    const asked = { room, after, before: Math.min(before ?? Infinity, Math.floor(at) + 1), limit, messages: !resumed }
    const page = yield* Effect.option(this.#hub.read(asked))
    const { complete, entries } = page._tag === "None" ? { entries: [], complete: false } : page.value
    if (resumed && !complete) this.#give(this.#tellAnswer({ _tag: "Missed", room, after: after! }))
    // Who resumes gets all of it, a page at a time; who asks for history can ask on from the oldest of a page.
    const paged = pages(entries)
    for (const some of resumed ? paged : paged.slice(-1)) {
      if (this.#connection.unsent() > highWater) yield* this.#waitForRoom()
      if (this.#end !== undefined) return
      const whole = complete && (resumed || paged.length === 1)
      this.#give(this.#tell({ _tag: "Recalled", room, why, entries: some, complete: whole }, answerStamp))
    }
  }

  /** Wait for the client to take what it has; one that takes nothing for a minute is given up. */
  *#untilRoom() {
    const connection = this.#connection
    this.#blocked = true
    let progress = connection.progress()
    let deadline = this.#now() + patience
    while (connection.unsent() > 0 && connection.lost() === undefined) {
      connection.ringWhenSent()
      yield* this.#arm(deadline)
      yield* this.#bell.wait
      const now = this.#now()
      if (connection.progress() !== progress) {
        progress = connection.progress()
        deadline = now + patience
      } else if (now >= deadline) {
        const reason = `you took nothing for ${patience / 1000} seconds; come back and resume`
        this.#give(this.#tell({ _tag: "Closing", reason }, answerStamp))
        this.#end = { reason: "does not read", how: "stuck" }
        return
      }
    }
    this.#blocked = false
  }

  #waitForRoom(): Effect.Effect<void> {
    return Effect.gen({ self: this }, this.#untilRoom)
  }

  // --- from the client -----------------------------------------------------------------------------------------------

  /** Have the bell rung at this time, instead of at the one asked for before. */
  #arm(at: number | undefined): Effect.Effect<void> {
    const timer = this.#timer
    if (timer?.at === at) return Effect.void
    this.#timer = undefined
    const disarmed = timer === undefined ? Effect.void : Fiber.interrupt(timer.fiber)
    if (at === undefined) return disarmed
    // A timer may go off a little early; then the same time is asked for again.
    const ring = Effect.andThen(
      Effect.sleep(Math.max(0, at - this.#now())),
      Effect.sync(() => {
        this.#timer = undefined
        this.#bell.ring()
      })
    )
    return Effect.map(Effect.andThen(disarmed, Effect.forkChild(ring)), (fiber) => {
      this.#timer = { at, fiber }
    })
  }

  #take(step: Step<unknown>): void {
    this.#state = step.state
    this.#todo = step.outputs
    this.#next = 0
  }

  /** Take what the client has sent, if anything. */
  #listen(): boolean {
    const arrival = this.#connection.take()
    if (arrival === "nothing") return false
    if (arrival === "ended") {
      if (this.#inputEnded) return false
      this.#inputEnded = true
      this.#take(this.#dialect.end(this.#state))
    } else if (arrival instanceof Uint8Array) {
      this.#silentSince = this.#now()
      this.#take(this.#dialect.receive(this.#state, arrival))
    } else this.#end = { reason: arrival.reason, how: "lost" }
    return true
  }

  /** Do the next of what the dialect wants done. */
  #act(): Effect.Effect<void> {
    const output = this.#todo[this.#next]!
    if (output._tag === "Reply") {
      this.#next++
      this.#give(output.bytes)
      return Effect.void
    }
    if (output._tag === "Close") {
      this.#give(output.bytes)
      this.#end = { reason: output.reason, how: this.#inputEnded ? "ended" : "closed" }
      return Effect.void
    }
    const from = this.#next
    let to = from + 1
    while (to < this.#todo.length && to - from < maxRun && isCommand(this.#todo[to]!)) to++
    const count = this.#allowed(output, to - from)
    if (count === 0) return this.#waitForAllowance()
    this.#next += count
    return this.#submit(this.#todo.slice(from, from + count) as ReadonlyArray<Command>)
  }

  /** How many of the next `wanted` commands may go now. Arriving is free. */
  #allowed(first: Command, wanted: number): number {
    if (this.#bucket === undefined) return wanted
    const bucket = Rate.refill(this.#options.rate!, this.#bucket, this.#now())
    const free = first._tag === "Arrive" ? 1 : 0
    const paid = Rate.affordable(bucket, wanted - free)
    this.#bucket = Rate.spend(bucket, paid)
    return free + paid
  }

  #waitForAllowance(): Effect.Effect<void> {
    const lost = this.#connection.lost()
    if (lost !== undefined) {
      this.#end = { reason: lost.reason, how: "lost" }
      return Effect.void
    }
    return Effect.andThen(this.#arm(this.#now() + Rate.wait(this.#options.rate!, this.#bucket!)), this.#bell.wait)
  }

  #submit(commands: ReadonlyArray<Command>): Effect.Effect<void> {
    if (!this.#arrived) this.#subscription.dialect = this.#speaks()
    const submitted = this.#hub.submit(this.#subscription, commands)
    return this.#options.traced
      ? Effect.withSpan(submitted, "chat.command", { attributes: { commands: commands.map(({ _tag }) => _tag) } })
      : submitted
  }

  /** From now on there is one more session of this dialect. */
  #count(): Effect.Effect<void> {
    const dialect = this.#speaks()
    const { address, id } = this.#subscription
    this.#counted = Measure.sessionsOf(dialect)
    return Effect.andThen(
      Metric.modify(this.#counted, 1),
      Effect.annotateLogs(Effect.logInfo("connected"), { session: id, address, dialect })
    )
  }
}
