/**
 * A log of one's own: everything that happens is a line of a file, and is read and searched in memory.
 *
 * npx node examples/log.ts chat.jsonl, then: nc 127.0.0.1 8000
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { ChatServer, Entry, Hub } from "effect-chat"
import * as Tcp from "effect-chat/Listener/Tcp"
import { type Draft, Log, LogError, newEpoch, remembering } from "effect-chat/Log"
import { Config, Effect, Layer, Schema, Stream } from "effect"
import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs"

const Line = Schema.fromJsonString(Schema.Struct({
  to: Schema.Union([Schema.String, Schema.Struct({ rooms: Schema.Array(Schema.String), sessions: Schema.Array(Schema.String) })]),
  entry: Entry
}))
const encode = Schema.encodeSync(Line)
const decode = Schema.decodeSync(Line)

/** The first line is the epoch. What is behind the last end of a line was being written when a process died, and seen by nobody. */
export const keptIn = (file: string) =>
  Effect.gen(function*() {
    const attempt = <A>(what: () => A) => Effect.try({ try: what, catch: (cause) => new LogError({ message: `${file}: ${(cause as Error).message}`, cause }) })
    const handle = yield* Effect.acquireRelease(attempt(() => openSync(file, "a+")), (handle) => Effect.sync(() => closeSync(handle)))
    const memory = remembering(Infinity)
    let size = 0
    /** All of it is on the disk, or nothing. */
    const write = (text: string) =>
      attempt(() => {
        try {
          appendFileSync(handle, text)
          fsyncSync(handle)
          size += Buffer.byteLength(text)
        } catch (cause) {
          ftruncateSync(handle, size)
          throw cause
        }
      })

    const content = yield* attempt(() => readFileSync(file, "utf8"))
    const [first, ...lines] = content.slice(0, content.lastIndexOf("\n") + 1).split("\n").slice(0, -1)
    size = Buffer.byteLength(content.slice(0, content.lastIndexOf("\n") + 1))
    yield* attempt(() => ftruncateSync(handle, size))
    const before = yield* attempt(() => memory.append(lines.map((line): Draft => {
      const { entry: { seq: _, ...rest }, to } = decode(line)
      return { ...rest, to }
    })))
    const epoch = first ?? (yield* newEpoch)
    if (first === undefined) yield* write(`${epoch}\n`)
    let seq = before.length
    let writes = true

    const line = ({ to, ...rest }: Draft, i: number): string =>
      `${encode({ to: typeof to === "string" ? to : { ...to, rooms: [...to.rooms] }, entry: { ...rest, seq: seq + 1 + i } })}\n`

    return Log.of({
      epoch,
      append: (drafts) =>
        Effect.suspend(() => write(drafts.map(line).join(""))).pipe(
          Effect.map(() => {
            seq += drafts.length
            return memory.append(drafts)
          }),
          Effect.onExit(({ _tag }) => Effect.sync(() => { writes = _tag === "Success" }))
        ),
      read: (query) => Effect.sync(() => memory.read(query)),
      search: (wanted) => Effect.sync(() => memory.search(wanted)),
      recover: Effect.succeed({ seq: before.length, snapshot: undefined, entries: Stream.fromIterable(before) }),
      // Where everything is read again at each start there is no use in what would spare that.
      keepSnapshot: () => Effect.void,
      writes: Effect.sync(() => writes)
    })
  })

/** A chat server on `CHAT_PORT` whose log is that file. */
export const app = (file: string) =>
  Layer.unwrap(Effect.map(Config.Int("CHAT_PORT").pipe(Config.withDefault(8000)), (port) =>
    ChatServer.layer().pipe(
      Layer.provideMerge(Hub.layer()),
      Layer.provide(Layer.effect(Log, keptIn(file))),
      Layer.provide(Tcp.layer({ host: "127.0.0.1", port, backlog: 5 }))
    )))

if (import.meta.main) NodeRuntime.runMain(Layer.launch(app(process.argv[2] ?? "chat.jsonl")))
