/**
 * A token bucket as a value: how long someone must wait before the next command counts.
 * Knows no clock; whoever asks says what time it is.
 */

/** `burst` commands at once, then `perSecond` more each second. */
export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

/** Tokens left at `at` (milliseconds). */
export interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** What a new session may spend. */
export const full = (rate: Rate, at: number): Bucket => ({ tokens: rate.burst, at })

/** The bucket as it stands at `now`; a clock that steps back adds nothing and takes nothing. */
export const refill = (rate: Rate, bucket: Bucket, now: number): Bucket =>
  now === bucket.at ? bucket : {
    tokens: Math.min(rate.burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * rate.perSecond),
    at: now
  }

/** Whether something of this cost may go now. */
export const affords = (bucket: Bucket, cost: number): boolean => bucket.tokens + 1e-9 >= cost

/** The bucket after something of this cost. */
export const spend = (bucket: Bucket, cost: number): Bucket => cost === 0 ? bucket : { tokens: bucket.tokens - cost, at: bucket.at }

/** Milliseconds until something of this cost may go. */
export const wait = (rate: Rate, bucket: Bucket, cost = 1): number =>
  bucket.tokens >= cost ? 0 : Math.max(1, Math.ceil(((cost - bucket.tokens) / rate.perSecond) * 1000))
