/**
 * The program's HTTP API: tokens by flag, environment and file, beside somebody on nc; nothing of them is ever written.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chat, program, socket } from "../support.ts"
import { ask } from "./web.ts"

const secret = "s3cr3t-0f-ci"

const hashed = Effect.promise(async () => {
  const { exited, stdout } = chat(["hash", secret])
  await exited
  return stdout().trim()
})

describe("chat serve --api-token", () => {
  it.live("lets a program talk, by environment and hashed", () =>
    Effect.gen(function*() {
      const server = yield* program(["--password", "in", "--log-level", "debug"], { env: { CHAT_API_TOKEN: `ci:${yield* hashed} ops:cle4r` } })
      const ana = yield* socket(server.port)
      yield* Effect.promise(() => ana.until((text) => text.includes("password")))
      ana.net.write("/pass in\n")
      yield* Effect.promise(() => ana.until((text) => text.includes("-!- #lobby:")))
      ana.net.write("/nick ana\n")
      const post = (path: string, body: object, token?: string) => ask(server.port, path, { body, ...token === undefined ? {} : { token } })
      const said = yield* post("/api/rooms/lobby/messages", { text: "built" }, secret)
      assert.deepInclude(said.json, { nick: "ci", text: "built" })
      assert.strictEqual((yield* post("/api/hooks/ops/cle4r", { text: "hooked" })).text, "ok")
      yield* Effect.promise(() => ana.until((text) => text.includes("ci: built\n") && text.includes("ops: hooked\n")))
      assert.strictEqual((yield* ask(server.port, "/api/rooms")).status, 401, "what takes a password to hear takes a token to read")
      assert.strictEqual((yield* ask(server.port, "/api/rooms", { token: "cle4r" })).json.rooms[0].members, 3)
      assert.strictEqual((yield* post("/api/rooms/lobby/kick", { nick: "ana", reason: "noise" }, "cle4r")).status, 200)
      yield* Effect.promise(() => ana.until((text) => text.includes("-!- you were kicked from #lobby by ops (noise)\n")))
      assert.strictEqual((yield* post("/api/rooms/lobby/messages", { text: "x" }, "wrong-s3cr3t")).status, 401)
      yield* Effect.promise(() => server.logged("a wrong token was refused"))
      for (const word of [secret, "cle4r", "wrong-s3cr3t"]) assert.notInclude(server.stdout() + server.stderr(), word)
    }))

  it.live("row 43: complains of a token in the wrong form without showing it", () =>
    Effect.promise(async () => {
      const folder = mkdtempSync(join(tmpdir(), "effect-chat-"))
      const file = join(folder, "chat.json")
      try {
        for (const wrong of ["s3cr3t", "ci:a s3cr3t", "9ci:s3cr3t", "server:s3cr3t"]) {
          writeFileSync(file, JSON.stringify({ "api-token": wrong }))
          for (const [args, env] of [[["--api-token", wrong], {}], [[], { CHAT_API_TOKEN: wrong }], [["--config", file], {}]] as const) {
            const { exited, stderr, stdout } = chat(["serve", "--port", "0", ...args], { env })
            assert.strictEqual(await exited, 2)
            assert.match(stderr(), /^chat: (?:--api-token|CHAT_API_TOKEN|.*"api-token") must be name:token, or several with spaces between, each name a nick, none twice \(.*\)\n$/)
            assert.notInclude(stdout() + stderr(), "s3cr3t")
          }
        }
        const { exited, stderr } = chat(["serve", "--oper", "s3cr3t"])
        assert.strictEqual(await exited, 2)
        assert.notInclude(stderr(), "s3cr3t")
      } finally {
        rmSync(folder, { recursive: true })
      }
    }))
})
