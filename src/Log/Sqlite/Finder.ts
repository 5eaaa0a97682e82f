/**
 * The one that finds what was said by its words. Its index is a file of its own, made from the log behind what is kept, so that
 * keeping costs nothing more; it can be deleted at any time, and is made anew.
 */
import { rmSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { words } from "../../Search.ts"
import type { Wanted } from "../../Log.ts"
import { files, reason, Unusable } from "./Folder.ts"
import { Reader } from "./Reader.ts"
import { roomOf, shelvesOf } from "./Schema.ts"

/** Entries that are read, or cut, in one go. */
const slice = 500

/** How long somebody who searches may wait for what is not in the index yet, and how long what nobody waits for goes on, in milliseconds. */
const patience = 1000
const share = 20

/** Another server's search may be writing, in milliseconds. */
const busy = 1000

/**
 * How the index is laid out. What is indexed are words already, so all that is not ASCII is part of one; that is how a room's
 * number, with a § before it, is a word that nobody says.
 */
const schema = `
CREATE TABLE about(one INTEGER PRIMARY KEY, epoch TEXT NOT NULL, indexed INTEGER NOT NULL, cut INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize='ascii', detail=none);
PRAGMA user_version=1`

const said = '{"_tag":"Said"'

const open = (file: string, epoch: string): DatabaseSync => {
  const index = new DatabaseSync(file)
  try {
    index.exec(`PRAGMA busy_timeout=${busy}; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE`)
    if (index.prepare("PRAGMA user_version").get()?.["user_version"] !== 1) {
      index.exec(schema)
      index.prepare("INSERT INTO about VALUES (1, ?, 0, 0)").run(epoch)
    }
    index.exec("COMMIT")
    // Of another log, or of one that has lost its end: then what is found would not be there.
    if (index.prepare("SELECT epoch FROM about").get()?.["epoch"] !== epoch) throw new Unusable("the index is of another log")
    index.prepare("SELECT rowid FROM words WHERE words MATCH '§0' LIMIT 1").all()
    return index
  } catch (cause) {
    index.close()
    throw cause
  }
}

/** The index in a folder whose log there is; one that cannot be used is made anew. */
const openAnyhow = (file: string, epoch: string): DatabaseSync => {
  try {
    return open(file, epoch)
  } catch (cause) {
    const { errcode } = cause as { readonly errcode?: number }
    if (!(cause instanceof Unusable) && errcode !== 1 && errcode !== 11 && errcode !== 26) throw cause
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true })
    return open(file, epoch)
  }
}

/** What was said; nothing where it cannot be read, which whoever reads it is told. */
const textOf = (event: string): string | undefined => {
  try {
    return (JSON.parse(event) as { readonly text: string }).text
  } catch {
    return undefined
  }
}

export class Finder {
  readonly #reader: Reader
  readonly #index: DatabaseSync

  constructor({ folder }: { readonly folder: string }) {
    this.#reader = new Reader({ folder })
    try {
      this.#index = openAnyhow(files(folder).search, this.#reader.about().epoch)
    } catch (cause) {
      this.#reader.close()
      throw cause instanceof Unusable ? cause : new Unusable(`nothing can be searched: ${reason(cause)}`, { cause })
    }
  }

  #about(): { readonly indexed: number; readonly cut: number } {
    const about = this.#index.prepare("SELECT indexed, cut FROM about").get()
    return { indexed: Number(about?.["indexed"]), cut: Number(about?.["cut"]) }
  }

  /** Put some more into the index; says whether there may be more. */
  #indexSome(): boolean {
    const index = this.#index
    index.exec("BEGIN IMMEDIATE")
    try {
      // Another process may have done some of it.
      const { indexed } = this.#about()
      const rows = this.#reader.rows(indexed, slice)
      const insert = index.prepare("INSERT INTO words(rowid, text) VALUES (?, ?)")
      for (const [seq, shelf, others, event] of rows) {
        if (!event.startsWith(said) || roomOf(shelf) === 0) continue
        const text = textOf(event)
        if (text === undefined) continue
        insert.run(seq, [...shelvesOf(shelf, others).map((shelf) => `§${roomOf(shelf)}`), ...words(text)].join(" "))
      }
      if (rows.length > 0) index.prepare("UPDATE about SET indexed = ?").run(rows.at(-1)![0])
      index.exec("COMMIT")
      return rows.length === slice
    } catch (cause) {
      if (index.isTransaction) index.exec("ROLLBACK")
      throw cause
    }
  }

  /** Forget what the log has cut; says whether there may be more of it. */
  #cutSome(gone: number): boolean {
    const index = this.#index
    const { cut, indexed } = this.#about()
    const to = Math.min(gone, indexed, cut + slice)
    if (to <= cut) return false
    index.exec("BEGIN IMMEDIATE")
    try {
      const drop = index.prepare("DELETE FROM words WHERE rowid = ?")
      for (let seq = cut + 1; seq <= to; seq++) drop.run(seq)
      index.prepare("UPDATE about SET cut = ?").run(to)
      index.exec("COMMIT")
      return to < gone
    } catch (cause) {
      if (index.isTransaction) index.exec("ROLLBACK")
      throw cause
    }
  }

  #catchUp(milliseconds: number): boolean {
    const until = performance.now() + milliseconds
    while (this.#indexSome()) { if (performance.now() > until) return false }
    return true
  }

  /** Follow the log for a moment; says whether there is more to do. */
  follow(): boolean {
    return !this.#catchUp(share) || this.#cutSome(this.#reader.about().gone)
  }

  /** What was said with these words in rooms with these keys (behind closed doors only if `everything` counts), or in any: entries as JSON. */
  find(
    { before = Number.MAX_SAFE_INTEGER, everything = false, limit, rooms, words: wanted }: Omit<Wanted, "rooms"> & {
      readonly rooms: Wanted["rooms"] | undefined
      readonly everything?: boolean
    }
  ): { readonly entries: string; readonly complete: boolean } {
    const all = [...new Set(words(wanted))]
    const isAll = this.#catchUp(patience)
    return this.#reader.atOnce(() => {
      const numbers = rooms === undefined ? undefined : this.#reader.rooms(rooms, everything)
      if (all.length === 0 || numbers?.length === 0) return { entries: "[]", complete: isAll }
      const { gone } = this.#reader.about()
      const inRooms = numbers === undefined ? [] : [`(${numbers.map(({ number }) => `"§${number}"`).join(" OR ")})`]
      const match = [...inRooms, ...all.map((word) => `"${word}"`)].join(" AND ")
      const found = this.#index.prepare("SELECT rowid FROM words WHERE words MATCH ? AND rowid > ? AND rowid < ? ORDER BY rowid DESC LIMIT ?")
        .all(match, gone, Math.min(before, Number.MAX_SAFE_INTEGER), limit + 1)
        .map(({ rowid }) => Number(rowid))
      return {
        entries: this.#reader.entries(found.slice(0, limit).reverse()),
        complete: isAll && found.length <= limit && (numbers?.every(({ gone }) => gone === 0) ?? gone === 0)
      }
    })
  }

  close(): void {
    this.#index.close()
    this.#reader.close()
  }
}
