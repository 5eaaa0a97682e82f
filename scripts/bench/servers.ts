/** The two servers that are measured, as processes of their own: started, asked what they use, and ended. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { transformSync } from "rolldown/utils"
import { root } from "../root.ts"

/** A server, and how a client of it behaves. */
export interface Kind {
  readonly name: "ours" | "ours, kept" | "naive" | "naive, Nagle" | "naive, rooms"
  readonly args: () => ReadonlyArray<string>
  /** Whether its clients come by WebSocket, each message a frame; else a message is a line. */
  readonly framed: boolean
  /** What stands behind a message when it arrives, before the newline, in bytes. */
  readonly behind?: number
  /** What a client sends on coming; in a frame without what ends it, in lines with a nick of its own for `%i`. */
  readonly enter: string | undefined
  /** A line that a client is sent when it is in the room; none where the server says nothing. */
  readonly greeting: string | undefined
  /** What a client sends to be called so, and what a line says that tells it that it is. */
  readonly introduce: ((nick: string) => readonly [line: string, answer: string]) | undefined
  /** What stands before a message when it is sent, and behind it. */
  readonly around: readonly [before: string, behind: string]
  /** What stands before a message of this nick when it arrives. */
  readonly prefix: (nick: string) => string
}

let folder: string | undefined

/** What was started and has not ended; it does not outlive this process. */
const running = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL")
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/** Without its types, for Node would keep in memory what it takes them out with. */
const plainScript = (file: string): string => {
  folder ??= mkdtempSync(join(tmpdir(), "effect-chat-bench-"))
  const path = join(folder, file.replace(/\.ts$/, ".mjs"))
  const source = readFileSync(join(import.meta.dirname, file), "utf8")
  // There it finds no packages by name.
  const { code } = transformSync(file, source)
  writeFileSync(path, code.replace(/from "ws"/, `from ${JSON.stringify(import.meta.resolve("ws"))}`))
  return path
}

const flags = ["--port", "0", "--dialect", "plain", "--rate", "off", "--log-level", "warn", "--backlog", "511"]

/** Where our server is to leave its CPU profile when it ends; nowhere when not set. */
let profiles: string | undefined
export const profileInto = (folder: string): void => {
  profiles = folder
}

export const ours: Kind = {
  name: "ours",
  args: () => [...(profiles === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profiles]), join(root, "dist/chat.cjs"), "serve", ...flags],
  framed: false,
  enter: undefined,
  greeting: "-!- #lobby:",
  around: ["", ""],
  introduce: (nick) => [`/nick ${nick}\n`, `-!- you are now ${nick}`],
  prefix: (nick) => `${nick}: `
}

/** A folder that is gone when this process is. */
const newFolder = (name: string): string => {
  folder ??= mkdtempSync(join(tmpdir(), "effect-chat-bench-"))
  return mkdtempSync(join(folder, name))
}

/** Keeping everything on the disk before it is shown. */
export const oursKept: Kind = { ...ours, name: "ours, kept", args: () => [...ours.args(), "--data", newFolder("data-")] }

export const naive: Kind = {
  name: "naive",
  args: () => [plainScript("naive.ts")],
  framed: false,
  enter: undefined,
  greeting: undefined,
  introduce: undefined,
  around: ["", ""],
  prefix: () => ""
}

/** Without TCP_NODELAY, as Node's sockets are when nobody says otherwise: slower to answer, cheaper when there is much to send. */
export const nagling: Kind = { ...naive, name: "naive, Nagle", args: () => [...naive.args(), "nagle"] }

/** With rooms. */
export const naiveRooms: Kind = { ...naive, name: "naive, rooms", args: () => [plainScript("naive-rooms.ts")] }

const json = (value: object): string => JSON.stringify(value)
const around = json({ _tag: "Say", target: "lobby", text: "|" }).split("|") as [string, string]

/** By WebSocket, in JSON. */
export const oursWeb: Kind = {
  name: "ours",
  args: () => ours.args().map((arg) => arg === "plain" ? "auto" : arg),
  framed: true,
  enter: json({ _tag: "Join", room: "lobby" }),
  greeting: "\"_tag\":\"RoomInfo\"",
  introduce: (nick) => [json({ _tag: "SetNick", nick }), `"to":"${nick}"`],
  around,
  prefix: (nick) => json({ _tag: "Said", room: "lobby", nick, text: "|" }).split("|")[0]!
}

/** By IRC, each under a nick of its own. */
export const oursIrc: Kind = {
  ...ours,
  args: () => ours.args().map((arg) => arg === "plain" ? "irc" : arg),
  enter: "NICK %i\r\nUSER a 0 * :a\r\nJOIN #lobby\r\n",
  greeting: " 366 ",
  introduce: (nick) => [`NICK ${nick}`, ` NICK :${nick}`],
  around: ["PRIVMSG #lobby :", ""],
  behind: 1,
  prefix: (nick) => `:${nick}!a@127.0.0.1 PRIVMSG #lobby :`
}

/** The same messages by WebSocket through the server that one writes in twenty lines, which passes them on as they are. */
export const naiveWeb: Kind = { ...naive, args: () => [plainScript("naive-web.ts")], framed: true, around, prefix: () => around[0] }

// --- where things run ------------------------------------------------------------------------------------------------

export const cpuCount = cpus().length

const tasksetWorks = (): boolean => {
  try {
    execFileSync("taskset", ["-c", `0-${cpuCount - 1}`, "true"], { stdio: "ignore" })
    return cpuCount > 1
  } catch {
    return false
  }
}

/** Whether servers run on the first CPU and their clients on the others. */
export const pinned = tasksetWorks()

/** Move this process, and whatever threads it will have, off the servers' CPU. */
export const leaveTheirCpu = (): void => {
  if (pinned) execFileSync("taskset", ["-a", "-p", "-c", `1-${cpuCount - 1}`, String(process.pid)], { stdio: "ignore" })
}

/** Node with these arguments, on the servers' CPU. */
export const spawnNode = (args: ReadonlyArray<string>, stdout: "pipe" | "ignore"): ChildProcess => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CHAT_") && name !== "NODE_OPTIONS"))
  const [command, ...rest] = pinned ? ["taskset", "-c", "0", process.execPath, ...args] : [process.execPath, ...args]
  const child = spawn(command!, rest, { env, stdio: ["ignore", stdout, "inherit"] })
  running.add(child)
  child.on("exit", () => running.delete(child))
  return child
}

// --- a server that runs ----------------------------------------------------------------------------------------------

export interface Server {
  readonly kind: Kind
  readonly port: number
  readonly pid: number
  /** From its start to its listening, in milliseconds. */
  readonly started: number
  /** Collect garbage; only where the server was started with `collectable`. */
  readonly collect: () => Promise<void>
  readonly stop: (signal?: "SIGKILL" | "SIGTERM") => Promise<void>
}

/** Lets a server that knows nothing of it collect its garbage when asked from outside. */
const collectable = ["--expose-gc", "--import", 'data:text/javascript,process.on("SIGUSR2",()=>gc())']

/** Start a server, and wait until it listens. */
export const start = async (kind: Kind, options: { readonly collectable?: boolean } = {}): Promise<Server> => {
  const args = [...(options.collectable === true ? collectable : []), ...kind.args()]
  const begun = performance.now()
  const child = spawnNode(args, "pipe")
  const port = await new Promise<number>((resolve, reject) => {
    let said = ""
    child.stdout!.on("data", (text: Buffer) => {
      said += text.toString()
      const match = /listens on \S*:(\d+)/.exec(said)
      if (match !== null) resolve(Number(match[1]))
    })
    child.on("error", reject)
    child.on("exit", (code) => reject(new Error(`${kind.name} did not start: exit code ${code}`)))
  })
  const started = performance.now() - begun
  const pid = child.pid!
  return {
    kind,
    port,
    pid,
    started,
    collect: async () => {
      for (let i = 0; i < 3; i++) {
        process.kill(pid, "SIGUSR2")
        await new Promise((resolve) => setTimeout(resolve, 300))
      }
    },
    stop: async (signal = profiles === undefined ? "SIGKILL" : "SIGTERM") => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, "exit")
      child.kill(signal)
      await gone
    }
  }
}

// --- what a process uses ---------------------------------------------------------------------------------------------

const linux = process.platform === "linux"
const ticksPerSecond = linux ? Number(execFileSync("getconf", ["CLK_TCK"]).toString()) : 100

const ps = (pid: number, column: string): string => execFileSync("ps", ["-o", `${column}=`, "-p", String(pid)]).toString().trim()

/** Time on a CPU that a process has had, in seconds. */
export const cpuTime = (pid: number): number => {
  if (linux) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }
  return ps(pid, "time").split(/[-:]/).reduce((total, part) => total * 60 + Number(part), 0)
}

/** Memory of a process that is not on disk, in bytes. */
export const residentMemory = (pid: number): number =>
  linux
    ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024
    : Number(ps(pid, "rss")) * 1024

/** Time that all CPUs were busy with anything, stolen time included, in seconds; unknown elsewhere than on Linux. */
export const busyTime = (): number => {
  if (!linux) return Number.NaN
  const [user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8").split("\n")[0]!.split(/\s+/).slice(1).map(Number)
  return (user! + nice! + system! + irq! + softirq! + steal!) / ticksPerSecond
}
