/**
 * A case of a contract, for any test runner to run, and what it checks by. Knows no port.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"

/** An adapter does not do what its port promises. */
export class ContractBroken extends Data.TaggedError("ContractBroken")<{ readonly message: string }> {}

/** One promise of a port, put to an adapter. */
export interface Case<R> {
  readonly name: string
  readonly run: Effect.Effect<void, ContractBroken, R>
}

export const expect = (what: string, holds: boolean): Effect.Effect<void, ContractBroken> =>
  holds ? Effect.void : Effect.fail(new ContractBroken({ message: what }))

/** By what is in them: in which order an object has its fields says nothing. */
export const equal = (what: string, actual: unknown, expected: unknown): Effect.Effect<void, ContractBroken> =>
  expect(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`, Equal.equals(actual, expected))
