/**
 * A socket's way out: bytes given to the kernel at once where it takes them, and what is known of those it has not taken.
 * Knows nothing of what they say.
 */
import { Socket } from "node:net"
import * as Direct from "./Direct.ts"

const noBytes = new Uint8Array(0)

/** What a connection over a socket begins with, so that what is looked at for each delivery is one object. */
export abstract class Outlet {
  /** A direct write is under way, of so many bytes. */
  #under = 0
  /** Something was written as a stream does it, and may not have gone. */
  #streams = false
  /**
   * Bytes go past the socket's stream as long as nothing waits: the stream's keeping count and a request for each write are a
   * twentieth of a delivery. What then does not go at once the kernel is given in order, whoever wrote it; only TCP's sockets
   * do that, so others (TLS) are written to as streams.
   */
  readonly #direct: boolean
  protected readonly socket: Socket
  #told = false
  #given = 0

  constructor(socket: Socket) {
    this.socket = socket
    this.#direct = socket.constructor === Socket
  }
  /** Done when the direct write under way is done. */
  #then: (() => void) | undefined
  readonly #gone = (error?: Error | null): void => {
    this.#under = 0
    if (error instanceof Error) this.socket.destroy(error)
    const then = this.#then
    this.#then = undefined
    then?.()
  }
  /** Must not be called once the socket was ended. False when the bytes are needed until they have gone. */
  protected write(bytes: Uint8Array): boolean {
    this.#given += bytes.length
    if (this.#direct && this.#idle()) {
      this.#under = bytes.length
      if (Direct.write(this.socket, bytes, this.#gone)) this.#under = 0
      // It may have gone, and said so, without having been all taken at once.
      return this.#under === 0
    }
    this.#streams = true
    this.socket.write(bytes)
    return false
  }
  /** The same, and only what is under way is needed: what waits behind other bytes is a copy. */
  protected writeLent(bytes: Uint8Array): boolean {
    if (this.#direct && this.#idle()) return this.write(bytes)
    this.write(Uint8Array.from(bytes))
    return true
  }
  #idle(): boolean {
    if (this.#under > 0) return false
    if (this.#streams) this.#streams = this.socket.writableLength > 0
    return !this.#streams
  }
  /** Bytes that were written and have not gone; none once they cannot go. */
  unsent(): number {
    return this.#idle() || this.socket.destroyed ? 0 : this.#under + this.socket.writableLength
  }
  /** Differs whenever some of them have gone. */
  progress(): number {
    // What the kernel has taken of the write under way shows only in the handle; without it, whole writes are seen.
    const handle = (this.socket as { _handle?: { writeQueueSize?: number } })._handle
    return this.#given - this.unsent() - (handle?.writeQueueSize ?? 0)
  }
  /** Write nothing: of a socket that is not read, a reset shows only so. */
  protected knock(): void {
    if (!this.socket.writableEnded && this.unsent() === 0) this.socket.write(noBytes)
  }
  /** Call once, when what is unsent now has gone. */
  protected whenSent(sent: () => void): void {
    if (this.#told) return
    this.#told = true
    const done = (): void => {
      this.#told = false
      sent()
    }
    const behind = (): void => {
      // Nothing, behind what is unsent: a callback for this one write costs less than one for each.
      if (!this.socket.writableEnded) this.socket.write(noBytes, done)
      else if (this.socket.writableFinished) setImmediate(done)
      else this.socket.once("finish", done)
    }
    // A direct write may have gone before Node says so: until then nothing behind it would be done at once, again and again.
    if (this.#under > 0) this.#then = behind
    else behind()
  }
}
