/**
 * People and programs who talk to the real program over real sockets, and what can be seen of its process from outside.
 */
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually, type Program, type Socket, socket } from "./support.ts"

export const reads = (client: Socket, wanted: string | RegExp) =>
  Effect.promise(() => client.until((text) => typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)))

export const says = (client: Socket, ...lines: ReadonlyArray<string>) =>
  Effect.sync(() => client.net.write(lines.map((line) => `${line}\n`).join("")))

/** A person who was greeted and is called this. */
export const person = Effect.fnUntraced(function*({ port }: Program, nick: string) {
  const client = yield* socket(port)
  yield* says(client, `/nick ${nick}`)
  yield* reads(client, `-!- you are now ${nick}\n`)
  return client
})

/** A program that speaks json, is called this, and is in the lobby. */
export const robot = Effect.fnUntraced(function*({ port }: Program, nick: string) {
  const client = yield* socket(port)
  yield* says(client, JSON.stringify({ _tag: "SetNick", nick }), JSON.stringify({ _tag: "Join", room: "lobby" }))
  yield* reads(client, /"_tag":"RoomInfo"[^\n]*\n/)
  return client
})

/** More than the network between the server and somebody who does not read can hold, in bytes. */
export const tooMuch = 12_000_000

/** Says too much, and hears it all, as whoever hears themselves does; what is read is not kept. */
export const floods = Effect.fnUntraced(function*(client: Socket, line: string) {
  client.net.removeAllListeners("data").resume()
  const wanted = client.net.bytesRead + tooMuch
  const lines = `${line}\n`.repeat(100)
  for (let said = 0; said < tooMuch; said += lines.length) client.net.write(lines)
  yield* eventually("all of it is heard", () => client.net.bytesRead >= wanted, 25_000)
})

export const ended = ({ exited }: Pick<Program, "exited">) => Effect.promise(() => exited)

/** A folder of one's own, gone with the test. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-chat-program-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Whether processes can be looked at, as they can on Linux. */
export const processesShow = existsSync("/proc/self/status")

/** Memory that a program holds, in megabytes. */
export const memory = ({ child }: Program): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024

/** How many files and sockets a program has open. */
export const descriptors = ({ child }: Program): number => readdirSync(`/proc/${child.pid}/fd`).length
