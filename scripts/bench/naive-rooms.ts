/** The naive server with rooms: `/join NAME` is the room that somebody's lines go to from then on, and an answer. */
import { type AddressInfo, createServer, type Socket } from "node:net"

const rooms = new Map<string, Set<Socket>>()

const server = createServer({ noDelay: true }, (person) => {
  let unfinished = ""
  let room = new Set<Socket>()
  person.setEncoding("utf8")
  person.on("data", (text) => {
    const lines = (unfinished + String(text)).split("\n")
    unfinished = lines.pop() ?? ""
    for (const line of lines) {
      if (line.startsWith("/join ")) {
        room.delete(person)
        const name = line.slice(6)
        room = rooms.get(name) ?? new Set()
        rooms.set(name, room.add(person))
        person.write(`-!- #${name}:\n`)
      } else {
        for (const other of room) if (other !== person) other.write(`${line}\n`)
      }
    }
  })
  person.on("close", () => room.delete(person))
  person.on("error", () => {})
})

server.listen(0, "127.0.0.1", () => console.log(`listens on 127.0.0.1:${(server.address() as AddressInfo).port}`))
