import { createTidemark, memory, ttl } from 'tidemark'
import { redis } from 'tidemark/redis'
import type { Peer } from '../peer.ts'

/** Ours, as its pages show it. */
export const tidemark: Peer = {
  name: 'tidemark',
  setup:
    '`memory()`, in front of `redis({ client, subscriber })` where a scenario has a second tier; all else as it comes',
  lacks: {},
  open: async ({
    load,
    name = 'things',
    ttlMs = 60_000,
    staleMs = 0,
    refreshes,
    loadTimeoutMs,
    tags,
    remote,
    clock,
  }) => {
    const tiers = remote && [
      redis({ client: await remote.client(), subscriber: await remote.client(), prefix: remote.prefix }),
    ]
    const tide = createTidemark({
      tiers: [memory(), ...(tiers ?? [])],
      clock: clock && { now: () => clock.now(), coarse: () => clock.now(), schedule },
    })
    const things = tide.resource({
      name,
      load,
      freshness: ttl(ttlMs),
      tags,
      staleIfError: staleMs,
      staleWhileRevalidate: refreshes ? staleMs : 0,
      timeout: loadTimeoutMs === undefined ? undefined : { hard: loadTimeoutMs },
    })
    return {
      get: (key) => things.get(key),
      set: (key, value) => things.set(key, value),
      delete: (key) => things.delete(key),
      clear: () => things.clear(),
      invalidateTag: (tag) => tide.deleteTag(tag),
      counts: () => things.stats(),
      close: () => tide.close(),
    }
  },
}

function schedule(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref()
  return () => clearTimeout(timer)
}
