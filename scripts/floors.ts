/** Checks that imports in src go down only, that pure files are pure, and that only the door touches the process. */
import { readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { imports, lineAt, type Node, nodes, parse } from "./modules.ts"
import { filesBelow, root } from "./root.ts"

/** What a file may do beside importing: nothing (`pure`), be swapped for another of its kind (`adapter`), or own the process (`door`). */
type Kind = "pure" | "adapter" | "door"

/** The floor of each file in src. A file that is not here is a mistake. */
const floors: Record<string, readonly [floor: number, kind?: Kind]> = {
  // 1: words
  "Address.ts": [1, "pure"],
  "Few.ts": [1, "pure"],
  "Given.ts": [1, "pure"],
  "Guesses.ts": [1, "pure"],
  "Identifiers.ts": [1, "pure"],
  "Line.ts": [1, "pure"],
  "Mask.ts": [1, "pure"],
  "Name.ts": [1, "pure"],
  "Rate.ts": [1, "pure"],
  "Search.ts": [1, "pure"],
  "Telnet.ts": [1, "pure"],
  "Sheet.ts": [1, "pure"],
  "Text.ts": [1, "pure"],
  "Version.ts": [1, "pure"],
  // 2: speech
  "Command.ts": [2, "pure"],
  "Crowd.ts": [2, "pure"],
  "Event.ts": [2, "pure"],
  "World.ts": [2, "pure"],
  "World/Being.ts": [2, "pure"],
  "World/Decide.ts": [2, "pure"],
  "World/Entering.ts": [2, "pure"],
  "World/Evolve.ts": [2, "pure"],
  "World/Granting.ts": [2, "pure"],
  "World/Outcome.ts": [2, "pure"],
  "World/Roster.ts": [2, "pure"],
  "World/Running.ts": [2, "pure"],
  "World/Serving.ts": [2, "pure"],
  "World/Showing.ts": [2, "pure"],
  "World/Snapshot.ts": [2, "pure"],
  "World/Standing.ts": [2, "pure"],
  "World/State.ts": [2, "pure"],
  "World/Talking.ts": [2, "pure"],
  "Dialect.ts": [2, "pure"],
  "Dialect/Auto.ts": [2, "pure"],
  "Dialect/Irc.ts": [2, "pure"],
  "Dialect/Irc/Answers.ts": [2, "pure"],
  "Dialect/Irc/Asking.ts": [2, "pure"],
  "Dialect/Irc/Capabilities.ts": [2, "pure"],
  "Dialect/Irc/Client.ts": [2, "pure"],
  "Dialect/Irc/Commands.ts": [2, "pure"],
  "Dialect/Irc/Doings.ts": [2, "pure"],
  "Dialect/Irc/Help.ts": [2, "pure"],
  "Dialect/Irc/Labels.ts": [2, "pure"],
  "Dialect/Irc/Message.ts": [2, "pure"],
  "Dialect/Irc/Modes.ts": [2, "pure"],
  "Dialect/Irc/Names.ts": [2, "pure"],
  "Dialect/Irc/OfPeople.ts": [2, "pure"],
  "Dialect/Irc/OfRooms.ts": [2, "pure"],
  "Dialect/Irc/OfServer.ts": [2, "pure"],
  "Dialect/Irc/Past.ts": [2, "pure"],
  "Dialect/Irc/Refusals.ts": [2, "pure"],
  "Dialect/Irc/Registering.ts": [2, "pure"],
  "Dialect/Irc/Replies.ts": [2, "pure"],
  "Dialect/Irc/Serving.ts": [2, "pure"],
  "Dialect/Irc/Show.ts": [2, "pure"],
  "Dialect/Irc/State.ts": [2, "pure"],
  "Dialect/Irc/Talking.ts": [2, "pure"],
  "Dialect/Json.ts": [2, "pure"],
  "Dialect/Plain.ts": [2, "pure"],
  "Dialect/Plain/Shown.ts": [2, "pure"],
  "Dialect/Plain/State.ts": [2, "pure"],
  "Dialect/Plain/Typed.ts": [2, "pure"],
  "Dialect/Raw.ts": [2, "pure"],
  "Dialect/Strangers.ts": [2, "pure"],
  "Dialect/Turns.ts": [2, "pure"],
  "Dialect/Words.ts": [2, "pure"],
  "Log/Kept.ts": [2, "pure"],
  "Log/Memory.ts": [2, "pure"],
  "Log/Window.ts": [2, "pure"],
  // 3: ports, and what stands beside them
  "Connection.ts": [3],
  "Listener.ts": [3],
  "Log.ts": [3],
  "Measure.ts": [3],
  "Listener/Tcp.ts": [3, "adapter"],
  "Listener/Crowding.ts": [3],
  "Listener/Direct.ts": [3],
  "Listener/Intake.ts": [3],
  "Listener/Outlet.ts": [3],
  "Listener/Frames.ts": [3, "pure"],
  "Listener/Handshake.ts": [3],
  "Listener/Messages.ts": [3],
  "Listener/Web.ts": [3, "adapter"],
  "Log/Sqlite.ts": [3, "adapter"],
  "Log/Sqlite/Finder.ts": [3],
  "Log/Sqlite/Folder.ts": [3],
  "Log/Sqlite/Keeper.ts": [3],
  "Log/Sqlite/Mending.ts": [3],
  "Log/Sqlite/Passing.ts": [3],
  "Log/Sqlite/Reader.ts": [3],
  "Log/Sqlite/Schema.ts": [3],
  "Log/Sqlite/Rows.ts": [3],
  "Log/Sqlite/Thread.ts": [3],
  "Log/Sqlite/Upkeep.ts": [3],
  "Log/Sqlite/Worker.ts": [3],
  "Log/Sqlite/Writer.ts": [3],
  // what tests import: ports and below
  "Testing/Arbitraries.ts": [3],
  "Testing/Case.ts": [3],
  "Testing/Contracts.ts": [3],
  "Testing/Laws.ts": [3],
  "Testing/ListenerContract.ts": [3],
  "Testing/LogContract.ts": [3],
  "Testing/Memory.ts": [3],
  "testing.ts": [3],
  // 4: the ring running
  "Hub.ts": [4],
  "Hub/Deciding.ts": [4],
  "Hub/Routing.ts": [4],
  "Hub/Snapshots.ts": [4],
  "Doors.ts": [4],
  "Batch.ts": [4],
  "Recovery.ts": [4],
  "Ring.ts": [4],
  "Rooms.ts": [4],
  "Subscription.ts": [4],
  // 5: one connection talking, or one program without a connection
  "Alarms.ts": [5],
  "Sleeper.ts": [5],
  "Delivery.ts": [5],
  "Farewell.ts": [5],
  "Seat.ts": [5],
  "Secrets.ts": [5],
  "Session.ts": [5],
  // 6: the house, and what an app that embeds it imports
  "Admission.ts": [6],
  "ChatServer.ts": [6],
  "Http.ts": [6],
  "Http/Api.ts": [6],
  "Http/ApiLive.ts": [6],
  "Http/Desk.ts": [6],
  "Http/Guard.ts": [6, "pure"],
  "Http/Reference.ts": [6],
  "Http/Routes.ts": [6],
  "Http/Tokens.ts": [6],
  "index.ts": [6],
  // 7: the door
  "Cli/Complaint.ts": [7],
  "Cli/Data.ts": [7],
  "Cli/Failure.ts": [7],
  "Cli/Logs.ts": [7],
  "Cli/Main.ts": [7],
  "Cli/Serve.ts": [7],
  "Cli/Settings.ts": [7],
  "Cli/Telemetry.ts": [7],
  "Http/Door.ts": [7, "adapter"],
  "OnePort.ts": [7],
  "Page/Composer.tsx": [7],
  "Page/Link.ts": [7],
  "Page/Log.tsx": [7],
  "Page/Memory.ts": [7],
  "Page/Model.ts": [7, "pure"],
  "Page/Notices.ts": [7],
  "Page/Sides.tsx": [7],
  "Page/Typed.ts": [7, "pure"],
  "Page/Visit.ts": [7],
  "Page/Words.tsx": [7],
  "Page/main.tsx": [7],
  "bin.ts": [7, "door"],
  "chat.ts": [7, "door"]
}

const top = 7

/** Nothing below may import these: they are for others to import. */
const entrances = new Set(["index.ts", "Http.ts", "testing.ts", "bin.ts", "chat.ts"])

/** The modules of effect that compute and do nothing else. */
const pureModules = new Set(
  [
    ["Array", "BigDecimal", "Brand", "Chunk", "Combiner", "Data", "DateTime", "Duration", "Encoding", "Equal", "Equivalence"],
    ["Filter", "Function", "Hash", "HashMap", "HashSet", "Iterable", "Match", "MutableHashMap", "Number", "Optic", "Option"],
    ["Order", "Pipeable", "Predicate", "Record", "Reducer", "RegExp", "Result", "Schema", "SchemaAST", "SchemaGetter"],
    ["SchemaIssue", "SchemaParser", "SchemaTransformation", "String", "Struct", "Tuple", "Types", "Unify"]
  ].flat().map((name) => `effect/${name}`)
)

/** Globals by which a pure file would know the time, chance, or the world outside. */
const impureGlobals = new Set([
  "process",
  "console",
  "performance",
  "crypto",
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask"
])

const barrels = new Set(["effect", "@effect/platform-node"])

const member = (node: Node): string | undefined => {
  if (node.type !== "MemberExpression") return undefined
  const { object, property } = node as unknown as { object: Node; property: Node }
  return object.type === "Identifier" && property.type === "Identifier"
    ? `${String(object["name"])}.${String(property["name"])}`
    : undefined
}

/** Whether an identifier is a use of a name, and not a property or a key that happens to be called so. */
const isUse = (child: string, parent: Node | undefined): boolean =>
  !(parent !== undefined && (child === "property" || child === "key") && parent["computed"] !== true)

const impurities = function*(program: Node): Generator<readonly [place: number, problem: string]> {
  for (const [node, child, parent] of nodes(program)) {
    const called = member(node)
    if (called === "Date.now" || called === "Math.random") yield [node.start, `a pure file must not call ${called}`]
    if (node.type === "NewExpression" && (node["arguments"] as ReadonlyArray<Node>).length === 0) {
      const callee = node["callee"] as Node
      if (callee["name"] === "Date") yield [node.start, "a pure file must not ask for the time"]
    }
    if (node.type === "Identifier" && isUse(child, parent) && impureGlobals.has(String(node["name"]))) {
      yield [node.start, `a pure file must not use ${String(node["name"])}`]
    }
  }
}

/** Everything that is wrong with these files of src, by path: one line each. */
export const violations = (files: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const edges = new Map<string, Array<string>>()

  for (const [file, source] of files) {
    const complain = (place: number, problem: string) => problems.push(`src/${file}:${lineAt(source, place)}: ${problem}`)
    const known = floors[file]
    if (known === undefined) {
      complain(0, "has no floor; give it one in scripts/floors.ts")
      continue
    }
    const [floor, kind] = known
    const program = parse(source, false, file.endsWith(".tsx") ? "tsx" : "ts")
    const below: Array<string> = []
    edges.set(file, below)

    for (const { specifier, start } of imports(program)) {
      if (barrels.has(specifier)) complain(start, `imports the barrel ${specifier}; import the module itself`)
      if (kind === "pure" && !specifier.startsWith(".") && !pureModules.has(specifier)) {
        complain(start, `is pure and must not import ${specifier}`)
      }
      if (!specifier.startsWith(".")) continue
      const target = posix.join(posix.dirname(file), specifier)
      const found = floors[target]
      if (target.startsWith("..")) complain(start, `imports ${specifier}, which is outside src`)
      else if (!files.has(target)) complain(start, `imports ${specifier}, which is not there`)
      if (found === undefined) continue
      below.push(target)
      if (found[0] > floor) complain(start, `is on floor ${floor} and must not import ${target}, which is on floor ${found[0]}`)
      if (found[1] === "adapter" && floor < top && posix.dirname(target) !== posix.dirname(file)) {
        complain(start, `must not import the adapter ${target}; only the door and tests do`)
      }
      if (entrances.has(target) && !(file === "chat.ts" && target === "bin.ts")) complain(start, `must not import ${target}, which is for others`)
      if (target.startsWith("Testing/") && file !== "testing.ts" && !file.startsWith("Testing/")) {
        complain(start, `must not import ${target}, which is for tests`)
      }
    }

    if (kind === "pure") { for (const [place, problem] of impurities(program)) complain(place, problem) }
    else if (kind !== "door") {
      for (const [node, child, parent] of nodes(program)) {
        if (node.type === "Identifier" && node["name"] === "process" && isUse(child, parent)) {
          complain(node.start, "only bin.ts may touch the process")
        }
      }
    }
  }

  for (const circle of circles(edges)) problems.push(`src/${circle[0]}:1: imports itself by way of ${circle.slice(1).join(", ")}`)
  return problems
}

/** Each way by which a file comes back to itself, once. */
const circles = (edges: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const found: Array<ReadonlyArray<string>> = []
  const done = new Set<string>()
  const walk = (file: string, path: ReadonlyArray<string>): void => {
    const again = path.indexOf(file)
    if (again !== -1) return void found.push([...path.slice(again), file])
    if (done.has(file)) return
    for (const next of edges.get(file) ?? []) walk(next, [...path, file])
    done.add(file)
  }
  for (const file of edges.keys()) walk(file, [])
  return found
}

/** Floors of files that are gone, for the table must not promise what is not there. */
export const unused = (files: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  Object.keys(floors).filter((file) => !files.has(file)).map((file) => `src/${file}:1: has a floor in scripts/floors.ts and is not there`)

if (process.argv[1] === import.meta.filename) {
  const src = join(root, "src")
  const files = new Map(filesBelow(src).filter((file) => /\.tsx?$/.test(file)).map((file) => [file, readFileSync(join(src, file), "utf8")]))
  const problems = [...violations(files), ...unused(files)]
  for (const problem of problems) console.log(problem)
  if (problems.length > 0) process.exitCode = 1
  else console.log(`${files.size} files, imports go down only`)
}
