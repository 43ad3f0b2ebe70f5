// What is imported is what was exported and nothing else; what is not taken has a line and a reason.

import { describe, expect, it } from 'vitest'
import { createTidemark, immutable, type Resource, type Tidemark } from 'tidemark'
import { keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { changed, exported, first, fresh, newTiers, ring, second } from './exported.ts'
import { listOf, pool, proxyOf } from './stacks.ts'

describe('an import', () => {
  it('skips what is past its time, and what is here as new or newer', async () => {
    const { lines, clock } = await exported()
    const to = fresh(clock)
    await clock.advance('1m')
    await to.proxies.set('a', { url: 'newer' })
    expect(await to.tide.import(lines)).toEqual({
      imported: 2,
      skipped: 1,
      failed: 0,
      problems: [{ line: 2, outcome: 'skipped', code: undefined, message: 'what is here is as new, or newer' }],
      isComplete: true,
    })
    expect(await to.proxies.get('a')).toEqual({ url: 'newer' })
    expect(await to.tide.import(lines)).toMatchObject({ imported: 0, skipped: 3 })
    await clock.jump('2d')
    const late = fresh(clock)
    expect(await late.tide.import(lines)).toMatchObject({ imported: 0, skipped: 3, failed: 0 })
    expect(late.loads).toEqual([])
  })

  it('does not bring back what is invalidated here', async () => {
    const { lines, from } = await exported()
    await from.proxies.invalidate('a')
    expect(await from.tide.import(lines)).toMatchObject({ imported: 0, skipped: 3 })
    expect(await from.proxies.stored('a')).toBeUndefined()
  })

  it('refuses masked and plain secrets, asterisks included [proxies 6]', async () => {
    const { lines, clock } = await exported()
    const to = fresh(clock)
    const masked = [
      changed(lines[1], { value: { ...proxyOf('a'), password: '********' } }),
      changed(lines[2], { value: proxyOf('b') }),
      changed(lines[3], { value: { $sealed: [], value: { ...proxyOf('c'), password: '********' } } }),
    ]
    const report = await to.tide.import([lines[0] ?? '', ...masked, lines[4] ?? ''])
    expect(report).toMatchObject({ imported: 0, failed: 3, isComplete: true })
    expect(report.problems.map(({ line, code }) => [line, code])).toEqual([
      [2, 'seal-missing'],
      [3, 'seal-missing'],
      [4, 'seal-missing'],
    ])
    expect(await to.proxies.count()).toBe(0)
  })

  it('tells damaged, moved, foreign and unknown lines apart, and takes the others', async () => {
    const { lines, clock } = await exported()
    const [head = '', a = '', b = '', c = '', end = ''] = lines
    const to = fresh(clock)
    const report = await to.tide.import([
      head,
      a.replace('10', '11').replace('3128', '3129'),
      a.slice(0, 100),
      '\n7\n[]\n"x"\nnull\nnot json\n',
      changed(a, { key: 'moved' }),
      changed(a, { name: 'nobody' }),
      changed(a, { loadedAt: 'yesterday' }),
      changed(a, { format: 9 }),
      changed(a, { tags: 'x' }),
      b,
      c,
      end,
    ])
    expect(report).toMatchObject({ imported: 2, skipped: 0, failed: 12, isComplete: false })
    expect(report.problems.map(({ code }) => code)).toEqual([
      ...Array.from({ length: 7 }, () => 'import-refused'),
      'seal-damaged',
      ...Array.from({ length: 4 }, () => 'import-refused'),
    ])
    expect(report.problems.find(({ message }) => message.includes('nobody'))).toBeDefined()
    expect(await to.proxies.stored('c')).toEqual(proxyOf('c'))
  })

  it('needs the key it was sealed under, and somebody who declares the secrets', async () => {
    const { lines, clock } = await exported()
    const wrong = fresh(clock, keyring({ active: 'b', keys: { b: second } }))
    const report = await wrong.tide.import(lines)
    expect(report).toMatchObject({ imported: 0, failed: 3 })
    expect(report.problems[0]?.code).toBe('seal-unknown-key')
    const rotated = fresh(clock, keyring({ active: 'b', keys: { b: second, a: first } }))
    expect(await rotated.tide.import(lines)).toMatchObject({ imported: 3 })
    const none = pool({ tiers: newTiers(), clock })
    expect((await none.tide.import(lines)).problems[0]?.code).toBe('seal-undeclared')
  })

  it('of something else is refused as a whole; one that was cut off says so', async () => {
    const { lines, clock } = await exported()
    const to = fresh(clock)
    for (const wrong of [[], [''], ['{"key":"x"}\n'], ['\u0000'], lines.slice(1), [changed(lines[0], { version: 2 })]])
      await expect(to.tide.import(wrong)).rejects.toMatchObject({ code: 'import-refused' })
    expect(await to.tide.import(lines.slice(0, 3))).toMatchObject({ imported: 2, isComplete: false })
    const torn = lines.join('').slice(0, -20)
    expect(await to.tide.import([torn])).toMatchObject({ imported: 1, skipped: 2, failed: 1, isComplete: false })
  })

  it('keeps two lives apart: what names another thing than what is here stays out', async () => {
    const clock = new FakeClock()
    const make = (stamp: string): { tide: Tidemark; waves: Resource<number, { stamp: string; secret: string }> } => {
      const tide = createTidemark({ tiers: newTiers(), keyring: ring, clock })
      const waves = tide.resource<number, { stamp: string; secret: string }>({
        name: 'waves',
        era: tide.era('device'),
        scope: () => 'unit',
        load: (_index: number) => ({ stamp, secret: 's' }),
        freshness: immutable({ identity: (it) => [it.stamp] }),
        secrets: ['secret'],
      })
      return { tide, waves }
    }
    const [one, two] = [make('life one'), make('life two')]
    await one.waves.get(3)
    // Here earlier than what comes, so only the identity speaks against it.
    await two.waves.set(3, { stamp: 'life two', secret: 's' }, { loadedAt: clock.now() - 5_000 })
    const report = await two.tide.import(one.tide.export())
    expect(report).toMatchObject({ imported: 0, skipped: 1 })
    expect(report.problems[0]?.message).toContain('another thing')
    expect((await two.waves.get(3)).stamp).toBe('life two')
    await one.tide.close()
    await two.tide.close()
  })

  it('after close is refused', async () => {
    const { lines, from } = await exported()
    await from.tide.close()
    await expect(from.tide.import(lines)).rejects.toMatchObject({ code: 'closed' })
    await expect(listOf(from.tide.export())).rejects.toMatchObject({ code: 'closed' })
  })
})
