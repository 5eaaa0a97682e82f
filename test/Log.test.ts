import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Log } from "../src/Log.ts"
import { Contracts } from "../src/testing.ts"

const fresh = Effect.scoped(Effect.provide(Log, Log.layerMemory({ history: 100 })))

describe("the log in memory keeps the contract of logs", () => {
  for (const one of Contracts.logContract(fresh)) it.effect(one.name, () => one.run)
})
