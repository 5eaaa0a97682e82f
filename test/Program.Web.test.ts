/**
 * The page in the browser that people have: Chromium, in a room with people on nc and with other pages.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync, readFileSync } from "node:fs"
import * as Net from "node:net"
import { createRequire } from "node:module"
import { gzipSync } from "node:zlib"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { person, reads, robot, says } from "./clients.ts"
import { eventually, type Program, program, root, socket } from "./support.ts"
import { leftOut } from "./terminal.ts"

const left = leftOut("the page in Chromium", "chromium")

class Chromium extends Context.Service<Chromium, Browser>()("test/Chromium") {}

const launched = Layer.effect(Chromium, Effect.acquireRelease(
  Effect.promise(() => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] })),
  (browser) => Effect.promise(() => browser.close())
))

/** A page, and what went wrong on it, which must be nothing. */
const visit = Effect.fnUntraced(function*(browser: Browser, { port }: Pick<Program, "port">, options: BrowserContextOptions & { readonly path?: string } = {}) {
  const { path = "", ...rest } = options
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext({ viewport: { width: 1100, height: 700 }, ...rest })),
    (context) => Effect.promise(() => context.close())
  )
  const page = yield* Effect.promise(() => context.newPage())
  page.setDefaultTimeout(10_000)
  const faults: Array<string> = []
  const asked: Array<string> = []
  page.on("pageerror", (error) => void faults.push(error.message))
  page.on("console", (message) => {
    if (message.type() === "error" && !/ERR_CONNECTION|WebSocket connection/.test(message.text())) faults.push(message.text())
  })
  page.on("request", (request) => void asked.push(request.url()))
  page.on("websocket", (socket) => void asked.push(socket.url()))
  yield* Effect.promise(() => page.goto(`http://127.0.0.1:${port}/${path}`))
  yield* there(page, ".composer textarea")
  return { page, faults, asked }
})

const there = (page: Page, selector: string) => Effect.promise(() => page.waitForSelector(selector))

const shows = (page: Page, ...wanted: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    for (const text of wanted) {
      await page.waitForFunction((text) => (document.querySelector(".log") as HTMLElement | null)?.innerText.includes(text), text)
        .catch(async () => assert.fail(`not shown: ${text}; shown is:\n${await page.innerText(".log")}`))
    }
  })

/** Type a line where one talks. */
const types = (page: Page, ...lines: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    for (const line of lines) {
      await page.fill("textarea", line)
      await page.press("textarea", "Enter")
    }
  })

const isCalled = (page: Page, nick: string) => Effect.promise(() => page.waitForFunction((nick) => document.querySelector(".self .me")?.textContent === nick, nick))
const called = Effect.fnUntraced(function*(page: Page, nick: string) {
  yield* types(page, `/nick ${nick}`)
  yield* isCalled(page, nick)
})

const titled = (page: Page, title: string) => Effect.promise(() => page.waitForFunction((title) => document.title === title, title))
const said = (page: Page): Promise<ReadonlyArray<string>> =>
  page.$$eval(".line:not(.event) p", (all) => all.map((one) => (one as HTMLElement).innerText))
const listed = (page: Page): Promise<ReadonlyArray<string>> => page.$$eval("nav li", (all) => all.map((one) => (one as HTMLElement).innerText.replace(/\s*×$/, "").replace(/\s+/g, " ")))
const turns = (page: Page, name: string) => Effect.promise(() => page.click(`nav li:has-text("${name}") button`))

interface Axe {
  readonly axe: {
    readonly run: () => Promise<{
      readonly violations: ReadonlyArray<{
        readonly id: string
        readonly impact: string
        readonly help: string
        readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
      }>
    }>
  }
}

/** A way to the server that can be cut, and held up without a word. */
const way = (to: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const pairs = new Set<readonly [Net.Socket, Net.Socket]>()
      let port = to
      let open = true
      const lead = (near: Net.Socket): void => {
        if (!open) return void near.destroy()
        const far = Net.connect(port, "127.0.0.1")
        const pair = [near, far] as const
        pairs.add(pair)
        for (const [one, other] of [[near, far], [far, near]] as const) {
          one.on("error", () => {})
          one.on("close", () => {
            pairs.delete(pair)
            other.destroy()
          })
          one.pipe(other)
        }
      }
      const server = Net.createServer((near) => {
        if (!open) return void near.destroy()
        near.on("error", () => {})
        // Browsers open connections before they have anything to ask, and whoever is silent on the way's other end is greeted as a person.
        near.once("readable", () => lead(near))
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return {
        port: (server.address() as Net.AddressInfo).port,
        /** Those who come are cut off. */
        refuse: () => {
          open = false
        },
        cut: () => {
          open = false
          for (const [near, far] of pairs) {
            near.destroy()
            far.destroy()
          }
        },
        /** The server has lost it, the page does not know. */
        hold: () => {
          for (const [near, far] of pairs) {
            far.unpipe(near)
            near.unpipe(far)
            far.removeAllListeners("close").destroy()
          }
        },
        mend: (to = port) => {
          port = to
          open = true
        },
        close: () => {
          for (const [near, far] of pairs) {
            near.destroy()
            far.destroy()
          }
          server.close()
        }
      }
    }),
    ({ close }) => Effect.sync(close)
  )

describe.skipIf(left)("the page in Chromium", () => {
  layer(launched, { excludeTestServices: true })((it) => {
    it.effect("two pages and somebody with nc are in one room: nick, join, talk, private messages, leaving", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const one = yield* visit(browser, chat)
        const two = yield* visit(browser, chat)
        yield* called(one.page, "wanda")
        yield* called(two.page, "walt")
        yield* reads(ana, /-!- guest\d+ is now walt\n/)
        yield* types(one.page, "hello from a page")
        yield* reads(ana, "wanda: hello from a page\n")
        yield* shows(two.page, "wanda: hello from a page")
        yield* shows(one.page, "wanda: hello from a page")
        yield* says(ana, "hello from nc", "/me waves", "/topic tea at four")
        for (const { page } of [one, two]) yield* shows(page, "ana: hello from nc", "ana waves", "ana changed the topic to: tea at four")
        assert.strictEqual(yield* Effect.promise(() => one.page.innerText(".topic")), "tea at four")
        assert.strictEqual(yield* Effect.promise(() => one.page.innerText(".members h2")).pipe(Effect.map((text) => text.toLowerCase())), "3 here")
        // A private message, both ways, and nobody else's business.
        yield* types(one.page, "/msg walt psst")
        yield* shows(one.page, "wanda: psst")
        yield* Effect.promise(() => two.page.waitForSelector("nav li:has-text('wanda') .count.mention"))
        yield* turns(two.page, "wanda")
        yield* shows(two.page, "wanda: psst")
        yield* types(two.page, "yes?")
        yield* shows(one.page, "walt: yes?")
        yield* says(ana, "/msg wanda from nc")
        yield* Effect.promise(() => one.page.waitForSelector("nav li:has-text('ana') .count.mention"))
        yield* types(one.page, "/msg ana to nc")
        yield* reads(ana, "[wanda] to nc\n")
        assert.notInclude(ana.text(), "psst")
        // Another room, by command and by its address; leaving goes back to one that is there.
        yield* types(one.page, "/join den")
        yield* Effect.promise(() => one.page.waitForURL(/#\/den$/))
        yield* Effect.promise(() => two.page.evaluate(() => {
          location.hash = "#/Den"
        }))
        yield* shows(one.page, "walt joined")
        yield* types(two.page, "in here")
        yield* shows(one.page, "walt: in here")
        yield* types(one.page, "/kick walt too loud")
        yield* shows(two.page, "walt was kicked by wanda (too loud)")
        yield* types(one.page, "/part")
        yield* Effect.promise(() => one.page.waitForURL(/#\/lobby$/))
        yield* called(two.page, "walter")
        yield* reads(ana, "-!- walt is now walter\n")
        yield* Effect.promise(() => two.page.close())
        yield* reads(ana, /-!- walter quit/)
        assert.deepStrictEqual([one.faults, two.faults], [[], []])
        for (const url of [...one.asked, ...two.asked]) assert.strictEqual(new URL(url).host, `127.0.0.1:${chat.port}`, url)
      }), 30_000)

    it.effect("whoever turns to another conversation types on into it, however late the next frame is", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const ana = yield* person(chat, "ana")
        yield* says(ana, "/join den")
        const { page } = yield* visit(yield* Chromium, chat)
        yield* called(page, "wanda")
        // No frame is shown before the next line is typed, and one is before it is sent.
        const frames = yield* Effect.promise(() => page.evaluateHandle(() => {
          const waiting: Array<FrameRequestCallback> = []
          window.requestAnimationFrame = (show) => waiting.push(show)
          return waiting
        }))
        const late = (line: string) =>
          Effect.promise(async () => {
            await page.fill("textarea", line)
            await frames.evaluate((waiting) => {
              for (const show of waiting.splice(0)) show(performance.now())
            })
            await page.press("textarea", "Enter")
          })
        yield* types(page, "/join den")
        yield* late("in here")
        yield* reads(ana, "wanda: in here\n")
        yield* types(page, "/msg ana psst")
        yield* late("and on")
        yield* reads(ana, "[wanda] and on\n")
      }))

    it.effect("history comes by scrolling, a page at a time, all of it once, and what one reads stays in view", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const count = 170
        yield* says(ana, ...Array.from({ length: count }, (_, i) => `message ${i + 1}`), "/names")
        yield* reads(ana, "-!- #lobby: ana\n")
        const { faults, page } = yield* visit(browser, chat)
        yield* shows(page, `message ${count}`)
        // What was said before one came is not news.
        assert.strictEqual(yield* Effect.promise(() => page.title()), "#lobby · effect-chat")
        const box = page.locator(".log")
        assert.isAtLeast((yield* Effect.promise(() => said(page))).length, 50)
        const first = () => page.$eval(".line:not(.event) p", (one) => one.textContent)
        yield* eventually("all of it is there", async () => {
          const before = await first()
          await box.evaluate((one) => {
            one.scrollTop = 100
          })
          const top = await page.evaluate(() => document.elementFromPoint(500, 200)?.closest(".line")?.textContent ?? "")
          if (before !== "ana: message 1") {
            await page.waitForFunction((before) => document.querySelector(".line:not(.event) p")?.textContent !== before, before)
            const [start, end] = await box.evaluate((one) => [one.scrollTop, one.scrollHeight])
            assert.isAbove(start!, 150, `${top} ${end}`)
          }
          return await first() === "ana: message 1"
        })
        assert.deepStrictEqual(yield* Effect.promise(() => said(page)), Array.from({ length: count }, (_, i) => `ana: message ${i + 1}`))
        // There is nothing older, and it is not asked for any more.
        yield* Effect.promise(() => box.evaluate((one) => {
          one.scrollTop = 0
        }))
        yield* Effect.promise(() => page.waitForSelector(".older", { state: "detached" }))
        // Who reads old messages is not torn away by new ones.
        yield* says(ana, "something new")
        yield* shows(page, "something new")
        assert.isBelow(yield* Effect.promise(() => box.evaluate((one) => one.scrollTop)), 300)
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("what one reads of older lines stays, however many new ones come; back at the newest, old ones are let go of", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const ana = yield* person(chat, "ana")
        const { faults, page } = yield* visit(yield* Chromium, chat)
        let told = 0
        const talk = Effect.fnUntraced(function*(many: number) {
          yield* says(ana, ...Array.from({ length: many }, () => `message ${++told}`))
          yield* shows(page, `message ${told}`)
        })
        yield* talk(60)
        const scrolled = (to: "top" | "bottom") => Effect.promise(() => page.locator(".log").evaluate((one, to) => new Promise((done) => {
          one.addEventListener("scroll", done, { once: true })
          one.scrollTop = to === "top" ? 0 : one.scrollHeight
        }), to))
        const inView = () => page.evaluate(() => document.elementFromPoint(500, 300)?.closest(".line")?.textContent)
        yield* scrolled("top")
        const before = yield* Effect.promise(inView)
        for (let i = 0; i < 5; i++) yield* talk(420)
        assert.strictEqual(yield* Effect.promise(inView), before)
        assert.strictEqual((yield* Effect.promise(() => said(page)))[0], "ana: message 1")
        yield* scrolled("bottom")
        yield* talk(1)
        assert.isAtMost((yield* Effect.promise(() => said(page))).length, 2000)
        assert.strictEqual((yield* Effect.promise(() => said(page))).at(-1), `ana: message ${told}`)
        // Neither is it kept for whoever turns to another conversation.
        yield* scrolled("top")
        yield* types(page, "/join den")
        yield* titled(page, "#den · effect-chat")
        yield* turns(page, "lobby")
        yield* talk(100)
        assert.isAtMost((yield* Effect.promise(() => said(page))).length, 2000)
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("a connection that is cut comes back: nothing is missing, nothing is there twice", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const proxy = yield* way(chat.port)
        const { faults, page } = yield* visit(browser, proxy)
        yield* called(page, "wanda")
        yield* types(page, "/join den")
        yield* says(ana, "/join den")
        yield* shows(page, "ana joined")
        yield* turns(page, "#lobby")
        let told = 0
        const talk = (many: number) => says(ana, ...Array.from({ length: many }, () => `m${++told}`))
        for (const [i, many] of [1, 30, 0, 120].entries()) {
          yield* says(ana, "/join lobby")
          yield* talk(3)
          yield* shows(page, `ana: m${told}`)
          proxy.cut()
          yield* there(page, ".state.waiting")
          yield* reads(ana, new RegExp(`(-!- wanda quit[^]*){${i + 1}}`))
          // Typing goes on; it is not sent into nowhere.
          yield* types(page, `typed meanwhile ${i}`)
          yield* talk(many)
          yield* says(ana, "/join den", `den ${i}`, "/join lobby", `last ${i}`)
          yield* reads(ana, "#lobby")
          proxy.mend()
          yield* Effect.promise(() => page.click(".state button", { timeout: 3000 }).catch(() => {}))
          yield* Effect.promise(() => page.waitForSelector(".state.open", { state: "attached" }))
          yield* isCalled(page, "wanda")
          yield* shows(page, `ana: last ${i}`)
          assert.strictEqual(yield* Effect.promise(() => page.inputValue("textarea")), `typed meanwhile ${i}`)
          yield* Effect.promise(() => page.press("textarea", "Enter"))
          yield* reads(ana, `wanda: typed meanwhile ${i}\n`)
          yield* shows(page, `wanda: typed meanwhile ${i}`)
        }
        const wanted: Array<string> = []
        let next = 0
        for (const [i, many] of [1, 30, 0, 120].entries()) {
          for (let j = 0; j < many + 3; j++) wanted.push(`ana: m${++next}`)
          wanted.push(`ana: last ${i}`, `wanda: typed meanwhile ${i}`)
        }
        assert.deepStrictEqual(yield* Effect.promise(() => said(page)), wanted)
        // What was missed in the other room counts as not read.
        assert.deepStrictEqual(yield* Effect.promise(() => listed(page)), ["#lobby", "#den 4"])
        yield* turns(page, "#den")
        yield* shows(page, "den 3")
        assert.deepStrictEqual(yield* Effect.promise(() => said(page)), [0, 1, 2, 3].map((i) => `ana: den ${i}`))
        assert.deepStrictEqual(faults, [])
      }), 40_000)

    it.effect("where a password is wanted it is given once, and one comes back with it", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off", "--password", "sesame"])
        const browser = yield* Chromium
        const ana = yield* socket(chat.port)
        yield* says(ana, "/pass sesame", "/nick ana")
        yield* reads(ana, "-!- you are now ana\n")
        const proxy = yield* way(chat.port)
        const { faults, page } = yield* visit(browser, proxy)
        yield* shows(page, "this server wants a password: /pass PASSWORD")
        // Nobody is asked twice for nothing that they did.
        proxy.cut()
        yield* there(page, ".state.waiting")
        proxy.mend()
        yield* there(page, ".state.outside")
        assert.deepStrictEqual(yield* Effect.promise(() => page.locator(".line p").allInnerTexts()), ["this server wants a password: /pass PASSWORD"])
        yield* types(page, "/pass open")
        yield* shows(page, "this server wants a password, and that is not it")
        yield* eventually("it is asked for again", async () => (await page.innerText(".log")).split("/pass PASSWORD").length === 3)
        yield* there(page, ".state.outside")
        // Nothing else is sent: it would be lost.
        yield* types(page, "sesame")
        assert.strictEqual(yield* Effect.promise(() => page.inputValue("textarea")), "sesame")
        yield* types(page, "/pass sesame")
        yield* Effect.promise(() => page.waitForSelector(".state.open", { state: "attached" }))
        yield* called(page, "wanda")
        yield* types(page, "hello")
        yield* reads(ana, "wanda: hello\n")
        proxy.cut()
        yield* there(page, ".state.waiting")
        yield* says(ana, "said meanwhile")
        proxy.mend()
        yield* shows(page, "ana: said meanwhile")
        yield* isCalled(page, "wanda")
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("where the server is full it is said once, however often it is tried, and one comes in when there is a seat", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off", "--max-clients", "1", "--backlog", "1"])
        const ana = yield* person(chat, "ana")
        const next = yield* socket(chat.port)
        yield* eventually("one waits", async () => /^chat_waiting 1$/m.test(await (await fetch(`http://127.0.0.1:${chat.port}/metrics`)).text()))
        const { faults, page } = yield* visit(yield* Chromium, chat)
        const words = "the server is full: all 1 seats are taken and 1 are waiting; try again later"
        yield* shows(page, words)
        let attempts = 1
        page.on("websocket", () => void attempts++)
        yield* eventually("it is tried again", async () => {
          await page.click(".state button", { timeout: 1000 }).catch(() => {})
          return attempts > 3
        })
        yield* there(page, ".state.waiting")
        assert.deepStrictEqual(yield* Effect.promise(() => page.locator(".line p").allInnerTexts()), [words])
        yield* Effect.sync(() => next.net.destroy())
        yield* says(ana, "/quit")
        yield* eventually("one is in", async () => {
          await page.click(".state button", { timeout: 1000 }).catch(() => {})
          return await page.locator(".members .nick").count() === 1
        })
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("what one wants to be called, and that one is away, is kept while the connection is lost", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const ana = yield* person(chat, "ana")
        const proxy = yield* way(chat.port)
        const { faults, page } = yield* visit(yield* Chromium, proxy)
        yield* called(page, "wanda")
        const lost = Effect.suspend(() => {
          proxy.cut()
          return there(page, ".state.waiting")
        })
        const back = Effect.promise(async () => {
          proxy.mend()
          await page.click(".state button", { timeout: 3000 }).catch(() => {})
          await page.waitForSelector(".state.open", { state: "attached" })
        })
        const wants = (nick: string) => Effect.promise(async () => {
          await page.click(".self .me")
          await page.fill(".self input", nick)
          await page.press(".self input", "Enter")
        })
        const isAway = there(page, ".self button[aria-pressed=true]")
        yield* lost
        yield* wants("wendy")
        yield* isCalled(page, "wendy")
        yield* Effect.promise(() => page.click(".self button:text('here')"))
        yield* isAway
        yield* back
        yield* reads(ana, "-!- wendy joined #lobby")
        yield* isCalled(page, "wendy")
        yield* there(page, ".members .away .nick:text('wendy')")
        // One is as one was, and as the server lets one be.
        yield* lost
        yield* wants("no name")
        yield* isCalled(page, "no name")
        yield* back
        yield* shows(page, "a nick is")
        yield* isCalled(page, "wendy")
        yield* there(page, ".members .away .nick:text('wendy')")
        yield* types(page, "/back")
        yield* there(page, ".members li:not(.away) .nick:text('wendy')")
        yield* lost
        yield* back
        yield* there(page, ".members li:not(.away) .nick:text('wendy')")
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("a connection that ended without a word is noticed, and one comes back", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const proxy = yield* way(chat.port)
        const context = yield* Effect.acquireRelease(Effect.promise(() => browser.newContext()), (context) => Effect.promise(() => context.close()))
        const page = yield* Effect.promise(() => context.newPage())
        yield* Effect.promise(() => page.clock.install())
        yield* Effect.promise(() => page.goto(`http://127.0.0.1:${proxy.port}/`))
        yield* there(page, ".composer textarea")
        yield* called(page, "wanda")
        proxy.hold()
        yield* reads(ana, /-!- wanda quit/)
        yield* says(ana, "said meanwhile")
        yield* eventually("it comes back", async () => {
          await page.clock.fastForward(10_000)
          return (await page.innerText(".log")).includes("said meanwhile")
        })
        yield* isCalled(page, "wanda")
        assert.deepStrictEqual(yield* Effect.promise(() => said(page)), ["ana: said meanwhile"])
      }), 30_000)

    it.effect("who is in a room is asked for again where comings and goings were missed", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const context = yield* Effect.acquireRelease(Effect.promise(() => browser.newContext({ viewport: { width: 1100, height: 700 } })), (context) => Effect.promise(() => context.close()))
        const page = yield* Effect.promise(() => context.newPage())
        // The server has forgotten that somebody left.
        yield* Effect.promise(() => page.routeWebSocket(/\/ws$/, (socket) => {
          const server = socket.connectToServer()
          server.onMessage((message) => socket.send(String(message).includes('"_tag":"Left"') ? JSON.stringify({ _tag: "Missed", room: "lobby", count: 1 }) : message))
        }))
        yield* Effect.promise(() => page.goto(`http://127.0.0.1:${chat.port}/`))
        yield* Effect.promise(() => page.waitForSelector(".members .nick:has-text('ana')"))
        yield* says(ana, "/part")
        yield* shows(page, "you missed 1 messages")
        yield* Effect.promise(() => page.waitForSelector(".members .nick:has-text('ana')", { state: "detached" }))
      }))

    it.effect("a server that began anew is found again, and what it counts anew is shown", () =>
      Effect.gen(function*() {
        const browser = yield* Chromium
        const before = yield* program(["--rate", "off"])
        const ana = yield* person(before, "ana")
        const proxy = yield* way(before.port)
        const { page } = yield* visit(browser, proxy)
        yield* called(page, "wanda")
        yield* says(ana, "one", "two", "three")
        yield* shows(page, "ana: three")
        proxy.refuse()
        before.child.kill("SIGTERM")
        yield* shows(page, "the server is closing")
        yield* Effect.promise(() => before.exited)
        yield* there(page, ".state.waiting")
        const after = yield* program(["--rate", "off"])
        const bo = yield* person(after, "bo")
        yield* says(bo, "before you came", "/names")
        yield* reads(bo, "-!- #lobby: bo\n")
        proxy.mend(after.port)
        yield* Effect.promise(() => page.click(".state button", { timeout: 5000 }).catch(() => {}))
        yield* isCalled(page, "wanda")
        yield* reads(bo, "-!- wanda joined #lobby\n")
        yield* says(bo, "four", "five")
        yield* shows(page, "bo: five")
        assert.deepStrictEqual(yield* Effect.promise(() => said(page)), ["ana: one", "ana: two", "ana: three", "bo: before you came", "bo: four", "bo: five"])
      }), 30_000)

    it.effect("what people write is text: markup, escape sequences and colours do nothing; links are http and open apart", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const { faults, page } = yield* visit(browser, chat)
        const bot = yield* robot(chat, "bot")
        const texts = [
          "<b>bold</b> <img src=x onerror=alert(1)> &amp; <script>document.title='x'</script>",
          "\u001b[31mred\u001b]52;c;aGk=\u0007 \u009b2J",
          "back\u202ewards",
          "\u0002bold\u0002 \u000304,12colour\u000f plain",
          "see https://example.com/a?b=c&d=(e), javascript:alert(1) data:text/html,x HTTPS://Example.com/A http://x.example."
        ]
        yield* says(bot, ...texts.map((text) => JSON.stringify({ _tag: "Say", target: "lobby", text })))
        yield* shows(page, "http://x.example.")
        yield* says(ana, "/topic <i>topic</i> \u001b]0;x\u0007", "that is all")
        yield* shows(page, "that is all")
        const lines = yield* Effect.promise(() => said(page))
        assert.include(lines[0]!, "<b>bold</b> <img src=x onerror=alert(1)> &amp; <script>")
        assert.include(lines[1]!, "␛[31mred␛]52;c;aGk=␇ ␛2J")
        assert.include(lines[2]!, "back<U+202E>wards")
        assert.include(lines[3]!, "bold colour plain")
        assert.include(yield* Effect.promise(() => page.innerText(".topic")), "<i>topic</i> ␛]0;x␇")
        assert.strictEqual(yield* Effect.promise(() => page.locator(".log img, .log b, .log i, .log script").count()), 0)
        const links = yield* Effect.promise(() => page.$$eval(".log a", (all) => all.map((one) => [(one as HTMLAnchorElement).getAttribute("href"), one.getAttribute("rel"), one.getAttribute("target")])))
        assert.deepStrictEqual(links, ["https://example.com/a?b=c&d=(e", "HTTPS://Example.com/A", "http://x.example"].map((href) => [href, "noopener noreferrer nofollow", "_blank"]))
        // eslint-disable-next-line no-control-regex
        assert.notMatch(yield* Effect.promise(() => page.content()), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/)
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("unread messages are counted in the title and beside their rooms; addresses are rooms", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const { page } = yield* visit(browser, chat, { path: "#/den" })
        yield* called(page, "wanda")
        yield* titled(page, "#den · effect-chat")
        yield* says(ana, "/join den", "one")
        yield* shows(page, "ana: one")
        yield* turns(page, "den")
        yield* types(page, "/join tea")
        yield* titled(page, "#tea · effect-chat")
        yield* says(ana, "/join den", "two", "three")
        yield* titled(page, "(2) #tea · effect-chat")
        yield* says(ana, "wanda: four")
        yield* titled(page, "(3!) #tea · effect-chat")
        assert.deepStrictEqual(yield* Effect.promise(() => listed(page)), ["#den 3", "#tea"])
        yield* Effect.promise(() => page.goBack())
        yield* titled(page, "#den · effect-chat")
        yield* shows(page, "wanda: four")
        yield* Effect.promise(() => page.goForward())
        yield* titled(page, "#tea · effect-chat")
        // Loaded anew, the same rooms and the same nick.
        yield* Effect.promise(() => page.reload())
        yield* titled(page, "#tea · effect-chat")
        yield* isCalled(page, "wanda")
        yield* eventually("both rooms", async () => (await listed(page)).join() === "#tea,#den")
        // The room come into last is one of them, though one looks at another.
        yield* types(page, "/join hut")
        yield* there(page, ".members .nick:text('wanda')")
        // Who opened it runs it, which is not only seen.
        assert.include(yield* Effect.promise(() => page.locator(".members").ariaSnapshot()), "operator")
        yield* turns(page, "den")
        yield* titled(page, "#den · effect-chat")
        yield* Effect.promise(() => page.reload())
        yield* isCalled(page, "wanda")
        yield* eventually("all rooms", async () => (await listed(page)).join() === "#den,#tea,#hut")
        // A room is a room with its # too.
        yield* Effect.promise(() => page.evaluate(() => void (location.hash = "#/#tea")))
        yield* titled(page, "#tea · effect-chat")
        assert.deepStrictEqual(yield* Effect.promise(() => listed(page)), ["#den", "#tea", "#hut"])
        // One goes back to people too.
        yield* types(page, "/msg ana hi")
        yield* titled(page, "ana · effect-chat")
        yield* types(page, "/msg bo hi")
        yield* titled(page, "bo · effect-chat")
        yield* turns(page, "den")
        for (const title of ["bo", "ana", "#tea"]) {
          yield* Effect.promise(() => page.goBack())
          yield* titled(page, `${title} · effect-chat`)
        }
        // An address that is none does no harm.
        yield* Effect.promise(() => page.goto("about:blank"))
        yield* Effect.promise(() => page.goto(`http://127.0.0.1:${chat.port}/#/%`))
        yield* there(page, ".composer textarea")
      }), 30_000)

    it.effect("many rooms are come back to, though one leaves before all have answered", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "1/0.1"])
        const browser = yield* Chromium
        const { page } = yield* visit(browser, chat)
        const rooms = ["#lobby", ...Array.from({ length: 12 }, (_, i) => `#room${i}`)]
        yield* Effect.promise(() => page.evaluate((rooms) => localStorage.setItem("rooms", rooms), rooms.join(" ")))
        for (let round = 0; round < 2; round++) {
          yield* Effect.promise(() => page.reload())
          yield* there(page, ".composer textarea")
          yield* eventually("all are listed", async () => (await listed(page)).join() === rooms.join())
        }
      }), 30_000)

    it.effect("a room one is not in is left like any other, and not come back to", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        yield* says(ana, "/join den", "/key sesame", "/join kitchen")
        const { page } = yield* visit(browser, chat)
        yield* called(page, "wanda")
        const long = "x".repeat(70)
        yield* types(page, "/join den")
        yield* shows(page, "#den wants a key, and that is not it")
        yield* types(page, "/join no*room")
        yield* shows(page, "a room name is made of")
        yield* types(page, `/join ${long}`, "/join kitchen")
        yield* titled(page, "#kitchen · effect-chat")
        yield* there(page, ".members .nick:has-text('wanda')")
        yield* says(ana, "/kick wanda")
        yield* shows(page, "wanda was kicked by ana")
        assert.deepStrictEqual(yield* Effect.promise(() => listed(page)), ["#lobby", "#den", "#no*room", `#${long}`, "#kitchen"])
        for (const [name, left] of [["kitchen", 4], [long, 3], ["no*room", 2]] as const) {
          yield* Effect.promise(() => page.click(`nav button[aria-label="leave ${name}"]`))
          yield* eventually(`${name} is left`, async () => (await listed(page)).length === left)
        }
        yield* turns(page, "den")
        yield* types(page, "/part")
        yield* titled(page, "#lobby · effect-chat")
        yield* types(page, "/join den")
        yield* shows(page, "#den wants a key, and that is not it")
        yield* Effect.promise(() => page.goto("about:blank"))
        yield* Effect.promise(() => page.goto(`http://127.0.0.1:${chat.port}/`))
        yield* there(page, ".composer textarea")
        yield* isCalled(page, "wanda")
        assert.deepStrictEqual(yield* Effect.promise(() => listed(page)), ["#lobby"])
      }), 30_000)

    it.effect("what is too long to be said stays where it was typed, whole", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const { page } = yield* visit(browser, chat)
        for (const text of ["שלום ".repeat(600), Array.from({ length: 500 }, (_, i) => `a line of many: ${i}`).join("\n")]) {
          yield* Effect.promise(() => page.focus("textarea"))
          yield* Effect.promise(() => page.keyboard.insertText(text))
          yield* Effect.promise(() => page.keyboard.press("Enter"))
          yield* shows(page, `at most 4096 bytes are sent at once; these are ${Buffer.byteLength(text)}`)
          assert.strictEqual(yield* Effect.promise(() => page.inputValue("textarea")), text)
          yield* Effect.promise(() => page.fill("textarea", ""))
        }
        assert.deepStrictEqual(yield* Effect.promise(() => said(page)), [])
        yield* types(page, "שלום ".repeat(450))
        yield* Effect.promise(() => page.waitForSelector(".line.mine"))
      }), 30_000)

    it.effect("notifications, when asked for and allowed: of what is meant for one while one looks elsewhere, and of nothing else", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        yield* says(ana, "/join den")
        const elsewhere = (page: Page, hidden: boolean) => Effect.promise(() => page.evaluate((hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden })
          document.dispatchEvent(new Event("visibilitychange"))
        }, hidden))
        /** What the page has the browser show, which nobody sees here, is written down. */
        const shown = (page: Page) => Effect.promise(() => page.evaluate(() => (window as unknown as { notes: ReadonlyArray<Notification> }).notes.map(({ body, tag, title }) => ({ title, body, tag }))))
        const watched = Effect.fnUntraced(function*(nick: string, permissions: Array<string>) {
          const { faults, page } = yield* visit(browser, chat, { path: "#/den", permissions })
          yield* Effect.promise(() => page.evaluate(() => {
            const notes: Array<Notification> = []
            Object.assign(window, {
              notes,
              Notification: class extends Notification {
                constructor(title: string, options?: NotificationOptions) {
                  super(title, options)
                  notes.push(this)
                }
              }
            })
          }))
          yield* called(page, nick)
          return { page, faults }
        })
        const { faults, page } = yield* watched("wanda", ["notifications"])
        const { page: other } = yield* watched("otto", [])
        yield* elsewhere(page, true)
        yield* says(ana, "wanda: before it is asked for")
        yield* shows(page, "before it is asked for")
        yield* elsewhere(page, false)
        for (const one of [page, other]) yield* Effect.promise(() => one.click("text=notify me"))
        yield* Effect.promise(() => page.waitForSelector("text=notify me", { state: "detached" }))
        yield* says(ana, "wanda: while she looks on")
        yield* shows(page, "while she looks on")
        for (const one of [page, other]) yield* elsewhere(one, true)
        yield* says(ana, "of no concern", "wanda, otto: tea?", "/msg wanda psst", "the end")
        for (const one of [page, other]) yield* shows(one, "the end")
        assert.deepStrictEqual(yield* shown(page), [
          { title: "ana in #den", body: "wanda, otto: tea?", tag: "#den" },
          { title: "ana", body: "psst", tag: "ana" }
        ])
        assert.deepStrictEqual(yield* shown(other), [], "who did not allow it is shown none")
        yield* elsewhere(page, false)
        yield* Effect.promise(() => page.evaluate(() => void (window as unknown as { notes: ReadonlyArray<Notification> }).notes[1]!.dispatchEvent(new Event("click"))))
        yield* shows(page, "psst")
        assert.deepStrictEqual(faults, [])
      }), 30_000)

    it.effect("with the keyboard alone: talk, complete, go to another room and back, change the nick, read up and down", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const { page } = yield* visit(browser, chat)
        const keys = (...all: ReadonlyArray<string>) => Effect.promise(async () => {
          for (const key of all) await page.keyboard.press(key)
        })
        const focused = () => page.evaluate(() => {
          const one = document.activeElement as HTMLElement
          return one.getAttribute("aria-label") ?? one.innerText
        })
        const tabTo = (wanted: RegExp, key = "Tab") =>
          Effect.promise(async () => {
            const seen: Array<string> = []
            for (let i = 0; i < 25; i++) {
              await page.keyboard.press(key)
              seen.push(await focused())
              if (wanted.test(seen.at(-1)!)) return
            }
            assert.fail(`${wanted} is not reached by ${key}: ${seen.join(" | ")}`)
          })
        // Where one talks is where one is.
        yield* Effect.promise(() => page.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA"))
        yield* Effect.promise(() => page.keyboard.type("/ni"))
        yield* there(page, ".offers")
        yield* keys("Tab")
        yield* Effect.promise(() => page.keyboard.type("wanda"))
        yield* keys("Enter")
        yield* isCalled(page, "wanda")
        yield* Effect.promise(() => page.keyboard.type("an"))
        yield* keys("Tab")
        yield* Effect.promise(() => page.keyboard.type("hi"))
        yield* keys("Enter")
        yield* reads(ana, "wanda: ana: hi\n")
        yield* says(ana, ...Array.from({ length: 80 }, (_, i) => `line ${i}`))
        yield* shows(page, "line 79")
        // Up from the composer through the log to the rooms, however many lines there are.
        yield* tabTo(/messages in lobby/, "Shift+Tab")
        yield* keys("PageUp", "PageUp")
        yield* eventually("it is scrolled", () => page.locator(".log").evaluate((one) => one.scrollTop + one.clientHeight < one.scrollHeight - 100))
        yield* keys("End")
        yield* tabTo(/join a room/, "Shift+Tab")
        yield* Effect.promise(() => page.keyboard.type("den"))
        yield* keys("Enter")
        yield* titled(page, "#den · effect-chat")
        yield* keys("Alt+ArrowUp")
        yield* titled(page, "#lobby · effect-chat")
        yield* keys("Alt+ArrowDown")
        yield* titled(page, "#den · effect-chat")
        yield* tabTo(/^#lobby/, "Shift+Tab")
        yield* keys("Enter")
        yield* titled(page, "#lobby · effect-chat")
        yield* tabTo(/^wanda/, "Shift+Tab")
        yield* keys("Enter")
        yield* Effect.promise(() => page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "your nick"))
        yield* keys("Control+A")
        yield* Effect.promise(() => page.keyboard.type("wendy"))
        yield* keys("Enter")
        yield* isCalled(page, "wendy")
        yield* tabTo(/^ana/)
        yield* keys("Enter")
        yield* titled(page, "ana · effect-chat")
      }), 30_000)

    it.effect("on a phone: one column, drawers for rooms and people, nothing wider than the screen", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const { page } = yield* visit(browser, chat, { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true })
        yield* says(ana, "x".repeat(300), "https://example.com/" + "y".repeat(300), "/topic " + "long ".repeat(50))
        yield* shows(page, "changed the topic")
        const wide = () => page.evaluate(() => document.documentElement.scrollWidth)
        assert.strictEqual(yield* Effect.promise(wide), 360)
        yield* types(page, "from a phone")
        yield* reads(ana, /guest\d+: from a phone\n/)
        assert.isFalse(yield* Effect.promise(() => page.isVisible("nav")))
        yield* Effect.promise(() => page.tap("button.drawer:has-text('rooms')"))
        yield* Effect.promise(() => page.waitForSelector("nav", { state: "visible" }))
        yield* Effect.promise(() => page.fill("nav input", "den"))
        yield* Effect.promise(() => page.press("nav input", "Enter"))
        yield* titled(page, "#den · effect-chat")
        yield* Effect.promise(() => page.waitForSelector("nav", { state: "hidden" }))
        yield* Effect.promise(() => page.tap("button.drawer:has-text('here')"))
        yield* Effect.promise(() => page.waitForSelector(".members", { state: "visible" }))
        yield* Effect.promise(() => page.keyboard.press("Escape"))
        yield* Effect.promise(() => page.waitForSelector(".members", { state: "hidden" }))
        // Fields that a phone does not zoom into, and things that a finger hits.
        assert.isAtLeast(yield* Effect.promise(() => page.$eval("textarea", (one) => Number.parseFloat(getComputedStyle(one).fontSize))), 16)
        assert.strictEqual(yield* Effect.promise(wide), 360)
        // With the keyboard up there is less of it.
        yield* Effect.promise(() => page.setViewportSize({ width: 360, height: 360 }))
        for (const name of ["/who", "/away"]) {
          yield* Effect.promise(() => page.fill("textarea", "/"))
          yield* Effect.promise(() => page.tap(`.offers li:has-text('${name}')`))
          assert.strictEqual(yield* Effect.promise(() => page.inputValue("textarea")), `${name} `)
        }
        yield* Effect.promise(() => page.fill("textarea", "/"))
        yield* Effect.promise(() => page.press("textarea", "ArrowUp"))
        yield* eventually("what is chosen by arrows is in view", () => page.$eval("[aria-selected=true]", (one) => {
          const { bottom, top } = one.getBoundingClientRect()
          return document.elementFromPoint(100, (top + bottom) / 2) === one
        }))
      }), 30_000)

    it.effect("an automated look at who can use it finds nothing serious, in light and dark, wide and narrow", () =>
      Effect.gen(function*() {
        const chat = yield* program(["--rate", "off"])
        const browser = yield* Chromium
        const ana = yield* person(chat, "ana")
        const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
        const { page } = yield* visit(browser, chat, { bypassCSP: true })
        yield* called(page, "wanda")
        yield* says(ana, "hello https://example.com/", "/me waves", "wanda: look", "/topic see https://example.com/", "/msg wanda psst")
        for (const nick of ["bo", "cy", "di", "ed", "flo", "gus"]) {
          const other = yield* person(chat, nick)
          yield* says(other, "hi")
          yield* shows(page, `${nick}: hi`)
        }
        yield* Effect.promise(() => page.evaluate(axe))
        const found: Array<string> = []
        const look = (what: string) =>
          Effect.promise(async () => {
            await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)))
            const violations = await page.evaluate(() => (globalThis as unknown as Axe).axe.run())
            for (const { help, id, impact, nodes } of violations.violations) {
              found.push(`${what}: ${impact} ${id}: ${help}: ${nodes.slice(0, 3).map((one) => `${one.html.slice(0, 150)} ${one.failureSummary}`).join("; ")}`)
            }
          })
        for (const colorScheme of ["light", "dark"] as const) {
          yield* Effect.promise(() => page.emulateMedia({ colorScheme }))
          yield* Effect.promise(() => page.setViewportSize({ width: 1100, height: 700 }))
          yield* Effect.promise(() => page.fill("textarea", "/"))
          yield* there(page, ".offers")
          yield* look(`${colorScheme}, with commands offered`)
          yield* Effect.promise(() => page.fill("textarea", ""))
          yield* Effect.promise(() => page.setViewportSize({ width: 360, height: 640 }))
          yield* look(`${colorScheme}, on a phone`)
          yield* Effect.promise(() => page.click("button.drawer:has-text('rooms')"))
          yield* Effect.promise(() => page.waitForSelector("nav", { state: "visible" }))
          yield* look(`${colorScheme}, with the rooms drawn out`)
          yield* Effect.promise(() => page.keyboard.press("Escape"))
        }
        assert.deepStrictEqual(found, [])
      }), 30_000)
  })
})

describe("what the page is made of", () => {
  it.live("a strict policy is sent with all of it, and it weighs at most 60 KB compressed", () =>
    Effect.gen(function*() {
      const { port } = yield* program()
      const folder = `${root}dist/page`
      let weight = 0
      for (const name of readdirSync(folder)) weight += gzipSync(readFileSync(`${folder}/${name}`)).length
      assert.isBelow(weight, 60_000)
      for (const path of ["/", "/page.js", "/page.css", "/icon.svg"]) {
        const answer = yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}${path}`))
        const text = yield* Effect.promise(() => answer.text())
        assert.strictEqual(answer.status, 200)
        const policy = answer.headers.get("content-security-policy") ?? ""
        for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) assert.include(policy, part)
        assert.notMatch(policy, /unsafe|\*|data:|https?:/)
        assert.strictEqual(answer.headers.get("x-content-type-options"), "nosniff")
        assert.strictEqual(answer.headers.get("referrer-policy"), "no-referrer")
        if (path === "/") assert.notMatch(text, /<script>|<style|style=|\bon\w+=|https?:/)
      }
    }))
})
