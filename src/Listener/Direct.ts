/**
 * Bytes given to the kernel without an object for each write. Node makes a request every time, and needs it only for what the
 * kernel does not take at once, which is rare: so one is kept until then. What it uses of Node is not promised to stay; it is
 * looked at with the first write, and where it is not as here Node writes as it always does. Knows nothing of who writes what.
 */
import type { Socket } from "node:net"
import { getSystemErrorName } from "node:util"

/** Told when bytes that the kernel did not take at once have gone, or why they cannot go. */
export type Gone = (error?: Error | null) => void

/** What is below a socket's stream. */
interface Handle {
  /** Writes now what it can, and the rest later: 0, or what is wrong. */
  writeBuffer: (request: Request, bytes: Uint8Array) => number
}

/** A write, for as long as it is under way. */
interface Request {
  handle: Handle
  oncomplete: (this: Request, status: number) => void
  async: boolean
  bytes: number
  buffer: Uint8Array
  callback: Gone
  /** `atRest` as long as it is not under way. */
  getAsyncId: () => number
}

/** A request that is under way must not be used for another write: Node ends the process. The size of what waits does not tell. */
const atRest = -1

/** How Node makes requests. */
interface Kind {
  readonly make: new() => Request
  readonly oncomplete: Request["oncomplete"]
}

/** `undefined` until a first write was seen, `null` where it is not as here: Node 26 makes no request for what goes at once itself. */
let kind: Kind | null | undefined
/** A request that is not under way. */
let spare: Request | undefined

const handleOf = (socket: Socket): Handle | undefined => (socket as { _handle?: Handle | null })._handle ?? undefined

const kindOf = (request: Request | null): Kind | null => {
  try {
    const make = request!.constructor as Kind["make"]
    const { oncomplete } = request!
    return typeof oncomplete === "function" && new make().getAsyncId() === atRest ? { make, oncomplete } : null
  } catch {
    return null
  }
}

/** See how Node makes a request, when it makes the next one for this handle. */
const learn = (handle: Handle): void => {
  const { writeBuffer } = handle
  if (typeof writeBuffer !== "function") {
    kind = null
    return
  }
  handle.writeBuffer = (request, bytes) => {
    delete (handle as Partial<Handle>).writeBuffer
    kind = kindOf(request)
    return writeBuffer.call(handle, request, bytes)
  }
}

const failed = (number: number): Error => {
  const code = getSystemErrorName(number)
  return Object.assign(new Error(`write ${code}`), { code, errno: number, syscall: "write" })
}

/** Write to a socket for whose stream nothing waits. True when all went at once; otherwise `gone` is called, maybe before this returns. */
export const write = (socket: Socket, bytes: Uint8Array, gone: Gone): boolean => {
  const handle = handleOf(socket)
  if (kind === undefined || kind === null || handle === undefined) {
    if (kind === undefined && handle !== undefined) learn(handle)
    socket._write(bytes, "buffer" as BufferEncoding, gone)
    return false
  }
  const request = spare ??= new kind.make()
  const error = handle.writeBuffer(request, bytes)
  if (error === 0 && request.getAsyncId() === atRest) return true
  spare = undefined
  if (error === 0) {
    // From here on it is as if Node had made it.
    request.handle = handle
    request.oncomplete = kind.oncomplete
    request.async = true
    request.bytes = bytes.length
    request.buffer = bytes
    request.callback = gone
  } else gone(failed(error))
  return false
}
