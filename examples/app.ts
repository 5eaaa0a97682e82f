/**
 * An Effect app with an HTTP server and configuration of its own, that also runs the chat: it counts what is said,
 * shows the count on its page, and says in the lobby whatever is posted to it.
 *
 * npx node examples/app.ts, then: nc 127.0.0.1 8000, and: curl -d "hello from http" http://127.0.0.1:3000/
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { ChatServer, Hub, Log, Seat } from "effect-chat"
import * as Tcp from "effect-chat/Listener/Tcp"
import { Config, Effect, Layer, Ref, Stream } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

/** The app's routes: GET / counts, POST / speaks. The app takes a seat under a nick of its own. */
const routes = Layer.unwrap(Effect.gen(function*() {
  const count = yield* Ref.make(0)
  yield* Seat.listen("lobby").pipe(
    Stream.filter((message) => message._tag === "Said"),
    Stream.runForEach(() => Ref.update(count, (n) => n + 1)),
    Effect.forkScoped
  )
  const desk = yield* Seat.take({ nick: "frontdesk" })
  yield* desk.join("lobby")
  return Layer.mergeAll(
    HttpRouter.add("GET", "/", Effect.map(Ref.get(count), (n) => HttpServerResponse.text(`${n} messages\n`))),
    HttpRouter.add(
      "POST",
      "/",
      Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        yield* desk.say("lobby", yield* request.text)
        return HttpServerResponse.text("said\n")
      })
    )
  )
}))

const ports = Config.all({
  http: Config.Int("HTTP_PORT").pipe(Config.withDefault(3000)),
  chat: Config.Int("CHAT_PORT").pipe(Config.withDefault(8000))
})

/** Everything: the chat and the HTTP server share one hub, and close together. */
export const app = Layer.unwrap(Effect.map(ports, ({ chat, http }) => {
  const hub = Hub.layer({ server: "my app" }).pipe(Layer.provide(Log.layerMemory({ history: 1000 })))
  const chatServer = ChatServer.layer().pipe(
    Layer.provide(Tcp.layer({ host: "127.0.0.1", port: chat, backlog: 5 }))
  )
  const httpServer = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: http }))
  )
  return Layer.merge(chatServer, httpServer).pipe(Layer.provide(hub))
}))

if (import.meta.main) NodeRuntime.runMain(Layer.launch(app))
