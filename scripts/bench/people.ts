/** Connections that do little: they come in, and then read or do not. */
import { connect, type Socket } from "node:net"
import { frame, isPing, pong, request } from "./frames.ts"
import type { Server } from "./servers.ts"

/** So many connections are under way at once. */
const width = 64

/** Do a task so many times, not more than a few at once; the results in order. */
export const inTurns = async <A>(times: number, task: (index: number) => Promise<A>): Promise<ReadonlyArray<A>> => {
  const results: Array<A> = []
  let next = 0
  const one = async () => {
    while (next < times) {
      const index = next++
      results[index] = await task(index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, times) }, one))
  return results
}

/** A promise, but not for ever. */
export const within = async <A>(milliseconds: number, what: string, promise: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${milliseconds / 1000} s`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** How many have come who give a nick. */
let visitors = 0

const comeIn = ({ kind, port }: Server): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true })
    socket.on("error", reject)
    // One that says nothing is asked now and then whether it is there, and by nothing else.
    const rest = () => {
      if (kind.framed) socket.on("data", (bytes) => void (isPing(bytes, 0) && socket.write(pong)))
      resolve(socket.resume())
    }
    if (kind.framed) socket.write(request(port))
    else if (kind.enter !== undefined) socket.write(kind.enter.replaceAll("%i", `visitor${++visitors}`))
    if (kind.greeting === undefined && !kind.framed) socket.once("connect", rest)
    else {
      let heard = ""
      let answered = false
      const listen = (bytes: Buffer) => {
        heard += bytes.toString("latin1")
        if (kind.framed && !answered && heard.includes("\r\n\r\n")) {
          answered = true
          if (kind.enter !== undefined) socket.write(frame(kind.enter))
        }
        if (!heard.includes(kind.greeting ?? "\r\n\r\n")) return
        heard = ""
        socket.off("data", listen)
        rest()
      }
      socket.on("data", listen)
    }
  })

/** So many connections that are in the room, and read what they are sent without looking at it. */
export const arrive = (server: Server, count: number): Promise<ReadonlyArray<Socket>> =>
  within(60_000, `${count} connections to ${server.kind.name}`, inTurns(count, () => comeIn(server)))

/** They leave without a word. */
export const leave = (people: ReadonlyArray<Socket>): void => {
  for (const socket of people) socket.on("error", () => {}).resetAndDestroy()
}
