/**
 * What holds for every dialect, as checks that any test runner can run. Knows no dialect.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type Any, type Dialect, type Output, silent, type Stamp, type Step } from "../Dialect.ts"
import type { Entry, Event, Fact } from "../Event.ts"
import * as Name from "../Name.ts"
import * as Arbitraries from "./Arbitraries.ts"

/** A law does not hold; `message` has the smallest input found and how to replay it. */
export class LawBroken extends Data.TaggedError("LawBroken")<{ readonly message: string }> {}

/** What holds whatever a dialect is given: `check` tries it on many inputs, as many as its options say. */
export interface Law {
  readonly name: string
  readonly check: (options?: Arbitrary.CheckOptions) => Effect.Effect<void, LawBroken>
}

const law = <A>(name: string, arbitrary: Arbitrary.Arbitrary<A>, holds: (value: A) => boolean): Law => ({
  name,
  check: (options) =>
    Arbitrary.checkEffect(arbitrary, holds, options).pipe(
      Effect.flatMap((result) => {
        const failure = Arbitrary.formatCheckFailure(result)
        return failure === undefined ? Effect.void : Effect.fail(new LawBroken({ message: `${name}: ${failure}` }))
      })
    )
})

const hello = { server: "test", echo: undefined }
const stranger: Stamp = { seq: 7, at: 1_700_000_000_000, id: "m7", mine: false }

const isRoomEvent = (event: Event): event is Fact & { readonly room: string } =>
  "room" in event && event.room !== undefined && event._tag !== "Kicked" && event._tag !== "RankSet"
  && [
    "Joined", "Left", "Said", "Passed", "Hinted", "TopicSet", "ModeratedSet", "FlagSet", "KeySet", "LimitSet", "MaskSet"
  ].includes(event._tag)

const entry = (event: Fact, seq: number): Entry => ({ seq, at: stranger.at, id: `m${seq}`, by: "stranger", event })

/** A state that has been through something: opened, told some events and fed some bytes. */
const seasoned = (dialect: Any, told: ReadonlyArray<Event>, fed: Uint8Array): unknown => {
  let { state } = dialect.open(hello)
  state = dialect.tell(state, { _tag: "Welcome", server: "test", nick: "ana", epoch: "e", motd: [] }, { ...stranger, id: "" }).state
  for (const event of told) state = dialect.tell(state, event, stranger).state
  return dialect.receive(state, fed).state
}

/** Outputs as they matter: up to the first close, with neighbouring bytes joined. */
const normal = (outputs: ReadonlyArray<Output>): ReadonlyArray<unknown> => {
  const out: Array<{ _tag: string; room?: string; bytes: Uint8Array } | Output> = []
  for (const output of outputs) {
    const last = out[out.length - 1]
    const joins = last !== undefined && "bytes" in output && "bytes" in last && last._tag === output._tag
      && output._tag !== "Close" && (output._tag !== "Pass" || (last as { room?: string }).room === output.room)
    if (joins) {
      out[out.length - 1] = {
        ...(output as { _tag: string; bytes: Uint8Array }),
        bytes: Buffer.concat([(last as { bytes: Uint8Array }).bytes, (output as { bytes: Uint8Array }).bytes])
      }
    } else out.push(output)
    if (output._tag === "Close") break
  }
  return out
}

const same = (a: unknown, b: unknown): boolean => {
  // What is written is looked at as it is (`this`), before a Buffer's own toJSON.
  const write = (value: unknown) =>
    JSON.stringify(value, function(this: Record<string, unknown>, key, inner) {
      const it = this[key]
      return it instanceof Uint8Array ? Buffer.from(it).toString("base64") : it instanceof Set ? [...it] : inner
    })
  return write(a) === write(b)
}

/** All that comes of these bytes, where nobody answers what is asked for meanwhile. When `used` is called, the bytes are not lent any more. */
export const received = <State>(dialect: Dialect<State>, state: State, bytes: Uint8Array, used = () => {}): Step<State> => {
  let step = dialect.receive(state, bytes)
  used()
  const outputs = [...step.outputs]
  while (step.more === true && !outputs.some(({ _tag }) => _tag === "Close")) {
    step = dialect.receive(step.state, silent)
    outputs.push(...step.outputs)
  }
  return { state: step.state, outputs }
}

/** What is asked for by these bytes; each part is `used` when it was received. */
const feed = (dialect: Any, parts: ReadonlyArray<Uint8Array>, used: (part: Uint8Array) => void = () => {}): ReadonlyArray<Output> => {
  const outputs: Array<Output> = []
  let { state } = dialect.open(hello)
  for (const part of parts) {
    const step = received(dialect, state, part, () => used(part))
    state = step.state
    outputs.push(...step.outputs)
    if (step.outputs.some((output) => output._tag === "Close")) return outputs
  }
  return [...outputs, ...dialect.end(state).outputs]
}

const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

/** What of the laws a dialect is excused from. */
export interface Options {
  /** For a dialect that passes bytes on untouched: what it tells may hold anything. */
  readonly untouched?: boolean
  /** Characters below 0x20 that this dialect means to write besides line feeds. */
  readonly writes?: string
}

/** The laws of a dialect. */
export const dialectLaws = (dialect: Any, options: Options = {}): ReadonlyArray<Law> => {
  const { anyEvent, anyFact, cuts, hostileBytes } = Arbitraries
  const state = Arbitrary.all({ told: Arbitrary.array(anyEvent, { maxLength: 4 }), fed: hostileBytes })
  const laws = [
    law("total on any bytes, in any state", Arbitrary.all({ state, bytes: hostileBytes }), ({ bytes, state: { fed, told } }) => {
      const before = seasoned(dialect, told, fed)
      dialect.receive(before, bytes)
      dialect.end(before)
      dialect.silence(before)
      return true
    }),
    law("total on any event", Arbitrary.all({ state, event: anyEvent }), ({ event, state: { fed, told } }) => {
      const before = seasoned(dialect, told, fed)
      for (const mine of [true, false]) dialect.tell(before, event, { ...stranger, mine })
      return true
    }),
    law("cutting is insignificant", Arbitrary.all({ bytes: hostileBytes, sizes: cuts }), ({ bytes, sizes }) =>
      same(normal(feed(dialect, [bytes])), normal(feed(dialect, Arbitraries.pieces(bytes, sizes))))),
    law("one byte at a time is no different", hostileBytes, (bytes) =>
      same(normal(feed(dialect, [bytes])), normal(feed(dialect, Arbitraries.pieces(bytes, [1]))))),
    law("nothing is kept of the bytes but copies", Arbitrary.all({ bytes: hostileBytes, sizes: cuts }), ({ bytes, sizes }) => {
      const lent = Arbitraries.pieces(bytes, sizes).map((part) => Uint8Array.from(part))
      return same(normal(feed(dialect, lent, (part) => part.fill(0x23))), normal(feed(dialect, [bytes])))
    }),
    law("the end closes, once", hostileBytes, (bytes) =>
      normal(feed(dialect, [bytes])).filter((output) => (output as Output)._tag === "Close").length === 1),
    law(
      "what is shared is what would be told, and telling it changes nothing",
      Arbitrary.all({ state, facts: Arbitrary.array(anyFact, { minLength: 1, maxLength: 5 }) }),
      ({ facts, state: { fed, told } }) => {
        const before = seasoned(dialect, told, fed)
        return facts.filter(isRoomEvent).every((event) => {
          const rendering = dialect.rendering(before, Name.key(event.room))
          if (rendering === undefined) return true
          const after = dialect.tell(before, event, { ...stranger, seq: 1, id: "m1" })
          return Buffer.compare(rendering.render([entry(event, 1)], Name.key(event.room)).bytes, after.bytes) === 0 && same(after.state, before)
        })
      }
    ),
    law(
      "who is hushed is told nothing of what it says, and telling it changes nothing",
      Arbitrary.all({ state, facts: Arbitrary.array(anyFact, { minLength: 1, maxLength: 5 }) }),
      ({ facts, state: { fed, told } }) => {
        const before = seasoned(dialect, told, fed)
        if (dialect.hushed?.(before) !== true) return true
        return facts.every((event) => {
          if (event._tag !== "Said" && event._tag !== "Passed" || dialect.rendering(before, Name.key(event.room)) === undefined) return true
          const after = dialect.tell(before, event, { ...stranger, mine: true })
          return after.bytes.length === 0 && same(after.state, before)
        })
      }
    ),
    law(
      "those who only come are told alike, looked at one by one or not",
      Arbitrary.array(anyFact, { minLength: 1, maxLength: 16 }),
      (facts) => {
        const before = seasoned(dialect, [], new Uint8Array())
        const rendering = dialect.rendering(before, Name.lobby)
        if (rendering?.arrivals === undefined) return true
        const entries = facts.map((_, i) => entry({ _tag: "Joined", room: Name.lobby, nick: `n${i}` }, i + 1))
        return entries.every((_, from) =>
          Buffer.compare(rendering.arrivals!(entries, from, Name.lobby), rendering.render(entries.slice(from), Name.lobby).bytes) === 0
        )
      }
    ),
    law(
      "a batch is rendered as the parts it can be cut into",
      Arbitrary.array(anyFact, { minLength: 1, maxLength: 16 }),
      (facts) => {
        const before = seasoned(dialect, [], new Uint8Array())
        const rendering = dialect.rendering(before, Name.lobby)
        if (rendering === undefined) return true
        const entries = facts.map(entry)
        const { bytes, ends } = rendering.render(entries, Name.lobby)
        const last = ends.length - 1
        let from = 0
        return last === entries.length - 1 && ends[last] === bytes.length && ends.every((end, i) => {
          if (end === -1) return true
          const part = rendering.render(entries.slice(from, i + 1), Name.lobby).bytes
          const same = Buffer.compare(part, bytes.subarray(from === 0 ? 0 : ends[from - 1], end)) === 0
          from = i + 1
          return same
        })
      }
    )
  ]
  return options.untouched === true ? laws : [
    ...laws,
    law("no control byte goes out", Arbitrary.all({ state, event: anyEvent }), ({ event, state: { fed, told } }) => {
      const before = seasoned(dialect, told, fed)
      return [true, false].every((mine) => {
        const text = Buffer.from(dialect.tell(before, event, { ...stranger, mine }).bytes).toString("utf8")
        return !controls.test(text.replace(new RegExp(`[${options.writes ?? ""}\n]`, "g"), ""))
      })
    })
  ]
}
