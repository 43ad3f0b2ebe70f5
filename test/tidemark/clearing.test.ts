import { createTidemark, memory, sqlite, ttl } from 'tidemark'
import { expect, it } from 'vitest'

it('clear and deleteTag count what left, by name', async () => {
  await using tide = createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })] })
  const load = (unit: string): string => unit
  const a = tide.resource({ name: 'a', load, tags: () => ['x'], freshness: ttl('1m') })
  const b = tide.resource({ name: 'b', load, freshness: ttl('1m') })
  await Promise.all([a.get('1'), a.get('2'), b.get('1')])
  await tide.deleteTag('x')
  expect([(await a.stats()).evictions.explicit, (await b.stats()).evictions.explicit]).toEqual([2, 0])
  await a.get('1')
  await tide.clear()
  expect([(await a.stats()).evictions.explicit, (await b.stats()).evictions.explicit]).toEqual([3, 1])
})

it('counting is not limited to what one read may take', async () => {
  // A budget no count keeps: the answer is right all the same, and the tier stays in use.
  await using tide = createTidemark({
    tiers: [memory({ maxEntries: 10 }), { tier: sqlite({ path: ':memory:' }), budget: 1 }],
  })
  const many = tide.resource({ name: 'many', load: (n: number) => n, freshness: ttl('1m') })
  await Promise.all(Array.from({ length: 60_000 }, (_, n) => many.set(n, n)))
  expect(await many.count()).toBe(60_000)
  expect((await tide.tiers())[1]).toMatchObject({ state: 'up', failures: { reads: 0, writes: 0 } })
})
