/** Times that are counted rather than kept: sixteen steps to each doubling of a microsecond. */

/** Milliseconds by a clock that all threads share. */
export const clock = (): number => performance.timeOrigin + performance.now()

const bucket = (microseconds: number): number => {
  const whole = microseconds < 16 ? 16 : microseconds > 0x3fff_ffff ? 0x3fff_ffff : microseconds | 0
  const exponent = 31 - Math.clz32(whole)
  return (exponent - 4) * 16 + ((whole >> (exponent - 4)) & 15)
}

export type Counts = Uint32Array

export const none = (): Counts => new Uint32Array(bucket(Infinity) + 1)

/** Count one more that took so long. */
export const count = (counts: Counts, milliseconds: number): void => {
  counts[bucket(milliseconds * 1000)]!++
}

export const together = (all: ReadonlyArray<Counts>): Counts => {
  const sum = none()
  for (const counts of all) for (const [index, some] of counts.entries()) sum[index]! += some
  return sum
}

/** The time that this share of all took at most, in milliseconds. */
export const percentile = (counts: Counts, share: number): number => {
  const wanted = share * counts.reduce((sum, some) => sum + some, 0)
  let sum = 0
  for (const [index, some] of counts.entries()) {
    sum += some
    if (sum >= wanted && sum > 0) return (16 + (index & 15) + 1) * 2 ** (index >> 4) / 1000
  }
  return Number.NaN
}
