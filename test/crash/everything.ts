import { join } from 'node:path'
import {
  createTidemark,
  immutable,
  jsonl,
  memory,
  sqlite,
  ttl,
  untilInvalidated,
  type Resource,
  type Tidemark,
  type Tier,
} from '../../src/index.ts'
import type { Keyring } from '../../src/seal/index.ts'

/** Keys, by the group whose changes follow each other. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  ['north', 'south', 'east', 'west'].map((group) => [group, [0, 1, 2, 3].map((i) => `${group}-${i}`)]),
)

/** What lies under a key. */
export interface Secret {
  readonly group: string
  readonly token: string
}

/** A record of one life of a unit's memory. */
export interface Wave {
  readonly life: number
  readonly index: number
}

/** A cache over segments and a file, with what the crash test keeps in it. */
export interface Everything {
  readonly tide: Tidemark
  /** Those that outlive the process. */
  readonly tiers: readonly Tier[]
  readonly vault: Resource<string, Secret>
  readonly waves: Resource<readonly [string, number], Wave>
  readonly short: Resource<string, string>
}

/** The same for the process that is killed and for the one that looks afterwards. */
export function openAll(folder: string, ring: Keyring, life: () => number): Everything {
  const tiers = [jsonl({ path: join(folder, 'segments') }), sqlite({ path: join(folder, 'cache.db') })]
  const tide = createTidemark({ tiers: [memory(), ...tiers], keyring: ring })
  const vault = tide.resource<string, Secret>({
    name: 'vault',
    load: (key) => ({ group: groupOf(key), token: 'LOADED' }),
    scope: groupOf,
    secrets: ['token'],
    freshness: untilInvalidated(),
  })
  const waves = tide.resource<readonly [string, number], Wave>({
    name: 'waves',
    load: ([, index]) => ({ life: life(), index }),
    era: tide.era('era'),
    scope: ([unit]) => unit,
    freshness: immutable({ identity: (wave) => [wave.life] }),
  })
  const short = tide.resource<string, string>({ name: 'short', load: () => 'LOADED', freshness: ttl('5ms') })
  return { tide, tiers, vault, waves, short }
}

function groupOf(key: string): string {
  return key.split('-')[0] as string
}
