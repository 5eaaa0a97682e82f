/**
 * The longer texts of the irc dialect: HELP and INFO. Knows nothing else.
 */

/** The answer to INFO. */
export const info: ReadonlyArray<string> = [
  "effect-chat: a chat server written as one Effect program",
  "People on nc and telnet, programs on json and IRC clients are in the same rooms."
]

const topics: Record<string, ReadonlyArray<string>> = {
  "*": [
    "Commands: ADMIN AWAY CAP CHATHISTORY DIE HELP INFO INVITE ISON JOIN KICK KILL LINKS LIST LUSERS MODE MONITOR MOTD NAMES NICK",
    "NOTICE OPER PART PASS PING PONG PRIVMSG QUIT REHASH SETNAME STATS TAGMSG TIME TOPIC USER USERHOST VERSION WALLOPS WHO WHOIS WHOWAS",
    "HELP JOIN tells more of JOIN, and so on."
  ],
  AWAY: ["AWAY :text says that you are away; AWAY that you are back."],
  CHATHISTORY: ["CHATHISTORY LATEST #room * 50 shows what was said; BEFORE, AFTER, AROUND and BETWEEN take msgid= or timestamp=."],
  INVITE: ["INVITE nick #room lets somebody come in; INVITE lists where you are invited to."],
  JOIN: ["JOIN #room[,#room] [key[,key]] comes into rooms; JOIN 0 leaves all."],
  KICK: ["KICK #room nick[,nick] :reason"],
  LIST: ["LIST [#room[,#room]|mask|>n|<n|C>n|C<n|T>n|T<n]: n is people, or minutes since it was made or its topic was set."],
  MODE: ["MODE #room +beI mask, +k key, +l n, +o nick, +v nick, +Cimnst. MODE nick +Biw."],
  MONITOR: ["MONITOR + nick[,nick] tells you when they come and go; - nick, C, L and S."],
  NAMES: ["NAMES #room[,#room] says who is in."],
  NICK: ["NICK name"],
  OPER: ["OPER name password makes you an operator of the server."],
  PART: ["PART #room[,#room] [:reason]"],
  PRIVMSG: ["PRIVMSG #room|nick|@#room[,...] :text"],
  QUIT: ["QUIT [:reason]"],
  TOPIC: ["TOPIC #room [:text]"],
  WHO: ["WHO #room|nick|mask [%fields[,token]|o]"],
  WHOIS: ["WHOIS nick[,nick]"]
}

/** What HELP tells of a subject; `undefined` when it knows of none of that name. */
export const of = (subject: string): ReadonlyArray<string> | undefined =>
  Object.hasOwn(topics, subject) ? topics[subject] : undefined
