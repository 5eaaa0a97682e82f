/**
 * Where a setting comes from: flag, else environment, else configuration file, else default; and how one is written.
 * Knows no flags by name; reads the file and nothing else.
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { isIPv6 } from "node:net"
import type { Rate } from "../Rate.ts"
import { Failure } from "./Failure.ts"

/** The environment variable of a flag: `max-clients` is `CHAT_MAX_CLIENTS`. */
export const variable = (flag: string): string => `CHAT_${flag.toUpperCase().replaceAll("-", "_")}`

/** The file named by `--config` or `CHAT_CONFIG`, before any flag is parsed; the file is where other flags fall back to. */
export const configPath = (
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): string | undefined => {
  for (let i = 0; i < args.length && args[i] !== "--"; i++) {
    if (args[i] === "--config") return args[i + 1] || undefined
    if (args[i]!.startsWith("--config=")) return args[i]!.slice("--config=".length) || undefined
  }
  return environment[variable("config")] || undefined
}

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

const nearest = (key: string, known: ReadonlyArray<string>): string => {
  const [best] = known.map((name) => [distance(key, name), name] as const).sort((a, b) => a[0] - b[0])
  return best !== undefined && best[0] <= 3 ? `; did you mean "${best[1]}"?` : ""
}

const wrong = (path: string, what: string) => new Failure({ code: 2, line: `${path}: ${what}` })

/** A configuration file's settings as environment variables: a JSON object of flags' names and values. */
const fromFile = Effect.fnUntraced(function*(path: string, known: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(files.readFileString(path), () => wrong(path, "cannot be read"))
  const value = yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: (cause) => wrong(path, `is not JSON: ${(cause as Error).message.replace(/\s+/g, " ")}`)
  })
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return yield* wrong(path, "must be a JSON object of settings, such as {\"port\": 8000}")
  }
  const settings: Record<string, string> = {}
  for (const [key, setting] of Object.entries(value)) {
    if (!known.includes(key)) return yield* wrong(path, `there is no setting "${key}"${nearest(key, known)}`)
    if (typeof setting !== "string" && typeof setting !== "number" && typeof setting !== "boolean") {
      return yield* wrong(path, `"${key}" must be a string, a number or true or false`)
    }
    settings[variable(key)] = String(setting)
  }
  return settings
})

/** The environment, with a configuration file's settings behind it. */
export const gather = Effect.fnUntraced(function*(
  path: string | undefined,
  known: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
) {
  const settings: Record<string, string> = path === undefined ? {} : yield* fromFile(path, known)
  for (const [name, value] of Object.entries(environment)) { if (value !== undefined) settings[name] = value }
  return settings
})

/** The environment variable of a flag, for when the flag is not given: none where neither environment nor file has it. */
export type Fallback = <A>(flag: Flag.Flag<A>, name: string, config: (name: string) => Config.Config<A>) => Flag.Flag<A>

export const fallback = (settings: Readonly<Record<string, string>>): Fallback => (flag, name, config) =>
  Object.hasOwn(settings, variable(name)) ? Flag.withFallbackConfig(flag, config(variable(name))) : flag

/** What a flag written in a way of its own is parsed by. */
export const written = <A>(how: string, parse: (text: string) => A | undefined) =>
  Flag.filterMap((text: string) => {
    const value = parse(text)
    return value === undefined ? Option.none<A>() : Option.some(value)
  }, () => how)

/** `10/2`: ten at once, then two a second. `off`: any number. */
export const parseRate = (text: string): Rate | "off" | undefined => {
  if (text === "off") return "off"
  const match = /^(\d+)\/(\d+(?:\.\d+)?)$/.exec(text)
  const burst = Number(match?.[1])
  const perSecond = Number(match?.[2])
  return match !== null && burst >= 1 && perSecond > 0 ? { burst, perSecond } : undefined
}

/** `chat.example`, `::1`, several with spaces between; a port is not compared. */
export const parseHosts = (text: string): ReadonlyArray<string> | undefined => {
  const names = text.trim().split(/\s+/)
  return names.every((name) => isIPv6(name) || /^[^:/@[\]]+$/.test(name)) ? names : undefined
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `10s`, `500ms`, `30d`: milliseconds. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d|w)$/.exec(text.trim())
  return match === null ? undefined : Number(match[1]) * units[match[2] as keyof typeof units]
}

const prefixes = ["", "K", "M", "G", "T"]

/** `1GB`, `500 MB`, `2GiB`: bytes. */
export const parseSize = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?) ?([KMGT]?)(i?)B$/i.exec(text.trim())
  return match === null ? undefined : Math.round(Number(match[1]) * (match[3] === "" ? 1000 : 1024) ** prefixes.indexOf(match[2]!.toUpperCase()))
}
