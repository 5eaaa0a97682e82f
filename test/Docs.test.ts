import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { filesBelow, root } from "../scripts/root.ts"
import { survive } from "../scripts/survive.ts"
import * as Words from "../src/Dialect/Words.ts"

const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)]
const text = (document: string): string => readFileSync(join(root, document), "utf8")

describe("documents", () => {
  it.each(documents)("%s has no heading twice", (document) => {
    const headings = text(document).match(/^##? .*$/gm) ?? []
    assert.deepStrictEqual(headings, [...new Set(headings)])
  })
})

describe("commands", () => {
  // An installed Node of 20 does not run TypeScript; the one that the project brings does.
  it.each([...documents, ...["examples", "scripts"].flatMap((folder) => filesBelow(join(root, folder)).map((file) => `${folder}/${file}`))])(
    "%s runs scripts by the project's own Node",
    (document) => {
      assert.deepStrictEqual(text(document).match(/^.*(?<!npx )node (?:scripts|examples)\/.*$/gm) ?? [], [])
    }
  )
})

describe("README's list of commands", () => {
  it("has those that /help has", () => {
    const known = (words: string) => new Set(words.match(/(?<![\w/])\/[a-z]+/g))
    const list = text("README.md").split("is a command:\n")[1]!.split("`//x` says")[0]!
    assert.deepStrictEqual([...known(list)].toSorted(), [...known(Words.help.slice(1).join("\n"))].toSorted())
  })
})

describe("docs/survive.md", () => {
  const rows = new Set([...survive().matchAll(/^## Row (\d+)$/gm)].map(([, row]) => Number(row)))

  it("is what scripts/survive.ts makes of the names of the tests", () => {
    assert.strictEqual(text("docs/survive.md"), survive())
  })

  it("has the rows that src refers to", () => {
    const src = join(root, "src")
    const named = filesBelow(src).flatMap((file) =>
      [...readFileSync(join(src, file), "utf8").matchAll(/\brows? (\d+)(?: and (\d+))?\)/g)].flatMap(([, ...some]) => some.flatMap((row) => row === undefined ? [] : [Number(row)]))
    )
    assert.isAbove(named.length, 15)
    assert.deepStrictEqual(named.filter((row) => !rows.has(row)), [])
  })
})
