/**
 * Log lines for people and for machines: one line an event, on standard error, nothing in them that a terminal acts on.
 */
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Text from "../Text.ts"

export const formats = ["pretty", "json", "logfmt"] as const
export type Format = typeof formats[number]

export const levels = ["trace", "debug", "info", "warn", "error", "none"] as const

const named: Record<typeof levels[number], LogLevel.LogLevel> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

const word = (value: unknown): string => {
  const text = Cause.isCause(value) ? Cause.pretty(value) : typeof value === "string" ? value : JSON.stringify(value) ?? ""
  return text.replace(/\s*\n\s*/g, " | ")
}

const pretty = Logger.make<unknown, string>((options) => {
  const annotations = options.fiber.getRef(References.CurrentLogAnnotations)
  const message = (Array.isArray(options.message) ? options.message : [options.message]).map(word).join(" ")
  const cause = options.cause.reasons.length === 0 ? "" : ` ${word(options.cause)}`
  const details = Object.entries(annotations).map(([key, value]) => ` ${key}=${word(value)}`).join("")
  return `${options.date.toISOString().slice(11)} ${options.logLevel.toLowerCase().padEnd(5)} ${message}${details}${cause}`
})

const lines: Record<Format, Logger.Logger<unknown, string>> = {
  pretty,
  json: Logger.formatJson,
  logfmt: Logger.formatLogFmt
}

/** Log to `write`, a line at a time. */
export const layer = (format: Format, level: typeof levels[number], write: (line: string) => void): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([Logger.map(lines[format], (line) => write(Text.printable(line) + "\n"))]),
    Layer.succeed(References.MinimumLogLevel, named[level])
  )
