/**
 * How far what came in one go is heard in one go, so that it comes to the same however it is cut: what depends on an answer waits
 * for it. Knows no lines, and no dialect.
 */
import type { Command } from "../Command.ts"
import type { Output, Step } from "../Dialect.ts"
import { also, none } from "../Few.ts"

/** What came and is not heard yet: those from `from` on. */
export interface Waiting<Item> {
  readonly items: ReadonlyArray<Item>
  readonly from: number
}

/** Nothing waits. */
export const nothing: Waiting<never> = { items: none, from: 0 }

/** These behind what waits. */
export const followed = <Item>(waiting: Waiting<Item>, items: ReadonlyArray<Item>): Waiting<Item> =>
  waiting === nothing ? { items, from: 0 } : items.length === 0 ? waiting : { items: [...waiting.items.slice(waiting.from), ...items], from: 0 }

/** What is only said or asked: no answer to it changes how the client is understood. */
const changesNothing: ReadonlySet<Command["_tag"]> = new Set<Command["_tag"]>([
  "Fence", "Hint", "History", "List", "Look", "Masks", "Motd", "Names", "Observe", "Pass", "Say", "Search", "Whisper", "Who"
])

/** One thing heard after another, until the next has to wait. */
export class Turn<State> {
  state: State
  outputs: Array<Output> = none
  /** Whether something was asked for, whose answer will be in the words that `state` has for it. */
  #asked = false
  /** Whether the next has to wait for an answer. */
  over = false

  readonly #isAlone: (command: Command) => boolean

  /** `isAlone`: whether the answer to something is the same whatever is heard meanwhile, so that nothing need wait for it. */
  constructor(state: State, isAlone: (command: Command) => boolean = () => false) {
    this.state = state
    this.#isAlone = isAlone
  }

  /** Take one thing that is said and changes nothing. False when it has to wait. */
  say(command: Command): boolean {
    if (this.over) return false
    this.outputs = also(this.outputs, command)
    return this.#asked = true
  }

  /** Take what comes of the next. False, and nothing taken, when it has to wait. */
  take({ outputs, state }: Step<State>): boolean {
    if (this.over || (this.#asked && state !== this.state)) {
      this.over = true
      return false
    }
    this.state = state
    for (const output of outputs) {
      this.outputs = also(this.outputs, output)
      if (output._tag === "Reply" || (output._tag !== "Close" && this.#isAlone(output))) continue
      this.#asked = true
      if (output._tag === "Close" || !changesNothing.has(output._tag)) this.over = true
    }
    return true
  }

  /** Hear those that wait, up to one that has to wait longer; what is left. */
  hear<Item>({ from, items }: Waiting<Item>, hear: (state: State, item: Item) => Step<State>): Waiting<Item> {
    let next = from
    while (next < items.length && !this.over && this.take(hear(this.state, items[next]!))) next++
    return next === items.length ? nothing : next === from ? { items, from } : { items, from: next }
  }
}
