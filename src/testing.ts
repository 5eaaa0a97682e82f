/**
 * What the tests of an app, of a dialect or of an adapter import: connections without a network, arbitraries, laws, contracts.
 */
export * as Arbitraries from "./Testing/Arbitraries.ts"
export * as Contracts from "./Testing/Contracts.ts"
export * as Laws from "./Testing/Laws.ts"
export * as Memory from "./Testing/Memory.ts"
