import { expect, it } from 'vitest'
import { SEED_COUNTS, seedRows } from '../src/seed/rows.ts'
import { settingsFrom } from '../src/settings.ts'
import { NOW } from './hub.ts'

it('takes its settings from the environment, and names what does not fit', () => {
  expect(settingsFrom({})).toMatchObject({
    port: 8210,
    host: '127.0.0.1',
    database: { schema: 'statehub', url: undefined, dataDir: 'data/statehub.pglite', timeoutMs: 15_000 },
    revisions: 'asked',
    maxStaleMs: 300_000,
    seed: 0,
  })
  const env = { PORT: '0', REVISIONS: 'announced', MAX_STALE_S: '5', DB_SCHEMA: 'hub', PUBLIC_HOSTS: 'a.example' }
  expect(settingsFrom(env)).toMatchObject({
    port: 0,
    revisions: 'announced',
    maxStaleMs: 5_000,
    database: { schema: 'hub' },
    publicHosts: ['a.example'],
  })
  expect(() => settingsFrom({ REVISIONS: 'often' })).toThrow(/REVISIONS/)
  expect(() => settingsFrom({ MAX_STALE_S: '-1' })).toThrow(/MAX_STALE_S/)
})

it('the same seed makes the same hub, another one another', () => {
  const rows = [...seedRows(7, NOW)]
  expect(Object.fromEntries(rows.map(([table, its]) => [table, its.length]))).toMatchObject(SEED_COUNTS)
  expect([...seedRows(7, NOW)]).toEqual(rows)
  expect([...seedRows(8, NOW)]).not.toEqual(rows)
})
