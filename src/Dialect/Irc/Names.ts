/**
 * Who is in a channel, as its members read it: what whoever comes is told of those who were there before is made once, and not
 * again for each. Knows no line.
 */
import * as HashMap from "effect/HashMap"
import type { Rank } from "../../Command.ts"
import * as Mask from "../../Mask.ts"
import * as World from "../../World.ts"
import type * as Roster from "../../World/Roster.ts"
import { type Asking, finds, isIn, members } from "./Asking.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Modes from "./Modes.ts"

/** From so many members on they are not told by their nicks. */
const unordered = 100

/** Several names as one word, of at most so many characters, so that two or three make a line. */
const maxJoined = 200

const wordOf = ({ caps }: Asking) => (who: World.Person, rank: Rank): string =>
  Modes.signs(rank, Capabilities.has(caps, "multi-prefix")) + (Capabilities.has(caps, "userhost-in-names") ? Mask.written(who) : who.nick)

const joined = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const out: Array<string> = []
  let from = 0
  let length = 0
  for (let i = 0; i < words.length; i++) {
    const more = words[i]!.length + 1
    if (i > from && length + more > maxJoined) {
      out.push(words.slice(from, i).join(" "))
      from = i
      length = 0
    }
    length += more
  }
  if (words.length > from) out.push(words.slice(from).join(" "))
  return out
}

/** What was made of a piece of a room, by what the names have besides the nick. */
const known = new WeakMap<Roster.Piece, Array<ReadonlyArray<string> | undefined>>()

const ofPiece = (asking: Asking, room: World.Room, { ids }: Roster.Piece): ReadonlyArray<string> => {
  const word = wordOf(asking)
  const words: Array<string> = []
  for (const id of ids) {
    const who = World.person(asking.world, id)
    const rank = World.rank(room, id)
    if (who !== undefined && rank !== undefined) words.push(word(who, rank))
  }
  return joined(words)
}

const ofAll = (asking: Asking, room: World.Room): ReadonlyArray<string> => {
  const kind = Number(Capabilities.has(asking.caps, "multi-prefix")) + 2 * Number(Capabilities.has(asking.caps, "userhost-in-names"))
  const out: Array<string> = []
  for (const piece of room.roster) {
    // The last is another whenever somebody comes.
    const isLast = piece === room.roster[room.roster.length - 1]
    let kept = isLast ? undefined : known.get(piece)
    if (kept === undefined) {
      kept = []
      if (!isLast) known.set(piece, kept)
    }
    for (const some of kept[kind] ??= ofPiece(asking, room, piece)) out.push(some)
  }
  return out
}

/** The names of those in a channel whom the asker may see there, one or several to a word. */
export const of = (asking: Asking, room: World.Room): ReadonlyArray<string> => {
  const own = isIn(asking, room)
  if (own && HashMap.size(room.members) > unordered) return ofAll(asking, room)
  const word = wordOf(asking)
  return members(asking, room).filter(([who]) => own || finds(asking, who)).map(([who, rank]) => word(who, rank))
}
