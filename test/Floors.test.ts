/**
 * The floor check itself: what it lets pass and what it finds, on files made up here.
 */
import { describe, expect, it } from "@effect/vitest"
import { unused, violations } from "../scripts/floors.ts"

const sound = {
  "Name.ts": `export const key = (nick: string) => nick`,
  "World.ts": `import * as Name from "./Name.ts"\nimport * as HashMap from "effect/HashMap"\nexport { Name, HashMap }`,
  "Log.ts": `import type * as World from "./World.ts"\nimport * as Effect from "effect/Effect"\nexport { type World, Effect }`,
  "Listener.ts": `export const port = 8000`,
  "Listener/Tcp.ts": `import * as Net from "node:net"\nimport { port } from "../Listener.ts"\nexport { Net, port }`,
  "Hub.ts": `import * as Log from "./Log.ts"\nexport { Log }`,
  "Cli/Serve.ts": `import * as Tcp from "../Listener/Tcp.ts"\nexport { Tcp }`,
  "bin.ts": `import "./Cli/Serve.ts"\nprocess.exit(0)`
}

/** What is wrong when these files are changed so. */
const withFiles = (changed: Record<string, string>) => violations(new Map(Object.entries({ ...sound, ...changed })))

describe("the floor check", () => {
  it("lets imports go down", () => {
    expect(withFiles({})).toEqual([])
  })

  it.each<[what: string, file: string, source: string, problem: string]>([
    ["an import that goes up", "Log.ts", `\nimport * as Hub from "./Hub.ts"`, "src/Log.ts:2: is on floor 3 and must not import Hub.ts"],
    ["a type that goes up", "Name.ts", `export type H = import("./Hub.ts").Hub`, "src/Name.ts:1: is on floor 1 and must not import Hub.ts"],
    ["an export that goes up", "Name.ts", `export * from "./World.ts"`, "src/Name.ts:1: is on floor 1 and must not import World.ts"],
    ["a late import that goes up", "Log.ts", `await import("./Hub.ts")`, "src/Log.ts:1: is on floor 3 and must not import Hub.ts"],
    ["an adapter below the door", "index.ts", `export * as Tcp from "./Listener/Tcp.ts"`, "src/index.ts:1: must not import the adapter Listener/Tcp.ts"],
    ["the door below the door", "testing.ts", `import "./Cli/Serve.ts"`, "src/testing.ts:1: is on floor 3 and must not import Cli/Serve.ts"],
    ["node in a pure file", "World.ts", `import "node:fs"`, "src/World.ts:1: is pure and must not import node:fs"],
    ["effects in a pure file", "World.ts", `import "effect/Effect"`, "src/World.ts:1: is pure and must not import effect/Effect"],
    ["the time in a pure file", "World.ts", `export const at = Date.now()`, "src/World.ts:1: a pure file must not call Date.now"],
    ["the time in a pure file, as a date", "World.ts", `export const at = new Date()`, "src/World.ts:1: a pure file must not ask for the time"],
    ["a timer in a pure file", "World.ts", `setTimeout(() => {}, 1)`, "src/World.ts:1: a pure file must not use setTimeout"],
    ["the barrel of effect", "Hub.ts", `import { Effect } from "effect"`, "src/Hub.ts:1: imports the barrel effect"],
    ["the barrel of platform-node", "Cli/Serve.ts", `import "@effect/platform-node"`, "imports the barrel @effect/platform-node"],
    ["the environment", "Cli/Serve.ts", `export const port = process.env["PORT"]`, "src/Cli/Serve.ts:1: only bin.ts may touch the process"],
    ["a signal handler", "Hub.ts", `process.on("SIGTERM", () => {})`, "src/Hub.ts:1: only bin.ts may touch the process"],
    ["a file without a floor", "utils.ts", ``, "src/utils.ts:1: has no floor"],
    ["a file that is not there", "Hub.ts", `import "./Gone.ts"`, "src/Hub.ts:1: imports ./Gone.ts, which is not there"],
    ["a file outside src", "Hub.ts", `import "../scripts/root.ts"`, "src/Hub.ts:1: imports ../scripts/root.ts, which is outside src"]
  ])("finds %s", (_, file, source, problem) => {
    const found = withFiles({ [file]: source })
    expect(found.join("\n")).toContain(problem)
  })

  it("finds a circle within a floor", () => {
    expect(withFiles({ "Event.ts": `import "./World.ts"`, "World.ts": `import "./Event.ts"` })).toEqual([
      "src/World.ts:1: imports itself by way of Event.ts, World.ts"
    ])
  })

  it("does not take a property for the process, or a comment for an import", () => {
    expect(withFiles({ "Hub.ts": `// import "./ChatServer.ts"; process.exit()\nexport const a = { process: 1 }.process` })).toEqual([])
  })

  it("finds a floor without a file", () => {
    expect(unused(new Map([["Name.ts", ""]]))).toContain("src/Hub.ts:1: has a floor in scripts/floors.ts and is not there")
  })
})
