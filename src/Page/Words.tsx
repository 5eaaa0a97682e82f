/**
 * What people wrote, as text nodes: words with their addresses as links and without colours, and nicks. Knows nothing of where it is shown.
 */
import type { ComponentChildren } from "preact"
import { printable } from "../Text.ts"
import { keyOf } from "./Model.ts"
import * as Visit from "./Visit.ts"

const address = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}']/gi

/** Colours and bold as IRC clients write them (https://modern.ircdocs.horse/formatting), which are not shown. */
// oxlint-disable-next-line no-control-regex
const formatting = /\u0003(?:\d{1,2}(?:,\d{1,2})?)?|\u0004(?:[\da-f]{6}(?:,[\da-f]{6})?)?|[\u0002\u000f\u0011\u0016\u001d-\u001f]/gi

export const safe = (text: string): string => text.replace(formatting, "").split("\n").map(printable).join("\n")

/** Text with its addresses as links. */
export const Words = ({ text: written }: { readonly text: string }) => {
  const text = safe(written)
  const parts: Array<ComponentChildren> = []
  let at = 0
  for (const match of text.matchAll(address)) {
    parts.push(text.slice(at, match.index), <a href={match[0]} rel="noopener noreferrer nofollow" target="_blank">{match[0]}</a>)
    at = match.index + match[0].length
  }
  parts.push(text.slice(at))
  return <>{parts}</>
}

const hue = (nick: string): number => {
  let sum = 7
  for (const character of keyOf(nick)) sum = (sum * 31 + character.charCodeAt(0)) % 360
  return sum
}

/** In a log, Tab goes past all its nicks: those who are there are listed beside it. */
export const Nick = ({ nick, tabbed }: { readonly nick: string; readonly tabbed: boolean }) => (
  <button type="button" class="nick" tabIndex={tabbed ? 0 : -1} style={{ "--hue": hue(nick) }} onClick={() => Visit.turn(keyOf(nick))} title={`talk to ${nick} alone`}>{nick}</button>
)
