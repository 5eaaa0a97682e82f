/**
 * The page: what is shown of the model, and what is done by hand. Everything people wrote goes into text nodes.
 */
import { type ComponentChildren, render } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import * as Link from "./Link.ts"
import * as Model from "./Model.ts"
import * as Typed from "./Typed.ts"

// --- what outlives the page --------------------------------------------------------------------------------------------

const remembered = (key: string): string | undefined => {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

const remember = (key: string, value: string): void => {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Private windows forget.
  }
}

// --- the one state, and what changes it --------------------------------------------------------------------------------

let model: Model.Model = { ...Model.start, current: location.hash.startsWith("#/") ? `#${Model.keyOf(decodeURIComponent(location.hash.slice(2)))}` : "#lobby" }
let phase: Link.Phase = "connecting"
let seconds = 0
let refresh: () => void = () => {}
let scheduled = false

/** What changed is shown with the next frame, however much it was. */
const show = (): void => {
  if (scheduled) return
  scheduled = true
  const now = () => {
    scheduled = false
    refresh()
  }
  if (document.hidden) setTimeout(now, 100)
  else requestAnimationFrame(now)
}

const set = (next: Model.Model): void => {
  model = next
  show()
}

const notify = (before: Model.Model, after: Model.Model): void => {
  if (!document.hidden || remembered("notify") !== "yes" || !("Notification" in window) || Notification.permission !== "granted") return
  for (const of of after.conversations.values()) {
    if (of.mentions <= (before.conversations.get(of.id)?.mentions ?? 0)) continue
    const line = of.lines.at(-1)!
    const note = new Notification(Model.isRoom(of.id) ? `${line.nick} in #${of.name}` : line.nick, { body: line.text.slice(0, 200), tag: of.id })
    note.addEventListener("click", () => {
      focus()
      turn(of.id)
    })
  }
}

const link = Link.open({
  onOpen: () => {
    const nick = remembered("nick")
    if (nick !== undefined) link.send({ _tag: "SetNick", nick })
    const rooms = [...model.conversations.values()].filter((of) => Model.isRoom(of.id))
    const wanted = rooms.length > 0 ? rooms.map((of) => of.id) : [...new Set([...(remembered("rooms") ?? "#lobby").split(" "), model.current].filter(Model.isRoom))]
    for (const id of wanted) {
      const known = model.conversations.get(id)
      const again = known?.last === undefined || model.epoch === undefined ? {} : { after: known.last, epoch: model.epoch }
      link.send(...Typed.join(known?.name ?? id.slice(1), again))
    }
  },
  onMessage: (message) => {
    const before = model
    set(Model.tell(model, message))
    if (message._tag === "Renamed" && before.nick !== model.nick) remember("nick", model.nick)
    if (before.conversations.size !== model.conversations.size) {
      remember("rooms", [...model.conversations.keys()].filter(Model.isRoom).join(" "))
    }
    notify(before, model)
  },
  onPhase: (next, wait) => {
    phase = next
    seconds = wait
    show()
  }
})

const turn = (id: string): void => {
  set(Model.turnTo(model, id, model.conversations.get(id)?.name))
  const wanted = Model.isRoom(id) ? `#/${encodeURIComponent(id.slice(1))}` : "#"
  if (location.hash !== wanted) history.pushState(undefined, "", wanted)
}

const enter = (line: string): void => {
  const { remark, turn: to, wishes } = Typed.typed(line, model.current)
  link.send(...wishes)
  if (to !== undefined) turn(to)
  if (remark !== undefined) set(Model.remark(model, remark))
}

const leave = (id: string): void => {
  if (Model.isRoom(id)) link.send({ _tag: "Part", room: id.slice(1) })
  else set(Model.close(model, id))
}

const onAddress = (): void => {
  if (!location.hash.startsWith("#/")) return
  const room = decodeURIComponent(location.hash.slice(2))
  const id = `#${Model.keyOf(room)}`
  if (!model.conversations.has(id)) link.send(...Typed.join(room, {}))
  set(Model.turnTo(model, id, room))
}
addEventListener("popstate", onAddress)
addEventListener("hashchange", onAddress)
document.addEventListener("visibilitychange", () => set(Model.look(model, !document.hidden)))

// --- what is seen ------------------------------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" })

const hue = (nick: string): number => {
  let sum = 7
  for (const character of Model.keyOf(nick)) sum = (sum * 31 + character.charCodeAt(0)) % 360
  return sum
}

const Nick = ({ nick }: { readonly nick: string }) => (
  <button type="button" class="nick" style={{ "--hue": hue(nick) }} onClick={() => turn(Model.keyOf(nick))} title={`talk to ${nick} alone`}>{nick}</button>
)

const address = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}']/g

/** Text with its addresses as links. */
const Words = ({ text }: { readonly text: string }) => {
  const parts: Array<ComponentChildren> = []
  let at = 0
  for (const match of text.matchAll(address)) {
    parts.push(text.slice(at, match.index), <a href={match[0]} rel="noopener noreferrer nofollow" target="_blank">{match[0]}</a>)
    at = match.index + match[0].length
  }
  parts.push(text.slice(at))
  return <>{parts}</>
}

const Line = ({ line }: { readonly line: Model.Line }) => {
  const time = line.at === "" ? "" : clock.format(new Date(line.at))
  return (
    <li class={`line ${line.kind}${line.mentions ? " mention" : ""}${line.mine ? " mine" : ""}`}>
      <time dateTime={line.at}>{time}</time>
      {line.kind === "event"
        ? <p><Words text={line.text} /></p>
        : <p><Nick nick={line.nick} />{line.kind === "action" ? " " : ": "}<Words text={line.text} /></p>}
    </li>
  )
}

const dayOf = (line: Model.Line): string => line.at === "" ? "" : day.format(new Date(line.at))

const Log = ({ of }: { readonly of: Model.Conversation }) => {
  const box = useRef<HTMLDivElement>(null)
  const bottom = useRef(true)
  const height = useRef(0)
  const asked = useRef(false)
  const older = (): void => {
    const first = of.lines.find((line) => line.seq !== undefined)
    if (of.whole || of.asked || !Model.isRoom(of.id) || phase !== "open") return
    set(Model.asking(model, of.id))
    link.send({ _tag: "History", room: of.name, limit: 50, ...(first?.seq === undefined ? {} : { before: first.seq }) })
  }
  useLayoutEffect(() => {
    const here = box.current!
    // Who reads older lines stays where they are when still older ones come.
    if (bottom.current) here.scrollTop = here.scrollHeight
    else if (asked.current && !of.asked) here.scrollTop += here.scrollHeight - height.current
    asked.current = of.asked
    height.current = here.scrollHeight
  })
  useEffect(() => {
    bottom.current = true
    const here = box.current!
    here.scrollTop = here.scrollHeight
  }, [of.id])
  const items: Array<ComponentChildren> = []
  let last = ""
  for (const line of of.lines) {
    const today = dayOf(line)
    if (today !== "" && today !== last) items.push(<li class="day" key={`d${today}`}><span>{today}</span></li>)
    if (today !== "") last = today
    items.push(<Line key={line.key} line={line} />)
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
        if (currentTarget.scrollTop < 200) older()
      }}
    >
      {Model.isRoom(of.id) && !of.whole && <button type="button" class="older" onClick={older} disabled={of.asked}>{of.asked ? "…" : "older messages"}</button>}
      <ol>{items}</ol>
    </div>
  )
}

const Composer = ({ of }: { readonly of: Model.Conversation }) => {
  const [text, setText] = useState("")
  const [at, setAt] = useState(0)
  const field = useRef<HTMLTextAreaElement>(null)
  const offered = Typed.completions(text, [...of.members.values()].map(({ nick }) => nick))
  const shown = text.startsWith("/") && offered.length > 0
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
    for (const line of text.split("\n")) if (line.trim() !== "") enter(line)
    setText("")
    setAt(0)
  }
  useEffect(() => {
    if (matchMedia("(min-width: 48rem)").matches) field.current?.focus()
  }, [of.id])
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {shown && (
        <ul class="offers" role="listbox" aria-label="commands">
          {offered.map((words, i) => (
            <li key={words} role="option" aria-selected={i === at % offered.length} onMouseDown={(event) => {
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
        maxLength={4000}
        placeholder={phase === "open" ? `say something ${Model.isRoom(of.id) ? "in #" : "to "}${of.name}` : "not connected"}
        aria-label={`say something ${Model.isRoom(of.id) ? "in #" : "to "}${of.name}`}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" disabled={phase !== "open"}>send</button>
    </form>
  )
}

const Rooms = ({ onTurn }: { readonly onTurn: () => void }) => {
  const [name, setName] = useState("")
  const all = [...model.conversations.values()]
  const item = (of: Model.Conversation) => (
    <li key={of.id} class={of.id === model.current ? "open" : ""}>
      <button type="button" aria-current={of.id === model.current ? "page" : undefined} onClick={() => {
        turn(of.id)
        onTurn()
      }}>
        <span class="name">{Model.isRoom(of.id) ? `#${of.name}` : of.name}</span>
        {of.unread > 0 && <span class={of.mentions > 0 ? "count mention" : "count"} aria-label={`${of.unread} not read`}>{of.unread}</span>}
      </button>
      <button type="button" class="close" aria-label={`leave ${of.name}`} onClick={() => leave(of.id)}>×</button>
    </li>
  )
  return (
    <nav aria-label="conversations">
      <h2>Rooms</h2>
      <ul>{all.filter((of) => Model.isRoom(of.id)).map(item)}</ul>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (name.trim() !== "") enter(`/join ${name.trim()}`)
        setName("")
        onTurn()
      }}>
        <input value={name} placeholder="join a room" aria-label="join a room" onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </form>
      {all.some((of) => !Model.isRoom(of.id)) && <h2>People</h2>}
      <ul>{all.filter((of) => !Model.isRoom(of.id)).map(item)}</ul>
    </nav>
  )
}

const Self = () => {
  const [nick, setNick] = useState<string | undefined>(undefined)
  const notices = "Notification" in window && remembered("notify") !== "yes"
  return (
    <div class="self">
      {nick === undefined
        ? <button type="button" class="me" title="be called something else" onClick={() => setNick(model.nick)}>{model.nick || "…"}</button>
        : (
          <form onSubmit={(event) => {
            event.preventDefault()
            if (nick.trim() !== "") link.send({ _tag: "SetNick", nick: nick.trim() })
            setNick(undefined)
          }}>
            <input autoFocus value={nick} maxLength={32} aria-label="your nick" onInput={({ currentTarget }) => setNick(currentTarget.value)} onBlur={() => setNick(undefined)} />
          </form>
        )}
      <button type="button" aria-pressed={model.away} onClick={() => enter(model.away ? "/back" : "/away")}>{model.away ? "away" : "here"}</button>
      {notices && (
        <button type="button" onClick={() => {
          void Notification.requestPermission().then((answer) => {
            remember("notify", answer === "granted" ? "yes" : "no")
            show()
          })
        }}>notify me</button>
      )}
    </div>
  )
}

const order = (a: Model.Member, b: Model.Member): number =>
  Number(Model.runs(b.rank)) - Number(Model.runs(a.rank)) || Number(Model.voiced(b.rank)) - Number(Model.voiced(a.rank)) || (Model.keyOf(a.nick) < Model.keyOf(b.nick) ? -1 : 1)

const Members = ({ of }: { readonly of: Model.Conversation }) => (
  <aside class="members" aria-label={`people in ${of.name}`}>
    <h2>{of.members.size} here</h2>
    <ul>
      {[...of.members.values()].sort(order).slice(0, 500).map((member) => (
        <li key={member.nick} class={member.away ? "away" : ""}>
          <span class="rank" aria-hidden="true">{Model.runs(member.rank) ? "@" : Model.voiced(member.rank) ? "+" : ""}</span>
          <Nick nick={member.nick} />
          {member.away && <span class="hidden"> away</span>}
        </li>
      ))}
    </ul>
  </aside>
)

const State = () => (
  <p class={`state ${phase}`} role="status">
    {phase === "open" ? "" : phase === "connecting" ? "connecting…" : <>connection lost; trying again in {seconds} s <button type="button" onClick={() => link.now()}>now</button></>}
  </p>
)

const App = () => {
  const [, setFrame] = useState(0)
  const [drawer, setDrawer] = useState<"rooms" | "members" | undefined>(undefined)
  refresh = () => setFrame((frame) => frame + 1)
  const of = model.conversations.get(model.current)
  const { mentions, unread } = Model.unreadOf(model)
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}${mentions > 0 ? "!" : ""}) ` : ""}${of === undefined ? "" : `${Model.isRoom(of.id) ? "#" : ""}${of.name} · `}${model.server || "chat"}`
  })
  useEffect(() => {
    const onKey = (key: KeyboardEvent) => {
      if (key.key === "Escape") setDrawer(undefined)
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [])
  return (
    <div class={`app ${drawer ?? ""}`}>
      <div class="side">
        <header><h1>{model.server || "chat"}</h1></header>
        <Rooms onTurn={() => setDrawer(undefined)} />
        <Self />
      </div>
      <main>
        <header>
          <button type="button" class="drawer" aria-expanded={drawer === "rooms"} onClick={() => setDrawer(drawer === "rooms" ? undefined : "rooms")}>
            rooms{unread > 0 && <span class="count">{unread}</span>}
          </button>
          <div class="title">
            <h2>{of === undefined ? "…" : (Model.isRoom(of.id) ? "#" : "") + of.name}</h2>
            {of !== undefined && of.topic !== "" && <p class="topic" title={of.topic}><Words text={of.topic} /></p>}
          </div>
          {of !== undefined && Model.isRoom(of.id) && (
            <button type="button" class="drawer" aria-expanded={drawer === "members"} onClick={() => setDrawer(drawer === "members" ? undefined : "members")}>
              {of.members.size} here
            </button>
          )}
        </header>
        <State />
        {of === undefined ? <div class="log" /> : <Log of={of} />}
        {of !== undefined && <Composer of={of} />}
      </main>
      {of !== undefined && Model.isRoom(of.id) && <Members of={of} />}
    </div>
  )
}

render(<App />, document.getElementById("chat")!)
