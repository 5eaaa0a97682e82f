/**
 * Who hears what: entries go to the rings of rooms and to those they concern, answers to whoever asked. Whoever comes or goes by an
 * entry gets or gives up a place. Knows no rules and no log.
 */
import type { Entry, SessionId } from "../Event.ts"
import * as Name from "../Name.ts"
import type { Rooms } from "../Rooms.ts"
import type { Subscription } from "../Subscription.ts"
import * as World from "../World.ts"

export class Router {
  readonly #rooms: Rooms
  /** Subscriptions of those who have arrived. */
  readonly #members: Map<SessionId, Subscription>
  /** Those of others who have a seat. */
  readonly #strangers: Set<Subscription>

  constructor(rooms: Rooms, members: Map<SessionId, Subscription>, strangers: Set<Subscription>) {
    this.#rooms = rooms
    this.#members = members
    this.#strangers = strangers
  }

  /** An entry goes to those who hear it, in the world that it was folded into. */
  route(world: World.World, entry: Entry, by: Subscription, { concerns, to }: World.Kept): void {
    const { event } = entry
    if (event._tag === "Arrived") {
      this.#members.set(by.id, by)
      this.#strangers.delete(by)
    }
    if (event._tag === "Joined" && this.#members.has(by.id)) {
      by.enter(this.#rooms.ring(Name.key(event.room), event.room), entry.seq, World.room(world, event.room)?.number)
    }
    if (typeof to === "string") this.#rooms.publish(to, entry, by, concerns)
    else {
      for (const room of to.rooms) this.#rooms.publish(room, entry, by, concerns)
      for (const id of to.sessions) this.#tell(id, entry, id === by.id)
    }
    switch (event._tag) {
      case "Said":
        by.spokeAt = entry.at
        return
      case "Passed":
        return
      case "Whispered":
        by.spokeAt = entry.at
        break
      case "Left":
        by.leave(Name.key(event.room), entry.seq)
        this.#tell(by.id, entry, true)
        break
      case "Kicked": {
        const target = concerns === undefined ? undefined : this.#members.get(concerns)
        if (target !== undefined) {
          target.leave(Name.key(event.room), entry.seq)
          this.#tell(target.id, entry, true)
        }
        break
      }
      case "Joined":
        this.#tell(by.id, entry, true)
        break
      case "Quit":
        this.#members.delete(by.id)
        by.end()
        break
      case "RankSet":
        if (concerns !== undefined) this.#tell(concerns, entry, true)
        break
    }
  }

  #tell(id: SessionId, entry: Entry, needed: boolean): void {
    const subscription = this.#members.get(id)
    if (subscription === undefined) return
    subscription.tell(entry, needed)
    this.#rooms.willRing(subscription)
  }

  /** An answer behind the entry `seq`, for whoever asked or for those it names who are here. */
  answer(seq: number, asker: Subscription, { answer, to }: World.Told): void {
    if (to === undefined) this.pass(seq, asker, answer)
    else {
      for (const id of to) {
        const other = this.#members.get(id)
        if (other === undefined) continue
        if (answer._tag === "Closing") other.answer(seq, answer)
        else other.hint(seq, answer)
        this.#rooms.willRing(other)
      }
    }
  }

  pass(seq: number, to: Subscription, answer: World.Reply): void {
    to.answer(seq, answer)
    this.#rooms.willRing(to)
  }
}
