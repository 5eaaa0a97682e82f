/**
 * The one that looks after a log from outside, while a server uses it or none does: backups, what is made of them, and how it goes
 * through everything that is kept.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { files, flaw, isThere, lock, openToRead, reason, Unusable } from "./Folder.ts"

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

/** Copy a log as it is now, whatever part of it still lies beside its file, to a file that is made anew, for its owner alone. */
const copy = (database: DatabaseSync, made: string): void => {
  rmSync(made, { force: true })
  closeSync(openSync(made, "wx", 0o600))
  database.prepare("VACUUM INTO ?").run(made)
}

export class Keeper {
  /** A copy of the log as it is now, in a file that must not be there yet. A server may go on writing. */
  backup({ file, folder }: { readonly folder: string; readonly file: string }): void {
    const database = openToRead(files(folder).log)
    const made = `${file}.partial`
    try {
      if (existsSync(file)) throw new Unusable(`${file} is there already; choose another file`)
      copy(database, made)
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
    const backup = openToRead(file)
    let held: DatabaseSync | undefined
    const made = `${log}.partial`
    try {
      const found = flaw(backup)
      if (found !== undefined) throw new Unusable(`${file} is damaged (${found}); use another backup`)
      held = lock(folder)
      copy(backup, made)
      const database = new DatabaseSync(made)
      try {
        database.prepare("INSERT OR REPLACE INTO about VALUES ('epoch', ?)").run(epoch)
      } finally {
        database.close()
      }
      settle(made, log)
    } catch (cause) {
      if (held !== undefined) rmSync(made, { force: true })
      throw cause instanceof Unusable ? cause : new Unusable(`${folder} cannot be made from ${file}: ${reason(cause)}`, { cause })
    } finally {
      backup.close()
      held?.close()
    }
  }

  close(): void {}
}

