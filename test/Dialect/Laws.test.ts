import { describe, it } from "@effect/vitest"
import { auto } from "../../src/Dialect/Auto.ts"
import { irc } from "../../src/Dialect/Irc.ts"
import { json } from "../../src/Dialect/Json.ts"
import { plain } from "../../src/Dialect/Plain.ts"
import { raw } from "../../src/Dialect/Raw.ts"
import { Laws } from "../../src/testing.ts"

const dialects = [
  { dialect: raw, options: { untouched: true } },
  { dialect: plain, options: {} },
  { dialect: json, options: {} },
  { dialect: auto({ text: plain, json, irc }), options: {} }
]

for (const { dialect, options } of dialects) {
  describe(`the ${dialect.name} dialect`, () => {
    for (const law of Laws.dialectLaws(dialect, options)) {
      it.effect(law.name, () => law.check({ runs: 300 }))
    }
  })
}
