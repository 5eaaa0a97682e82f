/**
 * What people, programs and attackers may send, as arbitraries for property tests. Knows no test.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Command from "../Command.ts"
import * as Event from "../Event.ts"

/** One of several arbitraries. */
export const oneOf = <A>(...choices: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: choices.length - 1 }))),
    (index) => choices[index]!
  )

/** One of several values. */
export const among = <const A extends string | number | boolean>(...values: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.schema(Schema.Literals(values)) as Arbitrary.Arbitrary<A>

/** A whole number in a range, both ends included. */
export const int = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** Any text. */
export const string: Arbitrary.Arbitrary<string> = Arbitrary.schema(Schema.String)

/** Any command at all, with any strings in it. */
export const anyCommand: Arbitrary.Arbitrary<Command.Command> = Arbitrary.schema(Command.Command)

/** Any event at all. */
export const anyEvent: Arbitrary.Arbitrary<Event.Event> = Arbitrary.schema(Event.Event)

/** Any event that a log may keep. */
export const anyFact: Arbitrary.Arbitrary<Event.Fact> = Arbitrary.schema(Event.Fact)

const name = Schema.Literals(["ana", "Ana", "bo", "cy", "lobby", "den", "Den", "#den", "x y", "", "0", "[a]", "nickserv"])
const target = Schema.Literals([...name.literals, "@#den", "+#Den", "@+#lobby", "@den"])
const reason = Schema.optionalKey(Schema.Literals(["because", ""]))
const key = Schema.optionalKey(Schema.Literals(["sesame", "Sesame", "", "two words"]))
const mask = Schema.Literals(["ana", "BO", "b*", "*!*@*", "c?!*@::1", "m:ana", "m:*", "*!plain@*", "dan!*@elsewhere", "m:", "", "two words"])
const tags = Schema.Record(Schema.Literals(["+typing", "+reply"]), Schema.Literals(["active", ""]))

/** Commands of a few people about a few rooms, so that they meet. */
export const command: Arbitrary.Arbitrary<Command.Command> = Arbitrary.schema(Schema.TaggedUnion({
  SetNick: { nick: name },
  Join: { room: name, key },
  Part: { room: name, reason },
  PartAll: {},
  Say: { target, text: Schema.Literals(["hi", "", "two\nlines", "\u001b[31mred", "🏳️‍🌈", "\u0001VERSION\u0001"]) },
  Whisper: { nick: name, text: Schema.Literals(["psst", ""]) },
  Hint: { target, tags },
  SetTopic: { room: name, topic: Schema.Literals(["tea", ""]) },
  SetAway: { message: Schema.optionalKey(Schema.Literals(["lunch", ""])) },
  SetRealname: { realname: Schema.Literals(["Ana B.", "ana", ""]) },
  SetTrait: { trait: Command.Trait, on: Schema.Boolean },
  SetRank: { room: name, nick: name, rank: Command.Rank, on: Schema.optionalKey(Schema.Boolean) },
  SetModerated: { room: name, moderated: Schema.Boolean },
  SetFlag: { room: name, flag: Command.Flag, on: Schema.Boolean },
  SetKey: { room: name, key },
  SetLimit: { room: name, limit: Schema.optionalKey(Schema.Literals([1, 2, 3, 0, -1, 1e9])) },
  SetMask: { room: name, list: Command.MaskList, mask, on: Schema.Boolean },
  Masks: { room: name, list: Command.MaskList },
  Invite: { room: name, nick: name },
  Watch: { nicks: Schema.Array(name), on: Schema.Boolean },
  Kick: { room: name, nick: name, reason },
  Look: { room: name },
  Names: { room: name },
  List: {},
  Who: { nick: name },
  History: { room: name },
  Motd: {},
  Quit: { reason },
  Arrive: { nick: Schema.optionalKey(name) },
  Introduce: { user: Schema.Literals(["~ana", "two words", ""]), realname: Schema.Literals(["Ana B.", ""]) },
  Oper: { name: Schema.optionalKey(Schema.Literals(["root", "nobody"])), password: Schema.optionalKey(Schema.Literals(["secret", ""])) },
  Kill: { nick: name, reason: Schema.Literals(["because", ""]) },
  Wallop: { text: Schema.Literals(["hi", ""]) },
  Control: { what: Schema.Literals(["rehash", "die"]) }
})) as Arbitrary.Arbitrary<Command.Command>

const nasty = [
  "\u001b[31m", "\u001b]52;c;eA==\u0007", "\u001bP", "\u009b2J", "\r", "\r\n", "\n", "\u0000", "\u0007", "\b", "\u007f",
  "\u0003", "\u0004", "\u0015", "\u0017", "\t", "\ufeff", "\u202e", "\u2066", "\u2069", "\u200b", "\u2028", "👩‍👩‍👧", "é",
  "-!- ", "[ana] ", "* ana ", "/nick ", "/join #", "/msg ", "//", "/", "#den ", "{\"_tag\":\"Say\"", "{}", "GET / HTTP/1.1",
  "NICK x", " ", "ana", "hello", "x".repeat(5000)
] as const

/** Text made of what has broken chat servers before. */
export const hostileText: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.array(oneOf<string>(among(...nasty), string), { maxLength: 8 }),
  (parts) => parts.join("")
)

const telnet = [[255, 251, 1], [255, 253, 3], [255, 250, 24, 1], [255, 240], [255, 255], [255, 244], [255], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x9f]]

/** Bytes made of hostile text, telnet negotiation, broken UTF-8 and line ends. */
export const hostileBytes: Arbitrary.Arbitrary<Uint8Array> = Arbitrary.map(
  Arbitrary.array(
    oneOf<Uint8Array>(
      Arbitrary.map(hostileText, (text) => new TextEncoder().encode(text)),
      Arbitrary.map(int(0, telnet.length - 1), (index) => Uint8Array.from(telnet[index]!)),
      Arbitrary.map(Arbitrary.array(int(0, 255), { maxLength: 12 }), (bytes) => Uint8Array.from(bytes)),
      Arbitrary.map(among("\n", "\r\n"), (end) => new TextEncoder().encode(end))
    ),
    { maxLength: 8 }
  ),
  (parts) => new Uint8Array(Buffer.concat(parts))
)

/** Where to cut a sequence of bytes: the sizes of its pieces, again and again. */
export const cuts: Arbitrary.Arbitrary<ReadonlyArray<number>> = Arbitrary.array(int(1, 40), { minLength: 1, maxLength: 6 })

/** Bytes in pieces. */
export const pieces = (bytes: Uint8Array, sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const out: Array<Uint8Array> = []
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = Math.min(bytes.length, start + sizes[i % sizes.length]!)
    out.push(bytes.subarray(start, end))
    start = end
  }
  return out
}
