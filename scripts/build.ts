/** Builds `dist`: the library as modules with their types, and the program as few files, so that it starts fast. */
import { execFileSync } from "node:child_process"
import { chmodSync, rmSync } from "node:fs"
import { build } from "rolldown"

process.chdir(new URL("..", import.meta.url).pathname)
rmSync("dist", { recursive: true, force: true })
execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" })
await build({
  input: "src/chat.ts",
  platform: "node",
  logLevel: "warn",
  output: { dir: "dist", entryFileNames: "chat.js", chunkFileNames: "program/[name].js", minify: true }
})
chmodSync("dist/chat.js", 0o755)
