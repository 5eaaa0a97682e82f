/** Identifiers. */
import { assert, describe, it } from "@effect/vitest"
import * as Identifiers from "../src/Identifiers.ts"

describe("identifiers", () => {
  it("are each another, grow no longer than they must, and have their prefix", () => {
    const next = Identifiers.make("abcdef.")
    const names = Array.from({ length: 100_000 }, next)
    assert.strictEqual(new Set(names).size, names.length)
    for (const name of names) assert.match(name, /^abcdef\.[0-9a-z]{2,4}$/)
    assert.deepStrictEqual([names[0], names[35], names[1295], names[1296], names[46_656]], ["abcdef.00", "abcdef.0z", "abcdef.zz", "abcdef.100", "abcdef.1000"])
  })
})
