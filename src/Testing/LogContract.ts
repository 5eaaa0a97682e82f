/**
 * What holds for every log. Knows none of them.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Entry, Fact, Mark } from "../Event.ts"
import { type Draft, type Log, type Query, whispers } from "../Log.ts"
import { type Case, ContractBroken, equal, expect } from "./Case.ts"

const said = (room: string, text: string): Draft => ({
  at: 1_700_000_000_000,
  id: `${room}-${text}`,
  by: "s1",
  event: { _tag: "Said", room, nick: "ana", text, kind: "message" },
  to: room
})

const joined = (room: string, nick: string): Draft => ({ ...said(room, nick), id: `j-${nick}`, event: { _tag: "Joined", room, nick } })

const textOf = (event: Fact): string => event._tag === "Said" ? event.text : event._tag

/** Six messages, behind each of which somebody comes. */
const mixed: ReadonlyArray<Draft> = Array.from({ length: 6 }, (_, i) => [said("a", `${i}`), joined("a", `${i}`)]).flat()

const all = { after: undefined, before: undefined, limit: 1000, messages: false } as const

/** What is read of room a, a letter each: a message is a digit, who came is a J. */
const textsOf = (log: Log["Service"]) => (query: Partial<Query>): Effect.Effect<string, unknown> =>
  Effect.map(log.read({ ...all, room: "a", ...query }), ({ entries }) => entries.map(({ event }) => textOf(event).slice(0, 1)).join(""))

/** What a query asks for, by going through all entries of a room. */
const wanted = (entries: ReadonlyArray<Entry>, { after, around, before, earliest, limit, messages, until }: Query): ReadonlyArray<Entry> => {
  const seqOf = (id: string) => entries.find((entry) => entry.id === id)?.seq ?? Infinity
  /** Where this entry is, seen from a mark: negative before it, 0 at it, positive after it. */
  const from = (mark: Mark, { at, seq }: Entry) => typeof mark === "number" ? seq - mark : "at" in mark ? at - mark.at : seq - seqOf(mark.id)
  const known = entries.filter(({ event }) => !messages || event._tag === "Said")
  const within = known.filter((entry) =>
    (after === undefined || from(after, entry) > 0) && (before === undefined || from(before, entry) < 0) && entry.seq <= (until ?? Infinity)
  )
  if (around === undefined) return earliest === true ? within.slice(0, limit) : within.slice(-limit)
  const start = Math.max(0, known.filter((entry) => from(around, entry) < 0).length - (limit >> 1))
  return within.slice(start, start + limit)
}

/** The cases of a log that remembers at least 50 entries of each kind in a room; each is given a new, empty one. */
export const logContract = <R>(fresh: Effect.Effect<Log["Service"], never, R>): ReadonlyArray<Case<R>> => {
  const withLog = (name: string, body: (log: Log["Service"]) => Effect.Effect<void, unknown>): Case<R> => ({
    name,
    run: Effect.flatMap(fresh, body).pipe(
      Effect.mapError((error) => error instanceof ContractBroken ? error : new ContractBroken({ message: String(error) }))
    )
  })
  return [
    withLog("entries come back in the order of the drafts, with growing sequence numbers", (log) =>
      Effect.gen(function*() {
        const first = yield* log.append([said("a", "1"), said("b", "2"), said("a", "3")])
        const second = yield* log.append([said("a", "4")])
        const entries = [...first, ...second]
        yield* equal("texts", entries.map(({ event }) => textOf(event)), ["1", "2", "3", "4"])
        yield* expect("sequence numbers grow", entries.every(({ seq }, i) => i === 0 || seq > entries[i - 1]!.seq))
        yield* expect("sequence numbers are positive", entries[0]!.seq > 0)
        yield* equal("the rest of an entry is the draft's", { ...entries[0], seq: 0 }, {
          seq: 0,
          at: said("a", "1").at,
          id: "a-1",
          by: "s1",
          event: said("a", "1").event
        })
      })),
    withLog("an appended entry can be read at once, in its room only", (log) =>
      Effect.gen(function*() {
        yield* log.append([said("a", "1"), said("b", "2")])
        const page = yield* log.read({ ...all, room: "a" })
        yield* equal("texts", page.entries.map(({ event }) => textOf(event)), ["1"])
        yield* expect("complete", page.complete)
      })),
    withLog("after and before are exclusive, and the last of what is asked for is given", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(Array.from({ length: 10 }, (_, i) => said("a", String(i))))
        const texts = (after?: number, before?: number, limit = 100) =>
          Effect.map(
            log.read({
              room: "a",
              messages: false,
              limit,
              after: after === undefined ? undefined : entries[after]!.seq,
              before: before === undefined ? undefined : entries[before]!.seq
            }),
            (page) => page.entries.map(({ event }) => textOf(event)).join("")
          )
        yield* equal("after", yield* texts(6), "789")
        yield* equal("before", yield* texts(undefined, 3), "012")
        yield* equal("between", yield* texts(2, 6), "345")
        yield* equal("limit", yield* texts(undefined, undefined, 3), "789")
        yield* equal("limit before", yield* texts(undefined, 5, 2), "34")
        yield* equal("nothing after the last", yield* texts(9), "")
      })),
    withLog("what more was asked for than the limit is said not to be complete", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(Array.from({ length: 10 }, (_, i) => said("a", String(i))))
        const after = entries[1]!.seq
        yield* expect("all of it", (yield* log.read({ ...all, room: "a", after })).complete)
        yield* expect("part of it", !(yield* log.read({ ...all, room: "a", after, limit: 3 })).complete)
      })),
    withLog("a message is known by its id, and one that nobody knows is after everything, which is told", (log) =>
      Effect.gen(function*() {
        yield* log.append([said("a", "0"), joined("a", "bo"), said("b", "x"), said("a", "1"), said("a", "2"), said("a", "3")])
        const texts = textsOf(log)
        yield* equal("after", yield* texts({ after: { id: "a-1" } }), "23")
        yield* equal("before", yield* texts({ before: { id: "a-2" } }), "0J1")
        yield* equal("between", yield* texts({ after: { id: "a-0" }, before: { id: "a-3" } }), "J12")
        yield* equal("after who came", yield* texts({ after: { id: "j-bo" } }), "123")
        yield* equal("messages after who came", yield* texts({ after: { id: "j-bo" }, messages: true }), "123")
        yield* equal("messages before who came", yield* texts({ before: { id: "j-bo" }, messages: true }), "0")
        for (const id of ["nobody-said-this", "b-x", ""]) {
          yield* equal("after one that is not of this room", yield* texts({ after: { id } }), "")
          yield* equal("before one that is not of this room", yield* texts({ before: { id } }), "0J123")
          for (const room of ["a", "nobody-was-here"]) {
            for (const messages of [true, false]) {
              for (const query of [{ after: { id } }, { before: { id } }, { around: { id } }, { after: 1, before: { id } }]) {
                yield* equal("that it is not known", (yield* log.read({ ...all, room, messages, ...query })).unknown, true)
              }
            }
          }
        }
        for (const query of [{ after: { id: "a-0" } }, { before: { id: "j-bo" } }, { around: { id: "a-3" } }, { after: { at: 1 } }, { before: 1_000_000 }, {}]) {
          yield* expect("what is known is not said to be unknown", (yield* log.read({ ...all, room: "a", ...query })).unknown !== true)
        }
      })),
    withLog("what is between two places is counted from the first that is given, whichever is the earlier", (log) =>
      Effect.gen(function*() {
        yield* log.append([said("a", "0"), joined("a", "bo"), said("a", "1"), said("a", "2"), said("a", "3")])
        const texts = textsOf(log)
        const [first, last] = [{ id: "a-0" }, { id: "a-3" }]
        const between = { earliest: true, between: true } as const
        yield* equal("forwards", yield* texts({ after: first, before: last, ...between }), "J12")
        yield* equal("backwards", yield* texts({ after: last, before: first, ...between }), "J12")
        yield* equal("the first", yield* texts({ after: first, before: last, ...between, limit: 2 }), "J1")
        yield* equal("the last", yield* texts({ after: last, before: first, ...between, limit: 2 }), "12")
        yield* equal("messages backwards", yield* texts({ after: last, before: first, ...between, limit: 1, messages: true }), "2")
        yield* equal("nothing between a place and itself", yield* texts({ after: first, before: first, ...between }), "")
      })),
    withLog("a time is before all that happened then, and after all that happened then", (log) =>
      Effect.gen(function*() {
        const at = (draft: Draft, time: number): Draft => ({ ...draft, at: time })
        yield* log.append([
          at(said("a", "0"), 1000), at(said("a", "1"), 2000), at(joined("a", "bo"), 2000), at(said("a", "2"), 2000), at(said("a", "3"), 3000)
        ])
        const texts = textsOf(log)
        yield* equal("after", yield* texts({ after: { at: 2000 } }), "3")
        yield* equal("before", yield* texts({ before: { at: 2000 } }), "0")
        yield* equal("after a time at which nothing happened", yield* texts({ after: { at: 1999 } }), "1J23")
        yield* equal("before a time at which nothing happened", yield* texts({ before: { at: 2001 } }), "01J2")
        yield* equal("between", yield* texts({ after: { at: 1000 }, before: { at: 3000 } }), "1J2")
        yield* equal("messages between", yield* texts({ after: { at: 1000 }, before: { at: 3000 }, messages: true }), "12")
        yield* equal("after all of it", yield* texts({ after: { at: 3000 } }), "")
        yield* equal("before all of it", yield* texts({ before: { at: 1000 } }), "")
        yield* equal("around", yield* texts({ around: { at: 2000 }, limit: 3 }), "01J")
      })),
    withLog("the first of what is asked for are given where the earliest are wanted", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(mixed)
        const texts = textsOf(log)
        yield* equal("of everything", yield* texts({ earliest: true, limit: 3 }), "0J1")
        yield* equal("of messages", yield* texts({ earliest: true, limit: 3, messages: true }), "012")
        yield* equal("after a place", yield* texts({ earliest: true, limit: 3, after: entries[1]!.seq }), "1J2")
        yield* equal("after a message", yield* texts({ earliest: true, limit: 3, after: { id: "a-1" } }), "J2J")
        yield* equal("before a message", yield* texts({ earliest: true, limit: 3, before: { id: "a-1" } }), "0J")
        yield* equal("more than there are", yield* texts({ earliest: true, limit: 30 }), "0J1J2J3J4J5J")
      })),
    withLog("those around a place are half before it, and the rest from it on", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(mixed)
        const texts = textsOf(log)
        yield* equal("a message", yield* texts({ around: { id: "a-3" }, limit: 4 }), "2J3J")
        yield* equal("a number", yield* texts({ around: entries[6]!.seq, limit: 4 }), "2J3J")
        yield* equal("an odd number of them", yield* texts({ around: { id: "a-3" }, limit: 5 }), "2J3J4")
        yield* equal("only it", yield* texts({ around: { id: "a-3" }, limit: 1 }), "3")
        yield* equal("messages", yield* texts({ around: { id: "a-3" }, limit: 4, messages: true }), "1234")
        yield* equal("messages around who came", yield* texts({ around: { id: "j-2" }, limit: 4, messages: true }), "1234")
        yield* equal("the first", yield* texts({ around: { id: "a-0" }, limit: 4 }), "0J1J")
        yield* equal("the last", yield* texts({ around: { id: "j-5" }, limit: 4 }), "J5J")
        yield* equal("all", yield* texts({ around: { id: "a-3" }, limit: 30 }), "0J1J2J3J4J5J")
      })),
    withLog("nothing is given that came after the place at which it was asked for", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(mixed)
        const texts = textsOf(log)
        const until = entries[5]!.seq
        yield* equal("of everything", yield* texts({ until }), "0J1J2J")
        yield* equal("the last", yield* texts({ until, limit: 2 }), "2J")
        yield* equal("messages", yield* texts({ until, messages: true }), "012")
        yield* equal("the earliest", yield* texts({ until, earliest: true, limit: 2, after: entries[3]!.seq }), "2J")
        yield* equal("around", yield* texts({ until, around: { id: "a-2" }, limit: 6 }), "J1J2J")
        yield* equal("before a later one", yield* texts({ until, before: { id: "a-5" }, limit: 2 }), "2J")
        yield* equal("after a later one", yield* texts({ until, after: { id: "a-4" } }), "")
        yield* equal("before anything", yield* texts({ until: entries[0]!.seq - 1 }), "")
      })),
    withLog("messages can be read without who came and went", (log) =>
      Effect.gen(function*() {
        yield* log.append([joined("a", "bo"), said("a", "1"), joined("a", "cy"), said("a", "2")])
        const page = yield* log.read({ ...all, room: "a", messages: true })
        yield* equal("messages", page.entries.map(({ event }) => textOf(event)), ["1", "2"])
        const whole = yield* log.read({ ...all, room: "a" })
        yield* equal("everything", whole.entries.map(({ event }) => textOf(event)), ["Joined", "1", "Joined", "2"])
      })),
    withLog("whatever is asked for is what going through all entries would find", (log) =>
      Effect.gen(function*() {
        const entries = yield* log.append(mixed.map((draft, i) => ({ ...draft, at: 1000 + (i >> 1) })))
        const marks = [undefined, entries[0]!.seq, entries[4]!.seq, entries[7]!.seq, { id: "a-2" }, { id: "j-3" }, { id: "none" }, { at: 1002 }, { at: 9000 }]
        const rest: ReadonlyArray<Pick<Query, "limit" | "messages" | "earliest" | "until">> = [1, 3, 100].flatMap((limit) =>
          [true, false].flatMap((messages) => [{}, { earliest: true }, { until: entries[6]!.seq }].map((more) => ({ limit, messages, ...more })))
        )
        const queries: ReadonlyArray<Query> = rest.flatMap((more) =>
          marks.flatMap((after): ReadonlyArray<Query> => [
            ...marks.map((before) => ({ room: "a", after, before, ...more })),
            ...(after === undefined || more.until !== undefined ? [] : [{ room: "a", after: undefined, before: undefined, around: after, ...more }])
          ])
        )
        for (const query of queries) {
          const page = yield* log.read(query)
          yield* equal(JSON.stringify(query), page.entries.map(({ id }) => id), wanted(entries, query).map(({ id }) => id))
        }
      })),
    withLog("an entry heard in several rooms is in the history of each", (log) =>
      Effect.gen(function*() {
        const renamed: Draft = {
          ...said("a", "x"),
          event: { _tag: "Renamed", nick: "ana", to: "bo" },
          to: { rooms: ["a", "b"], sessions: ["s1"] }
        }
        yield* log.append([renamed])
        for (const room of ["a", "b"]) {
          const page = yield* log.read({ ...all, room })
          yield* equal(`in ${room}`, page.entries.map(({ event }) => event._tag), ["Renamed"])
        }
      })),
    withLog("what two sessions whisper is in no room, and is read by their two names in either order", (log) =>
      Effect.gen(function*() {
        const whispered = (text: string, sessions: ReadonlyArray<string>): Draft => ({
          ...said("a", text),
          event: { _tag: "Whispered", nick: "ana", to: "bo", text, kind: "message" },
          to: { rooms: [], sessions }
        })
        const hinted = (tag: string, to: { readonly to: string } | { readonly room: string }): Draft => ({
          ...said("a", tag),
          event: { _tag: "Hinted", nick: "ana", tags: { [tag]: "x" }, ...to },
          to: { rooms: [], sessions: ["s1", "s2"] }
        })
        yield* log.append([
          whispered("1", ["s1", "s2"]), said("a", "2"), whispered("3", ["s2", "s1"]), whispered("4", ["s1", "s3"]), whispered("5", ["s1", "s1"]),
          hinted("+typing", { to: "bo" }), hinted("+react", { to: "bo" }), hinted("+only", { room: "a" })
        ])
        const read = (room: string) =>
          Effect.map(log.read({ ...all, room, messages: true }), ({ entries }) => entries.map(({ event }) => "text" in event ? event.text : "").join(""))
        yield* equal("in the room", yield* read("a"), "2")
        yield* equal("one pair", yield* read(whispers(["s1", "s2"])), "13")
        yield* equal("the same pair", yield* read(whispers(["s2", "s1"])), "13")
        const { entries } = yield* log.read({ ...all, room: whispers(["s1", "s2"]) })
        yield* equal("with what they told each other in tags", entries.map(({ event }) => "text" in event ? event.text : event._tag), ["1", "3", "Hinted"])
        yield* equal("another pair", yield* read(whispers(["s1", "s3"])), "4")
        yield* equal("to oneself", yield* read(whispers(["s1", "s1"])), "5")
        yield* equal("nobody's", yield* read(whispers(["s2", "s3"])), "")
        yield* equal("found", (yield* log.search({ rooms: ["a", whispers(["s1", "s2"])], words: "1 3", limit: 10 })).entries, [])
      })),
    withLog("bytes that were passed on come back as they were", (log) =>
      Effect.gen(function*() {
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
        yield* log.append([{ ...said("a", "x"), bot: true, more: true, from: "raw@host", event: { _tag: "Passed", room: "a", nick: "ana", bytes } }])
        const [entry] = (yield* log.read({ ...all, room: "a", messages: true })).entries
        yield* equal("bytes", entry?.event._tag === "Passed" && entry.event.bytes instanceof Uint8Array ? [...entry.event.bytes] : entry, [...bytes])
        yield* equal("the rest", [entry?.bot, entry?.more, entry?.from], [true, true, "raw@host"])
      })),
    withLog("a room nobody spoke in is empty and complete", (log) =>
      Effect.gen(function*() {
        yield* equal("page", yield* log.read({ ...all, room: "nowhere" }), { entries: [], complete: true })
      })),
    withLog("what was said is found by its words, whatever their case, order and accents, in the rooms asked for", (log) =>
      Effect.gen(function*() {
        const say = (room: string, id: string, text: string): Draft => ({ ...said(room, text), id })
        const entries = yield* log.append([
          say("a", "0", "The quick brown fox"), say("b", "1", "a QUICK fox indeed"), say("A", "2", "the quickest fox"), say("a", "3", "fox, quick!"),
          joined("a", "quick-fox"), say("c", "4", "quick fox"), say("a", "5", "Café au lait"), say("a", "6", "日本語を話す"), say("a", "7", "x\"y OR fox*")
        ])
        const found = (words: string, rooms: ReadonlyArray<string> = ["a", "b"], more: { readonly limit?: number; readonly before?: number } = {}) =>
          Effect.map(log.search({ words, rooms, limit: 100, ...more }), ({ complete, entries }) => entries.map(({ id }) => id).join("") + (complete ? "" : "+"))
        yield* equal("two words", yield* found("Fox quick"), "013")
        yield* equal("in one room", yield* found("fox quick", ["B"]), "1")
        yield* equal("a room named twice", yield* found("fox quick", ["b", "B"]), "1")
        yield* equal("in no room", yield* found("fox quick", []), "")
        yield* equal("the last", yield* found("fox quick", ["a", "b"], { limit: 2 }), "13+")
        yield* equal("before one", yield* found("fox quick", ["a", "b"], { limit: 2, before: entries[3]!.seq }), "01")
        yield* equal("accents", yield* found("cafe LAÎT"), "5")
        yield* equal("scripts without spaces", yield* found("日本"), "6")
        yield* equal("signs are no words", yield* found("\"fox* OR\""), "7")
        yield* equal("part of a word", yield* found("qui"), "")
        yield* equal("no words", yield* found("!? \""), "")
        yield* equal("one that nobody said", yield* found("fox nobody"), "")
      })),
    withLog("there is nothing to recover of a new log, and it writes", (log) =>
      Effect.gen(function*() {
        const { entries, seq, snapshot } = yield* log.recover
        yield* equal("recovered", [seq, snapshot ?? null, yield* Stream.runCollect(entries)], [0, null, []])
        yield* log.append([said("a", "1")])
        yield* log.keepSnapshot({ seq: 1, world: "{}" })
        yield* expect("writes", yield* log.writes)
      })),
    withLog("the epoch has a name", (log) => expect("not empty", log.epoch.length > 0))
  ]
}
