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

/** How many whole commands may go now, of `wanted`. */
export const affordable = (bucket: Bucket, wanted: number): number => Math.min(wanted, Math.floor(bucket.tokens + 1e-9))

/** The bucket after `count` commands. */
export const spend = (bucket: Bucket, count: number): Bucket => ({ tokens: bucket.tokens - count, at: bucket.at })

/** Milliseconds until one command may go. */
export const wait = (rate: Rate, bucket: Bucket): number =>
  bucket.tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - bucket.tokens) / rate.perSecond) * 1000))
