/**
 * Lists that are made to be added to and mostly get one element, if any. Knows nothing of what is in them.
 */

/** Nothing yet, to which nothing is added but by `also`. */
export const none: Array<never> = []

/** A list with one more at its end: an array that is ready to grow takes several times as much as one that has one. */
export const also = <A>(list: Array<A>, one: A): Array<A> => {
  if (list.length === 0) return [one]
  list.push(one)
  return list
}
