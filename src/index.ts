/**
 * What an app that embeds the chat imports: the parts to build a server from, and the Schemas of what is said.
 * Adapters are imported by their own names (`effect-chat/Listener/Tcp`).
 */
export * as Admission from "./Admission.ts"
export { ChatServer, type Options as ServerOptions } from "./ChatServer.ts"
export { Command, Wish } from "./Command.ts"
export * as Connection from "./Connection.ts"
export * as Dialect from "./Dialect.ts"
export { auto } from "./Dialect/Auto.ts"
export { irc } from "./Dialect/Irc.ts"
export { json } from "./Dialect/Json.ts"
export { plain } from "./Dialect/Plain.ts"
export { raw } from "./Dialect/Raw.ts"
export * as Turns from "./Dialect/Turns.ts"
export { Entry, Event, Message } from "./Event.ts"
export { Hub, type Options as HubOptions } from "./Hub.ts"
export { ListenError, Listener } from "./Listener.ts"
export { Log, LogError } from "./Log.ts"
export * as Measure from "./Measure.ts"
export * as Name from "./Name.ts"
export * as Rate from "./Rate.ts"
export * as Seat from "./Seat.ts"
export * as World from "./World.ts"
