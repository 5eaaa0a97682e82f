/**
 * HTTP where chat is spoken: a request is known by its first line and answered that it is at the wrong address, so that nothing
 * of what a page had a browser send is taken for anybody's words (SURVIVE row 14). Knows nothing else of HTTP.
 */
import type { Close } from "../Dialect.ts"
import * as Text from "../Text.ts"

/** Where people and programs who speak something else are sent. */
export const elsewhere = "this port speaks chat: connect with nc, telnet or an IRC client, or send one JSON object a line"

const page = `HTTP is not spoken here; ${elsewhere}\n`

/** The end of whoever spoke HTTP. */
export const refusal: Close = {
  _tag: "Close",
  bytes: Text.encode(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${page.length}\r\n`
      + `Connection: close\r\n\r\n${page}`
  ),
  reason: "spoke http on a chat port"
}

const request = /^[A-Z]{3,} \S+ HTTP\/\d(?:\.\d)?$/

/** Whether the first line of all is a request's (RFC 9112 3). */
export const isRequest = (line: string): boolean => line.includes(" HTTP/", line.length - 9) && request.test(line)
