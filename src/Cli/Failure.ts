/**
 * What ends the program early: one line for a person, and the exit code. Prints nothing itself.
 */
import * as Data from "effect/Data"

/** 1: it could not run. 2: it was not asked for properly. */
export class Failure extends Data.TaggedError("Failure")<{ readonly code: 1 | 2; readonly line: string }> {
  override get message(): string {
    return this.line
  }
}
