/**
 * Builds `dist`: the library as modules with their types, and the program as one file, so that it starts fast.
 * What was there before stays until the new one is whole.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, type BuildOptions } from "rolldown"
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

/** What the program needs of these parts of Node only for what it rarely does: they are loaded by the first call. */
const rarelyUsed: ReadonlySet<string> = new Set(["node:child_process", "node:crypto", "node:readline", "node:v8"])

/** To import a part of Node is to read all it exports, and of `node:fs` alone some load other parts: taken one by one, only what is used is read. */
const partsOfNode = {
  name: "parts of Node, one name at a time",
  resolveId: (name: string) => name.startsWith("node:") ? `\0${name}` : null,
  load: (id: string) => {
    if (!id.startsWith("\0node:")) return null
    const name = id.slice(1)
    const part = `process.getBuiltinModule(${JSON.stringify(name)})`
    const exported: object = process.getBuiltinModule(name) ?? {}
    const names = Object.keys(exported).filter((key) => /^[\p{L}_$][\p{L}\d_$]*$/u.test(key) && key !== "default")
    const isLoadedWhenRead = (key: string) => Object.getOwnPropertyDescriptor(exported, key)?.get !== undefined
    return rarelyUsed.has(name)
      ? names.map((key) => `export const ${key} = (...args) => ${part}.${key}(...args)`).join("\n")
      : [
        `const part = ${part}`,
        "const take = (name) => part[name]",
        "const later = (name) => new Proxy({}, { get: (_, key) => part[name][key] })",
        ...names.map((key) => `export const ${key} = /* @__PURE__ */ ${isLoadedWhenRead(key) ? "later" : "take"}("${key}")`)
      ].join("\n")
  }
}

/** Loading where graphemes end is a tenth of the start, and only the columns of `--help` are measured by it. */
const segmenterWhenUsed = {
  name: "a segmenter when it is used",
  transform: (code: string, id: string) =>
    /[\\/]effect[\\/]dist[\\/]cli[\\/]CliOutput\.js$/.test(id)
      ? code.replace("new Intl.Segmenter(undefined, {", "((options) => ({ segment: (text) => new Intl.Segmenter(undefined, options).segment(text) }))({")
      : null
}

/** A file without other letters than ASCII's is read in one piece, and V8 keeps it in half the space. */
const writeInAscii = (file: string): string => {
  const source = readFileSync(file, "utf8").replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
  writeFileSync(file, source)
  return source
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
    // CommonJS: Node has no second module loader to set up for it before the program runs.
    const defined = { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename", "import.meta": "{}" }
    const program: Pick<BuildOptions, "platform" | "logLevel" | "external" | "transform"> = { platform: "node", logLevel: "warn", external: ["bufferutil", "utf-8-validate"], transform: { define: defined } }
    const output = { format: "cjs", dynamicImportInCjs: false, minify: true } as const
    const files = { dir: made, entryFileNames: "[name].cjs", chunkFileNames: "program/[name].cjs", codeSplitting: { groups: [{ name: "main", tags: ["$initial"] }] } } satisfies BuildOptions["output"]
    await build({ ...program, input: "src/bin.ts", plugins: [partsOfNode, segmenterWhenUsed], output: { ...output, ...files } })
    // The log's threads begin here, beside the part of the program that starts them.
    await build({ ...program, input: "src/Log/Sqlite/Worker.ts", plugins: [partsOfNode], output: { ...output, file: join(made, "program/Worker.cjs"), codeSplitting: false } })
    const digest = createHash("sha256").update(writeInAscii(join(made, "bin.cjs"))).digest("base64url")
    await build({ ...program, input: "src/chat.ts", transform: { define: { ...defined, build: JSON.stringify(digest.slice(0, 12)) } }, output: { ...output, file: join(made, "chat.cjs"), codeSplitting: false } })
    chmodSync(join(made, "chat.cjs"), 0o755)
    await build({ input: "src/Page/main.tsx", platform: "browser", logLevel: "warn", transform: { target: "es2022" }, output: { file: join(made, "page/page.js"), format: "esm", minify: true } })
    for (const file of ["index.html", "page.css", "icon.svg"]) copyFileSync(join("src/Page", file), join(made, "page", file))
    replace()
  } else process.exitCode = 1
} finally {
  for (const folder of [made, replaced]) rmSync(folder, { recursive: true, force: true })
}
