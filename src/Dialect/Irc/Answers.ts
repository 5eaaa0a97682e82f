/**
 * What IRC clients ask about the world, and who answers it (https://modern.ircdocs.horse/#numerics). Knows no state of a
 * session but who asks and with what capabilities.
 */
import type { MaskList } from "../../Command.ts"
import * as Mask from "../../Mask.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import * as Asking from "./Asking.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"
import * as OfPeople from "./OfPeople.ts"
import * as OfRooms from "./OfRooms.ts"
import * as OfServer from "./OfServer.ts"

export type { Asker } from "./Asking.ts"
export { seen } from "./OfPeople.ts"

/** What can be asked. `joined` is what one is told of a room one has come into. */
export type Question =
  | { readonly _tag: "Welcome" }
  | { readonly _tag: "Pong"; readonly params: ReadonlyArray<string> }
  | { readonly _tag: "Joined" | "Topic" | "Modes"; readonly room: string }
  | { readonly _tag: "Names"; readonly rooms: ReadonlyArray<string> }
  | { readonly _tag: "Masks"; readonly room: string; readonly list: MaskList }
  | { readonly _tag: "Who"; readonly mask: string; readonly operators: boolean; readonly fields: string | undefined }
  | { readonly _tag: "Whowas"; readonly nicks: ReadonlyArray<string>; readonly count: number }
  | { readonly _tag: "Userhost" | "Ison" | "Whois"; readonly nicks: ReadonlyArray<string> }
  | { readonly _tag: "List"; readonly filters: ReadonlyArray<string> }
  | { readonly _tag: "OwnModes" | "Lusers" | "Motd" | "Version" | "Time" | "Admin" | "Info" | "Uptime" | "Invitations" }
  /** Whom one watches; with `status`, whether they are here. */
  | { readonly _tag: "Watched"; readonly status?: boolean }
  | { readonly _tag: "Links"; readonly mask: string }
  | { readonly _tag: "OthersModes" | "Taken"; readonly nick: string }
  /** All rooms were told of that TARGETS asks for. */
  | { readonly _tag: "EndOfTargets" }
  /** A question to a server, or to the one that somebody is on. */
  | { readonly _tag: "At"; readonly target: string; readonly question: Question }

const pong = ({ caps, lines, moment, server }: Asking.Asking, [text = ""]: ReadonlyArray<string>): void => {
  const time = Capabilities.has(caps, "server-time") ? `@time=${new Date(moment.at).toISOString()} ` : ""
  const head = `:${server} PONG ${server} :`
  lines.push(`${time}${head}${Message.fitted(head, Message.clean(text))}\r\n`)
}

/** Answers to one question. */
export const answer = (asker: Asking.Asker, question: Question, observed: World.Observed): ReadonlyArray<string> => {
  const asking = Asking.begin(asker, observed)
  tell(asking, question)
  return asking.lines
}

const tell = (asking: Asking.Asking, question: Question): void => {
  const { me, moment, say, server } = asking
  switch (question._tag) {
    case "Welcome":
      return me === undefined ? undefined : OfServer.welcome(asking, me)
    case "Pong":
      return pong(asking, question.params)
    case "Joined":
      return OfRooms.joined(asking, question.room)
    case "Topic":
      return OfRooms.topic(asking, question.room)
    case "Modes":
      return OfRooms.modes(asking, question.room)
    case "Names":
      return OfRooms.names(asking, question.rooms)
    case "Masks":
      return OfRooms.masks(asking, question.room, question.list)
    case "List":
      return OfRooms.list(asking, question.filters)
    case "Invitations":
      return OfRooms.invitations(asking)
    case "Who":
      return OfPeople.who(asking, question.mask, question.operators, question.fields)
    case "Whois":
      return OfPeople.whois(asking, question.nicks)
    case "Whowas":
      return OfPeople.whowas(asking, question.nicks, question.count)
    case "Userhost":
      return OfPeople.userhost(asking, question.nicks)
    case "Ison":
      return OfPeople.ison(asking, question.nicks)
    case "Watched":
      return question.status === true ? OfPeople.watchedNow(asking) : OfPeople.watched(asking)
    case "OwnModes":
      return me === undefined ? undefined : say("221", Modes.own(me))
    case "OthersModes":
      return OfPeople.othersModes(asking, question.nick)
    case "Lusers":
      return OfServer.lusers(asking)
    case "Motd":
      return OfServer.motd(asking)
    case "Version":
      return OfServer.version(asking)
    case "Time":
      return say("391", server, Asking.date(moment.at))
    case "Admin":
      return OfServer.admin(asking)
    case "Info":
      return OfServer.info(asking)
    case "Uptime":
      return OfServer.uptime(asking)
    case "Links":
      return OfServer.links(asking, question.mask)
    case "EndOfTargets":
      return
    case "At":
      return Mask.fits(question.target, server) || World.holder(asking.world, question.target) !== undefined
        ? tell(asking, question.question)
        : say("402", question.target, "No such server")
    case "Taken":
      if (Name.isServers(asking.moment.server, question.nick)) return say("432", question.nick, "Erroneous nickname")
      return World.holder(asking.world, question.nick) === undefined ? undefined : say("433", question.nick, "Nickname is already in use")
  }
}
