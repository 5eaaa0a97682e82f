/** The WebSocket server that one writes in twenty lines: each message that somebody sends is sent to all others. */
import type { AddressInfo } from "node:net"
import { WebSocket, WebSocketServer } from "ws"

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false })

server.on("connection", (person) => {
  person.on("message", (data, isBinary) => {
    for (const other of server.clients) {
      if (other !== person && other.readyState === WebSocket.OPEN) other.send(data, { binary: isBinary })
    }
  })
  person.on("error", () => {})
})

server.on("listening", () => console.log(`listens on 127.0.0.1:${(server.address() as AddressInfo).port}`))
