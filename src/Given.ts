/**
 * Options of which any may be left out. Knows none of them.
 */

/** Some of these; what is given as `undefined` is not given. */
export type Given<A> = { readonly [K in keyof A]?: A[K] | undefined }

/** All of them: those that are given, and the rest as they are by default. */
export const complete = <A extends object>(defaults: A, given: Given<A>): A => ({
  ...defaults,
  ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
})
