/**
 * Messages from the frames that a client sends, however the network cuts them (RFC 6455 5), bounded in what is kept of
 * those that are not whole. What is no frame is a fault with the code that the client is to be told. Knows nothing of what they say.
 */
import { isUtf8 } from "node:buffer"

/** Longest message, in bytes, and how many fragments it may come in (rows 24 and 25). */
export const maxMessage = 65_536
export const maxFragments = 1000

/** Codes by which a connection is closed (RFC 6455 7.4.1). */
export const codes = { normal: 1000, goingAway: 1001, protocol: 1002, wrongType: 1003, none: 1005, notText: 1007, policy: 1008, tooBig: 1009 } as const

/** Who is told what comes. Bytes are the listener's own and may be kept. */
export interface Listener {
  readonly onMessage: (bytes: Buffer, isBinary: boolean) => void
  readonly onPing: (bytes: Buffer) => void
  readonly onPong: () => void
  /** The client says goodbye, by this code; nothing comes after it. */
  readonly onClose: (code: number) => void
  /** It broke the protocol; nothing is heard after it. */
  readonly onFault: (code: number, reason: string) => void
}

const continuation = 0
const binary = 2
const close = 8
const ping = 9
const pong = 10

const noBytes = Buffer.alloc(0)

/** Bytes that come one after the other. It grows with what is there, never with what is announced. */
class Growing {
  #bytes = noBytes
  length = 0
  put(bytes: Uint8Array): void {
    const length = this.length + bytes.length
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.length))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.length)
    this.length = length
  }
  /** All of them. */
  get whole(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }
}

const unmask = (bytes: Buffer, key: Buffer, at: number): void => {
  const [a, b, c, d] = [key[at]!, key[at + 1]!, key[at + 2]!, key[at + 3]!]
  if ((a | b | c | d) === 0) return
  const { length } = bytes
  const whole = length - length % 4
  for (let i = 0; i < whole; i += 4) {
    bytes[i]! ^= a
    bytes[i + 1]! ^= b
    bytes[i + 2]! ^= c
    bytes[i + 3]! ^= d
  }
  for (let i = whole; i < length; i++) bytes[i]! ^= key[at + i % 4]!
}

/** Codes that a client may close with (RFC 6455 7.4, and the registry it begins). */
const isCode = (code: number): boolean => (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)

export class Messages {
  readonly #listener: Listener
  /** What came of a frame that is not whole. */
  #rest: Growing | undefined
  /** A message of which fragments came: whether it is binary, how many there were, and what was in them. */
  #fragments: { readonly isBinary: boolean; count: number; readonly bytes: Growing } | undefined
  #over = false
  constructor(listener: Listener) {
    this.#listener = listener
  }

  /** Bytes came. They are changed, for that is how a payload is unmasked. */
  receive(bytes: Buffer): void {
    if (this.#over) return
    let from = bytes
    const rest = this.#rest
    if (rest !== undefined) {
      rest.put(bytes)
      from = rest.whole
      this.#rest = undefined
    }
    let at = 0
    while (at < from.length) {
      const missing = this.#missing(from, at)
      if (this.#over) return
      if (missing > 0) {
        this.#keep(rest, from, at)
        return
      }
      at = this.#frame(from, at)
      if (this.#over) return
    }
  }

  /** What begins here is no whole frame: where what came before it is kept already it stays there. */
  #keep(rest: Growing | undefined, from: Buffer, at: number): void {
    this.#rest = at === 0 && rest !== undefined ? rest : new Growing()
    if (this.#rest !== rest) this.#rest.put(from.subarray(at))
  }

  #fault(code: number, reason: string): number {
    this.#over = true
    this.#rest = this.#fragments = undefined
    this.#listener.onFault(code, reason)
    return 0
  }

  /** How many bytes the frame that begins here still lacks, at least; what is wrong with it is noticed as soon as it can be. */
  #missing(bytes: Buffer, at: number): number {
    const there = bytes.length - at
    if (there < 2) return 2 - there
    const first = bytes[at]!
    const second = bytes[at + 1]!
    const opcode = first & 15
    const short = second & 127
    if ((first & 0x70) !== 0) return this.#fault(codes.protocol, "reserved bits are set")
    if (opcode > pong || (opcode > binary && opcode < close)) return this.#fault(codes.protocol, "there is no such opcode")
    if (opcode >= close && ((first & 0x80) === 0 || short > 125)) return this.#fault(codes.protocol, "control frames are short and whole")
    if (opcode < close && (opcode === continuation) !== (this.#fragments !== undefined)) return this.#fault(codes.protocol, "fragments of messages are mixed up")
    if ((second & 0x80) === 0) return this.#fault(codes.protocol, "clients mask what they send")
    const head = short < 126 ? 6 : short === 126 ? 8 : 14
    if (there < head) return head - there
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6)
    if (length + (this.#fragments === undefined || opcode >= close ? 0 : this.#fragments.bytes.length) > maxMessage) {
      return this.#fault(codes.tooBig, `a message has at most ${maxMessage} bytes`)
    }
    return head + length - there
  }

  /** Take the frame that begins here and is whole; where the next one begins. */
  #frame(bytes: Buffer, at: number): number {
    const short = bytes[at + 1]! & 127
    const head = short < 126 ? 6 : short === 126 ? 8 : 14
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
    const from = at + head
    const payload = bytes.subarray(from, from + length)
    unmask(payload, bytes, from - 4)
    const opcode = bytes[at]! & 15
    const isFinal = (bytes[at]! & 0x80) !== 0
    switch (opcode) {
      case ping:
        this.#listener.onPing(payload)
        break
      case pong:
        this.#listener.onPong()
        break
      case close:
        this.#close(payload)
        break
      default:
        if (isFinal && this.#fragments === undefined) this.#message(payload, opcode === binary)
        else this.#fragment(payload, opcode, isFinal)
    }
    return from + length
  }

  #message(bytes: Buffer, isBinary: boolean): void {
    if (isBinary || isUtf8(bytes)) this.#listener.onMessage(bytes, isBinary)
    else this.#fault(codes.notText, "text is UTF-8")
  }

  #fragment(bytes: Buffer, opcode: number, isFinal: boolean): void {
    const fragments = this.#fragments ??= { isBinary: opcode === binary, count: 0, bytes: new Growing() }
    if (++fragments.count > maxFragments) {
      this.#fault(codes.policy, `a message has at most ${maxFragments} fragments`)
      return
    }
    fragments.bytes.put(bytes)
    if (!isFinal) return
    this.#fragments = undefined
    this.#message(fragments.bytes.whole, fragments.isBinary)
  }

  #close(bytes: Buffer): void {
    const code = bytes.length === 0 ? codes.none : bytes.length === 1 ? 0 : bytes.readUInt16BE(0)
    if (bytes.length > 0 && !isCode(code)) this.#fault(codes.protocol, "there is no such code to close with")
    else if (bytes.length > 2 && !isUtf8(bytes.subarray(2))) this.#fault(codes.notText, "a reason is UTF-8")
    else {
      this.#over = true
      this.#listener.onClose(code)
    }
  }
}

