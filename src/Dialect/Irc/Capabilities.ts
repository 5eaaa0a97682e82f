/**
 * The capabilities a client may ask for, as bits of a number: those with the same number are told things in the same bytes.
 * Knows their names and nothing else (https://ircv3.net/specs/extensions/capability-negotiation).
 */

/** What each capability is as a bit. */
export const bits = {
  "account-notify": 1,
  "account-tag": 2,
  "away-notify": 4,
  batch: 8,
  "cap-notify": 16,
  chghost: 32,
  "draft/chathistory": 64,
  "draft/event-playback": 524_288,
  "draft/no-implicit-names": 128,
  "echo-message": 256,
  "extended-join": 512,
  "extended-monitor": 1024,
  "invite-notify": 2048,
  "labeled-response": 4096,
  "message-tags": 8192,
  "multi-prefix": 16_384,
  "no-implicit-names": 1_048_576,
  "server-time": 32_768,
  setname: 65_536,
  "standard-replies": 131_072,
  "userhost-in-names": 262_144
} as const

export type Name = keyof typeof bits

export const names = Object.keys(bits) as ReadonlyArray<Name>

const values: Partial<Record<Name, string>> = {}

/** A capability as it is offered to those who understand values. */
export const offered = (name: Name): string => values[name] === undefined ? name : `${name}=${values[name]}`

/** A client's capabilities. */
export type Set = number

export const none: Set = 0

export const has = (set: Set, name: Name): boolean => (set & bits[name]) !== 0

/** Those of a set that matter for how a room's events look. */
const inRooms = bits["away-notify"] | bits["extended-join"] | bits["message-tags"] | bits["server-time"] | bits.setname

export const ofRooms = (set: Set): Set => set & inRooms

export const list = (set: Set): ReadonlyArray<Name> => names.filter((name) => has(set, name))

/**
 * The set after a request such as `batch -setname`; `undefined` when it names anything that there is not, or takes away
 * cap-notify where the version of the negotiation brought it (https://ircv3.net/specs/extensions/capability-negotiation#cap-notify).
 */
export const change = (set: Set, request: string, versioned: boolean): Set | undefined => {
  let next = set
  for (const word of request.split(" ")) {
    if (word === "") continue
    const off = word.startsWith("-")
    const name = off ? word.slice(1) : word
    if (!Object.hasOwn(bits, name) || (off && versioned && name === "cap-notify")) return undefined
    const bit = bits[name as Name]
    next = off ? next & ~bit : next | bit
  }
  return next
}
