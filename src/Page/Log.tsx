/**
 * What was said in a conversation, line by line, and what is in view of it while new and older lines come. Knows nothing of how lines come.
 */
import type { ComponentChildren, VNode } from "preact"
import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import * as Model from "./Model.ts"
import * as Visit from "./Visit.ts"
import { Nick, Words } from "./Words.tsx"

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" })

const Line = ({ line }: { readonly line: Model.Line }) => {
  const time = line.at === "" ? "" : clock.format(new Date(line.at))
  return (
    <li class={`line ${line.kind}${line.mentions ? " mention" : ""}${line.mine ? " mine" : ""}`}>
      <time dateTime={line.at}>{time}</time>
      {line.kind === "event" || line.kind === "divider"
        ? <p><Words text={line.text} /></p>
        : <p><Nick nick={line.nick} tabbed={false} />{line.kind === "action" ? " " : ": "}<Words text={line.text} /></p>}
    </li>
  )
}

/** Lines never change, and many are shown: each is made once. */
const made = new WeakMap<Model.Line, VNode>()
const drawn = (line: Model.Line): VNode => {
  const known = made.get(line)
  if (known !== undefined) return known
  const node = <Line key={line.key} line={line} />
  made.set(line, node)
  return node
}

const dayOf = (line: Model.Line): string => line.at === "" ? "" : day.format(new Date(line.at))

export const Log = ({ of }: { readonly of: Model.Conversation }) => {
  const box = useRef<HTMLDivElement>(null)
  const bottom = useRef(true)
  const height = useRef(0)
  const asked = useRef(false)
  useLayoutEffect(() => {
    const here = box.current!
    // Who reads older lines stays where they are when still older ones come.
    if (bottom.current) here.scrollTop = here.scrollHeight
    else if (asked.current && !of.asked) here.scrollTop += here.scrollHeight - height.current
    asked.current = of.asked
    height.current = here.scrollHeight
  })
  useEffect(() => {
    const here = box.current!
    // The newest line stays in view when a phone's keyboard comes up.
    const resized = new ResizeObserver(() => {
      if (bottom.current) here.scrollTop = here.scrollHeight
    })
    resized.observe(here)
    return () => {
      resized.disconnect()
      Visit.read(false)
    }
  }, [])
  const items: Array<ComponentChildren> = []
  let last = ""
  for (const line of of.lines) {
    const today = dayOf(line)
    if (today !== "" && today !== last) items.push(<li class="day" key={`d${line.key}`}><span>{today}</span></li>)
    if (today !== "") last = today
    items.push(drawn(line))
  }
  return (
    <div
      class="log"
      role="log"
      aria-live="polite"
      aria-label={`messages in ${of.name}`}
      ref={box}
      tabIndex={0}
      onScroll={({ currentTarget }) => {
        bottom.current = currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight < 40
        Visit.read(!bottom.current)
        if (currentTarget.scrollTop < 200) Visit.older(of)
      }}
    >
      {Model.isRoom(of.id) && !of.whole && <button type="button" class="older" onClick={() => Visit.older(of)} disabled={of.asked}>{of.asked ? "…" : "older messages"}</button>}
      <ol>{items}</ol>
    </div>
  )
}
