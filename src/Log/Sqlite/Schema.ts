/**
 * How a log is laid out in a file. Opens none.
 */

/**
 * A shelf is what is read together: of a room what was said, or who came and went; its number is the room's doubled, and one more
 * for what was said. The room of number 0 is nowhere. `entry` has an entry on each of its shelves in order, so that a page is read
 * in one place however much happens elsewhere; its `place` is `shelf << 40 | seq`. `high` is the latest time up to there, which
 * never goes back though a clock does. `ordinal` is the order of all: where each entry is, and on which other shelves besides.
 * `gone_…` is the last entry of a room that retention cut, and `pairs` in `about` that of all pairs that are not there any more. A snapshot is in pieces, and there is one when `about` names it.
 */
export const schema = `
CREATE TABLE about(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE room(
  number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, gone_said INTEGER NOT NULL DEFAULT 0, gone_other INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE entry(
  place INTEGER PRIMARY KEY, high INTEGER NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL, by TEXT NOT NULL, source TEXT,
  marks INTEGER NOT NULL, event TEXT NOT NULL
);
CREATE INDEX entry_id ON entry(id);
CREATE TABLE ordinal(seq INTEGER PRIMARY KEY, shelf INTEGER NOT NULL, others TEXT);
CREATE TABLE snapshot(seq INTEGER, piece INTEGER, bytes BLOB NOT NULL, PRIMARY KEY(seq, piece)) WITHOUT ROWID`

/** Greater than any sequence number. */
export const end = 2 ** 40

/**
 * In SQL, the place on a shelf of a sequence number, and what that was. Node binds numbers as floating ones, and a sum of which one
 * is such is rounded from 2^53 on, which is the place of room 4096.
 */
export const place = (shelf: string, seq: string): string => `(CAST(${shelf} AS INTEGER) << 40) + CAST(${seq} AS INTEGER)`
export const seqOf = (place: string): string => `${place} & ${end - 1}`

/** In SQL, every entry at its first shelf, to be asked for in the order of all. */
export const ordered = `ordinal CROSS JOIN entry ON entry.place = ${place("ordinal.shelf", "ordinal.seq")}`

/** The most rooms there can be: a shelf more, and its places would not fit into 63 bits. */
export const maxRooms = 2 ** 22 - 1

/** A room's shelf of what was said, or of the rest; and the room. */
export const shelfOf = (room: number, said: 0 | 1): number => 2 * room + said
export const roomOf = (shelf: number): number => shelf >> 1

/** Whether it is the key of what two sessions whisper to each other, and of no room. */
export const isOfPair = (key: string): boolean => key.endsWith(" ")

/** The shelves of an entry, as its ordinal has them. */
export const shelvesOf = (shelf: unknown, others: unknown): ReadonlyArray<number> =>
  others === null ? [Number(shelf)] : [Number(shelf), ...String(others).split(" ").map(Number)]

/** Where an entry of this tag is put: with what was said, or with who came and went. */
export const isSaid = (tag: string): boolean => tag === "Said" || tag === "Passed" || tag === "Whispered"

/** The columns that an entry's text is made of. */
export const columns = `${seqOf("entry.place")}, entry.at, entry.id, entry.by, entry.source, entry.marks, entry.event`

/** What `marks` is made of. */
export const marks = { bot: 1, more: 2 } as const

/** An entry's text as JSON, from its columns in this order. */
export const entryText = ([seq, at, id, by, source, marked, event]: ReadonlyArray<unknown>): string => {
  const bits = Number(marked)
  return `{"seq":${String(seq)},"at":${String(at)},"id":${JSON.stringify(id)},"by":${JSON.stringify(by)}${
    source === null ? "" : `,"from":${JSON.stringify(source)}`
  }${(bits & marks.bot) === 0 ? "" : `,"bot":true`}${(bits & marks.more) === 0 ? "" : `,"more":true`},"event":${String(event)}}`
}

/** What is put in for a draft besides its event; `to` is a room's key, or those of several and of a pair that whispers. */
export type Put = readonly [at: number, id: string, by: string, source: string | null, marks: number, said: 0 | 1, to: string | ReadonlyArray<string>]
