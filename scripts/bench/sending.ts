/** Those of a crowd who send: so many messages of each under way at once, or so many a second whatever becomes of them. */
import type { Socket } from "node:net"
import * as Latency from "./latency.ts"
import { type Ledger, remembered } from "./ledger.ts"
import { stamp } from "./message.ts"

/** What they do: keep a window of messages under way for each, or send at a rate in all; for a time, or until so many are sent. */
export interface Task {
  readonly window?: number
  /** Messages a second. */
  readonly rate?: number
  /** A minute when not said. */
  readonly seconds?: number
  readonly messages?: number
}

/** Nothing more comes after nothing has come for so long, in milliseconds. */
const patience = 5000

/** A timer is late by up to so long, in milliseconds: the last of the way to the next message is spent looking. */
const lateness = 2

export interface Sent {
  readonly messages: number
  /** From the first message to the last delivery. */
  readonly seconds: number
  /** How late messages were sent by the clock. */
  readonly lags: Latency.Counts
}

export class Senders {
  readonly #ledger: Ledger
  readonly #sockets: ReadonlyArray<Socket>
  readonly #blank: Uint8Array
  readonly #stampAt: number
  readonly #done: () => void
  #task: Task | undefined
  #begun = 0
  #until = 0
  #messages = 0
  #seconds = 0
  #lags = Latency.none()
  /** When a member of this thread last heard anything. */
  lastHeard = 0

  /** They send by these sockets copies of this, in which a message begins at `stampAt`, and say when everybody has all. */
  constructor(ledger: Ledger, sockets: ReadonlyArray<Socket>, blank: Uint8Array, stampAt: number, done: () => void) {
    this.#ledger = ledger
    this.#sockets = sockets
    this.#blank = blank
    this.#stampAt = stampAt
    this.#done = done
  }

  begin(task: Task): void {
    this.#task = task
    this.#messages = 0
    this.#lags = Latency.none()
    this.#begun = this.lastHeard = Latency.clock()
    this.#until = this.#begun + (task.seconds ?? 60) * 1000
    if (task.rate === undefined) this.goOn()
    else this.#sendByClock(task.rate)
    const watch = setInterval(() => {
      if (this.#task !== task) return clearInterval(watch)
      this.goOn()
      if (Latency.clock() - Math.max(this.lastHeard, task.rate === undefined ? 0 : this.#until) > patience) this.#finish(this.lastHeard)
    }, 50)
  }

  sent(): Sent {
    return { messages: this.#messages, seconds: this.#seconds, lags: this.#lags }
  }

  /** Whenever somebody has read more: send what may be sent, and notice the end. */
  goOn(): void {
    if (this.#task === undefined) return
    const now = Latency.clock()
    const { messages = Infinity, window = 0 } = this.#task
    const over = now >= this.#until || this.#messages >= messages
    let underWay = 0
    for (let sender = 0; sender < this.#sockets.length; sender++) {
      const open = this.#ledger.sent(sender) - this.#ledger.arrived(sender)
      underWay += open
      const may = Math.min(window - open, messages - this.#messages)
      if (over || may <= 0) continue
      this.#write(sender, may, now)
      underWay += may
    }
    if (over && underWay === 0) this.#finish(now)
  }

  /** A message counts from when it should have been sent. */
  readonly #sendByClock = (rate: number): void => {
    if (this.#task === undefined) return
    const due = () => this.#begun + this.#messages * 1000 / rate
    let now = Latency.clock()
    while (now < this.#until && due() <= now) {
      const sender = this.#messages % this.#sockets.length
      if (this.#ledger.sent(sender) - this.#ledger.arrived(sender) >= remembered) break
      Latency.count(this.#lags, now - due())
      this.#write(sender, 1, due())
      now = Latency.clock()
    }
    if (now >= this.#until) return this.goOn()
    const wait = due() - now
    if (wait > lateness + 1) setTimeout(this.#sendByClock, wait - lateness, rate)
    else setImmediate(this.#sendByClock, rate)
  }

  #write(sender: number, howMany: number, at: number): void {
    const { length } = this.#blank
    const lines = Buffer.allocUnsafe(howMany * length)
    for (let start = 0; start < lines.length; start += length) {
      lines.set(this.#blank, start)
      stamp(lines, start + this.#stampAt, sender, this.#ledger.enter(sender, at))
    }
    this.#messages += howMany
    this.#sockets[sender]!.write(lines)
  }

  #finish(now: number): void {
    this.#task = undefined
    this.#seconds = (now - this.#begun) / 1000
    this.#done()
  }
}
