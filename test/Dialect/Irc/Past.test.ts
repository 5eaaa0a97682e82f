/** What IRC clients are told of the past. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Log, LogError } from "../../../src/Log.ts"
import { open } from "../../house.ts"
import { onIrc, scenes } from "../../scene.ts"

describe("CHATHISTORY", () => {
  const talk = (lines: string) => `
    ana has batch draft/chathistory
    #den: ana bo
    bo > PRIVMSG #den :one
    ana < bo PRIVMSG #den :one
    bo > TOPIC #den :tea
    bo < 482 bo #den :You're not channel operator
    ana > TOPIC #den :tea
    ana bo < ana TOPIC #den :tea
    bo > PRIVMSG #den :\\x01ACTION two\\x01
    ana < bo PRIVMSG #den :\\x01ACTION two\\x01
    bo > NOTICE #den :three
    ana < bo NOTICE #den :three
    ${lines}`
  scenes("IRCv3 chathistory", [
    ["the latest, as they were, and nothing but what was said", talk(`
      ana > CHATHISTORY LATEST #den * 50
      ana < BATCH +b1 chathistory #den
      ana < @batch=b1 bo PRIVMSG #den :one
      ana < @batch=b1 bo PRIVMSG #den :\\x01ACTION two\\x01
      ana < @batch=b1 bo NOTICE #den :three
      ana < BATCH -b1
      ana > CHATHISTORY latest #DEN * 1
      ana < BATCH +b2 chathistory #DEN
      ana < @batch=b2 bo NOTICE #den :three
      ana < BATCH -b2`)],
    ["by time", talk(`
      ana > CHATHISTORY AFTER #den timestamp=1969-12-31T23:59:59.000Z 2
      ana < BATCH +b1 chathistory #den
      ana < @batch=b1 bo PRIVMSG #den :one
      ana < @batch=b1 bo PRIVMSG #den :\\x01ACTION two\\x01
      ana < BATCH -b1
      ana > CHATHISTORY BEFORE #den timestamp=1970-01-01T00:00:00.001Z 2
      ana < BATCH +b2 chathistory #den
      ana < @batch=b2 bo PRIVMSG #den :\\x01ACTION two\\x01
      ana < @batch=b2 bo NOTICE #den :three
      ana < BATCH -b2
      ana > CHATHISTORY BETWEEN #den timestamp=1971-01-01T00:00:00.000Z timestamp=1969-01-01T00:00:00.000Z 1
      ana < BATCH +b3 chathistory #den
      ana < @batch=b3 bo NOTICE #den :three
      ana < BATCH -b3
      ana > CHATHISTORY AFTER #den timestamp=1970-01-01T00:00:00.000Z 2
      ana < BATCH +b4 chathistory #den
      ana < BATCH -b4`)],
    ["without batches it is told as it is", `
      #den: ana bo
      bo > PRIVMSG #den :one
      ana < bo PRIVMSG #den :one
      ana > CHATHISTORY LATEST #den * 10
      ana < bo PRIVMSG #den :one
    `],
    ["of a person: what was said between the two, whoever asks", `
      ana has batch draft/chathistory
      #den: ana bo
      ana > PRIVMSG bo :one
      bo < ana PRIVMSG bo :one
      bo > PRIVMSG ANA :two
      ana < bo PRIVMSG ana :two
      cy > PRIVMSG bo :three
      bo < cy PRIVMSG bo :three
      ana > PRIVMSG ana :four
      ana < ana PRIVMSG ana :four
      ana > CHATHISTORY LATEST Bo * 10
      ana < BATCH +b1 chathistory Bo
      ana < @batch=b1 ana PRIVMSG bo :one
      ana < @batch=b1 bo PRIVMSG ana :two
      ana < BATCH -b1
      ana > CHATHISTORY LATEST ana * 10
      ana < BATCH +b2 chathistory ana
      ana < @batch=b2 ana PRIVMSG ana :four
      ana < BATCH -b2
      bo > CHATHISTORY AFTER cy timestamp=1969-01-01T00:00:00.000Z 10
      bo < cy PRIVMSG bo :three
      ana > CHATHISTORY LATEST cy * 10
      ana < BATCH +b3 chathistory cy
      ana < BATCH -b3
    `],
    ["draft/event-playback: what else happened in a room, and nothing of people alone", `
      ana has batch draft/chathistory draft/event-playback
      bo has batch draft/chathistory
      #den: ana bo
      bo > PRIVMSG #den :one
      ana < bo PRIVMSG #den :one
      ana > TOPIC #den :tea
      ana bo < ana TOPIC #den :tea
      ana > MODE #den +mv bo
      ana bo < ana MODE #den +mv bo
      bo > AWAY :for tea
      bo < 306 bo :You have been marked as being away
      bo > NICK bob
      ana bo < bo NICK :bob
      bo > PART #den :bye
      ana bo < :bob!~bo@memory PART #den :bye
      ana > CHATHISTORY LATEST #den * 5
      ana < BATCH +b1 chathistory #den
      ana < @batch=b1 bo PRIVMSG #den :one
      ana < @batch=b1 ana TOPIC #den :tea
      ana < @batch=b1 ana MODE #den +mv bo
      ana < @batch=b1 bo NICK :bob
      ana < @batch=b1 :bob!~bo@memory PART #den :bye
      ana < BATCH -b1
      ana > CAP REQ -draft/event-playback
      ana < CAP ana ACK :-draft/event-playback
      ana > CHATHISTORY LATEST #den * 7
      ana < BATCH +b2 chathistory #den
      ana < @batch=b2 bo PRIVMSG #den :one
      ana < BATCH -b2
    `],
    ["draft/event-playback: what tags two told each other besides, but not that one was typing", `
      ana has batch message-tags draft/chathistory draft/event-playback
      bo has batch message-tags draft/chathistory
      ana > @+react=tea TAGMSG bo
      bo < @msgid=*;+react=tea ana TAGMSG bo
      ana > @+typing=active TAGMSG bo
      bo < @msgid=*;+typing=active ana TAGMSG bo
      bo > PRIVMSG ana :one
      ana < @msgid=* bo PRIVMSG ana :one
      ana > CHATHISTORY LATEST bo * 10
      ana < BATCH +b1 chathistory bo
      ana < @batch=b1;msgid=*;+react=tea ana TAGMSG bo
      ana < @batch=b1;msgid=* bo PRIVMSG ana :one
      ana < BATCH -b1
      bo > CHATHISTORY LATEST ana * 10
      bo < BATCH +b1 chathistory ana
      bo < @batch=b1;msgid=* bo PRIVMSG ana :one
      bo < BATCH -b1
    `],
    ["of rooms one is not in, that are not there, and of people who are not here", `
      #den: bo
      ana > CHATHISTORY LATEST #den * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST #den :Messages could not be retrieved
      ana > CHATHISTORY LATEST #nowhere * 10
      ana < FAIL CHATHISTORY INVALID_TARGET LATEST #nowhere :Messages could not be retrieved
      ana > CHATHISTORY BEFORE nobody timestamp=1970-01-01T00:00:00.000Z 10
      ana < FAIL CHATHISTORY INVALID_TARGET BEFORE nobody :Messages could not be retrieved
    `],
    ["asked for wrongly", `
      #den: ana
      ana > CHATHISTORY
      ana < FAIL CHATHISTORY INVALID_PARAMS * :Insufficient parameters
      ana > CHATHISTORY LATEST #den *
      ana < FAIL CHATHISTORY INVALID_PARAMS LATEST :Insufficient parameters
      ana > CHATHISTORY BETWEEN #den msgid=a 10
      ana < FAIL CHATHISTORY INVALID_PARAMS BETWEEN :Insufficient parameters
      ana > CHATHISTORY FOO #den * 10
      ana < FAIL CHATHISTORY INVALID_PARAMS FOO :Unknown command
      ana > CHATHISTORY LATEST #den * ten
      ana < FAIL CHATHISTORY INVALID_PARAMS LATEST ten :Invalid limit
      ana > CHATHISTORY BEFORE #den * 10
      ana < FAIL CHATHISTORY INVALID_PARAMS BEFORE * :Invalid message reference
      ana > CHATHISTORY BEFORE #den timestamp=yesterday 10
      ana < FAIL CHATHISTORY INVALID_PARAMS BEFORE timestamp=yesterday :Invalid message reference
    `]
  ])

  const ever = "timestamp=1969-01-01T00:00:00.000Z timestamp=2099-01-01T00:00:00.000Z"
  const back = "timestamp=2099-01-01T00:00:00.000Z timestamp=1969-01-01T00:00:00.000Z"
  scenes("IRCv3 chathistory, TARGETS", [
    ["one's rooms by when they were talked in last", `
      ana has batch draft/chathistory
      #den: ana bo
      #nest: ana bo
      #still: ana
      #hive: bo
      bo > PRIVMSG #den :one
      ana < bo PRIVMSG #den :one
      bo > PRIVMSG #hive :where ana is not
      1 minute pass
      bo > PRIVMSG #nest :two
      ana < bo PRIVMSG #nest :two
      ana > CHATHISTORY TARGETS ${ever} 10
      ana < BATCH +b1 draft/chathistory-targets
      ana < @batch=b1 CHATHISTORY TARGETS #den 1970-01-01T00:00:00.000Z
      ana < @batch=b1 CHATHISTORY TARGETS #nest 1970-01-01T00:01:00.000Z
      ana < BATCH -b1
      1 minute pass
      bo > PRIVMSG #den :three
      ana < bo PRIVMSG #den :three
      ana > CHATHISTORY targets ${back} 10
      ana < BATCH +b2 draft/chathistory-targets
      ana < @batch=b2 CHATHISTORY TARGETS #nest 1970-01-01T00:01:00.000Z
      ana < @batch=b2 CHATHISTORY TARGETS #den 1970-01-01T00:02:00.000Z
      ana < BATCH -b2
    `],
    ["at most so many, those nearest to where it begins; neither end is in it", `
      ana has batch draft/chathistory
      #den: ana bo
      #nest: ana bo
      bo > PRIVMSG #den :one
      ana < bo PRIVMSG #den :one
      1 minute pass
      bo > PRIVMSG #nest :two
      ana < bo PRIVMSG #nest :two
      ana > CHATHISTORY TARGETS ${ever} 1
      ana < BATCH +b1 draft/chathistory-targets
      ana < @batch=b1 CHATHISTORY TARGETS #den 1970-01-01T00:00:00.000Z
      ana < BATCH -b1
      ana > CHATHISTORY TARGETS ${back} 1
      ana < BATCH +b2 draft/chathistory-targets
      ana < @batch=b2 CHATHISTORY TARGETS #nest 1970-01-01T00:01:00.000Z
      ana < BATCH -b2
      ana > CHATHISTORY TARGETS timestamp=1970-01-01T00:00:00.000Z timestamp=1970-01-01T00:01:00.000Z 10
      ana < BATCH +b3 draft/chathistory-targets
      ana < BATCH -b3
      ana > CHATHISTORY TARGETS ${ever} 0
      ana < BATCH +b4 draft/chathistory-targets
      ana < BATCH -b4
    `],
    ["and whom one whispered with, as long as they are here", `
      ana has batch draft/chathistory
      #den: ana bo
      ana > PRIVMSG bo :one
      bo < ana PRIVMSG bo :one
      cy > PRIVMSG ana :two
      ana < cy PRIVMSG ana :two
      1 minute pass
      bo > PRIVMSG #den :three
      ana < bo PRIVMSG #den :three
      1 minute pass
      bo > NOTICE ana :four
      ana < bo NOTICE ana :four
      cy > PRIVMSG bo :five
      bo < cy PRIVMSG bo :five
      ana > CHATHISTORY TARGETS ${ever} 10
      ana < BATCH +b1 draft/chathistory-targets
      ana < @batch=b1 CHATHISTORY TARGETS cy 1970-01-01T00:00:00.000Z
      ana < @batch=b1 CHATHISTORY TARGETS #den 1970-01-01T00:01:00.000Z
      ana < @batch=b1 CHATHISTORY TARGETS bo 1970-01-01T00:02:00.000Z
      ana < BATCH -b1
      cy > QUIT :bye
      cy < ERROR :Closing link: Quit: bye
      ana > CHATHISTORY TARGETS ${back} 2
      ana < BATCH +b2 draft/chathistory-targets
      ana < @batch=b2 CHATHISTORY TARGETS #den 1970-01-01T00:01:00.000Z
      ana < @batch=b2 CHATHISTORY TARGETS bo 1970-01-01T00:02:00.000Z
      ana < BATCH -b2
      bo > CHATHISTORY TARGETS ${ever} 10
      bo < CHATHISTORY TARGETS #den 1970-01-01T00:01:00.000Z
    `],
    ["with a label, and without batches", `
      ana has batch labeled-response draft/chathistory
      #den: ana bo
      bo > PRIVMSG #den :one
      ana < bo PRIVMSG #den :one
      ana > @label=x CHATHISTORY TARGETS ${ever} 1
      ana < @label=x BATCH +b1 draft/chathistory-targets
      ana < @batch=b1 CHATHISTORY TARGETS #den 1970-01-01T00:00:00.000Z
      ana < BATCH -b1
      bo > CHATHISTORY TARGETS ${ever} 1
      bo < CHATHISTORY TARGETS #den 1970-01-01T00:00:00.000Z
    `],
    ["asked for wrongly", `
      #den: ana
      ana > CHATHISTORY TARGETS
      ana < FAIL CHATHISTORY INVALID_PARAMS TARGETS :Insufficient parameters
      ana > CHATHISTORY TARGETS ${ever}
      ana < FAIL CHATHISTORY INVALID_PARAMS TARGETS :Insufficient parameters
      ana > CHATHISTORY TARGETS msgid=a timestamp=2099-01-01T00:00:00.000Z 10
      ana < FAIL CHATHISTORY INVALID_PARAMS TARGETS msgid=a :Invalid timestamp
      ana > CHATHISTORY TARGETS timestamp=2099-01-01T00:00:00.000Z * 10
      ana < FAIL CHATHISTORY INVALID_PARAMS TARGETS * :Invalid timestamp
      ana > CHATHISTORY TARGETS ${ever} ten
      ana < FAIL CHATHISTORY INVALID_PARAMS TARGETS ten :Invalid limit
    `]
  ])

  it.effect("IRCv3 chathistory: by message, before, after, between and around", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "batch echo-message message-tags draft/chathistory")
      ana.client.send("JOIN #den\r\n" + Array.from({ length: 10 }, (_, i) => `PRIVMSG #den :m${i}\r\n`).join(""))
      yield* ana.fence
      const ids = ana.client.text().split("\r\n").flatMap((line) => /msgid=([^; ]+)\S* \S+ PRIVMSG #den :m\d$/.exec(line)?.[1] ?? [])
      assert.strictEqual(new Set(ids).size, 10)
      const page = Effect.fnUntraced(function*(query: string) {
        const before = ana.told().length
        ana.client.send(`CHATHISTORY ${query}\r\n`)
        yield* ana.fence
        const [start, ...rest] = ana.told().slice(before)
        assert.match(start!, /^BATCH \+\S+ chathistory #den$/)
        assert.match(rest.at(-1)!, /^BATCH -/)
        return rest.slice(0, -1).map((line) => line.slice(line.indexOf(" :m") + 2)).join(" ")
      })
      const at = (i: number) => `msgid=${ids[i]}`
      const pages: ReadonlyArray<readonly [query: string, page: string]> = [
        [`LATEST #den ${at(4)} 20`, "m5 m6 m7 m8 m9"],
        [`LATEST #den ${at(4)} 2`, "m8 m9"],
        [`BEFORE #den ${at(6)} 20`, "m0 m1 m2 m3 m4 m5"],
        [`BEFORE #den ${at(6)} 2`, "m4 m5"],
        [`AFTER #den ${at(3)} 20`, "m4 m5 m6 m7 m8 m9"],
        [`AFTER #den ${at(3)} 3`, "m4 m5 m6"],
        [`BETWEEN #den ${at(0)} ${at(9)} 20`, "m1 m2 m3 m4 m5 m6 m7 m8"],
        [`BETWEEN #den ${at(9)} ${at(0)} 20`, "m1 m2 m3 m4 m5 m6 m7 m8"],
        [`BETWEEN #den ${at(0)} ${at(9)} 3`, "m1 m2 m3"],
        [`BETWEEN #den ${at(9)} ${at(0)} 3`, "m6 m7 m8"],
        [`AROUND #den ${at(7)} 1`, "m7"],
        [`AROUND #den ${at(7)} 3`, "m6 m7 m8"]
      ]
      for (const [query, expected] of pages) assert.strictEqual(yield* page(query), expected, query)
    }))

  it.effect("IRCv3 chathistory: draft/event-playback, a page has as many lines as are asked for, each as it was told, whatever is not told between them", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "batch echo-message message-tags draft/chathistory draft/event-playback")
      const bo = yield* onIrc(house, "bo", "message-tags")
      ana.client.send("JOIN #den\r\n")
      yield* ana.fence
      bo.client.send("JOIN #den\r\n")
      yield* bo.fence
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 20; i++) bo.client.send(`AWAY :${i}\r\nSETNAME :${i}${round}\r\n@+typing=active TAGMSG #den\r\n`)
        yield* bo.fence
        ana.client.send(`MODE #den +mv-m+l-v bo ${round + 1} bo\r\nPRIVMSG #den :${round}\r\n@+react=x TAGMSG #den\r\nMODE #den +i-i\r\n`)
        yield* ana.fence
      }
      const lines = (text: string) => text.split("\r\n").filter((line) => / (?:JOIN|MODE|PRIVMSG) |react/.test(line)).map((line) => line.replace(/batch=[^;]+;/, ""))
      const live = lines(ana.client.text()).filter((line) => line.startsWith("@"))
      assert.strictEqual(live.length, 14)
      const idOf = (line: string | undefined) => /msgid=([^; ]+)/.exec(line ?? "")![1]!
      const page = Effect.fnUntraced(function*(query: string) {
        const before = ana.client.text().length
        ana.client.send(`CHATHISTORY ${query}\r\n`)
        yield* ana.fence
        return lines(ana.client.text().slice(before))
      })
      for (const limit of [1, 2, 3, 5]) {
        const backwards = [...(yield* page(`LATEST #den * ${limit}`))]
        while (backwards.length < live.length) backwards.unshift(...(yield* page(`BEFORE #den msgid=${idOf(backwards[0])} ${limit}`)))
        assert.deepStrictEqual(backwards, live, `back, ${limit} at a time`)
        const forwards = [live[0]!]
        while (forwards.length < live.length) forwards.push(...(yield* page(`AFTER #den msgid=${idOf(forwards.at(-1))} ${limit}`)))
        assert.deepStrictEqual(forwards, live, `on, ${limit} at a time`)
        const [first, last] = [`msgid=${idOf(live[0])}`, `msgid=${idOf(live[13])}`]
        assert.deepStrictEqual(yield* page(`BETWEEN #den ${first} ${last} ${limit}`), live.slice(1, 1 + limit))
        assert.deepStrictEqual(yield* page(`BETWEEN #den ${last} ${first} ${limit}`), live.slice(13 - limit, 13))
        assert.deepStrictEqual(yield* page(`AROUND #den msgid=${idOf(live[7])} ${limit}`), live.slice(7 - (limit >> 1)).slice(0, limit))
        assert.deepStrictEqual(yield* page(`AROUND #den timestamp=2099-01-01T00:00:00.000Z ${limit}`), live.slice(14 - (limit >> 1)))
      }
    }))

  it.effect("IRCv3 chathistory: of more than is told in one go, what is nearest to where it was asked from", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana", "batch echo-message message-tags draft/chathistory")
      ana.client.send("JOIN #den\r\n" + Array.from({ length: 400 }, (_, i) => `PRIVMSG #den :${"x".repeat(400)} ${i}\r\n`).join(""))
      yield* ana.fence
      const ids = Array.from(ana.client.text().matchAll(/msgid=(\S+) \S+ PRIVMSG #den :x/g), ([, id]) => id)
      const told = Effect.fnUntraced(function*(query: string) {
        const before = ana.told().length
        ana.client.send(`CHATHISTORY ${query} 400\r\n`)
        yield* ana.fence
        return ana.told().slice(before).flatMap((line) => / PRIVMSG #den :x+ (\d+)$/.exec(line)?.[1] ?? []).map(Number)
      })
      const [first, last] = [`msgid=${ids[0]}`, `msgid=${ids[399]}`]
      for (const query of [`AFTER #den ${first}`, `BETWEEN #den ${first} ${last}`]) assert.strictEqual((yield* told(query))[0], 1, query)
      for (const query of [`BEFORE #den ${last}`, `BETWEEN #den ${last} ${first}`]) assert.strictEqual((yield* told(query)).at(-1), 398, query)
      assert.strictEqual((yield* told("LATEST #den *")).at(-1), 399)
      const around = yield* told(`AROUND #den msgid=${ids[200]}`)
      assert.isBelow(around.length, 400)
      assert.strictEqual(around[around.length >> 1], 200)
      const number = around.map((one) => one - around[0]!)
      assert.deepStrictEqual(number, Array.from(number, (_, i) => i), "all in between")
    }))

  it.effect("IRCv3 chathistory: a message that is none there, or none any more, is said not to be there, by whatever it is asked", () =>
    Effect.gen(function*() {
      const house = yield* open({ history: 3 })
      const ana = yield* onIrc(house, "ana", "batch echo-message message-tags draft/chathistory")
      ana.client.send("JOIN #den\r\nJOIN #nest\r\nPRIVMSG #nest :elsewhere\r\n" + Array.from({ length: 5 }, (_, i) => `PRIVMSG #den :m${i}\r\n`).join(""))
      yield* ana.fence
      const idOf = (text: string) => new RegExp(`msgid=([^; ]+)\\S* \\S+ PRIVMSG #\\w+ :${text}\r`).exec(ana.client.text())![1]!
      for (const id of [idOf("m0"), idOf("elsewhere"), "nonesuch"]) {
        const before = ana.told().length
        const queries = [`LATEST #den msgid=${id}`, `BEFORE #den msgid=${id}`, `AFTER #den msgid=${id}`, `AROUND #den msgid=${id}`,
          `BETWEEN #den msgid=${id} msgid=${idOf("m4")}`, `BETWEEN #den msgid=${idOf("m4")} msgid=${id}`, `LATEST ana msgid=${id}`]
        ana.client.send(queries.map((query) => `CHATHISTORY ${query} 10\r\n`).join(""))
        yield* ana.fence
        assert.deepStrictEqual(ana.told().slice(before), queries.map((query) => {
          const [sub, target] = query.split(" ")
          return `FAIL CHATHISTORY MESSAGE_ERROR ${sub} ${target} :Messages could not be retrieved`
        }))
      }
    }))

  it.effect("IRCv3 chathistory: a log that cannot be read is no empty past", () =>
    Effect.gen(function*() {
      const memory = Context.get(yield* Layer.build(Log.layerMemory({ history: 10 })), Log)
      const read = () => Effect.fail(new LogError({ message: "the disk is gone" }))
      const house = yield* open({ log: Layer.succeed(Log, Log.of({ ...memory, read })) })
      const ana = yield* onIrc(house, "ana", "batch labeled-response message-tags draft/chathistory")
      ana.client.send("JOIN #den\r\nPRIVMSG #den :hi\r\n")
      yield* ana.fence
      ana.client.send("@label=x CHATHISTORY LATEST #den * 10\r\n")
      yield* ana.fence
      assert.strictEqual(ana.told().at(-1), "@label=x FAIL CHATHISTORY MESSAGE_ERROR LATEST #den :Messages could not be retrieved")
    }))
})
