/**
 * The one that reads: pages of a room's past, and everything in order. It sees what is kept and waits for nobody who writes. Writes nothing.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { type Found, nowhere, type Place, type Query, readRoom, type Shelf, type Window } from "../Window.ts"
import { files, openToRead } from "./Folder.ts"
import { columns, end, entryText, isOfPair, ordered, place, seqOf, shelfOf } from "./Schema.ts"

/** The most entries that are read in one go, whatever is asked for, so that nobody's question fills the memory. */
export const maxPage = 10_000

/** An entry that is to be told: where it is, and its columns. */
interface Row {
  readonly seq: number
  readonly at: number
  readonly columns: ReadonlyArray<unknown>
}

const rowOf = (columns: unknown): Row => {
  const row = columns as ReadonlyArray<unknown>
  return { seq: Number(row[0]), at: Number(row[1]), columns: row }
}

/** A shelf's entries behind one and before another. */
const between = `entry.place > ${place("?", "?")} AND entry.place < ${place("?", "?")}`
const seq = seqOf("entry.place")

/** What a page is read by. A shelf and a sequence number say where; `limit` last, so that what there is in between is never gone through. */
export const statements = {
  latest: `SELECT ${columns} FROM entry WHERE ${between} ORDER BY place DESC LIMIT ?`,
  earliest: `SELECT ${columns} FROM entry WHERE ${between} ORDER BY place LIMIT ?`,
  first: `SELECT ${seq} FROM entry WHERE ${between} ORDER BY place LIMIT 1`,
  last: `SELECT ${seq} FROM entry WHERE ${between} ORDER BY place DESC LIMIT 1`,
  backFrom: `SELECT ${seq} FROM entry WHERE ${between} ORDER BY place DESC LIMIT 1 OFFSET ?`,
  highFrom: `SELECT ${seq}, high FROM entry WHERE ${between} ORDER BY place LIMIT 1`,
  byId: `SELECT ${seq} FROM entry INDEXED BY entry_id WHERE ${between} AND id = ? ORDER BY place LIMIT 1`,
  room: "SELECT number, gone_said, gone_other FROM room WHERE key = ?",
  named: "SELECT number, gone_said FROM room WHERE key = ? UNION ALL SELECT number, gone_said FROM room WHERE key > ? AND key < ?",
  inOrder: `SELECT ${columns} FROM ${ordered} WHERE ordinal.seq > ? AND ordinal.seq <= ? ORDER BY ordinal.seq LIMIT ?`,
  bare: `SELECT ordinal.seq, ordinal.shelf, ordinal.others, entry.event FROM ${ordered} WHERE ordinal.seq > ? ORDER BY ordinal.seq LIMIT ?`,
  snapshot: "SELECT seq, bytes FROM snapshot WHERE seq = (SELECT value FROM about WHERE name = 'snapshot') ORDER BY piece",
  about: "SELECT value FROM about WHERE name = ?",
  newest: "SELECT max(seq) AS seq FROM ordinal"
} as const

type Statements = { readonly [Name in keyof typeof statements]: StatementSync }

/** As it is compared with sequence numbers. */
const bounded = (seq: number): number => Math.max(-1, Math.min(end, Math.floor(seq)))

/** A room's entries of one kind, in a file. */
class Rows implements Shelf<Row> {
  readonly #ask: Statements
  readonly #shelf: number
  readonly #gone: number
  constructor(ask: Statements, shelf: number, gone: number) {
    this.#ask = ask
    this.#shelf = shelf
    this.#gone = gone
  }

  /** Ask of what is behind one sequence number and before another. */
  #values(after: number, before: number): [number, number, number, number] {
    return [this.#shelf, bounded(after), this.#shelf, bounded(before)]
  }

  #seq(statement: StatementSync, after: number, before: number, ...values: ReadonlyArray<string | number>): number | undefined {
    const found = statement.get(...this.#values(after, before), ...values) as unknown as ReadonlyArray<unknown> | undefined
    return found === undefined ? undefined : Number(found[0])
  }

  find(id: string): number | undefined {
    return this.#seq(this.#ask.byId, 0, end, id)
  }

  /** The first entry behind a place, or the first that is not before it; `Infinity` when there is none. */
  #from(place: Place, behind: boolean): number {
    if (typeof place === "number") {
      if (place >= end) return Infinity
      return this.#seq(this.#ask.first, behind ? place : place - 1, end) ?? Infinity
    }
    const low = this.#seq(this.#ask.first, 0, end)
    const high = this.#seq(this.#ask.last, 0, end)
    return low === undefined || high === undefined ? Infinity : this.#search(low, high, (at) => behind ? at > place.at : at >= place.at)
  }

  /** The first entry from whose time on this holds, among these: times are in order, so half of what is left is left out each time. */
  #search(first: number, last: number, holds: (at: number) => boolean): number {
    const next = (seq: number) => this.#ask.highFrom.get(...this.#values(seq - 1, last + 1)) as unknown as readonly [number, number] | undefined
    let low = first
    let high = last
    let found = Infinity
    while (low <= high) {
      const middle = low + Math.floor((high - low) / 2)
      const row = next(middle)
      if (row === undefined || holds(row[1])) {
        if (row !== undefined) found = row[0]
        high = middle - 1
      } else low = row[0] + 1
    }
    return found
  }

  isBackwards({ after, before }: Window): boolean {
    if (after === undefined || before === undefined) return false
    const from = this.#from(before, false)
    const to = this.#from(after, false)
    return from < to
  }

  read({ after, around, before, earliest, limit: wanted, until }: Window): Found<Row> {
    const limit = Math.min(wanted, maxPage)
    const low = after === undefined ? -1 : typeof after === "number" ? after : this.#from(after, true) - 1
    const high = Math.min(
      until === undefined ? Infinity : Math.floor(until) + 1,
      before === undefined ? Infinity : typeof before === "number" ? Math.floor(before) : this.#from(before, false)
    )
    const rows = (statement: StatementSync, from: number): Array<Row> =>
      from >= end ? [] : statement.all(...this.#values(from, high), limit + 1).map(rowOf)
    const first = (after: number): boolean => this.#seq(this.#ask.first, low, after) === undefined
    let entries: Array<Row>
    let fromStart: boolean
    let more: boolean
    if (around !== undefined) {
      const start = this.#startAround(around, limit, low)
      entries = rows(this.#ask.earliest, start - 1)
      more = entries.length > limit
      entries.length = Math.min(entries.length, limit)
      fromStart = entries.length === 0 || first(entries[0]!.seq)
    } else if (earliest === true) {
      entries = rows(this.#ask.earliest, low)
      more = entries.length > limit
      entries.length = Math.min(entries.length, limit)
      fromStart = true
    } else {
      entries = rows(this.#ask.latest, low).reverse()
      fromStart = entries.length <= limit
      more = false
      if (!fromStart) entries.shift()
    }
    const isAll = fromStart && !more
    return {
      entries,
      complete: typeof after === "number" && after < Infinity
        ? isAll && after >= this.#gone
        : this.#gone === 0 || (earliest !== true && rows(this.#ask.earliest, low).length >= limit)
    }
  }

  /** The entry so far before a place that as many are read before it as from it on, but none that is not behind `low`. */
  #startAround(around: Place, limit: number, low: number): number {
    const middle = this.#from(around, false)
    const half = limit >> 1
    const from = middle === Infinity ? end : middle
    const start = half === 0 ? from : this.#seq(this.#ask.backFrom, 0, from, half - 1) ?? 0
    return Math.max(start, low + 1)
  }
}

export class Reader {
  readonly #database: DatabaseSync
  readonly #ask: Statements

  constructor({ folder }: { readonly folder: string }) {
    this.#database = openToRead(files(folder).log)
    this.#database.exec("PRAGMA cache_size=-8000")
    this.#ask = Object.fromEntries(Object.entries(statements).map(([name, sql]) => {
      const statement = this.#database.prepare(sql)
      statement.setReturnArrays(true)
      return [name, statement]
    })) as unknown as Statements
  }

  /** What is read meanwhile is as it was at one moment, though others keep and cut. */
  atOnce<A>(body: () => A): A {
    const database = this.#database
    database.exec("BEGIN")
    try {
      return body()
    } finally {
      if (database.isTransaction) database.exec("COMMIT")
    }
  }

  /** What is asked for of a room with this key: entries as JSON. */
  read(query: Query): Omit<Found<never>, "entries"> & { readonly entries: string } {
    return this.atOnce(() => this.#read(query))
  }

  #read(query: Query): Omit<Found<never>, "entries"> & { readonly entries: string } {
    const room = this.#ask.room.get(query.room) as unknown as readonly [number, number, number] | undefined
    if (room === undefined) {
      const { after, room: key } = query
      return { entries: "[]", complete: !isOfPair(key) || this.#noted("pairs") <= (typeof after === "number" ? after : 0), ...nowhere(query) }
    }
    const [number, said, other] = room
    const { entries, ...told } = readRoom(new Rows(this.#ask, shelfOf(number, 1), said), new Rows(this.#ask, shelfOf(number, 0), other), query)
    return { entries: textOf(entries), ...told }
  }

  /** Everything after one entry and up to another, at most `limit` of it: entries as JSON. */
  inOrder({ after, limit, upTo }: { readonly after: number; readonly upTo: number; readonly limit: number }): string {
    return textOf(this.#ask.inOrder.all(after, upTo, limit).map(rowOf))
  }

  /** The same, each entry by itself, and after which to go on where there may be more. */
  lines({ after, limit, upTo }: { readonly after: number; readonly upTo: number; readonly limit: number }): {
    readonly lines: ReadonlyArray<string>
    readonly next: number | undefined
  } {
    const rows = this.#ask.inOrder.all(after, upTo, limit).map(rowOf)
    return { lines: rows.map(({ columns }) => entryText(columns)), next: rows.length < limit ? undefined : rows.at(-1)!.seq }
  }

  /** These entries, as JSON. */
  entries(seqs: ReadonlyArray<number>): string {
    return textOf(seqs.flatMap((seq) => this.#ask.inOrder.all(seq - 1, seq, 1).map(rowOf)))
  }

  /** The next entries after one: sequence number, first shelf and other shelves, and event. */
  rows(after: number, limit: number): ReadonlyArray<readonly [seq: number, shelf: number, others: string | null, event: string]> {
    return this.#ask.bare.all(after, limit) as unknown as ReadonlyArray<readonly [number, number, string | null, string]>
  }

  /**
   * The rooms there are of these keys, and what of what was said in each is gone; `everything` besides that was kept under the
   * key and a space, as what happens behind closed doors is.
   */
  rooms(keys: ReadonlyArray<string>, everything: boolean): ReadonlyArray<{ readonly number: number; readonly gone: number }> {
    return [...new Set(keys)].flatMap((key) => {
      const found = everything ? this.#ask.named.all(key, `${key} `, `${key}!`) : this.#ask.named.all(key, key, key)
      return (found as unknown as ReadonlyArray<readonly [number, number]>).map(([number, gone]) => ({ number, gone }))
    })
  }

  /** The last snapshot. */
  snapshot(): { readonly seq: number; readonly world: string } | undefined {
    const pieces = this.#ask.snapshot.all() as unknown as ReadonlyArray<readonly [number, Uint8Array]>
    return pieces.length === 0 ? undefined : { seq: pieces[0]![0], world: Buffer.concat(pieces.map(([, bytes]) => bytes)).toString() }
  }

  /** The numbers of the first entry that is not there any more and of the last that is, and what the log is called. */
  about(): { readonly gone: number; readonly last: number; readonly epoch: string } {
    const gone = this.#noted("gone")
    const newest = (this.#ask.newest.get() as unknown as ReadonlyArray<unknown>)[0]
    return { gone, last: Math.max(gone, Number(newest ?? 0)), epoch: String(this.#about("epoch")) }
  }

  #about(name: string): unknown {
    return (this.#ask.about.get(name) as unknown as ReadonlyArray<unknown> | undefined)?.[0]
  }

  #noted(name: string): number {
    return Number(this.#about(name) ?? 0)
  }

  close(): void {
    this.#database.close()
  }
}

const textOf = (rows: ReadonlyArray<Row>): string => `[${rows.map(({ columns }) => entryText(columns)).join(",")}]`
