/**
 * Checks what would be published: that the package holds what it should and nothing else, that links in its documents lead to
 * files in it, that its exports and their types resolve where it is installed, and that the program there knows its version. Needs `dist`, and no network.
 */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, posix } from "node:path"
import { promisify } from "node:util"
import { imports, parse } from "./modules.ts"
import { filesBelow, root } from "./root.ts"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Record<string, unknown>
  readonly peerDependencies: Record<string, string>
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest
const modules = Object.keys(manifest.exports).filter((name) => name !== "./package.json").map((name) => posix.join(manifest.name, name))
const bin = join(root, "node_modules", ".bin")
const problems: Array<string> = []

const run = async (command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 26, timeout: 120_000 })
  return stdout
}

/** A check by a program: what it prints counts only when it fails. */
const check = async (what: string, command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  try {
    const output = await run(command, args, cwd)
    console.log(`ok: ${what}`)
    return output
  } catch (error) {
    const { message, stderr = "", stdout = "" } = error as Error & { readonly stdout?: string; readonly stderr?: string }
    problems.push(`${what}\n${stdout}${stderr}${message}`)
    return ""
  }
}

const expectNone = (what: string, wrong: ReadonlyArray<string>): void => {
  if (wrong.length === 0) console.log(`ok: ${what}`)
  else problems.push(`${what}\n${wrong.join("\n")}`)
}

/** What of the package's modules neither the package itself, nor Node, nor a peer it asks for will provide. */
const unresolved = (installed: string, files: ReadonlyArray<string>): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const present = new Set(files)
  const peers = Object.keys(manifest.peerDependencies)
  for (const file of files) {
    const declarations = file.endsWith(".d.ts")
    // The program is the CommonJS files; whether it is whole is seen by running it.
    if (!declarations && !file.endsWith(".js")) continue
    for (const { specifier } of imports(parse(readFileSync(join(installed, file), "utf8"), declarations))) {
      const target = posix.join(posix.dirname(file), specifier)
      const found = specifier.startsWith(".")
        ? specifier.endsWith(".js") && present.has(declarations ? target.replace(/\.js$/, ".d.ts") : target)
        : specifier.startsWith("node:") || peers.some((peer) => specifier === peer || specifier.startsWith(`${peer}/`))
      if (!found) wrong.push(`${file} imports ${specifier}`)
    }
  }
  return wrong
}

const consumer = `${modules.map((name, index) => `import * as M${index} from "${name}"`).join("\n")}
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChatServer, Hub, json, Log, plain } from "${manifest.name}"
import { layer as tcp } from "${manifest.name}/Listener/Tcp"
import { layer as kept } from "${manifest.name}/Log/Sqlite"
import { layer as onePort } from "${manifest.name}/OnePort"
import { Arbitraries, Laws, Memory } from "${manifest.name}/testing"

for (const [index, names] of [${modules.map((_, index) => `M${index}`).join(", ")}].entries()) {
  if (Object.keys(names).length === 0) throw new Error("entry " + index + " exports nothing")
}
if (json.name !== "json" || plain.name !== "plain") throw new Error("these are not the dialects")
if (![Arbitraries, Laws, Memory].every((names) => Object.keys(names).length > 0)) throw new Error("nothing to test with")

const house = ChatServer.layer({ dialect: "plain" }).pipe(
  Layer.provideMerge(Hub.layer({ server: "outside" })),
  Layer.provide(Log.layerMemory({ history: 10 })),
  Layer.provide(tcp({ host: "127.0.0.1", port: 0, backlog: 5 }))
)
// Its threads are files of the package too.
const last: Effect.Effect<number, unknown> = Effect.provide(Effect.flatMap(Log, (log) => Effect.map(log.recover, ({ seq }) => seq)), kept({ folder: "log" }))
Effect.runPromise(last).then((seq) => {
  if (seq !== 0) throw new Error("a new log ends at " + seq)
})
const address: Effect.Effect<string, unknown> = Effect.provide(Effect.map(ChatServer, (server) => server.address), house)
// @ts-expect-error a name is no number, unless its type was lost on the way
export const lost: number = plain.name
Effect.runPromise(address).then((bound) => {
  if (!/^127\\.0\\.0\\.1:\\d+$/.test(bound)) throw new Error("it listens on " + bound)
})
// The page for browsers, and what it is made of, are files of the package as well.
const whole = onePort({ host: "127.0.0.1", port: 0 }).pipe(Layer.provide(Hub.layer()), Layer.provide(Log.layerMemory({ history: 10 })))
const ask = async (address: string, path: string): Promise<string> => {
  const answer = await fetch("http://" + address + path)
  if (!answer.ok) throw new Error(path + " is answered by " + answer.status)
  return answer.text()
}
const parts = async (address: string): Promise<ReadonlyArray<string>> => {
  const found = Array.from((await ask(address, "/")).matchAll(/(?:src|href)="([^"#:]+)"/g), ([, path]) => "/" + path!)
  for (const path of found) await ask(address, path)
  return found
}
const browsed: Effect.Effect<ReadonlyArray<string>, unknown> = Effect.provide(Effect.flatMap(ChatServer, ({ address }) => Effect.promise(() => parts(address))), whole)
Effect.runPromise(browsed).then((found) => {
  if (found.length === 0) throw new Error("the page is made of nothing")
})
`

const typed = {
  compilerOptions: {
    target: "ES2023",
    lib: ["ES2023", "DOM"],
    module: "NodeNext",
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true
  },
  files: ["app.ts"]
}

const outside = mkdtempSync(join(tmpdir(), "effect-chat-package-"))
try {
  const packed = JSON.parse(
    await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", outside], root)
  ) as ReadonlyArray<{ readonly filename: string; readonly files: ReadonlyArray<{ readonly path: string }> }>
  const tarball = join(outside, packed[0]!.filename)
  const files = packed[0]!.files.map(({ path }) => path)

  expectNone(
    "holds dist, docs, examples, README.md, LICENSE and package.json, and nothing else",
    [
      ...files.filter((file) => !/^(?:dist\/.*\.(?:d\.ts|c?js)|dist\/page\/[a-z]+\.(?:html|css|svg|js)|docs\/[a-z]+\.md|examples\/[a-z]+\.ts|README\.md|LICENSE|package\.json)$/.test(file)).map((file) => `holds ${file}`),
      ...["README.md", "LICENSE", "dist/chat.cjs"].filter((file) => !files.includes(file)).map((file) => `lacks ${file}`)
    ]
  )
  const documents = files.filter((file) => file.endsWith(".md"))
  expectNone(
    "what README.md and docs link to is in it",
    documents.flatMap((document) =>
      [...readFileSync(join(root, document), "utf8").matchAll(/\]\(([^)#]+)[^)]*\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target) && !files.includes(posix.join(posix.dirname(document), target)))
        .map((target) => `${document} links to ${target}`)
    )
  )
  const written = /version = "([^"]*)"/.exec(readFileSync(join(root, "src/Version.ts"), "utf8"))?.[1]
  expectNone(
    "src/Version.ts says what package.json says",
    written === manifest.version ? [] : [`${written} there, ${manifest.version} in package.json`]
  )
  await check("publint", join(bin, "publint"), ["run", tarball, "--strict"], root)
  await check("attw", join(bin, "attw"), [tarball, "--profile", "esm-only", "--no-emoji"], root)

  const app = join(outside, "app")
  mkdirSync(app)
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }))
  writeFileSync(join(app, "app.ts"), consumer)
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify(typed))
  await check("installs", "npm", ["install", "--offline", "--no-save", "--legacy-peer-deps", "--no-audit", "--no-fund", tarball], app)
  for (const peer of Object.keys(manifest.peerDependencies)) {
    const place = join(app, "node_modules", peer)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(root, "node_modules", peer), place)
  }

  const installed = join(app, "node_modules", manifest.name)
  expectNone("imports only what is there or asked for", unresolved(installed, filesBelow(installed)))
  await check(`types of ${modules.join(", ")}`, join(bin, "tsc"), ["-p", "."], app)
  await check(`code of ${modules.join(", ")}`, process.execPath, ["app.ts"], app)
  const said = await check("the program", join(app, "node_modules", ".bin", "chat"), ["--version"], app)
  expectNone("it says its version", said.trim() === `chat ${manifest.version}` ? [] : [`it said ${JSON.stringify(said)}`])
} finally {
  rmSync(outside, { recursive: true, force: true })
}

for (const problem of problems) console.error(`not ok: ${problem}`)
if (problems.length > 0) process.exitCode = 1
