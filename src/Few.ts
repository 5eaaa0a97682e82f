/**
 * Arrays that usually hold at most one element, without the cost of growing. Knows nothing of what is in them.
 */

/** The empty one, to be added to by `also` only. */
export const none: Array<never> = []

/** The array with one more at its end: one that has grown takes several times the memory of one made with its only element. */
export const also = <A>(list: Array<A>, one: A): Array<A> => {
  if (list.length === 0) return [one]
  list.push(one)
  return list
}
