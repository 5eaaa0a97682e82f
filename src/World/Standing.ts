/**
 * Where what somebody says goes, found once for as long as the world stays the same: while people only talk it does, and each
 * message would ask the same of it. Knows no rule of its own: it asks what a message like those would lead to.
 */
import { type Command, isPlainly } from "../Command.ts"
import type { SessionId } from "../Event.ts"
import * as Text from "../Text.ts"
import { decideSaying } from "./Decide.ts"
import { isKept, type Kept } from "./Outcome.ts"
import type { World } from "./State.ts"

type Say = Command & { readonly _tag: "Say" }

/** As whom somebody says something plain to this target, and to which room, by its key and its name; `to` is `undefined` where there is more to it. */
export interface Standing {
  readonly target: string
  readonly kind: NonNullable<Say["kind"]>
  readonly to: string | undefined
  readonly room: string
  readonly nick: string
}

/** How somebody stands who says something like this. */
export const standing = (world: World, by: SessionId, { kind = "message", target }: Say): Standing => {
  const [outcome, ...others] = decideSaying(world, by, { _tag: "Say", target, text: "x", kind })
  return outcome !== undefined && others.length === 0 && isKept(outcome) && outcome.event._tag === "Said" && typeof outcome.to === "string"
    ? { target, kind, to: outcome.to, room: outcome.event.room, nick: outcome.event.nick }
    : { target, kind, to: undefined, room: "", nick: "" }
}

/** What `decideSaying` makes of this, for who stands like this; `undefined` when more is to be looked at than where it goes. */
export const saying = (of: Standing, said: Say): Kept | undefined => {
  const { kind = "message", tags, target, text } = said
  const isPlain = isPlainly(said) ? text.length <= Text.plainest : Text.isPlain(text)
  return isPlain && of.to !== undefined && target === of.target && kind === of.kind && tags === undefined && text.length > 0
    ? { event: { _tag: "Said", room: of.room, nick: of.nick, text, kind }, to: of.to, concerns: undefined }
    : undefined
}
