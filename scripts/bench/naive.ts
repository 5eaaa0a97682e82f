/** The server that one writes in twenty lines, to measure ours beside: each line that somebody sends is written to all others. */
import { type AddressInfo, createServer, type Socket } from "node:net"

const people = new Set<Socket>()

const server = createServer({ noDelay: process.argv[2] !== "nagle" }, (person) => {
  let unfinished = ""
  people.add(person)
  person.setEncoding("utf8")
  person.on("data", (text) => {
    const lines = (unfinished + String(text)).split("\n")
    unfinished = lines.pop() ?? ""
    for (const line of lines) {
      for (const other of people) if (other !== person) other.write(`${line}\n`)
    }
  })
  person.on("close", () => people.delete(person))
  person.on("error", () => {})
})

server.listen(0, "127.0.0.1", () => console.log(`listens on 127.0.0.1:${(server.address() as AddressInfo).port}`))
