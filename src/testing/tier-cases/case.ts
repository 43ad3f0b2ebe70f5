import { FOREVER, type Entry, type KeyInfo } from '../../entry.ts'
import { keyId, type KeyInput, type Selector } from '../../key.ts'
import type { Tier } from '../../tier/tier.ts'
import type { FakeClock } from '../fake-clock.ts'

/** One thing a tier has to do. */
export interface TierCase {
  readonly name: string
  readonly run: (tier: Tier, clock: FakeClock) => Promise<void>
}

/** An entry as a resource would make it, fresh for ever unless told otherwise. */
export function entryOf(
  clock: FakeClock,
  name: string,
  key: KeyInput,
  value: unknown,
  more: Partial<Entry> = {},
): Entry {
  return {
    key: { name, id: keyId(key) },
    value,
    loadedAt: clock.now(),
    freshUntil: FOREVER,
    staleUntil: FOREVER,
    errorUntil: FOREVER,
    keepUntil: FOREVER,
    ...more,
  }
}

/** The value under a key, or `undefined`. */
export async function valueOf(tier: Tier, name: string, key: KeyInput): Promise<unknown> {
  return (await tier.get({ name, id: keyId(key) }))?.value
}

/** The keys a selector means, sorted. */
export async function listed(tier: Tier, selector: Selector): Promise<string[]> {
  const infos: KeyInfo[] = []
  for await (const info of tier.keys(selector)) infos.push(info)
  return infos.map(({ key }) => `${key.name}/${key.id}`).toSorted()
}
