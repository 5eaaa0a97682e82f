/**
 * The page: its frame, with what is open in the middle and what stands beside it, which on small screens is drawn out. Knows no rules, and no socket.
 */
import { render } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Composer } from "./Composer.tsx"
import { Log } from "./Log.tsx"
import * as Model from "./Model.ts"
import { Members, Rooms, Self } from "./Sides.tsx"
import * as Visit from "./Visit.ts"
import { safe, Words } from "./Words.tsx"

/** What the connection is like, unless all is well. */
const State = ({ phase, seconds }: Visit.Now) => (
  <p class={`state ${phase}`} role="status">
    {phase === "open" ? "" : phase === "connecting" ? "connecting…" : phase === "outside" ? "not let in yet" : <>connection lost; trying again in {seconds} s <button type="button" onClick={() => Visit.connect()}>now</button></>}
  </p>
)

const App = () => {
  const [, setFrame] = useState(0)
  const [drawer, setDrawer] = useState<"rooms" | "members" | undefined>(undefined)
  Visit.shownBy(() => setFrame((frame) => frame + 1))
  const now = Visit.now()
  const { begun, model, phase } = now
  const of = model.conversations.get(model.current)
  const { mentions, unread } = Model.unreadOf(model)
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}${mentions > 0 ? "!" : ""}) ` : ""}${of === undefined ? "" : `${Model.isRoom(of.id) ? "#" : ""}${of.name} · `}${model.server || "chat"}`
  })
  const opener = useRef<HTMLElement | undefined>(undefined)
  useEffect(() => {
    const onKey = (key: KeyboardEvent) => {
      if (key.key === "Escape") setDrawer(undefined)
      if (key.altKey && (key.key === "ArrowUp" || key.key === "ArrowDown")) {
        key.preventDefault()
        Visit.turnBy(key.key === "ArrowDown" ? 1 : -1)
      }
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [])
  useEffect(() => {
    if (drawer === undefined) {
      // Who closed it by hand goes on where it was opened.
      if (document.activeElement === document.body || document.activeElement?.closest(".side, .members") !== null) opener.current?.focus()
      opener.current = undefined
      return
    }
    opener.current = document.activeElement as HTMLElement
    // Only what is shown can be gone to.
    const frame = requestAnimationFrame(() => document.querySelector<HTMLElement>(`${drawer === "rooms" ? ".side" : ".members"} button`)?.focus())
    return () => cancelAnimationFrame(frame)
  }, [drawer])
  return (
    <div class={`app ${drawer ?? ""}`}>
      <div class="side">
        <header><p class="server">{model.server || "chat"}</p></header>
        <Rooms model={model} onTurn={() => setDrawer(undefined)} />
        <Self {...now} />
      </div>
      <main>
        <header>
          <button type="button" class="drawer" aria-expanded={drawer === "rooms"} onClick={() => setDrawer(drawer === "rooms" ? undefined : "rooms")}>
            rooms{unread > 0 && <span class="count">{unread}</span>}
          </button>
          <div class="title">
            <h1>{of === undefined ? "…" : (Model.isRoom(of.id) ? "#" : "") + of.name}</h1>
            {of !== undefined && of.topic !== "" && <p class="topic" title={safe(of.topic)}><Words text={of.topic} /></p>}
          </div>
          {of !== undefined && Model.isRoom(of.id) && (
            <button type="button" class="drawer" aria-expanded={drawer === "members"} onClick={() => setDrawer(drawer === "members" ? undefined : "members")}>
              {of.members.size} here
            </button>
          )}
        </header>
        <State {...now} />
        {of === undefined ? <p class="log nowhere">{phase === "open" && begun ? "You are in no room. Join one by its name." : ""}</p> : <Log key={`log ${of.id}`} of={of} />}
        {of !== undefined && <Composer key={`composer ${of.id}`} of={of} phase={phase} />}
      </main>
      {of !== undefined && Model.isRoom(of.id) && <Members of={of} />}
    </div>
  )
}

render(<App />, document.getElementById("chat")!)
