/** What IRC clients ask about people: who is where, who was, and who comes and goes. */
import { describe } from "@effect/vitest"
import { scenes } from "../../scene.ts"

const root = { isOperator: (name: string, password: string) => name === "root" && password === "secret" }

describe("WHO", () => {
  scenes("Modern IRC, WHO message", [
    ["352 RPL_WHOREPLY and 315 for everybody in a channel, whatever case it is asked for in", `
      #den: ana bo
      ana > AWAY :back soon
      ana < 306 ana :You have been marked as being away
      bo > WHO #DEN
      bo < 352 bo #den ~ana memory effect-chat.local ana G@ :0 ana Person
      bo < 352 bo #den ~bo memory effect-chat.local bo H :0 bo Person
      bo < 315 bo #DEN :End of WHO list
    `],
    ["the channel is the one that was asked for", `
      #a: ana
      #b: ana
      ana > WHO #b
      ana < 352 ana #b ~ana memory effect-chat.local ana H@ :0 ana Person
      ana < 315 ana #b :End of WHO list
    `],
    ["somebody by nick", `
      #den: ana bo
      bo > WHO ANA
      bo < 352 bo * ~ana memory effect-chat.local ana H :0 ana Person
      bo < 315 bo ANA :End of WHO list
      bo > WHO eve
      bo < 315 bo eve :End of WHO list
      bo > WHO #none
      bo < 315 bo #none :End of WHO list
    `],
    ["those whom a mask fits, with a channel that one shares and the sign in it", `
      #den: ana bo
      bo > WHO an*
      bo < 352 bo #den ~ana memory effect-chat.local ana H@ :0 ana Person
      bo < 315 bo an* :End of WHO list
      cy > WHO *
      cy < 352 cy * ~ana memory effect-chat.local ana H :0 ana Person
      cy < 352 cy * ~bo memory effect-chat.local bo H :0 bo Person
      cy < 352 cy * ~cy memory effect-chat.local cy H :0 cy Person
      cy < 315 cy * :End of WHO list
    `],
    ["who is invisible is found by nick, and by a mask where one shares a channel", `
      ana > MODE ana +i
      ana < ana MODE ana +i
      bo > WHO an*
      bo < 315 bo an* :End of WHO list
      bo > WHO ana
      bo < 352 bo * ~ana memory effect-chat.local ana H :0 ana Person
      bo < 315 bo ana :End of WHO list
      ana > JOIN #den
      ana < ana JOIN #den
      ana < 353 ana = #den :@ana
      ana < 366 ana #den :End of /NAMES list
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
      bo > WHO an*
      bo < 352 bo #den ~ana memory effect-chat.local ana H@ :0 ana Person
      bo < 315 bo an* :End of WHO list
    `],
    ["operators of the server have *; with o only they are told", `
      ana > OPER root secret
      ana < ana MODE ana +o
      ana < 381 ana :You are now an IRC operator
      bo > WHO * o
      bo < 352 bo * ~ana memory effect-chat.local ana H* :0 ana Person
      bo < 315 bo * :End of WHO list
    `, root]
  ])
  scenes("IRCv3 multi-prefix", [
    ["all signs in WHO", `
      ana has multi-prefix
      #den: ana
      ana > MODE #den +v ana
      ana < ana MODE #den +v ana
      ana > WHO #den
      ana < 352 ana #den ~ana memory effect-chat.local ana H@+ :0 ana Person
      ana < 315 ana #den :End of WHO list
    `]
  ])
  scenes("IRCv3 WHOX", [
    ["354 with the fields that were asked for, in their own order", `
      #den: ana bo
      3 minutes pass
      bo > WHO ana %tcuihsnfdlaor,123
      bo < 354 bo 123 * ~ana 255.255.255.255 memory effect-chat.local ana H 0 180 0 n/a :ana Person
      bo < 315 bo ana :End of WHO list
      bo > WHO ana %roaldfnshiuct,123
      bo < 354 bo 123 * ~ana 255.255.255.255 memory effect-chat.local ana H 0 180 0 n/a :ana Person
      bo < 315 bo ana :End of WHO list
      bo > WHO #den %tnf,321
      bo < 354 bo 321 ana H@
      bo < 354 bo 321 bo H
      bo < 315 bo #den :End of WHO list
      bo > WHO ana %na
      bo < 354 bo ana 0
      bo < 315 bo ana :End of WHO list
    `]
  ])
})

describe("WHOIS", () => {
  scenes("Modern IRC, WHOIS message", [
    ["311, 319, 312, 317 and 318", `
      #a: ana bo
      #b: bo ana
      2 minutes pass
      ana > PRIVMSG #a :hi
      bo < ana PRIVMSG #a :hi
      1 minute passes
      bo > WHOIS ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 319 bo ana :@#a #b
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 317 bo ana 60 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
    `],
    ["337 of who speaks something else, for many clients call somebody identified of whom there is a 320", `
      pia speaks plain
      #den: ana pia
      ana > WHOIS pia
      ana < 311 ana pia plain memory * :pia
      ana < 319 ana pia :#lobby #den
      ana < 312 ana pia effect-chat.local :a chat for people and programs
      ana < 337 ana pia :speaks plain
      ana < 317 ana pia 0 0 :seconds idle, signon time
      ana < 318 ana pia :End of /WHOIS list
    `],
    ["301 of who is away; of oneself also 378 RPL_WHOISHOST and 379 RPL_WHOISMODES", `
      ana > AWAY :on a break
      ana < 306 ana :You have been marked as being away
      ana > WHOIS ana
      ana < 311 ana ana ~ana memory * :ana Person
      ana < 378 ana ana :is connecting from ~ana@memory memory
      ana < 379 ana ana :is using modes +
      ana < 312 ana ana effect-chat.local :a chat for people and programs
      ana < 301 ana ana :on a break
      ana < 317 ana ana 0 0 :seconds idle, signon time
      ana < 318 ana ana :End of /WHOIS list
    `],
    ["at this server, by its name or the nick of somebody on it; 402 ERR_NOSUCHSERVER", `
      bo > WHOIS effect-chat.local ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 317 bo ana 0 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
      bo > WHOIS ana ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 317 bo ana 0 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
      bo > WHOIS other.example ana
      bo < 402 bo other.example :No such server
      ana > ISON ana
      ana < 303 ana ana
    `],
    ["401 ERR_NOSUCHNICK, 431 ERR_NONICKNAMEGIVEN", `
      ana > WHOIS eve
      ana < 401 ana eve :No such nick/channel
      ana < 318 ana eve :End of /WHOIS list
      ana > WHOIS
      ana < 431 ana :No nickname given
    `],
    ["313 RPL_WHOISOPERATOR", `
      ana > OPER root secret
      ana < ana MODE ana +o
      ana < 381 ana :You are now an IRC operator
      bo > WHOIS ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 313 bo ana :is an operator of this server
      bo < 317 bo ana 0 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
    `, root]
  ])
  scenes("Modern IRC, invisible user mode", [
    ["of who is invisible one sees the channels one is in oneself", `
      #a: ana bo
      #b: ana
      ana > MODE ana +i
      ana < ana MODE ana +i
      bo > WHOIS ana
      bo < 311 bo ana ~ana memory * :ana Person
      bo < 319 bo ana :@#a
      bo < 312 bo ana effect-chat.local :a chat for people and programs
      bo < 317 bo ana 0 0 :seconds idle, signon time
      bo < 318 bo ana :End of /WHOIS list
      cy > WHOIS ana
      cy < 311 cy ana ~ana memory * :ana Person
      cy < 312 cy ana effect-chat.local :a chat for people and programs
      cy < 317 cy ana 0 0 :seconds idle, signon time
      cy < 318 cy ana :End of /WHOIS list
    `]
  ])
})

describe("WHOWAS", () => {
  scenes("Modern IRC, WHOWAS message", [
    ["314 and 312 of who left or is called something else now, the last first, and 369", `
      ana > NICK anna
      ana < ana NICK :anna
      1 minute passes
      ana > NICK ana
      ana < :anna!~ana@memory NICK :ana
      ana > NICK anna
      ana < ana NICK :anna
      bo > WHOWAS ANA
      bo < 314 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :Thu, 01 Jan 1970 00:01:00 GMT
      bo < 314 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :Thu, 01 Jan 1970 00:00:00 GMT
      bo < 369 bo ANA :End of WHOWAS
      bo > WHOWAS ana 1
      bo < 314 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :Thu, 01 Jan 1970 00:01:00 GMT
      bo < 369 bo ana :End of WHOWAS
      bo > WHOWAS ana,anna -1
      bo < 314 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :Thu, 01 Jan 1970 00:01:00 GMT
      bo < 314 bo anna ~ana memory * :ana Person
      bo < 312 bo anna effect-chat.local :Thu, 01 Jan 1970 00:01:00 GMT
      bo < 314 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :Thu, 01 Jan 1970 00:00:00 GMT
      bo < 369 bo ana,anna :End of WHOWAS
    `],
    ["who has quit", `
      ana > QUIT :bye
      ana < ERROR :Closing link: Quit: bye
      bo > WHOWAS ana
      bo < 314 bo ana ~ana memory * :ana Person
      bo < 312 bo ana effect-chat.local :Thu, 01 Jan 1970 00:00:00 GMT
      bo < 369 bo ana :End of WHOWAS
    `],
    ["406 ERR_WASNOSUCHNICK and 431 ERR_NONICKNAMEGIVEN", `
      ana > WHOWAS eve
      ana < 406 ana eve :There was no such nickname
      ana < 369 ana eve :End of WHOWAS
      ana > WHOWAS
      ana < 431 ana :No nickname given
    `]
  ])
})

/** A nick that is as long as one may be. */
const longest = "x".repeat(32)

describe("USERHOST and ISON", () => {
  scenes("Modern IRC, USERHOST message", [
    ["302 RPL_USERHOST: of those who are here, away or not, operators or not", `
      ana > OPER root secret
      ana < ana MODE ana +o
      ana < 381 ana :You are now an IRC operator
      bo > AWAY :at sea
      bo < 306 bo :You have been marked as being away
      bo > USERHOST ana eve BO
      bo < 302 bo :ana*=+~ana@memory bo=-~bo@memory
      bo > USERHOST eve
      bo < 302 bo :
      bo > USERHOST
      bo < 461 bo USERHOST :Not enough parameters
    `, root]
  ])
  scenes("RFC 2812, 4.9 Ison message", [
    ["303 RPL_ISON: of these, who is here, as they write themselves", `
      #den: bo
      ana > ISON eve BO ana
      ana < 303 ana :bo ana
      ana > ISON :bo eve
      ana < 303 ana bo
      ana > ISON eve
      ana < 303 ana :
      ana > ISON
      ana < 461 ana ISON :Not enough parameters
    `],
    ["nobody by a part of their nick, however many there are", `
      #den: ana ${longest}
      ana > ISON ${Array(15).fill(longest).join(" ")}
      ana < 303 ana :${Array(14).fill(longest).join(" ")}
    `]
  ])
})

describe("several at once", () => {
  scenes("Modern IRC, TARGMAX parameter", [
    ["WHOIS and WHOWAS tell of four, USERHOST of five; what is more is not looked at", `
      #den: ana
      ana > WHOIS n1,n2,n3,n4,n5
      ana < 401 ana n1 :No such nick/channel
      ana < 401 ana n2 :No such nick/channel
      ana < 401 ana n3 :No such nick/channel
      ana < 401 ana n4 :No such nick/channel
      ana < 318 ana n1,n2,n3,n4 :End of /WHOIS list
      ana > WHOWAS n1,n2,n3,n4,n5
      ana < 406 ana n1 :There was no such nickname
      ana < 406 ana n2 :There was no such nickname
      ana < 406 ana n3 :There was no such nickname
      ana < 406 ana n4 :There was no such nickname
      ana < 369 ana n1,n2,n3,n4 :End of WHOWAS
      ana > USERHOST n1 n2 n3 n4 n5 ana
      ana < 302 ana :
    `]
  ])
})

describe("MONITOR", () => {
  scenes("IRCv3 monitor", [
    ["730 RPL_MONONLINE and 731 RPL_MONOFFLINE at once", `
      #den: bo
      ana > MONITOR + bo,eve
      ana < 730 ana bo!~bo@memory
      ana < 731 ana eve
    `],
    ["and when somebody goes or comes, by whatever nick, but for the case of it", `
      #den: bo
      ana > MONITOR + bo,Bea
      ana < 730 ana bo!~bo@memory
      ana < 731 ana Bea
      bo > NICK bea
      bo < bo NICK :bea
      ana < 731 ana bo
      ana < 730 ana bea!~bo@memory
      bo > NICK BEA
      bo < :bea!~bo@memory NICK :BEA
      bo > NICK carol
      bo < :BEA!~bo@memory NICK :carol
      ana < 731 ana BEA
      bo > QUIT :bye
      bo < ERROR :Closing link: Quit: bye
    `],
    ["732 RPL_MONLIST and 733: whom one watches; S says whether they are here", `
      #den: bo
      ana > MONITOR L
      ana < 733 ana :End of MONITOR list
      ana > MONITOR + bo,eve
      ana < 730 ana bo!~bo@memory
      ana < 731 ana eve
      ana > MONITOR L
      ana < 732 ana :bo,eve
      ana < 733 ana :End of MONITOR list
      ana > MONITOR S
      ana < 730 ana :bo!~bo@memory
      ana < 731 ana :eve
      ana > MONITOR - bo
      ana > MONITOR L
      ana < 732 ana :eve
      ana < 733 ana :End of MONITOR list
      ana > MONITOR C
      ana > MONITOR L
      ana < 733 ana :End of MONITOR list
    `],
    ["they are called as they were written, but for those who are here", `
      #den: bo
      ana > MONITOR + BO,FooBar
      ana < 730 ana bo!~bo@memory
      ana < 731 ana FooBar
      ana > MONITOR + FOOBAR
      ana < 731 ana FOOBAR
      ana > MONITOR L
      ana < 732 ana :BO,FooBar
      ana < 733 ana :End of MONITOR list
      ana > MONITOR S
      ana < 730 ana :bo!~bo@memory
      ana < 731 ana :FooBar
      ana > MONITOR - fooBAR
      ana > MONITOR L
      ana < 732 ana :BO
      ana < 733 ana :End of MONITOR list
    `],
    ["who is not watched any more is not told of", `
      #den: bo
      ana > MONITOR + bo
      ana < 730 ana bo!~bo@memory
      ana > MONITOR - BO
      bo > QUIT :bye
      bo < ERROR :Closing link: Quit: bye
    `],
    ["masks are no nicks", `
      ana > MONITOR + *!username@localhost
      ana > MONITOR L
      ana < 733 ana :End of MONITOR list
    `],
    ["734 ERR_MONLISTFULL", `
      ana > MONITOR + ${Array.from({ length: 100 }, (_, i) => `n${i}`).join(",")}
      ${Array.from({ length: 100 }, (_, i) => `ana < 731 ana n${i}`).join("\n")}
      ana > MONITOR + bo,eve
      ana < 734 ana 100 bo,eve :Monitor list is full
    `]
  ])
  scenes("IRCv3 extended-monitor", [
    ["who asked for it and for away-notify or setname is told that of whom it watches", `
      ana has extended-monitor away-notify setname
      #den: bo
      ana > MONITOR + bo
      ana < 730 ana bo!~bo@memory
      bo > AWAY :afk
      bo < 306 bo :You have been marked as being away
      ana < bo AWAY :afk
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
      ana < bo AWAY
      bo > SETNAME :new name
      ana < bo SETNAME :new name
    `],
    ["not without extended-monitor, and not without the other", `
      ana has away-notify setname
      cy has extended-monitor
      ana > MONITOR + bo
      ana < 730 ana bo!~bo@memory
      cy > MONITOR + bo
      cy < 730 cy bo!~bo@memory
      bo > AWAY :afk
      bo < 306 bo :You have been marked as being away
      bo > SETNAME :new name
    `],
    ["who shares a channel is told once, and needs no monitor for it", `
      ana has extended-monitor away-notify
      cy has away-notify
      #den: ana bo cy
      ana > MONITOR + bo
      ana < 730 ana bo!~bo@memory
      bo > AWAY :afk
      bo < 306 bo :You have been marked as being away
      ana cy < bo AWAY :afk
    `]
  ])
})
