/** Channels as IRC clients see them: coming, going, topics, names, invitations, and what is said there. */
import { describe } from "@effect/vitest"
import { scenes } from "../../scene.ts"

describe("JOIN", () => {
  scenes("Modern IRC, JOIN message", [
    ["the room's members and the newcomer see it; the newcomer is told who is there", `
      #den: ana
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["whoever opens a channel runs it", `
      ana > JOIN #den
      ana < ana JOIN #den
      ana < 353 ana = #den :@ana
      ana < 366 ana #den :End of /NAMES list
    `],
    ["the lobby is nobody's", `
      ana > JOIN #lobby
      ana < ana JOIN #lobby
      ana < 353 ana = #lobby :ana
      ana < 366 ana #lobby :End of /NAMES list
    `],
    ["a topic is told before the names, with who set it and when", `
      #den: ana
      ana > TOPIC #den :tea at five
      ana < ana TOPIC #den :tea at five
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 332 bo #den :tea at five
      bo < 333 bo #den ana!~ana@memory 0
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["each channel has the key at its place, where there is nothing between some commas, too", `
      #a: ana
      #b: ana
      ana > MODE #a +k one
      ana < ana MODE #a +k one
      ana > MODE #b +k two
      ana < ana MODE #b +k two
      bo > JOIN ,#a,,#b no,one,no,two
      bo < bo JOIN #a
      bo < 353 bo = #a :@ana bo
      bo < 366 bo #a :End of /NAMES list
      bo < bo JOIN #b
      bo < 353 bo = #b :@ana bo
      bo < 366 bo #b :End of /NAMES list
      ana < bo JOIN #a
      ana < bo JOIN #b
      bo > JOIN ,,
      bo < 461 bo JOIN :Not enough parameters
    `],
    ["a channel's name may begin with another #, and is another channel's than without", `
      #foo: cy
      ana > JOIN ##foo
      ana < ana JOIN ##foo
      ana < 353 ana = ##foo :@ana
      ana < 366 ana ##foo :End of /NAMES list
      bo > JOIN ##FOO
      ana bo < bo JOIN ##foo
      bo < 353 bo = ##foo :@ana bo
      bo < 366 bo ##foo :End of /NAMES list
      ana > PRIVMSG ##foo :hi
      bo < ana PRIVMSG ##foo :hi
      ana > TOPIC ##foo :tea
      ana bo < ana TOPIC ##foo :tea
      ana > MODE ##foo +mx
      ana < 472 ana x :is unknown mode char to me for ##foo
      ana bo < ana MODE ##foo +m
      ana > INVITE cy ##foo
      ana < 341 ana cy ##foo
      cy < ana INVITE cy ##foo
      ana > CHATHISTORY LATEST ##foo * 1
      ana < ana PRIVMSG ##foo :hi
      ana > KICK ##foo bo :out
      ana bo < ana KICK ##foo bo :out
      bo > KICK ##foo cy
      bo < 442 bo ##foo :You're not on that channel
      ana > PART ##foo
      ana < ana PART ##foo
      ana > PART ##foo
      ana < 403 ana ##foo :No such channel
    `],
    ["a second JOIN of a channel is silent", `
      #den: ana bo
      ana > JOIN #DEN
    `],
    ["several channels, with keys in the same order", `
      #a: ana
      #b: ana
      ana > MODE #a +k x
      ana < ana MODE #a +k x
      ana > MODE #b +k y
      ana < ana MODE #b +k y
      bo > JOIN #a,#b x,y
      ana bo < bo JOIN #a
      bo < 353 bo = #a :@ana bo
      bo < 366 bo #a :End of /NAMES list
      ana bo < bo JOIN #b
      bo < 353 bo = #b :@ana bo
      bo < 366 bo #b :End of /NAMES list
    `],
    ["JOIN 0 leaves all channels", `
      #a: ana bo
      #b: ana
      ana > JOIN 0
      ana < ana PART #a
      ana < ana PART #b
      bo < ana PART #a
    `],
    ["461 ERR_NEEDMOREPARAMS", `
      ana > JOIN
      ana < 461 ana JOIN :Not enough parameters
    `],
    ["403 ERR_NOSUCHCHANNEL for what is no channel's name", `
      ana > JOIN den
      ana < 403 ana den :No such channel
      ana > JOIN #
      ana < 403 ana # :No such channel
      ana > JOIN #a\\x07b
      ana < 403 ana #ab :No such channel
      ana > JOIN #../up
      ana < 403 ana #../up :No such channel
    `],
    ["403 for a name that is longer than CHANNELLEN", `
      ana > JOIN #${"a".repeat(65)}
      ana < 403 ana #${"a".repeat(65)} :No such channel
    `],
    ["475 ERR_BADCHANNELKEY for no key and for a wrong one; the right one opens", `
      #den: ana
      ana > MODE #den +k beer
      ana < ana MODE #den +k beer
      bo > JOIN #den
      bo < 475 bo #den :Cannot join channel (+k)
      bo > JOIN #den bees
      bo < 475 bo #den :Cannot join channel (+k)
      bo > JOIN #den beer
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["474 ERR_BANNEDFROMCHAN, whatever the case; not for those excepted", `
      #den: ana
      ana > MODE #den +b BO!*@*
      ana < ana MODE #den +b BO!*@*
      bo > JOIN #den
      bo < 474 bo #den :Cannot join channel (+b)
      ana > MODE #den +e *!~bo@*
      ana < ana MODE #den +e *!~bo@*
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["471 ERR_CHANNELISFULL, until somebody leaves", `
      #den: ana bo
      ana > MODE #den +l 2
      ana bo < ana MODE #den +l 2
      cy > JOIN #den
      cy < 471 cy #den :Cannot join channel (+l)
      bo > PART #den
      ana bo < bo PART #den
      cy > JOIN #den
      ana cy < cy JOIN #den
      cy < 353 cy = #den :@ana cy
      cy < 366 cy #den :End of /NAMES list
    `],
    ["473 ERR_INVITEONLYCHAN; not for those on the list of invitations", `
      #den: ana
      ana > MODE #den +i
      ana < ana MODE #den +i
      bo > JOIN #den
      bo < 473 bo #den :Cannot join channel (+i)
      ana > MODE #den +I bo!*@*
      ana < ana MODE #den +I bo!*@*
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["of several reasons the first of 475, 474, 471, 473 is told", `
      #den: ana
      ana > MODE #den +iklb sesame 1 bo!*@*
      ana < ana MODE #den +iklb sesame 1 bo!*@*
      bo > JOIN #den
      bo < 475 bo #den :Cannot join channel (+k)
      bo > JOIN #den sesame
      bo < 474 bo #den :Cannot join channel (+b)
      cy > JOIN #den sesame
      cy < 471 cy #den :Cannot join channel (+l)
      ana > MODE #den +l 5
      ana < ana MODE #den +l 5
      cy > JOIN #den sesame
      cy < 473 cy #den :Cannot join channel (+i)
    `],
    ["names that differ in case are one channel, called as it was opened (CASEMAPPING=ascii)", `
      #Den: ana
      bo > JOIN #dEN
      ana bo < bo JOIN #Den
      bo < 353 bo = #Den :@ana bo
      bo < 366 bo #Den :End of /NAMES list
      bo > PRIVMSG #DEN hi
      ana < bo PRIVMSG #Den :hi
    `]
  ])
  scenes("IRCv3 no-implicit-names", [
    ["who asked for it is told of names only when asking", `
      bo has no-implicit-names
      #den: ana
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo > NAMES #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["the name it had as a draft is understood too", `
      bo has draft/no-implicit-names
      #den: ana
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo > NAMES #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
})

describe("PART", () => {
  scenes("Modern IRC, PART message", [
    ["everybody in the channel sees it, with the reason", `
      #den: ana bo
      ana > PART #den
      ana bo < ana PART #den
      bo > PART #den :bye all
      bo < bo PART #den :bye all
    `],
    ["several channels", `
      #a: ana
      #b: ana
      ana > PART #a,#b tea
      ana < ana PART #a :tea
      ana < ana PART #b :tea
    `],
    ["461 ERR_NEEDMOREPARAMS, 403 ERR_NOSUCHCHANNEL, 442 ERR_NOTONCHANNEL", `
      #den: ana
      bo > PART
      bo < 461 bo PART :Not enough parameters
      bo > PART #nest
      bo < 403 bo #nest :No such channel
      bo > PART nest
      bo < 403 bo nest :No such channel
      bo > PART #den
      bo < 442 bo #den :You're not on that channel
    `]
  ])
})

describe("KICK", () => {
  scenes("Modern IRC, KICK message", [
    ["everybody sees it, and who was kicked is out", `
      #den: ana bo cy
      ana > KICK #den bo :out of here
      ana bo cy < ana KICK #den bo :out of here
      bo > PRIVMSG #den hi
      bo < 404 bo #den :Cannot send to channel (+n)
    `],
    ["without a comment it is the kicker's nick", `
      #den: ana bo
      ana > KICK #den bo
      ana bo < ana KICK #den bo :ana
    `],
    ["several people are kicked one by one, of one channel or each of their own", `
      #den: ana bo cy di
      ana > KICK #den bo,cy :bye
      ana bo cy di < ana KICK #den bo :bye
      ana cy di < ana KICK #den cy :bye
      ana > KICK #den,#den di,eve
      ana di < ana KICK #den di :ana
      ana < 401 ana eve :No such nick/channel
    `],
    ["461, 403, 442, 482, 441 and 401, in this order", `
      #den: ana bo
      cy > KICK #den
      cy < 461 cy KICK :Not enough parameters
      cy > KICK #den :
      cy < 461 cy KICK :Not enough parameters
      cy > KICK #den ,
      cy < 461 cy KICK :Not enough parameters
      cy > JOIN ,
      cy < 461 cy JOIN :Not enough parameters
      cy > PART ,,
      cy < 461 cy PART :Not enough parameters
      cy > KICK #nest ana
      cy < 403 cy #nest :No such channel
      cy > KICK #den bo
      cy < 442 cy #den :You're not on that channel
      bo > KICK #den ana
      bo < 482 bo #den :You're not channel operator
      ana > KICK #den cy
      ana < 441 ana cy #den :They aren't on that channel
      ana > KICK #den eve
      ana < 401 ana eve :No such nick/channel
    `],
    ["an operator may kick an operator", `
      #den: ana bo
      ana > MODE #den +o bo
      ana bo < ana MODE #den +o bo
      bo > KICK #den ana
      ana bo < bo KICK #den ana :bo
    `]
  ])
})

describe("TOPIC", () => {
  scenes("Modern IRC, TOPIC message", [
    ["331 RPL_NOTOPIC, 332 RPL_TOPIC and 333 RPL_TOPICWHOTIME", `
      #den: ana bo
      bo > TOPIC #den
      bo < 331 bo #den :No topic is set
      2 minutes pass
      ana > TOPIC #den :new topic
      ana bo < ana TOPIC #den :new topic
      bo > TOPIC #den
      bo < 332 bo #den :new topic
      bo < 333 bo #den ana!~ana@memory 120
    `],
    ["a topic that stays as it is is told to nobody, and is still whose it was", `
      #den: ana bo
      ana > MODE #den -t
      ana bo < ana MODE #den -t
      ana > TOPIC #den :
      ana > TOPIC #den :tea
      ana bo < ana TOPIC #den :tea
      2 minutes pass
      ana > TOPIC #den :tea
      bo > TOPIC #den :tea
      bo > TOPIC #den
      bo < 332 bo #den :tea
      bo < 333 bo #den ana!~ana@memory 0
      bo > TOPIC #den :Tea
      ana bo < bo TOPIC #den :Tea
    `],
    ["an empty topic is none", `
      #den: ana bo
      ana > TOPIC #den :tea
      ana bo < ana TOPIC #den :tea
      ana > TOPIC #den :
      ana bo < ana TOPIC #den :
      bo > TOPIC #den
      bo < 331 bo #den :No topic is set
    `],
    ["461, 403, 442 and 482", `
      #den: ana bo
      cy > TOPIC
      cy < 461 cy TOPIC :Not enough parameters
      cy > TOPIC #nest
      cy < 403 cy #nest :No such channel
      cy > TOPIC #den :mine
      cy < 442 cy #den :You're not on that channel
      bo > TOPIC #den :mine
      bo < 482 bo #den :You're not channel operator
    `],
    ["a voice is not enough for a channel with +t; without it anybody in it may", `
      #den: ana bo
      ana > MODE #den +v bo
      ana bo < ana MODE #den +v bo
      bo > TOPIC #den :mine
      bo < 482 bo #den :You're not channel operator
      ana > MODE #den -t
      ana bo < ana MODE #den -t
      bo > TOPIC #den :mine
      ana bo < bo TOPIC #den :mine
    `],
    ["longer than TOPICLEN it is cut", `
      #den: ana
      ana > TOPIC #den :${"x".repeat(400)}
      ana < ana TOPIC #den :${"x".repeat(390)}
    `]
  ])
})

describe("INVITE", () => {
  scenes("Modern IRC, INVITE message", [
    ["341 RPL_INVITING to the inviter, INVITE to the invited, who may come in then, once", `
      #den: ana
      ana > MODE #den +i
      ana < ana MODE #den +i
      ana > INVITE bo #den
      ana < 341 ana bo #den
      bo < ana INVITE bo #den
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
      bo > PART #den
      ana bo < bo PART #den
      bo > JOIN #den
      bo < 473 bo #den :Cannot join channel (+i)
    `],
    ["an invitation opens a room with a key, and a full one", `
      #den: ana
      ana > MODE #den +kl sesame 1
      ana < ana MODE #den +kl sesame 1
      ana > INVITE bo #den
      ana < 341 ana bo #den
      bo < ana INVITE bo #den
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["anybody in a channel that is not invite-only may invite; the others are not told", `
      #den: ana bo
      bo > INVITE cy #den
      bo < 341 bo cy #den
      cy < bo INVITE cy #den
    `],
    ["who does not run the channel lets nobody past a ban, a key, a limit or a later +i", `
      #den: ana bo
      ana > MODE #den +b cy
      ana bo < ana MODE #den +b cy!*@*
      bo > INVITE cy #den
      bo < 341 bo cy #den
      cy < bo INVITE cy #den
      cy > JOIN #den
      cy < 474 cy #den :Cannot join channel (+b)
      cy > INVITE
      cy < 337 cy :End of /INVITE list
      bo > INVITE di #den
      bo < 341 bo di #den
      di < bo INVITE di #den
      ana > MODE #den +i
      ana bo < ana MODE #den +i
      di > JOIN #den
      di < 473 di #den :Cannot join channel (+i)
      ana > INVITE di #den
      ana < 341 ana di #den
      di < ana INVITE di #den
      di > JOIN #den
      ana bo di < di JOIN #den
      di < 353 di = #den :@ana bo di
      di < 366 di #den :End of /NAMES list
    `],
    ["461, 403, 442, 482, 443 and 401", `
      #den: ana bo
      cy > INVITE ana
      cy < 461 cy INVITE :Not enough parameters
      cy > INVITE ana #nest
      cy < 403 cy #nest :No such channel
      cy > INVITE eve #nest
      cy < 403 cy #nest :No such channel
      cy > INVITE di #den
      cy < 442 cy #den :You're not on that channel
      di > PING
      di < 461 di PING :Not enough parameters
      ana > MODE #den +i
      ana bo < ana MODE #den +i
      bo > INVITE cy #den
      bo < 482 bo #den :You're not channel operator
      ana > INVITE bo #den
      ana < 443 ana bo #den :is already on channel
      ana > INVITE eve #den
      ana < 401 ana eve :No such nick/channel
    `],
    ["301 RPL_AWAY of the invited", `
      #den: ana
      bo > AWAY :at sea
      bo < 306 bo :You have been marked as being away
      ana > INVITE bo #den
      ana < 341 ana bo #den
      ana < 301 ana bo :at sea
      bo < ana INVITE bo #den
    `],
    ["336 RPL_INVITELIST and 337 RPL_ENDOFINVITELIST", `
      #den: ana
      ana > INVITE bo #den
      ana < 341 ana bo #den
      bo < ana INVITE bo #den
      bo > INVITE
      bo < 336 bo #den
      bo < 337 bo :End of /INVITE list
    `]
  ])
  scenes("IRCv3 invite-notify", [
    ["those who run the channel and asked for it see who is invited", `
      bo has invite-notify
      di has invite-notify
      #den: ana bo cy di
      ana > MODE #den +oo bo cy
      ana bo cy di < ana MODE #den +oo bo cy
      ana > INVITE eve #den
      ana < 341 ana eve #den
      bo eve < ana INVITE eve #den
    `]
  ])
})

describe("NAMES", () => {
  scenes("Modern IRC, NAMES message", [
    ["353 RPL_NAMREPLY and 366 RPL_ENDOFNAMES, for members and for others", `
      #den: ana bo
      ana > NAMES #den
      ana < 353 ana = #den :@ana bo
      ana < 366 ana #den :End of /NAMES list
      cy > NAMES #DEN
      cy < 353 cy = #den :@ana bo
      cy < 366 cy #DEN :End of /NAMES list
    `],
    ["each of several channels has an end", `
      #a: ana
      #b: ana
      ana > NAMES #a,#b,#A,#b
      ana < 353 ana = #a :@ana
      ana < 366 ana #a :End of /NAMES list
      ana < 353 ana = #b :@ana
      ana < 366 ana #b :End of /NAMES list
      ana > NAMES #none,#b
      ana < 366 ana #none :End of /NAMES list
      ana < 353 ana = #b :@ana
      ana < 366 ana #b :End of /NAMES list
    `],
    ["what is no channel, or none that there is, has an end and nothing else", `
      ana > NAMES invalid
      ana < 366 ana invalid :End of /NAMES list
      ana > NAMES #none
      ana < 366 ana #none :End of /NAMES list
      ana > NAMES
      ana < 366 ana * :End of /NAMES list
    `],
    ["a secret channel has @, and is not told of to strangers", `
      #den: ana
      ana > MODE #den +s
      ana < ana MODE #den +s
      ana > NAMES #den
      ana < 353 ana @ #den :@ana
      ana < 366 ana #den :End of /NAMES list
      bo > NAMES #den
      bo < 366 bo #den :End of /NAMES list
      bo > NAMES #none,#den,#lobby
      bo < 366 bo #none :End of /NAMES list
      bo < 366 bo #den :End of /NAMES list
      bo < 366 bo #lobby :End of /NAMES list
    `],
    ["more names than go into a line are told in several", `
      #${"d".repeat(64)}: ana
      ${Array.from({ length: 15 }, (_, i) => `${"b".repeat(30)}${String.fromCharCode(97 + i)}`).map((nick) => `#${"d".repeat(64)}: ${nick}`).join("\n")}
      ana > NAMES #${"d".repeat(64)}
      ana < 353 ana = #${"d".repeat(64)} :@ana ${Array.from({ length: 12 }, (_, i) => `${"b".repeat(30)}${String.fromCharCode(97 + i)}`).join(" ")}
      ana < 353 ana = #${"d".repeat(64)} :${Array.from({ length: 3 }, (_, i) => `${"b".repeat(30)}${String.fromCharCode(109 + i)}`).join(" ")}
      ana < 366 ana #${"d".repeat(64)} :End of /NAMES list
    `],
    ["strangers do not see who is invisible", `
      #den: ana bo
      bo > MODE bo +i
      bo < bo MODE bo +i
      ana > NAMES #den
      ana < 353 ana = #den :@ana bo
      ana < 366 ana #den :End of /NAMES list
      cy > NAMES #den
      cy < 353 cy = #den :@ana
      cy < 366 cy #den :End of /NAMES list
    `]
  ])
  scenes("IRCv3 multi-prefix", [
    ["all of one's signs, the highest first; only that for others", `
      ana has multi-prefix
      #den: ana bo
      ana > MODE #den +v ana
      ana bo < ana MODE #den +v ana
      ana > NAMES #den
      ana < 353 ana = #den :@+ana bo
      ana < 366 ana #den :End of /NAMES list
      bo > NAMES #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
  scenes("IRCv3 userhost-in-names", [
    ["names with user and host", `
      bo has userhost-in-names
      #den: ana
      bo > JOIN #den
      ana bo < bo JOIN #den
      bo < 353 bo = #den :@ana!~ana@memory bo!~bo@memory
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
})

describe("LIST", () => {
  scenes("Modern IRC, LIST message", [
    ["321, 322 and 323: each channel that somebody is in, how many there are, and the topic", `
      ana > LIST
      ana < 321 ana Channel :Users  Name
      ana < 323 ana :End of /LIST
    `],
    ["a channel with a topic and one without", `
      #den: ana bo
      #nest: bo
      ana > TOPIC #den :tea at five
      ana bo < ana TOPIC #den :tea at five
      cy > LIST
      cy < 321 cy Channel :Users  Name
      cy < 322 cy #den 2 :tea at five
      cy < 322 cy #nest 1 :
      cy < 323 cy :End of /LIST
    `],
    ["some channels, by name; none for those there are not", `
      #a: ana
      #b: ana
      #c: ana
      bo > LIST #a,#C,#none
      bo < 321 bo Channel :Users  Name
      bo < 322 bo #a 1 :
      bo < 322 bo #c 1 :
      bo < 323 bo :End of /LIST
      bo > LIST #none
      bo < 321 bo Channel :Users  Name
      bo < 323 bo :End of /LIST
    `],
    ["402 ERR_NOSUCHSERVER for a server that is not there", `
      ana > LIST #a elsewhere.example
      ana < 402 ana elsewhere.example :No such server
    `],
    ["a secret channel is for its members", `
      #den: ana
      ana > MODE #den +s
      ana < ana MODE #den +s
      ana > LIST
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #den 1 :
      ana < 323 ana :End of /LIST
      bo > LIST
      bo < 321 bo Channel :Users  Name
      bo < 323 bo :End of /LIST
    `]
  ])
  scenes("Modern IRC, ELIST parameter", [
    ["M and N: masks, and masks that do not fit", `
      #chan1: ana
      #chan2: ana
      ana > LIST *an1
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan1 1 :
      ana < 323 ana :End of /LIST
      ana > LIST !*an1
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan2 1 :
      ana < 323 ana :End of /LIST
      ana > LIST !#ch*
      ana < 321 ana Channel :Users  Name
      ana < 323 ana :End of /LIST
    `],
    ["U: more members than, fewer than", `
      #chan1: ana
      #chan2: ana bo
      ana > LIST >1
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan2 2 :
      ana < 323 ana :End of /LIST
      ana > LIST <2
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan1 1 :
      ana < 323 ana :End of /LIST
      ana > LIST <1
      ana < 321 ana Channel :Users  Name
      ana < 323 ana :End of /LIST
    `],
    ["C and T: opened, or the topic set, more or less than so many minutes ago", `
      #chan1: ana
      ana > TOPIC #chan1 :First
      ana < ana TOPIC #chan1 :First
      3 minutes pass
      ana > JOIN #chan2
      ana < ana JOIN #chan2
      ana < 353 ana = #chan2 :@ana
      ana < 366 ana #chan2 :End of /NAMES list
      ana > TOPIC #chan2 :Second
      ana < ana TOPIC #chan2 :Second
      1 minute passes
      ana > LIST C>2
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan1 1 :First
      ana < 323 ana :End of /LIST
      ana > LIST C<2
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan2 1 :Second
      ana < 323 ana :End of /LIST
      ana > LIST C<0
      ana < 321 ana Channel :Users  Name
      ana < 323 ana :End of /LIST
      ana > LIST T>2
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan1 1 :First
      ana < 323 ana :End of /LIST
      ana > LIST #chan1 T<2
      ana < 321 ana Channel :Users  Name
      ana < 323 ana :End of /LIST
      ana > LIST #chan1,#chan2 C<10,T<2
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan2 1 :Second
      ana < 323 ana :End of /LIST
      ana > LIST T<2,C<10
      ana < 321 ana Channel :Users  Name
      ana < 322 ana #chan2 1 :Second
      ana < 323 ana :End of /LIST
    `]
  ])
})

describe("PRIVMSG and NOTICE", () => {
  scenes("Modern IRC, PRIVMSG message", [
    ["to a channel: everybody else in it", `
      #den: ana bo cy
      ana > PRIVMSG #den :hello there
      bo cy < ana PRIVMSG #den :hello there
    `],
    ["to a person", `
      ana > PRIVMSG bo :hey there!
      bo < ana PRIVMSG bo :hey there!
    `],
    ["to oneself", `
      ana > PRIVMSG ANA :note
      ana < ana PRIVMSG ana :note
    `],
    ["to several", `
      #den: ana bo
      ana > PRIVMSG #den,cy,eve :hi
      ana < 401 ana eve :No such nick/channel
      bo < ana PRIVMSG #den :hi
      cy < ana PRIVMSG cy :hi
    `],
    ["411 ERR_NORECIPIENT, 412 ERR_NOTEXTTOSEND, 407 ERR_TOOMANYTARGETS", `
      ana > PRIVMSG
      ana < 411 ana :No recipient given (PRIVMSG)
      ana > PRIVMSG ana
      ana < 412 ana :No text to send
      ana > PRIVMSG ana :
      ana < 412 ana :No text to send
      ana > PRIVMSG a,b,c,d,e :hi
      ana < 407 ana a :Too many targets, at most 4
    `],
    ["401 ERR_NOSUCHNICK, 403 ERR_NOSUCHCHANNEL, 404 ERR_CANNOTSENDTOCHAN", `
      #den: ana
      bo > PRIVMSG eve :hi
      bo < 401 bo eve :No such nick/channel
      bo > PRIVMSG #none :hi
      bo < 403 bo #none :No such channel
      bo > PRIVMSG #den :hi
      bo < 404 bo #den :Cannot send to channel (+n)
    `],
    ["301 RPL_AWAY of whom one writes to", `
      bo > AWAY :at sea
      bo < 306 bo :You have been marked as being away
      ana > PRIVMSG bo :hi
      ana < 301 ana bo :at sea
      bo < ana PRIVMSG bo :hi
    `]
  ])
  scenes("Modern IRC, NOTICE message", [
    ["is told like any message, and never answered", `
      #den: ana bo
      ana > NOTICE #den :hello there
      bo < ana NOTICE #den :hello there
      ana > NOTICE #none :hi
      ana > NOTICE eve :hi
      ana > NOTICE
      ana > NOTICE bo
      bo > AWAY :at sea
      bo < 306 bo :You have been marked as being away
      ana > NOTICE bo :hi
      bo < ana NOTICE bo :hi
    `]
  ])
  scenes("Modern IRC, STATUSMSG parameter", [
    ["@ is for operators, + for those with a voice too", `
      #den: ana bo cy di
      ana > MODE #den +ov bo cy
      ana bo cy di < ana MODE #den +ov bo cy
      bo > PRIVMSG @#den :for operators
      ana < bo PRIVMSG @#den :for operators
      bo > NOTICE +#den :for voices
      ana cy < bo NOTICE +#den :for voices
    `],
    ["members may, strangers may not", `
      #den: ana bo
      bo > PRIVMSG @#den :help
      ana < bo PRIVMSG @#den :help
      cy > PRIVMSG @#den :help
      cy < 404 cy #den :Cannot send to channel (+n)
    `]
  ])
})

describe("QUIT", () => {
  scenes("Modern IRC, QUIT message", [
    ["whoever shares a channel sees it, once", `
      #a: ana bo
      #b: ana bo
      ana > QUIT :ana out
      ana < ERROR :Closing link: Quit: ana out
      bo < ana QUIT :Quit: ana out
    `]
  ])
})
