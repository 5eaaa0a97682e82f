/** Where the checkout is, and which of its files lie below a folder; for the scripts beside this file. */
import { readdirSync } from "node:fs"
import { join, relative, sep } from "node:path"

export const root = join(import.meta.dirname, "..")

/** Files below a folder, by their paths from it, with `/` between the parts, in order. */
export const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .toSorted()
