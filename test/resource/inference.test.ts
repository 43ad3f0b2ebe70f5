import { createTidemark, isTidemarkError, memory, ttl } from 'tidemark'
import { expect, expectTypeOf, it } from 'vitest'

it('the type of the values comes from the loader, also when it takes its context', async () => {
  await using tide = createTidemark({ tiers: [memory()] })
  const plain = tide.resource({ name: 'plain', load: async (unit: string) => ({ unit }), freshness: ttl('1m') })
  const aborting = tide.resource({
    name: 'aborting',
    load: async (unit: string, { signal, stale }) => ({ unit, aborted: signal.aborted, had: stale !== undefined }),
    freshness: ttl('1m'),
  })
  expectTypeOf(await plain.get('a')).toEqualTypeOf<{ unit: string }>()
  expectTypeOf(await aborting.get('a')).toEqualTypeOf<{ unit: string; aborted: boolean; had: boolean }>()
  expect(await aborting.get('a')).toEqual({ unit: 'a', aborted: false, had: false })
  expect(await aborting.get('a', { refresh: true })).toMatchObject({ had: true })
})

it('an option of one call that nothing reads is refused', async () => {
  await using tide = createTidemark({ tiers: [memory()] })
  const plain = tide.resource({ name: 'plain', load: (unit: string) => unit, freshness: ttl('1m') })
  const list = tide.collection<string, string>({ name: 'list', probe: () => ({ count: 0 }), load: () => [] })
  for (const call of [
    () => plain.get('a', { refesh: true } as never),
    () => list.list('a', { force: true } as never),
  ]) {
    const error: unknown = await call().catch((it: unknown) => it)
    expect(isTidemarkError(error, 'unknown-option')).toBe(true)
  }
})
