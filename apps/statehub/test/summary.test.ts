import { expect, it } from 'vitest'
import { testFolder } from '../../../test/folder.ts'
import { CHANGES, outcomeOf } from '../src/show/changes.ts'
import { isTrue } from '../src/show/truth.ts'
import type { Snapshot } from '../src/summary/snapshot.ts'
import { clientOf, onSeededServer, settled, type HubBody } from './hub.ts'

const folder = testFolder()

await onSeededServer((database) => {
  it('says what the database says, in one object of some 50 KB', async () => {
    await using client = await clientOf(database())
    const { outcome, body } = await client.read()
    expect(outcome).toBe('miss')
    expect(await isTrue(body as unknown as Snapshot, database())).toBe(true)
    const total = (table: string): number => Object.values(body.totals[table] ?? {}).reduce((sum, n) => sum + n, 0)
    expect([total('workplans'), total('tasks'), total('decisions'), total('repos')]).toEqual([300, 3_000, 150, 55])
    expect(body).toMatchObject({ progress_event_count: 20_000 })
    expect(body.recent_progress).toHaveLength(20)
    const bytes = JSON.stringify(body).length
    expect(bytes).toBeGreaterThan(20_000)
    expect(bytes).toBeLessThan(100_000)
  })

  it('the four outcomes, with their headers', async () => {
    await using client = await clientOf(database())
    const first = await client.get('/state/summary')
    expect(first.headers.get('X-StateHub-Cache')).toBe('miss')
    expect(first.headers.get('Cache-Control')).toBe('max-age=15, stale-while-revalidate=120')
    expect(first.headers.get('Cache-Status')).toBe('statehub; fwd=miss; stored')
    expect(Number(first.headers.get('X-StateHub-Elapsed-Ms'))).toBeGreaterThan(0)
    const revision = first.headers.get('X-StateHub-Revision')
    const built = (await first.json()) as HubBody

    const hit = await client.get('/state/summary')
    expect(hit.headers.get('X-StateHub-Cache')).toBe('hit-revision')
    expect(hit.headers.get('X-StateHub-Revision')).toBe(revision)
    expect(hit.headers.get('Cache-Status')).toBe('statehub; hit')
    expect(((await hit.json()) as HubBody).generated_at).toBe(built.generated_at)

    const event = { event_type: 'note', summary: 'the newest' }
    expect((await client.send('POST', '/progress', event)).status).toBe(201)
    const partial = await client.read()
    expect(partial.outcome).toBe('progress-section')
    expect(partial.body.recent_progress[0]?.summary).toBe('the newest')
    // Counted with the section it belongs to.
    expect(partial.body.progress_event_count).toBe(built.progress_event_count + 1)
    expect(partial.body.totals).toEqual(built.totals)

    const [topic] = built.topics
    expect((await client.send('PATCH', `/topics/${topic?.id}`, { title: 'renamed' })).status).toBe(200)
    const stale = await client.get('/state/summary')
    expect(stale.headers.get('X-StateHub-Cache')).toBe('stale')
    expect(stale.headers.get('Cache-Status')).toMatch(/^statehub; hit; ttl=-\d+; detail=revalidating$/)
    expect(((await stale.json()) as HubBody).topics[0]?.title).toBe(topic?.title)
    expect((await settled(client)).topics[0]?.title).toBe('renamed')
  })

  it('304 for who has it already; nothing is rebuilt for that', async () => {
    await using client = await clientOf(database())
    const etag = (await client.get('/state/summary')).headers.get('ETag') ?? ''
    const again = await client.get('/state/summary', { 'If-None-Match': etag })
    expect(again.status).toBe(304)
    expect(again.headers.get('X-StateHub-Cache')).toBe('hit-revision')
    expect(await again.text()).toBe('')
    await client.send('POST', '/progress', { event_type: 'note', summary: 'another' })
    expect((await client.get('/state/summary', { 'If-None-Match': etag })).status).toBe(200)
  })

  it('a tag says what was built, not when: the same everywhere, another one for what no fingerprint sees', async () => {
    await using one = await clientOf(database(), { revisions: 'watermark' })
    await using other = await clientOf(database(), { revisions: 'watermark' })
    const etag = (await one.get('/state/summary')).headers.get('ETag') ?? ''
    expect((await other.get('/state/summary', { 'If-None-Match': etag })).status).toBe(304)
    const refresh = () => other.get('/state/summary?refresh=true', { 'If-None-Match': etag })
    expect((await refresh()).status).toBe(304)
    await database().query(`update topics set title = title || '!'`)
    expect((await refresh()).status).toBe(200)
  })

  it('a forced rebuild, asked for by address or by header', async () => {
    await using client = await clientOf(database())
    const before = await settled(client)
    const forced = await client.read('/state/summary?refresh=true')
    expect(forced.outcome).toBe('miss')
    expect(forced.body.generated_at > before.generated_at).toBe(true)
    const asked = await client.get('/state/summary', { 'Cache-Control': 'no-cache' })
    expect(asked.headers.get('Cache-Status')).toBe('statehub; fwd=request; stored')
  })

  it('200 concurrent cold readers: one build', async () => {
    await using client = await clientOf(database())
    const answers = await Promise.all(Array.from({ length: 200 }, () => client.get('/state/summary')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    // One for each section.
    expect((await client.service.summary.view.stats()).loads).toBe(2)
  })

  it('health never builds, and says what a read would get', async () => {
    await using client = await clientOf(database())
    const cold = await (await client.get('/state/health')).json()
    expect(cold).toMatchObject({ status: 'ok', summary: { next_read: 'miss' }, last_error: null, stats: { builds: 0 } })
    await settled(client)
    const warm = await (await client.get('/state/health')).json()
    expect(warm).toMatchObject({ summary: { next_read: 'hit-revision' }, stats: { builds: 2 } })
  })

  it('a failed build behind readers keeps the snapshot and is told', async () => {
    await using client = await clientOf(database())
    const before = await settled(client)
    await database().query('alter table contributions rename to hidden')
    try {
      await database().query('update topics set title = title')
      expect(await client.read()).toEqual({ outcome: 'stale', body: before })
      await expect
        .poll(async () => (await (await client.get('/state/health')).json()) as object)
        .toMatchObject({
          status: 'degraded',
          last_error: expect.stringContaining('contributions'),
        })
      expect((await client.read()).body.topics).toEqual(before.topics)
    } finally {
      await database().query('alter table hidden rename to contributions')
    }
    expect((await client.read('/state/summary?refresh=true')).outcome).toBe('miss')
    expect(await client.service.summary.lastError()).toBeUndefined()
  })

  it('fingerprints, invalidate, reset and store', async () => {
    await using client = await clientOf(database())
    const { summary } = client.service
    const value = await settled(client)
    const prints = await summary.fingerprints()
    expect(await (await client.get('/state/revisions')).json()).toEqual(prints)
    expect(Object.keys(prints.sections)).toEqual(['core', 'progress'])

    await client.send('POST', '/invalidate', { section: 'progress' })
    expect((await client.read()).outcome).toBe('progress-section')
    await client.send('POST', '/invalidate', { section: 'core' })
    expect((await client.read()).outcome).toBe('stale')
    await settled(client)
    expect((await client.send('POST', '/invalidate', { section: 'tasks' })).status).toBe(400)

    await client.send('POST', '/reset')
    expect((await client.read()).outcome).toBe('miss')

    const { recent_progress: newest, progress_event_count: total, ...core } = value as unknown as Snapshot
    const generated_at = '2026-01-01T00:00:00.000Z'
    await summary.store({ core: { ...core, generated_at }, progress: { generated_at, newest, total } }, prints)
    expect((await client.read()).body.generated_at).toBe(generated_at)
  })

  it('survives a restart, and is found to hold', async () => {
    const cachePath = `${folder}/cache.db`
    await using first = await clientOf(database(), { cachePath })
    const before = await settled(first)
    await first.service.close()
    await using second = await clientOf(database(), { cachePath })
    expect(await second.read()).toEqual({ outcome: 'hit-revision', body: before })
    expect((await second.service.summary.view.stats()).loads).toBe(0)
  })

  // Last: they change the hub.
  it.each(CHANGES.map((change) => [change.what, change] as const))('%s: the very next read', async (_, change) => {
    await using client = await clientOf(database(), { maxStaleMs: 0 })
    const outcome = await outcomeOf(change, client.service.summary, database())
    expect(outcome).toEqual({ told: change.becomes, isRight: true })
  })
})
