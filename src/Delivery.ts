/**
 * What a session has heard, on its way to the client: taken from the subscription, put in the dialect's words, handed to
 * the connection as far as the client takes it. Knows nothing of what the client says.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type { Batch, Teller } from "./Batch.ts"
import type { Connection } from "./Connection.ts"
import type { Any, Heard, Rendering, Stamp } from "./Dialect.ts"
import * as Doors from "./Doors.ts"
import type { Entry } from "./Event.ts"
import type { Hub } from "./Hub.ts"
import { asked, isDone, nearest, type Page, stretch } from "./Log.ts"
import { highWater, type Speaker } from "./Ring.ts"
import { Sheet } from "./Sheet.ts"
import { isGap, type Placed, refilled, type Subscription } from "./Subscription.ts"
import type { Recall, Reply } from "./World.ts"

/** How much of a room's past is told in one go, in bytes. */
const maxPage = 131_072

/**
 * What is longer is given as it is, and not copied to what else is told, in bytes: a crowd's comings, which all share, names of a
 * large room, pages of a past.
 */
const long = 8192

/** Bytes that may wait for what comes next. */
const maxBefore = 4096

const answerStamp: Stamp = { seq: 0, at: 0, id: "", mine: true }

const isTalk = ({ event }: Entry): boolean => event._tag === "Said" || event._tag === "Passed"

const noParts: ReadonlyArray<Placed> = []
const noBytes: ReadonlyArray<Uint8Array> = []

/** What takes more bytes when it is shown than when it is kept. */
const swelling = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

const sizeOf = (text: string): number =>
  Buffer.byteLength(JSON.stringify(text)) + 6 * (text.match(swelling)?.length ?? 0)

/** What an entry takes of a page at most, whatever dialect it is told in. */
const sizeOfEntry = ({ event }: Entry): number =>
  256 + (event._tag === "Said" ? sizeOf(event.text) : event._tag === "Passed" ? 8 * event.bytes.length : 1024)

/** As many of the entries as are told in one go: those on both sides of the place `nearest`. */
const inOneGo = (entries: ReadonlyArray<Entry>, nearest: number): ReadonlyArray<Entry> => {
  let from = nearest
  let to = nearest
  let left = maxPage
  while (from > 0 || to < entries.length) {
    const isBehind = to < entries.length && (from === 0 || to - nearest <= nearest - from)
    left -= sizeOfEntry(entries[isBehind ? to : from - 1]!)
    if (left < 0 && to > from) break
    if (isBehind) to++
    else from--
  }
  return entries.slice(from, to)
}

/** Entries in pages of at most about `maxPage` bytes; the last page is full. */
const pages = (entries: ReadonlyArray<Entry>): ReadonlyArray<ReadonlyArray<Entry>> => {
  const out: Array<ReadonlyArray<Entry>> = []
  let to = entries.length
  let size = 0
  for (let i = entries.length - 1; i >= 0; i--) {
    size += sizeOfEntry(entries[i]!)
    if (size <= maxPage || to === i + 1) continue
    out.unshift(entries.slice(i + 1, to))
    to = i + 1
    size = 0
    i++
  }
  out.unshift(entries.slice(0, to))
  return out
}

/** Where what one client is told is put together, in one go from the clearing to the giving: little room, for who does not take it keeps all. */
const sheet = new Sheet(8192)

/** Who can wait until the client has taken what it has; false when it is given up. */
interface Client {
  readonly untilRoom: () => Effect.Effect<boolean>
}

/** Methods that do not return effects are done at once. */
export class Delivery implements Teller {
  // First what is looked at for each batch, so that it lies together.
  readonly #connection: Connection
  readonly #subscription: Subscription
  /** Why the server ends the session, once it does: nothing is given after that. */
  closing: string | undefined
  /** What was taken from the subscription and waits for the log to be asked. */
  #held: ReadonlyArray<Placed> = noParts
  /** What comes before what the log is asked for, so that mostly both are one write. */
  #before: ReadonlyArray<Uint8Array> = noBytes
  #state: unknown
  /** How a room looks to a speaker in this state: as long as neither changes, the dialect would say the same again. */
  #rendering: Rendering | undefined
  #renderedRoom: string | undefined
  #renderedState: unknown
  /** Whether it is told nothing then of what it says itself. */
  #hushed = false
  #dialect: Any
  /** Whether the session was welcomed. */
  arrived = false
  readonly #hub: Hub["Service"]
  readonly #client: Client

  constructor(
    hub: Hub["Service"],
    connection: Connection,
    subscription: Subscription,
    { dialect, state }: { readonly dialect: Any; readonly state: unknown },
    client: Client
  ) {
    this.#hub = hub
    this.#connection = connection
    this.#subscription = subscription
    this.#dialect = dialect
    this.#state = state
    this.#client = client
  }

  /** What is spoken, and where that machine stands. Both halves of a session move it. */
  get dialect(): Any {
    return this.#dialect
  }
  get state(): unknown {
    return this.#state
  }
  set state(next: unknown) {
    if (next === this.#state) return
    const chosen = this.#dialect.chosen?.(next)
    if (chosen !== undefined) this.#dialect = chosen.dialect
    this.#state = chosen === undefined ? next : chosen.state
    this.#subscription.fallBehind()
  }

  /** While there is nothing to do, what happens is given as it comes. */
  keepUp(speaker: Speaker): void {
    this.#subscription.keepUp(this.#connection, speaker)
  }

  /** Whether the log must be asked before anything else can be given. */
  get holds(): boolean {
    return this.#held !== noParts
  }

  /** Give everything that is pending. False when the client must first take what it has, or the log be asked. */
  flush(): boolean {
    if (this.closing === undefined && this.#connection.unsent() <= highWater) {
      const batch = this.#subscription.takeBatch()
      if (batch !== undefined) {
        this.giveBatch(batch)
        // With too much unsent the client must be waited for, before it is listened to again.
        return this.#connection.unsent() <= highWater
      }
    }
    while (this.closing === undefined && this.#connection.unsent() <= highWater) {
      if (this.#subscription.isDry) return true
      const parts = this.#subscription.take()
      if (parts.length === 0) return true
      this.#held = parts.some(isGap) ? parts : this.#giveParts(parts)
      if (this.#held.length > 0) return false
    }
    return this.closing !== undefined
  }

  /** Bytes of the dialect's own doing. */
  give(bytes: Uint8Array): void {
    if (this.#before !== noBytes) this.#giveAll([bytes])
    else if (bytes.length > 0) this.#connection.give(bytes)
  }

  #giveAll(chunks: ReadonlyArray<Uint8Array>): void {
    const all = this.#before === noBytes ? chunks : [...this.#before, ...chunks]
    this.#before = noBytes
    if (all.length > 0) this.give(all.length === 1 ? all[0]! : Buffer.concat(all))
  }

  /** Give these together with what is given next, as long as they are few. */
  #giveWithNext(chunks: ReadonlyArray<Uint8Array>): void {
    const all = [...this.#before, ...chunks]
    let size = 0
    for (const chunk of all) size += chunk.length
    if (size > maxBefore) this.#giveAll(chunks)
    else if (size > 0) this.#before = all
  }

  /** A whole batch: shared bytes, unless something in it is personal. */
  giveBatch(batch: Batch): void {
    const own = batch.personalTo(this.#subscription.id, this.#subscription)
    const rendering = own.length > 0 ? undefined : this.renderingOf(batch.room)
    if (rendering !== undefined) this.give(batch.rendered(rendering).bytes)
    else {
      sheet.clear()
      this.#hear(batch, own, 0, batch.entries.length)
      this.#giveSheet()
    }
  }

  /** Put these bytes behind what is told in this go. */
  put(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (to - from < long) return sheet.bytes(bytes, from, to)
    this.#giveSheet()
    this.give(to - from === bytes.length ? bytes : bytes.subarray(from, to))
    // Only now: whoever is given something may say something at once, and others be told of it here.
    sheet.clear()
  }

  #giveSheet(): void {
    const connection = this.#connection
    const lent = connection.lend === undefined || this.#before !== noBytes || sheet.length === 0 ? undefined : sheet.lent()
    if (lent === undefined) this.#giveAll(sheet.length === 0 ? noBytes : [sheet.taken()])
    else if (!connection.lend!(lent)) sheet.lose()
  }

  /** Give these until the client has enough unsent or the log must be asked; what is left then. */
  #giveParts(parts: ReadonlyArray<Placed>): ReadonlyArray<Placed> {
    let i = 0
    sheet.clear()
    for (; i < parts.length && this.#connection.unsent() + sheet.length <= highWater && this.closing === undefined; i++) {
      const { at, part } = parts[i]!
      if (part._tag === "Recall") {
        const page = part.why === "resumed" ? undefined : this.#hub.recall(part, at)
        // Mostly there is nothing to wait for.
        if (page === undefined || !isDone(page)) break
        this.put(this.#tellRecalled(part, Exit.getSuccess(page)))
      } else if (part._tag === "Heard") {
        let { to } = part
        // Neighbours in a batch are heard together.
        for (; i + 1 < parts.length; i++) {
          const next = parts[i + 1]!.part
          if (next._tag !== "Heard" || next.batch !== part.batch || next.from !== to) break
          to = next.to
        }
        this.#hear(part.batch, part.batch.personalTo(this.#subscription.id, this.#subscription), part.from, to)
      } else if (part._tag === "Private") this.put(this.#tellEntry(part.entry, part.apart))
      else if (part._tag !== "Gap") this.put(this.#tellAnswer(part))
    }
    const left = i === parts.length || this.closing !== undefined ? noParts : parts.slice(i)
    if (left[0]?.part._tag === "Recall") this.#giveWithNext([sheet.taken()])
    else this.#giveSheet()
    return left
  }

  /** Entries of a batch: what is not personal as the bytes it shares with others, the rest, its `own`, told one by one. */
  #hear(batch: Batch, own: ReadonlyArray<number>, from: number, to: number): void {
    let start = from
    for (let k = 0; k < own.length; k++) {
      const i = own[k]!
      if (i < start || i >= to) continue
      if (i > start) this.#share(batch, start, i)
      const entry = batch.entries[i]!
      if (!isTalk(entry) || this.renderingOf(batch.room) === undefined || !this.#hushed) this.put(this.#tellEntry(entry))
      start = i + 1
    }
    if (to > start) this.#share(batch, start, to)
  }

  #share(batch: Batch, from: number, to: number): void {
    const rendering = this.renderingOf(batch.room)
    // What is of one doing with something personal is told with it.
    let end = rendering === undefined ? from : to
    while (end > from && batch.entries[end - 1]!.more === true) end--
    if (end > from) batch.put(this, rendering!, from, end)
    for (let i = end; i < to; i++) this.put(this.#tellEntry(batch.entries[i]!))
  }

  /** How a room with this key looks to this session now. */
  renderingOf(room: string): Rendering | undefined {
    const state = this.#state
    if (state !== this.#renderedState || room !== this.#renderedRoom) {
      this.#rendering = this.#dialect.rendering(state, room)
      this.#hushed = this.#dialect.hushed?.(state) === true
      this.#renderedRoom = room
      this.#renderedState = state
    }
    return this.#subscription.hearsSeveral ? this.#rendering?.besides ?? this.#rendering : this.#rendering
  }

  #tell(event: Heard, stamp: Stamp): Uint8Array {
    const told = this.#dialect.tell(this.state, event, stamp)
    this.state = told.state
    return told.bytes
  }

  #tellEntry({ at, bot, by, event, from, id, more, seq }: Entry, apart = false): Uint8Array {
    const mine = by === this.#subscription.id
    const stamp: Stamp = from === undefined ? { seq, at, id, mine, apart } : { seq, at, id, from, mine, apart }
    return this.#tell(event, bot === undefined && more === undefined ? stamp : { ...stamp, ...(bot === undefined ? {} : { bot }), ...(more === undefined ? {} : { more }) })
  }

  #tellAnswer(answer: Exclude<Reply, Recall>): Uint8Array {
    if (answer._tag === "Welcome") this.arrived = true
    if (answer._tag === "Closing") this.closing = answer.reason
    return this.#tell(answer, answerStamp)
  }

  /** The last thing the client is told, by the server. */
  sayWhy(reason: string): void {
    this.give(this.#tell({ _tag: "Closing", reason }, answerStamp))
  }

  /** Give what is held, asking the log where it must be asked, as far and as fast as the client takes it. */
  *#askLog() {
    let parts = this.#held
    if (parts.some(isGap)) parts = yield* refilled(parts, this.#hub.read)
    while (parts.length > 0) {
      const { at, part } = parts[0]!
      if (this.#connection.unsent() > highWater) {
        if (!(yield* this.#client.untilRoom())) return
      } else if (part._tag === "Recall") {
        parts = parts.slice(1)
        if (part.why === "resumed") yield* Effect.gen({ self: this }, () => this.#resuming(part, part.after as number, at))
        else this.#giveWithNext([this.#tellRecalled(part, yield* Effect.option(this.#hub.recall(part, at)))])
      } else parts = this.#giveParts(parts)
    }
    this.#giveAll(noBytes)
    this.#held = noParts
  }

  giveHeld(): Effect.Effect<void> {
    return Effect.gen({ self: this }, this.#askLog)
  }

  #tellRecalled(recall: Recall, found: Option.Option<Page>): Uint8Array {
    const { room, why, words } = recall
    const page = found._tag === "None" ? { entries: [], complete: false, unknown: true } : found.value
    const { complete, entries, unknown: failed = false } = page
    // Who asks for history can ask on from the end that is farther away.
    const some = inOneGo(entries, nearest(recall, page))
    return this.#tell({ _tag: "Recalled", room, why, entries: some, complete: complete && some.length === entries.length, ...(words === undefined ? {} : { words }), ...(failed ? { failed } : {}) }, answerStamp)
  }

  /** Everything that happened in a room after a place, as fast as the client takes it, and word of what is forgotten of it. */
  *#resuming(recall: Recall, from: number, at: number) {
    const { room, why } = recall
    let after = from
    if (yield* Effect.orElseSucceed(Doors.hasHole(this.#hub.read, recall, at), () => true)) this.give(this.#tellAnswer({ _tag: "Missed", room, after }))
    for (let more = true; more;) {
      const found = yield* Effect.option(stretch(this.#hub.read, { ...asked(recall, at), after }))
      const { complete, entries, more: goesOn } = found._tag === "None" ? { entries: [], complete: false, more: false } : found.value
      if (!complete) this.give(this.#tellAnswer({ _tag: "Missed", room, after }))
      for (const some of pages(entries)) {
        if (this.#connection.unsent() > highWater && !(yield* this.#client.untilRoom())) return
        this.give(this.#tell({ _tag: "Recalled", room, why, entries: some, complete }, answerStamp))
      }
      after = entries[entries.length - 1]?.seq ?? after
      more = goesOn
    }
  }
}
