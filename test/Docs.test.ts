import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/root.ts"

const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)]
const text = (document: string): string => readFileSync(join(root, document), "utf8")

describe("documents", () => {
  it.each(documents)("%s has no heading twice", (document) => {
    const headings = text(document).match(/^##? .*$/gm) ?? []
    assert.deepStrictEqual(headings, [...new Set(headings)])
  })
})
