/**
 * What the server answers over HTTP besides the chat itself: whether it lives, whether it takes people in, what it has
 * counted. Routes of Effect's router, so that a host mounts them beside its own.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { ChatServer } from "../ChatServer.ts"

const text = (words: string, status = 200) => HttpServerResponse.text(`${words}\n`, { status })

/** `/healthz`: the process answers. */
const alive = HttpRouter.add("GET", "/healthz", Effect.sync(() => text("ok")))

/** `/readyz`: newcomers are taken in; 503 while they are not. */
const ready = HttpRouter.add(
  "GET",
  "/readyz",
  Effect.map(Effect.flatMap(ChatServer, (server) => server.ready), (isReady) => isReady ? text("ready") : text("closing", 503))
)

/** Signs of life. */
export const signs = Layer.mergeAll(alive, ready, PrometheusMetrics.layerHttp())
