/**
 * What the page for browsers knows and what is typed into it, as pure functions: whatever is told, in whatever order, cut
 * wherever, every message is shown once.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Crowd from "../src/Crowd.ts"
import type { Message } from "../src/Event.ts"
import * as Model from "../src/Page/Model.ts"
import * as Typed from "../src/Page/Typed.ts"

const at = "2026-01-01T12:00:00.000Z"
const welcome = (nick: string, epoch = "e1"): Message => ({ _tag: "Welcome", server: "house", nick, epoch, motd: [] })
const said = (seq: number, nick: string, text: string, room = "lobby") =>
  ({ _tag: "Said", room, nick, text, kind: "message", seq, at, id: `i${seq}` }) as const satisfies Message
const joined = (seq: number, nick: string, room = "lobby"): Message => ({ _tag: "Joined", room, nick, seq, at, id: `i${seq}` })
const members = (room: string, ...nicks: ReadonlyArray<string>): Message =>
  ({ _tag: "Members", room, members: nicks.map((nick) => ({ nick, rank: "member", away: false })) })
const renamed = (seq: number, nick: string, to: string): Message => ({ _tag: "Renamed", nick, to, seq, at, id: `i${seq}` })
const whispered = (seq: number, nick: string, to: string, text: string): Message => ({ _tag: "Whispered", nick, to, text, kind: "message", seq, at, id: `i${seq}` })

const told = (model: Model.Model, ...messages: ReadonlyArray<Message>): Model.Model => messages.reduce(Model.tell, model)
const of = (model: Model.Model, id = "#lobby"): Model.Conversation => model.conversations.get(id)!
const texts = (model: Model.Model, id = "#lobby"): ReadonlyArray<string> => of(model, id).lines.map(({ text }) => text)
const here = (model: Model.Model, id = "#lobby"): ReadonlyArray<string> => [...of(model, id).members.values()].map(({ nick }) => nick).sort()

/** The page of wanda, who is in the lobby with bo. */
const wanda = told(Model.start, welcome("wanda"), joined(10, "wanda"), members("lobby", "wanda", "bo"))
const hidden = Model.look(wanda, false)

describe("what is shown", () => {
  it("whatever is told in whatever order and however often, a sequence number is shown once, and in order", () => {
    const message = fc.record({ seq: fc.integer({ min: 1, max: 40 }), how: fc.constantFrom("live", "live", "history", "remark", "event") })
    fc.assert(fc.property(fc.array(message, { maxLength: 60 }), (all) => {
      let model = wanda
      for (const { how, seq } of all) {
        model = how === "live"
          ? told(model, said(seq, "bo", `m${seq}`))
          : how === "history"
          ? told(model, { _tag: "Recalled", room: "lobby", complete: true, entries: [seq + 3, seq, seq + 1, seq].map((n) => said(n, "bo", `m${n}`)) })
          : how === "event"
          ? told(model, { _tag: "TopicSet", room: "lobby", nick: "bo", topic: "t", seq: seq + 100, at, id: "" })
          : Model.remark(model, "by the way")
      }
      const { lines } = of(model)
      const seqs = lines.flatMap(({ seq }) => seq ?? [])
      assert.deepStrictEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b))
      assert.strictEqual(new Set(lines.map(({ key }) => key)).size, lines.length)
      const wanted = new Set(all.flatMap(({ how, seq }) => how === "live" ? [seq] : how === "history" ? [seq, seq + 1, seq + 3] : how === "event" ? [seq + 100] : []))
      assert.deepStrictEqual(new Set(seqs), wanted)
    }), { numRuns: 300 })
  })

  it("what was found is shown as found, and leaves no hole in the conversation", () => {
    const search = (...entries: ReadonlyArray<ReturnType<typeof said>>): Message => ({ _tag: "Recalled", room: "lobby", complete: entries.length < 2, words: "old fox", entries })
    const before = Model.turnTo(told(wanda, said(20, "bo", "b"), members("den", "wanda")), "#den")
    const model = told(before, search(said(3, "cy", "an old fox"), said(5, "wanda", "Old Fox, wanda!")), said(21, "bo", "c"))
    assert.deepStrictEqual(texts(model), ["b", 'the last that was found with "old fox"', "an old fox", "Old Fox, wanda!", "end of what was found", "c"])
    assert.deepStrictEqual(of(model).lines.map(({ seq }) => seq), [20, undefined, undefined, undefined, undefined, 21])
    assert.deepStrictEqual([of(model).lines[2]!.nick, of(model).lines[2]!.at], ["cy", at])
    assert.strictEqual(of(model).unread, 1, "what is found is nothing new")
    assert.isFalse(of(model).whole)
    const older = told(model, { _tag: "Recalled", room: "lobby", complete: false, entries: [said(3, "cy", "an old fox"), said(4, "bo", "between")] })
    assert.deepStrictEqual(texts(older).slice(0, 3), ["an old fox", "between", "b"])
    assert.strictEqual(texts(told(before, search(said(3, "cy", "an old fox"))))[1], 'all that was found with "old fox"')
    assert.strictEqual(texts(told(before, search()))[1], 'nothing was found with "old fox"')
  })

  it("remarks stay where they were made when older messages come", () => {
    let model = told(wanda, said(20, "bo", "b"))
    model = told(Model.remark(model, "remark"), said(22, "bo", "d"))
    model = told(model, { _tag: "Recalled", room: "lobby", complete: true, entries: [said(12, "bo", "a"), said(21, "bo", "c"), said(30, "bo", "e")] })
    assert.deepStrictEqual(texts(model), ["a", "b", "remark", "c", "d", "e"])
  })

  it("a conversation keeps so many lines, and may ask for those it let go of", () => {
    let model = told(wanda, { _tag: "Recalled", room: "lobby", complete: true, entries: [] })
    assert.isTrue(of(model).whole)
    for (let seq = 11; seq < 11 + Model.maxLines + 5; seq++) model = told(model, said(seq, "bo", "x"))
    assert.strictEqual(of(model).lines.length, Model.maxLines)
    assert.isFalse(of(model).whole)
  })

  it("while older lines are read none is let go of, up to a bound; afterwards it keeps as many as ever", () => {
    const talk = (model: Model.Model, from: number, many: number, room = "lobby"): Model.Model =>
      Array.from({ length: many }, (_, i) => said(from + i, "bo", `m${from + i}`, room)).reduce(Model.tell, model)
    let model = Model.read(talk(wanda, 11, Model.maxLines), true)
    model = talk(model, 11 + Model.maxLines, 500)
    assert.strictEqual(texts(model)[0], "m11")
    assert.strictEqual(of(talk(talk(model, 1, Model.maxLines, "den"), 10_000, 5, "den"), "#den").lines.length, Model.maxLines, "another conversation is not read")
    const lines = Array.from({ length: Model.maxRead }, () => of(model).lines[0]!)
    const long = { ...model, conversations: new Map(model.conversations).set("#lobby", { ...of(model), lines }) }
    assert.strictEqual(of(talk(long, 20_000, 2)).lines.length, Model.maxRead)
    model = talk(Model.read(model, false), 20_000, 1)
    assert.strictEqual(of(model).lines.length, Model.maxLines)
    assert.isFalse(of(model).whole)
  })

  it("history is whole only when there is nothing older, whatever the log says of a page cut short", () => {
    const asked = Model.asking(wanda, "#lobby")
    const part = told(asked, { _tag: "Recalled", room: "lobby", complete: false, entries: [said(5, "bo", "old")] })
    assert.deepStrictEqual([of(part).whole, of(part).asked], [false, false])
    const all = told(part, { _tag: "Recalled", room: "lobby", complete: true, entries: [] })
    assert.isTrue(of(all).whole)
  })

  it("older messages that were asked for and never came can be asked for again", () => {
    const asked = Model.asking(wanda, "#lobby")
    assert.isFalse(of(told(asked, welcome("guest1"))).asked)
    assert.isFalse(of(told(asked, { _tag: "Refused", reason: "no", room: "lobby", command: "History" })).asked)
  })
})

/** A house: what happened in its rooms, and who watches. One page comes, is cut off, and comes back. */
type Doing =
  | { readonly do: "say"; readonly room: 0 | 1; readonly text: number }
  | { readonly do: "rename" | "come" | "go" }
  | { readonly do: "cut"; readonly after: number; readonly taken: boolean }

const rooms = ["lobby", "den"] as const

describe("a lost connection", () => {
  it("wherever it is cut and whatever is said meanwhile, nothing is missing and nothing is there twice", () => {
    const doing: fc.Arbitrary<Doing> = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant("say" as const), room: fc.constantFrom(0 as const, 1 as const), text: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("rename" as const, "come" as const, "go" as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const), after: fc.nat(25), taken: fc.boolean() }) }
    )
    fc.assert(fc.property(fc.array(doing, { maxLength: 40 }), (doings) => {
      const log: Array<{ readonly rooms: ReadonlyArray<string>; readonly message: Message & { readonly seq?: number } }> = []
      let seq = 0
      let bo = "bo"
      let guests = 0
      let online = true
      const keep = (where: ReadonlyArray<string>, make: (seq: number) => Message) => {
        const message = make(++seq) as Message & { readonly seq?: number }
        log.push({ rooms: where, message })
        return message
      }
      let model: Model.Model = Model.start
      /** What comes on a new connection, in the server's order. */
      const back = (): ReadonlyArray<Message> => {
        const guest = `guest${++guests}`
        const first = told(model, welcome(guest))
        const answers: Array<Message> = [welcome(guest), keep([...rooms], (n) => renamed(n, guest, "wanda"))]
        for (const room of rooms) {
          const last = first.conversations.get(`#${room}`)?.last
          for (const entry of log) if (last !== undefined && entry.rooms.includes(room) && entry.message.seq! > last) answers.push(entry.message)
          answers.push(keep([room], (n) => joined(n, "wanda", room)), members(room, "wanda", bo))
        }
        return answers
      }
      const come = (most: number): void => {
        const all = back()
        model = told(model, ...all.slice(0, most))
        online = all.length <= most
        if (!online) keep([...rooms], (n) => ({ _tag: "Quit", nick: "wanda", rooms: [...rooms], reason: "connection lost", seq: n, at, id: "" }))
      }
      come(1000)
      const happens = (where: ReadonlyArray<string>, make: (seq: number) => Message) => {
        const message = keep(where, make)
        if (online) model = told(model, message)
      }
      for (const one of doings) {
        switch (one.do) {
          case "say":
            happens([rooms[one.room]], (n) => said(n, bo, `m${one.text}`, rooms[one.room]))
            break
          case "come":
            happens(["lobby"], (n) => joined(n, `g${n}`))
            break
          case "go":
            happens([...rooms], (n) => ({ _tag: "Quit", nick: `g${n}`, rooms: [...rooms], reason: "", seq: n, at, id: "" }))
            break
          case "rename": {
            const from = bo
            bo = from === "bo" ? "bob" : "bo"
            const to = bo
            happens([...rooms], (n) => renamed(n, from, to))
            break
          }
          case "cut":
            keep([...rooms], (n) => ({ _tag: "Quit", nick: "wanda", rooms: [...rooms], reason: "connection lost", seq: n, at, id: "" }))
            // Meanwhile somebody else may be wanda, and called otherwise, and gone from a room.
            if (one.taken) {
              keep(["lobby"], (n) => joined(n, "wanda"))
              keep(["lobby"], (n) => ({ _tag: "Left", nick: "wanda", room: "lobby", seq: n, at, id: "" }))
              keep(["lobby"], (n) => renamed(n, "wanda", "wendy"))
              keep(["lobby"], (n) => said(n, bo, "meanwhile"))
            }
            come(one.after)
            break
        }
      }
      come(1000)
      assert.strictEqual(model.nick, "wanda")
      for (const room of rooms) {
        const shown = of(model, `#${room}`).lines.filter(({ kind }) => kind === "message").map((line) => line.seq)
        const wanted = log.filter((entry) => entry.message._tag === "Said" && entry.rooms.includes(room)).map((entry) => entry.message.seq)
        assert.deepStrictEqual(shown, wanted, room)
        assert.deepStrictEqual(here(model, `#${room}`), [bo, "wanda"].sort())
        assert.strictEqual(of(model, `#${room}`).stage, "in")
      }
    }), { numRuns: 300 })
  })

  it("a server that began anew counts anew: what was shown stays, and what is said is shown", () => {
    const before = told(wanda, said(11, "bo", "old"), whispered(12, "bo", "wanda", "psst"))
    const model = told(before, welcome("guest1", "e2"), joined(1, "guest1"), said(11, "bo", "new"), whispered(12, "bo", "guest1", "again"))
    assert.deepStrictEqual(texts(model), ["old", "new"])
    assert.deepStrictEqual(texts(model, "bo"), ["psst", "again"])
    assert.strictEqual(of(told(before, welcome("guest1", "e2"))).last, undefined)
  })

  it("what was missed counts as not read, and what was said before one came in does not", () => {
    const cut = told(hidden, said(11, "bo", "heard"), welcome("guest1"), renamed(20, "guest1", "wanda"))
    const model = told(cut, said(15, "bo", "wanda, missed"), joined(21, "wanda"), said(22, "bo", "live"))
    assert.deepStrictEqual([of(model).unread, of(model).mentions], [3, 1])
    const fresh = told(Model.look(told(Model.start, welcome("wanda")), false), said(1, "bo", "wanda, long ago"), joined(2, "wanda"))
    assert.deepStrictEqual(Model.unreadOf(fresh), { unread: 0, mentions: 0 })
  })

  it("who was kicked stays out, and still sees what was said", () => {
    const model = told(wanda, said(11, "bo", "hi"), { _tag: "Kicked", room: "lobby", nick: "wanda", by: "bo", seq: 12, at, id: "" })
    assert.strictEqual(of(model).stage, "out")
    assert.strictEqual(of(told(model, welcome("guest1"))).stage, "out")
    assert.deepStrictEqual(texts(model), ["hi", "wanda was kicked by bo"])
  })
})

describe("a room that one is not in", () => {
  const refused = (command: string, room: string, code: "banned" | "not-in-room" | "not-arrived" | undefined): Message => ({ _tag: "Refused", reason: "no", command, room, ...code === undefined ? {} : { code } })
  const turned = Model.turnTo(wanda, "#den")

  it("is not come back to where one was not let in, unless it is not the room that does not let one in", () => {
    assert.strictEqual(of(told(turned, refused("Join", "den", "banned")), "#den").stage, "out")
    for (const code of [undefined, "not-arrived"] as const) assert.strictEqual(of(told(turned, refused("Join", "den", code)), "#den").stage, "new")
    assert.strictEqual(of(told(wanda, refused("Join", "lobby", "banned"))).stage, "in", "a room that one is in already")
    assert.strictEqual(of(told(wanda, welcome("wanda"), refused("Join", "lobby", "banned"))).stage, "out", "when one comes back")
    assert.strictEqual(of(told(turned, refused("Join", "den", "banned"), joined(11, "wanda", "den")), "#den").stage, "in", "with the key")
  })

  it("is gone when one leaves it", () => {
    const out = told(turned, refused("Join", "den", "banned"), refused("Part", "den", "not-in-room"))
    assert.deepStrictEqual([out.current, [...out.conversations.keys()]], ["#lobby", ["#lobby"]])
    assert.isTrue(told(wanda, refused("Part", "lobby", undefined)).conversations.has("#lobby"), "which could not be kept")
    assert.strictEqual(told(wanda, refused("Part", "den", "not-in-room")), wanda, "nothing is said of one that is gone")
  })
})

describe("what was not read", () => {
  const cases: ReadonlyArray<readonly [what: string, from: Model.Model, messages: ReadonlyArray<Message>, unread: number, mentions: number]> = [
    ["said where one looks", wanda, [said(11, "bo", "hi wanda")], 0, 0],
    ["said while nobody looks", hidden, [said(11, "bo", "hi"), said(12, "bo", "wanda: there?")], 2, 1],
    ["said by oneself", hidden, [said(11, "Wanda", "hi wanda")], 0, 0],
    ["said in another room", wanda, [joined(11, "wanda", "den"), said(12, "bo", "WANDA!", "den")], 1, 1],
    ["a nick within a word is nobody's", hidden, [said(11, "bo", "wandas wanda-x awanda wanda_")], 1, 0],
    ["a nick with punctuation around it", hidden, [said(11, "bo", "(wanda)"), said(12, "bo", "@wanda"), said(13, "bo", "wanda's")], 3, 3],
    ["a private message always is a mention", wanda, [whispered(11, "bo", "wanda", "psst")], 1, 1],
    ["one's own private message", wanda, [whispered(11, "wanda", "bo", "psst")], 0, 0],
    ["told twice", hidden, [said(11, "bo", "wanda"), said(11, "bo", "wanda")], 1, 1],
    ["comings, goings and topics", hidden, [joined(11, "cy"), { _tag: "TopicSet", room: "lobby", nick: "bo", topic: "wanda", seq: 12, at, id: "" }], 0, 0]
  ]
  it.each(cases)("%s", (_, from, messages, unread, mentions) => {
    assert.deepStrictEqual(Model.unreadOf(told(from, ...messages)), { unread, mentions })
  })

  it("turning to a conversation and coming back to the page read it", () => {
    const model = told(hidden, said(11, "bo", "wanda"), whispered(12, "bo", "wanda", "psst"))
    assert.deepStrictEqual(Model.unreadOf(Model.look(model, true)), { unread: 1, mentions: 1 })
    assert.deepStrictEqual(Model.unreadOf(Model.turnTo(Model.look(model, true), "bo")), { unread: 0, mentions: 0 })
  })

  it("leaving a room turns to another, which is read then", () => {
    const model = told(wanda, joined(11, "wanda", "den"))
    const den = told(Model.turnTo(model, "#den"), said(12, "bo", "hi"), { _tag: "Left", room: "den", nick: "wanda", seq: 13, at, id: "" })
    assert.deepStrictEqual([den.current, Model.unreadOf(den).unread], ["#lobby", 0])
    const nowhere = told(den, { _tag: "Left", room: "lobby", nick: "wanda", seq: 14, at, id: "" })
    assert.strictEqual(nowhere.conversations.size, 0)
  })

  it("a nick with signs in it is found as it is", () => {
    const model = told(Model.look(told(Model.start, welcome("[a]^{|}"), joined(1, "[a]^{|}")), false), said(2, "bo", "hey [A]^{|}, look"), said(3, "bo", "hey a"))
    assert.strictEqual(of(model).mentions, 1)
  })
})

describe("who is there", () => {
  it("a rename is told once in each room, and moves the private conversation", () => {
    const model = told(wanda, joined(11, "wanda", "den"), members("den", "wanda", "bo"), whispered(12, "bo", "wanda", "psst"))
    const after = told(Model.turnTo(model, "bo"), renamed(13, "bo", "Bob"))
    assert.deepStrictEqual(texts(after), ["bo is now Bob"])
    assert.deepStrictEqual(texts(after, "#den"), ["bo is now Bob"])
    assert.deepStrictEqual([after.current, of(after, "bob").name, after.conversations.has("bo")], ["bob", "Bob", false])
    assert.deepStrictEqual(here(after), ["Bob", "wanda"])
    assert.strictEqual(of(told(after, renamed(14, "Bob", "BOB")), "bob").name, "BOB")
  })

  it("one's own rename changes who one is", () => {
    const model = told(wanda, renamed(11, "wanda", "wendy"), said(12, "wendy", "me"))
    assert.deepStrictEqual([model.nick, of(model).lines.at(-1)!.mine], ["wendy", true])
  })

  it("who quits is gone from every room, named or not, and told of in those one is in", () => {
    const model = told(wanda, joined(11, "wanda", "den"), members("den", "wanda", "bo"), { _tag: "Quit", nick: "bo", rooms: ["lobby", "other"], reason: "bye", seq: 12, at, id: "" })
    assert.deepStrictEqual([here(model), here(model, "#den"), model.conversations.has("#other")], [["wanda"], ["wanda"], false])
    assert.deepStrictEqual(texts(model), ["bo left (bye)"])
  })

  it("a crowd comes to what its comings and goings come to one by one", () => {
    const nick = fc.constantFrom("bo", "cy", "di", "ed", "flo")
    const step = fc.record({ what: fc.constantFrom("Joined", "Left", "Renamed"), nick, to: nick, away: fc.boolean() })
    fc.assert(fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const before = told(wanda, members("lobby", "wanda", "bo", "cy"), { _tag: "RankSet", room: "lobby", nick: "bo", by: "wanda", rank: "operator", seq: 11, at, id: "" })
      const there = new Set(["bo", "cy"])
      const events: Array<Crowd.Presence> = []
      for (const { away, nick, to, what } of steps) {
        if (what === "Joined" && !there.has(nick)) {
          there.add(nick)
          events.push({ _tag: "Joined", room: "lobby", nick, ...(away ? { away: "tea" } : {}) })
        } else if (what === "Left" && there.delete(nick)) events.push({ _tag: "Left", room: "lobby", nick })
        else if (what === "Renamed" && !there.has(to) && there.delete(nick)) {
          there.add(to)
          events.push({ _tag: "Renamed", nick, to })
        }
      }
      const model = told(before, { _tag: "Crowd", room: "lobby", ...Crowd.sum(events), seq: 50 })
      assert.deepStrictEqual(here(model), [...there, "wanda"].sort())
      const one = told(before, ...events.map((event, i) => ({ ...event, seq: 20 + i, at, id: "" })))
      assert.deepStrictEqual([...of(model).members].sort(), [...of(one).members].sort())
      assert.strictEqual(of(model).last, 50)
      assert.isAtMost(of(model).lines.length, of(before).lines.length + 1)
    }), { numRuns: 300 })
  })

  it("ranks, being away and topics are kept", () => {
    const model = told(
      wanda,
      { _tag: "RankSet", room: "lobby", nick: "BO", by: "wanda", rank: "operator", seq: 11, at, id: "" },
      { _tag: "AwaySet", nick: "bo", message: "tea", seq: 12, at, id: "" },
      { _tag: "AwaySet", nick: "wanda", message: "tea", seq: 13, at, id: "" },
      { _tag: "TopicSet", room: "lobby", nick: "bo", topic: "cake", seq: 14, at, id: "" }
    )
    assert.deepStrictEqual(of(model).members.get("bo"), { nick: "bo", rank: "operator", away: true })
    assert.deepStrictEqual([model.away, of(model).topic], [true, "cake"])
  })
})

describe("what is typed", () => {
  const rows: ReadonlyArray<readonly [line: string, current: string, wanted: Partial<Typed.Typed>]> = [
    ["hello", "#lobby", { wishes: [{ _tag: "Say", target: "#lobby", text: "hello", kind: "message" }] }],
    ["hello", "bo", { wishes: [{ _tag: "Whisper", nick: "bo", text: "hello", kind: "message" }] }],
    ["//shrug", "#lobby", { wishes: [{ _tag: "Say", target: "#lobby", text: "/shrug", kind: "message" }] }],
    ["/me waves", "bo", { wishes: [{ _tag: "Whisper", nick: "bo", text: "waves", kind: "action" }] }],
    ["/join Den  secret", "#lobby", { wishes: Typed.join("Den", { key: "secret" }), turn: "#den" }],
    ["/JOIN #den", "#lobby", { wishes: Typed.join("den", {}), turn: "#den" }],
    ["/join ##den", "#lobby", { wishes: [{ _tag: "Join", room: "##den", last: 50 }, { _tag: "Names", room: "##den" }], turn: "##den" }],
    ["/msg Bo hi there", "#lobby", { wishes: [{ _tag: "Whisper", nick: "Bo", text: "hi there", kind: "message" }], turn: "bo" }],
    ["/msg #den hi", "#lobby", { wishes: [{ _tag: "Say", target: "#den", text: "hi", kind: "message" }], turn: "#den" }],
    ["/msg bo", "#lobby", { wishes: [], turn: "bo" }],
    ["/nick  ana ", "#lobby", { wishes: [{ _tag: "SetNick", nick: "ana" }] }],
    ["/search  old  fox ", "#den", { wishes: [{ _tag: "Search", room: "#den", words: "old  fox " }] }],
    ["/VOICE bo", "#lobby", { wishes: [{ _tag: "SetRank", room: "#lobby", nick: "bo", rank: "voice", on: true }] }],
    ["/Deop bo", "#lobby", { wishes: [{ _tag: "SetRank", room: "#lobby", nick: "bo", rank: "operator", on: false }] }],
    ["/op bo", "#lobby", { wishes: [{ _tag: "SetRank", room: "#lobby", nick: "bo", rank: "operator", on: true }] }],
    ["/Unban *!*@x", "#lobby", { wishes: [{ _tag: "SetMask", room: "#lobby", list: "ban", mask: "*!*@x", on: false }] }],
    ["/kick bo too loud", "#lobby", { wishes: [{ _tag: "Kick", room: "#lobby", nick: "bo", reason: "too loud" }] }],
    ["/topic tea  at four", "#lobby", { wishes: [{ _tag: "SetTopic", room: "#lobby", topic: "tea  at four" }] }],
    ["/part", "#den", { wishes: [{ _tag: "Part", room: "#den" }] }],
    ["/away", "#lobby", { wishes: [{ _tag: "SetAway", message: "away" }] }],
    ["/back", "#lobby", { wishes: [{ _tag: "SetAway" }] }],
    ["/pass open sesame", "#lobby", { wishes: [{ _tag: "Arrive", password: "open sesame" }] }],
    ["/who bo", "bo", { wishes: [{ _tag: "Who", nick: "bo" }] }]
  ]
  it.each(rows)("%s in %s", (line, current, wanted) => assert.deepStrictEqual(Typed.typed(line, current), wanted as Typed.Typed))

  it.each(["/nope", "/nick", "/me", "/msg", "/topic", "/kick", "/"])("%s asks for nothing and says why", (line) => {
    const { remark, wishes } = Typed.typed(line, "#lobby")
    assert.deepStrictEqual([wishes, typeof remark], [[], "string"])
  })

  it.each(["/topic x", "/part", "/kick bo", "/voice bo", "/invite bo", "/ban bo", "/op bo"])("%s is for rooms", (line) => {
    const { remark, wishes } = Typed.typed(line, "bo")
    assert.deepStrictEqual([wishes, remark?.includes("for rooms")], [[], true])
  })

  it("every command that is offered is known", () => {
    for (const [name] of Typed.commands) assert.notInclude(Typed.typed(`/${name} x y`, "#lobby").remark ?? "", "no command")
  })

  const offers: ReadonlyArray<readonly [text: string, wanted: ReadonlyArray<string>]> = [
    ["/j", ["/join "]],
    ["/N", ["/nick "]],
    ["/zzz", []],
    ["/join ", []],
    ["an", ["ana: ", "Anton: "].sort()],
    ["hi AN", ["hi Anton ", "hi ana "]],
    ["/msg b", ["/msg bo "]],
    ["hello ", []],
    ["", []]
  ]
  it.each(offers)("%s is completed", (text, wanted) => assert.deepStrictEqual([...Typed.completions(text, ["ana", "bo", "Anton"])].sort(), [...wanted].sort()))
})
