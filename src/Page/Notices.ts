/**
 * The browser's notifications: of what is meant for one while one looks elsewhere, if one asked for them and allowed them.
 * Knows no connection, and nothing else of the page.
 */
import { remember, remembered } from "./Memory.ts"
import * as Model from "./Model.ts"

/** Whether one can still ask for them. */
export const areOffered = (): boolean => "Notification" in window && remembered("notify") !== "yes"

/** Ask for them; what was answered is remembered. */
export const ask = async (): Promise<void> => {
  const answer = await Notification.requestPermission()
  remember("notify", answer === "granted" ? "yes" : "no")
}

/** Show what is new and meant for one; `turn` opens the conversation of one that is clicked. */
export const notify = (before: Model.Model, after: Model.Model, turn: (id: string) => void): void => {
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
