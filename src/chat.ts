#!/usr/bin/env node
// The `chat` command: says so in one line where Node is too old for the program, which is loaded only after that.
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { createRequire, enableCompileCache, getCompileCacheDir, Module } from "node:module"
import { dirname, join } from "node:path"
import { Script } from "node:vm"

/** What distinguishes the program built beside this file from any other: known once it is built. */
declare const build: string

/** When the program has settled, in milliseconds after its start. */
const settled = 1000

/** What this user wrote into a file, if it can be read: what others left there is not for us to run. */
const own = (file: string): Buffer | undefined => {
  let opened: number | undefined
  try {
    opened = openSync(file, "r")
    return fstatSync(opened).uid === (process.getuid?.() ?? 0) ? readFileSync(opened) : undefined
  } catch {
    return undefined
  } finally {
    if (opened !== undefined) closeSync(opened)
  }
}

/**
 * Whole or not at all, for V8 checks little more than the length of what it is given, and into no file that is there already,
 * for others may write in that folder. Where it does not work that costs only time.
 */
const replace = (file: string, content: Buffer): void => {
  const whole = `${file}.${process.pid}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(whole, content, { mode: 0o600, flag: "wx", flush: true })
    renameSync(whole, file)
  } catch {
    try {
      rmSync(whole, { force: true })
    } catch {
      // Then there is nothing to remove, or it is another's.
    }
  }
}

/**
 * Runs the program. What V8 made of it the last time is used again: half of the time to start. Node's own cache holds only
 * what was compiled before the program ran, and each of its functions would be compiled anew; so the program's is kept
 * here, after it ran, in the same folder.
 */
const run = (file: string): void => {
  enableCompileCache()
  const folder = getCompileCacheDir()
  // Who serves and who asks for the version need other functions.
  const kept = folder === undefined ? undefined : join(folder, `chat-${build}-${process.argv.includes("serve") ? "serve" : "other"}`)
  const cachedData = kept === undefined ? undefined : own(kept)
  const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(file, "latin1")}\n})`
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) })
  if (kept !== undefined && script.cachedDataRejected !== false) {
    const keep = (): void => {
      clearTimeout(timer)
      process.off("exit", keep)
      replace(kept, script.createCachedData())
    }
    const timer = setTimeout(keep, settled).unref()
    process.on("exit", keep)
  }
  const module = new Module(file)
  const require = createRequire(file)
  // Its parts that are loaded when they are used ask for it again.
  require.cache[file] = module
  script.runInThisContext()(module.exports, require, module, file, dirname(file))
}

const [major, minor] = process.versions.node.split(".").map(Number) as [number, number]
if (major > 22 || (major === 22 && minor >= 19)) run(join(import.meta.dirname, "bin.cjs"))
else {
  process.stderr.write(`chat: this is Node ${process.versions.node}, and chat needs Node 22.19 or newer; install one, such as with: npm i -g node@24\n`)
  process.exitCode = 1
}
