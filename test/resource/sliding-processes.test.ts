import { join } from 'node:path'
import { createTidemark, memory, sliding, sqlite, type Resource, type Tidemark } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { expect, it } from 'vitest'
import { testFolder } from '../folder.ts'

const folder = testFolder()

it.for(['delete', 'invalidate'] as const)('a touch does not undo the %s of another process', async (change) => {
  const clock = new FakeClock()
  const path = join(folder, `${change}.db`)
  const open = (): { tide: Tidemark; sessions: Resource<string, string> } => {
    const tide = createTidemark({ tiers: [memory(), sqlite({ path })], clock })
    return { tide, sessions: tide.resource({ name: 'sessions', load: () => 'loaded', freshness: sliding('30m') }) }
  }
  const [a, b] = [open(), open()]
  await a.sessions.set('sid', 'old')
  expect([await a.sessions.get('sid'), await b.sessions.get('sid')]).toEqual(['old', 'old'])
  await clock.advance('10m')
  await b.sessions[change]('sid')
  // Before it has heard of that: the answer may be the old one, but nothing of it may be written.
  await a.sessions.get('sid')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect([await a.sessions.get('sid'), await b.sessions.get('sid')]).toEqual(['loaded', 'loaded'])
  await a.tide.close()
  await b.tide.close()
})
