/**
 * Names for what there are many of, each one word. Knows nothing of what is called so.
 */

/** What there is of two digits. */
const lows: ReadonlyArray<string> = Array.from({ length: 36 ** 2 }, (_, i) => i.toString(36).padStart(2, "0"))

/**
 * Gives another name each time: this prefix, and a number to the base of 36. With a prefix of seven characters the first sixty
 * million have at most twelve, which are made in one piece; longer ones are kept as the two pieces they are put together of.
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
