import type { EntryInfo } from 'tidemark'
import type { DeviceCache } from '../cache/device-cache.ts'
import { parseConnKey, type Address } from '../cache/conn-key.ts'
import type { JsonObject } from '../cache/record.ts'
import type { Lines } from './lines.ts'

/** What is known of one thing without asking anybody. */
export interface Known {
  readonly value: JsonObject
  readonly state: 'fresh' | 'stale'
  readonly tier: string
  readonly age_seconds: number
}

/** One unit as the cache knows it. */
export interface UnitOverview {
  readonly unit: string
  readonly address: Address
  readonly info: Known | undefined
  readonly status: Known | undefined
  readonly events: { readonly count: number; readonly last: JsonObject | undefined }
  /** Conversations running or waiting on its line. */
  readonly line: number
}

/** What is known of the given units and of every other one in the cache. Asks no unit. */
export async function fleetOverview(
  cache: DeviceCache,
  lines: Lines,
  units: readonly string[],
): Promise<UnitOverview[]> {
  const all = new Set(units)
  for await (const { key } of cache.info.entries()) all.add(String(key))
  for await (const { key } of cache.status.entries()) all.add(String(key))
  return Promise.all([...all].map((unit) => overviewOf(cache, lines, unit)))
}

async function overviewOf(cache: DeviceCache, lines: Lines, unit: string): Promise<UnitOverview> {
  const events = await cache.getAllEvents(unit)
  return {
    unit,
    address: parseConnKey(unit),
    info: await known(cache.info.entries({ scope: unit }), await cache.lastKnownInfo(unit)),
    status: await known(cache.status.entries({ scope: unit }), await cache.status.stored(unit, { stale: true })),
    events: { count: events?.length ?? 0, last: events?.at(-1) },
    line: lines.lengthOf(unit),
  }
}

async function known(entries: AsyncIterable<EntryInfo>, value: JsonObject | undefined): Promise<Known | undefined> {
  if (value === undefined) return undefined
  for await (const { state, tier, age } of entries) {
    return { value, state: state === 'fresh' ? 'fresh' : 'stale', tier, age_seconds: Math.floor(age / 1000) }
  }
  return undefined
}
