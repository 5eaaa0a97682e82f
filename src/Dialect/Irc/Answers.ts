/**
 * What IRC clients ask about the world, answered from the world as it is: numerics and their parameters
 * (https://modern.ircdocs.horse/#numerics). Knows no state of a session but who asks and with what capabilities.
 */
import * as HashMap from "effect/HashMap"
import type { MaskList, Rank } from "../../Command.ts"
import * as Mask from "../../Mask.ts"
import * as Name from "../../Name.ts"
import * as World from "../../World.ts"
import * as Capabilities from "./Capabilities.ts"
import * as Help from "./Help.ts"
import * as Message from "./Message.ts"
import * as Modes from "./Modes.ts"

/** Who asks. */
export interface Asker {
  /** The server's name as a source. */
  readonly server: string
  readonly nick: string
  readonly caps: Capabilities.Set
}

/** What can be asked. `joined` is what one is told of a room one has come into. */
export type Question =
  | { readonly _tag: "Welcome" }
  | { readonly _tag: "Pong"; readonly params: ReadonlyArray<string> }
  | { readonly _tag: "Joined" | "Topic" | "Modes"; readonly room: string }
  | { readonly _tag: "Names"; readonly rooms: ReadonlyArray<string> }
  | { readonly _tag: "Masks"; readonly room: string; readonly list: MaskList }
  | { readonly _tag: "Who"; readonly mask: string; readonly operators: boolean; readonly fields: string | undefined }
  | { readonly _tag: "Whois" | "Userhost" | "Ison" | "Seen"; readonly nicks: ReadonlyArray<string> }
  | { readonly _tag: "Whowas"; readonly nicks: ReadonlyArray<string>; readonly count: number }
  | { readonly _tag: "List"; readonly filters: ReadonlyArray<string> }
  | { readonly _tag: "OwnModes" | "Lusers" | "Motd" | "Version" | "Time" | "Admin" | "Info" | "Uptime" | "Invitations" }
  /** Whom one watches; with `status`, whether they are here. */
  | { readonly _tag: "Watched"; readonly status?: boolean }
  | { readonly _tag: "Links"; readonly mask: string }
  | { readonly _tag: "Taken"; readonly nick: string }

const version = "effect-chat"

/** What a line of words may be long, in characters. */
const maxWords = 400

/** Words in lines that are not too long. */
const wrapped = (words: Iterable<string>, separator = " "): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of words) {
    if (line !== "" && line.length + word.length > maxWords) {
      lines.push(line)
      line = ""
    }
    line += (line === "" ? "" : separator) + word
  }
  if (line !== "") lines.push(line)
  return lines
}

/** What RPL_ISUPPORT tells: every token has a value that holds. */
const support = (network: string): ReadonlyArray<string> => [
  "AWAYLEN=" + World.limits.reason,
  "BOT=B",
  "CASEMAPPING=ascii",
  "CHANLIMIT=#:" + World.limits.rooms,
  "CHANMODES=" + Modes.chanmodes,
  "CHANNELLEN=" + (Name.maxRoom + 1),
  "CHANTYPES=#",
  "CHATHISTORY=" + World.limits.history,
  "ELIST=CMNTU",
  "EXCEPTS=e",
  "EXTBAN=,m",
  "INVEX=I",
  "KEYLEN=" + World.limits.key,
  "KICKLEN=" + World.limits.reason,
  "LINELEN=" + Message.maxLine,
  "MAXLIST=beI:" + World.limits.masks,
  "MODES=" + Modes.maxChanges,
  "MONITOR=" + World.limits.watches,
  "MSGREFTYPES=msgid,timestamp",
  "NAMELEN=" + World.limits.realname,
  "NETWORK=" + network,
  "NICKLEN=" + Name.maxNick,
  "PREFIX=(ov)@+",
  "SAFELIST=1",
  "STATUSMSG=@+",
  "TARGMAX=JOIN:,KICK:,LIST:,NAMES:,NOTICE:4,PART:,PRIVMSG:4,TAGMSG:4,WHOIS:4,WHOWAS:4,USERHOST:,MONITOR:",
  "TOPICLEN=" + World.limits.topic,
  "USERLEN=" + World.limits.user,
  "UTF8ONLY=1",
  "WHOX=1"
]

const supportPerLine = 12

const date = (at: number): string => new Date(at).toUTCString()

/** Answers to one question. */
export const answer = (asker: Asker, question: Question, { moment, world }: World.Observed): ReadonlyArray<string> => {
  const { caps, nick, server } = asker
  const me = World.holder(world, nick)
  const out: Array<string> = []
  const say = (numeric: string, ...params: ReadonlyArray<string>) => {
    out.push(Message.print(server, numeric, nick, ...params))
  }
  const noNick = (who: string) => say("401", who, "No such nick/channel")
  const noChannel = (name: string) => say("403", name, "No such channel")

  const visibleRoom = (name: string): World.Room | undefined => {
    const found = name.startsWith("#") ? World.room(world, Name.withoutHash(name)) : undefined
    return found !== undefined && World.seesRoom(found, me) ? found : undefined
  }

  const isIn = (room: World.Room): boolean => me !== undefined && me.rooms.has(Name.key(room.name))

  /** Whether a stranger may find this person by looking around. */
  const shows = (who: World.Person): boolean =>
    !who.traits.has("invisible") || (me !== undefined && (me.operator || World.meet(who, me)))

  const topic = (room: World.Room, evenNone: boolean) => {
    const name = Name.withHash(room.name)
    if (room.topic !== "") {
      say("332", name, room.topic)
      say("333", name, room.topicBy || server, String(Math.floor(room.topicAt / 1000)))
    } else if (evenNone) say("331", name, "No topic is set")
  }

  const names = (room: World.Room) => {
    const name = Name.withHash(room.name)
    const own = isIn(room)
    const words = World.membersOf(world, room).filter(([who]) => own || shows(who)).map(([who, rank]) =>
      Modes.signs(rank, Capabilities.has(caps, "multi-prefix"))
      + (Capabilities.has(caps, "userhost-in-names") ? Mask.written(who) : who.nick)
    )
    for (const line of wrapped(words)) {
      out.push(`:${server} 353 ${nick} ${room.flags.has("secret") ? "@" : "="} ${name} :${line}\r\n`)
    }
    say("366", name, "End of /NAMES list")
  }

  const motd = () => {
    if (moment.motd.length === 0) return say("422", "There is no message of the day")
    say("375", `- ${server} message of the day -`)
    for (const line of moment.motd) say("372", `- ${line}`)
    say("376", "End of /MOTD command")
  }

  const lusers = () => {
    let invisible = 0
    let operators = 0
    for (const who of HashMap.values(world.persons)) {
      if (who.traits.has("invisible")) invisible++
      if (who.operator) operators++
    }
    const here = HashMap.size(world.persons)
    let rooms = 0
    for (const room of HashMap.values(world.rooms)) if (World.seesRoom(room, me)) rooms++
    say("251", `There are ${here - invisible} users and ${invisible} invisible on 1 servers`)
    if (operators > 0) say("252", String(operators), "operator(s) online")
    const unknown = moment.house.unknown()
    if (unknown > 0) say("253", String(unknown), "unknown connection(s)")
    say("254", String(rooms), "channels formed")
    say("255", `I have ${here} clients and 0 servers`)
    say("265", String(here), String(world.most), `Current local users ${here}, max ${world.most}`)
    say("266", String(here), String(world.most), `Current global users ${here}, max ${world.most}`)
  }

  const ownModes = (who: World.Person): string =>
    "+" + (who.traits.has("bot") ? "B" : "") + (who.traits.has("invisible") ? "i" : "") + (who.operator ? "o" : "")
    + (who.traits.has("wallops") ? "w" : "")

  const isupport = () => {
    const tokens = support(moment.server.replace(/[^!-~]/g, "_") || "chat")
    for (let i = 0; i < tokens.length; i += supportPerLine) {
      say("005", ...tokens.slice(i, i + supportPerLine), "are supported by this server")
    }
  }

  const whoLine = (who: World.Person, room: World.Room | undefined, rank: Rank | undefined, fields: string | undefined) => {
    const flags = (who.away === undefined ? "H" : "G") + (who.operator ? "*" : "") + (who.traits.has("bot") ? "B" : "")
      + (rank === undefined ? "" : Modes.signs(rank, Capabilities.has(caps, "multi-prefix")))
    const name = room === undefined ? "*" : Name.withHash(room.name)
    if (fields === undefined) return say("352", name, who.user, who.address, server, who.nick, flags, `0 ${who.realname}`)
    const [wanted = "", token = ""] = fields.split(",")
    const params: Array<string> = []
    const values: Record<string, string> = {
      t: token === "" ? "0" : token,
      c: name,
      u: who.user,
      i: "255.255.255.255",
      h: who.address,
      s: server,
      n: who.nick,
      f: flags,
      d: "0",
      l: String(Math.floor((moment.at - (moment.house.spokeAt(who.id) ?? who.since)) / 1000)),
      a: "0",
      o: "n/a",
      r: who.realname
    }
    for (const field of "tcuihsnfdlaor") if (wanted.includes(field)) params.push(values[field]!)
    return say("354", ...params)
  }

  const who = (mask: string, operators: boolean, fields: string | undefined) => {
    if (mask.startsWith("#")) {
      const room = visibleRoom(mask)
      if (room !== undefined) {
        const own = isIn(room)
        for (const [person, rank] of World.membersOf(world, room)) {
          if ((own || shows(person)) && (!operators || person.operator)) whoLine(person, room, rank, fields)
        }
      }
    } else {
      const exact = World.holder(world, mask)
      const everybody = mask === "*" || mask === "0"
      const found = exact !== undefined ? [exact] : [...HashMap.values(world.persons)].filter((person) =>
        shows(person) && (everybody || [person.nick, person.user, person.address, person.realname, server].some((text) => Mask.fits(mask, text)))
      )
      for (const person of found) {
        if (operators && !person.operator) continue
        const key = me === undefined ? undefined : [...person.rooms].find((name) => me.rooms.has(name))
        const room = key === undefined ? undefined : World.room(world, key)
        whoLine(person, exact === undefined ? room : undefined, undefined, fields)
      }
    }
    say("315", mask, "End of WHO list")
  }

  const whois = (target: string) => {
    const found = World.holder(world, target)
    if (found === undefined) {
      noNick(target)
      return
    }
    say("311", found.nick, found.user, found.address, "*", found.realname)
    if (me !== undefined && (me.operator || me.id === found.id)) {
      say("378", found.nick, `is connecting from ${found.user}@${found.address} ${found.address}`)
      say("379", found.nick, `is using modes ${ownModes(found)}`)
    }
    const rooms: Array<string> = []
    for (const key of found.rooms) {
      const room = World.room(world, key)
      if (room === undefined || !World.seesRoom(room, me) || !(shows(found) || isIn(room))) continue
      rooms.push(Modes.signs(World.rank(room, found.id) ?? "member", Capabilities.has(caps, "multi-prefix")) + Name.withHash(room.name))
    }
    for (const line of wrapped(rooms)) out.push(`:${server} 319 ${nick} ${found.nick} :${line}\r\n`)
    say("312", found.nick, server, `${moment.server}`)
    if (found.operator) say("313", found.nick, "is an operator of this server")
    if (found.away !== undefined) say("301", found.nick, found.away)
    if (found.traits.has("bot")) say("335", found.nick, "is a bot")
    if (found.dialect !== "irc") say("320", found.nick, `speaks ${found.dialect}`)
    const idle = Math.max(0, Math.floor((moment.at - (moment.house.spokeAt(found.id) ?? found.since)) / 1000))
    say("317", found.nick, String(idle), String(Math.floor(found.since / 1000)), "seconds idle, signon time")
  }

  const whowas = (target: string, count: number) => {
    const found = world.past.filter((past) => Name.key(past.nick) === Name.key(target)).toReversed()
    if (found.length === 0) say("406", target, "There was no such nickname")
    for (const past of found.slice(0, count > 0 ? count : undefined)) {
      say("314", past.nick, past.user, past.address, "*", past.realname)
      say("312", past.nick, server, date(past.at))
    }
    say("369", target, "End of WHOWAS")
  }

  const list = (filters: ReadonlyArray<string>) => {
    const exact = filters.filter((filter) => filter.startsWith("#") && !/[*?]/.test(filter)).map(Name.key)
    const matches = (room: World.Room, filter: string): boolean => {
      const name = Name.withHash(room.name)
      const users = Modes.size(room)
      const number = (at: number) => Number(filter.slice(at))
      const minutes = (since: number) => (moment.at - since) / 60_000
      switch (/^(?:[CT]?[<>]|!)/.exec(filter)?.[0]) {
        case ">":
          return users > number(1)
        case "<":
          return users < number(1)
        case "C>":
          return minutes(room.since) > number(2)
        case "C<":
          return minutes(room.since) < number(2)
        case "T>":
          return room.topicAt !== 0 && minutes(room.topicAt) > number(2)
        case "T<":
          return room.topicAt !== 0 && minutes(room.topicAt) < number(2)
        case "!":
          return !Mask.fits(filter.slice(1), name)
        default:
          return Mask.fits(filter, name)
      }
    }
    say("321", "Channel", "Users  Name")
    for (const room of HashMap.values(world.rooms)) {
      const name = Name.withHash(room.name)
      if (!World.seesRoom(room, me)) continue
      if (Modes.size(room) === 0 && !exact.includes(Name.key(name))) continue
      const others = filters.filter((filter) => !exact.includes(Name.key(filter)))
      const wanted = exact.length > 0 && others.length === 0
        ? exact.includes(Name.key(name))
        : others.every((filter) => matches(room, filter))
      if (wanted) say("322", name, String(Modes.size(room)), room.topic)
    }
    say("323", "End of /LIST")
  }

  const seenNow = (nicks: ReadonlyArray<string>) => {
    const here: Array<string> = []
    const gone: Array<string> = []
    for (const one of nicks) {
      const found = World.holder(world, one)
      if (found === undefined) gone.push(one)
      else here.push(Mask.written(found))
    }
    for (const line of wrapped(here, ",")) out.push(`:${server} 730 ${nick} :${line}\r\n`)
    for (const line of wrapped(gone, ",")) out.push(`:${server} 731 ${nick} :${line}\r\n`)
  }

  switch (question._tag) {
    case "Welcome":
      if (me === undefined) break
      say("001", `Welcome to ${moment.server}, ${Mask.written(me)}`)
      say("002", `Your host is ${server}, running ${version}`)
      say("003", `This server was started ${date(moment.house.since)}`)
      say("004", server, version, "Biow", Modes.letters, Modes.withParameter)
      isupport()
      lusers()
      motd()
      say("221", ownModes(me))
      break
    case "Pong": {
      const time = Capabilities.has(caps, "server-time") ? `@time=${new Date(moment.at).toISOString()} ` : ""
      out.push(`${time}:${server} PONG ${server} :${Message.clean(question.params[0]!)}\r\n`)
      break
    }
    case "Joined": {
      const room = visibleRoom(question.room)
      if (room === undefined || !isIn(room)) break
      topic(room, false)
      if (!Capabilities.has(caps, "draft/no-implicit-names")) names(room)
      break
    }
    case "Topic": {
      const room = visibleRoom(question.room)
      if (room === undefined) noChannel(question.room)
      else topic(room, true)
      break
    }
    case "Modes": {
      const room = visibleRoom(question.room)
      if (room === undefined) noChannel(question.room)
      else {
        say("324", Name.withHash(room.name), ...Modes.of(room, isIn(room)))
        say("329", Name.withHash(room.name), String(Math.floor(room.since / 1000)))
      }
      break
    }
    case "Names":
      for (const name of question.rooms) {
        const room = visibleRoom(name)
        if (room === undefined) say("366", name, "End of /NAMES list")
        else names(room)
      }
      if (question.rooms.length === 0) say("366", "*", "End of /NAMES list")
      break
    case "Masks": {
      const room = visibleRoom(question.room)
      if (room === undefined) {
        noChannel(question.room)
        break
      }
      const [item, end, text] = Modes.listNumerics[question.list]
      for (const { at, by, mask } of room.masks[question.list]) say(item, Name.withHash(room.name), mask, by, String(Math.floor(at / 1000)))
      say(end, Name.withHash(room.name), text)
      break
    }
    case "Who":
      who(question.mask, question.operators, question.fields)
      break
    case "Whois":
      for (const target of question.nicks) whois(target)
      say("318", question.nicks.join(","), "End of /WHOIS list")
      break
    case "Whowas":
      for (const target of question.nicks) whowas(target, question.count)
      break
    case "Userhost":
      say(
        "302",
        question.nicks.map((one) => World.holder(world, one)).filter((one) => one !== undefined).map((one) =>
          `${one.nick}${one.operator ? "*" : ""}=${one.away === undefined ? "+" : "-"}${one.user}@${one.address}`
        ).join(" ")
      )
      break
    case "Ison":
      say("303", question.nicks.map((one) => World.holder(world, one)?.nick).filter((one) => one !== undefined).join(" "))
      break
    case "Seen":
      seenNow(question.nicks)
      break
    case "Watched":
      if (question.status === true) {
        seenNow([...(me?.watches ?? [])])
        break
      }
      for (const line of wrapped(me?.watches ?? [], ",")) out.push(`:${server} 732 ${nick} :${line}\r\n`)
      say("733", "End of MONITOR list")
      break
    case "List":
      list(question.filters)
      break
    case "OwnModes":
      if (me !== undefined) say("221", ownModes(me))
      break
    case "Lusers":
      lusers()
      break
    case "Motd":
      motd()
      break
    case "Version":
      say("351", version, server, "https://ircv3.net")
      isupport()
      break
    case "Time":
      say("391", server, new Date(moment.at).toUTCString())
      break
    case "Admin":
      say("256", server, "Administrative info")
      say("257", moment.server)
      say("258", "run by whoever started it")
      say("259", "ask in #lobby")
      break
    case "Info":
      for (const line of Help.info) say("371", line)
      say("371", `Running since ${date(moment.house.since)}`)
      say("374", "End of /INFO list")
      break
    case "Uptime": {
      const seconds = Math.floor((moment.at - moment.house.since) / 1000)
      const two = (n: number) => String(n).padStart(2, "0")
      const clock = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
      say("242", `Server Up ${Math.floor(seconds / 86_400)} days ${clock}`)
      say("219", "u", "End of /STATS report")
      break
    }
    case "Links":
      if (Mask.fits(question.mask, server)) say("364", server, server, `0 ${moment.server}`)
      say("365", question.mask, "End of /LINKS list")
      break
    case "Invitations":
      for (const room of HashMap.values(world.rooms)) {
        if (me !== undefined && room.invited.has(me.id)) say("336", Name.withHash(room.name))
      }
      say("337", "End of /INVITE list")
      break
    case "Taken":
      if (World.holder(world, question.nick) !== undefined) out.push(Message.print(server, "433", nick, question.nick, "Nickname is already in use"))
      break
  }
  return out
}

/** Word that somebody one watches is here, or is not. */
export const seen = ({ nick, server }: Asker, who: string, here: boolean): ReadonlyArray<string> => [
  Message.print(server, here ? "730" : "731", nick, who)
]
