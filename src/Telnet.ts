/**
 * What telnet and terminals mix into the text: negotiation (RFC 854, 855) and editing keys.
 * Knows nothing of lines or chat; answers every offer with no, once.
 */
import * as Text from "./Text.ts"

const IAC = 255
const DONT = 254
const DO = 253
const WONT = 252
const WILL = 251
const SB = 250
const SE = 240
const IP = 244
const EOF = 236
const ABORT = 238

/** Longest subnegotiation that is listened to, in bytes. */
export const maxSubnegotiation = 1024

/** Between two bytes: plain data, after IAC, after IAC and a verb, inside a subnegotiation, after IAC inside one. */
export interface Telnet {
  readonly at: "data" | "command" | "option" | "sub" | "subCommand"
  readonly verb: number
  readonly subLength: number
  /** Options already refused, so that each offer is answered once: `verb * 256 + option`. */
  readonly answered: ReadonlyArray<number>
}

/** Before the first byte. */
export const start: Telnet = { at: "data", verb: 0, subLength: 0, answered: [] }

/** What a chunk was, up to the first thing telnet wants answered. */
export interface Heard {
  readonly telnet: Telnet
  /** Data without telnet's own bytes. */
  readonly data: Uint8Array
  /** What to answer once `data` is dealt with, often nothing. */
  readonly reply: Uint8Array
  /** The person asked to stop (IAC IP, ABORT or EOF), or a subnegotiation went past its limit: the rest does not count. */
  readonly stopped: "" | "asked" | "flooded"
  /** What is still to be heard. */
  readonly rest: Uint8Array
}

const silent = new Uint8Array(0)

/** Take telnet's bytes out of a chunk. A chunk without any comes back as it is. IAC IAC is the byte 255. */
export const hear = (telnet: Telnet, chunk: Uint8Array): Heard => {
  if (telnet.at === "data" && !chunk.includes(IAC)) {
    return { telnet, data: chunk, reply: silent, stopped: "", rest: silent }
  }
  const data: Array<number> = []
  let { answered, at, subLength, verb } = telnet
  let reply = silent
  let stopped: Heard["stopped"] = ""
  let i = 0
  while (i < chunk.length && stopped === "" && reply === silent) {
    const byte = chunk[i++]!
    switch (at) {
      case "data":
        if (byte === IAC) at = "command"
        else data.push(byte)
        break
      case "command":
        at = "data"
        if (byte === IAC) data.push(IAC)
        else if (byte >= WILL && byte <= DONT) {
          verb = byte
          at = "option"
        } else if (byte === SB) {
          subLength = 0
          at = "sub"
        } else if (byte === IP || byte === EOF || byte === ABORT) stopped = "asked"
        break
      case "option": {
        at = "data"
        const offer = verb * 256 + byte
        if ((verb === WILL || verb === DO) && !answered.includes(offer)) {
          answered = [...answered, offer]
          reply = Uint8Array.of(IAC, verb === WILL ? DONT : WONT, byte)
        }
        break
      }
      case "sub":
        if (byte === IAC) at = "subCommand"
        else subLength++
        break
      case "subCommand":
        at = byte === SE ? "data" : "sub"
        if (byte !== SE) subLength++
        break
    }
    if (subLength > maxSubnegotiation) stopped = "flooded"
  }
  return { telnet: { at, verb, subLength, answered }, data: Uint8Array.from(data), reply, stopped, rest: chunk.subarray(i) }
}

const keys = /[\b\u007f\u0015\u0017\u001b]/
// CSI and SS3 sequences: what arrow, function and editing keys send (ECMA-48 5.4).
const sequence = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])/

/**
 * The line as the person meant it: backspace and DEL take back a character, ^W a word, ^U everything;
 * arrow and function keys do nothing. Other bytes are left for whoever shows the text.
 */
export const edit = (line: string): string => {
  if (!keys.test(line)) return line
  let out = ""
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!
    if (character === "\b" || character === "\u007f") out = Text.withoutLast(out)
    else if (character === "\u0015") out = ""
    else if (character === "\u0017") {
      const trimmed = out.trimEnd()
      out = trimmed.slice(0, trimmed.lastIndexOf(" ") + 1)
    }
    else if (character === "\u001b") {
      const key = sequence.exec(line.slice(i, i + 32))
      if (key === null) out += character
      else i += key[0].length - 1
    } else out += character
  }
  return out
}
