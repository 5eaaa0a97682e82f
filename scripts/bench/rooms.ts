/** Many small rooms, and everybody in them sends: each message is out of the way when all others in the room have it. */
import { connect, type Socket } from "node:net"
import { blank, newline, numberAt, senderAt, stamp, startsAt } from "./message.ts"
import { inTurns, pause, within } from "./people.ts"
import { type Conditions, median, type Row } from "./report.ts"
import { busyTime, cpuCount, cpuTime, naiveRooms, ours, type Server, start } from "./servers.ts"

const perRoom = 10
const window = 4
const size = 64

interface Member {
  readonly socket: Socket
  readonly room: Room
  /** Its number in its room. */
  readonly index: number
  rest: Buffer
  /** By sender, the number of the next message it is to be sent. */
  readonly due: Array<number>
  sent: number
}

interface Room {
  readonly members: Array<Member>
  /** By sender and message under way, how many have it. */
  readonly having: ReadonlyArray<Map<number, number>>
}

class Rooms {
  readonly #rooms: ReadonlyArray<Room>
  readonly #message = blank(size)
  #sending = false
  #underWay = 0
  messages = 0
  deliveries = 0
  /** Messages that were not the next of their sender. */
  wrong = 0
  private constructor(rooms: ReadonlyArray<Room>) {
    this.#rooms = rooms
  }

  static async gather({ port }: Server, count: number): Promise<Rooms> {
    const all = Array.from({ length: count }, (): Room => ({ members: [], having: Array.from({ length: perRoom }, () => new Map()) }))
    const rooms = new Rooms(all)
    const comeIn = (i: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const name = `room${i % count}`
        const room = all[i % count]!
        const socket = connect({ port, host: "127.0.0.1", noDelay: true })
        socket.on("error", reject)
        socket.write(`/join ${name}\n`)
        let heard = ""
        const listen = (bytes: Buffer) => {
          heard += bytes.toString("latin1")
          if (!heard.includes(`-!- #${name}:`)) return
          socket.off("data", listen)
          const member = { socket, room, index: room.members.length, rest: Buffer.alloc(0), due: Array<number>(perRoom).fill(0), sent: 0 }
          room.members.push(member)
          socket.on("data", (more: Buffer) => rooms.#hear(member, more))
          resolve()
        }
        socket.on("data", listen)
      })
    await within(60_000, `${count} rooms`, inTurns(count * perRoom, comeIn))
    await pause(1500)
    return rooms
  }

  #hear(member: Member, more: Buffer): void {
    const bytes = member.rest.length === 0 ? more : Buffer.concat([member.rest, more])
    let at = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, at)) {
      const from = end - size
      if (from >= at && startsAt(bytes, from)) this.#hearMessage(member, senderAt(bytes, from, size), numberAt(bytes, from))
      at = end + 1
    }
    member.rest = bytes.subarray(at)
  }

  #hearMessage({ due, room }: Member, sender: number, number: number): void {
    this.deliveries++
    if (number !== due[sender]) this.wrong++
    due[sender] = number + 1
    const having = room.having[sender]!
    const have = (having.get(number) ?? 0) + 1
    if (have < perRoom - 1) having.set(number, have)
    else {
      having.delete(number)
      this.#underWay--
      if (this.#sending) this.#say(room.members[sender]!, 1)
    }
  }

  #say(member: Member, howMany: number): void {
    for (let i = 0; i < howMany; i++) {
      const bytes = Buffer.from(this.#message)
      stamp(bytes, 0, member.index, member.sent++)
      member.socket.write(bytes)
    }
    this.messages += howMany
    this.#underWay += howMany
  }

  async talk(seconds: number): Promise<void> {
    this.#sending = true
    for (const { members } of this.#rooms) for (const member of members) this.#say(member, window)
    await pause(seconds * 1000)
    this.#sending = false
    for (let waited = 0; this.#underWay > 0 && waited < 100; waited++) await pause(50)
  }

  /** Messages that not everybody got. */
  get lost(): number {
    return this.#underWay
  }

  disperse(): void {
    for (const { members } of this.#rooms) for (const { socket } of members) socket.on("error", () => {}).destroy()
  }
}

export const measure = async (
  count: number,
  { rounds, seconds, warmUp }: { readonly rounds: number; readonly seconds: number; readonly warmUp: number }
): Promise<{ readonly rows: ReadonlyArray<Row>; readonly conditions: ReadonlyArray<Conditions> }> => {
  const what = `${count} rooms of ${perRoom}, all sending`
  const kinds = [ours, naiveRooms]
  const figures: Array<{ readonly perSecond: number; readonly cost: number }> = []
  const conditions: Array<Conditions> = []
  for (const kind of kinds) {
    const server = await start(kind)
    const rooms = await Rooms.gather(server, count)
    try {
      await rooms.talk(warmUp)
      const measured: Array<Record<"perSecond" | "cost" | "serverShare" | "clientShare" | "elsewhereShare", number>> = []
      for (let round = 0; round < rounds; round++) {
        const before = { cpu: cpuTime(server.pid), busy: busyTime(), clients: process.cpuUsage(), at: performance.now(), deliveries: rooms.deliveries }
        await rooms.talk(seconds)
        const passed = (performance.now() - before.at) / 1000
        const cpu = cpuTime(server.pid) - before.cpu
        const { system, user } = process.cpuUsage(before.clients)
        const deliveries = rooms.deliveries - before.deliveries
        const clients = (system + user) / 1e6
        measured.push({
          perSecond: deliveries / passed,
          cost: cpu * 1e6 / deliveries,
          serverShare: cpu / passed,
          clientShare: clients / passed,
          elsewhereShare: Math.max(0, busyTime() - before.busy - cpu - clients) / passed / cpuCount
        })
      }
      const of = (key: keyof typeof measured[0]) => median(measured.map((one) => one[key]))
      figures.push({ perSecond: of("perSecond"), cost: of("cost") })
      conditions.push({
        what,
        server: kind.name,
        messages: rooms.messages,
        deliveries: rooms.deliveries,
        lost: rooms.lost,
        doubled: 0,
        misordered: rooms.wrong,
        serverShare: of("serverShare"),
        clientShare: of("clientShare"),
        elsewhereShare: of("elsewhereShare"),
        lag: undefined
      })
    } finally {
      rooms.disperse()
      await server.stop()
    }
  }
  const [own, other] = figures as [typeof figures[0], typeof figures[0]]
  return {
    rows: [
      { what: `${what}: deliveries`, unit: "1/s", ours: own.perSecond, naive: other.perSecond },
      { what: `${what}: CPU per delivery`, unit: "µs", ours: own.cost, naive: other.cost }
    ],
    conditions
  }
}
