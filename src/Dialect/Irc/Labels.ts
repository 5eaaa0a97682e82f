/**
 * Answers with a label on them, so that a client knows what they answer: one line is labelled, several are a labelled batch,
 * none are acknowledged (https://ircv3.net/specs/extensions/labeled-response). Knows nothing of what they say.
 */
import * as Capabilities from "./Capabilities.ts"
import * as Message from "./Message.ts"

/**
 * How long a label may be, in bytes (https://ircv3.net/specs/extensions/labeled-response#tag-value): with one that is longer
 * a line could have more tags than a server may add, and than clients read.
 */
export const maxLabel = 64

/** Whom answers are for. */
export interface Labeller {
  readonly server: string
  readonly caps: Capabilities.Set
}

/** A line with a tag more, before those it has. */
export const withTag = (line: string, tag: string): string => line.startsWith("@") ? `@${tag};${line.slice(1)}` : `@${tag} ${line}`

/** Each line by itself, with its end. */
export const single = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.flatMap((line) => line === "" ? [] : line.split(/(?<=\r\n)/))

const batchOf = /^(?:@\S+ )?:\S+ BATCH \+(\S+) /
const ends = (line: string, batch: string): boolean => line.includes(` BATCH -${batch}\r\n`)

/** Lines in a batch; those of a batch that is in it already are in that one. */
const batched = (lines: ReadonlyArray<string>, batch: string): string => {
  let inside: string | undefined
  let out = ""
  for (const line of lines) {
    out += inside === undefined ? withTag(line, `batch=${batch}`) : line
    if (inside === undefined) inside = batchOf.exec(line)?.[1]
    else if (ends(line, inside)) inside = undefined
  }
  return out
}

/** An answer with its label. `batch` is a name that no other batch of the session has. */
export const labelled = ({ caps, server }: Labeller, label: string, answer: ReadonlyArray<string>, batch: string): string => {
  const tag = Message.printTags({ label }).slice(1, -1)
  const lines = single(answer)
  const [first] = lines
  if (first === undefined) return `@${tag} :${server} ACK\r\n`
  const own = batchOf.exec(first)?.[1]
  return lines.length === 1 || !Capabilities.has(caps, "batch") || (own !== undefined && ends(lines[lines.length - 1]!, own))
    ? withTag(first, tag) + lines.slice(1).join("")
    : `@${tag} :${server} BATCH +${batch} labeled-response\r\n${batched(lines, batch)}:${server} BATCH -${batch}\r\n`
}
