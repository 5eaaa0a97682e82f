/**
 * The folder that a log is kept in: whose it is, whether what lies there can be used, and what to do where it cannot.
 * Runs in worker threads; knows nothing of entries.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { pid } from "node:process"
import { DatabaseSync } from "node:sqlite"
import { schema } from "./Schema.ts"

/** What may be said of a failure to a person; `message` is the end of a sentence. */
export class Unusable extends Error {}

/** The log, its index for searching, and what says who uses it. */
export const files = (folder: string) => ({
  log: join(folder, "log.db"),
  search: join(folder, "search.db"),
  lock: join(folder, "lock.db")
})

/** "chat": by this a file says whose it is (https://www.sqlite.org/fileformat.html#application_id). */
export const applicationId = 0x63686174

/** How the log is laid out; others are not understood. */
export const format = 2

/** Waiting for another program that is writing, such as a backup that begins, in milliseconds. */
const patience = 2000

const sqliteCode = (cause: unknown): number | undefined => {
  const code = (cause as { readonly errcode?: unknown } | null)?.errcode
  return typeof code === "number" ? code & 0xff : undefined
}

/** Why something failed, as the end of a sentence for a person. */
export const reason = (cause: unknown): string => {
  if (cause instanceof Unusable) return cause.message
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown }
  switch (sqliteCode(cause) ?? code) {
    case 13:
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full"
    case 8:
    case "EROFS":
      return "the log can only be read"
    case 3:
    case 14:
    case "EACCES":
    case "EPERM":
      return "its files may not be written"
    case "EEXIST":
    case "ENOTDIR":
      return "a file lies where a folder is to be"
    case "ENOENT":
      return "there is no such file or folder"
    case 5:
    case 6:
      return "another program holds the log"
    case 10:
      return `the disk failed (${String(message)})`
    case 11:
    case 26:
      return "the log is damaged; stop the server, and restore a backup"
    default:
      return String(message)
  }
}

/** Whether a failure says that a file is not what it should be. */
const isDamage = (cause: unknown): boolean => {
  const code = sqliteCode(cause)
  return code === 11 || code === 26
}

/** The file that lies where a folder, or one that it is in, is to be. */
const fileInTheWay = (folder: string): string =>
  existsSync(folder) || dirname(folder) === folder ? folder : fileInTheWay(dirname(folder))

/** Nothing can be kept in a folder, why, and what to do. */
export const unkept = (folder: string, cause: unknown): Unusable => {
  const { code, syscall } = cause as NodeJS.ErrnoException
  const words = code === "EEXIST" || code === "ENOTDIR"
    ? `${fileInTheWay(folder)} is a file, not a folder; choose another with --data`
    : syscall === "mkdir" && (code === "ENOENT" || code === "EACCES" || code === "EPERM")
    ? `cannot create the folder ${folder}; check its permissions, or choose another with --data`
    : `nothing can be kept in ${folder}: ${reason(cause)}; make that possible, or choose another folder`
  return new Unusable(words, { cause })
}

const damaged = (file: string, what: string): Unusable =>
  new Unusable(`${file} is damaged (${what}); move its folder away and restore a backup there, or choose another folder`)

const foreign = (file: string): Unusable => new Unusable(`${file} is not a log of effect-chat; choose another folder`)

const otherFormat = (file: string, version: number): Unusable =>
  new Unusable(`${file} was written by ${version > format ? "a newer" : "an older"} effect-chat (format ${version}, and this one knows ${format}); use that one, or choose another folder`)

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** Make a folder and those it is in. Node does so by itself, but tries for ever where a folder exists and none can be made in it (`/proc`). */
const make = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    // It may be there, or another program may just have made it.
    if (isFolder(folder)) return
    const above = dirname(folder)
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || existsSync(above)) throw cause
    make(above)
    make(folder)
  }
}

/** Be the only one to write in a folder (made for its owner alone where there is none), until this thread lets go or its process ends. Whoever has it is named. */
export const lock = (folder: string): DatabaseSync => {
  const { lock } = files(folder)
  let held: DatabaseSync
  try {
    make(resolve(folder))
    held = new DatabaseSync(lock)
  } catch (cause) {
    throw unkept(folder, cause)
  }
  try {
    held.exec("PRAGMA busy_timeout=0; BEGIN IMMEDIATE")
    held.exec("CREATE TABLE IF NOT EXISTS holder(one INTEGER PRIMARY KEY, pid INTEGER)")
    held.prepare("INSERT OR REPLACE INTO holder VALUES (1, ?)").run(pid)
    // Who comes now must be able to read it; the lock is taken again at once, and what holds is the operating system's.
    held.exec("COMMIT; BEGIN IMMEDIATE")
    return held
  } catch (cause) {
    const code = sqliteCode(cause)
    let holder: unknown
    try {
      holder = held.prepare("SELECT pid FROM holder").get()?.["pid"]
    } catch {
      // It is being written down, or the file is no lock of ours.
    }
    held.close()
    if (code === 5) throw new Unusable(`${folder} is in use by process ${typeof holder === "number" ? holder : "(unknown)"}; stop that server, or choose another folder`, { cause })
    if (isDamage(cause)) throw new Unusable(`${lock} is damaged; delete it, for it only says who uses the folder`, { cause })
    throw unkept(folder, cause)
  }
}

const magic = "SQLite format 3\0"

/** The pages that the write-ahead log beside a file holds (https://www.sqlite.org/fileformat.html#walformat). */
const pagesWaiting = (file: string, pageSize: number): ReadonlySet<number> => {
  const pages = new Set<number>()
  let descriptor: number
  try {
    descriptor = openSync(`${file}-wal`, "r")
  } catch {
    return pages
  }
  try {
    const { size } = fstatSync(descriptor)
    const header = Buffer.alloc(4)
    for (let at = 32; at + 24 + pageSize <= size; at += 24 + pageSize) {
      readSync(descriptor, header, 0, 4, at)
      pages.add(header.readUInt32BE(0))
    }
  } finally {
    closeSync(descriptor)
  }
  return pages
}

/** Whether a log is there; one that is no database, or has lost a part of it, is refused. */
export const isThere = (file: string): boolean => {
  let descriptor: number
  try {
    descriptor = openSync(file, "r")
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code === "ENOENT") {
      // What is in there would be taken for a part of whatever log is put beside it.
      if (existsSync(`${file}-wal`)) throw new Unusable(`${file} is missing, and ${file}-wal, which is a part of it, is there; put the log back, or move that away too`)
      return false
    }
    throw new Unusable(`${file} cannot be read: ${reason(cause)}`, { cause })
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw foreign(file)
    const { size } = stat
    if (size === 0) return true
    const header = Buffer.alloc(100)
    const read = readSync(descriptor, header, 0, 100, 0)
    const shown = header.toString("latin1", 0, Math.min(read, magic.length))
    if (!magic.startsWith(shown)) throw foreign(file)
    if (read < 100) throw damaged(file, "its beginning is missing")
    const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
    const pages = header.readUInt32BE(28)
    const isValid = header.readUInt32BE(24) === header.readUInt32BE(92)
    if (isValid && size < pages * pageSize) {
      // What a killed process was about to put there is still waiting beside it.
      const waiting = pagesWaiting(file, pageSize)
      for (let page = Math.floor(size / pageSize) + 1; page <= pages; page++) {
        if (!waiting.has(page)) throw damaged(file, "its end is missing")
      }
    }
    return true
  } finally {
    closeSync(descriptor)
  }
}

/** Logs up to this many bytes are looked through at every start. */
const looked = 33_554_432

/** What is wrong inside a file, where something is. */
export const flaw = (database: DatabaseSync): string | undefined => {
  try {
    const found = String(Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0])
    return found === "ok" ? undefined : found.split("\n").at(-1)!
  } catch (cause) {
    if (isDamage(cause)) return (cause as Error).message
    throw cause
  }
}

const check = (database: DatabaseSync, file: string): void => {
  const number = (pragma: string): number => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
  const id = number("application_id")
  const version = number("user_version")
  if (id !== applicationId) throw foreign(file)
  if (version !== format) throw otherFormat(file, version)
  if (number("page_count") * number("page_size") > looked) return
  const found = flaw(database)
  if (found !== undefined) throw damaged(file, found)
}

const isNew = (database: DatabaseSync): boolean => {
  const counted = database.prepare("SELECT (SELECT count(*) FROM sqlite_schema) AS tables, application_id AS id FROM pragma_application_id").get()
  return counted?.["tables"] === 0 && (counted["id"] === 0 || counted["id"] === applicationId)
}

/** Read a log that is there; what is written meanwhile by another is seen. */
export const openToRead = (file: string): DatabaseSync => {
  if (!isThere(file)) throw new Unusable(`there is no log in ${file}`)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { readOnly: true })
    database.exec(`PRAGMA busy_timeout=${patience}`)
    const id = database.prepare("PRAGMA application_id").get()?.["application_id"]
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"])
    if (id !== applicationId || version === 0) throw foreign(file)
    if (version !== format) throw otherFormat(file, version)
    return database
  } catch (cause) {
    database?.close()
    if (cause instanceof Unusable) throw cause
    if (isDamage(cause)) throw damaged(file, (cause as Error).message)
    // What SQLite keeps beside a log while somebody reads it is not there, and may not be made (https://www.sqlite.org/wal.html#readonly).
    const why = sqliteCode(cause) === 8 ? "no server uses it, and then it takes writing beside it; do it as its owner, or read a copy of the folder" : reason(cause)
    throw new Unusable(`${file} cannot be read: ${why}`, { cause })
  }
}

/** Open the log to write it, making it where there is none; a new one is called by this epoch. Its folder must be locked. */
export const openToWrite = (folder: string, epoch: string): DatabaseSync => {
  const { log: file, search } = files(folder)
  if (isThere(file) && statSync(file).size === 0 && existsSync(search)) throw damaged(file, "it is empty, and something was found in it once")
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file)
    database.exec(`PRAGMA busy_timeout=${patience}`)
    // The file must not be touched before it is known to be ours.
    if (!isNew(database)) check(database, file)
    else {
      database.exec("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; BEGIN IMMEDIATE")
      database.exec(`${schema}; PRAGMA application_id=${applicationId}; PRAGMA user_version=${format}`)
      database.prepare("INSERT INTO about VALUES ('epoch', ?)").run(epoch)
      database.exec("COMMIT")
    }
    database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; PRAGMA journal_size_limit=16777216")
    return database
  } catch (cause) {
    database?.close()
    if (cause instanceof Unusable) throw cause
    if (isDamage(cause)) throw damaged(file, (cause as Error).message)
    throw unkept(folder, cause)
  }
}
