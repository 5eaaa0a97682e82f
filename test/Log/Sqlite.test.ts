import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sqlite from "../../src/Log/Sqlite.ts"
import { Contracts } from "../../src/testing.ts"
import { folder } from "./folders.ts"

const fresh = Effect.orDie(Effect.flatMap(folder, (folder) => Sqlite.make({ folder })))

describe("the log in a folder keeps the contract of logs", () => {
  for (const one of Contracts.logContract(fresh)) it.effect(one.name, () => one.run)
})
