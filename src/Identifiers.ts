/**
 * Unique short identifiers: a prefix and a base-36 counter. Knows nothing of what they identify.
 */

/** All pairs of digits. */
const lows: ReadonlyArray<string> = Array.from({ length: 36 ** 2 }, (_, i) => i.toString(36).padStart(2, "0"))

/**
 * Gives another identifier each time. With a prefix of seven characters the first sixty million have at most twelve characters:
 * V8 makes such a string in one piece, and keeps a longer one as the two pieces it was joined from.
 */
export const make = (prefix: string): () => string => {
  let count = 0
  let head = ""
  return () => {
    const low = count % lows.length
    if (low === 0) head = count === 0 ? prefix : prefix + (count / lows.length).toString(36)
    count++
    return head + lows[low]!
  }
}
