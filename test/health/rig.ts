import {
  createTidemark,
  memory,
  sqlite,
  untilInvalidated,
  type HealthOptions,
  type Resource,
  type ResourceOptions,
  type Tidemark,
  type TidemarkEvent,
  type TidemarkOptions,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'

/** A cache whose one resource is checked. */
export interface Rig {
  readonly clock: FakeClock
  readonly tide: Tidemark
  readonly proxies: Resource<string, string>
  /** Of health, pools, deletions. */
  readonly events: TidemarkEvent[]
  /** Keys that fail now. */
  readonly down: Set<string>
  readonly checked: string[]
}

/** Opens one over a file; `options` are those of the health. */
export function open(
  options: Partial<HealthOptions<string>> = {},
  path = ':memory:',
  clock = new FakeClock(),
  more: Partial<ResourceOptions<string, string>> = {},
  tiers: TidemarkOptions['tiers'] = [memory(), sqlite({ path })],
): Rig {
  const down = new Set<string>()
  const checked: string[] = []
  const tide = createTidemark({ tiers, clock })
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => {
    if (['health', 'pool', 'deleted'].includes(event.type)) events.push(event)
  })
  const proxies = tide.resource({
    name: 'proxies',
    load: (url: string) => url,
    freshness: untilInvalidated(),
    health: {
      check: (url) => {
        checked.push(url)
        return { ok: !down.has(url), ...(down.has(url) ? { error: 'refused' } : {}) }
      },
      every: '5m',
      backoff: { base: '60s', max: '1h', jitter: 0 },
      ...options,
    },
    ...more,
  })
  return { clock, tide, proxies, events, down, checked }
}
