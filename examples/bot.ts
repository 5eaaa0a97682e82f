/**
 * A bot that sits in a seat without a socket: it greets whoever comes in and rolls dice for whoever says !roll.
 *
 * npx node examples/bot.ts, then: nc 127.0.0.1 8000
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { ChatServer, Hub, Log, Seat } from "effect-chat"
import * as Tcp from "effect-chat/Listener/Tcp"
import { Config, Effect, Layer, Random, Stream } from "effect"

/** Runs for as long as its scope lives; needs nothing but the hub. */
export const bot = Effect.gen(function*() {
  const seat = yield* Seat.take({ nick: "dicebot" })
  yield* seat.join("lobby")
  yield* seat.messages.pipe(
    Stream.runForEach((message) => {
      if (message._tag === "Joined" && message.nick !== seat.nick) return seat.say("lobby", `hello ${message.nick}, say !roll`)
      if (message._tag === "Said" && message.text === "!roll") {
        return Effect.flatMap(Random.nextIntBetween(1, 6), (n) => seat.say("lobby", `${message.nick} rolls ${n}`))
      }
      return Effect.void
    }),
    Effect.forkScoped
  )
})

/** A chat server on `CHAT_PORT` with the bot in it. */
export const app = Layer.unwrap(Effect.map(Config.Int("CHAT_PORT").pipe(Config.withDefault(8000)), (port) =>
  Layer.effectDiscard(bot).pipe(
    Layer.provideMerge(ChatServer.layer()),
    Layer.provideMerge(Hub.layer()),
    Layer.provide(Log.layerMemory({ history: 1000 })),
    Layer.provide(Tcp.layer({ host: "127.0.0.1", port, backlog: 5 }))
  )))

if (import.meta.main) NodeRuntime.runMain(Layer.launch(app))
