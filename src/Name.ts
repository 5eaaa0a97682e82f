/**
 * What a nick and a room may be called, and when two names are the same name.
 * Knows nothing of who holds a name.
 */

/** Longest nick, in characters (all of them ASCII, so also in bytes). */
export const maxNick = 32

/** Longest room name, in characters, without the leading `#`. */
export const maxRoom = 64

/** The room that is always there. */
export const lobby = "lobby"

const nickPattern = /^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]*$/
const roomPattern = /^[A-Za-z0-9_#+~=&!%$][A-Za-z0-9_#+~=&!%$.'^{}|[\]<>()-]*$/
const reserved = /^(?:server|system|service|services|global|everyone|all|here|root|[a-z]+serv)$/

/**
 * The form by which names are compared: ASCII letters in lower case, everything else as it is
 * (CASEMAPPING=ascii, https://modern.ircdocs.horse/#casemapping-parameter).
 */
export const key = (name: string): string => {
  // Asked for several times for each message, and mostly of names that are keys already.
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code >= 65 && code <= 90) return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  }
  return name
}

// A string that is made anew is hashed anew where it is looked up, and whoever talks goes on talking to the same room.
let asked = ""
let found = ""

/** A room's name without one leading `#`, the sign by which people mark a room. */
export const withoutHash = (room: string): string => {
  if (room !== asked) {
    found = room.startsWith("#") ? room.slice(1) : room
    asked = room
  }
  return found
}

/** A room's name as people write it. */
export const withHash = (room: string): string => "#" + room

/** Why a text is no nick, as the end of a sentence; `undefined` when it is one. ASCII only, so no two look alike. */
export const nickProblem = (nick: string): string | undefined =>
  nick.length === 0
    ? "a nick cannot be empty"
    : nick.length > maxNick
    ? `a nick has at most ${maxNick} characters`
    : !nickPattern.test(nick)
    ? "a nick is made of letters, digits and []\\`_^{|}- and starts with none of 0-9 and -"
    : reserved.test(key(nick))
    ? "that nick is reserved"
    : undefined

/** Names, each once, whatever case it is written in. */
export const once = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const known = new Set<string>()
  return names.filter((name) => known.size < known.add(key(name)).size)
}

/** The server's name as one word, for where it can be no more than that. */
export const wordOf = (server: string): string =>
  server.replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "") || "chat"

/** Whether a nick reads as the server's name. */
export const isServers = (server: string, nick: string): boolean => {
  const asked = key(nick)
  return asked === key(server) || asked === key(wordOf(server))
}

/** Why a text is no room name; `undefined` when it is one. */
export const roomProblem = (room: string): string | undefined =>
  room.length === 0
    ? "a room needs a name"
    : room.length > maxRoom
    ? `a room name has at most ${maxRoom} characters`
    : !roomPattern.test(room) || room.includes("..")
    ? "a room name is made of ASCII letters, digits and signs, without spaces, commas, slashes, colons or .."
    : undefined
