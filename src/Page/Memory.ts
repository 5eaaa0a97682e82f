/**
 * What outlives the page, by key: the browser's own store. Knows nothing of what is in it.
 */

export const remembered = (key: string): string | undefined => {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export const remember = (key: string, value: string): void => {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Private windows forget.
  }
}
