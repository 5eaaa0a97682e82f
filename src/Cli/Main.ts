/**
 * The program: its subcommands, its one-line errors, its exit codes. Knows no rules of the chat.
 */
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Secrets from "../Secrets.ts"
import * as Text from "../Text.ts"
import { complaint, oneLine, type Sources } from "./Complaint.ts"
import * as Data from "./Data.ts"
import { Failure } from "./Failure.ts"
import * as Serve from "./Serve.ts"
import * as Settings from "./Settings.ts"
import { version } from "../Version.ts"

export interface Surroundings extends Serve.Surroundings {
  readonly args: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly color: boolean
}

/** What was typed, or stood in a file, may be in the line. */
const complain = (line: string): Effect.Effect<void> => Console.error(`chat: ${Text.printable(line)}`)

const presenter = (color: boolean, sources: Sources): CliOutput.Presenter => ({
  present: (event) => {
    switch (event._tag) {
      case "Help":
        return event.reason === "Requested"
          ? Console.log(CliOutput.defaultFormatter({ colors: color }).formatHelpDoc(event.helpDoc))
          : Console.error(CliOutput.defaultFormatter({ colors: false }).formatHelpDoc(event.helpDoc))
      case "Version":
        return Console.log(`chat ${event.version}`)
      case "InvalidInvocation":
        return complain(`${event.errors.map((error) => complaint(error, sources)).join("; ")} (${
          ["chat", ...event.commandPath.slice(1), "--help"].join(" ")
        } lists what there is)`)
    }
  }
})

const exitCode = (error: unknown): number => error instanceof Failure ? error.code : CliError.isCliError(error) ? 2 : 1

/** The code to exit with. Interrupting it is asking it to close in order, which is a success. */
export const codeOf = (exit: Exit.Exit<void, unknown>): number =>
  Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)
    ? 0
    : Option.match(Exit.findErrorOption(exit), { onNone: () => 1, onSome: exitCode })

const explain = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (CliError.isCliError(error)) return Effect.void
  return complain(error instanceof Failure ? error.line : oneLine(Cause.pretty(cause).split("\n")[0]!))
}

/** A password in the arguments is seen by whoever lists processes, and remembered by shells. */
const typed = Effect.gen(function*() {
  const { stdin } = yield* Stdio.Stdio
  const line = yield* stdin.pipe(Stream.decodeText, Stream.splitLines, Stream.runHead, Effect.orElseSucceed(() => Option.none<string>()))
  return Option.getOrElse(line, () => "")
})

const hash = Command.make("hash", { password: Argument.String("password").pipe(Argument.optional) }, ({ password }) =>
  Effect.flatMap(Option.match(password, { onNone: () => typed, onSome: Effect.succeed }), (password) =>
    password === ""
      ? new Failure({ code: 2, line: "there is no password; give one as the argument, or as a line on standard input" })
      : Console.log(Secrets.hash(password)))).pipe(
    Command.withDescription("Print a password or token hashed, for --password, --oper and --api-token; without an argument, the line on standard input")
  )

/** Everything `chat` does. */
export const main = (surroundings: Surroundings) =>
  Effect.gen(function*() {
    const path = Settings.configPath(surroundings.args, surroundings.environment)
    const settings = yield* Settings.gather(path, Serve.names, surroundings.environment)
    const chat = Command.make("chat").pipe(
      Command.withDescription("A chat server that nc, telnet, IRC clients and programs can talk to"),
      Command.withSubcommands([Serve.serve(surroundings, settings), ...Data.commands(settings), hash])
    )
    yield* Command.runWith(chat, { version })(surroundings.args).pipe(
      Effect.provide(Layer.mergeAll(
        ConfigProvider.layer(ConfigProvider.fromEnv({ env: settings })),
        CliOutput.layerPresenter(presenter(surroundings.color, { ...surroundings, path, settings })),
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
      ))
    )
  }).pipe(Effect.tapCause(explain))
