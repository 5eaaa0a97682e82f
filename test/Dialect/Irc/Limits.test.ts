/** docs/survive.md, rows 35 to 39 and 44, on IRC: what a client may have of channels, targets, lists, masks, requests and other people's nicks. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { open, settled } from "../../house.ts"
import { onIrc, play, scenes } from "../../scene.ts"

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const heard = (lines: ReadonlyArray<string>, pattern: RegExp) => lines.filter((line) => pattern.test(line)).length

describe("row 35: channels", () => {
  it.effect("row 35: ten thousand JOINs come to 50 channels and 405 for the others; JOIN 0 leaves them all", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      for (const i of numbers(100)) ana.client.send(numbers(100).map((j) => `JOIN #r${i * 100 + j}\r\n`).join(""))
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^ana JOIN #r/), 50)
      assert.strictEqual(heard(ana.told(), /^405 ana #r\d+ :You have joined too many channels$/), 9950)
      ana.client.send("JOIN 0\r\n")
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^ana PART #r/), 50)
      ana.client.send(`JOIN ${numbers(60).map((i) => `#s${i}`).join(",")}\r\n`)
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^ana JOIN #s/), 50)
      assert.strictEqual(heard(ana.told(), /^405 ana #s/), 10)
    }))

  scenes("row 35", [
    ["names that are none are 403, with nothing in them that a terminal obeys", `
      ana > JOIN #a\\x07,#b/c,#..,#${"x".repeat(65)}
      ana < 403 ana #a :No such channel
      ana < 403 ana #b/c :No such channel
      ana < 403 ana #.. :No such channel
      ana < 403 ana #${"x".repeat(65)} :No such channel
    `]
  ])
})

describe("row 36: targets and storms", () => {
  it.effect("row 36: as many targets as go into a line are 407, and nobody is told anything", () =>
    play(`
      a > PRIVMSG ${numbers(200).map(() => "a").join(",")},b,c,d,e :hi
      a < 407 a a :Too many targets, at most 4
      b > PING
      b < 461 b PING :Not enough parameters
    `))

  it.effect("row 36: a storm of WHO, LIST and NAMES is slowed, a client that answers itself is not lost", () =>
    Effect.gen(function*() {
      const house = yield* open({ rate: { burst: 10, perSecond: 2 } })
      const ana = yield* onIrc(house, "ana")
      ana.client.send(numbers(20).map(() => "WHO *\r\nLIST\r\nNAMES #none\r\n").join(""))
      yield* settled
      const answers = () => heard(ana.told(), /^(?:315|323|366) /)
      assert.isAtMost(answers(), 10)
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.isAtMost(answers(), 30)
      yield* TestClock.adjust("20 seconds")
      yield* settled
      assert.strictEqual(answers(), 60)
    }))

  it.effect("row 36: who asks for much and does not read costs no more than a client may", () =>
    Effect.gen(function*() {
      const house = yield* open()
      for (const i of numbers(60)) yield* onIrc(house, `somebody${i}`)
      const ana = yield* onIrc(house, "ana")
      ana.client.stopReading()
      for (const _ of numbers(40)) ana.client.send(numbers(20).map(() => "WHO *\r\n").join(""))
      yield* settled
      assert.isAtMost(ana.client.connection.unsent(), 262_144)
      ana.client.startReading()
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^315 /), 800)
    }))
})

describe("row 37: lists", () => {
  it.effect("row 37: a channel has 100 masks of a kind, 100 invited, a topic of 390 bytes; a client watches 100 nicks", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      ana.client.send("JOIN #den\r\n")
      for (const letter of "beI") ana.client.send(numbers(101).map((i) => `MODE #den +${letter} n${i}\r\n`).join(""))
      yield* ana.fence
      for (const [letter, item] of [["b", "367"], ["e", "348"], ["I", "346"]] as const) {
        assert.strictEqual(heard(ana.told(), new RegExp(`^478 ana #den ${letter} :`)), 1, letter)
        ana.client.send(`MODE #den ${letter}\r\n`)
        yield* ana.fence
        assert.strictEqual(heard(ana.told(), new RegExp(`^${item} `)), 100, letter)
      }
      for (const i of numbers(101)) {
        const guest = yield* onIrc(house, `guest${i}x`)
        ana.client.send(`INVITE guest${i}x #den\r\n`)
        yield* guest.fence
      }
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^341 /), 100)
      assert.strictEqual(heard(ana.told(), /^478 ana #den \* :/), 1)
      ana.client.send(`TOPIC #den :${"é".repeat(220)}\r\n`)
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^ana TOPIC #den :é{195}$/), 1)
      ana.client.send(numbers(101).map((i) => `MONITOR + m${i}\r\n`).join(""))
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^731 ana m\d+$/), 100)
      assert.strictEqual(heard(ana.told(), /^734 ana 100 m100 :Monitor list is full$/), 1)
    }))
})

describe("row 38: masks", () => {
  it.effect("row 38: the most twisted masks are answered at once, for everybody that there is", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      for (const i of numbers(100)) {
        const one = yield* onIrc(house, `a${"a".repeat(28)}${i}`)
        one.client.send(`SETNAME :${"a".repeat(150)}\r\n`)
        yield* one.fence
      }
      const twisted = `${"*a".repeat(60)}b`
      const began = performance.now()
      ana.client.send(numbers(20).map(() => `WHO ${twisted}\r\nLIST ${twisted}\r\n`).join(""))
      yield* ana.fence
      assert.strictEqual(heard(ana.told(), /^315 /), 20)
      assert.isBelow(performance.now() - began, 2000)
    }))

  scenes("row 38", [
    ["what means something in regular expressions means itself", `
      #den: ana
      ana > MODE #den +b (.+)+$!.*@.*
      ana < ana MODE #den +b (.+)+$!.*@.*
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
})

describe("row 39: requests between clients", () => {
  scenes("row 39", [
    ["are passed on without controls; people on plain text see what they are", `
      pia speaks plain
      ana > PRIVMSG bo :\\x01VERSION\\x07\\x01
      bo < ana PRIVMSG bo :\\x01VERSION\\x01
      bo > NOTICE ana :\\x01VERSION a \\x07client\\x01
      ana < bo NOTICE ana :\\x01VERSION a client\\x01
      ana > PRIVMSG pia :\\x01DCC SEND file 3232235777 1024 99\\x01
      pia < [ana] ␁DCC SEND file 3232235777 1024 99␁
    `]
  ])
})

describe("row 44: people who leave or are called something else meanwhile", () => {
  it.effect("row 44: what is said to them as they leave is told nobody else, and what is said then is 401", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      for (const i of numbers(20)) {
        const bo = yield* onIrc(house, `bo${i}`)
        const cy = yield* onIrc(house, `cy${i}`)
        const ways = [() => bo.client.send("QUIT\r\n"), () => ana.client.send(`PRIVMSG bo${i} :secret${i}\r\n`)]
        for (const way of i % 2 === 0 ? ways : ways.toReversed()) way()
        cy.client.send(`NICK bob${i}\r\n`)
        yield* Effect.all([ana.fence, cy.fence, bo.client.closed])
        const refused = heard(ana.told(), new RegExp(`^401 ana bo${i} :No such nick/channel$`))
        assert.isAtMost(refused + heard(bo.told(), new RegExp(`PRIVMSG bo${i} :secret${i}$`)), 1)
        ana.client.send(`PRIVMSG bo${i} :still there?\r\n`)
        yield* ana.fence
        assert.strictEqual(heard(ana.told(), new RegExp(`^401 ana bo${i} :`)), refused + 1)
        cy.client.send(`NICK bo${i}\r\n`)
        yield* cy.fence
        assert.strictEqual(heard(cy.told(), /secret|there/), 0)
      }
    }))

  it.effect("row 44: who takes a new nick is told under it, or not at all", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      const bo = yield* onIrc(house, "bo0")
      for (const i of numbers(20)) {
        const ways = [() => bo.client.send(`NICK bo${i + 1}\r\n`), () => ana.client.send(`PRIVMSG bo${i} :word${i}\r\n`)]
        for (const way of i % 2 === 0 ? ways : ways.toReversed()) way()
        yield* Effect.all([ana.fence, bo.fence])
        const refused = heard(ana.told(), new RegExp(`^401 ana bo${i} :`))
        assert.strictEqual(refused + heard(bo.told(), new RegExp(`PRIVMSG bo${i} :word${i}$`)), 1)
      }
    }))
})
