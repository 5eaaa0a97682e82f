/**
 * Traces, metrics and log lines for a collector, by OTLP over HTTP, as the standard variables say
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter). Loaded only where they name one; a collector that does not
 * answer costs a line in the log and nothing else.
 */
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { Failure } from "./Failure.ts"
import { version } from "../Version.ts"

export interface Options {
  /** What the server is called where nobody says otherwise. */
  readonly name: string
  /** The environment. */
  readonly settings: Readonly<Record<string, string>>
  /** For how long, when all is over, what is not sent yet may take, in milliseconds. */
  readonly flushWithin: () => number
}

/** So many requests may be under way, and so long each may take, in milliseconds: a collector that never answers is not waited for. */
const maxUnderWay = 6
const patience = 10_000

/** That nothing can be sent is told at most this often, in milliseconds. */
const complainEvery = 60_000

const protocols = {
  "http/json": OtlpSerialization.layerJson,
  "http/protobuf": OtlpSerialization.layerProtobuf
} as const

const wrong = (what: string) => new Failure({ code: 2, line: what })

/** Whether a resource's attributes say this of it. */
const hasAttribute = (attributes: string | undefined, name: string): boolean =>
  (attributes ?? "").split(",").some((pair) => pair.split("=")[0]!.trim() === name)

/** The variables, with what the standard says of those that are not there, and what is known of the server. */
const withDefaults = ({ name, settings }: Options): Record<string, string> => {
  const attributes = settings["OTEL_RESOURCE_ATTRIBUTES"]
  return {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_LOGS_EXPORTER: "otlp",
    ...hasAttribute(attributes, "service.name") ? {} : { OTEL_SERVICE_NAME: name },
    ...hasAttribute(attributes, "service.version") ? {} : { OTEL_SERVICE_VERSION: version },
    // What is set to nothing is not set (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
    ...Object.fromEntries(Object.entries(settings).filter(([variable, value]) => variable.startsWith("OTEL_") && value.trim() !== ""))
  }
}

const check = (variables: Record<string, string>): Effect.Effect<keyof typeof protocols, Failure> => {
  for (const [variable, value] of Object.entries(variables)) {
    if (!/^OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?ENDPOINT$/.test(variable)) continue
    if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
      return Effect.fail(wrong(`${variable} must be an address such as http://127.0.0.1:4318`))
    }
  }
  const protocol = variables["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/json"
  return Object.hasOwn(protocols, protocol)
    ? Effect.succeed(protocol as keyof typeof protocols)
    : Effect.fail(wrong(`OTEL_EXPORTER_OTLP_PROTOCOL must be ${Object.keys(protocols).join(" or ")}`))
}

/** Why a request failed, without what may be secret in its address. */
const why = ({ reason }: HttpClientError.HttpClientError): string => {
  if (reason._tag === "StatusCodeError") return `it answers ${reason.response.status}`
  const cause = "cause" in reason ? reason.cause as { readonly cause?: { readonly code?: string } } | undefined : undefined
  return cause?.cause?.code ?? ("description" in reason ? reason.description : undefined) ?? reason._tag
}

const failed = (reason: HttpClientError.HttpClientError["reason"]) => Effect.fail(new HttpClientError.HttpClientError({ reason }))

/** A client that gives up on what takes too long, takes on no more than can be borne, and says so now and then. */
const bounded = (client: HttpClient.HttpClient): HttpClient.HttpClient => {
  let underWay = 0
  let told = -Infinity
  const complain = (request: HttpClientRequest.HttpClientRequest, error: HttpClientError.HttpClientError) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now - told < complainEvery) return Effect.void
      told = now
      return Effect.logWarning(`telemetry cannot be sent to ${new URL(request.url).host}: ${why(error)}; it is tried again`).pipe(
        Effect.provideService(References.CurrentLogAnnotations, {})
      )
    })
  return HttpClient.transform(client, (response, request) =>
    Effect.suspend(() => {
      // What is not even sent is not tried again, so nothing piles up.
      if (underWay >= maxUnderWay) return failed(new HttpClientError.EncodeError({ request, description: "too much is under way to it" }))
      underWay++
      return Effect.flatMap(response, (got) =>
        got.status < 400 ? Effect.succeed(got) : failed(new HttpClientError.StatusCodeError({ request, response: got }))
      ).pipe(
        Effect.timeoutOrElse({ duration: patience, orElse: () => failed(new HttpClientError.TransportError({ request, description: "no answer" })) }),
        Effect.ensuring(Effect.sync(() => {
          underWay--
        }))
      )
    }).pipe(Effect.tapError((error) => complain(request, error))))
}

/** Whatever is traced, counted and logged goes to the collector too; what is left when the scope closes is sent then. */
export const layer = (options: Options): Layer.Layer<never, Failure> =>
  Layer.effectContext(Effect.gen(function*() {
    const variables = withDefaults(options)
    const protocol = yield* check(variables)
    const exporting = Otlp.layerFromConfig().pipe(
      Layer.provide(protocols[protocol]),
      Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, bounded))),
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })))
    )
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Effect.forkDetach(Scope.close(scope, Exit.void)), (closing) =>
        Effect.timeoutOption(Effect.interruptible(Fiber.await(closing)), options.flushWithin()))
    )
    return yield* Effect.catchDefect(Layer.buildWithScope(exporting, scope), () =>
      Effect.fail(wrong("a variable that begins with OTEL_ cannot be understood; what they may be is at https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables")))
  }))
