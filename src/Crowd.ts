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

/** What comings and goings come to in the end. */
export interface Crowd {
  readonly joined: ReadonlyArray<string>
  readonly left: ReadonlyArray<string>
  readonly renamed: ReadonlyArray<{ readonly nick: string; readonly to: string }>
}

/** The sum of these comings and goings: applied to who was there, it gives who is there now. */
export const sum = (events: ReadonlyArray<Presence>): Crowd => {
  // When many come at once, those who came last are told of fewer: this is asked for each of them.
  if (events.every((event) => event._tag === "Joined")) return { joined: events.map(({ nick }) => nick), left: [], renamed: [] }
  const joined = new Set<string>()
  const left = new Set<string>()
  /** What those who were there before are called now, to what they were called then. */
  const former = new Map<string, string>()
  for (const event of events) {
    const { nick } = event
    switch (event._tag) {
      case "Joined":
        if (!left.delete(nick)) joined.add(nick)
        break
      case "Left":
      case "Quit":
        if (!joined.delete(nick)) {
          const first = former.get(nick) ?? nick
          former.delete(nick)
          // Somebody else may have come under that nick since.
          if (!joined.delete(first)) left.add(first)
        }
        break
      case "Renamed":
        if (joined.delete(nick)) {
          if (!left.delete(event.to)) joined.add(event.to)
        } else {
          const first = former.get(nick) ?? nick
          former.delete(nick)
          former.set(event.to, first)
        }
        break
    }
  }
  const renamed = [...former].filter(([to, nick]) => to !== nick).map(([to, nick]) => ({ nick, to }))
  return { joined: [...joined], left: [...left], renamed }
}

/** How many entries from `start` on are comings and goings in a row. */
export const run = (entries: ReadonlyArray<Entry>, start: number): number => {
  let end = start
  while (end < entries.length && isPresence(entries[end]!.event)) end++
  return end - start
}
