/**
 * What of a text can be found again: its words, each in the one form by which words are compared. Knows no log.
 */

/** Scripts that write no spaces between words: each of their characters is a word. */
const unspaced = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`
/** Made when it is first needed: the tables behind it take longer to load than much of the program. */
let word: RegExp | undefined

/** The words of a text, in order: letters and digits in lower case, without accents; nothing else is part of a word. */
export const words = (text: string): ReadonlyArray<string> => {
  word ??= new RegExp(String.raw`[${unspaced}]|(?:(?![${unspaced}])[\p{L}\p{N}])+`, "gu")
  return text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase().normalize("NFC").match(word) ?? []
}

/** Whether a text has all of these words; none has no words at all. */
export const matcher = (wanted: string): (text: string) => boolean => {
  const all = words(wanted)
  return all.length === 0 ? () => false : (text) => {
    const known = new Set(words(text))
    return all.every((one) => known.has(one))
  }
}
