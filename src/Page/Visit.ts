/**
 * One visit to the server: what is known now, and all that changes it, which is what the server tells, what is asked for by hand,
 * and the page's address. Comes back as who one was and where one was. Knows no elements.
 */
import type { Wish } from "../Command.ts"
import type { Message } from "../Event.ts"
import * as Link from "./Link.ts"
import { remember, remembered } from "./Memory.ts"
import * as Model from "./Model.ts"
import { notify } from "./Notices.ts"
import * as Typed from "./Typed.ts"

// --- the address -------------------------------------------------------------------------------------------------------

/** The room that the address names. */
const addressed = (): string | undefined => {
  try {
    return /^#\/#?(.+)$/.exec(decodeURIComponent(location.hash))?.[1]
  } catch {
    return undefined
  }
}

const addressOf = (id: string): string => Model.isRoom(id) ? `#/${encodeURIComponent(id.slice(1))}` : "#"

// --- the one state -----------------------------------------------------------------------------------------------------

const rememberedRooms = (): ReadonlyArray<string> => (remembered("rooms") ?? "").split(" ").filter(Model.isRoom)

let model: Model.Model = { ...Model.start, current: addressed() === undefined ? rememberedRooms()[0] ?? "#lobby" : Model.roomId(addressed()!) }
let phase: Link.Phase = "connecting"
let seconds = 0
/** Who one was when one was last somebody, and whether one has been in any room. */
let me: string | undefined
let begun = false
/** What one will ask to be called when there is a connection again, and with which words one is away, if one is. */
let nick: string | undefined
let away: string | undefined
/** What is given where a password is wanted, and whether it was on this connection. */
let password: string | undefined
let given = false
/** What one was told outside, since one was in or gave a password. */
const toldOutside = new Set<string>()

/** What is known at this moment: what one is called or will be, `seconds` until it is tried again, whether one has `begun` to come into rooms. */
export interface Now {
  readonly model: Model.Model
  readonly nick: string
  readonly phase: Link.Phase
  readonly seconds: number
  readonly begun: boolean
}

export const now = (): Now => ({ model, nick: nick ?? model.nick, phase, seconds, begun })

// --- showing it --------------------------------------------------------------------------------------------------------

let refresh: () => void = () => {}
let scheduled = false

/** By whom what changed is shown. */
export const shownBy = (by: () => void): void => {
  refresh = by
}

/** What changed is shown with the next frame, however much it was. */
export const show = (): void => {
  if (scheduled) return
  scheduled = true
  const soon = () => {
    scheduled = false
    refresh()
  }
  if (document.hidden) setTimeout(soon, 100)
  else requestAnimationFrame(soon)
}

const set = (next: Model.Model): void => {
  model = next
  show()
}

/** The address is that of the conversation that is open; of people it names none, and going back is told who it was. */
const readdress = (): void => history.replaceState(model.current, "", addressOf(model.current))

// --- coming, and coming back -------------------------------------------------------------------------------------------

/** The rooms that one comes back to. */
const ownRooms = (): ReadonlyArray<string> => [...model.conversations.values()].filter((of) => Model.isRoom(of.id) && of.stage !== "out").map((of) => of.id)

let rooms = remembered("rooms")
const rememberRooms = (): void => {
  const own = ownRooms().join(" ")
  if (own !== rooms) remember("rooms", rooms = own)
}

/** Be who one was, where one was. */
const comeBack = (): void => {
  // Where the new one is not to be had, the old one is.
  for (const name of [me ?? remembered("nick"), nick]) if (name !== undefined) link.send({ _tag: "SetNick", nick: name })
  nick = undefined
  if (away !== undefined) link.send({ _tag: "SetAway", message: away })
  const known = ownRooms()
  const wanted = new Set(begun ? known : [model.current, ...rememberedRooms(), ...known].filter(Model.isRoom))
  begun = true
  for (const id of wanted) {
    set(Model.expect(model, id))
    const of = model.conversations.get(id)
    const again = of?.last === undefined || model.epoch === undefined ? {} : { after: of.last, epoch: model.epoch }
    link.send(...Typed.join(of?.name ?? id.slice(1), again))
  }
}

const give = (words: string): void => {
  password = words
  given = true
  toldOutside.clear()
  link.send({ _tag: "Arrive", password })
}

/** A password is wanted: the one that let one in before is given again, and a wrong one is not. */
const wanted = (): void => {
  if (given) password = undefined
  else if (password !== undefined) give(password)
}

/** Whoever is not let in is told why at each attempt, and shown it once. */
const isKnown = (message: Message): boolean => {
  if (phase !== "outside") {
    toldOutside.clear()
    return false
  }
  const words = JSON.stringify(message)
  const known = toldOutside.has(words)
  toldOutside.add(words)
  return known
}

readdress()

const link = Link.open({
  onMessage: (message) => {
    const before = model
    if (!isKnown(message)) set(Model.tell(model, message))
    if (message._tag === "Welcome") comeBack()
    // Who came and who left may be among it.
    if (message._tag === "Missed" && message.room !== undefined) link.send({ _tag: "Names", room: `#${message.room}` })
    if (message._tag === "Refused" && message.command === "Arrive" && message.code === "password") wanted()
    if (message._tag === "Renamed" && before.nick !== model.nick) {
      me = model.nick
      remember("nick", model.nick)
    }
    // A connection that ended without a word keeps one's nick for a while.
    if (message._tag === "Quit" && me !== undefined && message.nick === me && model.nick !== me) link.send({ _tag: "SetNick", nick: me })
    if (begun) rememberRooms()
    if (before.current !== model.current) readdress()
    notify(before, model, turn)
  },
  onQuiet: () => {
    if (phase !== "open") return false
    const room = [...model.conversations.values()].find((of) => Model.isRoom(of.id) && of.stage === "in")
    if (room !== undefined) link.send({ _tag: "Look", room: room.id })
    return room !== undefined
  },
  onPhase: (next, wait) => {
    phase = next
    seconds = wait
    if (phase === "connecting") given = false
    show()
  }
})

// --- what is asked for by hand -----------------------------------------------------------------------------------------

/** Open a conversation. It is shown at once, and not with the next frame: whoever typed this types on, into what is open then. */
const turnTo = (id: string, name: string | undefined): void => {
  model = Model.turnTo(model, id, name)
  refresh()
}

/** Open a conversation, and be able to go back to the one before it. */
export const turn = (id: string): void => {
  turnTo(id, model.conversations.get(id)?.name)
  if (history.state !== id) history.pushState(id, "", addressOf(id))
}

/** Open the conversation so many below the one that is open, as they are listed: rooms, and then people. */
export const turnBy = (many: 1 | -1): void => {
  const ids = [...model.conversations.values()].sort((a, b) => Number(Model.isRoom(b.id)) - Number(Model.isRoom(a.id))).map((of) => of.id)
  const next = ids.at((ids.indexOf(model.current) + many) % ids.length)
  if (next !== undefined) turn(next)
}

/** Say something to oneself. */
export const remark = (words: string): void => set(Model.remark(model, words))

/** Whether a text that was typed would be sent now. */
export const isHeard = (text: string): boolean => phase === "open" || (phase === "outside" && /^\/pass\s/i.test(text))

/** Ask for something. What one wants to be is kept: it is asked for when there is a connection, and one who comes back is still away. */
const ask = (wish: Wish): void => {
  if (wish._tag === "SetAway") away = wish.message
  if (phase === "open") return link.send(wish)
  if (wish._tag === "Arrive" && wish.password !== undefined) give(wish.password)
  if (wish._tag === "SetNick") nick = wish.nick
  if (wish._tag === "SetAway") set({ ...model, away: away !== undefined })
  show()
}

/** Do what a line asks for. */
export const enter = (line: string): void => {
  const { remark: words, turn: to, wishes } = Typed.typed(line, model.current)
  wishes.forEach(ask)
  if (to !== undefined) turn(to)
  if (words !== undefined) remark(words)
}

export const rename = (to: string): void => ask({ _tag: "SetNick", nick: to })

export const leave = (id: string): void => {
  const stage = model.conversations.get(id)?.stage
  if (Model.isRoom(id) && phase === "open" && stage !== "out") {
    // Behind a Join that may not be answered yet.
    link.send({ _tag: "Part", room: id })
    if (stage === "in") return
  }
  set(Model.close(model, id))
  readdress()
  rememberRooms()
}

/** Ask for what was said before the oldest line of a room. */
export const older = (of: Model.Conversation): void => {
  if (of.whole || of.asked || !Model.isRoom(of.id) || phase !== "open") return
  const first = of.lines.find((line) => line.seq !== undefined)
  set(Model.asking(model, of.id))
  link.send({ _tag: "History", room: of.id, limit: 50, ...(first?.seq === undefined ? {} : { before: first.seq }) })
}

/** Older lines are looked at, or the newest again. */
export const read = (older: boolean): void => {
  if (model.reads !== older) set(Model.read(model, older))
}

/** Do not wait any longer for another attempt to connect. */
export const connect = (): void => link.now()

const onAddress = (): void => {
  const room = addressed()
  const id = room === undefined ? history.state as string | null : Model.roomId(room)
  if (id === null || (room === undefined && !model.conversations.has(id))) return
  if (room !== undefined && !model.conversations.has(id)) link.send(...Typed.join(room, {}))
  turnTo(id, model.conversations.get(id)?.name ?? room)
  readdress()
}
addEventListener("popstate", onAddress)
addEventListener("hashchange", onAddress)
document.addEventListener("visibilitychange", () => set(Model.look(model, !document.hidden)))
