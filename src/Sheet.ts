/**
 * What several are told, put together as bytes in one place that is used again and again: text that is printable ASCII, as nearly
 * all is, goes there character by character, and no longer text is made of it first. Knows nothing of what it says.
 */
import { plainest } from "./Text.ts"

/** How much there is room for at first, and how much is kept for the next, in bytes, unless said otherwise. */
const ample = 32_768

/** What is no longer than this is lent, in bytes: who does not take it at once keeps the whole place. */
const lendable = 4096

/** A text shorter than this is looked at and put down character by character: to hand it over to be written takes as long. */
const short = 24

export class Sheet {
  readonly #usual: number
  #bytes: Buffer
  /** The same, to look at four bytes at once. */
  #words: DataView
  /** The beginning of the place, by its length: looked at so often that they are made once. It has all its places from the start, lest it become a map. */
  readonly #views: Array<Uint8Array | undefined> = new Array(lendable + 1).fill(undefined)
  /** How many bytes there are so far. */
  length = 0

  /** With room for so many bytes from the start. */
  constructor(usual = ample) {
    this.#usual = usual
    this.#bytes = Buffer.allocUnsafeSlow(usual)
    this.#words = new DataView(this.#bytes.buffer)
  }

  /** Begin anew. */
  clear(): void {
    this.length = 0
    if (this.#bytes.length > this.#usual) this.#renew(this.#usual)
  }
  #renew(size: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(size)
    this.#words = new DataView(this.#bytes.buffer)
    this.#views.fill(undefined)
  }
  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return
    const bytes = this.#bytes
    this.#renew(2 * (this.length + more))
    bytes.copy(this.#bytes, 0, 0, this.length)
  }
  /**
   * Add a text of printable ASCII, with a space in it or, where `least` is 0x21, without. False of any other, and of a long one:
   * then some of it may be there, and `length` is to be set back.
   */
  plain(text: string, least = 0x20): boolean {
    const { length } = text
    if (length > plainest) return false
    return length < short || least > 0x20 ? this.#eachOf(text, least) : this.#allOf(text)
  }
  #eachOf(text: string, least: number): boolean {
    const { length } = text
    this.#reserve(length)
    const bytes = this.#bytes
    const at = this.length
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code < least || code > 0x7e) return false
      bytes[at + i] = code
    }
    this.length = at + length
    return true
  }
  /** Written first, and then looked at: of a text with anything else in it there are more bytes than characters, or some that are not printable. */
  #allOf(text: string): boolean {
    const { length } = text
    this.#reserve(length)
    let at = this.length
    const end = at + length
    if (this.#bytes.write(text, at) !== length) return false
    // Four bytes are printable where none of them has its highest bit when the first that is printable is taken away, nor when one is added.
    for (; at + 4 <= end; at += 4) {
      const word = this.#words.getInt32(at)
      if (((word - 0x20202020 | word + 0x01010101) & 0x80808080) !== 0) return false
    }
    for (; at < end; at++) {
      const byte = this.#bytes[at]!
      if (byte < 0x20 || byte > 0x7e) return false
    }
    this.length = end
    return true
  }
  /** Add a byte. */
  byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.length++] = byte
  }
  /** Add any text, as UTF-8. */
  text(text: string): void {
    this.#reserve(3 * text.length)
    this.length += this.#bytes.write(text, this.length)
  }
  /** Add those in [`from`, `to`) of these bytes. */
  bytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.#reserve(to - from)
    // As a buffer copies, so that nothing is made of the part first.
    Buffer.prototype.copy.call(bytes, this.#bytes, this.length, from, to)
    this.length += to - from
  }
  /** All of it, until anything is added or it is begun anew; `undefined` when it is too much for that. */
  lent(): Uint8Array | undefined {
    const { length } = this
    return length > lendable ? undefined : this.#views[length] ??= this.#bytes.subarray(0, length)
  }
  /** What was lent is not given back: the next is put together elsewhere. */
  lose(): void {
    this.#renew(this.#usual)
  }
  /** All of it, to keep. */
  taken(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.length)
    this.#bytes.copy(bytes, 0, 0, this.length)
    return bytes
  }
}
