/**
 * What is done with a folder of `chat serve --data`, while a server uses it or none does: `chat export`, `chat backup`,
 * `chat restore` and `chat search`. What they need is loaded when they are asked for.
 */
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type { Entry } from "../Event.ts"
import type { LogError } from "../Log.ts"
import * as Name from "../Name.ts"
import * as Search from "../Search.ts"
import * as Text from "../Text.ts"
import { Failure } from "./Failure.ts"
import * as Settings from "./Settings.ts"

const upkeep = Effect.promise(() => import("../Log/Sqlite.ts"))

const refused = ({ message }: LogError) => Effect.fail(new Failure({ code: 1, line: message }))

const notEmpty = Flag.withSchema(Schema.String.check(Schema.isNonEmpty({ expected: "some text" })))

/** Text to the standard output, as fast as it is taken there; who takes no more of it has enough. */
const print = (text: Stream.Stream<string, LogError>) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(text, stdio.stdout())).pipe(Effect.catchTag("PlatformError", () => Effect.void))

/** What was said, as one line. */
const lineOf = ({ at, event }: Entry): string => {
  if (event._tag !== "Said") return ""
  const { kind, nick, room, text } = event
  const words = kind === "action" ? `* ${nick} ${text}` : kind === "notice" ? `(${nick}) ${text}` : `${nick}: ${text}`
  return `${new Date(at).toISOString()} ${Name.withHash(room)} ${words}`
}

/** The commands. */
export const commands = (settings: Readonly<Record<string, string>>) => {
  const data = Settings.fallback(settings)(Flag.String("data"), "data", Config.NonEmptyString).pipe(
    notEmpty,
    Flag.withDescription("folder of chat serve --data (or set CHAT_DATA)")
  )
  const file = Argument.String("file")
  return [
    Command.make("export", { data }, ({ data }) =>
      Effect.flatMap(upkeep, ({ lines }) =>
        print(lines(data).pipe(Stream.mapArray((some) => [`${some.map(Text.inert).join("\n")}\n`]))))
        .pipe(Effect.catchTag("LogError", refused)))
      .pipe(Command.withDescription("Print everything that a data folder keeps, private messages too, in order: one JSON object per line")),
    Command.make("backup", { data, file }, ({ data, file }) =>
      Effect.flatMap(upkeep, ({ backup }) => backup(data, file)).pipe(
        Effect.andThen(Console.log(`${data} is backed up in ${file}`)),
        Effect.catchTag("LogError", refused)
      )).pipe(Command.withDescription("Copy what a data folder keeps to a file, even while a server uses it")),
    Command.make("restore", { file, data }, ({ data, file }) =>
      Effect.flatMap(upkeep, ({ restore }) => restore(file, data)).pipe(
        Effect.andThen(Console.log(`${data} is made of ${file}; chat serve --data ${data} goes on from there`)),
        Effect.catchTag("LogError", refused)
      )).pipe(Command.withDescription("Make a data folder from a backup")),
    Command.make("search", {
      data,
      room: Flag.String("room").pipe(notEmpty, Flag.optional, Flag.withDescription("only in this room, with or without #")),
      limit: Flag.Int("limit").pipe(
        Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }, { expected: "a whole number from 1 to 10000" }))),
        Flag.withDefault(100),
        Flag.withDescription("how many at most, the last ones (default 100)")
      ),
      words: Argument.String("words").pipe(Argument.variadic({ min: 1 }))
    }, ({ data, limit, room, words }) =>
      Effect.gen(function*() {
        const wanted = words.join(" ")
        if (Search.words(wanted).length === 0) return yield* new Failure({ code: 2, line: "say what words to search for" })
        const { found } = yield* upkeep
        const rooms = room._tag === "None" ? {} : { rooms: [Name.withoutHash(room.value)] }
        const { complete, entries } = yield* found(data, { words: wanted, limit, ...rooms })
        yield* print(Stream.fromArray(entries.map((entry) => `${Text.printable(lineOf(entry))}\n`)))
        if (!complete) yield* Console.error("chat: not everything that fits is shown: raise --limit, or it is older than what --retain left")
      }).pipe(Effect.catchTag("LogError", refused)))
      .pipe(Command.withDescription("Print the messages in any room that have all of these words"))
  ] as const
}
