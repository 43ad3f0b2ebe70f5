// Each policy does what its name says: one trace, and who is left after it.

import { describe, expect, it } from 'vitest'
import { memory, type EvictionName } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

const ROOM = 100

/** A full cache with keys 0 to 99, put in that order. */
function full(eviction: EvictionName): {
  put: (id: string) => void
  read: (id: string, times?: number) => void
  left: () => Promise<Set<string>>
  last: () => string | undefined
} {
  const clock = new FakeClock()
  let last: string | undefined
  const tier = memory({ eviction, maxEntries: ROOM, onEvict: ({ id }) => (last = id) })
  tier.attach?.({ clock, report: () => {} })
  const put = (id: string): void => void tier.put(entryOf(clock, 'n', id, id))
  for (let i = 0; i < ROOM; i++) put(`k${i}`)
  return {
    put,
    read: (id, times = 1) => {
      for (let i = 0; i < times; i++) void tier.get({ name: 'n', id })
    },
    left: async () => {
      const left = new Set<string>()
      for await (const { key } of tier.keys({ kind: 'all' })) left.add(key.id)
      return left
    },
    last: () => last,
  }
}

const HOT = Array.from({ length: 40 }, (_, i) => `k${i}`)
const kept = (left: ReadonlySet<string>, keys: readonly string[]): number => keys.filter((key) => left.has(key)).length

/** Sketches and ghosts tell keys apart nearly always, so nine in ten is all. */
const share = (left: ReadonlySet<string>): string => {
  const n = kept(left, HOT)
  return n === 0 ? 'none' : n >= HOT.length * 0.9 ? 'all' : `${n} of ${HOT.length}`
}

describe('who leaves next', () => {
  it('fifo: who came first, however much it is read [proxies 32]', () => {
    const cache = full('fifo')
    cache.read('k0', 50)
    cache.put('new')
    expect(cache.last()).toBe('k0')
    cache.put('k1')
    cache.put('newer')
    expect(cache.last(), 'writing it again does not make it younger').toBe('k1')
  })

  it('lru: who was not used for the longest time', () => {
    const cache = full('lru')
    cache.read('k0')
    cache.read('k2', 50)
    cache.put('new')
    expect(cache.last()).toBe('k1')
    cache.put('newer')
    expect(cache.last()).toBe('k3')
    cache.read('k4')
    cache.put('newest')
    expect(cache.last()).toBe('k5')
  })

  it('lfu: who was used seldom, not who was used long ago [proxies 32]', () => {
    const cache = full('lfu')
    for (const key of HOT) cache.read(key, 10)
    const before = ROOM * 5
    for (let i = 0; i < before; i++) cache.put(`once${i}`)
    expect(HOT).not.toContain(cache.last())
  })

  it('s3-fifo: who was never read again, not who was', () => {
    const cache = full('s3-fifo')
    for (const key of HOT) cache.read(key)
    for (let i = 0; i < ROOM - HOT.length; i++) {
      cache.put(`new${i}`)
      expect(HOT).not.toContain(cache.last())
    }
  })
})

describe('what they are for', () => {
  it('a scan of keys nobody reads again flushes fifo and lru, and leaves what is in use to s3-fifo and lfu', async () => {
    const left: Record<string, string> = {}
    for (const eviction of ['fifo', 'lru', 'lfu', 's3-fifo'] as const) {
      const cache = full(eviction)
      for (const key of HOT) cache.read(key, 3)
      for (let i = 0; i < ROOM * 3; i++) cache.put(`scan${i}`)
      left[eviction] = share(await cache.left())
    }
    expect(left).toEqual({ fifo: 'none', lru: 'none', lfu: 'all', 's3-fifo': 'all' })
  })

  it('what is read again and again stays with all but fifo', async () => {
    for (const eviction of ['fifo', 'lru', 'lfu', 's3-fifo'] as const) {
      const cache = full(eviction)
      for (let i = 0; i < ROOM * 10; i++) {
        for (const key of HOT.slice(0, 10)) cache.read(key)
        cache.put(`new${i}`)
      }
      expect(kept(await cache.left(), HOT.slice(0, 10)), eviction).toBe(eviction === 'fifo' ? 0 : 10)
    }
  })

  it('newcomers that are read push out what was popular once: soon with s3-fifo and lru, late with lfu', async () => {
    const left: Record<string, string> = {}
    for (const eviction of ['lru', 'lfu', 's3-fifo'] as const) {
      const cache = full(eviction)
      for (const key of HOT) cache.read(key, 12)
      for (let i = 0; i < ROOM * 3; i++) {
        cache.put(`new${i}`)
        cache.read(`new${i}`)
      }
      left[eviction] = share(await cache.left())
    }
    expect(left).toEqual({ lru: 'none', lfu: 'all', 's3-fifo': 'none' })
  })

  it('lfu forgets: what was popular long ago makes room for what is popular now', async () => {
    const cache = full('lfu')
    for (const key of HOT) cache.read(key, 12)
    const now = Array.from({ length: 60 }, (_, i) => `now${i}`)
    for (let round = 0; round < 200; round++) {
      for (const key of now) {
        cache.read(key)
        if (round % 2 === 0) cache.put(key)
      }
    }
    expect(kept(await cache.left(), now)).toBeGreaterThan(55)
  })

  it('s3-fifo remembers who left lately: who comes back goes straight to those who stay', async () => {
    const cache = full('s3-fifo')
    for (const key of HOT) cache.read(key)
    cache.put('back')
    let scanned = 0
    while ((await cache.left()).has('back')) cache.put(`scan${scanned++}`)
    cache.put('back')
    for (let i = 0; i < ROOM * 3; i++) cache.put(`later${i}`)
    expect((await cache.left()).has('back')).toBe(true)
  })
})
