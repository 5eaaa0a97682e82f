/**
 * How a log is laid out in a file.
 */

/**
 * `entry` is the order; `place` says where in it a room's entries are, those that were said apart from the others, and covers
 * every question that a page of history asks before its entries are fetched: `high` is the latest time up to there, which never
 * goes back though a clock does. `gone_…` is the last entry of a room that retention cut. A snapshot is in pieces, and there is
 * one when `about` names it.
 */
export const schema = `
CREATE TABLE about(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE room(
  number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, gone_said INTEGER NOT NULL DEFAULT 0, gone_other INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE entry(
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, id TEXT NOT NULL, by TEXT NOT NULL, source TEXT, marks INTEGER NOT NULL, rooms,
  event TEXT NOT NULL
);
CREATE INDEX entry_id ON entry(id);
CREATE TABLE place(room INTEGER, said INTEGER, seq INTEGER, high INTEGER NOT NULL, PRIMARY KEY(room, said, seq)) WITHOUT ROWID;
CREATE TABLE snapshot(seq INTEGER, piece INTEGER, bytes BLOB NOT NULL, PRIMARY KEY(seq, piece)) WITHOUT ROWID`

/** Where an entry of this tag is put: with what was said, or with who came and went. */
export const isSaid = (tag: string): boolean => tag === "Said" || tag === "Passed" || tag === "Whispered"

/** The rooms of an entry, by number, as its column has them: nothing, one number, or several with spaces between. */
export const roomsOf = (rooms: unknown): ReadonlyArray<number> =>
  rooms === null ? [] : typeof rooms === "number" ? [rooms] : String(rooms).split(" ").map(Number)

/** The columns that an entry's text is made of. */
export const columns = "seq, at, id, by, source, marks, event"

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
