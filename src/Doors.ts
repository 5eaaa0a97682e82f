/**
 * Under which name the log keeps a room's entries. While a room is closed to others its entries go under a name of their own, so
 * that a later room of the same name cannot read them; those inside read both names as one. Knows no rules.
 */
import * as Effect from "effect/Effect"
import type { Mark } from "./Command.ts"
import type { Entry } from "./Event.ts"
import { asked, eventful, type Log, type LogError, type Page, type Query, type Reading } from "./Log.ts"
import * as Name from "./Name.ts"
import * as World from "./World.ts"

/** The name under which the log keeps what happens in the room of this key, `before` and `after` being the world around it. */
const nameOf = (key: string, before: World.World, after: World.World): string => {
  const of = World.room(after, key) ?? World.room(before, key)
  const was = World.room(before, key)
  return of !== undefined && (World.isClosed(of) || (was?.number === of.number && World.isClosed(was))) ? World.behind(key, of.number) : key
}

/** As `World.Audience`, with the names under which the log keeps it. What was found last, where no room changed, is found again at once. */
export const make = () => {
  let rooms: World.World["rooms"] | undefined
  let to = ""
  let name = ""
  return (audience: World.Audience, before: World.World, after: World.World): World.Audience => {
    if (typeof audience !== "string") {
      const names: Array<string> = []
      for (const key of audience.rooms) names.push(nameOf(key, before, after))
      return { rooms: names, sessions: audience.sessions }
    }
    if (before.rooms !== after.rooms) return nameOf(audience, before, after)
    if (after.rooms !== rooms || audience !== to) {
      name = nameOf(audience, before, after)
      rooms = after.rooms
      to = audience
    }
    return name
  }
}

const merged = (a: ReadonlyArray<Entry>, b: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b].sort((x, y) => x.seq - y.seq)

/** A mark that both names know, and when its message was said. */
interface Place {
  readonly mark: number | { readonly at: number }
  readonly at: number | undefined
  readonly unknown?: true
}

const isBackwards = (after: Place, before: Place): boolean =>
  typeof after.mark === "number" && typeof before.mark === "number"
    ? after.mark > before.mark
    : after.at !== undefined && before.at !== undefined && after.at > before.at

const isBefore = (entry: Entry, { mark }: Place): boolean => typeof mark === "number" ? entry.seq < mark : entry.at < mark.at

/** Read what anybody may read of a room, and for those `inside` what they may. */
export const read = (log: Log["Service"]) => {
  /** A message that is known under one name, as a place on both; one that neither knows is after everything. */
  const placed = (mark: Mark | undefined, names: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      if (mark === undefined) return undefined
      if (typeof mark === "number") return { mark, at: undefined }
      if ("at" in mark) return { mark, at: mark.at }
      for (const room of names) {
        const { entries: [found] } = yield* log.read({ room, after: undefined, before: undefined, around: mark, limit: 1, messages: false })
        if (found?.id === mark.id) return { mark: found.seq, at: found.at }
      }
      return { mark: Number.MAX_SAFE_INTEGER, at: undefined, unknown: true as const }
    })

  const both = Effect.fnUntraced(function*(query: Query, names: ReadonlyArray<string>) {
    const [after, before, around] = yield* Effect.all([placed(query.after, names), placed(query.before, names), placed(query.around, names)])
    const swapped = query.between === true && after !== undefined && before !== undefined && isBackwards(after, before)
    const { around: _, between: __, ...rest } = query
    const window: Query = {
      ...rest,
      after: (swapped ? before : after)?.mark,
      before: (swapped ? after : before)?.mark,
      ...(swapped ? { earliest: false } : {}),
      ...(around === undefined ? {} : { around: around.mark })
    }
    const pages: ReadonlyArray<Page> = yield* Effect.forEach(names, (room) => log.read({ ...window, room }))
    const entries = pages.reduce((all: ReadonlyArray<Entry>, page) => merged(all, page.entries), [])
    const { limit } = query
    const start = around !== undefined
      ? Math.max(0, entries.filter((entry) => isBefore(entry, around)).length - (limit >> 1))
      : window.earliest === true
      ? 0
      : Math.max(0, entries.length - limit)
    return {
      entries: entries.slice(start, start + limit),
      complete: pages.every(({ complete }) => complete) && (query.after === undefined || entries.length <= limit),
      ...([after, before, around].some((place) => place?.unknown) ? { unknown: true } : {}),
      ...(swapped ? { backwards: true } : {})
    }
  })

  return (reading: Reading): Effect.Effect<Page, LogError> => {
    const { inside, ...query } = reading
    if (inside === undefined) return log.read(query)
    const key = Name.key(query.room)
    return both(query, [key, World.behind(key, inside)])
  }
}

/** Read or search what somebody asked for at this place in the order. */
export const recall = (log: Log["Service"]) => {
  const reading = read(log)
  return (recall: World.Recall, at: number): Effect.Effect<Page, LogError> => {
    const { before, events, inside, limit, room, words } = recall
    if (words === undefined) return events === true ? eventful(reading, asked(recall, at)) : reading(asked(recall, at))
    const key = Name.key(room)
    const rooms = inside === undefined ? [key] : [key, World.behind(key, inside)]
    const end = Math.floor(at) + 1
    return log.search({ rooms, words, limit, before: typeof before === "number" && before < end ? before : end })
  }
}

/** Whether something happened in a room that is gone which whoever resumes in one of its name cannot be told. */
export const hasHole = (
  read: (reading: Reading) => Effect.Effect<Page, LogError>,
  recall: World.Recall,
  at: number
): Effect.Effect<boolean, LogError> => {
  const { inside: _, ...reading } = asked(recall, at)
  return recall.former === undefined
    ? Effect.succeed(false)
    : Effect.map(
      read({ ...reading, room: World.behind(Name.key(recall.room), recall.former), limit: 1, earliest: true }),
      ({ complete, entries }) => entries.length > 0 || !complete
    )
}
