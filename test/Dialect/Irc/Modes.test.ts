/** Modes of channels and of people, as IRC clients set, see and feel them. */
import { describe } from "@effect/vitest"
import { scenes } from "../../scene.ts"

const root = { isOperator: (name: string, password: string) => name === "root" && password === "secret" }

describe("MODE of a channel", () => {
  scenes("Modern IRC, RPL_CHANNELMODEIS and RPL_CREATIONTIME", [
    ["324 and 329; a plain + when there are none", `
      #den: ana
      ana > MODE #den
      ana < 324 ana #den +nt
      ana < 329 ana #den 0
      ana > MODE #den -nt
      ana < ana MODE #den -nt
      ana > MODE #DEN
      ana < 324 ana #den +
      ana < 329 ana #den 0
    `],
    ["the lobby was always there: no 329", `
      #lobby: ana
      ana > MODE #Lobby
      ana < 324 ana #lobby +nt
    `],
    ["flags first, then those with parameters; the key is for members", `
      #den: ana
      ana > MODE #den +Cimslk 5 sesame
      ana < ana MODE #den +Cimslk 5 sesame
      ana > MODE #den -s
      ana < ana MODE #den -s
      ana > MODE #den
      ana < 324 ana #den +Cimntkl sesame 5
      ana < 329 ana #den 0
      bo > MODE #den
      bo < 324 bo #den +Cimntkl * 5
      bo < 329 bo #den 0
    `],
    ["403 ERR_NOSUCHCHANNEL, also for a secret one; 461 ERR_NEEDMOREPARAMS", `
      #den: ana
      ana > MODE #den +s
      ana < ana MODE #den +s
      bo > MODE #den
      bo < 403 bo #den :No such channel
      bo > MODE #nest
      bo < 403 bo #nest :No such channel
      bo > MODE
      bo < 461 bo MODE :Not enough parameters
    `]
  ])
  scenes("Modern IRC, MODE message", [
    ["several changes are one line to everybody, whomever they concern", `
      #den: ana bo cy di
      ana > MODE #den +vom-t+i bo cy
      ana bo cy di < ana MODE #den +vom-t+i bo cy
    `],
    ["what is so already is not told", `
      #den: ana bo
      ana > MODE #den +tn
      ana > MODE #den +tm
      ana bo < ana MODE #den +m
      ana > MODE #den +m-m
      ana bo < ana MODE #den -m
    `],
    ["482 ERR_CHANOPRIVSNEEDED once, whatever is asked for, in the channel or not; 403 likewise", `
      #den: ana bo
      bo > MODE #den +mob-t bo *!*@*
      bo < 482 bo #den :You're not channel operator
      bo > MODE #den +xk
      bo < 482 bo #den :You're not channel operator
      cy > MODE #den +oo cy ana
      cy < 482 cy #den :You're not channel operator
      ana > MODE #nest +oo ana bo
      ana < 403 ana #nest :No such channel
    `],
    ["472 ERR_UNKNOWNMODE, before what is granted", `
      #den: ana bo
      ana > MODE #den +mXi
      ana < 472 ana X :is unknown mode char to me for #den
      ana bo < ana MODE #den +mi
    `],
    ["what does not go into one line is told in several, and nothing is cut", `
      #den: ana bo
      ana > MODE #den +${"b".repeat(8)} ${[..."stuvwxyz"].map((letter) => letter.repeat(58)).join(" ")}
      ana bo < ana MODE #den +${"b".repeat(7)} ${[..."stuvwxy"].map((letter) => `${letter.repeat(58)}!*@*`).join(" ")}
      ana bo < ana MODE #den +b ${"z".repeat(58)}!*@*
    `],
    ["more changes with a parameter than MODES are not looked at", `
      #den: ana
      ana > MODE #den +${"b".repeat(14)} ${Array.from({ length: 14 }, (_, i) => `n${i}`).join(" ")}
      ana < ana MODE #den +${"b".repeat(12)} ${Array.from({ length: 12 }, (_, i) => `n${i}!*@*`).join(" ")}
    `]
  ])
})

describe("channel operators", () => {
  scenes("Modern IRC, channel operators", [
    ["are made by operators, and unmade", `
      #den: ana bo
      ana > MODE #den +o bo
      ana bo < ana MODE #den +o bo
      bo > MODE #den -o ana
      ana bo < bo MODE #den -o ana
      ana > MODE #den +m
      ana < 482 ana #den :You're not channel operator
    `],
    ["441 ERR_USERNOTINCHANNEL and 401 ERR_NOSUCHNICK", `
      #den: ana
      ana > MODE #den +o bo
      ana < 441 ana bo #den :They aren't on that channel
      ana > MODE #den +ov eve eve
      ana < 401 ana eve :No such nick/channel
      ana < 401 ana eve :No such nick/channel
      bo > PING
      bo < 461 bo PING :Not enough parameters
    `],
    ["696 ERR_INVALIDMODEPARAM when nobody is named", `
      #den: ana
      ana > MODE #den +o
      ana < 696 ana #den o * :You must specify a parameter for the mode o
    `]
  ])
})

describe("voice and moderation", () => {
  scenes("Modern IRC, moderated channel mode", [
    ["404 ERR_CANNOTSENDTOCHAN for those without a voice", `
      #den: ana bo
      ana > MODE #den +m
      ana bo < ana MODE #den +m
      bo > PRIVMSG #den :hi
      bo < 404 bo #den :Cannot send to channel (+m)
      ana > MODE #den +v bo
      ana bo < ana MODE #den +v bo
      bo > PRIVMSG #den :hi
      ana < bo PRIVMSG #den :hi
    `]
  ])
})

describe("bans", () => {
  scenes("Modern IRC, ban channel mode", [
    ["who is banned cannot come in; letters of either case are the same, to take it back too", `
      #den: ana
      ana > MODE #den +b BO!*@*
      ana < ana MODE #den +b BO!*@*
      bo > JOIN #den
      bo < 474 bo #den :Cannot join channel (+b)
      ana > MODE #den -b bo!*@*
      ana < ana MODE #den -b bo!*@*
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["who is banned while in it cannot talk, unless excepted or with a voice", `
      #den: ana bo
      ana > MODE #den +b bo
      ana bo < ana MODE #den +b bo!*@*
      bo > PRIVMSG #den :hi
      bo < 404 bo #den :Cannot send to channel (+b)
      ana > MODE #den +e *!~bo@*
      ana bo < ana MODE #den +e *!~bo@*
      bo > PRIVMSG #den :hi
      ana < bo PRIVMSG #den :hi
    `],
    ["367 RPL_BANLIST and 368, for members and others, with and without a sign", `
      #den: ana
      2 minutes pass
      ana > MODE #den +b *!*@spam.example
      ana < ana MODE #den +b *!*@spam.example
      ana > MODE #den b
      ana < 367 ana #den *!*@spam.example ana 120
      ana < 368 ana #den :End of channel ban list
      bo > MODE #den +b
      bo < 367 bo #den *!*@spam.example ana 120
      bo < 368 bo #den :End of channel ban list
    `],
    ["a list between changes", `
      #den: ana
      ana > MODE #den +ibm
      ana < ana MODE #den +i
      ana < 368 ana #den :End of channel ban list
      ana < ana MODE #den +m
    `],
    ["696 for what is no mask", `
      #den: ana
      ana > MODE #den +b ${"x".repeat(170)}
      ana < 696 ana #den b ${"x".repeat(170)} :A mask is like nick!user@host
    `]
  ])
  scenes("Modern IRC, ban exception and invite exception channel modes", [
    ["348 and 349, 346 and 347", `
      #den: ana
      ana > MODE #den +eI ana bo
      ana < ana MODE #den +eI ana!*@* bo!*@*
      ana > MODE #den e
      ana < 348 ana #den ana!*@* ana 0
      ana < 349 ana #den :End of channel exception list
      ana > MODE #den I
      ana < 346 ana #den bo!*@* ana 0
      ana < 347 ana #den :End of channel invite list
      ana > MODE #den -I bo
      ana < ana MODE #den -I bo!*@*
    `]
  ])
  scenes("ISUPPORT EXTBAN, m", [
    ["who is muted may come in and not talk, unless excepted from that, or with a voice", `
      #den: ana
      ana > MODE #den +b m:BO!*@*
      ana < ana MODE #den +b m:BO!*@*
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
      bo > MODE #den +b
      bo < 367 bo #den m:BO!*@* ana 0
      bo < 368 bo #den :End of channel ban list
      bo > PRIVMSG #den :hi
      bo < 404 bo #den :Cannot send to channel (you are muted)
      ana > MODE #den +e m:*!~bo@*
      ana bo < ana MODE #den +e m:*!~bo@*
      bo > PRIVMSG #den :hi
      ana < bo PRIVMSG #den :hi
      ana > MODE #den -e m:*!~bo@*
      ana bo < ana MODE #den -e m:*!~bo@*
      bo > PRIVMSG #den :hi
      bo < 404 bo #den :Cannot send to channel (you are muted)
      ana > MODE #den +v bo
      ana bo < ana MODE #den +v bo
      bo > PRIVMSG #den :hi
      ana < bo PRIVMSG #den :hi
      ana > MODE #den -vb bo m:bo!*@*
      ana bo < ana MODE #den -vb bo m:bo!*@*
      bo > PRIVMSG #den :hi
      ana < bo PRIVMSG #den :hi
    `],
    ["an exception from mutes lets nobody in who is banned", `
      #den: ana
      ana > MODE #den +be bo m:bo
      ana < ana MODE #den +be bo!*@* m:bo!*@*
      bo > JOIN #den
      bo < 474 bo #den :Cannot join channel (+b)
    `]
  ])
})

describe("key and limit", () => {
  scenes("Modern IRC, key channel mode", [
    ["is set, changed and taken back, with or without the key", `
      #den: ana
      ana > MODE #den +k beer
      ana < ana MODE #den +k beer
      ana > MODE #den +k wine
      ana < ana MODE #den +k wine
      ana > MODE #den -k
      ana < ana MODE #den -k *
      ana > MODE #den +k beer
      ana < ana MODE #den +k beer
      ana > MODE #den -k whatever
      ana < ana MODE #den -k *
    `],
    ["696 for none, for spaces, for one too long", `
      #den: ana
      ana > MODE #den +k
      ana < 696 ana #den k * :You must specify a parameter for the mode k
      ana > MODE #den +k :
      ana < 696 ana #den k * :You must specify a parameter for the mode k
      ana > MODE #den +k :pass phrase
      ana < 696 ana #den k * :A key is one word without commas, and not too long
      ana > MODE #den +k ${"long".repeat(100)}
      ana < 696 ana #den k * :A key is one word without commas, and not too long
    `]
  ])
  scenes("Modern IRC, client limit channel mode", [
    ["is set, changed and taken back", `
      #den: ana
      ana > MODE #den +l 2
      ana < ana MODE #den +l 2
      ana > MODE #den +l 3
      ana < ana MODE #den +l 3
      ana > MODE #den -l
      ana < ana MODE #den -l
    `],
    ["nobody is put out by it, and they still talk", `
      #den: ana bo
      ana > MODE #den +l 1
      ana bo < ana MODE #den +l 1
      bo > PRIVMSG #den :still here
      ana < bo PRIVMSG #den :still here
      cy > JOIN #den
      cy < 471 cy #den :Cannot join channel (+l)
    `],
    ["696 for what is no number from 1 on", `
      #den: ana
      ana > MODE #den +l 0
      ana < 696 ana #den l 0 :A limit is a whole number from 1 on
      ana > MODE #den +l -1
      ana < 696 ana #den l -1 :A limit is a whole number from 1 on
      ana > MODE #den +l abc
      ana < 696 ana #den l abc :A limit is a whole number from 1 on
      ana > MODE #den +l :
      ana < 696 ana #den l * :You must specify a parameter for the mode l
    `]
  ])
})

describe("other flags", () => {
  scenes("Modern IRC, no external messages mode", [
    ["strangers may talk without it", `
      #den: ana
      bo > PRIVMSG #den :hi
      bo < 404 bo #den :Cannot send to channel (+n)
      ana > MODE #den -n
      ana < ana MODE #den -n
      bo > PRIVMSG #den :hi
      ana < bo PRIVMSG #den :hi
      bo > NOTICE #den :hi
      ana < bo NOTICE #den :hi
    `]
  ])
  scenes("no CTCP, +C", [
    ["requests to clients are refused, what people do is not", `
      #den: ana bo
      ana > MODE #den +C
      ana bo < ana MODE #den +C
      ana > PRIVMSG #den :\\x01ACTION hi\\x01
      bo < ana PRIVMSG #den :\\x01ACTION hi\\x01
      ana > PRIVMSG #den :\\x01PING 1473523796 918320\\x01
      ana < 404 ana #den :Cannot send CTCP to channel (+C)
    `]
  ])
  scenes("Modern IRC, secret channel mode", [
    ["strangers do not see it in LIST, WHO, NAMES, TOPIC and WHOIS", `
      #den: ana
      ana > MODE #den +s
      ana < ana MODE #den +s
      bo > TOPIC #den
      bo < 403 bo #den :No such channel
      bo > WHO #den
      bo < 315 bo #den :End of WHO list
      bo > WHOIS ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 317 bo ana 0 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
      bo > PRIVMSG #den :hi
      bo < 403 bo #den :No such channel
    `]
  ])
})

describe("MODE of a person", () => {
  scenes("Modern IRC, MODE message, user mode", [
    ["221 RPL_UMODEIS; several changes are one line; only those that change anything", `
      ana > MODE ana
      ana < 221 ana +
      ana > MODE ANA +iwB
      ana < ana MODE ana +iwB
      ana > MODE ana
      ana < 221 ana +Biw
      ana > MODE ana -w+i
      ana < ana MODE ana -w
      ana > MODE ana
      ana < 221 ana +Bi
    `],
    ["of the nick that was asked for right before, whether it is granted or not", `
      bo > MODE bo
      bo < 221 bo +
      ana > NICK bee\\x0d\\x0aMODE bee +i
      ana < ana NICK :bee
      ana < :bee!~ana@memory MODE bee +i
      ana > NICK bo\\x0d\\x0aMODE bee
      ana < 433 bee bo :Nickname is already in use
      ana < 221 bee +i
      ana > MODE bo
      ana < 502 bee :Can't change mode for other users
    `],
    ["501 ERR_UMODEUNKNOWNFLAG, 502 ERR_USERSDONTMATCH, 401 ERR_NOSUCHNICK", `
      ana > MODE ana +iX
      ana < ana MODE ana +i
      ana < 501 ana :Unknown MODE flag
      ana > MODE bo
      ana < 502 ana :Can't change mode for other users
      ana > MODE bo +i
      ana < 502 ana :Can't change mode for other users
      ana > MODE eve +i
      ana < 401 ana eve :No such nick/channel
      bo > MODE bo
      bo < 221 bo +
    `],
    ["nobody makes themselves an operator, but an operator may cease to be one", `
      ana > MODE ana +o
      ana > OPER root secret
      ana < ana MODE ana +o
      ana < 381 ana :You are now an IRC operator
      ana > MODE ana
      ana < 221 ana +o
      ana > MODE ana -o
      ana < ana MODE ana -o
    `, root]
  ])
  scenes("Modern IRC, WALLOPS message and wallops user mode", [
    ["is heard by those who want to", `
      ana > WALLOPS :hi everyone
      ana < 481 ana :Permission Denied- You're not an IRC operator
      bo > MODE bo +w
      bo < bo MODE bo +w
      ana > OPER root secret
      ana < ana MODE ana +o
      ana < 381 ana :You are now an IRC operator
      ana > WALLOPS :hi everyone
      ana bo < ana WALLOPS :hi everyone
      cy > MODE cy
      cy < 221 cy +
    `, root]
  ])
  scenes("no CTCP, +T", [
    ["531: requests of others to one's client are refused, what people do is not, nor what one asks oneself", `
      bo > MODE bo +T
      bo < bo MODE bo +T
      bo > MODE bo
      bo < 221 bo +T
      ana > PRIVMSG bo :\\x01VERSION\\x01
      ana < 531 ana bo :Cannot send CTCP to them (+T)
      ana > NOTICE bo :\\x01VERSION 1\\x01
      ana > PRIVMSG bo :\\x01ACTION hi\\x01
      bo < ana PRIVMSG bo :\\x01ACTION hi\\x01
      ana > PRIVMSG bo :which client is it?
      bo < ana PRIVMSG bo :which client is it?
      bo > PRIVMSG ana :\\x01VERSION\\x01
      ana < bo PRIVMSG ana :\\x01VERSION\\x01
      bo > PRIVMSG bo :\\x01PING 1\\x01
      bo < bo PRIVMSG bo :\\x01PING 1\\x01
      bo > MODE bo -T
      bo < bo MODE bo -T
      ana > PRIVMSG bo :\\x01VERSION\\x01
      bo < ana PRIVMSG bo :\\x01VERSION\\x01
    `]
  ])
  scenes("IRCv3 bot mode", [
    ["is shown in WHO and WHOIS", `
      #den: ana
      ana > MODE ana +B
      ana < ana MODE ana +B
      bo > WHO #den
      bo < 352 bo #den ~ana memory effect-chat.local ana H@B :0 ana Person
      bo < 315 bo #den :End of WHO list
      bo > WHO ana
      bo < 352 bo * ~ana memory effect-chat.local ana HB :0 ana Person
      bo < 315 bo ana :End of WHO list
      bo > WHOIS ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 319 bo ana :@#den
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 335 bo ana :is a bot
      bo < 317 bo ana 0 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
    `]
  ])
})
