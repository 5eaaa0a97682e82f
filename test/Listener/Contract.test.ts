import { describe, it } from "@effect/vitest"
import { WebSocket } from "@effect/platform-node/NodeWS"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import * as Net from "node:net"
import type { Connection } from "../../src/Connection.ts"
import * as Tcp from "../../src/Listener/Tcp.ts"
import * as Web from "../../src/Listener/Web.ts"
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

/** A WebSocket carries lines, and the contract is about bytes: the ends of lines are taken off again. */
const withoutEnds = (connection: Connection): Connection => ({
  peer: connection.peer,
  take: () => {
    const arrival = connection.take()
    return arrival instanceof Uint8Array ? arrival.filter((byte) => byte !== 10) : arrival
  },
  peek: () => connection.peek()?.filter((byte) => byte !== 10),
  lost: () => connection.lost(),
  gone: () => connection.gone(),
  give: (bytes) => connection.give(bytes),
  probe: () => connection.probe?.(),
  unsent: () => connection.unsent(),
  progress: () => connection.progress(),
  watch: (bell) => connection.watch(bell),
  ringWhenSent: () => connection.ringWhenSent(),
  finish: () => connection.finish(),
  finished: () => connection.finished(),
  destroy: () => connection.destroy()
})

const callWeb = (port: number): Effect.Effect<Contracts.Caller> =>
  Effect.callback((resume) => {
    let text = ""
    let look = () => {}
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, "chat.json")
    ws.on("error", () => {})
    ws.on("message", (data: Buffer) => {
      text += data.toString("latin1")
      look()
    })
    ws.on("open", () =>
      resume(Effect.succeed({
        send: (data) => Effect.callback<void>((sent) => ws.send(data, () => sent(Effect.void))),
        end: Effect.sync(() => ws.close()),
        reset: Effect.sync(() => void (ws as unknown as { readonly _socket: Net.Socket })._socket.resetAndDestroy()),
        received: (length) =>
          Effect.callback<string>((found) => {
            look = () => {
              if (text.length >= length) found(Effect.succeed(text))
            }
            look()
          }),
        closed: Effect.callback<void>((found) => {
          if (ws.readyState === ws.CLOSED) found(Effect.void)
          ws.once("close", () => found(Effect.void))
        })
      })))
  })

const overWeb = Effect.gen(function*() {
  const accepted = yield* Queue.unbounded<Connection>()
  const server = Http.createServer()
  const upgrade = Web.upgrading(() => 0)
  server.on("upgrade", (request, socket, head) => upgrade(request, socket, head, (connection) => void Queue.offerUnsafe(accepted, withoutEnds(connection))))
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    () => Effect.sync(() => void server.close())
  )
  const { port } = server.address() as Net.AddressInfo
  return { listener: { address: `127.0.0.1:${port}`, port, connections: Stream.fromQueue(accepted) }, call: callWeb(port) }
})

/** Whoever closes a WebSocket is told nothing more (RFC 6455 5.5.1): it has no half that stays open. */
const fitsWeb = ({ name }: { readonly name: string }): boolean => !name.includes("row 11")

const adapters = [["memory", overMemory, () => true], ["TCP", overTcp, () => true], ["WebSocket", overWeb, fitsWeb]] as const

for (const [name, fresh, fits] of adapters) {
  describe(`the listener over ${name} keeps the contract of listeners`, () => {
    for (const one of Contracts.listenerContract(fresh).filter(fits)) it.live(one.name, () => one.run)
  })
}
