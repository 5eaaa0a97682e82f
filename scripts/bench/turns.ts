/**
 * One message at a time to a hundred, through two servers by turns of a tenth of a second, so that both have the same machine
 * whatever else it does: a difference of one in a hundred shows. It is the workload one1 otherwise.
 */
import { connect, type Socket } from "node:net"
import { blank, newline } from "./message.ts"
import { inTurns, leave, pause, within } from "./people.ts"
import { median, type Row } from "./report.ts"
import { type Kind, naive, ours, type Server, start } from "./servers.ts"

const listeners = 100
const turn = 100

const message = blank(64)

/** Messages that are not counted after the other server had its turn: caches are its own then. */
const unsettled = 3

/** Messages at once while servers warm up. */
const many = 16

/** All that is read comes here, one read after the other: who reads is to be faster than who writes, or it is what is measured. */
const chunk = Buffer.alloc(65_536)

/** Somebody who speaks, and those who hear it. */
class Room {
  readonly #server: Server
  #people: ReadonlyArray<Socket> = []
  #missing = Infinity
  #allHeard = (): void => {}
  /** How long it took until all had each message, in milliseconds. */
  readonly taken: Array<number> = []
  private constructor(server: Server) {
    this.#server = server
  }
  static async open(kind: Kind): Promise<Room> {
    const room = new Room(await start(kind))
    room.#people = await inTurns(listeners + 1, () => room.#comeIn())
    // Word of who came goes round for a while.
    await pause(2500)
    return room
  }
  #comeIn(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const onread = { buffer: chunk, callback: (length: number) => this.#hear(length) }
      const socket: Socket = connect({ port: this.#server.port, host: "127.0.0.1", noDelay: true, onread }, () => resolve(socket))
      socket.on("error", reject)
    })
  }
  #hear(length: number): boolean {
    for (let at = chunk.indexOf(newline); at !== -1 && at < length; at = chunk.indexOf(newline, at + 1)) this.#missing--
    if (this.#missing === 0) this.#allHeard()
    return true
  }
  /** Say something, and again when all have heard it, for so long. */
  async speak(milliseconds: number, said: Uint8Array, messages: number, onHeard: (milliseconds: number) => void): Promise<void> {
    const end = performance.now() + milliseconds
    while (performance.now() < end) {
      const begun = performance.now()
      const heard = new Promise<void>((resolve) => {
        this.#missing = messages * listeners
        this.#allHeard = resolve
      })
      this.#people[0]!.write(said)
      await heard
      onHeard(performance.now() - begun)
    }
  }
  /** One message at a time, for a turn; the first few are not counted, for caches were the other server's. */
  async takeTurn(): Promise<void> {
    let settling = unsettled
    await this.speak(turn, message, 1, (milliseconds) => {
      if (settling-- <= 0) this.taken.push(milliseconds)
    })
  }
  /** As after a while of use: much is said, so that the engine has compiled what it will. */
  async warmUp(): Promise<void> {
    await this.speak(2000, Buffer.concat(Array<Uint8Array>(many).fill(message)), many, () => {})
    await this.speak(1000, message, 1, () => {})
  }
  async close(): Promise<void> {
    leave(this.#people)
    await this.#server.stop()
  }
}

export const measure = async (seconds: number): Promise<ReadonlyArray<Row>> => {
  const rooms = [await Room.open(ours), await Room.open(naive)] as const
  try {
    const spoken = async () => {
      for (const room of rooms) await room.warmUp()
      for (let i = 0; i < seconds * 1000 / turn; i++) { for (const room of rooms) await room.takeTurn() }
    }
    await within(30_000 + 4000 * seconds, "every message is heard", spoken())
    const perSecond = rooms.map(({ taken }) => 1000 / median(taken))
    return [{
      what: `one message at a time, ${listeners} members, by turns of ${turn} ms: messages`,
      unit: "1/s",
      ours: perSecond[0]!,
      naive: perSecond[1]!,
      bound: { of: "ratio", least: 1 }
    }]
  } finally {
    for (const room of rooms) await room.close()
  }
}
