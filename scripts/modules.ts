/** Reads TypeScript well enough to say which modules a file names, and to look at each of its nodes. */
import { parseAst } from "rolldown/parseAst"

export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** A module that a file names, and where: `start` and `end` enclose the specifier with its quotes. */
export interface Import {
  readonly specifier: string
  readonly start: number
  readonly end: number
  /** Whether nothing of it is there at run time. */
  readonly typeOnly: boolean
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value && "start" in value

/** Every node of a program, from the outside in. `child` says under which name its parent has it. */
export function* nodes(node: Node, child = ""): Generator<readonly [node: Node, child: string, parent: Node | undefined]> {
  yield* below(node, child, undefined)
}

function* below(node: Node, child: string, parent: Node | undefined): Generator<readonly [Node, string, Node | undefined]> {
  yield [node, child, parent]
  for (const [name, value] of Object.entries(node)) {
    for (const one of Array.isArray(value) ? value : [value]) if (isNode(one)) yield* below(one, name, node)
  }
}

export const parse = (source: string, declarations = false, lang: "ts" | "tsx" = "ts"): Node =>
  parseAst(source, { lang: declarations ? "dts" : lang }) as unknown as Node

const sources = new Set(["ImportDeclaration", "ExportAllDeclaration", "ExportNamedDeclaration", "ImportExpression", "TSImportType"])

/** The modules a parsed file names: imported, exported from, loaded later, or only as types. */
export const imports = (program: Node): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  for (const [node] of nodes(program)) {
    if (!sources.has(node.type)) continue
    const source = node["source"]
    if (!isNode(source) || typeof source["value"] !== "string") continue
    const typeOnly = node.type === "TSImportType" || node["importKind"] === "type" || node["exportKind"] === "type"
    found.push({ specifier: source["value"], start: source.start, end: source.end, typeOnly })
  }
  return found
}

/** The line of a place in a text, from 1. */
export const lineAt = (source: string, place: number): number => source.slice(0, place).split("\n").length
