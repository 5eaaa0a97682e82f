/** What IRC clients are told of each other: who is called what, comes, goes, is away. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { open, settled } from "../../house.ts"
import { onIrc, scenes } from "../../scene.ts"

describe("NICK", () => {
  scenes("Modern IRC, NICK message", [
    ["is told to whoever shares a room, once", `
      #den: ana bo
      #lair: ana bo
      ana > NICK anna
      ana bo < ana NICK :anna
      cy > PRIVMSG anna :hi
      ana < cy PRIVMSG anna :hi
    `],
    ["in another case is a change, the same is none", `
      #den: ana bo
      ana > NICK Ana
      ana bo < ana NICK :Ana
      ana > NICK Ana
    `],
    ["that is taken, wrong, or not given", `
      ana > NICK BO
      ana < 433 ana BO :Nickname is already in use
      ana > NICK *
      ana < 432 ana * :Erroneous nickname
      ana > NICK 0
      ana < 432 ana 0 :Erroneous nickname
      ana > NICK
      ana < 431 ana :No nickname given
      ana > NICK :
      ana < 431 ana :No nickname given
      bo > PRIVMSG ana :still you?
      ana < bo PRIVMSG ana :still you?
    `],
    ["as long as NICKLEN, and longer", `
      ana > NICK ${"a".repeat(33)}
      ana < 432 ana ${"a".repeat(33)} :Erroneous nickname
      ana > NICK ${"a".repeat(32)}
      ana < ana NICK :${"a".repeat(32)}
    `],
    ["one that was left is free", `
      ana > NICK anna
      ana < ana NICK :anna
      bo > NICK ana
      bo < bo NICK :ana
    `],
    ["that looks like another is refused, for it is not ASCII", `
      ana > NICK еvan
      ana < 432 ana еvan :Erroneous nickname
    `]
  ])
})

describe("QUIT", () => {
  scenes("Modern IRC, QUIT message", [
    ["is told to whoever shares a room, with what it begins with", `
      #den: ana bo
      #lair: ana bo
      ana > QUIT :gone for lunch
      ana < ERROR :Closing link: Quit: gone for lunch
      bo < ana QUIT :Quit: gone for lunch
    `],
    ["even without a reason", `
      #den: ana bo
      ana > QUIT
      ana < ERROR :Closing link: Quit:\\x20
      bo < ana QUIT :Quit:\\x20
    `]
  ])
  it.effect("Modern IRC, QUIT message: a connection that ends is told as such, and its nick is free", () =>
    Effect.gen(function*() {
      const house = yield* open()
      const ana = yield* onIrc(house, "ana")
      const bo = yield* onIrc(house, "bo")
      for (const player of [ana, bo]) {
        player.client.send("JOIN #den\r\n")
        yield* player.fence
      }
      bo.client.end()
      yield* bo.client.closed
      yield* settled
      assert.strictEqual(ana.told().at(-1), "bo QUIT :Connection closed")
      yield* onIrc(house, "bo")
    }))
})

describe("AWAY", () => {
  scenes("Modern IRC, AWAY message", [
    ["and back, which are acknowledged", `
      ana > AWAY :I'm not here right now
      ana < 306 ana :You have been marked as being away
      ana > AWAY :
      ana < 305 ana :You are no longer marked as being away
      ana > AWAY
      ana < 305 ana :You are no longer marked as being away
    `],
    ["is told to who writes, and in WHOIS and USERHOST", `
      bo > AWAY lunch
      bo < 306 bo :You have been marked as being away
      ana > PRIVMSG bo :there?
      bo < ana PRIVMSG bo :there?
      ana < 301 ana bo :lunch
      ana > USERHOST bo ana nobody
      ana < 302 ana :bo=-~bo@memory ana=+~ana@memory
      ana > WHOIS bo
      ana < 311 ana bo ~bo memory * :bo Person
      ana < 312 ana bo effect-chat.local :a chat for people and programs
      ana < 301 ana bo :lunch
      ana < 317 ana bo 0 0 :seconds idle, signon time
      ana < 318 ana bo :End of /WHOIS list
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
      ana > PRIVMSG bo :there?
      bo < ana PRIVMSG bo :there?
    `],
    ["is cut to AWAYLEN", `
      bo > AWAY :${"x".repeat(400)}
      bo < 306 bo :You have been marked as being away
      ana > PRIVMSG bo :there?
      bo < ana PRIVMSG bo :there?
      ana < 301 ana bo :${"x".repeat(390)}
    `]
  ])
  scenes("IRCv3 away-notify", [
    ["who asked for it is told, in shared rooms", `
      ana has away-notify
      #den: ana bo cy
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      ana < bo AWAY :gone fishing
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
      ana < bo AWAY
    `],
    ["once: who says it again is answered, and nobody else is told", `
      ana has away-notify
      #den: ana bo
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      ana < bo AWAY :gone fishing
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      bo > AWAY :gone for longer
      bo < 306 bo :You have been marked as being away
      ana < bo AWAY :gone for longer
      bo > AWAY
      bo < 305 bo :You are no longer marked as being away
      ana < bo AWAY
      bo > AWAY :
      bo < 305 bo :You are no longer marked as being away
    `],
    ["and when somebody who is away comes in", `
      ana has away-notify
      #den: ana cy
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      bo > JOIN #den
      ana cy bo < bo JOIN #den
      ana < bo AWAY :gone fishing
      bo < 353 bo = #den :@ana bo cy
      bo < 366 bo #den :End of /NAMES list
    `],
    ["who comes in away is not told that of themselves", `
      ana has away-notify
      bo has away-notify extended-join
      #den: ana
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      bo > JOIN #den
      ana < bo JOIN #den
      ana < bo AWAY :gone fishing
      bo < bo JOIN #den * :bo Person
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `],
    ["which has no id of its own: that is the JOIN's", `
      ana has away-notify message-tags
      #den: ana
      bo > AWAY :gone fishing
      bo < 306 bo :You have been marked as being away
      bo > JOIN #den
      ana < @msgid=* bo JOIN #den
      ana < bo AWAY :gone fishing
      bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
})

describe("SETNAME", () => {
  scenes("IRCv3 setname", [
    ["is told to oneself and to who asked for it, in shared rooms", `
      ana has setname
      bo has setname
      #den: ana bo cy
      ana > SETNAME :Ana the Second
      ana bo < ana SETNAME :Ana the Second
      cy > WHOIS ana
      cy < 311 cy ana ~ana memory * :Ana the Second
      cy < 319 cy ana :@#den
      cy < 312 cy ana effect-chat.local :a chat for people and programs
      cy < 317 cy ana 0 0 :seconds idle, signon time
      cy < 318 cy ana :End of /WHOIS list
    `],
    ["is silent for who has not asked for it", `
      #den: ana bo
      ana > SETNAME :Ana the Second
      bo > WHO ana
      bo < 352 bo * ~ana memory effect-chat.local ana H :0 Ana the Second
      bo < 315 bo ana :End of WHO list
    `],
    ["empty, too long, or without one", `
      ana has setname
      ana > SETNAME :
      ana < FAIL SETNAME INVALID_REALNAME :a real name cannot be empty
      ana > SETNAME :${"x".repeat(151)}
      ana < FAIL SETNAME INVALID_REALNAME :a real name has at most 150 bytes
      ana > SETNAME
      ana < 461 ana SETNAME :Not enough parameters
    `]
  ])
})

describe("JOIN", () => {
  scenes("IRCv3 extended-join", [
    ["has the account, of which there are none, and the real name", `
      ana has extended-join
      #den: ana cy
      bo > JOIN #den
      ana < bo JOIN #den * :bo Person
      cy bo < bo JOIN #den
      bo < 353 bo = #den :@ana bo cy
      bo < 366 bo #den :End of /NAMES list
    `]
  ])
  scenes("IRCv3 no-implicit-names", [
    ["who asked for it is not told who is there", `
      ana has draft/no-implicit-names
      ana > JOIN #den
      ana < ana JOIN #den
    `]
  ])
})
