import { createTidemark, immutable, memory, sliding, type TidemarkEvent } from 'tidemark'
import { expect, it } from 'vitest'

it('a collection tells of misses, loads, hits of items, and sets', async () => {
  await using tide = createTidemark({ tiers: [memory()] })
  const heard: string[] = []
  tide.on('event', (event: TidemarkEvent) => void heard.push(event.type))
  const list = tide.collection<string, string>({ name: 'list', probe: () => ({ count: 2 }), load: () => ['a', 'b'] })
  await list.list('k')
  await list.at('k', 1)
  await list.set('k', new Map([[0, 'c']]))
  expect(heard).toEqual(['miss', 'loaded', 'hit', 'set'])
})

it.for([sliding('1m'), immutable({ identity: (it: unknown) => [String(it)] })])(
  'freshness that cannot be that of a count is refused: $kind',
  (freshness) => {
    const tide = createTidemark({ tiers: [memory()] })
    const make = (): unknown =>
      tide.collection<string, string>({
        name: 'list',
        probe: () => ({ count: 0 }),
        load: () => [],
        freshness,
      })
    expect(make).toThrow(expect.objectContaining({ code: 'invalid-option' }))
  },
)
