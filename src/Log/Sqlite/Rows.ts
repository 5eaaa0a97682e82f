/**
 * Rows on their way into a table, several to a statement: most of what an insert costs is the asking.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"

/** How many rows go at once where there are as many. */
const atOnce = 16

/** All the columns of a row, in order. */
export type Row = ReadonlyArray<SQLInputValue>

export class Rows {
  readonly #one: StatementSync
  readonly #many: StatementSync
  #waiting: Array<SQLInputValue> = []
  #count = 0

  constructor(database: DatabaseSync, table: string, columns: number) {
    const row = `(${Array<string>(columns).fill("?").join(", ")})`
    this.#one = database.prepare(`INSERT INTO ${table} VALUES ${row}`)
    this.#many = database.prepare(`INSERT INTO ${table} VALUES ${Array<string>(atOnce).fill(row).join(", ")}`)
  }

  put(...row: Row): void {
    for (const value of row) this.#waiting.push(value)
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
