/**
 * The longer texts of the irc dialect: HELP and INFO. Knows nothing else.
 */

/** The answer to INFO. */
export const info: ReadonlyArray<string> = [
  "effect-chat: a chat server written as one Effect program",
  "People on nc and telnet, programs on json and IRC clients are in the same rooms."
]

const topics: Record<string, ReadonlyArray<string>> = {
  ADMIN: ["ADMIN [server]: who runs the server."],
  AWAY: ["AWAY :text says that you are away; AWAY that you are back."],
  CAP: ["CAP LS [302], LIST, REQ :name[ name] and END agree on what your client understands."],
  CHATHISTORY: ["CHATHISTORY LATEST #room * 50 shows what was said;", "BEFORE, AFTER, AROUND and BETWEEN take msgid= or timestamp=."],
  DIE: ["DIE stops the server. For its operators."],
  ERROR: ["ERROR is for the server to say."],
  HELP: ["HELP [command]: what a command does."],
  HELPOP: ["HELPOP [command] is HELP."],
  INFO: ["INFO [server]: what the server is."],
  INVITE: ["INVITE nick #room asks somebody in, and lets them in if you are an operator there; INVITE lists where you are let in."],
  ISON: ["ISON nick[ nick]: which of them are here."],
  JOIN: ["JOIN #room[,#room] [key[,key]] comes into rooms; JOIN 0 leaves all."],
  KICK: ["KICK #room nick[,nick] [:reason] has somebody leave a room that you run."],
  KILL: ["KILL nick [:reason] ends somebody's session. For operators of the server."],
  LINKS: ["LINKS [mask]: the servers there are. There is one."],
  LIST: ["LIST [#room[,#room]|mask|>n|<n|C>n|C<n|T>n|T<n] lists rooms;", "n is people, or minutes since it was made or its topic was set."],
  LUSERS: ["LUSERS: how many are here."],
  MODE: ["MODE #room +beI mask, +k key, +l n, +o nick, +v nick, +Cimnst changes a room that you run;", "MODE nick +BTiw yourself."],
  MONITOR: ["MONITOR + nick[,nick] tells you when they come and go; - no more;", "C clears, L lists and S says who of them is here."],
  MOTD: ["MOTD [server]: the message of the day."],
  NAMES: ["NAMES #room[,#room]: who is in."],
  NICK: ["NICK name: what you are called."],
  NOTICE: ["NOTICE #room|nick[,...] :text says something that wants no answer."],
  OPER: ["OPER name password makes you an operator of the server."],
  PART: ["PART #room[,#room] [:reason] leaves rooms."],
  PASS: ["PASS password, before NICK and USER, where the server wants one."],
  PING: ["PING text is answered with PONG and the same text."],
  PONG: ["PONG text answers PING."],
  PRIVMSG: ["PRIVMSG #room|nick|@#room[,...] :text says something to rooms and people;", "@#room is for those who run it, +#room for those with a voice too."],
  QUIT: ["QUIT [:reason] leaves for good."],
  REHASH: ["REHASH has the server read its settings again. For its operators."],
  SETNAME: ["SETNAME :name changes your real name."],
  STATS: ["STATS u: how long the server has been up."],
  TAGMSG: ["TAGMSG #room|nick, with tags before it, tells tags and nothing else."],
  TIME: ["TIME [server]: what time it is."],
  TOPIC: ["TOPIC #room [:text] shows or sets what a room is about."],
  USER: ["USER name 0 * :real name, once, on coming in."],
  USERHOST: ["USERHOST nick[ nick]: where they are, and whether they are away."],
  VERSION: ["VERSION [server]: what the server runs, and what it supports."],
  WALLOPS: ["WALLOPS :text tells everybody with mode +w. For operators of the server."],
  WHO: ["WHO #room|nick|mask [%fields[,token]|o] lists people."],
  WHOIS: ["WHOIS nick[,nick]: who that is."],
  WHOWAS: ["WHOWAS nick[,nick] [count]: who that was."]
}

/** Names in lines of at most so many. */
const columns = (names: ReadonlyArray<string>, most: number): ReadonlyArray<string> =>
  names.length === 0 ? [] : [names.slice(0, most).join(" "), ...columns(names.slice(most), most)]

/**
 * What HELP tells of a command, or with `*` of them all: a title, an empty line and the text, as
 * https://modern.ircdocs.horse/#help-message has it. `undefined` when there is no such command.
 */
export const of = (subject: string): ReadonlyArray<string> | undefined =>
  subject === "*"
    ? ["What you can say", "", ...columns(Object.keys(topics), 12), "HELP JOIN tells more of JOIN, and so on."]
    : Object.hasOwn(topics, subject)
    ? [`The ${subject} command`, "", ...topics[subject]!]
    : undefined
