/**
 * A crowd in one room, in a thread of its own: some send, all read, and every line is checked for whose it is and which.
 * The first thread of a crowd has all who send; it goes on when the slowest member of any thread has read enough.
 */
import { connect, type Socket } from "node:net"
import { type MessagePort, parentPort, workerData } from "node:worker_threads"
import * as Latency from "./latency.ts"
import { type Account, Ledger, type Shape } from "./ledger.ts"
import { isProbe, numberAt, senderAt } from "./message.ts"
import { inTurns, pause } from "./people.ts"
import { frames, lines, type Read, type Reader } from "./reading.ts"
import { Senders, type Sent, type Task } from "./sending.ts"

/** What a thread is told when it is made. */
export interface Setup extends Shape {
  readonly port: number
  /** Members of this thread who only read. */
  readonly receivers: number
  /** Length of a message without what is around it, and of what the server puts before it, in bytes. */
  readonly size: number
  readonly prefix: number
  /** How much stands behind it, in bytes. */
  readonly behind: number
  /** The request that a connection begins with where it has frames instead of lines, and what a member says on coming. */
  readonly opening: Uint8Array | undefined
  readonly enter: Uint8Array | undefined
  /** A line that shows that a member is in. */
  readonly greeting: string | undefined
  /** What each sender says to be known by its nick, and the answer; none where there are no nicks. */
  readonly introductions: ReadonlyArray<readonly [said: Uint8Array, answer: string]>
  /** A message as it is sent, where in it what is stamped begins, and what is sent only to see who hears it. */
  readonly blank: Uint8Array
  readonly stampAt: number
  readonly probe: Uint8Array
  /** To the first thread from this one; in the first thread, from all others. */
  readonly ports: ReadonlyArray<MessagePort>
}

export type Order =
  | { readonly _tag: "ComeIn" }
  | { readonly _tag: "Probe"; readonly members: number }
  | { readonly _tag: "Forget" }
  | { readonly _tag: "Send"; readonly task: Task }
  | { readonly _tag: "Tally" }
  | { readonly _tag: "Leave" }

/** What a thread's members were sent, and what its senders sent. */
export interface Tally extends Account, Sent {}

interface Member extends Reader {
  readonly index: number
  /** A line it waits for. */
  awaits: { readonly text: string; readonly resolve: () => void } | undefined
  probed: boolean
}

const run = (setup: Setup, parent: MessagePort): void => {
  const { behind, blank, enter, greeting, introductions, opening, port, ports, prefix, probe, receivers, senders, size, stampAt, thread } = setup
  const first = thread === 0
  const population = receivers + (first ? senders : 0)
  const members: Array<Member> = []
  const sockets: Array<Socket> = []
  const ledger = new Ledger(setup, population)
  const sending = new Senders(ledger, sockets, blank, stampAt, () => parent.postMessage("done"))

  // --- reading -------------------------------------------------------------------------------------------------------

  /** All members' bytes come here, one read after the other. */
  const chunk = Buffer.alloc(65_536)

  const hearOther = (member: Member, line: Buffer): void => {
    if (isProbe(line)) {
      if (!member.probed) ledger.hearProbe()
      member.probed = true
    } else if (member.awaits !== undefined && line.toString("latin1").includes(member.awaits.text)) {
      const { resolve } = member.awaits
      member.awaits = undefined
      resolve()
    }
  }

  const hearLine = (member: Member, bytes: Buffer, start: number, end: number, now: number): void => {
    // A line ends with its message, which in a frame begins behind what is always the same.
    const from = opening === undefined ? end - behind - size : start + prefix
    const sender = from < start ? -1 : senderAt(bytes, from, size)
    if (sender < 0 || sender >= senders || ledger.isOwn(member.index, sender)) hearOther(member, bytes.subarray(start, end))
    else ledger.hear(member.index, sender, numberAt(bytes, from), now)
  }

  const onAnswer = (member: Member): void => {
    if (enter !== undefined) member.socket.write(enter)
    if (greeting === undefined) member.awaits!.resolve()
  }

  const read: Read<Member> = opening === undefined ? lines(chunk, prefix + size + behind + 1, size + behind, hearLine) : frames(chunk, hearLine, onAnswer)

  const hear = (member: Member, length: number): boolean => {
    const now = Latency.clock()
    sending.lastHeard = now
    read(member, length, now)
    if (ledger.moved) {
      ledger.moved = false
      if (first) sending.goOn()
      else ports[0]!.postMessage(0)
    }
    return true
  }

  // --- coming in -----------------------------------------------------------------------------------------------------

  const comeIn = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({
        port,
        host: "127.0.0.1",
        noDelay: true,
        onread: { buffer: chunk, callback: (length) => hear(members[index]!, length) }
      }, () => {
        if (opening !== undefined) socket.write(opening)
        else if (greeting === undefined) resolve()
        else if (enter !== undefined) socket.write(Buffer.from(enter).toString("latin1").replaceAll("%i", `v${thread}x${index}`))
      })
      socket.on("error", reject)
      const awaits = greeting === undefined && opening === undefined ? undefined : { text: greeting ?? "\n", resolve }
      members[index] = { index, socket, rest: undefined, answered: false, awaits, probed: false }
    })

  const introduce = async (index: number): Promise<void> => {
    await comeIn(index)
    const member = members[index]!
    sockets[index] = member.socket
    const introduction = introductions[index]
    if (introduction === undefined) return
    const [said, text] = introduction
    await new Promise<void>((resolve) => {
      member.awaits = { text, resolve }
      member.socket.write(said)
    })
  }

  /** Everybody is in when everybody has heard somebody. */
  const probeAll = async (howMany: number): Promise<void> => {
    while (ledger.probed() < howMany - 1) {
      sockets[0]!.write(probe)
      await pause(50)
    }
    await pause(200)
  }

  // --- orders --------------------------------------------------------------------------------------------------------

  const obey = async (order: Order): Promise<unknown> => {
    switch (order._tag) {
      case "ComeIn":
        // Who sends comes last, and so hears little of the others' coming.
        await inTurns(receivers, (index) => comeIn(population - 1 - index))
        if (first) await inTurns(senders, introduce)
        return "in"
      case "Probe":
        await probeAll(order.members)
        return "heard"
      case "Forget":
        ledger.forget()
        return "forgotten"
      case "Send":
        sending.begin(order.task)
        return undefined
      case "Tally":
        return { ...ledger.account(), ...sending.sent() } satisfies Tally
      case "Leave":
        for (const { socket } of members) socket.on("error", () => {}).destroy()
        for (const other of ports) other.close()
        parent.close()
        return undefined
    }
  }

  if (first) { for (const other of ports) other.on("message", () => sending.goOn()) }
  parent.on("message", (order: Order) => {
    void obey(order).then((answer) => {
      if (answer !== undefined) parent.postMessage(answer)
    })
  })
}

if (parentPort !== null && workerData !== null) run(workerData as Setup, parentPort)
