/**
 * The clients that people have: netcat and telnet in a terminal, and the tutorial's Python.
 * Where a tool is missing its suite is left out, in one line; under CI that is a failure.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { folder, person, reads, says } from "./clients.ts"
import { eventually, program, socket } from "./support.ts"
import { leftOut, terminal } from "./terminal.ts"

describe.skipIf(leftOut("two people with netcat in terminals", "nc", "tmux"))("two people with netcat in terminals", () => {
  it.live("greet each other, talk and say goodbye", () =>
    Effect.gen(function*() {
      const { port } = yield* program()
      const ana = yield* terminal(`nc 127.0.0.1 ${port}`)
      yield* ana.shows("-!- Welcome to effect-chat. You are guest")
      yield* ana.shows(/^-!- #lobby: 1 member: guest\d+$/m)
      yield* ana.types("/nick ana")
      yield* ana.shows("-!- you are now ana")
      const bo = yield* terminal(`nc 127.0.0.1 ${port}`)
      yield* bo.shows(/^-!- #lobby: 2 members: /m)
      yield* bo.types("/nick bo")
      yield* ana.shows(/-!- guest\d+ is now bo/)
      yield* ana.types("hello, bo")
      yield* bo.shows(/^ana: hello, bo$/m)
      yield* bo.types("grüß dich 👋")
      yield* ana.shows(/^bo: grüß dich 👋$/m)
      yield* bo.types("/me waves")
      yield* ana.shows(/^\* bo waves$/m)
      yield* ana.types("/msg bo psst")
      yield* bo.shows(/^\[ana\] psst$/m)
      // What one types is shown by the terminal, once, and not by the server again.
      assert.strictEqual(ana.screen().split("hello, bo").length, 2)
      yield* bo.types("/quit see you")
      yield* bo.shows("-!- goodbye")
      yield* bo.presses("C-d")
      yield* bo.shows(/-!- goodbye\n\[ended with 0\]/)
      yield* ana.shows(/^-!- bo quit \(see you\)$/m)
    }))

  it.live("row 11: a line from a pipe is said, and netcat ends by itself", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const pipe = yield* terminal(`printf '/nick pipe\\nhello from a pipe\\n' | nc -N 127.0.0.1 ${chat.port}`)
      yield* reads(ana, "pipe: hello from a pipe\n")
      yield* pipe.shows(/-!- you are now pipe\n(?:.*\n)*-!- goodbye\n\[ended with 0\]/)
    }))

  it.live("see nothing that their terminals would act on", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* terminal(`nc 127.0.0.1 ${chat.port}`)
      yield* ana.shows("-!- #lobby: 1 member")
      const mallory = yield* person(chat, "mallory")
      yield* says(mallory, "before \u001b[2J\u001b[H\u001b]0;owned\u0007 after")
      yield* ana.shows(/mallory: before .*after/)
      // The screen was not cleared, and the title is as it was.
      assert.include(ana.screen(), "-!- Welcome to effect-chat")
    }))
})

describe.skipIf(leftOut("a person with telnet in a terminal", "telnet", "tmux"))("a person with telnet in a terminal", () => {
  it.live("talks with others and leaves", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const tess = yield* terminal(`telnet 127.0.0.1 ${chat.port}`)
      yield* tess.shows("-!- Welcome to effect-chat")
      yield* tess.types("/nick tess")
      yield* tess.shows("-!- you are now tess")
      yield* tess.types("hello from telnet")
      yield* reads(ana, "tess: hello from telnet\n")
      yield* says(ana, "hello, tess")
      yield* tess.shows(/^ana: hello, tess$/m)
      yield* tess.types("/quit")
      yield* tess.shows(/-!- goodbye\nConnection closed by foreign host\.\n/)
      yield* reads(ana, "-!- tess quit\n")
    }))

  it.live("row 10: leaves politely by telnet's own interrupt", () =>
    Effect.gen(function*() {
      const chat = yield* program()
      const ana = yield* person(chat, "ana")
      const tess = yield* terminal(`telnet 127.0.0.1 ${chat.port}`)
      yield* tess.shows("-!- Welcome to effect-chat")
      yield* tess.types("/nick tess")
      yield* reads(ana, "is now tess\n")
      yield* tess.presses("C-]")
      yield* tess.shows("telnet>")
      yield* tess.types("send ip")
      yield* tess.shows(/-!- goodbye\nConnection closed by foreign host\.\n/)
      yield* reads(ana, "-!- tess quit\n")
    }))
})

describe.skipIf(leftOut("the tutorial's client in Python", "python3"))("the tutorial's client in Python", () => {
  /** What the tutorial has learners write: connect, send, receive, close. Prints what it receives as it comes. */
  const client = `
import socket
import sys

client_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client_socket.connect(('127.0.0.1', int(sys.argv[1])))
client_socket.send(sys.argv[2].encode())
while True:
    data = client_socket.recv(1024)
    if not data:
        break
    print(data.decode(), flush=True)
    if data == b'bye':
        break
client_socket.close()
`

  const starts = Effect.fnUntraced(function*(port: number, word: string) {
    const file = join(yield* folder, "client.py")
    writeFileSync(file, client)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn("python3", [file, String(port), word], { stdio: ["ignore", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let out = ""
    child.stdout.on("data", (data: Buffer) => out += data.toString())
    const exited = new Promise<number | null>((resolve) => child.on("close", resolve))
    return {
      prints: (wanted: string) => eventually(`it prints ${wanted}`, () => out.includes(wanted)),
      out: () => out,
      exited: Effect.promise(() => exited)
    }
  })

  it.live("hears itself and the others, byte for byte", () =>
    Effect.gen(function*() {
      const { port } = yield* program(["--dialect", "raw"])
      const first = yield* starts(port, "Hello, server!")
      yield* first.prints("Hello, server!\n")
      const second = yield* starts(port, "Hello from the second")
      yield* second.prints("Hello from the second\n")
      yield* first.prints("Hello from the second\n")
      assert.strictEqual(first.out(), "Hello, server!\nHello from the second\n")
      const last = yield* socket(port)
      last.net.write("bye")
      assert.strictEqual(yield* first.exited, 0)
      assert.strictEqual(yield* second.exited, 0)
      yield* reads(last, "bye")
    }))
})
