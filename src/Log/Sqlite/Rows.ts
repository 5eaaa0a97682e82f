/**
 * Rows on their way into a table, several to a statement: most of what an insert costs is the asking. Knows no table.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"

/** How many rows go at once where there are as many. */
const atOnce = 16

export class Rows {
  readonly #one: StatementSync
  readonly #many: StatementSync
  #waiting: Array<SQLInputValue> = []
  #count = 0

  /** `row` is how one is written in SQL, with a question mark for each value. */
  constructor(database: DatabaseSync, table: string, row: string) {
    this.#one = database.prepare(`INSERT INTO ${table} VALUES ${row}`)
    this.#many = database.prepare(`INSERT INTO ${table} VALUES ${Array<string>(atOnce).fill(row).join(", ")}`)
  }

  put(...values: ReadonlyArray<SQLInputValue>): void {
    for (const value of values) this.#waiting.push(value)
    if (++this.#count < atOnce) return
    const waiting = this.#waiting
    this.forget()
    this.#many.run(...waiting)
  }

  /** Put what still waits. */
  flush(): void {
    const waiting = this.#waiting
    const size = waiting.length / this.#count
    this.forget()
    for (let i = 0; i < waiting.length; i += size) this.#one.run(...waiting.slice(i, i + size))
  }

  /** What waits is not put. */
  forget(): void {
    this.#waiting = []
    this.#count = 0
  }
}
