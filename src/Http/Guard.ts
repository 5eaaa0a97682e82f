/**
 * Who may ask over HTTP: the Host a request names and the Origin it comes from, so that no page of somebody else's reaches a
 * server on this machine through its visitor's browser. Knows no routes.
 */

export interface Options {
  /** The address that is listened on. */
  readonly host: string
  /** Other names of this server. */
  readonly publicHosts: ReadonlyArray<string>
}

/** `name:port` or `[address]:port` without its port. */
const withoutPort = (host: string): string => host.replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase()

const everywhere = new Set(["0.0.0.0", "::", ""])
const literal = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)$/

/** Whether a Host header names this server: where everybody is listened to, any address does, but only known names. */
export const isHost = ({ host, publicHosts }: Options, header: string | undefined): boolean => {
  if (header === undefined) return false
  const name = withoutPort(header)
  return name === "localhost" || name === "127.0.0.1" || name === "::1" || name === host.toLowerCase()
    || publicHosts.some((known) => known.toLowerCase() === name) || (everywhere.has(host) && literal.test(name))
}

/**
 * Whether an Origin header is this server's own page: of the very host and port that were asked, or of another name of this
 * server. A program sends none.
 */
export const isOrigin = ({ publicHosts }: Options, origin: string | undefined, host: string | undefined): boolean => {
  if (origin === undefined) return true
  const authority = /^https?:\/\/([^/@?#]+)$/i.exec(origin)?.[1]?.toLowerCase()
  if (authority === undefined) return false
  return authority === host?.toLowerCase() || publicHosts.some((known) => known.toLowerCase() === withoutPort(authority))
}
