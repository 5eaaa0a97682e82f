/**
 * Who may come in: so many seats, a waiting room of a few places, and not too many from one address.
 * Knows nothing of what is done in a seat.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { isLoopback, network } from "./Address.ts"
import { type Connection, nobody } from "./Connection.ts"
import * as Measure from "./Measure.ts"
import * as Rate from "./Rate.ts"

export { isLoopback, network } from "./Address.ts"

/** How many may come in. */
export interface Options {
  /** Seats. */
  readonly maxClients: number
  /** Places in the waiting room. */
  readonly backlog: number
}

/** How many connections one address may have at once. Loopback may have any number. */
export const perAddress = 32

/** How many connections one address may make: so many at once, and as many a minute. Loopback may make any number. */
export const perMinute: Rate.Rate = { burst: 64, perSecond: 64 / 60 }

/** How many addresses are remembered before those are forgotten that may do anything again. */
const maxRemembered = 4096

/** Why somebody is not let in: one line for the client, and a word for the metrics. */
export interface Refusal {
  readonly _tag: "Refusal"
  readonly line: string
  readonly reason: "full" | "address" | "rate" | "closing"
}

/** Left before a seat was free. */
export interface Left {
  readonly _tag: "Left"
}

/** A seat, and how to leave it. */
interface Seat {
  readonly _tag: "Seat"
  readonly leave: Effect.Effect<void>
}

const refusal = (reason: Refusal["reason"], line: string): Refusal => ({ _tag: "Refusal", reason, line })

interface Known {
  open: number
  bucket: Rate.Bucket
}

/** Connections by address: asked at the door, told when one is gone. */
const makeDoor = () => {
  const known = new Map<string, Known>()
  const forget = (now: number) => {
    for (const [address, { bucket, open }] of known) {
      if (open === 0 && Rate.refill(perMinute, bucket, now).tokens >= perMinute.burst) known.delete(address)
    }
  }
  return {
    enter: (address: string, now: number): Refusal | undefined => {
      if (isLoopback(address)) return undefined
      const block = network(address)
      if (known.size >= maxRemembered && !known.has(block)) forget(now)
      const found = known.get(block) ?? { open: 0, bucket: Rate.full(perMinute, now) }
      known.set(block, found)
      found.bucket = Rate.refill(perMinute, found.bucket, now)
      if (found.open >= perAddress) {
        return refusal("address", `there are ${perAddress} connections from your address, the most there may be; close one first`)
      }
      if (found.bucket.tokens < 1) {
        return refusal("rate", "too many connections from your address in a minute; wait a little")
      }
      found.bucket = Rate.spend(found.bucket, 1)
      found.open++
      return undefined
    },
    leave: (address: string): void => {
      const found = known.get(network(address))
      if (found !== undefined && found.open > 0) found.open--
    }
  }
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const left: Left = { _tag: "Left" }

/** Ends when the client is gone. */
const gone = (connection: Connection): Effect.Effect<Left> =>
  Effect.callback<Left>((resume) => {
    const look = () => {
      if (connection.gone()) resume(Effect.succeed(left))
    }
    connection.watch({ onStir: look })
    look()
    return Effect.sync(() => connection.watch(nobody))
  })

/** The house's door. */
export const make = Effect.fnUntraced(function*({ backlog, maxClients }: Options) {
  const seats = yield* Semaphore.make(maxClients)
  const places = yield* Semaphore.make(backlog)
  const closing = yield* Latch.make()
  const clock = yield* Clock.Clock
  const door = makeDoor()
  let waiting = 0
  let closed = false
  let held = false

  const full = refusal("full", `the server is full: all ${maxClients} seats are taken and ${backlog} are waiting; try again later`)
  const overfull = refusal("full", "the server is full: too much waits to be sent to those who are here; try again later")
  const shut = refusal("closing", "the server is closing; try again later")

  const takeOne = seats.takeIfAvailable(1)
  const seat: Seat = { _tag: "Seat", leave: Effect.asVoid(seats.release(1)) }

  /** A seat, at once or after waiting in turn; `restore` makes the waiting interruptible. */
  const sit = (connection: Connection, restore: Restore, onWait: () => void): Effect.Effect<Refusal | Left | Seat> =>
    Effect.suspend(() => {
      if (closed) return Effect.succeed(shut)
      if (held) return Effect.succeed(overfull)
      // Who is already waiting comes first, even when a seat has just become free.
      return waiting > 0
        ? queue(connection, restore, onWait)
        : Effect.flatMap(takeOne, (taken) => taken ? Effect.succeed(seat) : queue(connection, restore, onWait))
    })

  const queue = (connection: Connection, restore: Restore, onWait: () => void): Effect.Effect<Refusal | Left | Seat> =>
    Effect.map(
      places.withPermitsIfAvailable(1)(Effect.suspend(() => {
        waiting++
        return Metric.modify(Measure.waiting, 1).pipe(
          Effect.andThen(Effect.sync(onWait)),
          Effect.andThen(wait(connection, restore)),
          Effect.ensuring(Effect.suspend(() => {
            waiting--
            return Metric.modify(Measure.waiting, -1)
          }))
        )
      })),
      (waited) => waited._tag === "None" ? full : waited.value
    )

  /** Until a seat is free, the client is gone, or the door is shut. A seat that comes too late is given back. */
  const wait = (connection: Connection, restore: Restore): Effect.Effect<Refusal | Left | Seat> =>
    Effect.flatMap(Scope.make(), (scope) => {
      const own: Seat = { _tag: "Seat", leave: Scope.close(scope, Exit.void) }
      return restore(Effect.raceAllFirst<Effect.Effect<Refusal | Left | Seat>>([
        Effect.as(Scope.provide(seats.takeScoped(1), scope), own),
        gone(connection),
        Effect.as(closing.await, shut)
      ])).pipe(
        Effect.map((got) => closed ? shut : got),
        Effect.onExit((exit) => Exit.isSuccess(exit) && exit.value === own ? Effect.void : own.leave)
      )
    })

  /**
   * Do `seated` in a seat, once there is one and if this address may have one more; else `turnedAway`. Whatever ends it,
   * the seat is free again. When there is none now and it is waited for one, `onWait` is called.
   */
  const within = <A>(
    connection: Connection,
    seated: Effect.Effect<A>,
    turnedAway: (why: Refusal | Left) => Effect.Effect<A>,
    onWait: () => void = () => {}
  ): Effect.Effect<A> =>
    Effect.uninterruptibleMask((restore) => {
      const { address } = connection.peer
      const refused = door.enter(address, clock.currentTimeMillisUnsafe())
      if (refused !== undefined) return restore(turnedAway(refused))
      let taken: Seat | undefined
      const inside = Effect.flatMap(sit(connection, restore, onWait), (got) => {
        if (got._tag !== "Seat") return restore(turnedAway(got))
        taken = got
        return restore(seated)
      })
      return Effect.onExit(inside, () => {
        door.leave(address)
        return taken?.leave ?? Effect.void
      })
    })

  return {
    within,
    /** Whether newcomers are told that the server is full, whatever seats there are. */
    hold: (on: boolean): void => {
      held = on
    },
    /** Nobody comes in any more; who waits is told. */
    close: Effect.suspend(() => {
      closed = true
      return closing.open
    })
  }
})
