/**
 * A whole house over in-memory connections that a test can close while it looks on, and ways to wait for what was said.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { ChatServer, type Options } from "../src/ChatServer.ts"
import { Hub } from "../src/Hub.ts"
import { Log } from "../src/Log.ts"
import { Memory } from "../src/testing.ts"

export interface HouseOptions extends Partial<Options> {
  readonly history?: number
  /** What it is, in a few words. */
  readonly description?: string
  readonly motd?: ReadonlyArray<string>
  /** The server's name. */
  readonly name?: string
  /** Whether this is the password of that operator of the server; nobody's is, unless said otherwise. */
  readonly isOperator?: (name: string, password: string) => boolean
  /** Whether somebody who gives this password, or none, may come in; everybody may, unless said otherwise. */
  readonly admits?: (password: string | undefined) => boolean
  /** Told what an operator of the server wants done with it. */
  readonly onControl?: (what: "rehash" | "die") => void
  /** Another log than the one in memory. */
  readonly log?: Layer.Layer<Log>
}

export interface House {
  readonly connect: Memory.MemoryListener["connect"]
  readonly hub: Hub["Service"]
  readonly server: ChatServer["Service"]
  /** Close the house; done when everything in it has ended. */
  readonly close: Effect.Effect<void>
}

/** A house that stands until it is closed, or until the test's scope is. The default dialect is `auto`, the rate off. */
export const open = Effect.fnUntraced(function*(options: HouseOptions = {}): Effect.fn.Return<House, never, Scope.Scope> {
  const { history = 1000, log = Log.layerMemory({ history }), motd = [], name = "effect-chat", admits, description, isOperator, onControl, ...server } = options
  const own = { ...admits && { admits }, ...description && { description }, ...isOperator && { isOperator }, ...onControl && { onControl } }
  const memory = yield* Memory.makeListener
  const scope = yield* Scope.make()
  const clients: Array<Memory.Client> = []
  const close = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      // Time stands still when the test is over, so nobody may be waited for.
      for (const client of clients) client.reset("the test is over")
      return hurried(close, 30_000)
    })
  )
  const context = yield* Effect.orDie(Layer.buildWithScope(
    ChatServer.layer({ dialect: "auto", rate: undefined, ...server }).pipe(
      Layer.provideMerge(Hub.layer({ server: name, motd, ...own })),
      Layer.provideMerge(log),
      Layer.provide(memory.layer)
    ),
    scope
  ))
  return {
    connect: (...args) => {
      const client = memory.connect(...args)
      clients.push(client)
      return client
    },
    hub: Context.get(context, Hub),
    server: Context.get(context, ChatServer),
    close
  }
})

/** Let every fiber run until it waits for something outside. */
export const settled: Effect.Effect<void> = Effect.promise(async () => {
  for (let i = 0; i < 64; i++) await new Promise((resolve) => setImmediate(resolve))
})

/** Wait for an effect that needs time to pass, making it pass. */
export const hurried = <A, E, R>(effect: Effect.Effect<A, E, R>, patience = 120_000): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* settled
    for (let passed = 0; passed < patience && fiber.pollUnsafe() === undefined; passed += 500) {
      yield* TestClock.adjust(500)
      yield* settled
    }
    if (fiber.pollUnsafe() === undefined) return yield* Effect.die(new Error(`not done after ${patience} ms`))
    return yield* Fiber.join(fiber)
  })

export type Told = Record<string, unknown> & { readonly _tag: string; readonly seq?: number }

/** The JSON objects that a client was sent; only those with this tag, if one is given. */
export const heard = (client: Memory.Client, ...tags: ReadonlyArray<string>): ReadonlyArray<Told> =>
  lines(client).filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Told)
    .filter(({ _tag }) => tags.length === 0 || tags.includes(_tag))

/** Lines that a client was sent. */
export const lines = (client: Memory.Client): ReadonlyArray<string> => client.text().split("\n").slice(0, -1)

/** Send commands as JSON, one a line, in one segment. */
export const ask = (client: Memory.Client, ...commands: ReadonlyArray<object>): void =>
  client.send(commands.map((command) => JSON.stringify(command) + "\n").join(""))

let fences = 0

/** Once a json client has been told everything that was ordered before now. */
export const fence = (client: Memory.Client): Effect.Effect<void> =>
  Effect.suspend(() => {
    const room = `fence${++fences}`
    ask(client, { _tag: "Names", room })
    return Effect.asVoid(client.until(`there is no room #${room}"`))
  })

/** A json client of this nick, in these rooms. */
export const program = Effect.fnUntraced(function*(
  house: Pick<House, "connect">,
  nick: string,
  ...rooms: ReadonlyArray<string>
) {
  const client = house.connect()
  ask(client, { _tag: "SetNick", nick }, ...rooms.map((room) => ({ _tag: "Join", room })))
  yield* fence(client)
  return client
})

/** A person on the plain dialect of this nick, in the lobby and in these rooms; a line goes to the last of them. */
export const person = Effect.fnUntraced(function*(
  house: Pick<House, "connect">,
  nick: string,
  ...rooms: ReadonlyArray<string>
) {
  const client = house.connect()
  client.send(`/nick ${nick}\n` + rooms.map((room) => `/join ${room}\n`).join(""))
  yield* understood(client)
  return client
})

/** Once a plain client has been told everything that was ordered before now. */
export const understood = (client: Memory.Client): Effect.Effect<void> =>
  Effect.suspend(() => {
    const nobody = `nobody${++fences}`
    client.send(`/who ${nobody}\n`)
    return Effect.asVoid(client.until(`-!- there is nobody called ${nobody}\n`))
  })

export const say = (room: string, text: string) => ({ _tag: "Say", target: `#${room}`, text })
