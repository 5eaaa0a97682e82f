/**
 * What the server answers over HTTP besides the chat itself: whether it lives, whether it takes people in, what it has
 * counted. Routes of Effect's router, so that a host mounts them beside its own. Binds no port.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { ChatServer } from "../ChatServer.ts"
import { Hub } from "../Hub.ts"

const text = (words: string, status = 200) => HttpServerResponse.text(`${words}\n`, { status })

/** `/healthz`: the process answers. */
const alive = HttpRouter.add("GET", "/healthz", Effect.sync(() => text("ok")))

/** `/readyz`: newcomers are taken in, and what they say can be kept; 503 while that is not so. */
const ready = HttpRouter.use((router) =>
  Effect.gen(function*() {
    const server = yield* ChatServer
    const hub = yield* Hub
    const isReady = Effect.gen(function*() {
      if (!(yield* server.ready)) return text("nobody is taken in now", 503)
      return (yield* hub.writes) ? text("ready") : text("nothing can be kept now", 503)
    })
    yield* router.add("GET", "/readyz", isReady)
  })
)

/** HEAD is not among them: the router answers it as GET where there is no answer of its own. */
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const

const notHere = (api: string) =>
  HttpServerResponse.jsonUnsafe({ _tag: "NotFound", reason: `there is nothing here; ${api} lists what there is` }, { status: 404 })

/** Everything else is answered by this, in a router that has nothing else to answer it by. */
export const nothing = (api: string) => HttpRouter.addAll(methods.map((method) => HttpRouter.route(method, "/*", notHere(api))))

const noPath = HttpServerResponse.jsonUnsafe({ _tag: "BadRequest", reason: "in a path % stands before two hex digits, and all of it is UTF-8" }, { status: 400 })

const isPath = (url: string): boolean => {
  try {
    decodeURIComponent(url.split("?", 1)[0]!)
    return true
  } catch {
    return false
  }
}

/** What is answered where a router has found nothing: it finds nothing where a path is none, either. */
export const notFound = (api: string) => ({ request }: HttpServerError.RouteNotFound) => Effect.succeed(isPath(request.url) ? notHere(api) : noPath)

/** What a browser may do with the page: nothing but what the page itself brings. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const types: Record<string, string> = {
  "index.html": "text/html; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml"
}

const file = (folder: string, name: string, path: string) =>
  HttpRouter.add(
    "GET",
    path as `/${string}`,
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const bytes = yield* files.readFile(`${folder}/${name}`)
      return HttpServerResponse.uint8Array(bytes, {
        contentType: types[name]!,
        headers: {
          "cache-control": "no-cache",
          "content-security-policy": policy,
          "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
          "cross-origin-opener-policy": "same-origin"
        }
      })
    })
  )

/** The page for browsers, from the folder it was built into. */
export const page = (folder: string) =>
  Layer.mergeAll(file(folder, "index.html", "/"), ...["page.js", "page.css", "icon.svg"].map((name) => file(folder, name, `/${name}`)))

/** Signs of life. */
export const signs = Layer.mergeAll(alive, ready, PrometheusMetrics.layerHttp())
