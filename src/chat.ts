#!/usr/bin/env node
// The `chat` command: says so in one line where Node is too old for the program, which is loaded only after that.
import { enableCompileCache } from "node:module"

const [major, minor] = process.versions.node.split(".").map(Number) as [number, number]
if (major > 22 || (major === 22 && minor >= 19)) {
  // What V8 made of the program the last time is used again: a third of the time to start.
  enableCompileCache()
  void import("./bin.ts")
} else {
  process.stderr.write(`chat: this is Node ${process.versions.node}, and chat needs Node 22.19 or newer; install one, such as with: npm i -g node@24\n`)
  process.exitCode = 1
}
