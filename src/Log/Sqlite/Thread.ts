/**
 * A thread of the log, as something that effects ask questions of. Knows none of the questions.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { extname, join } from "node:path"
import { Worker } from "node:worker_threads"
import { LogError } from "../../Log.ts"
import type { Parts } from "./Worker.ts"

type Questions<Part> = { readonly [Name in keyof Part]: Part[Name] extends (...given: infer Given) => infer Answer ? readonly [given: Given[0], answer: Awaited<Answer>] : never }

/** Called with what came of a question. */
export type Answered<A> = (answer: { readonly value: A } | { readonly error: LogError }) => void

/** Beside this file, as what this file is: TypeScript, JavaScript, or a part of the bundled program. */
const worker = join(import.meta.dirname, `Worker${extname(import.meta.filename)}`)

/** Node 22 says of its SQLite that it is new, each time it is used. */
const quiet = ["--disable-warning=ExperimentalWarning"]

/** A thread that starts with the first question, and anew with the next one after it has broken. */
export class Thread<Name extends keyof Parts> {
  readonly #part: Name
  readonly #options: unknown
  readonly #waiting = new Map<number, Answered<never>>()
  #worker: Worker | undefined
  #next = 0
  #closed = false

  constructor(part: Name, options: unknown) {
    this.#part = part
    this.#options = options
  }

  /** Until the scope closes. Closing waits for what was asked before. */
  static readonly make = <Name extends keyof Parts>(part: Name, options: unknown): Effect.Effect<Thread<Name>, never, Scope.Scope> =>
    Effect.acquireRelease(Effect.sync(() => new Thread(part, options)), (thread) => thread.#close)

  /** Start now, so that the first question need not wait for that. */
  begin(): void {
    this.#worker ??= this.#start()
  }

  #start(): Worker {
    const started = new Worker(worker, { name: `chat-log-${this.#part}`, execArgv: quiet, workerData: { part: this.#part, options: this.#options } })
    let why = "its thread ended"
    started.on("message", ([id, worked, value]: readonly [number, boolean, unknown]) => {
      const answered = this.#waiting.get(id)
      this.#waiting.delete(id)
      answered?.(worked ? { value: value as never } : { error: new LogError({ message: String(value) }) })
    })
    started.on("error", (cause) => {
      why = `its thread broke: ${(cause as Error).message}`
    })
    started.on("exit", () => {
      if (this.#worker === started) this.#worker = undefined
      const waiting = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const answered of waiting) answered({ error: new LogError({ message: why }) })
    })
    return started
  }

  /** Ask; what comes of it is told later, once, whoever still wants to know. */
  tell<Question extends keyof Parts[Name] & string>(
    question: Question,
    given: Questions<Parts[Name]>[Question][0],
    answered: Answered<Questions<Parts[Name]>[Question][1]>
  ): void {
    if (this.#closed) return answered({ error: new LogError({ message: "the log is closed" }) })
    const id = this.#next++
    this.#waiting.set(id, answered as Answered<never>)
    this.#worker ??= this.#start()
    this.#worker.postMessage([id, question, given])
  }

  /** The same as an effect. */
  ask<Question extends keyof Parts[Name] & string>(
    question: Question,
    given: Questions<Parts[Name]>[Question][0]
  ): Effect.Effect<Questions<Parts[Name]>[Question][1], LogError> {
    return Effect.callback((resume) =>
      this.tell(question, given, (answer) => resume("error" in answer ? Effect.fail(answer.error) : Effect.succeed(answer.value)))
    )
  }

  get #close(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.#closed = true
      if (this.#worker === undefined) return resume(Effect.void)
      this.#worker.once("exit", () => resume(Effect.void))
      this.#worker.postMessage([-1, "close", undefined])
    })
  }
}
