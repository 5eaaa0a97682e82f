/**
 * Many comings and goings as one: who is there after them and was not before, who is gone, who is called otherwise.
 * Knows no room and no dialect.
 */
import type { Entry, Fact } from "./Event.ts"

/** So many comings and goings in a row are told as one. */
export const crowdSize = 5

export type Presence = Extract<Fact, { readonly _tag: "Joined" | "Left" | "Quit" | "Renamed" }>

/** Whether an event is only about who is there, and so may be told a little later, together with others. */
export const isPresence = (event: Fact): event is Presence =>
  event._tag === "Joined" || event._tag === "Quit" || event._tag === "Left" || event._tag === "Renamed"

/** Whether an event is about who is in one room; who quits or is called otherwise does so in all of them. */
export const isOfOneRoom = (event: Fact): boolean => event._tag === "Joined" || event._tag === "Left"

/**
 * What comings and goings come to in the end; `again` are those who left and are there again, without what they were there before,
 * and `away` those of the joined, and of them, who are away.
 */
export interface Crowd {
  readonly joined: ReadonlyArray<string>
  readonly left: ReadonlyArray<string>
  readonly again: ReadonlyArray<string>
  readonly away: ReadonlyArray<string>
  readonly renamed: ReadonlyArray<{ readonly nick: string; readonly to: string }>
}

const nickOf = ({ nick }: Presence): string => nick
const isAway = (event: Presence): boolean => event._tag === "Joined" && event.away !== undefined

/** The sum of these comings and goings: applied to who was there, it gives who is there now. */
export const sum = (events: ReadonlyArray<Presence>): Crowd => {
  // When many come at once, those who came last are told of fewer: this is asked for each of them.
  if (events.every((event) => event._tag === "Joined")) {
    return { joined: events.map(nickOf), left: [], again: [], away: events.filter(isAway).map(nickOf), renamed: [] }
  }
  /** Who came and is there, to whether they are away. */
  const joined = new Map<string, boolean>()
  const left = new Set<string>()
  /** What those who were there before are called now, to what they were called then. */
  const former = new Map<string, string>()
  for (const event of events) {
    const { nick } = event
    switch (event._tag) {
      case "Joined":
        joined.set(nick, isAway(event))
        break
      case "Left":
      case "Quit":
        if (!joined.delete(nick)) {
          const first = former.get(nick) ?? nick
          former.delete(nick)
          left.add(first)
        }
        break
      case "Renamed": {
        const away = joined.get(nick)
        if (joined.delete(nick)) joined.set(event.to, away!)
        else {
          const first = former.get(nick) ?? nick
          former.delete(nick)
          former.set(event.to, first)
        }
        break
      }
    }
  }
  const renamed = [...former].filter(([to, nick]) => to !== nick).map(([to, nick]) => ({ nick, to }))
  const come = [...joined.keys()]
  return {
    joined: come.filter((nick) => !left.has(nick)),
    left: [...left].filter((nick) => !joined.has(nick)),
    again: come.filter((nick) => left.has(nick)),
    away: come.filter((nick) => joined.get(nick)),
    renamed
  }
}

/** How many entries from `start` on are comings and goings in a row, of those that are `summed`. */
export const run = (entries: ReadonlyArray<Entry>, start: number, summed: (event: Fact) => boolean = isPresence): number => {
  let end = start
  while (end < entries.length && summed(entries[end]!.event)) end++
  return end - start
}
