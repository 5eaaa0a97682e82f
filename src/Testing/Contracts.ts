/**
 * What holds for every adapter of a port, as cases that any test runner can run. Knows no adapter.
 */
export { type Case, ContractBroken } from "./Case.ts"
export { type Caller, listenerContract } from "./ListenerContract.ts"
export { logContract } from "./LogContract.ts"
