/** Pictures of the page, as it is built: `npx node scripts/screenshots.ts FOLDER` writes light.png, dark.png, phone.png and rooms.png. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { chromium, type Page } from "playwright-core"
import { asked, explain } from "./asked.ts"
import { root } from "./root.ts"

const usage = "usage: npx node scripts/screenshots.ts FOLDER"
const { positionals } = asked(usage, { allowPositionals: true })
const folder = positionals[0] ?? explain(usage, "say which folder the pictures go to")
mkdirSync(folder, { recursive: true })

const chat = spawn(process.execPath, [join(root, "dist/chat.cjs"), "serve", "--port", "0", "--rate", "off", "--log-level", "warn"], { stdio: ["ignore", "pipe", "inherit"] })
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] })
try {
  const [first] = await once(chat.stdout, "data") as [Buffer]
  const port = Number(/:(\d+)/.exec(first.toString())![1])

  /** Somebody on nc, and what they are told. */
  const person = async (nick: string) => {
    const socket = connect(port, "127.0.0.1")
    let told = ""
    socket.on("data", (bytes) => {
      told += bytes.toString()
    })
    const says = async (...lines: ReadonlyArray<string>) => {
      const from = told.length
      socket.write([...lines, "/nobody"].map((line) => `${line}\n`).join(""))
      while (!told.slice(from).includes("/nobody")) await once(socket, "data")
    }
    await says(`/nick ${nick}`)
    return says
  }
  const type = async (page: Page, line: string) => {
    await page.fill("textarea", line)
    await page.press("textarea", "Enter")
  }
  const picture = async (page: Page, name: string) => {
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)))
    await page.screenshot({ path: join(folder, `${name}.png`) })
  }
  const shows = (page: Page, text: string) => page.waitForSelector(`.log :text("${text}")`)

  const [ana, bo, cy] = [await person("ana"), await person("bo"), await person("cyrus")]
  const page = await browser.newPage({ viewport: { width: 1200, height: 760 }, colorScheme: "light" })
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.waitForSelector(".composer textarea")
  await type(page, "/nick wanda")
  await shows(page, "is now wanda")
  await ana("/topic tea at four, cake at five", "good afternoon, everybody", "has anybody seen https://example.com/cake?")
  await bo("yes, and I have some left", "/me cuts another slice")
  await type(page, "keep one for me, please")
  await shows(page, "keep one for me")
  await cy("<b>this</b> is what markup looks like here", "wanda: there is one with your name on it", "/join kitchen")
  await bo("/msg wanda it is the one with the cherry")
  await type(page, "/join kitchen")
  await cy("/join kitchen", "the kettle is on")
  await page.click("nav li:has-text('#lobby') button")
  await cy("two cups or three?")
  await page.waitForSelector("nav li:has-text('kitchen') .count")
  await picture(page, "light")
  await page.emulateMedia({ colorScheme: "dark" })
  await page.fill("textarea", "/")
  await page.waitForSelector(".offers")
  await picture(page, "dark")
  await page.fill("textarea", "")
  await page.emulateMedia({ colorScheme: "light" })
  await page.setViewportSize({ width: 390, height: 780 })
  await picture(page, "phone")
  await page.click("button.drawer:has-text('rooms')")
  await page.waitForSelector("nav", { state: "visible" })
  await picture(page, "rooms")
} finally {
  await browser.close()
  chat.kill()
}
