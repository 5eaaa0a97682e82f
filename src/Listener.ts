/**
 * A bound address and the connections that come to it, as a port.
 * Knows nothing of what they are for. Its adapters are in `Listener/`.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Connection } from "./Connection.ts"

/** Why nothing could be bound; `message` is one line for a person. */
export class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string; readonly cause?: unknown }> {}

/** Where connections come from. */
export class Listener extends Context.Service<Listener, {
  /** Where it is bound, as a person would write it: `127.0.0.1:8000`. With port 0 asked for, the real one. */
  readonly address: string
  /** The port of the address. */
  readonly port: number
  /**
   * Accepted connections. Whoever takes one owns it and destroys it. Ends never; stops accepting when its scope closes,
   * and then destroys what was accepted and not taken.
   */
  readonly connections: Stream.Stream<Connection>
  /** Once nobody takes connections any more: those that came and were not taken. */
  readonly untaken?: Effect.Effect<ReadonlyArray<Connection>>
}>()("effect-chat/Listener") {}
