/**
 * What addresses have in common. Knows nobody who is there.
 */

/** Whether an address is this machine's own. */
export const isLoopback = (address: string): boolean =>
  address === "::1" || /^(?:::ffff:)?127(?:\.\d+){1,3}$/.test(address) || address === "localhost" || address === "memory"

/** An IPv4 address as it is known to people, where a socket that is of IPv6 too says `::ffff:192.0.2.1` (RFC 4291 2.5.5.2). */
export const ofOwnFamily = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address

/** What counts as one address: an IPv4 address, or an IPv6 network of 64 bits. */
export const network = (written: string): string => {
  const address = ofOwnFamily(written)
  if (!address.includes(":")) return address
  const [head = "", tail] = address.split("::")
  const start = head === "" ? [] : head.split(":")
  const end = tail === undefined || tail === "" ? [] : tail.split(":")
  const groups = tail === undefined ? start : [...start, ...Array<string>(Math.max(0, 8 - start.length - end.length)).fill("0"), ...end]
  return groups.slice(0, 4).join(":") + "::/64"
}
