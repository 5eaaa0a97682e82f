/**
 * The page's connection to the server: comes back after a while when it is lost, and tells what state it is in.
 * Knows JSON over a WebSocket and nothing of what is said.
 */
import type { Wish } from "../Command.ts"
import type { Message } from "../Event.ts"

export type Phase = "connecting" | "open" | "waiting"

/** How long it is waited before the first and the longest attempt to come back, in milliseconds. */
const soonest = 500
const latest = 20_000

export interface Link {
  readonly send: (...wishes: ReadonlyArray<Wish>) => void
  /** Do not wait any longer. */
  readonly now: () => void
}

/** Keep a connection; `onOpen` is called each time there is a new one. */
export const open = (told: {
  readonly onOpen: () => void
  readonly onMessage: (message: Message) => void
  readonly onPhase: (phase: Phase, seconds: number) => void
}): Link => {
  let socket: WebSocket | undefined
  let attempts = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const connect = (): void => {
    clearTimeout(timer)
    timer = undefined
    told.onPhase("connecting", 0)
    const here = new URL("ws", location.href)
    here.protocol = location.protocol === "https:" ? "wss:" : "ws:"
    here.hash = ""
    const opened = socket = new WebSocket(here, "chat.json")
    opened.addEventListener("open", () => {
      attempts = 0
      told.onPhase("open", 0)
      told.onOpen()
    })
    opened.addEventListener("message", ({ data }) => told.onMessage(JSON.parse(String(data)) as Message))
    opened.addEventListener("close", () => {
      if (socket !== opened) return
      // Everybody was cut off at the same moment; they do not all come back at the same moment.
      const wait = Math.min(latest, soonest * 2 ** attempts++) * (0.5 + Math.random())
      told.onPhase("waiting", Math.ceil(wait / 1000))
      timer = setTimeout(connect, wait)
    })
  }
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
