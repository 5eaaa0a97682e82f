/**
 * The one that looks after a log from outside, while a server uses it or none does: backups, what is made of them, and how it goes
 * through everything that is kept.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { applicationId, files, isThere, lock, openToRead, reason, Unusable } from "./Folder.ts"

const sync = (path: string): void => {
  const descriptor = openSync(path, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Put a whole file in its place, so that there is never a part of one. */
const settle = (made: string, file: string): void => {
  sync(made)
  renameSync(made, file)
  sync(dirname(file))
}

export class Keeper {
  /** A copy of the log as it is now, in a file that must not be there yet. A server may go on writing. */
  backup({ file, folder }: { readonly folder: string; readonly file: string }): void {
    const database = openToRead(files(folder).log)
    const made = `${file}.partial`
    try {
      if (existsSync(file)) throw new Unusable(`${file} is there already; choose another file`)
      rmSync(made, { force: true })
      database.prepare("VACUUM INTO ?").run(made)
      settle(made, file)
    } catch (cause) {
      rmSync(made, { force: true })
      throw cause instanceof Unusable ? cause : new Unusable(`${file} cannot be written: ${reason(cause)}`, { cause })
    } finally {
      database.close()
    }
  }

  /** Make a folder of a backup. It is another log from here on, so it is called by another epoch. */
  restore({ epoch, file, folder }: { readonly folder: string; readonly file: string; readonly epoch: string }): void {
    const { log } = files(folder)
    if (isThere(log)) throw new Unusable(`there is a log in ${folder} already; choose an empty folder`)
    openToRead(file).close()
    const held = lock(folder)
    const made = `${log}.partial`
    try {
      copyFileSync(file, made)
      const database = new DatabaseSync(made)
      try {
        const found = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0]
        if (found !== "ok") throw new Unusable(`${file} is damaged (${String(found)}); use another backup`)
        database.exec(`PRAGMA journal_mode=DELETE; PRAGMA application_id=${applicationId}`)
        database.prepare("INSERT OR REPLACE INTO about VALUES ('epoch', ?)").run(epoch)
      } finally {
        database.close()
      }
      settle(made, log)
    } catch (cause) {
      rmSync(made, { force: true })
      throw cause instanceof Unusable ? cause : new Unusable(`${folder} cannot be made from ${file}: ${reason(cause)}`, { cause })
    } finally {
      held.close()
    }
  }

  close(): void {}
}

