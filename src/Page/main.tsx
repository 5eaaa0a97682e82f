/**
 * The page: what is shown of the model, and what is done by hand. Everything people wrote goes into text nodes. Knows no rules, and no socket.
 */
import { type ComponentChildren, render, type VNode } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import { printable } from "../Text.ts"
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

/** The room that the address names. */
const addressed = (): string | undefined => {
  try {
    return /^#\/#?(.+)$/.exec(decodeURIComponent(location.hash))?.[1]
  } catch {
    return undefined
  }
}

const addressOf = (id: string): string => Model.isRoom(id) ? `#/${encodeURIComponent(id.slice(1))}` : "#"

const rememberedRooms = (): ReadonlyArray<string> => (remembered("rooms") ?? "").split(" ").filter(Model.isRoom)

let model: Model.Model = { ...Model.start, current: addressed() === undefined ? rememberedRooms()[0] ?? "#lobby" : Model.roomId(addressed()!) }

/** The address is that of the conversation that is open; of people it names none, and going back is told who it was. */
const readdress = (): void => history.replaceState(model.current, "", addressOf(model.current))
readdress()

/** Who one was when one was last somebody, and whether one has been in any room. */
let me: string | undefined
let begun = false
/** What is given where a password is wanted, and whether it was on this connection. */
let password: string | undefined
let given = false
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

/** The rooms that one comes back to. */
const ownRooms = (): ReadonlyArray<string> => [...model.conversations.values()].filter((of) => Model.isRoom(of.id) && of.stage !== "out").map((of) => of.id)

let rooms = remembered("rooms")
const rememberRooms = (): void => {
  const now = ownRooms().join(" ")
  if (now !== rooms) remember("rooms", rooms = now)
}

/** Be who one was, where one was. */
const comeBack = (): void => {
  const nick = me ?? remembered("nick")
  if (nick !== undefined) link.send({ _tag: "SetNick", nick })
  const known = ownRooms()
  const wanted = new Set(begun ? known : [model.current, ...rememberedRooms(), ...known].filter(Model.isRoom))
  begun = true
  for (const id of wanted) {
    set(Model.expect(model, id))
    const of = model.conversations.get(id)
    const again = of?.last === undefined || model.epoch === undefined ? {} : { after: of.last, epoch: model.epoch }
    link.send(...Typed.join(of?.name ?? id.slice(1), again))
  }
}

const give = (words: string): void => {
  password = words
  given = true
  link.send({ _tag: "Arrive", password })
}

/** A password is wanted: the one that let one in before is given again, and a wrong one is not. */
const wanted = (): void => {
  if (given) password = undefined
  else if (password !== undefined) give(password)
}

const link = Link.open({
  onMessage: (message) => {
    const before = model
    set(Model.tell(model, message))
    if (message._tag === "Welcome") comeBack()
    if (message._tag === "Refused" && message.command === "Arrive" && message.code === "password") wanted()
    if (message._tag === "Renamed" && before.nick !== model.nick) {
      me = model.nick
      remember("nick", model.nick)
    }
    // A connection that ended without a word keeps one's nick for a while.
    if (message._tag === "Quit" && me !== undefined && message.nick === me && model.nick !== me) link.send({ _tag: "SetNick", nick: me })
    if (begun) rememberRooms()
    if (before.current !== model.current) readdress()
    notify(before, model)
  },
  onQuiet: () => {
    const room = [...model.conversations.values()].find((of) => Model.isRoom(of.id) && of.stage === "in")
    if (room !== undefined) link.send({ _tag: "Look", room: room.id })
    return room !== undefined
  },
  onPhase: (next, wait) => {
    phase = next
    seconds = wait
    if (phase === "connecting") given = false
    show()
  }
})

/** Open a conversation. It is shown at once, and not with the next frame: whoever typed this types on, into what is open then. */
const turnTo = (id: string, name: string | undefined): void => {
  model = Model.turnTo(model, id, name)
  refresh()
}

const turn = (id: string): void => {
  turnTo(id, model.conversations.get(id)?.name)
  if (history.state !== id) history.pushState(id, "", addressOf(id))
}

const enter = (line: string): void => {
  const { remark, turn: to, wishes } = Typed.typed(line, model.current)
  for (const wish of wishes) {
    if (phase === "outside" && wish._tag === "Arrive" && wish.password !== undefined) give(wish.password)
    else link.send(wish)
  }
  if (to !== undefined) turn(to)
  if (remark !== undefined) set(Model.remark(model, remark))
}

const leave = (id: string): void => {
  const stage = model.conversations.get(id)?.stage
  if (Model.isRoom(id) && phase === "open" && stage !== "out") {
    // Behind a Join that may not be answered yet.
    link.send({ _tag: "Part", room: id })
    if (stage === "in") return
  }
  set(Model.close(model, id))
  readdress()
  rememberRooms()
}

const onAddress = (): void => {
  const room = addressed()
  const id = room === undefined ? history.state as string | null : Model.roomId(room)
  if (id === null || (room === undefined && !model.conversations.has(id))) return
  if (room !== undefined && !model.conversations.has(id)) link.send(...Typed.join(room, {}))
  turnTo(id, model.conversations.get(id)?.name ?? room)
  readdress()
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

/** In a log, Tab goes past all its nicks: those who are there are listed beside it. */
const Nick = ({ nick, tabbed }: { readonly nick: string; readonly tabbed: boolean }) => (
  <button type="button" class="nick" tabIndex={tabbed ? 0 : -1} style={{ "--hue": hue(nick) }} onClick={() => turn(Model.keyOf(nick))} title={`talk to ${nick} alone`}>{nick}</button>
)

const address = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}']/g

/** Colours and bold as IRC clients write them (https://modern.ircdocs.horse/formatting), which are not shown. */
// oxlint-disable-next-line no-control-regex
const formatting = /\u0003(?:\d{1,2}(?:,\d{1,2})?)?|\u0004(?:[\da-f]{6}(?:,[\da-f]{6})?)?|[\u0002\u000f\u0011\u0016\u001d-\u001f]/gi

const safe = (text: string): string => text.replace(formatting, "").split("\n").map(printable).join("\n")

/** Text with its addresses as links. */
const Words = ({ text: written }: { readonly text: string }) => {
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

const Log = ({ of }: { readonly of: Model.Conversation }) => {
  const box = useRef<HTMLDivElement>(null)
  const bottom = useRef(true)
  const height = useRef(0)
  const asked = useRef(false)
  const older = (): void => {
    const first = of.lines.find((line) => line.seq !== undefined)
    if (of.whole || of.asked || !Model.isRoom(of.id) || phase !== "open") return
    set(Model.asking(model, of.id))
    link.send({ _tag: "History", room: of.id, limit: 50, ...(first?.seq === undefined ? {} : { before: first.seq }) })
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
    const here = box.current!
    // The newest line stays in view when a phone's keyboard comes up.
    const resized = new ResizeObserver(() => {
      if (bottom.current) here.scrollTop = here.scrollHeight
    })
    resized.observe(here)
    return () => resized.disconnect()
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
        if (currentTarget.scrollTop < 200) older()
      }}
    >
      {Model.isRoom(of.id) && !of.whole && <button type="button" class="older" onClick={older} disabled={of.asked}>{of.asked ? "…" : "older messages"}</button>}
      <ol>{items}</ol>
    </div>
  )
}

/** All commands, and of nicks only as many. */
const maxOffers = 24

/** What was typed and not sent, by conversation. */
const drafts = new Map<string, string>()

const Composer = ({ of }: { readonly of: Model.Conversation }) => {
  const [text, write] = useState(drafts.get(of.id) ?? "")
  const setText = (words: string): void => {
    drafts.set(of.id, words)
    write(words)
  }
  const [at, setAt] = useState(0)
  const field = useRef<HTMLTextAreaElement>(null)
  const offered = Typed.completions(text, [...of.members.values()].map(({ nick }) => nick)).slice(0, maxOffers)
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
    // Anything else would be lost.
    if (phase !== "open" && !(phase === "outside" && /^\/pass\s/i.test(text))) return
    const tooMuch = Typed.tooMuch(text)
    if (tooMuch !== undefined) return set(Model.remark(model, tooMuch))
    for (const line of text.split("\n")) if (line.trim() !== "") enter(line)
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
        placeholder={phase === "open" ? `say something ${Model.isRoom(of.id) ? "in #" : "to "}${of.name}` : phase === "outside" ? "/pass PASSWORD" : "not connected"}
        aria-label={`say something ${Model.isRoom(of.id) ? "in #" : "to "}${of.name}`}
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
          <Nick nick={member.nick} tabbed />
          {member.rank !== "member" && <span class="hidden"> {member.rank}</span>}
          {member.away && <span class="hidden"> away</span>}
        </li>
      ))}
    </ul>
  </aside>
)

const State = () => (
  <p class={`state ${phase}`} role="status">
    {phase === "open" ? "" : phase === "connecting" ? "connecting…" : phase === "outside" ? "not let in yet" : <>connection lost; trying again in {seconds} s <button type="button" onClick={() => link.now()}>now</button></>}
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
  const opener = useRef<HTMLElement | undefined>(undefined)
  useEffect(() => {
    const onKey = (key: KeyboardEvent) => {
      if (key.key === "Escape") setDrawer(undefined)
      if (key.altKey && (key.key === "ArrowUp" || key.key === "ArrowDown")) {
        const ids = [...model.conversations.values()].sort((a, b) => Number(Model.isRoom(b.id)) - Number(Model.isRoom(a.id))).map((one) => one.id)
        const next = ids.at((ids.indexOf(model.current) + (key.key === "ArrowDown" ? 1 : -1)) % ids.length)
        key.preventDefault()
        if (next !== undefined) turn(next)
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
        <Rooms onTurn={() => setDrawer(undefined)} />
        <Self />
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
        <State />
        {of === undefined ? <p class="log nowhere">{phase === "open" && begun ? "You are in no room. Join one by its name." : ""}</p> : <Log key={`log ${of.id}`} of={of} />}
        {of !== undefined && <Composer key={`composer ${of.id}`} of={of} />}
      </main>
      {of !== undefined && Model.isRoom(of.id) && <Members of={of} />}
    </div>
  )
}

render(<App />, document.getElementById("chat")!)
