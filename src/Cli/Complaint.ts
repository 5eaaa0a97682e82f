/**
 * What was wrong with how the program was asked, in one line that says where the value came from and what is expected.
 * Knows the words that `effect/cli` and `effect/Schema` use, so that nobody else has to.
 */
import type * as CliError from "effect/cli/CliError"
import * as Settings from "./Settings.ts"

/** Where values can come from, the first before the second before the third. */
export interface Sources {
  readonly args: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The configuration file's path. */
  readonly path: string | undefined
  /** The environment with the file's settings behind it. */
  readonly settings: Readonly<Record<string, string>>
}

export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

const didYouMean = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}?`

/** `SchemaError(Expected "a" | "b" at ["X"])` is `a or b`. */
const plainly = (expected: string): string => {
  const words = oneLine(expected)
    .replace(/^SchemaError\((.*) at \[.*\]\)$/, "$1")
    .replace(/^Schema validation failed: /, "")
    .replace(/^Expected:? /i, "")
  const known = phrases.find(([pattern]) => pattern.test(words))
  if (known !== undefined) return known[1]
  const choices = words.split(" | ").map((word) => word.replace(/^"(.*)"$/, "$1"))
  return choices.length === 1 ? words : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`
}

const phrases: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(a string representing a finite number|(an )?integer)$/, "a whole number"],
  [/^"true" \| "yes" \| /, "true or false"],
  [/^string$/, "some text"]
]

/** Settings that hold secrets, of which nothing is shown (row 43). */
const secret = new Set(["password", "oper", "api-token"])

const invalid = (error: CliError.CliError & { _tag: "InvalidValue" }, sources: Sources): string => {
  const { expected, option, value } = error
  const variable = Settings.variable(option)
  if (sources.args.some((arg) => arg === `--${option}` || arg.startsWith(`--${option}=`) || arg.startsWith(`--no-${option}`))) {
    return expected.startsWith("omit the value")
      ? `--no-${option} takes no value`
      : /^\d+ occurrences$/.test(value)
      ? `--${option} is given more than once`
      : value === ""
      ? `--${option} needs a value: ${plainly(expected)}`
      : `--${option} must be ${plainly(expected)}${secret.has(option) ? "" : `, not "${oneLine(value)}"`}`
  }
  const source = sources.environment[variable] === undefined ? `${sources.path}: "${option}"` : variable
  return `${source} must be ${plainly(expected)}${secret.has(option) ? "" : `, not "${oneLine(sources.settings[variable] ?? value)}"`}`
}

/** The error in one line. */
export const complaint = (error: CliError.CliError, sources: Sources): string => {
  switch (error._tag) {
    case "InvalidValue":
      return invalid(error, sources)
    case "UnrecognizedOption":
      return `there is no flag ${error.option}${didYouMean(error.suggestions)}`
    case "UnknownSubcommand":
      return `there is no command ${oneLine(error.subcommand)}${didYouMean(error.suggestions)}`
    case "MissingOption":
      return `${oneLine(error.message)} (or set ${Settings.variable(error.option)})`
    case "UnexpectedArgument":
      return `nothing is expected after the flags, but there is ${error.arguments.map(oneLine).join(" ")}`
    default:
      return oneLine(error.message)
  }
}
