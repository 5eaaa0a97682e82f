/**
 * A seat without a socket: how a host app or a bot talks and listens, as one more member among the others.
 * Knows no bytes; what it hears has the shape that the json dialect writes.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Command } from "./Command.ts"
import * as Doors from "./Doors.ts"
import type { Entry, Message } from "./Event.ts"
import { Hub } from "./Hub.ts"
import { asked, stretch } from "./Log.ts"
import { isGap, type Part, type Placed, refilled, type Subscription } from "./Subscription.ts"
import type { Recall } from "./World.ts"

/** What was asked for was not granted; `message` says why. */
export class NotGranted extends Data.TaggedError("NotGranted")<{ readonly message: string }> {}

/** A seat that was taken. */
export interface Seat {
  /** The nick it was taken under. */
  readonly nick: string
  /**
   * Everything the seat hears, in the log's order, its own doings among it. Whoever reads too slowly gets a `Missed` for what
   * the log no longer has. To be run once; ends with the seat's scope, or with the `Closing` by which the server ends the seat.
   */
  readonly messages: Stream.Stream<Message>
  /** Ask for something. Refusals come as `Refused` in `messages`. */
  readonly submit: (...commands: ReadonlyArray<Command>) => Effect.Effect<void>
  /** Come into a room, opening it when nobody is there. */
  readonly join: (room: string) => Effect.Effect<void>
  /** Say something in a room one is in, or to one person when `target` is a nick. */
  readonly say: (target: string, text: string) => Effect.Effect<void>
}

const stamped = ({ at, event, id, seq }: Entry): Message => ({ ...event, seq, at: new Date(at).toISOString(), id })

type Hubs = Hub["Service"]

const unread = { entries: [], complete: false, more: false }

/** Everything that happened in a room after a place, and word of what of it is forgotten or cannot be read. */
const resumed = (hub: Hubs, recall: Recall, after: number, at: number): Effect.Effect<ReadonlyArray<Message>> =>
  Effect.flatMap(Effect.orElseSucceed(stretch(hub.read, { ...asked(recall, at), after }), () => unread), ({ complete, entries, more }) => {
    const told: ReadonlyArray<Message> = [...(complete ? [] : [missed(recall, after)]), ...entries.map(stamped)]
    return more ? Effect.map(resumed(hub, recall, entries[entries.length - 1]!.seq, at), (rest) => [...told, ...rest]) : Effect.succeed(told)
  })

const missed = ({ room }: Recall, after: number): Message => ({ _tag: "Missed", room, after })

const fromThere = (hub: Hubs, recall: Recall, after: number, at: number): Effect.Effect<ReadonlyArray<Message>> =>
  Effect.flatMap(Effect.orElseSucceed(Doors.hasHole(hub.read, recall, at), () => true), (hasHole) =>
    Effect.map(resumed(hub, recall, after, at), (told) => hasHole ? [missed(recall, after), ...told] : told))

const messagesOf = (hub: Hubs, part: Part, at: number): Effect.Effect<ReadonlyArray<Message>> => {
  switch (part._tag) {
    case "Heard":
      return Effect.succeed(part.batch.entries.slice(part.from, part.to).map(stamped))
    case "Private":
      return Effect.succeed([stamped(part.entry)])
    case "Gap":
      return Effect.succeed([])
    case "Recall":
      return part.why === "resumed"
        ? fromThere(hub, part, part.after as number, at)
        : Effect.match(hub.recall(part, at), { onFailure: () => [], onSuccess: ({ entries }) => entries.map(stamped) })
    case "Fenced":
    case "Observed":
    case "Controlled":
      return Effect.succeed([])
    default:
      return Effect.succeed([part])
  }
}

/** A stream of what a subscription brings; it ends where a ring let go of something that is not to be looked up. */
const stream = (hub: Hubs, subscription: Subscription, bell: Queue.Queue<void, Cause.Done>, looksUp: Effect.Effect<boolean>): Stream.Stream<Message> => {
  const pending: Effect.Effect<ReadonlyArray<Placed>, Cause.Done> = Effect.suspend(() => {
    const parts = subscription.take()
    return parts.some(isGap)
      ? Effect.flatMap(looksUp, (does) => does ? refilled(parts, hub.read) : Cause.done())
      : parts.length > 0
      ? Effect.succeed(parts)
      : Effect.andThen(Queue.take(bell), pending)
  })
  return Stream.fromPull(Effect.succeed(Effect.map(pending, (parts) => [parts] as const))).pipe(
    Stream.flattenIterable,
    Stream.mapEffect(({ at, part }) => messagesOf(hub, part, at)),
    Stream.flattenIterable
  )
}

/** What wakes whoever reads, who is told by its end that nothing more comes. */
const makeBell = Effect.acquireRelease(Queue.sliding<void, Cause.Done>(1), Queue.end)

/** Take a seat until the scope closes, under this nick, which must be free, or without one as a guest. */
export const take = Effect.fnUntraced(function*(
  options: { readonly nick?: string } = {}
): Effect.fn.Return<Seat, NotGranted, Hub | Scope.Scope> {
  const hub = yield* Hub
  const bell = yield* makeBell
  const subscription = yield* Effect.acquireRelease(
    Effect.sync(() => hub.open({ dialect: "seat", address: "host", bell: { ring: () => Queue.offerUnsafe(bell, undefined) } })),
    (subscription) => hub.close(subscription, "left")
  )
  yield* hub.submit(subscription, [{ _tag: "Arrive", ...options }])
  const [answer] = subscription.take()
  if (answer?.part._tag !== "Welcome") {
    return yield* new NotGranted({ message: answer?.part._tag === "Refused" ? answer.part.reason : "the hub is closed" })
  }
  const submit = (...commands: ReadonlyArray<Command>) => hub.submit(subscription, commands)
  return {
    nick: answer.part.nick,
    messages: Stream.takeUntil(stream(hub, subscription, bell, Effect.succeed(true)), ({ _tag }) => _tag === "Closing"),
    submit,
    join: (room) => submit({ _tag: "Join", room }),
    say: (target, text) => submit({ _tag: "Say", target, text })
  }
})

/**
 * Be told what happens in these rooms from now on, until the scope closes. The stream is to be run once. Whoever is so late that
 * something is not at hand any more is told it from the log if `looksUp` says so then, else that is the end.
 */
export const listening = (
  hub: Hubs,
  rooms: ReadonlyArray<string>,
  looksUp: Effect.Effect<boolean> = Effect.succeed(true)
): Effect.Effect<Stream.Stream<Message>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const bell = yield* makeBell
    const subscription = yield* hub.listen(rooms, { ring: () => Queue.offerUnsafe(bell, undefined) })
    return stream(hub, subscription, bell, looksUp)
  })

/** What happens in these rooms from now on, heard without being anybody. */
export const listen = (...rooms: ReadonlyArray<string>): Stream.Stream<Message, never, Hub> =>
  Stream.unwrap(Effect.flatMap(Hub, (hub) => listening(hub, rooms)))
