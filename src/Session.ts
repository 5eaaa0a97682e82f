/**
 * One connection talking: bytes to a dialect, its commands to the hub, what is heard back to bytes.
 * One fiber, one wait for whatever comes first. Knows no rules and no network.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type { Command } from "./Command.ts"
import type { Connection } from "./Connection.ts"
import type { Any, Hello, Output, Recalled, Stamp } from "./Dialect.ts"
import type { Answer, Entry, Event } from "./Event.ts"
import { Hub } from "./Hub.ts"
import * as Measure from "./Measure.ts"
import * as Rate from "./Rate.ts"
import { type Batch, type Gap, inOrder, type Placed } from "./Subscription.ts"
import type { Recall } from "./World.ts"

/** More than this unsent, and the client is given nothing until it has taken what there is, in bytes. */
export const highWater = 65_536

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
}

/** How a session ended: the reason others are given, and the kind of end for the metrics. */
export interface End {
  readonly reason: string
  readonly how: Measure.Ending
}

const answerStamp: Stamp = { seq: 0, at: 0, id: "", mine: true }

const isCommand = (output: Output): output is Command => output._tag !== "Reply" && output._tag !== "Close"

/** The fiber's one wait: whatever rings the bell, even before it waits, ends it. */
class Bell {
  #resume: (() => void) | undefined
  #rung = false
  get awaited(): boolean {
    return this.#resume !== undefined
  }
  readonly ring = (): void => {
    const resume = this.#resume
    this.#resume = undefined
    if (resume === undefined) this.#rung = true
    else resume()
  }
  readonly wait: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.#rung) {
      this.#rung = false
      resume(Effect.void)
    } else this.#resume = () => resume(Effect.void)
    return Effect.sync(() => {
      this.#resume = undefined
    })
  })
}

/** Serve one client until it or the server has enough. Never fails: how it ended is the result. */
export const run = Effect.fnUntraced(function*(connection: Connection, dialect: Any, options: Options) {
  const end = yield* Effect.scoped(talk(connection, dialect, options))
  if (end.how !== "lost") yield* bidFarewell(connection, farewell, linger)
  return end
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
  if (!connection.finished()) yield* Effect.timeoutOption(until(connection.finished), linger)
})

/** Say some last words to a connection that gets no session, and let it go. */
export const dismiss = (connection: Connection, words: Uint8Array, patience: Duration.Input): Effect.Effect<void> =>
  Effect.suspend(() => {
    connection.give(words)
    return bidFarewell(connection, patience, patience)
  })

const talk = Effect.fnUntraced(function*(connection: Connection, dialect: Any, options: Options) {
  const hub = yield* Hub
  const clock = yield* Clock.Clock
  const traced = (yield* Tracer.Tracer) !== Tracer.nativeTracer
  const { rate } = options

  let state: unknown
  let todo: ReadonlyArray<Output> = []
  let next = 0
  let held: ReadonlyArray<Placed> = []
  let end: End | undefined
  let bucket: Rate.Bucket | undefined = rate === undefined ? undefined : Rate.full(rate, clock.currentTimeMillisUnsafe())
  let arrived = false
  /** Waiting for the client to take what it has: until then whatever is heard costs it nothing but a place in a ring. */
  let blocked = false
  let timer: { readonly at: number; readonly fiber: Fiber.Fiber<void> } | undefined

  const bell = new Bell()
  const subscription = yield* hub.subscribe(
    { dialect: dialect.name, address: connection.peer.address, bell: onHeard },
    () => end?.reason ?? "connection closed"
  )
  const { id } = subscription
  connection.watch(bell.ring)
  const close = (reason: string) => {
    subscription.answer(Number.MAX_SAFE_INTEGER, { _tag: "Closing", reason })
    onHeard()
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => options.closers.add(close)),
    () => Effect.sync(() => options.closers.delete(close))
  )

  // --- to the client -------------------------------------------------------------------------------------------------

  /** Called by the hub. While the fiber waits, what was heard goes out from here, without waking it. */
  function onHeard(): void {
    if (!blocked && (!bell.awaited || held.length > 0 || !flush() || end !== undefined)) bell.ring()
  }

  /** Give everything that is pending. False when the client must first take what it has, or the log be asked. */
  function flush(): boolean {
    while (connection.unsent() <= highWater) {
      const batch = subscription.takeBatch()
      if (batch !== undefined) giveBatch(batch)
      else {
        const parts = subscription.take()
        if (parts.length === 0) return true
        if (parts.some(({ part }) => part._tag === "Gap" || part._tag === "Recall")) {
          held = parts
          return false
        }
        giveParts(parts)
      }
    }
    return false
  }

  function give(bytes: Uint8Array): void {
    if (bytes.length > 0) connection.give(bytes)
  }

  /** A whole batch: shared bytes, unless something in it is personal. */
  function giveBatch(batch: Batch): void {
    const rendering = batch.concerned.has(id) ? undefined : dialect.rendering(state, batch.room)
    if (rendering !== undefined) give(batch.rendered(rendering).bytes)
    else {
      const chunks: Array<Uint8Array> = []
      hear(batch, 0, batch.entries.length, chunks)
      giveAll(chunks)
    }
  }

  function giveParts(parts: ReadonlyArray<Placed>): void {
    const chunks: Array<Uint8Array> = []
    for (let i = 0; i < parts.length; i++) {
      const { part } = parts[i]!
      if (part._tag === "Heard") {
        let { to } = part
        // Neighbours in a batch are heard together.
        for (; i + 1 < parts.length; i++) {
          const next = parts[i + 1]!.part
          if (next._tag !== "Heard" || next.batch !== part.batch || next.from !== to) break
          to = next.to
        }
        hear(part.batch, part.from, to, chunks)
      } else if (part._tag === "Private") chunks.push(tellEntry(part.entry))
      else if (part._tag !== "Gap" && part._tag !== "Recall") chunks.push(tellAnswer(part))
    }
    giveAll(chunks)
  }

  function giveAll(chunks: ReadonlyArray<Uint8Array>): void {
    if (chunks.length > 0) give(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
  }

  /** Is this entry about this session, or by it? Those that name somebody are told one by one to be sure. */
  function isPersonal(entry: Entry): boolean {
    return entry.by === id || entry.event._tag === "Kicked" || entry.event._tag === "RankSet"
  }

  /** Entries of a batch: what is not personal as the bytes it shares with others, the rest told one by one. */
  function hear(batch: Batch, from: number, to: number, chunks: Array<Uint8Array>): void {
    let start = from
    for (let i = from; i <= to; i++) {
      if (i < to && !isPersonal(batch.entries[i]!)) continue
      if (i > start) share(batch, start, i, chunks)
      if (i < to) chunks.push(tellEntry(batch.entries[i]!))
      start = i + 1
    }
  }

  function share(batch: Batch, from: number, to: number, chunks: Array<Uint8Array>): void {
    const rendering = dialect.rendering(state, batch.room)
    if (rendering !== undefined) chunks.push(batch.part(rendering, from, to))
    else { for (let i = from; i < to; i++) chunks.push(tellEntry(batch.entries[i]!)) }
  }

  function tell(event: Event | Recalled, stamp: Stamp): Uint8Array {
    const told = dialect.tell(state, event, stamp)
    state = told.state
    return told.bytes
  }

  function tellEntry({ at, by, event, id: entryId, seq }: Entry): Uint8Array {
    return tell(event, { seq, at, id: entryId, mine: by === id })
  }

  function tellAnswer(answer: Answer): Uint8Array {
    if (answer._tag === "Welcome") arrived = true
    if (answer._tag === "Closing") end ??= { reason: answer.reason, how: "shutdown" }
    return tell(answer, answerStamp)
  }

  // --- what the log must be asked for --------------------------------------------------------------------------------

  /** What a ring let go of: the entries, if the log still has them all, else how much is missed and what there is. */
  const refill = Effect.fnUntraced(function*(gap: Gap) {
    const page = yield* Effect.option(hub.read({ ...gap, limit: Infinity, messages: false }))
    const { complete, entries } = page._tag === "None" ? { complete: false, entries: [] } : page.value
    const placed: Array<Placed> = []
    if (!complete) {
      const count = Math.max(1, gap.count - entries.length)
      placed.push({ at: gap.after + 0.25, part: { _tag: "Missed", room: gap.name, count, after: gap.after } })
    }
    for (const entry of entries) placed.push({ at: entry.seq, part: { _tag: "Private", entry } })
    return placed
  })

  const recall = Effect.fnUntraced(function*(part: Recall, at: number) {
    const resumed = part.why === "resumed"
    const page = yield* Effect.option(hub.read({
      room: part.room,
      after: part.after,
      // What was before this place in the order; what is after it comes by itself.
      before: Math.min(part.before ?? Infinity, Math.floor(at) + 1),
      limit: part.limit,
      messages: !resumed
    }))
    const { complete, entries } = page._tag === "None" ? { entries: [], complete: false } : page.value
    if (resumed && !complete) give(tellAnswer({ _tag: "Missed", room: part.room, after: part.after! }))
    give(tell({ _tag: "Recalled", room: part.room, why: part.why, entries, complete }, answerStamp))
  })

  /** Give what is held, asking the log where it must be asked. */
  const giveHeld = Effect.fnUntraced(function*() {
    const parts: Array<Placed> = []
    for (const placed of held) {
      if (placed.part._tag === "Gap") parts.push(...(yield* refill(placed.part)))
      else parts.push(placed)
    }
    let from = 0
    inOrder(parts)
    for (let i = 0; i < parts.length; i++) {
      const { at, part } = parts[i]!
      if (part._tag !== "Recall") continue
      giveParts(parts.slice(from, i))
      from = i + 1
      yield* recall(part, at)
    }
    giveParts(parts.slice(from))
    held = []
  })

  /** Wait for the client to take what it has; one that takes nothing for a minute is given up. */
  const waitForRoom = Effect.fnUntraced(function*() {
    blocked = true
    let progress = connection.progress()
    let deadline = clock.currentTimeMillisUnsafe() + patience
    while (connection.unsent() > 0 && connection.lost() === undefined) {
      connection.ringWhenSent()
      yield* arm(deadline)
      yield* bell.wait
      const now = clock.currentTimeMillisUnsafe()
      if (connection.progress() !== progress) {
        progress = connection.progress()
        deadline = now + patience
      } else if (now >= deadline) {
        const reason = `you took nothing for ${patience / 1000} seconds; come back and resume`
        give(tell({ _tag: "Closing", reason }, answerStamp))
        end = { reason: "does not read", how: "stuck" }
        return
      }
    }
    blocked = false
  })

  // --- from the client -----------------------------------------------------------------------------------------------

  /** Have the bell rung at a time, instead of at the one asked for before. */
  const arm = Effect.fnUntraced(function*(at: number) {
    if (timer !== undefined && timer.at === at) return
    if (timer !== undefined) yield* Fiber.interrupt(timer.fiber)
    const wait = Math.max(0, at - clock.currentTimeMillisUnsafe())
    timer = { at, fiber: yield* Effect.forkChild(Effect.andThen(Effect.sleep(wait), Effect.sync(bell.ring))) }
  })

  const disarm = Effect.suspend(() => {
    const armed = timer
    timer = undefined
    return armed === undefined ? Effect.void : Fiber.interrupt(armed.fiber)
  })

  const take = (step: { readonly state: unknown; readonly outputs: ReadonlyArray<Output> }): void => {
    state = step.state
    todo = step.outputs
    next = 0
  }

  const submit = (commands: ReadonlyArray<Command>): Effect.Effect<void> => {
    if (!arrived) subscription.dialect = dialect.speaks(state)
    const submitted = hub.submit(subscription, commands)
    return traced
      ? Effect.withSpan(submitted, "chat.command", { attributes: { commands: commands.map(({ _tag }) => _tag) } })
      : submitted
  }

  /** How many of the next `wanted` commands may go now. Arriving is free. */
  const allowed = (commands: ReadonlyArray<Command>): number => {
    if (rate === undefined || bucket === undefined) return commands.length
    bucket = Rate.refill(rate, bucket, clock.currentTimeMillisUnsafe())
    const free = commands[0]!._tag === "Arrive" ? 1 : 0
    const paid = Rate.affordable(bucket, commands.length - free)
    bucket = Rate.spend(bucket, paid)
    return free + paid
  }

  /** Do the next of what the dialect wants done. */
  const act = Effect.fnUntraced(function*() {
    const output = todo[next]!
    if (output._tag === "Reply") {
      next++
      return give(output.bytes)
    }
    if (output._tag === "Close") {
      give(output.bytes)
      end = { reason: output.reason, how: inputEnded ? "ended" : "closed" }
      return
    }
    let to = next + 1
    while (to < todo.length && to - next < maxRun && isCommand(todo[to]!)) to++
    const commands = todo.slice(next, to) as ReadonlyArray<Command>
    const count = allowed(commands)
    if (count === 0) {
      if (connection.lost() !== undefined) end = { reason: connection.lost()!.reason, how: "lost" }
      else {
        yield* arm(clock.currentTimeMillisUnsafe() + Rate.wait(rate!, bucket!))
        yield* bell.wait
      }
      return
    }
    next += count
    yield* submit(count === commands.length ? commands : commands.slice(0, count))
  })

  let inputEnded = false
  let silentSince = clock.currentTimeMillisUnsafe()

  /** Nothing to do: wait for the client, the hub, or the end of the dialect's patience. */
  const idle = Effect.fnUntraced(function*() {
    const wait = dialect.patience(state)
    if (wait !== undefined) {
      if (clock.currentTimeMillisUnsafe() >= silentSince + wait) return take(dialect.silence(state))
      yield* arm(silentSince + wait)
    } else if (timer !== undefined) yield* disarm
    yield* bell.wait
  })

  const listen = (): boolean => {
    const arrival = connection.take()
    if (arrival === "nothing") return false
    if (arrival === "ended") {
      if (inputEnded) return false
      inputEnded = true
      take(dialect.end(state))
    } else if (arrival instanceof Uint8Array) {
      silentSince = clock.currentTimeMillisUnsafe()
      take(dialect.receive(state, arrival))
    } else end = { reason: arrival.reason, how: "lost" }
    return true
  }

  take(dialect.open(options.hello))
  let known = false
  while (end === undefined) {
    if (held.length > 0) yield* giveHeld()
    else if (!flush()) { if (held.length === 0) yield* waitForRoom() }
    else if (end !== undefined) break
    else if (next < todo.length) yield* act()
    else if (!listen()) {
      if (arrived && !known) {
        known = true
        yield* count(id, connection.peer.address, dialect.speaks(state))
      }
      yield* idle()
    }
  }
  return { ...end as End, dialect: dialect.speaks(state), session: id }
})

/** From now on there is one more session of this dialect, until the scope closes. */
const count = Effect.fnUntraced(function*(session: string, address: string, dialect: string) {
  const sessions = Metric.withAttributes(Measure.connections, { dialect })
  yield* Effect.logInfo("connected").pipe(Effect.annotateLogs({ session, address, dialect }))
  yield* Effect.acquireRelease(Metric.modify(sessions, 1), () => Metric.modify(sessions, -1))
})

