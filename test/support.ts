/**
 * What several test files need: a house over in-memory connections, and the real program as a child process.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ChildProcess, spawn } from "node:child_process"
import * as Net from "node:net"
import { StringDecoder } from "node:string_decoder"
import { fileURLToPath } from "node:url"
import { ChatServer, type Options } from "../src/ChatServer.ts"
import { Hub } from "../src/Hub.ts"
import { Log } from "../src/Log.ts"
import { Memory } from "../src/testing.ts"

export const root = fileURLToPath(new URL("..", import.meta.url))

/** A server over in-memory connections, until the test's scope closes. Use under `it.effect`: TestClock is its time. */
export const house = Effect.fnUntraced(function*(
  options: Partial<Options> & { readonly history?: number; readonly motd?: ReadonlyArray<string> } = {}
) {
  const memory = yield* Memory.makeListener
  const { history = 1000, motd = [], ...server } = options
  const context = yield* Layer.build(
    ChatServer.layer({ dialect: "plain", rate: undefined, ...server }).pipe(
      Layer.provideMerge(Hub.layer({ motd })),
      Layer.provideMerge(Log.layerMemory({ history })),
      Layer.provide(memory.layer)
    )
  )
  const clients: Array<Memory.Client> = []
  // Time stands still in a test, so nobody may be waited for when it is over.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const client of clients) client.reset("the test is over")
    })
  )
  const connect: Memory.MemoryListener["connect"] = (...args) => {
    const client = memory.connect(...args)
    clients.push(client)
    return client
  }
  return { connect, context }
})

/** A connected client that has been greeted (plain) or welcomed (json), under this nick. */
export const plainClient = Effect.fnUntraced(function*(
  { connect }: { readonly connect: Memory.MemoryListener["connect"] },
  nick: string
) {
  const client = connect()
  yield* client.until((text) => text.includes("-!- #lobby:"))
  client.send(`/nick ${nick}\n`)
  yield* client.until((text) => text.includes(`-!- you are now ${nick}\n`))
  return client
})

export const jsonClient = Effect.fnUntraced(function*(
  { connect }: { readonly connect: Memory.MemoryListener["connect"] },
  nick: string
) {
  const client = connect()
  client.send(`{"_tag":"SetNick","nick":"${nick}"}\n`)
  yield* client.until((text) => text.includes(`"to":"${nick}"`))
  return client
})

/** The JSON objects a json client has been sent. */
export const objects = (client: { readonly text: () => string }): ReadonlyArray<Record<string, unknown>> =>
  client.text().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>)

/** The real program, started; its output so far; and ways to wait for more. */
export interface Program {
  readonly port: number
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Once the program's stderr says this. */
  readonly logged: (text: string) => Promise<void>
  /** Once it has exited: its code, or the signal that ended it. */
  readonly exited: Promise<number | string>
}

/** How the program is started. */
export interface Start {
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** Node's own arguments. */
  readonly node?: ReadonlyArray<string>
  /** A command that is given Node, the program and its arguments as further arguments, and becomes them. */
  readonly through?: ReadonlyArray<string>
  readonly uid?: number
}

/** Start `chat` from `dist` with these arguments; resolves when it has exited. */
export const chat = (
  args: ReadonlyArray<string>,
  options: Start = {}
): { readonly child: ChildProcess; readonly stdout: () => string; readonly stderr: () => string; readonly exited: Promise<number | string>; readonly on: (look: () => void) => void } => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CHAT_")))
  const [command, ...rest] = [
    ...options.through ?? [],
    process.execPath,
    ...options.node ?? [],
    `${root}dist/chat.cjs`,
    ...args
  ]
  const child = spawn(command!, rest, {
    cwd: options.cwd ?? root,
    env: { ...env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...options.uid === undefined ? {} : { uid: options.uid }
  })
  let out = ""
  let err = ""
  const looks: Array<() => void> = []
  const look = () => {
    for (const one of looks) one()
  }
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString()
    look()
  })
  child.stderr.on("data", (data: Buffer) => {
    err += data.toString()
    look()
  })
  const exited = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      look()
      resolve(code ?? signal ?? "unknown")
    })
  })
  return { child, stdout: () => out, stderr: () => err, exited, on: (one) => void looks.push(one) }
}

/** Start `chat serve --port 0` with these further arguments, wait until it listens, and end it with the test's scope. */
export const program = (
  args: ReadonlyArray<string> = [],
  options: Start = {}
) =>
  Effect.acquireRelease(
    Effect.promise(async (): Promise<Program> => {
      const started = chat(["serve", "--port", "0", ...args], options)
      const until = (text: () => string, wanted: RegExp) =>
        new Promise<RegExpExecArray>((resolve, reject) => {
          const look = () => {
            const match = wanted.exec(text())
            if (match !== null) resolve(match)
          }
          started.on(look)
          look()
          void started.exited.then((code) => reject(new Error(`chat exited with ${code}: ${started.stderr()}`)))
        })
      const [, port] = await until(started.stdout, /listens on \S*:(\d+)/)
      return {
        port: Number(port),
        child: started.child,
        stdout: started.stdout,
        stderr: started.stderr,
        logged: async (text) => void await until(started.stderr, new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))),
        exited: started.exited
      }
    }),
    ({ child, exited }) =>
      Effect.promise(async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
        await exited
      })
  )

/** A client over a real socket. */
export interface Socket {
  readonly net: Net.Socket
  readonly text: () => string
  readonly bytes: () => Buffer
  readonly until: (done: (text: string) => boolean) => Promise<string>
  readonly ended: Promise<void>
}

/** Connect to a port of this machine, until the test's scope closes. */
export const socket = (port: number, options: Partial<Net.TcpNetConnectOpts> = {}) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const chunks: Array<Buffer> = []
      const looks = new Set<() => void>()
      const bytes = () => Buffer.concat(chunks)
      const decoder = new StringDecoder("utf8")
      let decoded = ""
      let next = 0
      const text = () => {
        while (next < chunks.length) decoded += decoder.write(chunks[next++]!)
        return decoded
      }
      const net = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, ...options }, () =>
        resume(Effect.succeed({
          net,
          text,
          bytes,
          ended,
          until: (done) =>
            new Promise((resolve, reject) => {
              const look = () => {
                if (done(text())) {
                  looks.delete(look)
                  resolve(text())
                }
              }
              looks.add(look)
              look()
              void ended.then(() => reject(new Error(`the server closed before that was read; what was read:\n${text()}`)))
            })
        })))
      net.on("error", () => {})
      const ended = new Promise<void>((resolve) => {
        net.on("end", resolve)
        net.on("close", resolve)
      })
      net.on("data", (data) => {
        chunks.push(data)
        for (const look of looks) look()
      })
    }),
    ({ net }) => Effect.sync(() => net.destroy())
  )

/** Once this holds, looked at again and again; fails when it does not in time (milliseconds). For what tells nobody when it changes. */
export const eventually = (what: string, holds: () => boolean | Promise<boolean>, within = 10_000) =>
  Effect.promise(async () => {
    const deadline = performance.now() + within
    while (!await holds()) {
      if (performance.now() > deadline) throw new Error(`still not true after ${within} ms: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
