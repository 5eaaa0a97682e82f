/**
 * What commands lead to: each is decided against the world as the ones before will have left it, and what is to be kept of that is
 * drafted. Changes no world and keeps nothing; knows no rings and no turns.
 */
import { type Command, isSay } from "../Command.ts"
import * as Doors from "../Doors.ts"
import type { Fact } from "../Event.ts"
import { also, none } from "../Few.ts"
import type { Draft } from "../Log.ts"
import type { Subscription } from "../Subscription.ts"
import * as World from "../World.ts"

/** What somebody asks for, in order. */
export interface Asked {
  readonly subscription: Subscription
  readonly commands: ReadonlyArray<Command>
}

/** What commands led to, in order: each outcome, and in the same place whose it is; drafts of the entries it takes; the world after them. */
export interface Plan {
  outcomes: Array<World.Outcome>
  by: Array<Subscription>
  drafts: Array<Draft>
  head: World.World
}

/** What is asked of whoever wants something decided. */
export interface Around {
  /** What may be known besides the world when this one asks; a moment for one who arrives is for no other. */
  readonly moment: (by: Subscription, at: number, arrives: boolean) => World.Moment
  /** Another name for each entry. */
  readonly nextId: () => string
  /** A rule failed. */
  readonly onFailed: (cause: unknown) => void
}

/** What is answered where the server itself failed. */
export const failed = { _tag: "Refused", reason: "that failed inside the server; the operator finds why in the log" } as const

export class Decider {
  readonly #around: Around
  readonly #named = Doors.make()
  /** Another for each world that anything is decided in. */
  #worlds = 0
  /** What the last plan changed of those who asked. */
  #undo: Array<() => void> = []

  constructor(around: Around) {
    this.#around = around
  }

  /** Decide everything that is asked, at this time in milliseconds since 1970. */
  decide(world: World.World, work: ReadonlyArray<Asked>, at: number): Plan {
    const plan: Plan = { outcomes: none, by: none, drafts: none, head: world }
    if (this.#undo.length > 0) this.#undo = []
    let anyone: World.Moment | undefined
    for (const { commands, subscription } of work) {
      for (const command of commands) {
        let outcomes: ReadonlyArray<World.Outcome>
        try {
          if (isSay(command) && this.#say(plan, subscription, command, at)) continue
          const moment = command._tag === "Arrive" || command._tag === "Introduce"
            ? this.#around.moment(subscription, at, true)
            : anyone ??= this.#around.moment(work[0]!.subscription, at, false)
          outcomes = World.decide(plan.head, subscription.id, command, moment)
        } catch (cause) {
          this.#around.onFailed(cause)
          outcomes = [{ answer: failed }]
        }
        const last = command._tag === "Together" ? outcomes.findLastIndex(World.isKept) : 0
        for (let i = 0; i < outcomes.length; i++) this.#follow(plan, subscription, outcomes[i]!, at, i < last)
      }
    }
    return plan
  }

  /** What is only said, which is nearly all that is asked: false when it is to be decided as everything else. It changes no world. */
  #say(plan: Plan, subscription: Subscription, command: Command & { readonly _tag: "Say" }, at: number): boolean {
    const { head } = plan
    let { standing } = subscription
    if (standing === undefined || standing.world !== this.#worlds || standing.target !== command.target) {
      const of = World.standing(head, subscription.id, command)
      standing = subscription.standing = {
        ...of,
        world: this.#worlds,
        name: of.to === undefined ? "" : this.#named(of.to, head, head) as string
      }
    }
    const said = World.saying(standing, command)
    if (said === undefined) return false
    plan.outcomes = also(plan.outcomes, said)
    plan.by = also(plan.by, subscription)
    plan.drafts = also(plan.drafts, this.#draft(subscription, said.event, standing.name, at, false))
    return true
  }

  /** One of the outcomes of a command; `more` of it are to be kept. */
  #follow(plan: Plan, subscription: Subscription, outcome: World.Outcome, at: number, more: boolean): void {
    plan.outcomes = also(plan.outcomes, outcome)
    plan.by = also(plan.by, subscription)
    if (!World.isKept(outcome)) return
    const { event } = outcome
    const was = plan.head
    plan.head = World.evolve(was, subscription.id, event, at)
    if (plan.head !== was) this.#worlds++
    switch (event._tag) {
      case "Arrived":
        this.#mark(subscription, `${event.user ?? event.dialect}@${event.address}`, subscription.bot)
        break
      case "TraitSet":
        if (event.trait === "bot") this.#mark(subscription, subscription.from, event.on)
        break
    }
    plan.drafts = also(plan.drafts, this.#draft(subscription, event, this.#named(outcome.to, was, plan.head), at, more))
  }

  /** What is to be kept of an event. Only what there is to say is there, for it is written down. */
  #draft({ bot, from, id: by }: Subscription, event: Fact, to: World.Audience, at: number, more: boolean): Draft {
    const id = this.#around.nextId()
    const plain: Draft = from === undefined ? { at, id, by, event, to } : { at, id, by, from, event, to }
    return bot || more ? { ...plain, ...(bot ? { bot } : {}), ...(more ? { more } : {}) } : plain
  }

  /** From now on its drafts say where it is, and whether it is a program. */
  #mark(subscription: Subscription, from: string | undefined, bot: boolean): void {
    const { bot: wasBot, from: was } = subscription
    this.#undo.push(() => {
      subscription.from = was
      subscription.bot = wasBot
    })
    subscription.from = from
    subscription.bot = bot
  }

  /** What was decided last comes to nothing: the world it began with goes on, where others stand than in those it would have led to. */
  drop(): void {
    this.#worlds++
    for (const undo of this.#undo.reverse()) undo()
  }

  /** The answers to what need not be kept; `undefined` of anything else. */
  answers(world: World.World, subscription: Subscription, command: Command, at: number): ReadonlyArray<World.Reply> | undefined {
    const replies: Array<World.Reply> = []
    try {
      for (const outcome of World.decide(world, subscription.id, command, this.#around.moment(subscription, at, false))) {
        if (World.isKept(outcome) || outcome.to !== undefined || outcome.answer._tag === "Controlled") return undefined
        replies.push(outcome.answer)
      }
    } catch {
      return undefined
    }
    return replies
  }
}
