/**
 * `chat serve`: its settings, and the house built from them. Knows no rules of the chat.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Streams from "effect/Stream"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Admission from "../Admission.ts"
import * as ChatServer from "../ChatServer.ts"
import { defaults, Hub } from "../Hub.ts"
import { Log, type LogError } from "../Log.ts"
import * as Name from "../Name.ts"
import type * as Sqlite from "../Log/Sqlite.ts"
import * as Measure from "../Measure.ts"
import * as OnePort from "../OnePort.ts"
import * as Secrets from "../Secrets.ts"
import * as Text from "../Text.ts"
import { Failure } from "./Failure.ts"
import * as Logs from "./Logs.ts"
import * as Settings from "./Settings.ts"
import type * as Telemetry from "./Telemetry.ts"
import { version } from "../Version.ts"

const notEmpty = Flag.withSchema(Schema.String.check(Schema.isNonEmpty({ expected: "some text" })))

const dialects = ["auto", "raw", "plain", "json", "irc"] as const

/** The flags, with what environment and configuration file say behind them. */
const flags = (settings: Readonly<Record<string, string>>) => {
  const fallback = Settings.fallback(settings)
  const whole = (name: string, minimum: number, maximum: number) =>
    fallback(Flag.Int(name), name, Config.Int).pipe(
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }, { expected: `a whole number from ${minimum} to ${maximum}` })))
    )
  const oneOf = <const Names extends ReadonlyArray<string>>(name: string, names: Names) =>
    fallback(Flag.Literals(name, names), name, (variable) => Config.Literals(names, variable))
  const text = (name: string) => fallback(Flag.String(name), name, Config.NonEmptyString).pipe(notEmpty)
  const yes = (name: string) => fallback(Flag.Boolean(name), name, Config.Boolean)
  return {
    port: whole("port", 0, 65_535).pipe(
      Flag.withDefault(8000),
      Flag.withDescription("TCP port; 0 for any free one (default 8000)")
    ),
    host: text("host").pipe(
      Flag.withDefault("127.0.0.1"),
      Flag.withDescription("address to listen on (default 127.0.0.1)")
    ),
    backlog: whole("backlog", 0, 4096).pipe(
      Flag.withDefault(ChatServer.defaults.backlog),
      Flag.withDescription("how many connections may wait for a seat, and how many in the kernel to be accepted (default 5)")
    ),
    maxClients: whole("max-clients", 1, 1_000_000).pipe(
      Flag.withDefault(ChatServer.defaults.maxClients),
      Flag.withDescription("seats: how many clients may talk at once (default 10000)")
    ),
    dialect: oneOf("dialect", dialects).pipe(
      Flag.withDefault("auto" as const),
      Flag.withDescription("protocol to speak; auto recognises it by a client's first bytes (default auto)")
    ),
    echo: yes("echo").pipe(
      Flag.optional,
      Flag.withDescription("send clients their own messages too; --no-echo does not (default: raw yes, plain no; json always does)")
    ),
    rate: text("rate").pipe(
      Settings.written("burst/per-second such as 10/2, or off", Settings.parseRate),
      Flag.withDefault({ burst: 10, perSecond: 2 }),
      Flag.withDescription("commands a client may give: a burst, then so many a second; or off (default 10/2)")
    ),
    history: whole("history", 0, 1_000_000).pipe(
      Flag.withDefault(1000),
      Flag.withDescription("messages remembered in each room; with --data, the most that newcomers are shown (default 1000)")
    ),
    data: text("data").pipe(
      Flag.optional,
      Flag.withDescription("folder to keep everything in across restarts; made if it does not exist")
    ),
    retain: text("retain").pipe(
      Settings.written("a duration such as 30d or 12h", Settings.parseDuration),
      Flag.optional,
      Flag.withDescription("with --data: how long messages are kept (default for ever)")
    ),
    retainSize: text("retain-size").pipe(
      Settings.written("a size such as 1GB or 500MB", Settings.parseSize),
      Flag.optional,
      Flag.withDescription("with --data: the log's largest size; the oldest entries go first (default without limit)")
    ),
    maxUnsent: text("max-unsent").pipe(
      Settings.written("a size such as 1GB or 500MB", Settings.parseSize),
      Flag.withDefault(ChatServer.defaults.maxUnsent),
      Flag.withDescription("bytes that may wait for all clients together; beyond that the slowest readers are disconnected (default 256MB)")
    ),
    grace: text("grace").pipe(
      Settings.written("a duration such as 10s or 500ms", Settings.parseDuration),
      Flag.withDefault(10_000),
      Flag.withDescription("how long clients may take to receive their last bytes when the server closes (default 10s)")
    ),
    name: text("name").pipe(
      Flag.withDefault("effect-chat"),
      Flag.withDescription("the server's name (default effect-chat)")
    ),
    description: text("description").pipe(
      Flag.withDefault(defaults.description),
      Flag.withDescription(`the server's description, in a few words (default ${defaults.description})`)
    ),
    motd: text("motd").pipe(
      Flag.optional,
      Flag.withDescription("file with the message of the day; read again on SIGHUP")
    ),
    publicHost: text("public-host").pipe(
      Settings.written("a host name without a port, or several with spaces between", Settings.parseHosts),
      Flag.withDefault([]),
      Flag.withDescription("host names by which browsers may reach this server, besides its own address")
    ),
    insecure: yes("insecure").pipe(
      Flag.withDefault(false),
      Flag.withDescription("allow a --host that others can reach although there is no TLS")
    ),
    password: text("password").pipe(
      Flag.optional,
      Flag.withDescription("password that people must give (PASS for IRC, /pass for others); in clear, or as chat hash prints it")
    ),
    oper: text("oper").pipe(
      Settings.written("name:password, or several with spaces between, no name twice", Secrets.parseOperators),
      Flag.optional,
      Flag.withDescription("operators of the server, as name:password; the password in clear, or as chat hash prints it")
    ),
    apiToken: text("api-token").pipe(
      Settings.written("name:token, or several with spaces between, each name a nick, none twice", Secrets.parseTokens),
      Flag.optional,
      Flag.withDescription("who may write over the HTTP API, as name:token; the token in clear, or as chat hash prints it")
    ),
    logLevel: oneOf("log-level", Logs.levels).pipe(
      Flag.withDefault("info" as const),
      Flag.withDescription("least important log lines to write (default info)")
    ),
    logFormat: oneOf("log-format", Logs.formats).pipe(
      Flag.withDefault("pretty" as const),
      Flag.withDescription("format of log lines (default pretty)")
    ),
    config: Flag.String("config").pipe(
      notEmpty,
      Flag.optional,
      Flag.withDescription("JSON file such as {\"max-clients\": 50}; flags come first, then variables such as CHAT_MAX_CLIENTS, then this file")
    )
  }
}

/** The names a configuration file may use. */
export const names: ReadonlyArray<string> = [
  "port",
  "host",
  "backlog",
  "max-clients",
  "dialect",
  "echo",
  "rate",
  "history",
  "data",
  "retain",
  "retain-size",
  "max-unsent",
  "grace",
  "name",
  "description",
  "motd",
  "public-host",
  "insecure",
  "password",
  "oper",
  "api-token",
  "log-level",
  "log-format"
]

const maxMotdLines = 100

const readMotd = Effect.fnUntraced(function*(path: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(path),
    () => new Failure({ code: 2, line: `the message of the day cannot be read from ${path}` })
  )
  const lines = text.trimEnd()
  return lines === "" ? [] : lines.split(/\r?\n/).slice(0, maxMotdLines)
})

/** What the program around the command provides: where log lines go, and the SIGHUPs that come. */
export interface Surroundings {
  readonly writeLog: (line: string) => void
  readonly hangups: Stream.Stream<void>
}

/** The command. Serves until it is interrupted. */
export const serve = ({ hangups, writeLog }: Surroundings, settings: Readonly<Record<string, string>>) =>
  Command.make("serve", flags(settings), (options) =>
    Effect.gen(function*() {
      if (!options.insecure && !Admission.isLoopback(options.host)) {
        return yield* new Failure({
          code: 2,
          line: `on ${options.host} others on the network could read along, for there is no TLS; add --insecure if that is all right`
        })
      }
      if (options.dialect === "raw" && Option.isSome(options.password)) {
        return yield* new Failure({ code: 2, line: "raw clients have no way to give a password; leave --password or --dialect raw out" })
      }
      const namesake = [...Option.getOrElse(options.apiToken, () => new Map<string, string>()).keys()].find((name) => Name.isServers(options.name, name))
      if (namesake !== undefined) {
        return yield* new Failure({ code: 2, line: `nobody can be called ${namesake}, for that is the server's name; name the token of --api-token otherwise` })
      }
      const control = yield* Queue.unbounded<"rehash" | "die">()
      const admits = Option.map(options.password, Secrets.matcher)
      const isOperator = Option.map(options.oper, Secrets.operatorMatcher)
      // Who has a token needs no password, and kicks in an operator's name; nobody else has this word.
      const pass = Option.isSome(options.apiToken) ? Secrets.pass() : undefined
      const isPass = (password: string): boolean => pass !== undefined && pass.is(password)
      const motd = yield* Option.match(options.motd, { onNone: () => Effect.succeed([]), onSome: readMotd })
      if (Option.isNone(options.data) && (Option.isSome(options.retain) || Option.isSome(options.retainSize))) {
        return yield* new Failure({ code: 2, line: "--retain and --retain-size are about what is kept in a folder; add --data FOLDER" })
      }
      const log = Option.match(options.data, {
        onNone: () => Log.layerMemory({ history: options.history }),
        onSome: (folder) => keptIn({ folder, retain: Option.getOrUndefined(options.retain), retainSize: Option.getOrUndefined(options.retainSize) })
      })
      const hub = Hub.layer({
        server: options.name,
        description: options.description,
        motd,
        ...(Option.isNone(admits) ? {} : { admits: (password) => password !== undefined && (isPass(password) || admits.value(password)) }),
        isOperator: (name, password) => isPass(password) || (Option.isSome(isOperator) && isOperator.value(name, password)),
        onControl: (what) => Queue.offerUnsafe(control, what),
        replay: options.history
      }).pipe(Layer.provide(log))
      const house = OnePort.layer({
        host: options.host,
        port: options.port,
        publicHosts: options.publicHost,
        api: {
          tokens: Option.getOrElse(options.apiToken, () => new Map()),
          closed: Option.isSome(options.password),
          ...(pass === undefined ? {} : { password: pass.word, operator: { name: "api", password: pass.word } })
        },
        maxClients: options.maxClients,
        backlog: options.backlog,
        dialect: options.dialect,
        echo: Option.getOrUndefined(options.echo),
        rate: options.rate === "off" ? undefined : options.rate,
        maxUnsent: options.maxUnsent,
        grace: options.grace
      }).pipe(Layer.provideMerge(hub))
      const clock = yield* Clock.Clock
      let closingSince = Infinity
      const closing = Effect.sync(() => {
        closingSince = clock.currentTimeMillisUnsafe()
      })
      const telemetry = hasCollector(settings)
        ? withTelemetry({
          name: options.name,
          settings,
          flushWithin: () => Math.max(shortestFlush, Math.min(longestFlush, options.grace - Math.max(0, clock.currentTimeMillisUnsafe() - closingSince)))
        })
        : Layer.empty
      return yield* run(options.name, options.motd, hangups, control).pipe(
        Effect.ensuring(closing),
        Effect.provide(house.pipe(Layer.provideMerge(telemetry)))
      )
    }).pipe(
      Effect.catchTag(["ListenError", "LogError"], ({ message }) => Effect.fail(new Failure({ code: 1, line: message }))),
      Effect.provide(Logs.layer(options.logFormat, options.logLevel, writeLog))
    )).pipe(Command.withDescription("Serve chat on a TCP port, for nc, telnet, IRC clients, browsers and programs alike"))

/** What is not sent to a collector yet when all is over is given so long at most, and so long at least, in milliseconds. */
const longestFlush = 2000
const shortestFlush = 250

/** Whether a collector is named (https://opentelemetry.io/docs/specs/otel/protocol/exporter). */
const hasCollector = (settings: Readonly<Record<string, string>>): boolean =>
  Object.keys(settings).some((name) => /^OTEL_EXPORTER_OTLP_(?:(?:TRACES|METRICS|LOGS)_)?ENDPOINT$/.test(name) && settings[name]!.trim() !== "")

/** What talks to a collector is loaded where there is one. */
const withTelemetry = (options: Telemetry.Options): Layer.Layer<never, Failure> =>
  Layer.unwrap(Effect.map(Effect.promise(() => import("./Telemetry.ts")), ({ layer }) => layer(options)))

/** What keeps a log in a folder is loaded where there is one. */
const keptIn = (options: Sqlite.Options): Layer.Layer<Log, LogError> =>
  Layer.unwrap(Effect.map(Effect.promise(() => import("../Log/Sqlite.ts")), ({ layer }) => layer(options)))

const run = Effect.fnUntraced(function*(
  name: string,
  motd: Option.Option<string>,
  hangups: Stream.Stream<void>,
  control: Queue.Dequeue<"rehash" | "die">
) {
  const server = yield* ChatServer.ChatServer
  const hub = yield* Hub
  yield* Metric.update(Metric.withAttributes(Measure.build, { version }), 1)
  yield* Console.log(`${Text.printable(name)} listens on ${server.address} (try: nc ${server.address.replace(/^\[?(.*?)\]?:(\d+)$/, "$1 $2")}, or http://${server.address} in a browser)`)
  const readAgain = (why: string) =>
    Option.match(motd, {
      onNone: () => Effect.logInfo(`${why}: there is nothing to read again`),
      onSome: (path) =>
        readMotd(path).pipe(
          Effect.flatMap((lines) => hub.configure({ motd: lines })),
          Effect.andThen(Effect.logInfo(`${why}: read the message of the day again`)),
          Effect.catch(({ line }) => Effect.logError(`${why}: everything stays as it was: ${line}`))
        )
    })
  yield* Effect.forkChild(Streams.runForEach(hangups, () => readAgain("SIGHUP")))
  yield* Streams.fromQueue(control).pipe(
    Streams.takeUntil((what) => what === "die"),
    Streams.runForEach((what) => what === "rehash" ? readAgain("REHASH") : Effect.logInfo("an operator of the server stops it")),
    Effect.onInterrupt(() => Effect.logInfo("closing; a second signal closes at once"))
  )
})
