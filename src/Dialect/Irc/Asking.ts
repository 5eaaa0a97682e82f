/**
 * One question of an IRC client being answered: who asks, of which world, and the lines of the answer so far.
 * Knows what the asker may see, and no question.
 */
import * as HashMap from "effect/HashMap"
import type { Rank } from "../../Command.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import type * as Capabilities from "./Capabilities.ts"
import * as Message from "./Message.ts"

/** Who asks. */
export interface Asker {
  /** The server's name as a source. */
  readonly server: string
  readonly nick: string
  readonly caps: Capabilities.Set
}

/** Who asks, of what, and how to say something in answer. */
export interface Asking extends Asker {
  readonly world: World.World
  readonly moment: World.Moment
  /** The asker as the world knows them. */
  readonly me: World.Person | undefined
  /** A numeric. */
  readonly say: (numeric: string, ...params: ReadonlyArray<string>) => void
  /** A numeric whose last parameter is these words, as many lines as it takes. */
  readonly sayWords: (numeric: string, before: ReadonlyArray<string>, words: Iterable<string>, separator?: string) => void
  /** The same in one line, be there no words: those that have no room in it are left out. */
  readonly sayOnce: (numeric: string, words: Iterable<string>) => void
  readonly lines: Array<string>
}

/** Words in lines of at most so many characters; words are ASCII. */
const wrapped = (words: Iterable<string>, separator: string, most: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of words) {
    if (line !== "" && line.length + separator.length + word.length > most) {
      lines.push(line)
      line = ""
    }
    line += (line === "" ? "" : separator) + word
  }
  if (line !== "") lines.push(line)
  return lines
}

/** A question begins to be answered. */
export const begin = ({ caps, nick, server }: Asker, { moment, world }: World.Observed): Asking => {
  const lines: Array<string> = []
  return {
    caps,
    nick,
    server,
    world,
    moment,
    me: World.holder(world, nick),
    lines,
    say: (numeric, ...params) => {
      lines.push(Message.print(server, numeric, nick, ...params))
    },
    sayWords: (numeric, before, words, separator = " ") => {
      const head = `:${[server, numeric, nick, ...before].join(" ")} :`
      for (const line of wrapped(words, separator, Message.maxLine - 2 - head.length)) lines.push(`${head}${line}\r\n`)
    },
    sayOnce: (numeric, words) => {
      const most = Message.maxLine - 2 - `:${server} ${numeric} ${nick} :`.length
      lines.push(Message.print(server, numeric, nick, wrapped(words, " ", most)[0] ?? ""))
    }
  }
}

/** ERR_NOSUCHNICK and ERR_NOSUCHCHANNEL. */
export const noNick = ({ say }: Asking, who: string): void => say("401", who, "No such nick/channel")
export const noChannel = ({ say }: Asking, name: string): void => say("403", name, "No such channel")

/** The channel of this name, if there is one that the asker may know of. */
export const seenRoom = ({ me, world }: Asking, name: string): World.Room | undefined => {
  const found = name.startsWith("#") ? World.room(world, Name.withoutHash(name)) : undefined
  return found !== undefined && World.seesRoom(found, me) ? found : undefined
}

/** Whether the asker is in a room. */
export const isIn = ({ me }: Asking, room: World.Room): boolean => me !== undefined && me.rooms.has(Name.key(room.name))

/** Whether the asker may find somebody by looking around (https://modern.ircdocs.horse/#invisible-user-mode). */
export const finds = ({ me }: Asking, who: World.Person): boolean =>
  !who.traits.has("invisible") || (me !== undefined && (me.operator || World.meet(who, me)))

/** The most that are put in order before they are told. */
const maxOrdered = 500

const inOrder = <A>(all: ReadonlyArray<A>, name: (one: A) => string): ReadonlyArray<A> =>
  all.length > maxOrdered ? all : all.toSorted((a, b) => name(a) < name(b) ? -1 : 1)

/** Who is in a room, with their ranks; by their nicks where they are not too many. */
export const members = ({ world }: Asking, room: World.Room): ReadonlyArray<readonly [World.Person, Rank]> =>
  inOrder(World.membersOf(world, room), ([who]) => who.nick)

/** Everybody, and every room, likewise. */
export const everybody = ({ world }: Asking): ReadonlyArray<World.Person> => inOrder([...HashMap.values(world.persons)], ({ nick }) => nick)
export const everyRoom = ({ world }: Asking): ReadonlyArray<World.Room> => inOrder([...HashMap.values(world.rooms)], ({ name }) => name)

/** When something was, in words. */
export const date = (at: number): string => new Date(at).toUTCString()

/** When something was, in whole seconds since 1970. */
export const seconds = (at: number): string => String(Math.floor(at / 1000))
