/**
 * Where one types: the field, what could be meant by what is in it, and what was typed and not sent. Knows nothing of what comes of it.
 */
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import type { Phase } from "./Link.ts"
import { type Conversation, isRoom } from "./Model.ts"
import * as Typed from "./Typed.ts"
import * as Visit from "./Visit.ts"

/** All commands, and of nicks only as many. */
const maxOffers = 24

/** What was typed and not sent, by conversation. */
const drafts = new Map<string, string>()

export const Composer = ({ of, phase }: { readonly of: Conversation; readonly phase: Phase }) => {
  const [text, write] = useState(drafts.get(of.id) ?? "")
  const setText = (words: string): void => {
    drafts.set(of.id, words)
    write(words)
  }
  const [at, setAt] = useState(0)
  const field = useRef<HTMLTextAreaElement>(null)
  const offered = Typed.completions(text, [...of.members.values()].map(({ nick }) => nick)).slice(0, maxOffers)
  const shown = text.startsWith("/") && offered.length > 0
  const invitation = `say something ${isRoom(of.id) ? "in #" : "to "}${of.name}`
  const take = (words: string): void => {
    setText(words)
    setAt(0)
    field.current?.focus()
  }
  const onKeyDown = (key: KeyboardEvent): void => {
    if (key.key === "Tab" && !key.shiftKey && text !== "" && offered.length > 0) {
      key.preventDefault()
      take(offered[at % offered.length]!)
    } else if (shown && (key.key === "ArrowDown" || key.key === "ArrowUp")) {
      key.preventDefault()
      setAt((at + (key.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length)
    } else if (key.key === "Enter" && !key.shiftKey && !key.isComposing) {
      key.preventDefault()
      send()
    }
  }
  const send = (): void => {
    // Anything else would be lost.
    if (!Visit.isHeard(text)) return
    const tooMuch = Typed.tooMuch(text)
    if (tooMuch !== undefined) return Visit.remark(tooMuch)
    for (const line of text.split("\n")) if (line.trim() !== "") Visit.enter(line)
    setText("")
    setAt(0)
  }
  useLayoutEffect(() => {
    if (matchMedia("(min-width: 48rem)").matches) field.current?.focus()
  }, [])
  useLayoutEffect(() => document.querySelector(".offers [aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [shown, at])
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {shown && (
        <ul class="offers" id="offers" role="listbox" aria-label="what could be meant">
          {offered.map((words, i) => (
            <li key={words} id={`offer${i}`} role="option" aria-selected={i === at % offered.length} onMouseDown={(event) => {
              event.preventDefault()
              take(words)
            }}>{Typed.commands.find(([name]) => `/${name} ` === words)?.[1] ?? words}</li>
          ))}
        </ul>
      )}
      <textarea
        ref={field}
        rows={1}
        value={text}
        placeholder={phase === "open" ? invitation : phase === "outside" ? "/pass PASSWORD" : "not connected"}
        aria-label={invitation}
        aria-autocomplete="list"
        aria-controls={shown ? "offers" : undefined}
        aria-activedescendant={shown ? `offer${at % offered.length}` : undefined}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" disabled={phase !== "open" && phase !== "outside"}>send</button>
    </form>
  )
}
