import { DatabaseSync } from 'node:sqlite'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTidemark, isTidemarkError, memory, sqlite, ttl } from 'tidemark'
import { expect, it } from 'vitest'
import { testFolder } from '../folder.ts'

const folder = testFolder()

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  const error: unknown = await run().then(
    () => undefined,
    (it: unknown) => it,
  )
  return isTidemarkError(error) ? error.code : String(error)
}

it('after close every call fails with `closed`, as a rejected promise', async () => {
  const tide = createTidemark({ tiers: [memory()] })
  const status = tide.resource({ name: 'status', load: (unit: string) => unit, freshness: ttl('1m') })
  const events = tide.collection<string, string>({ name: 'events', probe: () => ({ count: 0 }), load: () => [] })
  const era = tide.era('device-memory')
  await status.get('a')
  await tide.close()
  const calls: (() => Promise<unknown>)[] = [
    () => status.get('b'),
    () => status.read('a'),
    () => status.set('a', 'x'),
    () => status.stored('a'),
    () => status.count(),
    () => status.explain('a'),
    () => status.delete('a'),
    () => events.list('a'),
    () => events.at('a', 0),
    () => events.count(),
    () => era.renew('a'),
    () => tide.scope('a').clear(),
    () => tide.clear(),
    () => tide.deleteTag('a'),
  ]
  expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'closed'))
})

it('a key that is none rejects, and never throws past a catch', async () => {
  const tide = createTidemark({ tiers: [memory()] })
  const status = tide.resource({ name: 'status', load: () => 1, freshness: ttl('1m') })
  expect(await codeOf(() => status.get({}))).toBe('invalid-key')
  expect(await codeOf(() => status.getMany(['a', Number.NaN as never]))).toBe('invalid-key')
  await tide.close()
})

it('a tier that is refused leaves no file of the other tiers open', async () => {
  const foreign = join(folder, 'foreign.db')
  const other = new DatabaseSync(foreign)
  other.exec('CREATE TABLE things (a)')
  other.close()
  const mine = join(folder, 'mine.db')
  const create = (): unknown => createTidemark({ tiers: [memory(), sqlite({ path: mine }), sqlite({ path: foreign })] })
  expect(create).toThrow(expect.objectContaining({ code: 'tier-foreign' }))
  const handles = (): number => readdirSync('/proc/self/fd').length
  const before = handles()
  for (let i = 0; i < 5; i++) expect(create).toThrow('foreign.db')
  await expect.poll(handles).toBeLessThanOrEqual(before)
})
