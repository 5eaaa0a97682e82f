/** One of 25 members stops reading: what the others have of it, what it costs the server, and what it is told when it reads on. */
import { arrive, leave, pause } from "./people.ts"
import { median, type Row } from "./report.ts"
import { ours, residentMemory, start } from "./servers.ts"
import { Crowd, stretch } from "./traffic.ts"

const size = 400
const task = { window: 16 }

/** What a reader was sent: how many of the messages, and how many it was told of that it missed. */
const account = (text: string): { readonly heard: number; readonly missed: number } => ({
  heard: text.split("\n").filter((line) => line.includes(": @") && line.endsWith("$")).length,
  missed: [...text.matchAll(/^-!- .*?([\d,]+) messages?.*/gm)].reduce((sum, [line, count]) => line.includes("miss") ? sum + Number(count!.replaceAll(",", "")) : sum, 0)
})

export const measure = async (seconds: number, rounds: number): Promise<ReadonlyArray<Row>> => {
  const server = await start(ours, { collectable: true })
  let crowd: Crowd | undefined
  try {
    crowd = await Crowd.gather(server, { receivers: 20, senders: 4, size })
    await stretch(server, crowd, { ...task, seconds: 1 })
    const reading: Array<number> = []
    const stalled: Array<number> = []
    const grown: Array<number> = []
    const accounted: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      reading.push((await stretch(server, crowd, { ...task, seconds })).perSecond)
      const [reader] = await arrive(server, 1)
      reader!.removeAllListeners("data").pause()
      let text = ""
      reader!.on("data", (bytes: Buffer) => {
        text += bytes.toString("latin1")
      }).pause()
      // What is kept for it at most is kept after this; then nothing more may be.
      const first = await stretch(server, crowd, { ...task, seconds })
      await server.collect()
      const before = residentMemory(server.pid)
      const without = await stretch(server, crowd, { ...task, seconds })
      stalled.push(without.perSecond)
      await server.collect()
      grown.push((residentMemory(server.pid) - before) / 1_048_576)
      const sent = first.tallies[0]!.messages + without.tallies[0]!.messages
      reader!.resume()
      for (let length = -1; length !== text.length;) {
        length = text.length
        await pause(500)
      }
      const { heard, missed } = account(text)
      accounted.push((heard + missed) / sent)
      leave([reader!])
      await pause(200)
    }
    const what = "one of 25 members stops reading"
    return [
      { what: `${what}: deliveries to the others`, unit: "1/s", ours: median(stalled), naive: median(reading), beside: "it reads", bound: { of: "ratio", least: 0.9 } },
      { what: `${what}: how memory grows while it does not`, unit: "MB", ours: Math.max(0, median(grown)), bound: { of: "figure", most: 8 } },
      { what: `${what}: share of messages it then gets or is told it missed`, unit: "", ours: median(accounted), bound: { of: "figure", least: 1, most: 1 } }
    ]
  } finally {
    await crowd?.disperse()
    await server.stop()
  }
}
