import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Tcp from "../../src/Listener/Tcp.ts"
import { Contracts, Memory } from "../../src/testing.ts"

const overMemory = Effect.map(Memory.makeListener, ({ connect, listener }) => ({
  listener,
  call: Effect.sync((): Contracts.Caller => {
    const client = connect()
    return {
      send: (text) => Effect.sync(() => client.send(text)),
      end: Effect.sync(client.end),
      reset: Effect.sync(() => client.reset()),
      received: (length) => client.until((text) => text.length >= length),
      closed: client.closed
    }
  })
}))

const callTcp = (port: number): Effect.Effect<Contracts.Caller> =>
  Effect.callback((resume) => {
    let text = ""
    let look = () => {}
    let closed = false
    const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () =>
      resume(Effect.succeed({
        send: (data) => Effect.callback<void>((sent) => void socket.write(data, () => sent(Effect.void))),
        end: Effect.sync(() => void socket.end()),
        reset: Effect.sync(() => void socket.resetAndDestroy()),
        received: (length) =>
          Effect.callback<string>((found) => {
            look = () => {
              if (text.length >= length) found(Effect.succeed(text))
            }
            look()
          }),
        closed: Effect.callback<void>((found) => {
          if (closed) found(Effect.void)
          socket.once("end", () => found(Effect.void))
        })
      })))
    socket.on("error", () => {})
    socket.on("data", (data) => {
      text += data.toString("latin1")
      look()
    })
    socket.on("end", () => {
      closed = true
      socket.end()
    })
  })

const overTcp = Effect.map(
  Effect.orDie(Tcp.make({ host: "127.0.0.1", port: 0, backlog: 5 })),
  (listener) => ({ listener, call: callTcp(listener.port) })
)

for (const [name, fresh] of [["memory", overMemory], ["TCP", overTcp]] as const) {
  describe(`the listener over ${name} keeps the contract of listeners`, () => {
    for (const one of Contracts.listenerContract(fresh)) it.live(one.name, () => one.run)
  })
}
