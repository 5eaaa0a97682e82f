/**
 * Where a thread of the log begins: it is told its part, and then asked for one thing after another. What it opens it opens when
 * it is first asked, and tries again with the next question where that failed.
 */
import { platform, setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"
import { Finder } from "./Finder.ts"
import { reason } from "./Folder.ts"
import { Keeper } from "./Keeper.ts"
import { Reader } from "./Reader.ts"
import { type Options, Writer } from "./Writer.ts"

/** What threads there are; a type that names what each may be asked. */
export interface Parts {
  readonly writer: Writer
  readonly reader: Reader
  readonly finder: Finder
  readonly keeper: Keeper
}

const parts = {
  writer: (options: Options) => new Writer(options),
  reader: (options: Options) => new Reader(options),
  finder: (options: Options) => new Finder(options),
  keeper: () => new Keeper()
}

type Answers = Record<string, (given: unknown) => unknown> & { readonly close: () => void }

const port = parentPort!
const { options, part } = workerData as { readonly part: keyof typeof parts; readonly options: Options }
let answers: Answers | undefined

/** How nice to the others the thread is that searches: most of what it does can wait. Elsewhere than on Linux the whole process would be. */
const niceness = 10
if (part === "finder" && platform() === "linux") setPriority(niceness)

const answer = (name: string, given: unknown): unknown => {
  if (name === "close") {
    answers?.close()
    port.close()
    return undefined
  }
  answers ??= parts[part](options) as unknown as Answers
  return answers[name]!(given)
}

port.on("message", ([id, name, given]: readonly [number, string, unknown]) => {
  const fail = (cause: unknown) => port.postMessage([id, false, reason(cause)])
  try {
    const value = answer(name, given)
    if (value instanceof Promise) value.then((value) => port.postMessage([id, true, value]), fail)
    else port.postMessage([id, true, value])
  } catch (cause) {
    fail(cause)
  }
})
