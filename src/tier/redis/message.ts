/** What a change tells on the channel; `lua/prelude.lua` writes it. */
export interface Message {
  /** Who made the change. */
  readonly origin: string
  readonly epoch: string
  readonly sequence: number
  readonly slot: number
  /** Which name changed: a life's label. */
  readonly label: string
}

// The label comes last: a name may hold anything.
const FORM = /^1 (\S+) (\S+) (\d+) (\d+) ([^]*)$/

/** The message, or `undefined` for one of a version that is not known here. */
export function parseMessage(text: string): Message | undefined {
  const parts = FORM.exec(text)
  if (!parts) return undefined
  const [, origin, epoch, sequence, slot, label] = parts as unknown as [string, string, string, string, string, string]
  return { origin, epoch, sequence: Number(sequence), slot: Number(slot), label }
}
