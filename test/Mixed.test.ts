/** People on IRC clients, on plain text and on json are in the same rooms: what happens, each in their own words. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, fence, heard, open, person, program, say, understood } from "./house.ts"
import { onIrc, scenes } from "./scene.ts"

const talking = "pia speaks plain\njo speaks json\n#den: ana pia jo\n"

describe("irc, plain and json members of one room", () => {
  scenes("each in their own words", [
    ["what is said, done and noted", `${talking}
      ana > PRIVMSG #den :hello there
      pia < ana: hello there
      jo < {"_tag":"Said","room":"den","nick":"ana","text":"hello there","kind":"message"}
      ana > PRIVMSG #den :\\x01ACTION waves\\x01
      pia < * ana waves
      jo < {"_tag":"Said","room":"den","nick":"ana","text":"waves","kind":"action"}
      ana > NOTICE #den :by the way
      pia < -ana- by the way
      jo < {"_tag":"Said","room":"den","nick":"ana","text":"by the way","kind":"notice"}
      pia > hi
      ana < :pia!plain@memory PRIVMSG #den :hi
      jo < {"_tag":"Said","room":"den","nick":"pia","text":"hi","kind":"message"}
      pia > /me nods
      ana < :pia!plain@memory PRIVMSG #den :\\x01ACTION nods\\x01
      jo < {"_tag":"Said","room":"den","nick":"pia","text":"nods","kind":"action"}
      jo > {"_tag":"Say","target":"#den","text":"dances","kind":"action"}
      ana < :jo!json@memory PRIVMSG #den :\\x01ACTION dances\\x01
      pia < * jo dances
      jo < {"_tag":"Said","room":"den","nick":"jo","text":"dances","kind":"action"}
    `],
    ["who comes, goes and is put out", `${talking}
      bo > JOIN #den
      ana bo < bo JOIN #den
      pia < -!- bo joined #den
      jo < {"_tag":"Joined","room":"den","nick":"bo","realname":"bo Person"}
      bo < 353 bo = #den :@ana bo jo pia
      bo < 366 bo #den :End of /NAMES list
      bo > PART #den :tea
      ana bo < bo PART #den :tea
      pia < -!- bo left #den (tea)
      jo < {"_tag":"Left","room":"den","nick":"bo","reason":"tea"}
      ana > KICK #den jo :too loud
      ana < ana KICK #den jo :too loud
      pia < -!- jo was kicked from #den by ana (too loud)
      jo < {"_tag":"Kicked","room":"den","nick":"jo","by":"ana","reason":"too loud"}
      pia > /part #den
      ana < :pia!plain@memory PART #den
      pia < -!- you left #den
      pia < -!- you are talking in #lobby now
    `],
    ["who is called something else, is away, and quits", `ana has away-notify
${talking}
      pia > /nick pina
      ana < :pia!plain@memory NICK :pina
      pia < -!- you are now pina
      jo < {"_tag":"Renamed","nick":"pia","to":"pina"}
      jo > {"_tag":"SetAway","message":"at sea"}
      ana < :jo!json@memory AWAY :at sea
      jo < {"_tag":"AwaySet","nick":"jo","message":"at sea"}
      ana > PRIVMSG jo :ahoy
      ana < 301 ana jo :at sea
      jo < {"_tag":"Whispered","nick":"ana","to":"jo","text":"ahoy","kind":"message"}
      ana > QUIT :bye
      ana < ERROR :Closing link: Quit: bye
      pia < -!- ana quit (Quit: bye)
      jo < {"_tag":"Quit","nick":"ana","rooms":["den"],"reason":"Quit: bye"}
      jo > {"_tag":"Quit","reason":"done"}
      pia < -!- jo quit (done)
      jo < {"_tag":"Closing","reason":"done"}
    `],
    ["nobody is called as the server is", `${talking}
      ana > NICK Effect-Chat
      ana < 432 ana Effect-Chat :Erroneous nickname
      pia > /nick effect-chat
      pia < -!- that is the server's name
      jo > {"_tag":"SetNick","nick":"EFFECT-CHAT"}
      jo < {"_tag":"Refused","reason":"that is the server's name","command":"SetNick","code":"erroneous","nick":"EFFECT-CHAT"}
    `],
    ["topics and modes", `${talking}
      ana > TOPIC #den :tea at five
      ana < ana TOPIC #den :tea at five
      pia < -!- ana changed the topic of #den to: tea at five
      jo < {"_tag":"TopicSet","room":"den","nick":"ana","topic":"tea at five"}
      ana > MODE #den +om-n pia
      ana < ana MODE #den +om-n pia
      pia < -!- ana made pia an operator of #den
      pia < -!- ana made #den moderated: only operators and those with a voice may talk
      pia < -!- ana made #den a room in which strangers may talk
      jo < {"_tag":"RankSet","room":"den","nick":"pia","by":"ana","rank":"operator","was":"member"}
      jo < {"_tag":"ModeratedSet","room":"den","by":"ana","moderated":true}
      jo < {"_tag":"FlagSet","room":"den","by":"ana","flag":"members-only","on":false}
      pia > /topic cake
      ana < :pia!plain@memory TOPIC #den :cake
      pia < -!- pia changed the topic of #den to: cake
      jo < {"_tag":"TopicSet","room":"den","nick":"pia","topic":"cake"}
    `],
    ["private words", `${talking}
      ana > PRIVMSG pia :psst
      pia < [ana] psst
      pia > /msg ana yes?
      ana < :pia!plain@memory PRIVMSG ana :yes?
      jo > {"_tag":"Whisper","nick":"ana","text":"hey"}
      ana < :jo!json@memory PRIVMSG ana :hey
      jo < {"_tag":"Whispered","nick":"jo","to":"ana","text":"hey","kind":"message"}
    `]
  ])
  scenes("what one does acts on all", [
    ["a plain operator's /ban, /mode, /invite, /kick and /op on irc clients", `
      pia speaks plain
      #den: pia ana
      pia > /mode invite-only on
      ana < :pia!plain@memory MODE #den +i
      pia < -!- pia made #den open to the invited only
      bo > JOIN #den
      bo < 473 bo #den :Cannot join channel (+i)
      pia > /invite bo
      pia < -!- pia invited bo to #den
      bo < :pia!plain@memory INVITE bo #den
      bo > JOIN #den
      ana bo < bo JOIN #den
      pia < -!- bo joined #den
      bo < 353 bo = #den :ana bo @pia
      bo < 366 bo #den :End of /NAMES list
      pia > /kick bo bye
      ana bo < :pia!plain@memory KICK #den bo :bye
      pia < -!- bo was kicked from #den by pia (bye)
      pia > /ban bo
      ana < :pia!plain@memory MODE #den +b bo!*@*
      pia < -!- pia put bo!*@* on the bans of #den
      bo > JOIN #den
      bo < 474 bo #den :Cannot join channel (+b)
      pia > /mute ana
      ana < :pia!plain@memory MODE #den +b m:ana!*@*
      pia < -!- pia put m:ana!*@* on the bans of #den
      ana > PRIVMSG #den :hello
      ana < 404 ana #den :Cannot send to channel (you are muted)
      pia > /op ana
      ana < :pia!plain@memory MODE #den +o ana
      pia < -!- pia made ana an operator of #den
      pia > /key sesame
      ana < :pia!plain@memory MODE #den +k sesame
      pia < -!- pia put a key on #den
    `],
    ["an irc operator's modes on people on plain text and json", `${talking}
      ana > MODE #den +m
      ana < ana MODE #den +m
      pia < -!- ana made #den moderated: only operators and those with a voice may talk
      jo < {"_tag":"ModeratedSet","room":"den","by":"ana","moderated":true}
      pia > hello
      pia < -!- #den is moderated; only those with a voice may talk
      jo > {"_tag":"Say","target":"#den","text":"hello"}
      jo < {"_tag":"Refused","reason":"#den is moderated; only those with a voice may talk","command":"Say","code":"moderated","room":"den"}
      ana > MODE #den +v-m pia
      ana < ana MODE #den +v-m pia
      pia < -!- ana made pia one with a voice of #den
      pia < -!- ana ended the moderation of #den
      jo < {"_tag":"RankSet","room":"den","nick":"pia","by":"ana","rank":"voice","was":"member"}
      jo < {"_tag":"ModeratedSet","room":"den","by":"ana","moderated":false}
      ana > MODE #den +b pia!*@*
      ana < ana MODE #den +b pia!*@*
      pia < -!- ana put pia!*@* on the bans of #den
      jo < {"_tag":"MaskSet","room":"den","by":"ana","list":"ban","mask":"pia!*@*","on":true}
      ana > KICK #den pia
      ana < ana KICK #den pia :ana
      pia < -!- you were kicked from #den by ana
      pia < -!- you are talking nowhere now; /join lobby to talk there
      jo < {"_tag":"Kicked","room":"den","nick":"pia","by":"ana"}
      pia > /join #den
      pia < -!- you are banned from #den
      ana > INVITE jo #den
      ana < 443 ana jo #den :is already on channel
    `]
  ])
})

describe("one order", () => {
  it.effect("members of different dialects hear the same in the same order, whoever says it", () =>
    Effect.gen(function*() {
      const house = yield* open({ echo: true })
      const ana = yield* onIrc(house, "ana", "echo-message")
      ana.client.send("JOIN #den\r\n")
      yield* ana.fence
      const pia = yield* person(house, "pia", "den")
      const jo = yield* program(house, "jo", "den")
      for (let i = 0; i < 40; i++) {
        ana.client.send(`PRIVMSG #den :a${i}\r\n`)
        if (i % 3 === 0) yield* Effect.yieldNow
        pia.send(`p${i}\n`)
        if (i % 5 === 0) ana.client.send(`MODE #den ${i % 2 === 0 ? "+" : "-"}m\r\nMODE #den +v pia\r\nMODE #den +v jo\r\n`)
        if (i % 4 === 0) yield* Effect.yieldNow
        ask(jo, say("den", `j${i}`))
      }
      yield* Effect.all([ana.fence, understood(pia), fence(jo)])
      yield* Effect.all([ana.fence, understood(pia), fence(jo)])
      const onIrcHeard = ana.told().flatMap((line) => / PRIVMSG #den :(\w+)$/.exec(line)?.[1] ?? [])
      const onPlainHeard = pia.text().split("\n").flatMap((line) => /^(?:ana|pia|jo): (\w+)$/.exec(line)?.[1] ?? [])
      const onJsonHeard = heard(jo, "Said").map(({ text }) => text as string)
      assert.isAbove(onJsonHeard.length, 80)
      assert.deepStrictEqual(onIrcHeard, onJsonHeard)
      assert.deepStrictEqual(onPlainHeard, onJsonHeard)
    }))
})
