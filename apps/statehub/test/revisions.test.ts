import { describe, expect, it } from 'vitest'
import type { DatabaseOptions } from '@tidemark/database'
import { requireService } from '../../../test/services.ts'
import { openHubDatabase, revisionSchema } from '../src/database/open.ts'
import type { SummaryOptions } from '../src/summary/state-summary.ts'
import { clientOf, settled } from './hub.ts'

const EVENT = { event_type: 'note', summary: 'mine' }

function behaves(revisions: SummaryOptions['revisions'], options: DatabaseOptions): void {
  it(`${revisions}: own writes at once, those of others at the latest when they are told`, async () => {
    await using database = await openHubDatabase(options)
    try {
      await using client = await clientOf(database, { revisions })
      await settled(client)
      await client.send('POST', '/progress', EVENT)
      expect(await client.read()).toMatchObject({ outcome: 'progress-section', body: { progress_event_count: 1 } })
      // Where revisions are announced, the announcement of our own write may come behind the read, and costs one more build.
      await expect.poll(async () => (await client.read()).outcome, { timeout: 20_000 }).toBe('hit-revision')
      await database.query(`insert into topics (slug, title) values ('theirs', 'theirs')`)
      if (revisions === 'asked') expect((await client.read()).outcome).toBe('stale')
      await expect
        .poll(async () => (await client.read()).body.topics, { timeout: 20_000 })
        .toMatchObject([{ slug: 'theirs' }])
    } finally {
      await database.query(`drop schema ${options.schema}, ${revisionSchema(options.schema)} cascade`)
    }
  })
}

const MODES = ['asked', 'announced', 'watermark'] as const

await requireService('postgres', (url) => {
  describe('a server', () => {
    const unique = `${process.pid}_${Math.random().toString(36).slice(2, 8)}`
    for (const mode of MODES) behaves(mode, { url, schema: `statehub_${mode}_${unique}` })
  })
})

describe('an embedded database', () => {
  for (const mode of MODES) behaves(mode, { schema: 'statehub' })
})
