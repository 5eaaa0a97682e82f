/**
 * Whose token was given. Wrong ones are answered ever later, address by address, so that nobody finds one by trying
 * (row 42); none is ever shown (row 43). Knows no routes.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { Buckets, guesses } from "../Guesses.ts"
import * as Measure from "../Measure.ts"
import * as Rate from "../Rate.ts"
import * as Secrets from "../Secrets.ts"
import { noToken, tooMany, type TooMany, type Unauthorized } from "./Api.ts"

/** So many wrong tokens from one network may wait for their turn. */
export const maxWaiting = 8

export class Tokens extends Context.Service<Tokens, {
  /** Whose token it is that came from this address. */
  readonly nameOf: (token: string, address: string) => Effect.Effect<string, Unauthorized | TooMany>
}>()("effect-chat/Http/Tokens") {
  /** Tokens by name, in clear or as `chat hash` writes them. */
  static readonly layer = (tokens: ReadonlyMap<string, string>): Layer.Layer<Tokens> => Layer.sync(Tokens, () => make(tokens))
}

const make = (tokens: ReadonlyMap<string, string>): Tokens["Service"] => {
  const match = Secrets.tokenMatcher(tokens)
  const buckets = new Buckets()

  const refuse = Effect.fnUntraced(function*(address: string, why: Unauthorized | TooMany) {
    yield* Metric.update(Metric.withAttributes(Measure.refused, { reason: "token" }), 1)
    if (why._tag === "Unauthorized") yield* Effect.logInfo("a wrong token was refused").pipe(Effect.annotateLogs({ address }))
    return yield* Effect.fail(why)
  })

  return Tokens.of({
    nameOf: Effect.fnUntraced(function*(token, address) {
      if (token === "") return yield* refuse(address, noToken("a token is needed: Authorization: Bearer TOKEN"))
      const at = (yield* Clock.monotonicTimeNanos) / 1_000_000n
      const bucket = buckets.of(address, Number(at))
      if (bucket.tokens < 1 - maxWaiting) return yield* refuse(address, tooMany("too many wrong tokens came from there; try again later", maxWaiting))
      buckets.put(address, Rate.spend(bucket, 1))
      const wait = Rate.wait(guesses, bucket)
      if (wait > 0) yield* Effect.sleep(wait)
      const name = match(token)
      if (name === undefined) return yield* refuse(address, noToken("that is no token of this server"))
      const now = (yield* Clock.monotonicTimeNanos) / 1_000_000n
      const { tokens } = buckets.of(address, Number(now))
      // A right one is no guess.
      buckets.put(address, { tokens: Math.min(guesses.burst, tokens + 1), at: Number(now) })
      return name
    })
  })
}
