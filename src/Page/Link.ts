/**
 * The page's connection to the server: comes back after a while when it is lost, and tells what state it is in.
 * Knows JSON over a WebSocket and nothing of what is said.
 */
import type { Wish } from "../Command.ts"
import type { Message } from "../Event.ts"

/** `outside`: the server answers, and wants something before it lets one in. */
export type Phase = "connecting" | "outside" | "open" | "waiting"

/** How long it is waited before the first and the longest attempt to come back, in milliseconds. */
const soonest = 500
const latest = 20_000

export interface Link {
  readonly send: (...wishes: ReadonlyArray<Wish>) => void
  /** Do not wait any longer. */
  readonly now: () => void
}

/** After so much silence it is asked whether the server is there; so long an answer, or a connection, may take. In milliseconds. */
const quietFor = 45_000
const answerWithin = 20_000
const lookEvery = 5000

/** Keep a connection; `onQuiet` asks something that is answered, if there is anything. */
export const open = (told: {
  readonly onMessage: (message: Message) => void
  readonly onPhase: (phase: Phase, seconds: number) => void
  readonly onQuiet: () => boolean
}): Link => {
  let socket: WebSocket | undefined
  let attempts = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let heard = 0
  let asked: number | undefined
  const connect = (): void => {
    clearTimeout(timer)
    timer = undefined
    asked = undefined
    heard = Date.now()
    told.onPhase("connecting", 0)
    const here = new URL("ws", location.href)
    here.protocol = location.protocol === "https:" ? "wss:" : "ws:"
    here.hash = ""
    const opened = socket = new WebSocket(here, "chat.json")
    let isIn = false
    opened.addEventListener("message", ({ data }) => {
      if (socket !== opened) return
      heard = Date.now()
      asked = undefined
      const message = JSON.parse(String(data)) as Message
      if (message._tag === "Welcome") {
        isIn = true
        attempts = 0
        told.onPhase("open", 0)
      } else if (!isIn) told.onPhase("outside", 0)
      told.onMessage(message)
    })
    opened.addEventListener("close", () => lost(opened))
  }
  const lost = (gone: WebSocket): void => {
    if (socket !== gone) return
    socket = undefined
    gone.close()
    // Everybody was cut off at the same moment; they do not all come back at the same moment.
    const wait = Math.min(latest, soonest * 2 ** attempts++) * (0.5 + Math.random())
    told.onPhase("waiting", Math.ceil(wait / 1000))
    timer = setTimeout(connect, wait)
  }
  // A connection can end without a word, as when a laptop was asleep.
  setInterval(() => {
    if (socket === undefined) return
    const now = Date.now()
    const since = socket.readyState === WebSocket.CONNECTING ? heard : asked
    if (since !== undefined) { if (now - since > answerWithin) lost(socket) }
    else if (now - heard > quietFor && told.onQuiet()) asked = now
  }, lookEvery)
  connect()
  addEventListener("online", () => {
    if (timer !== undefined) connect()
  })
  return {
    send: (...wishes) => {
      if (socket?.readyState === WebSocket.OPEN) for (const wish of wishes) socket.send(JSON.stringify(wish))
    },
    now: () => {
      if (timer !== undefined) connect()
    }
  }
}
