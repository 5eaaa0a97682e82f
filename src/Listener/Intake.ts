/**
 * Reads all sockets into one shared buffer and lends the bytes from it; they are copied if nobody takes them at once. By itself Node
 * reads each time into a new buffer of 64 KB, shortens it, and passes it on by a stream, which for a line takes longer than to
 * understand it. Node offers a shared buffer to connecting sockets only (`onread`); for accepted ones this sets the same internals,
 * which may change: if they are not as expected, sockets are read as streams. Knows nothing of what comes.
 */
import { Socket } from "node:net"
import { platform } from "node:os"

/** One read takes no more, in bytes. */
const size = 65_536

/** Told what came. */
type Told = (this: Socket, length: number) => boolean

/** Where Node keeps, in a socket, the buffer to read into and whom to tell. */
interface Places {
  readonly buffer: symbol
  readonly told: symbol
}

/** Where it is not as on the others: on Windows a buffer is handed over before anything has come. */
const known = platform() !== "win32"

/** `undefined` until it was looked for, `null` where it is not to be found. */
let places: Places | null | undefined
const shared = Buffer.allocUnsafeSlow(known ? size : 0)

const find = (): Places | null => {
  const told = () => true
  const example = new Socket({ onread: { buffer: shared, callback: told } }) as unknown as Record<symbol, unknown>
  const at = (value: unknown) => Object.getOwnPropertySymbols(example).find((symbol) => example[symbol] === value)
  const [buffer, callback] = [at(shared), at(told)]
  return buffer === undefined || callback === undefined ? null : { buffer, told: callback }
}

/** From now on what comes is told, as long as the socket is not paused. False where that cannot be had: then nothing is changed. */
export const open = (socket: Socket, told: Told): boolean => {
  if (!known || socket.constructor !== Socket || socket.readableLength > 0) return false
  if (places === undefined) places = find()
  const handle = (socket as { _handle?: { useUserBuffer?: (buffer: Uint8Array) => void } | null })._handle
  if (places === null || typeof handle?.useUserBuffer !== "function") return false
  const fields = socket as unknown as Record<symbol, unknown>
  fields[places.buffer] = shared
  fields[places.told] = told
  handle.useUserBuffer(shared)
  return true
}

/** A message mostly has fewer bytes than this. */
const few = 512

/** The first bytes of the shared buffer, by how many: looked at so often that they are made once. */
const views: Array<Uint8Array | undefined> = new Array(few).fill(undefined)

/** What came, for whoever is told of so many bytes: lent until something else is read. */
export const lent = (length: number): Uint8Array => length < few ? views[length] ??= shared.subarray(0, length) : shared.subarray(0, length)

/** The same, to keep. */
export const kept = (length: number): Uint8Array => Buffer.from(lent(length))
