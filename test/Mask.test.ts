/** Masks of people: what they are when they are whole, and whom they fit. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Mask from "../src/Mask.ts"
import { Arbitraries } from "../src/testing.ts"

const { among, oneOf, string } = Arbitraries
const runs = { arbitrary: { runs: 500 } }

const joined = (parts: Arbitrary.Arbitrary<string>, maxLength = 8) =>
  Arbitrary.map(Arbitrary.array(parts, { maxLength }), (some) => some.join(""))
/** Masks of few letters, so that they often fit. */
const pattern = joined(among("a", "b", "A", "*", "?", "**", "!", "@", "*a", "[a]", "(a+)+", "\\", "^", "$", "."))
const text = joined(among("a", "b", "A", "B", "!", "@", "*", "?", "[", "é", "."))
const anything = oneOf(pattern, string)

const who = Arbitrary.all({
  nick: among("ana", "Ana", "[bo]", "b|o", "c-3", "^_^"),
  user: among("plain", "~ana", "json", "a.b"),
  address: among("::1", "192.0.2.7", "2001:db8::7", "elsewhere.example")
})

/** The same by its definition: a star is nothing, or a character and a star. */
const reference = (pattern: string, text: string): boolean => {
  const lower = (letter: string) => /^[A-Z]$/.test(letter) ? letter.toLowerCase() : letter
  // Whether the rest of the pattern fits each rest of the text, from the last sign of the pattern to the first.
  let fits = Array.from({ length: text.length + 1 }, (_, j) => j === text.length)
  for (const sign of pattern.split("").reverse()) {
    const next: Array<boolean> = []
    for (let j = text.length; j >= 0; j--) {
      next[j] = sign === "*" ? fits[j]! || next[j + 1] === true : j < text.length && (sign === "?" || lower(sign) === lower(text[j]!)) && fits[j + 1]!
    }
    fits = next
  }
  return fits[0]!
}

/** A text that counts how often somebody looks at a character of it. */
const counted = (text: string) => {
  const looks = { count: 0 }
  const looked = new Proxy([...text], {
    get: (characters, index) => {
      if (index === "replace") return () => looked
      if (index === "charCodeAt") return (at: number) => characters[at]!.charCodeAt(0)
      if (index !== "length") looks.count++
      return Reflect.get(characters, index) as unknown
    }
  }) as unknown as string
  return { looks, looked }
}

describe("a whole mask", () => {
  it.prop("is whole already", { mask: anything }, ({ mask }) => {
    const whole = Mask.whole(mask)
    assert.strictEqual(Mask.whole(whole), whole)
    assert.match(whole, /^[^!]+![^]+@[^]+$/)
    assert.isAtMost(whole.length, Math.max(mask.length, 1) + 4)
  }, runs)

  it("has the parts that were left out", () => {
    const masks = [
      ["ana", "ana!*@*"], ["*", "*!*@*"], ["ana!plain", "ana!plain@*"], ["ana!plain@::1", "ana!plain@::1"], ["plain@::1", "*!plain@::1"],
      ["@::1", "*!*@::1"], ["!plain", "*!plain@*"], ["ana!", "ana!*@*"], ["ana!@", "ana!*@*"], ["ana!@::1", "ana!*@::1"], ["!@", "*!*@*"],
      ["@", "*!*@*"], ["", "*!*@*"], ["ana@", "*!ana@*"], ["A?!x@Y", "A?!x@Y"]
    ] as const
    for (const [mask, whole] of masks) assert.strictEqual(Mask.whole(mask), whole, mask)
  })

  it.prop("fits whom it was made of, in any case and with any part left out", { who }, ({ who }) => {
    const { address, nick, user } = who
    const written = Mask.written(who)
    for (const mask of [written, nick, `${nick}!${user}`, `${user}@${address}`, `@${address}`, `!${user}`, `${nick}!@${address}`, "*", ""]) {
      for (const one of [mask, mask.toUpperCase(), mask.toLowerCase()]) assert.isTrue(Mask.fits(Mask.whole(one), written), one)
    }
    for (const mask of [`${nick}x`, `x${nick}`, `${nick}!${user}x`, `${user}x@${address}`, `@${address}x`]) assert.isFalse(Mask.fits(Mask.whole(mask), written), mask)
  }, runs)
})

describe("a mask", () => {
  it.prop("fits what its definition says", { pattern: anything, text: oneOf(text, string) }, ({ pattern, text }) => {
    assert.strictEqual(Mask.fits(pattern, text), reference(pattern, text))
  }, { arbitrary: { runs: 2_000 } })

  it.prop("fits what it was made of by putting stars and question marks for parts of it", {
    text, holes: Arbitrary.array(among("", "*", "?", "**"), { minLength: 8, maxLength: 8 })
  }, ({ holes, text }) => {
    const pattern = Array.from(text, (character, i) => {
      const hole = holes[i % holes.length]!
      return hole === "" ? character : hole === "?" && character.length === 1 ? "?" : "*"
    }).join("")
    assert.isTrue(Mask.fits(pattern, text), pattern)
    assert.isTrue(Mask.fits(pattern, text.replace(/[ab]/g, (letter) => letter.toUpperCase())), "in any case")
  }, runs)

  it("is no regular expression", () => {
    for (const [pattern, text] of [["[a-z]", "b"], ["a+", "aa"], ["a|b", "a"], [".", "b"], ["^a$", "a"], ["\\*", "a"], ["(a)", "a"]] as const) {
      assert.isFalse(Mask.fits(pattern, text), pattern)
      assert.isTrue(Mask.fits(pattern.replace("*", "?"), pattern), pattern)
    }
  })

  it("row 38: is compared in at most as many steps as the lengths multiplied, whatever it is", () => {
    const longest = Mask.maxMask
    const pathological = [
      `${"*a".repeat(longest / 2 - 1)}*b`, `${"a*".repeat(longest / 2)}b`, `${"*".repeat(longest)}b`, `${"*?".repeat(longest / 2)}b`,
      `${"?*".repeat(longest / 2)}b`, `*${"a".repeat(longest - 2)}b`, `${"*a".repeat(20)}${"a".repeat(longest - 41)}b`
    ]
    for (const pattern of pathological) {
      for (const text of ["a".repeat(1_000), "ab".repeat(500) + "c"]) {
        const [p, t] = [counted(pattern), counted(text)]
        assert.strictEqual(Mask.fits(p.looked, t.looked), reference(pattern, text), pattern.slice(0, 20))
        assert.isAtMost(p.looks.count + t.looks.count, 4 * pattern.length * text.length, pattern.slice(0, 20))
        assert.isAbove(p.looks.count, 0, "it was counted")
      }
    }
  })

  it("row 38: of stars only is compared in as many steps as the text is long", () => {
    for (const pattern of ["*", "*".repeat(Mask.maxMask), "*?*", "a*"]) {
      const [p, t] = [counted(pattern), counted("a".repeat(100_000))]
      assert.isTrue(Mask.fits(p.looked, t.looked))
      assert.isAtMost(p.looks.count + t.looks.count, 10 * 100_000)
    }
  })
})
