/**
 * A crowd in one room, in a thread of its own: some send, all read, and every line is checked for whose it is and which.
 * The first thread of a crowd has all who send; it goes on when the slowest member of any thread has read enough.
 */
import { connect, type Socket } from "node:net"
import { type MessagePort, parentPort, workerData } from "node:worker_threads"
import { inTurns, pause } from "./people.ts"

/** What a thread is told when it is made. */
export interface Setup {
  readonly port: number
  /** Members of this thread who only read, and members of all threads who send. */
  readonly receivers: number
  readonly senders: number
  /** Length of a message without its newline, in bytes. */
  readonly size: number
  readonly greeting: string | undefined
  readonly nicks: ReadonlyArray<string>
  /** Each sender's line that makes it known by its nick, and the answer; empty where there are no nicks. */
  readonly introductions: ReadonlyArray<readonly [line: string, answer: string]>
  /** Length of what the server puts before a message, in bytes. */
  readonly prefix: number
  readonly thread: number
  readonly threads: number
  readonly shared: SharedArrayBuffer
  /** To the first thread from this one; in the first thread, from all others. */
  readonly ports: ReadonlyArray<MessagePort>
}

/** What the senders do: keep so many messages of each under way, or send so many a second; for a time, or until so many are sent. */
export interface Task {
  readonly window?: number
  readonly rate?: number
  readonly seconds?: number
  readonly messages?: number
}

export type Order =
  | { readonly _tag: "ComeIn" }
  | { readonly _tag: "Forget" }
  | { readonly _tag: "Send"; readonly task: Task }
  | { readonly _tag: "Tally" }
  | { readonly _tag: "Leave" }

/** What a thread's members were sent. */
export interface Tally {
  readonly deliveries: number
  /** From the first message to the last delivery; 0 where nobody sends. */
  readonly seconds: number
  readonly messages: number
  readonly lost: number
  readonly doubled: number
  readonly misordered: number
  /** Lines that are no messages, and one of them. */
  readonly others: number
  readonly sample: string
  /** Deliveries by latency, and messages by how late they were sent; see `bucket`. */
  readonly latencies: Uint32Array
  readonly lags: Uint32Array
}

// --- latencies -------------------------------------------------------------------------------------------------------

/** Sixteen steps to each doubling of a time in microseconds. */
const bucket = (microseconds: number): number => {
  const whole = microseconds < 16 ? 16 : microseconds > 0x3fff_ffff ? 0x3fff_ffff : microseconds | 0
  const exponent = 31 - Math.clz32(whole)
  return (exponent - 4) * 16 + ((whole >> (exponent - 4)) & 15)
}
const buckets = bucket(Infinity) + 1

/** The time below which this share of all lies, in milliseconds. */
export const percentile = (counts: Uint32Array, share: number): number => {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0)
  let sum = 0
  for (const [index, count] of counts.entries()) {
    sum += count
    if (sum >= wanted && sum > 0) return (16 + (index & 15) + 1) * 2 ** (index >> 4) / 1000
  }
  return Number.NaN
}

/** Milliseconds by a clock that all threads share. */
const clock = (): number => performance.timeOrigin + performance.now()

// --- what threads share ----------------------------------------------------------------------------------------------

/** How many messages of one sender are remembered: more can never be under way. */
const remembered = 1 << 16

const layout = (senders: number, threads: number) => ({ times: senders * remembered * 8, counts: (senders * (threads + 1) + 1) * 4 })

/** Memory for a crowd. */
export const sharedMemory = (senders: number, threads: number): SharedArrayBuffer => {
  const { counts, times } = layout(senders, threads)
  return new SharedArrayBuffer(times + counts)
}

// --- a message -------------------------------------------------------------------------------------------------------

// "@", the sender as a letter, its number as four digits of six bits each, filling, "$".
const mark = "@".charCodeAt(0)
const endMark = "$".charCodeAt(0)
const firstSender = "A".charCodeAt(0)
const zero = "0".charCodeAt(0)
const newline = 10
const probe = Buffer.from("?probe")

interface Member {
  readonly index: number
  readonly socket: Socket
  /** The start of a line whose end has not come. */
  rest: Buffer | undefined
  /** A line it waits for. */
  awaits: { readonly text: string; readonly resolve: () => void } | undefined
  probed: boolean
}

const run = (setup: Setup, parent: MessagePort): void => {
  const { greeting, introductions, nicks, port, ports, prefix, receivers, senders, shared, size, thread, threads } = setup
  const first = thread === 0
  const { times } = layout(senders, threads)
  /** When each message was sent, or should have been. */
  const sentAt = new Float64Array(shared, 0, senders * remembered)
  /** By thread and sender, how many messages all of the thread's members have; then by sender how many are sent; then who is in. */
  const counts = new Int32Array(shared, times)
  const sentCounts = threads * senders
  const probedCount = sentCounts + senders

  const members: Array<Member> = []
  const size_ = receivers + (first ? senders : 0)
  /** By member and sender, the number of the next message. */
  const due = new Int32Array(size_ * senders)
  /** By sender and message, how many of this thread's members have it. */
  const passed = new Int32Array(senders * remembered)
  /** By sender, how many of this thread's members are to have each. */
  const needed = size_ - (first ? 1 : 0)
  const missing = new Set<number>()
  const chunk = Buffer.alloc(65_536)
  const usual = prefix + size + 1

  let deliveries = 0
  let lost = 0
  let doubled = 0
  let misordered = 0
  let others = 0
  let sample = ""
  let latencies = new Uint32Array(buckets)
  let lags = new Uint32Array(buckets)
  let moved = false
  let lastHeard = 0

  // --- reading -------------------------------------------------------------------------------------------------------

  const pass = (sender: number, number: number): void => {
    const slot = sender * remembered + number % remembered
    if (++passed[slot]! < needed) return
    passed[slot] = 0
    Atomics.store(counts, thread * senders + sender, number + 1)
    moved = true
  }

  const hearOther = (member: Member, bytes: Buffer, start: number, end: number): void => {
    const line = bytes.subarray(start, end)
    if (line.subarray(line.length - probe.length).equals(probe)) {
      if (!member.probed) Atomics.add(counts, probedCount, 1)
      member.probed = true
    } else {
      others++
      sample = line.toString("latin1")
      if (member.awaits === undefined || !sample.includes(member.awaits.text)) return
      member.awaits.resolve()
      member.awaits = undefined
    }
  }

  const hearLine = (member: Member, bytes: Buffer, start: number, end: number, now: number): void => {
    const from = end - size
    const sender = from < start || bytes[from] !== mark || bytes[end - 1] !== endMark ? -1 : bytes[from + 1]! - firstSender
    if (sender < 0 || sender >= senders || (first && member.index === sender)) return hearOther(member, bytes, start, end)
    const number = ((bytes[from + 2]! - zero) << 18) | ((bytes[from + 3]! - zero) << 12) | ((bytes[from + 4]! - zero) << 6)
      | (bytes[from + 5]! - zero)
    const place = member.index * senders + sender
    const expected = due[place]!
    if (number !== expected && !hearUnexpected(place, sender, number, expected)) return
    deliveries++
    latencies[bucket((now - sentAt[sender * remembered + number % remembered]!) * 1000)]!++
    if (number >= expected) {
      due[place] = number + 1
      pass(sender, number)
    }
  }

  /** Whether it is new all the same. */
  const hearUnexpected = (place: number, sender: number, number: number, expected: number): boolean => {
    for (let between = expected; between < number; between++) {
      missing.add(place * 2 ** 24 + between)
      lost++
      pass(sender, between)
    }
    if (number > expected) return true
    if (!missing.delete(place * 2 ** 24 + number)) {
      doubled++
      return false
    }
    lost--
    misordered++
    return true
  }

  const hear = (member: Member, length: number): boolean => {
    const now = clock()
    lastHeard = now
    let at = 0
    if (member.rest !== undefined) {
      const end = chunk.indexOf(newline)
      if (end === -1 || end >= length) {
        member.rest = Buffer.concat([member.rest, chunk.subarray(0, length)])
        return true
      }
      const line = Buffer.concat([member.rest, chunk.subarray(0, end + 1)])
      member.rest = undefined
      hearLine(member, line, 0, line.length - 1, now)
      at = end + 1
    }
    while (at < length) {
      // Where the line ends if it is a message, as nearly all are; looked for only if it does not.
      let end = at + usual - 1
      if (end >= length || chunk[end] !== newline || chunk[end - size] !== mark) {
        end = chunk.indexOf(newline, at)
        if (end === -1 || end >= length) break
      }
      hearLine(member, chunk, at, end, now)
      at = end + 1
    }
    if (at < length) member.rest = Buffer.from(chunk.subarray(at, length))
    if (moved) {
      moved = false
      if (first) send()
      else ports[0]!.postMessage(0)
    }
    return true
  }

  // --- coming in -----------------------------------------------------------------------------------------------------

  const awaitLine = (member: Member, text: string): Promise<void> =>
    new Promise((resolve) => {
      member.awaits = { text, resolve }
    })

  const comeIn = async (index: number): Promise<void> => {
    let connected: () => void
    const ready = new Promise<void>((resolve, reject) => {
      connected = resolve
      const socket = connect({
        port,
        host: "127.0.0.1",
        noDelay: true,
        onread: { buffer: chunk, callback: (length) => hear(member, length) }
      }, () => greeting === undefined && connected())
      const member: Member = { index, socket, rest: undefined, awaits: undefined, probed: false }
      members[index] = member
      if (greeting !== undefined) member.awaits = { text: greeting, resolve: () => connected() }
      socket.on("error", reject)
    })
    await ready
    const introduction = first ? introductions[index] : undefined
    if (introduction !== undefined) {
      const [line, answer] = introduction
      const answered = awaitLine(members[index]!, answer)
      members[index]!.socket.write(line)
      await answered
    }
  }

  /** Everybody is in when everybody has heard somebody. */
  const probeAll = async (total: number): Promise<void> => {
    while (Atomics.load(counts, probedCount) < total - 1) {
      members[0]!.socket.write(Buffer.concat([probe, Buffer.of(newline)]))
      await pause(50)
    }
    await pause(200)
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  const filling = Buffer.alloc(size + 1, "abcdefghijklmnopqrstuvwxyz")
  filling[0] = mark
  filling[size - 1] = endMark
  filling[size] = newline

  let task: Task | undefined
  let begun = 0
  let until = 0
  let total = 0
  let seconds = 0

  const sent = (sender: number): number => counts[sentCounts + sender]!

  const read = (sender: number): number => {
    let least = Infinity
    for (let other = 0; other < threads; other++) least = Math.min(least, Atomics.load(counts, other * senders + sender))
    return least
  }

  const write = (sender: number, howMany: number, at: number): void => {
    const lines = Buffer.allocUnsafe(howMany * (size + 1))
    for (let i = 0; i < howMany; i++) {
      const number = sent(sender)
      const start = i * (size + 1)
      filling.copy(lines, start)
      lines[start + 1] = firstSender + sender
      lines[start + 2] = zero + (number >> 18)
      lines[start + 3] = zero + ((number >> 12) & 63)
      lines[start + 4] = zero + ((number >> 6) & 63)
      lines[start + 5] = zero + (number & 63)
      sentAt[sender * remembered + number % remembered] = at
      counts[sentCounts + sender] = number + 1
    }
    total += howMany
    members[sender]!.socket.write(lines)
  }

  /** In the first thread, whenever the slowest has read more: send what may be sent, and notice the end. */
  const send = (): void => {
    if (task === undefined) return
    const now = clock()
    const { messages = Infinity, window = 0 } = task
    const over = now >= until || total >= messages
    let underWay = 0
    for (let sender = 0; sender < senders; sender++) {
      const open = sent(sender) - read(sender)
      underWay += open
      const may = Math.min(window - open, messages - total)
      if (over || may <= 0) continue
      write(sender, may, now)
      underWay += may
    }
    if (over && underWay === 0) finish(now)
  }

  const finish = (now: number): void => {
    task = undefined
    seconds = (now - begun) / 1000
    parent.postMessage("done")
  }

  /** Send by the clock, whatever has been read; a message counts from when it should have been sent. */
  const sendByClock = (rate: number): void => {
    if (task === undefined) return
    let now = clock()
    while (now < until && begun + total * 1000 / rate <= now) {
      const scheduled = begun + total * 1000 / rate
      const sender = total % senders
      if (sent(sender) - read(sender) >= remembered) break
      lags[bucket((now - scheduled) * 1000)]!++
      write(sender, 1, scheduled)
      now = clock()
    }
    if (now >= until) return send()
    // A timer is late by a millisecond or two, so the last of the way is spent looking.
    const wait = begun + total * 1000 / rate - now
    if (wait > 3) setTimeout(sendByClock, wait - 2, rate)
    else setImmediate(sendByClock, rate)
  }

  const begin = (next: Task): void => {
    task = next
    total = 0
    begun = clock()
    lastHeard = begun
    until = begun + (next.seconds ?? 60) * 1000
    if (next.rate === undefined) send()
    else sendByClock(next.rate)
    const watch = setInterval(() => {
      if (task !== next) return clearInterval(watch)
      send()
      if (clock() - Math.max(lastHeard, next.rate === undefined ? 0 : until) > 5000) finish(lastHeard)
    }, 50)
  }

  const forget = (): void => {
    deliveries = lost = doubled = misordered = others = seconds = total = 0
    sample = ""
    missing.clear()
    latencies = new Uint32Array(buckets)
    lags = new Uint32Array(buckets)
  }

  /** What never came counts as lost. */
  const countLost = (): void => {
    for (const { index } of members) {
      for (let sender = 0; sender < senders; sender++) {
        if (first && index === sender) continue
        const place = index * senders + sender
        lost += sent(sender) - due[place]!
        due[place] = sent(sender)
      }
    }
    passed.fill(0)
    for (let sender = 0; sender < senders; sender++) Atomics.store(counts, thread * senders + sender, sent(sender))
  }

  const tally = (): Tally => {
    countLost()
    return { deliveries, seconds, messages: total, lost, doubled, misordered, others, sample, latencies, lags }
  }

  if (first) { for (const other of ports) other.on("message", send) }

  const obey = async (order: Order): Promise<unknown> => {
    switch (order._tag) {
      case "ComeIn":
        // Who sends comes last, and so hears little of the others' coming.
        await inTurns(receivers, (index) => comeIn(size_ - 1 - index))
        if (first) await inTurns(nicks.length, comeIn)
        return "in"
      case "Forget":
        if (first && Atomics.load(counts, probedCount) === 0) await probeAll(order.members)
        return forget()
      case "Send":
        return begin(order.task)
      case "Tally":
        return tally()
      case "Leave":
        for (const { socket } of members) socket.on("error", () => {}).destroy()
        for (const other of ports) other.close()
        return parent.close()
    }
  }
  parent.on("message", (order: Order) => {
    void obey(order).then((answer) => order._tag !== "Send" && order._tag !== "Leave" && parent.postMessage(answer ?? "ok"))
  })
}

if (parentPort !== null && workerData !== null) run(workerData as Setup, parentPort)
