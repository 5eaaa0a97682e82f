/**
 * The program and a collector: what it sends by OTLP, when, and what it does when nobody takes it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Net from "node:net"
import { chat, eventually, program, socket } from "./support.ts"

interface Sent {
  readonly path: string
  readonly headers: Http.IncomingHttpHeaders
  readonly body: Buffer
}

/** A collector on a free port, and what it was sent. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly server: Http.Server; readonly url: string; readonly sent: Array<Sent> }>((resume) => {
    const sent: Array<Sent> = []
    const server = Http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        sent.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks) })
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sent, url: `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}` })))
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

/** A collector that takes connections and never answers. */
const silent = Effect.acquireRelease(
  Effect.callback<{ readonly server: Net.Server; readonly sockets: Set<Net.Socket>; readonly url: string }>((resume) => {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((one) => {
      sockets.add(one.on("error", () => {}).resume())
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets, url: `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}` })))
  }),
  ({ server, sockets }) =>
    Effect.sync(() => {
      for (const one of sockets) one.destroy()
      server.close()
    })
)

type Json = ReturnType<typeof JSON.parse>

const bodies = (sent: ReadonlyArray<Sent>, path: string): ReadonlyArray<Json> => sent.filter((one) => one.path === path).map(({ body }) => JSON.parse(body.toString()))

const attributes = (of: { readonly attributes: ReadonlyArray<Json> }): Record<string, unknown> =>
  Object.fromEntries(of.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** So seldom that within a test all of it is sent when the program ends. */
const atTheEnd = { OTEL_BSP_SCHEDULE_DELAY: "600000", OTEL_BLRP_SCHEDULE_DELAY: "600000", OTEL_METRIC_EXPORT_INTERVAL: "600000" }

/** Two lines on a connection, which then ends. */
const talk = Effect.fnUntraced(function*(port: number) {
  const ana = yield* socket(port)
  ana.net.write("{\"_tag\":\"Join\",\"room\":\"den\"}\n{\"_tag\":\"Say\",\"target\":\"den\",\"text\":\"not for collectors\"}\n")
  yield* Effect.promise(() => ana.until((text) => text.includes("not for collectors")))
  ana.net.end()
  yield* Effect.promise(() => ana.ended)
})

describe("OTLP", () => {
  it.live("traces, metrics and log lines reach a collector, the last of them when the program ends", () =>
    Effect.gen(function*() {
      const { sent, url } = yield* collector
      const server = yield* program(["--name", "den", "--grace", "3s"], {
        env: {
          ...atTheEnd,
          OTEL_EXPORTER_OTLP_ENDPOINT: url,
          OTEL_EXPORTER_OTLP_HEADERS: "x-key=s3cr3t,x-team=blue%20team",
          OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,team=blue"
        }
      })
      yield* talk(server.port)
      assert.strictEqual(sent.length, 0)
      server.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => server.exited), 0)
      assert.deepStrictEqual([...new Set(sent.map(({ path }) => path))].sort(), ["/v1/logs", "/v1/metrics", "/v1/traces"])
      for (const { body, headers } of sent) {
        assert.deepInclude(headers, { "content-type": "application/json", "x-key": "s3cr3t", "x-team": "blue team" })
        assert.notInclude(body.toString(), "not for collectors")
      }
      const resources = [
        ...bodies(sent, "/v1/traces").flatMap(({ resourceSpans }) => resourceSpans),
        ...bodies(sent, "/v1/metrics").flatMap(({ resourceMetrics }) => resourceMetrics),
        ...bodies(sent, "/v1/logs").flatMap(({ resourceLogs }) => resourceLogs)
      ]
      for (const { resource } of resources) {
        assert.deepInclude(attributes(resource), { "service.name": "den", "deployment.environment.name": "test", team: "blue" })
        assert.match(String(attributes(resource)["service.version"]), /^\d+\.\d+\.\d+/)
      }
      const spans: ReadonlyArray<Json> = bodies(sent, "/v1/traces").flatMap(({ resourceSpans }) => resourceSpans.flatMap((one: Json) => one.scopeSpans.flatMap((some: Json) => some.spans)))
      const connection = spans.find(({ name }) => name === "chat.connection")
      assert.deepInclude(attributes(connection), { address: "127.0.0.1" })
      assert.isTrue(spans.some((one) => one.name === "chat.command" && one.traceId === connection.traceId && one.parentSpanId === connection.spanId))
      const metrics: ReadonlyArray<Json> = bodies(sent, "/v1/metrics").flatMap(({ resourceMetrics }) => resourceMetrics.flatMap((one: Json) => one.scopeMetrics.flatMap((some: Json) => some.metrics)))
      const said = metrics.find(({ name }) => name === "chat_messages_total").sum.dataPoints.find((point: Json) => attributes(point)["kind"] === "said")
      assert.strictEqual(Number(said.asInt ?? said.asDouble), 1)
      const logs: ReadonlyArray<Json> = bodies(sent, "/v1/logs").flatMap(({ resourceLogs }) => resourceLogs.flatMap((one: Json) => one.scopeLogs.flatMap((some: Json) => some.logRecords)))
      const line = logs.find(({ body }) => body.stringValue === "connected")
      assert.deepInclude(attributes(line), { address: "127.0.0.1", dialect: "json" })
      assert.include(server.stderr(), "connected", "and the log is written as ever")
    }))

  it.live("as Protobuf where that is asked for, under a name that is asked for, one signal alone", () =>
    Effect.gen(function*() {
      const { sent, url } = yield* collector
      const server = yield* program([], {
        env: {
          ...atTheEnd,
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/elsewhere`,
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
          OTEL_SERVICE_NAME: "our-chat"
        }
      })
      yield* talk(server.port)
      server.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => server.exited), 0)
      assert.deepStrictEqual(sent.map(({ headers, path }) => [path, headers["content-type"]]), [["/elsewhere", "application/x-protobuf"]])
      for (const word of ["our-chat", "chat.connection"]) assert.include(sent[0]!.body.toString("latin1"), word)
    }))

  it.live("a collector that is not there costs one line in the log", () =>
    Effect.gen(function*() {
      const { server: gone, url } = yield* silent
      yield* Effect.callback<void>((resume) => void gone.close(() => resume(Effect.void)))
      const server = yield* program(["--grace", "3s"], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: "10", OTEL_BLRP_SCHEDULE_DELAY: "10", OTEL_METRIC_EXPORT_INTERVAL: "10" } })
      yield* Effect.promise(() => server.logged("telemetry cannot be sent to 127.0.0.1:"))
      yield* talk(server.port)
      server.child.kill("SIGTERM")
      const began = performance.now()
      assert.strictEqual(yield* Effect.promise(() => server.exited), 0)
      assert.isBelow(performance.now() - began, 3000)
      assert.match(server.stderr(), /warn +telemetry cannot be sent to 127\.0\.0\.1:\d+: ECONNREFUSED; it is tried again\n/)
      assert.strictEqual(server.stderr().split("telemetry cannot be sent").length, 2)
    }))

  it.live("a collector that never answers keeps the program from nothing", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* silent
      const server = yield* program(["--grace", "1s"], {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: "10", OTEL_BLRP_SCHEDULE_DELAY: "10", OTEL_METRIC_EXPORT_INTERVAL: "10" }
      })
      yield* talk(server.port)
      yield* eventually("all three are being sent", () => sockets.size >= 3)
      const began = performance.now()
      server.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => server.exited), 0)
      assert.isBelow(performance.now() - began, 2500, "a second of grace, and what it takes a process to end on a busy machine")
    }))

  it.live("what is not understood is complained of in one line", () =>
    Effect.promise(async () => {
      const complaints: ReadonlyArray<readonly [Record<string, string>, RegExp]> = [
        [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, /^chat: OTEL_EXPORTER_OTLP_ENDPOINT must be an address such as http:\/\/127\.0\.0\.1:4318\n$/],
        [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, /^chat: OTEL_EXPORTER_OTLP_PROTOCOL must be http\/json or http\/protobuf\n$/],
        [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }, /^chat: a variable that begins with OTEL_ cannot be understood; .*\n$/]
      ]
      for (const [env, line] of complaints) {
        const { exited, stderr } = chat(["serve", "--port", "0"], { env })
        assert.strictEqual(await exited, 2)
        assert.match(stderr(), line)
      }
    }))
})
