/**
 * What stands beside the conversation that is open: the others, oneself, and who is in the room. Knows nothing of what is said.
 */
import { useState } from "preact/hooks"
import * as Model from "./Model.ts"
import * as Notices from "./Notices.ts"
import * as Visit from "./Visit.ts"
import { Nick } from "./Words.tsx"

/** Where one is, and whom one talks to alone. */
export const Rooms = ({ model, onTurn }: { readonly model: Model.Model; readonly onTurn: () => void }) => {
  const [name, setName] = useState("")
  const all = [...model.conversations.values()]
  const item = (of: Model.Conversation) => (
    <li key={of.id} class={of.id === model.current ? "open" : ""}>
      <button type="button" aria-current={of.id === model.current ? "page" : undefined} onClick={() => {
        Visit.turn(of.id)
        onTurn()
      }}>
        <span class="name">{Model.isRoom(of.id) ? `#${of.name}` : of.name}</span>
        {of.unread > 0 && <span class={of.mentions > 0 ? "count mention" : "count"} aria-label={`${of.unread} not read`}>{of.unread}</span>}
      </button>
      <button type="button" class="close" aria-label={`leave ${of.name}`} onClick={() => Visit.leave(of.id)}>×</button>
    </li>
  )
  return (
    <nav aria-label="conversations">
      <h2>Rooms</h2>
      <ul>{all.filter((of) => Model.isRoom(of.id)).map(item)}</ul>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (name.trim() !== "") Visit.enter(`/join ${name.trim()}`)
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

/** Who one is, and whether one is there. */
export const Self = ({ model, nick: called }: Visit.Now) => {
  const [nick, setNick] = useState<string | undefined>(undefined)
  return (
    <div class="self">
      {nick === undefined
        ? <button type="button" class="me" title="be called something else" onClick={() => setNick(called)}>{called || "…"}</button>
        : (
          <form onSubmit={(event) => {
            event.preventDefault()
            if (nick.trim() !== "") Visit.rename(nick.trim())
            setNick(undefined)
          }}>
            <input autoFocus value={nick} maxLength={32} aria-label="your nick" onInput={({ currentTarget }) => setNick(currentTarget.value)} onBlur={() => setNick(undefined)} />
          </form>
        )}
      <button type="button" aria-pressed={model.away} onClick={() => Visit.enter(model.away ? "/back" : "/away")}>{model.away ? "away" : "here"}</button>
      {Notices.areOffered() && <button type="button" onClick={() => void Notices.ask().then(Visit.show)}>notify me</button>}
    </div>
  )
}

/** Those who run the room, those who have a voice in it, everybody else; by nick. */
const order = (a: Model.Member, b: Model.Member): number =>
  Number(Model.runs(b.rank)) - Number(Model.runs(a.rank)) || Number(Model.voiced(b.rank)) - Number(Model.voiced(a.rank)) || (Model.keyOf(a.nick) < Model.keyOf(b.nick) ? -1 : 1)

/** Who is in a room. */
export const Members = ({ of }: { readonly of: Model.Conversation }) => (
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
