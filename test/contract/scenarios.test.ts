// Which scenario runs over which tiers, and in which file: a scenario is a test whose title has its name.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Over every tier alone and behind memory (`stacks.ts`), and over whatever else is named. */
type Where = Readonly<Record<string, string>>

/** Runs over memory, sqlite, jsonl, redis, postgres and stacks of them: see `stacks.ts`. */
const EVERY = 'every tier'
/** Runs over a tier that does what it is told: what stands around a tier is the same for all. */
const ANY = 'any tier, by the guard'
const PROCESSES = 'several processes: sqlite, jsonl, redis, postgres'

const SCENARIOS: Readonly<Record<string, Where>> = {
  // C1: invalidation and loading
  'inflight-delete-fences': { [EVERY]: 'contract/c1-invalidation', [PROCESSES]: 'contract/c1-processes' },
  'reader-after-delete-never-sees-old': { [EVERY]: 'contract/c1-invalidation', [PROCESSES]: 'contract/c1-processes' },
  'tag-invalidation-during-load': { [EVERY]: 'contract/c1-invalidation' },
  'set-beats-older-load': { [EVERY]: 'contract/c1-invalidation' },
  'two-process-lost-update': { [PROCESSES]: 'contract/c1-processes', jsonl: 'jsonl/processes' },
  'promotion-never-resurrects': { [ANY]: 'contract/c1-promotion' },
  'promotion-keeps-expiry': { sqlite: 'contract/c1-promotion' },
  'era-switch-atomic': { [EVERY]: 'contract/c1-invalidation', [PROCESSES]: 'contract/c1-processes' },
  // C2: flights
  'one-load-per-key': { [EVERY]: 'contract/c2-flights', [PROCESSES]: 'contract/c1-processes' },
  'waiters-share-failure': { [EVERY]: 'contract/c2-flights' },
  'load-deadline': { [EVERY]: 'contract/c2-flights' },
  'hung-refresh-releases': { [EVERY]: 'contract/c2-flights' },
  'release-is-owner-checked': { [EVERY]: 'contract/c2-flights' },
  'refresh-backoff': { [EVERY]: 'contract/c2-flights' },
  'holder-killed': { [PROCESSES]: 'contract/c1-processes' },
  'reentrant-load': { [EVERY]: 'contract/c2-flights' },
  'loader-error-propagates': { [EVERY]: 'contract/c2-flights' },
  // C3: tiers that fail
  'hung-tier-bounded': { [ANY]: 'contract/c3-failing-tiers' },
  'outage-journal-replay': { [ANY]: 'contract/c3-failing-tiers', 'over a restart': 'stack/notes' },
  'config-off-stays-off': { [ANY]: 'contract/c3-failing-tiers' },
  'every-tier-recovers': { [ANY]: 'contract/c3-failing-tiers' },
  'read-error-is-not-empty': { [ANY]: 'contract/c3-failing-tiers' },
  'failed-write-leaves-no-old-value': { [ANY]: 'contract/c3-failing-tiers' },
  'disk-full': {
    sqlite: 'contract/c3-sqlite-file',
    jsonl: 'jsonl/disk-full',
    redis: 'redis/outage',
    postgres: 'postgres/disk-full',
    artifacts: 'artifact/trouble',
  },
  'corrupt-file': { sqlite: 'contract/c3-sqlite-file' },
  'bit-flip': { sqlite: 'contract/c3-sqlite-file', jsonl: 'jsonl/poison', redis: 'redis/frame' },
  'torn-tail': { jsonl: 'jsonl/torn' },
  'poison-lines': { jsonl: 'jsonl/poison' },
  'kill-9': {
    sqlite: 'crash/sqlite-crash',
    jsonl: 'jsonl/crash',
    'key rotation in sqlite and jsonl': 'crash/rekey-crash',
    'both, with eras, sweeps, compaction and rotation': 'crash/everything',
    artifacts: 'artifact/crash',
  },
  'busy-database': { sqlite: 'contract/c3-sqlite-file' },
  'read-only-directory': {
    sqlite: 'contract/c3-sqlite-file',
    jsonl: 'jsonl/folder',
    artifacts: 'artifact/trouble',
  },
  'missing-directory': { sqlite: 'contract/c3-sqlite-file', jsonl: 'jsonl/folder' },
  'deleted-under-us': { sqlite: 'contract/c3-sqlite-file', jsonl: 'jsonl/folder' },
  'too-many-files': { sqlite: 'contract/c3-sqlite-file', jsonl: 'jsonl/folder', artifacts: 'artifact/trouble' },
  'slow-reset-partitioned-redis': { redis: 'redis/outage', 'eight processes': 'soak/redis-outage' },
  'bus-loss-duplicate-reorder': { redis: 'redis/feed', 'eight processes': 'soak/redis-outage' },
  'no-unhandled-rejection': { sqlite: 'contract/c3-sqlite-file', redis: 'redis/outage' },
  'no-leak': { [ANY]: 'contract/c3-failing-tiers', sqlite: 'contract/c3-sqlite-file', redis: 'redis/outage' },
  // C4: data
  'every-value-everywhere': { [EVERY]: 'contract/c4-data' },
  'every-key': { [EVERY]: 'contract/c4-data' },
  'mutation-cannot-poison': { [EVERY]: 'contract/c4-data' },
  'clear-clears-exactly': { [EVERY]: 'contract/c4-data' },
  'sealed-swap': { 'every sealed tier': 'contract/c4-sealing' },
  'wrong-key': { 'every sealed tier': 'contract/c4-sealing' },
  rotation: { 'every sealed tier': 'contract/c4-rotation', 'killed meanwhile': 'crash/rekey-crash' },
  'no-secret-leaks': { 'every sealed tier': 'contract/c4-sealing' },
  'skewed-versions': { sqlite: 'sqlite/schema', redis: 'redis/frame' },
  // C5: time
  'clock-steps': { [EVERY]: 'contract/c5-time' },
  'long-ttl': { [EVERY]: 'contract/c5-time', 'the clock': 'clock/clock' },
  'swr-window-anchors': { [EVERY]: 'contract/c5-time' },
  'inclusive-boundary': { [EVERY]: 'contract/c5-time', 'the judge': 'policy/judge' },
  // C6: counting
  'stats-add-up': { [EVERY]: 'contract/c6-counting' },
  'labels-are-bounded': { [EVERY]: 'contract/c6-counting' },
}

/** The titles of a file of tests, as they stand there, with the rows that fill them in. */
const titlesOf = (file: string): string => {
  const text = readFileSync(`${ROOT}${file}.test.ts`, 'utf8')
  const calls = text.matchAll(/\b(?:it|test|describe)(?:\.(?:for|each)\([\s\S]*?\))?\(\s*(['"`])[\s\S]*?\1/g)
  return [...calls].map(([call]) => call).join('\n')
}

describe.each(Object.entries(SCENARIOS))('%s', (scenario, where) => {
  it.for(Object.entries(where))('has a test: %s in %s', ([, file]) => {
    expect(titlesOf(file)).toContain(scenario)
  })
})
