/**
 * What a host app mounts of the chat in its own HttpRouter: the HTTP API with its document and page, and the signs of life. Binds no port.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import type { ChatServer } from "./ChatServer.ts"
import * as ApiLive from "./Http/ApiLive.ts"
import * as Routes from "./Http/Routes.ts"
import type { Hub } from "./Hub.ts"

export { Api } from "./Http/Api.ts"

// Each is built anew wherever it is mounted (`fresh`): were its layers shared, an app with two chats would have the routes of the first only.

/** What the API may be told. */
export type Options = ApiLive.Options

/** `/api` and what is below: the API, its document `/api/openapi.json`, its page. */
export const api = (options?: Options): Layer.Layer<never, never, Hub | HttpRouter.HttpRouter> => Layer.fresh(ApiLive.layer(options))

/** `/healthz`, `/readyz` and `/metrics`. */
export const signs: Layer.Layer<never, never, ChatServer | Hub | HttpRouter.HttpRouter> = Layer.fresh(Routes.signs)

/** Routes under a prefix such as `/chat`. */
export const prefixed = (prefix: `/${string}`) => <A, E, R>(routes: Layer.Layer<A, E, R>) =>
  Layer.provide(routes, Layer.effect(HttpRouter.HttpRouter, Effect.map(HttpRouter.HttpRouter, (router) => router.prefixed(prefix))))

/** All of them, under a prefix if there is one. */
export const layer = (options: Options & { readonly prefix?: `/${string}` } = {}): Layer.Layer<never, never, Hub | ChatServer | HttpRouter.HttpRouter> => {
  const routes = Layer.merge(api(options), signs)
  // Without a prefix what is not here may be the host's own.
  return options.prefix === undefined ? routes : prefixed(options.prefix)(Layer.merge(routes, Routes.nothing(`${options.prefix}/api`)))
}

/** For a host that traces requests: none to a webhook, whose address is a secret, and none that it has been told already not to trace. */
export const untraced: Layer.Layer<never> = Layer.fresh(Layer.effect(
  HttpMiddleware.TracerDisabledWhen,
  Effect.map(HttpMiddleware.TracerDisabledWhen, (isUntraced) => (request) => isUntraced(request) || ApiLive.isSecret(request.url))
))
