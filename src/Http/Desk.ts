/**
 * Seats of programs that come by HTTP: each name has one while it is used and for a while after, and is answered about what
 * it asked for. Knows no requests and no tokens.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Command } from "../Command.ts"
import type { Code, Entry, SessionId } from "../Event.ts"
import { Hub } from "../Hub.ts"
import { type Placed, refilled, type Subscription } from "../Subscription.ts"

/** A seat that nothing was asked from for this long is given up. */
export const idle = "5 minutes"

/** The world's or the hub's no. */
export class NotGranted extends Data.TaggedError("NotGranted")<{ readonly reason: string; readonly code: Code | undefined }> {}

/** A seat, for as long as one has it to oneself. */
export interface Desk {
  readonly id: SessionId
  readonly nick: string
  /** Ask for something: what followed from it, or the first refusal. */
  readonly ask: (...commands: ReadonlyArray<Command>) => Effect.Effect<ReadonlyArray<Entry>, NotGranted>
}

export interface Options {
  /** What must be given to come in. */
  readonly password?: string
}

export class Desks extends Context.Service<Desks, {
  /** Do something from the seat of this name, after whoever does something from it now. */
  readonly at: <A, E, R>(name: string, use: (desk: Desk) => Effect.Effect<A, E, R>) => Effect.Effect<A, E | NotGranted, R>
}>()("effect-chat/Http/Desks") {
  static readonly layer = (options: Options = {}): Layer.Layer<Desks, never, Hub> => Layer.effect(Desks, make(options))
}

/** The place of one name: whether or not somebody sits there. */
interface Place {
  readonly lock: Semaphore.Semaphore
  taken: { readonly desk: Desk; readonly scope: Scope.Closeable } | undefined
  leaving: Fiber.Fiber<void> | undefined
}

const isClosing = ({ part }: Placed): boolean => part._tag === "Closing"

const make = Effect.fnUntraced(function*(options: Options) {
  const hub = yield* Hub
  const house = yield* Effect.scope
  const places = new Map<string, Place>()
  let fences = 0

  const placeOf = (name: string): Place => {
    let place = places.get(name)
    if (place === undefined) places.set(name, place = { lock: Semaphore.makeUnsafe(1), taken: undefined, leaving: undefined })
    return place
  }

  /** Give a seat up; by a fiber of the house's, because the one that finds out may belong to the seat. */
  const leave = (place: Place): Effect.Effect<void> =>
    Effect.suspend(() => {
      const { taken } = place
      place.taken = undefined
      return taken === undefined ? Effect.void : Effect.asVoid(Effect.forkIn(Scope.close(taken.scope, Exit.void), house))
    })

  /** What followed from these commands and nothing else: it stands between two fences. */
  const askOf = (subscription: Subscription, place: Place) => (...commands: ReadonlyArray<Command>) =>
    Effect.gen(function*() {
      const before = ++fences
      const after = ++fences
      yield* hub.submit(subscription, [{ _tag: "Fence", token: before }, ...commands, { _tag: "Fence", token: after }])
      const heard = yield* refilled(subscription.take(), hub.read)
      const fence = (token: number) => heard.findIndex(({ part }) => part._tag === "Fenced" && part.token === token)
      // Without fences nothing of it was kept, and all of it is refused.
      const to = fence(after)
      const between = heard.slice(fence(before) + 1, to === -1 ? undefined : to)
      if (heard.some(isClosing)) yield* leave(place)
      const entries: Array<Entry> = []
      for (const { part } of between) {
        if (part._tag === "Refused") return yield* new NotGranted({ reason: part.reason, code: part.code })
        if (part._tag === "Private") entries.push(part.entry)
        else if (part._tag === "Heard") entries.push(...part.batch.entries.slice(part.from, part.to))
      }
      return entries.filter(({ by }) => by === subscription.id)
    })

  const take = Effect.fnUntraced(function*(name: string, place: Place) {
    const bell = yield* Queue.sliding<void>(1)
    const subscription = yield* Effect.acquireRelease(
      Effect.sync(() => hub.open({ dialect: "http", address: "http", bell: { ring: () => Queue.offerUnsafe(bell, undefined) } })),
      (subscription) => hub.close(subscription, "left")
    )
    const ask = askOf(subscription, place)
    yield* ask({ _tag: "Arrive", nick: name, ...options })
    yield* ask({ _tag: "SetTrait", trait: "bot", on: true })
    // What is heard meanwhile is for nobody, unless the seat is taken away.
    yield* Queue.take(bell).pipe(
      Effect.andThen(place.lock.withPermits(1)(Effect.suspend(() => subscription.take().some(isClosing) ? leave(place) : Effect.void))),
      Effect.forever,
      Effect.forkScoped
    )
    return { id: subscription.id, nick: name, ask }
  })

  const seated = Effect.fnUntraced(function*(name: string, place: Place) {
    if (place.taken !== undefined) return place.taken.desk
    const scope = yield* Scope.fork(house)
    const desk = yield* take(name, place).pipe(Scope.provide(scope), Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
    place.taken = { desk, scope }
    return desk
  })

  const leaveLater = (place: Place) =>
    Effect.gen(function*() {
      if (place.leaving !== undefined) yield* Effect.forkIn(Fiber.interrupt(place.leaving), house)
      place.leaving = yield* Effect.sleep(idle).pipe(Effect.andThen(place.lock.withPermits(1)(leave(place))), Effect.forkIn(house))
    })

  return Desks.of({
    at: (name, use) =>
      Effect.suspend(() => {
        const place = placeOf(name)
        return place.lock.withPermits(1)(Effect.ensuring(Effect.flatMap(seated(name, place), use), leaveLater(place)))
      })
  })
})
