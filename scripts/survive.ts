/**
 * Prints docs/survive.md: the rows of what the server is to survive, each with the tests that are named after it.
 *
 *   npx node scripts/survive.ts > docs/survive.md
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Node, parse } from "./modules.ts"
import { filesBelow, root } from "./root.ts"

const head = `# What the server is to survive

Bad inputs and faults that the server is to survive, each numbered once and called a row, with the tests that hold it to that. Names of
tests and comments in the code refer to these numbers. Rows that have no test of their own are not listed. This list is made from the
names of the tests: \`npx node scripts/survive.ts > docs/survive.md\`.
`

/** A title as it is written, without its row, and the rows it names. */
interface Title {
  readonly words: string
  readonly rows: ReadonlyArray<number>
}

interface Found {
  readonly row: number
  readonly file: string
  readonly words: string
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value

const children = (node: Node): ReadonlyArray<Node> => Object.values(node).flatMap((value: unknown) => (Array.isArray(value) ? value : [value]).filter(isNode))

/** What a string says; what is put into it, or by a table, shows as `…`. */
const said = (node: Node | undefined): string | undefined => {
  if (node?.type === "Literal" && typeof node["value"] === "string") return node["value"].replace(/%s/g, "…")
  if (node?.type !== "TemplateLiteral") return undefined
  return (node["quasis"] as ReadonlyArray<{ readonly value: { readonly cooked: string } }>).map(({ value }) => value.cooked).join("…")
}

const numbers = "\\d+(?:(?:, | and )\\d+)*"
const inFront = new RegExp(`^rows? (${numbers})(?:: |$)`)
const behind = new RegExp(` \\(rows? (${numbers})\\)$`)

const title = (text: string): Title => {
  const rows = (inFront.exec(text) ?? behind.exec(text))?.[1]?.match(/\d+/g)?.map(Number) ?? []
  return { words: text.replace(inFront, "").replace(behind, ""), rows }
}

/** `it` of `it.live.skipIf(…)(…)`. */
const rootOf = (callee: Node): string =>
  callee.type === "Identifier" ? String(callee["name"]) : rootOf((callee.type === "CallExpression" ? callee["callee"] : callee["object"] ?? callee["tag"] ?? { type: "Identifier", name: "" }) as Node)

/** Every test of a file that is named after a row, or stands among tests that are. */
function* testsOf(node: Node, above: ReadonlyArray<Title>): Generator<{ readonly words: string; readonly rows: ReadonlyArray<number> }> {
  const under = (one: Title) => ({
    words: [...above, one].map(({ words }) => words).filter((words) => words !== "").join(": "),
    rows: [...new Set([...above, one].flatMap(({ rows }) => rows))]
  })
  if (node.type === "CallExpression") {
    const called = rootOf(node["callee"] as Node)
    const [first, second] = node["arguments"] as ReadonlyArray<Node>
    const words = said(first)
    if (called === "assert") return
    if (called === "describe" && words !== undefined) {
      for (const argument of (node["arguments"] as ReadonlyArray<Node>).slice(1)) yield* testsOf(argument, [...above, title(words)])
      return
    }
    if (called === "scenes" && words !== undefined && second?.type === "ArrayExpression") {
      for (const row of second["elements"] as ReadonlyArray<Node>) {
        const what = said((row["elements"] as ReadonlyArray<Node>)[0])
        if (what !== undefined) yield under(title(`${words}: ${what}`))
      }
      return
    }
    if (called === "it" && words !== undefined) {
      yield under(title(words))
      return
    }
  }
  const words = said(node)
  // A name that a table gives to a test, or a contract to a case.
  if (words !== undefined) {
    const one = title(words)
    if (one.rows.length > 0 && one.words !== "") yield under(one)
    return
  }
  for (const child of children(node)) yield* testsOf(child, above)
}

const files = [
  ...filesBelow(join(root, "test")).filter((file) => file.endsWith(".test.ts")).map((file) => `test/${file}`),
  ...filesBelow(join(root, "src/Testing")).map((file) => `src/Testing/${file}`)
]

/** The document. */
export const survive = (): string => {
  const found: Array<Found> = []
  for (const file of files) {
    for (const { rows, words } of testsOf(parse(readFileSync(join(root, file), "utf8")), [])) {
      for (const row of rows) found.push({ row, file, words })
    }
  }
  const rows = [...new Set(found.map(({ row }) => row))].toSorted((a, b) => a - b)
  const lines = (row: number): ReadonlySet<string> => new Set(found.filter((one) => one.row === row).map(({ file, words }) => `- ${words.replaceAll("*", "\\*")} (\`${file}\`)\n`))
  return [head, ...rows.map((row) => `## Row ${row}\n\n${[...lines(row)].join("")}`)].join("\n")
}

if (process.argv[1] === import.meta.filename) process.stdout.write(survive())
