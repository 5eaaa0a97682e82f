/**
 * Who is here, who holds which nick, what rooms there are: a value, folded from what happened.
 * `decide` holds every rule; `evolve` holds none.
 */
export * from "./World/Decide.ts"
export * from "./World/Evolve.ts"
export * from "./World/Outcome.ts"
export * from "./World/Standing.ts"
export * from "./World/State.ts"
