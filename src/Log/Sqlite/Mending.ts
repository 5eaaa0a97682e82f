/**
 * What an earlier version wrote wrongly, put right once. Knows nothing of what is written now.
 */
import type { DatabaseSync } from "node:sqlite"
import { shelfOf, shelvesOf } from "./Schema.ts"

/** From this room on places were rounded, for they were added up as floating numbers. */
const rounded = 4096

/** Entries that lie at a rounded place are put where they belong: how many those were. What belonged to a place that was taken was refused then. */
export const mend = (database: DatabaseSync): number => {
  const value = (sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0]
  if (Number(value("SELECT max(number) FROM room") ?? 0) < rounded || value("SELECT value FROM about WHERE name = 'exact'") !== undefined) return 0
  const move = database.prepare("UPDATE entry SET place = ?1 WHERE place = ?2 AND NOT EXISTS (SELECT 1 FROM entry WHERE place = ?1)")
  let moved = 0
  database.exec("BEGIN IMMEDIATE")
  try {
    const all = database.prepare("SELECT seq, shelf, others FROM ordinal WHERE shelf >= ? OR others IS NOT NULL").iterate(shelfOf(rounded, 0))
    for (const { others, seq, shelf } of all) {
      for (const one of shelvesOf(shelf, others)) {
        const right = (BigInt(one) << 40n) + BigInt(Number(seq))
        const wrong = BigInt(Number(right))
        if (wrong !== right) moved += Number(move.run(right, wrong).changes)
      }
    }
    database.exec("INSERT INTO about VALUES ('exact', 1); COMMIT")
    return moved
  } catch (cause) {
    if (database.isTransaction) database.exec("ROLLBACK")
    throw cause
  }
}
