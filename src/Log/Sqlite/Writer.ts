/**
 * The one that writes: each batch in one transaction, kept when it is on the disk. Snapshots and the cutting of what is too old
 * are done in small pieces between batches, so that no batch waits for more than one of them. Reads nothing for anybody.
 */
import { existsSync } from "node:fs"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { files, lock, openToWrite, Unusable, unkept } from "./Folder.ts"
import { mend } from "./Mending.ts"
import { Rows } from "./Rows.ts"
import { end, isOfPair, maxRooms, ordered, place, type Put, roomOf, shelfOf, shelvesOf } from "./Schema.ts"

export interface Options {
  readonly folder: string
  /** What a new log is to be called. */
  readonly epoch: string
  /** Entries are kept for so many milliseconds, and as many as fit in so many bytes. */
  readonly retain: number | undefined
  readonly retainSize: number | undefined
}

interface Room {
  readonly number: number
  /** The latest times among what was said, and among the rest. */
  said: number
  other: number
}

interface Unkept {
  readonly seq: number
  readonly pieces: ReadonlyArray<Uint8Array>
  next: number
  readonly settle: (failed?: unknown) => void
}

/** In place of a room's key, for what happens in none. */
const nowhere = ""

/** Rooms that are remembered by the writer, to put entries in without asking. */
const remembered = 8192

/** Bytes of a snapshot that are written with a batch. */
const pieceSize = 65_536

/** So long there must be no batch for a piece to be written alone, in milliseconds. */
const quiet = 10

/** After so many entries it is looked whether there are too many of them. */
const lookEvery = 512

/** The fewest entries that are cut in one go, and the most pages then given back to the disk. */
const cutting = 500
const givenBack = 256

/** Opens the log when it is made; `close` lets go of it. What it throws is for `reason`. */
export class Writer {
  readonly #lock: DatabaseSync
  readonly #database: DatabaseSync
  readonly #options: Options
  readonly #rooms = new Map<string, Room>()
  readonly #entries: Rows
  readonly #ordinals: Rows
  readonly #statements: Record<"findRoom" | "addRoom" | "high" | "about" | "note" | "piece", StatementSync>
  readonly #snapshots: Array<Unkept> = []
  #timer: NodeJS.Timeout | undefined
  #unlooked = 0
  #largest = 0
  readonly epoch: string
  /** The sequence number of the last entry; the next must be greater. */
  last: number

  constructor(options: Options) {
    this.#options = options
    this.#lock = lock(options.folder)
    try {
      this.#database = openToWrite(options.folder, options.epoch)
      mend(this.#database)
      this.#entries = new Rows(this.#database, "entry", `(${place("?", "?")}, ?, ?, ?, ?, ?, ?, ?)`)
      this.#ordinals = new Rows(this.#database, "ordinal", "(?, ?, ?)")
      const prepare = (sql: string) => this.#database.prepare(sql)
      this.#statements = {
        findRoom: prepare("SELECT number FROM room WHERE key = ?"),
        addRoom: prepare("INSERT INTO room(key, gone_said, gone_other) VALUES (?1, ?2, ?2)"),
        high: prepare(`SELECT high FROM entry WHERE place > ${place("?", "0")} AND place < ${place("?", String(end))} ORDER BY place DESC LIMIT 1`),
        about: prepare("SELECT value FROM about WHERE name = ?"),
        note: prepare("INSERT OR REPLACE INTO about VALUES (?, ?)"),
        piece: prepare("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)")
      }
      const found = this.#database.prepare("SELECT max(seq) AS last FROM ordinal").get()?.["last"]
      this.last = Math.max(Number(found ?? 0), this.#noted("gone"))
      this.epoch = this.#sound(String(this.#statements.about.get("epoch")?.["value"]))
    } catch (cause) {
      this.#lock.close()
      throw cause instanceof Unusable ? cause : unkept(options.folder, cause)
    }
  }

  #noted(name: string): number {
    return Number(this.#statements.about.get(name)?.["value"] ?? 0)
  }

  /**
   * What was found by searching was kept: where the log ends before that it lost entries, which no crash does, so it is
   * another log now and its numbers go on behind those that were seen.
   */
  #sound(epoch: string): string {
    const { search } = files(this.#options.folder)
    if (!existsSync(search)) return epoch
    let indexed = 0
    try {
      const index = new DatabaseSync(search, { readOnly: true })
      try {
        const about = index.prepare("SELECT epoch, indexed FROM about").get()
        if (about?.["epoch"] === epoch) indexed = Number(about["indexed"])
      } finally {
        index.close()
      }
    } catch {
      // It is made anew when it cannot be read.
    }
    if (indexed <= this.last) return epoch
    this.last = indexed
    this.#statements.note.run("gone", indexed)
    this.#statements.note.run("epoch", this.#options.epoch)
    return this.#options.epoch
  }

  #room(key: string): Room {
    const found = this.#rooms.get(key)
    if (found !== undefined) return found
    if (key === nowhere) return { number: 0, said: -Infinity, other: -Infinity }
    const { addRoom, findRoom, high } = this.#statements
    // What is to be put there counts as what is there.
    this.#entries.flush()
    const number = Number(findRoom.get(key)?.["number"] ?? addRoom.run(key, isOfPair(key) ? this.#noted("pairs") : 0).lastInsertRowid)
    if (number > maxRooms) throw new Unusable("the log has had as many rooms and private conversations as it can; start another folder")
    const latest = (shelf: number): number => Number(high.get(shelf, shelf)?.["high"] ?? -Infinity)
    const room = { number, said: latest(shelfOf(number, 1)), other: latest(shelfOf(number, 0)) }
    if (this.#rooms.size >= remembered) this.#rooms.clear()
    this.#rooms.set(key, room)
    return room
  }

  /** Put an entry on one of its shelves; says which that is. */
  #put(key: string, seq: number, [at, id, by, source, marks, said]: Put, event: string): number {
    const room = this.#room(key)
    const high = Math.max(at, said === 1 ? room.said : room.other)
    if (said === 1) room.said = high
    else room.other = high
    const shelf = shelfOf(room.number, said)
    this.#entries.put(shelf, seq, high, at, id, by, source, marks, event)
    return shelf
  }

  /** Do something wholly or not at all. */
  #together<A>(body: () => A): A {
    const database = this.#database
    database.exec("BEGIN IMMEDIATE")
    try {
      const result = body()
      database.exec("COMMIT")
      return result
    } catch (cause) {
      // Rooms that were new are not there, and nothing is known of the others.
      this.#rooms.clear()
      this.#entries.forget()
      this.#ordinals.forget()
      try {
        if (database.isTransaction) database.exec("ROLLBACK")
      } catch {
        // What failed is what is told; the next attempt begins anew.
      }
      throw cause
    }
  }

  /** Keep drafts, as they are `written`, the first under this number. Says whether there are more entries now than should be. */
  append({ drafts, first }: { readonly drafts: string; readonly first: number }): boolean {
    const [puts, ...events] = drafts.split("\n") as [string, ...Array<string>]
    const rows = JSON.parse(puts) as ReadonlyArray<Put>
    this.#together(() => {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!
        const to = row[6]
        const seq = first + i
        const put = (key: string) => this.#put(key, seq, row, events[i]!)
        if (typeof to === "string") this.#ordinals.put(seq, put(to), null)
        else {
          const [shelf, ...others] = (to.length === 0 ? [nowhere] : to).map(put)
          this.#ordinals.put(seq, shelf!, others.length === 0 ? null : others.join(" "))
        }
      }
      this.#entries.flush()
      this.#ordinals.flush()
      const unkept = this.#snapshots[0]
      if (unkept !== undefined) this.#keepPiece(unkept)
    })
    this.last = first + rows.length - 1
    this.#snapshotsKept()
    this.#largest = Math.max(rows.length, this.#largest >> 1)
    this.#unlooked += rows.length
    if (this.#unlooked < lookEvery) return false
    this.#unlooked = 0
    return this.#isTooMuch(rows.at(-1)?.[0] ?? 0)
  }

  /** What the log is called, and the sequence number of its last entry. */
  about(): { readonly epoch: string; readonly last: number } {
    return { epoch: this.epoch, last: this.last }
  }

  /** Write something small, to see whether that works. */
  probe(): void {
    this.#together(() => this.#statements.note.run("probe", this.last))
  }

  // --- snapshots -----------------------------------------------------------------------------------------------------

  /** Keep the world as it was after an entry; done when the last piece of it is. */
  keepSnapshot({ seq, world }: { readonly seq: number; readonly world: string }): Promise<void> {
    const bytes = Buffer.from(world)
    const pieces: Array<Uint8Array> = []
    for (let i = 0; i === 0 || i < bytes.length; i += pieceSize) pieces.push(bytes.subarray(i, i + pieceSize))
    return new Promise((resolve, reject) => {
      this.#snapshots.push({ seq, pieces, next: 0, settle: (failed) => failed === undefined ? resolve() : reject(failed) })
      this.#arm()
    })
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#snapshots.length > 0) this.#timer = setTimeout(() => this.#keepAlone(), quiet)
  }

  #keepAlone(): void {
    const unkept = this.#snapshots[0]
    if (unkept === undefined) return
    try {
      this.#together(() => this.#keepPiece(unkept))
    } catch (cause) {
      this.#snapshots.shift()
      unkept.settle(cause)
      return this.#arm()
    }
    this.#snapshotsKept()
  }

  /** Within a transaction. */
  #keepPiece({ next, pieces, seq }: Unkept): void {
    // Pieces of one that was never finished, or of the same place.
    if (next === 0) this.#database.prepare("DELETE FROM snapshot WHERE seq <> coalesce((SELECT value FROM about WHERE name = 'snapshot'), -1)").run()
    this.#statements.piece.run(seq, next, pieces[next]!)
    if (next < pieces.length - 1) return
    this.#statements.note.run("snapshot", seq)
    this.#database.prepare("DELETE FROM snapshot WHERE seq <> ? OR piece >= ?").run(seq, pieces.length)
  }

  /** A transaction with a piece in it is kept. */
  #snapshotsKept(): void {
    const unkept = this.#snapshots[0]
    if (unkept === undefined) return
    if (++unkept.next === unkept.pieces.length) {
      this.#snapshots.shift()
      unkept.settle()
    }
    this.#arm()
  }

  // --- retention -----------------------------------------------------------------------------------------------------

  #pragma(name: string): number {
    return Number(Object.values(this.#database.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  }

  /** How many bytes of the file something is in. */
  #size(): number {
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pragma("page_size")
  }

  /** Whether there are more entries, or older ones, than there should be. */
  #isTooMuch(now: number): boolean {
    const { retain, retainSize } = this.#options
    if (retainSize !== undefined && this.#size() > retainSize) return true
    if (retain === undefined) return false
    const oldest = this.#database.prepare(`SELECT entry.at FROM ${ordered} ORDER BY ordinal.seq LIMIT 1`).get()?.["at"]
    return oldest !== undefined && Number(oldest) < now - retain
  }

  /** Cut some of the oldest entries where there are too many, but none that the world is not remembered without. Says whether to go on. */
  tidy({ now }: { readonly now: number }): boolean {
    const { retain, retainSize } = this.#options
    if (!this.#isTooMuch(now)) return this.#giveBack()
    const size = this.#size()
    // No more than it takes, as far as they are alike.
    const each = size / (this.last - this.#noted("gone"))
    const enough = retainSize === undefined || size <= retainSize ? 0 : Math.ceil((size - retainSize) / each) + 1
    const count = Math.max(cutting, 2 * this.#largest)
    const oldest = this.#database.prepare(`SELECT ordinal.*, entry.at FROM ${ordered} WHERE ordinal.seq <= ? ORDER BY ordinal.seq LIMIT ?`)
      .all(Math.min(this.#noted("snapshot"), this.last - 1), count)
    const cut: Array<(typeof oldest)[number]> = []
    for (const row of oldest) {
      if (cut.length >= enough && (retain === undefined || Number(row["at"]) >= now - retain)) break
      cut.push(row)
    }
    if (cut.length === 0) return this.#giveBack()
    this.#together(() => this.#cut(cut))
    return true
  }

  #cut(rows: ReadonlyArray<Record<string, unknown>>): void {
    const gone = new Map<number, number>()
    for (const { others, seq, shelf } of rows) { for (const one of shelvesOf(shelf, others)) gone.set(one, Number(seq)) }
    const drop = this.#database.prepare(`DELETE FROM entry WHERE place > ${place("?", "0")} AND place <= ${place("?", "?")}`)
    const note = (kind: string) => this.#database.prepare(`UPDATE room SET gone_${kind} = ? WHERE number = ?`)
    const [said, other] = [note("said"), note("other")]
    for (const [shelf, seq] of gone) {
      drop.run(shelf, shelf, seq)
      const room = roomOf(shelf)
      if (shelf === shelfOf(room, 1)) said.run(seq, room)
      else other.run(seq, room)
    }
    const last = Number(rows.at(-1)!["seq"])
    this.#forgetPairs(new Set([...gone.keys()].map(roomOf)), last)
    this.#database.prepare("DELETE FROM ordinal WHERE seq <= ?").run(last)
    this.#statements.note.run("gone", last)
  }

  /**
   * Of pairs of which nothing is there any more nothing is kept, for there is another with each session that whispers. But for
   * the last room there is, so that no number is used again.
   */
  #forgetPairs(rooms: ReadonlySet<number>, upTo: number): void {
    const find = this.#database.prepare("SELECT key FROM room WHERE number = ? AND number < (SELECT max(number) FROM room)")
    const some = this.#database.prepare(`SELECT 1 FROM entry WHERE place > ${place("?", "0")} AND place < ${place("?", String(end))} LIMIT 1`)
    const drop = this.#database.prepare("DELETE FROM room WHERE number = ?")
    let dropped = false
    for (const room of rooms) {
      const key = find.get(room)?.["key"]
      if (key === undefined || !isOfPair(String(key)) || some.get(shelfOf(room, 0), shelfOf(room, 1)) !== undefined) continue
      drop.run(room)
      this.#rooms.delete(String(key))
      dropped = true
    }
    if (dropped) this.#statements.note.run("pairs", upTo)
  }

  /** Give the disk some of the space that nothing is in; says whether there is more. */
  #giveBack(): boolean {
    if (this.#pragma("freelist_count") < 2 * givenBack) return false
    this.#database.prepare(`PRAGMA incremental_vacuum(${givenBack})`).all()
    return true
  }

  close(): void {
    clearTimeout(this.#timer)
    try {
      while (this.#snapshots.length > 0) this.#keepAlone()
    } finally {
      clearTimeout(this.#timer)
      this.#database.close()
      this.#lock.close()
    }
  }
}
