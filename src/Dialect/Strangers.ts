/**
 * Protocols that are not chat: how to recognise them, and what to answer before the connection is closed. So nothing that a web page
 * or a scanner sends is taken for somebody's words (rows 14 and 17). Knows nothing else of them.
 */
import type { Close } from "../Dialect.ts"
import type * as Line from "../Line.ts"
import * as Text from "../Text.ts"

/** What is spoken that is no chat: `foreign` is any that is not named. */
export type Stranger = "http" | "tls" | "foreign"

/** Where people and programs who speak something else are sent. */
const elsewhere = "this port speaks chat: connect with nc, telnet or an IRC client, or send one JSON object a line"

const page = `HTTP is not spoken here; ${elsewhere}\n`

const close = (what: Stranger, words: string): Close => ({ _tag: "Close", bytes: Text.encode(words), reason: `spoke ${what} on a chat port`, fault: "not-chat" })

/** The end of whoever speaks that. */
export const refusals: Readonly<Record<Stranger, Close>> = {
  http: close(
    "http",
    `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${page.length}\r\n`
      + `Connection: close\r\n\r\n${page}`
  ),
  tls: close("tls", `TLS is not spoken here; ${elsewhere}\n`),
  foreign: close("foreign", `${elsewhere}\n`)
}

/** The length before a message of SMB, PostgreSQL and others. */
const length = "\u0000"

/** First bytes, as the letters of latin1, where it must be told from them alone; people do not begin so with an IRC client or by nc. */
export const beginnings: ReadonlyArray<readonly [string, Stranger]> = [
  ...["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI * HTTP/"]
    .map((word) => [word, "http"] as const),
  ["\u0016\u0003", "tls"],
  ["SSH-", "foreign"],
  ["PROXY ", "foreign"],
  [length, "foreign"],
  // A remote desktop's (TPKT, RFC 1006 6).
  ["\u0003\u0000", "foreign"],
  ["\r\n\r\n\u0000\r\nQUIT\n", "foreign"]
]

const request = /^[A-Z]{3,} \S+ HTTP\/\d(?:\.\d)?$/

/** Whether the first line of all is a request's (RFC 9112 3). */
export const isRequest = (line: string): boolean => line.includes(" HTTP/", line.length - 9) && request.test(line)

/** How SSH (RFC 4253 4.2) and proxies (PROXY protocol, version 1) introduce those who come. */
const banner = /^(?:SSH-\d|PROXY (?:TCP[46]|UNKNOWN)\b)/

/** Whose the first line of all is, where it is no person's. What could be somebody's words is. */
export const ofLine = (line: Line.Line): Stranger | undefined => {
  const start = typeof line === "string" ? line : line.start
  return start.startsWith(length) || banner.test(start) ? "foreign" : isRequest(start) ? "http" : undefined
}
