/**
 * Builds `dist`: the library as modules with their types, and the program as few files, so that it starts fast.
 * What was there before stays until the new one is whole.
 */
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "rolldown"
import { imports, parse } from "./modules.ts"
import { filesBelow, root } from "./root.ts"

process.chdir(root)
const made = `node_modules/.build-${process.pid}`
const replaced = `node_modules/.built-${process.pid}`

/** Declarations name their neighbours as the compiler's input was called; who installs the package has only its output. */
const nameOutputs = (file: string): void => {
  let source = readFileSync(file, "utf8")
  for (const { end, specifier } of imports(parse(source, true)).toReversed()) {
    if (!specifier.startsWith(".") || !specifier.endsWith(".ts")) continue
    source = `${source.slice(0, end - '.ts"'.length)}.js${source.slice(end - 1)}`
  }
  writeFileSync(file, source)
}

const compiles = (): boolean => {
  const { error, status } = spawnSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json", "--outDir", made], { stdio: "inherit" })
  if (error !== undefined) throw error
  return status === 0
}

/** What the program needs of these parts of Node only for what it rarely does; loading them is a tenth of its start. */
const rarelyUsed: Record<string, ReadonlyArray<string>> = {
  "node:child_process": ["execFile", "spawn"],
  "node:crypto": ["randomBytes"],
  "node:readline": ["createInterface", "emitKeypressEvents"]
}

/** These parts of Node are loaded by the first call of one of their functions. */
const loadedWhenUsed = {
  name: "loaded when used",
  resolveId: (name: string, importer: string | undefined) =>
    name in rarelyUsed && importer?.startsWith("\0") !== true ? `\0${name}` : null,
  load: (id: string) => {
    const functions = rarelyUsed[id.slice(1)]
    if (!id.startsWith("\0") || functions === undefined) return null
    const part = `process.getBuiltinModule(${JSON.stringify(id.slice(1))})`
    return functions.map((name) => `export const ${name} = (...args) => ${part}.${name}(...args)`).join("\n")
  }
}

/** Put the new one in the old one's place, though another build may be doing the same. */
const replace = (): void => {
  for (let attempt = 1;; attempt++) {
    rmSync(replaced, { recursive: true, force: true })
    if (existsSync("dist")) renameSync("dist", replaced)
    try {
      return renameSync(made, "dist")
    } catch (error) {
      if (attempt === 10) throw error
    }
  }
}

try {
  if (compiles()) {
    for (const file of filesBelow(made)) if (file.endsWith(".d.ts")) nameOutputs(join(made, file))
    await build({
      input: "src/chat.ts",
      platform: "node",
      logLevel: "warn",
      plugins: [loadedWhenUsed],
      output: { dir: made, entryFileNames: "chat.js", chunkFileNames: "program/[name].js", minify: true }
    })
    chmodSync(join(made, "chat.js"), 0o755)
    replace()
  } else process.exitCode = 1
} finally {
  for (const folder of [made, replaced]) rmSync(folder, { recursive: true, force: true })
}
