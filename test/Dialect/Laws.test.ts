import { describe, it } from "@effect/vitest"
import { auto } from "../../src/Dialect/Auto.ts"
import { irc } from "../../src/Dialect/Irc.ts"
import { json } from "../../src/Dialect/Json.ts"
import { plain } from "../../src/Dialect/Plain.ts"
import { raw } from "../../src/Dialect/Raw.ts"
import { Laws } from "../../src/testing.ts"

/** What IRC clients read as a line's end, a request of another's client, and colours. */
const irced = { writes: "\\r\\u0001\\u0002\\u0003\\u0004\\u000f\\u0011\\u0016\\u001d\\u001e\\u001f" }

const dialects = [
  { dialect: raw, options: { untouched: true } },
  { dialect: plain, options: {} },
  { dialect: json, options: {} },
  { dialect: irc, options: irced },
  { dialect: auto({ text: plain, json, irc }), options: irced }
]

for (const { dialect, options } of dialects) {
  describe(`the ${dialect.name} dialect`, () => {
    for (const law of Laws.dialectLaws(dialect, options)) {
      it.effect(law.name, () => law.check({ runs: 300 }))
    }
  })
}
