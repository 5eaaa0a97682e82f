/**
 * How a WebSocket opens: what a request to become one is answered (RFC 6455 4.2). Compression and other extensions are not
 * agreed to. Knows nothing of what is said afterwards.
 */
import { createHash } from "node:crypto"
import { type IncomingMessage, STATUS_CODES } from "node:http"

/** The bytes of the answer, and what is spoken from then on where that was agreed. */
export type Answer =
  | { readonly agreed: true; readonly subprotocol: string | undefined; readonly text: string }
  | { readonly agreed: false; readonly text: string }

const key = /^[+/0-9A-Za-z]{22}==$/
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const acceptance = (of: string): string => createHash("sha1").update(`${of}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")

const listed = (header: string | undefined): ReadonlyArray<string> => (header ?? "").split(",").map((one) => one.trim()).filter((one) => one !== "")

/** Why a request cannot become a WebSocket, as a status. */
const refusal = ({ headers, method }: IncomingMessage, wanted: ReadonlyArray<string>): number | undefined =>
  method !== "GET"
    ? 405
    : headers.upgrade?.toLowerCase() !== "websocket" || !key.test(headers["sec-websocket-key"] ?? "")
    ? 400
    : headers["sec-websocket-version"] !== "13"
    ? 426
    : wanted.every((name) => token.test(name)) && new Set(wanted).size === wanted.length
    ? undefined
    : 400

const text = (status: number, ...headers: ReadonlyArray<string>): string => [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers, "\r\n"].join("\r\n")

/** The answer to a request that names subprotocols of which we know these: the first of them that we know is agreed to. */
export const answer = (request: IncomingMessage, known: ReadonlyArray<string>): Answer => {
  const { headers } = request
  const wanted = listed(headers["sec-websocket-protocol"])
  const status = refusal(request, wanted)
  if (status !== undefined) {
    const version = status === 426 ? ["Sec-WebSocket-Version: 13"] : []
    return { agreed: false, text: text(status, ...version, "Connection: close", "Content-Length: 0") }
  }
  const subprotocol = wanted.find((name) => known.includes(name))
  return {
    agreed: true,
    subprotocol,
    text: text(
      101,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${acceptance(headers["sec-websocket-key"]!)}`,
      ...subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]
    )
  }
}
