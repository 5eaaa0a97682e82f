/**
 * Who has been sent which message: what each member must get next, what the slowest of all has, and what went wrong.
 * One for each thread of a crowd; they share when each message was sent, how many are, and how far each thread is.
 */
import * as Latency from "./latency.ts"

/** How many messages of one sender are remembered: more are never under way. */
export const remembered = 1 << 16

/** Two to the number of bits that a message's number has. */
const numbers = 2 ** 24

/** Memory for the ledgers of a crowd. */
export const sharedMemory = (senders: number, threads: number): SharedArrayBuffer =>
  new SharedArrayBuffer(senders * remembered * 8 + (senders * (threads + 1) + 1) * 4)

export interface Shape {
  readonly senders: number
  readonly thread: number
  readonly threads: number
  readonly shared: SharedArrayBuffer
}

/** What went well and what did not. */
export interface Account {
  readonly deliveries: number
  readonly lost: number
  readonly doubled: number
  readonly misordered: number
  readonly latencies: Latency.Counts
}

export class Ledger {
  readonly #senders: number
  readonly #thread: number
  readonly #threads: number
  readonly #members: number
  /** When each message was sent, or should have been. */
  readonly #sentAt: Float64Array
  /** By thread and sender, how many messages all of the thread's members have; by sender, how many are sent; how many members heard a probe. */
  readonly #counts: Int32Array
  readonly #sent: number
  readonly #probed: number
  /** By member and sender, the number of the next message. */
  readonly #due: Int32Array
  /** By sender and message, how many of this thread's members have it. */
  readonly #passed: Int32Array
  readonly #missing = new Set<number>()
  #deliveries = 0
  #lost = 0
  #doubled = 0
  #misordered = 0
  #latencies = Latency.none()
  /** Whether the slowest member of this thread has got on since this was last set to false. */
  moved = false

  /** For so many members of this thread; in the first, the first of them are the senders. */
  constructor({ senders, shared, thread, threads }: Shape, members: number) {
    this.#senders = senders
    this.#thread = thread
    this.#threads = threads
    this.#members = members
    this.#sentAt = new Float64Array(shared, 0, senders * remembered)
    this.#counts = new Int32Array(shared, senders * remembered * 8)
    this.#sent = threads * senders
    this.#probed = this.#sent + senders
    this.#due = new Int32Array(members * senders)
    this.#passed = new Int32Array(senders * remembered)
  }

  isOwn(member: number, sender: number): boolean {
    return this.#thread === 0 && member === sender
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  /** How many messages of this sender are sent. */
  sent(sender: number): number {
    return this.#counts[this.#sent + sender]!
  }

  /** How many of them everybody in every thread has. */
  arrived(sender: number): number {
    let least = Infinity
    for (let thread = 0; thread < this.#threads; thread++) {
      least = Math.min(least, Atomics.load(this.#counts, thread * this.#senders + sender))
    }
    return least
  }

  /** The number of a message that is sent now. */
  enter(sender: number, at: number): number {
    const number = this.sent(sender)
    this.#sentAt[sender * remembered + number % remembered] = at
    this.#counts[this.#sent + sender] = number + 1
    return number
  }

  // --- hearing -------------------------------------------------------------------------------------------------------

  hear(member: number, sender: number, number: number, now: number): void {
    const place = member * this.#senders + sender
    const due = this.#due[place]!
    if (number !== due && !this.#hearUnexpected(place, sender, number, due)) return
    this.#deliveries++
    Latency.count(this.#latencies, now - this.#sentAt[sender * remembered + number % remembered]!)
    if (number < due) return
    this.#due[place] = number + 1
    this.#pass(sender, number)
  }

  /** Whether it is new all the same. */
  #hearUnexpected(place: number, sender: number, number: number, due: number): boolean {
    for (let between = due; between < number; between++) {
      this.#missing.add(place * numbers + between)
      this.#lost++
      this.#pass(sender, between)
    }
    if (number > due) return true
    if (!this.#missing.delete(place * numbers + number)) {
      this.#doubled++
      return false
    }
    this.#lost--
    this.#misordered++
    return true
  }

  #pass(sender: number, number: number): void {
    const place = sender * remembered + number % remembered
    // The sender itself is sent nothing.
    if (++this.#passed[place]! < this.#members - (this.#thread === 0 ? 1 : 0)) return
    this.#passed[place] = 0
    Atomics.store(this.#counts, this.#thread * this.#senders + sender, number + 1)
    this.moved = true
  }

  hearProbe(): void {
    Atomics.add(this.#counts, this.#probed, 1)
  }

  /** How many members of all threads have heard a probe. */
  probed(): number {
    return Atomics.load(this.#counts, this.#probed)
  }

  // --- accounts ------------------------------------------------------------------------------------------------------

  forget(): void {
    this.#deliveries = this.#lost = this.#doubled = this.#misordered = 0
    this.#missing.clear()
    this.#latencies = Latency.none()
  }

  /** What came, when no more is waited for: what did not come is lost. */
  account(): Account {
    for (let sender = 0; sender < this.#senders; sender++) {
      const sent = this.sent(sender)
      for (let member = 0; member < this.#members; member++) {
        if (this.isOwn(member, sender)) continue
        this.#lost += sent - this.#due[member * this.#senders + sender]!
        this.#due[member * this.#senders + sender] = sent
      }
      Atomics.store(this.#counts, this.#thread * this.#senders + sender, sent)
    }
    this.#passed.fill(0)
    return {
      deliveries: this.#deliveries,
      lost: this.#lost,
      doubled: this.#doubled,
      misordered: this.#misordered,
      latencies: this.#latencies
    }
  }
}
