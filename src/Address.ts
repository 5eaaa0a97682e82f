/**
 * What addresses have in common. Knows nobody who is there.
 */

/** Whether an address is this machine's own. */
export const isLoopback = (address: string): boolean =>
  address === "::1" || /^(?:::ffff:)?127(?:\.\d+){1,3}$/.test(address) || address === "localhost" || address === "memory"

/** What counts as one address: an IPv4 address, or an IPv6 network of 64 bits. */
export const network = (address: string): string => {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  if (v4 !== null) return v4[1]!
  if (!address.includes(":")) return address
  const [head = "", tail] = address.split("::")
  const start = head === "" ? [] : head.split(":")
  const end = tail === undefined || tail === "" ? [] : tail.split(":")
  const groups = tail === undefined ? start : [...start, ...Array<string>(Math.max(0, 8 - start.length - end.length)).fill("0"), ...end]
  return groups.slice(0, 4).join(":") + "::/64"
}
