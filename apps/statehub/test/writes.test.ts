import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '@tidemark/database'
import { openHubDatabase } from '../src/database/open.ts'
import { clientOf, settled, type HubClient } from './hub.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

// Over an embedded database: the service runs with nothing installed.
describe('writes', () => {
  let database: Database
  let client: HubClient
  beforeAll(async () => {
    database = await openHubDatabase({ schema: 'statehub' })
    client = await clientOf(database)
  }, 60_000)
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await database.close()
  })

  const made = async (path: string, body: object): Promise<string> => {
    const response = await client.send('POST', path, body)
    expect(response.status).toBe(201)
    return ((await response.json()) as { id: string }).id
  }
  const plan = async (slug: string): Promise<{ topic: string; workplan: string }> => {
    const topic = await made('/topics', { slug, title: slug })
    return { topic, workplan: await made('/workplans', { topic_id: topic, slug, title: slug, status: 'active' }) }
  }

  it('each shows in the summary that follows, and is handed out stale before', async () => {
    await settled(client)
    const { workplan } = await plan('first')
    expect((await client.read()).outcome).toBe('stale')
    expect(await settled(client)).toMatchObject({ open_workplans: [{ slug: 'first', tasks: {}, depends_on: [] }] })
    const task = await made('/tasks', { workplan_id: workplan, title: 'do it', due_date: '2026-02-28' })
    expect(await settled(client)).toMatchObject({ open_workplans: [{ tasks: { todo: 1 } }] })
    const patched = await client.send('PATCH', `/tasks/${task}`, { status: 'done' })
    expect(await patched.json()).toMatchObject({ id: task, status: 'done', due_date: '2026-02-28' })
    expect(await settled(client)).toMatchObject({ totals: { tasks: { done: 1 } } })
    expect((await client.send('DELETE', `/workplans/${workplan}`)).status).toBe(200)
    expect(await settled(client)).toMatchObject({ open_workplans: [], totals: { tasks: {} } })
  })

  it('a decision that is resolved and a dependency that is over make next steps', async () => {
    const [one, two] = [await plan('one'), await plan('two')]
    await database.query('insert into workplan_dependencies (from_id, to_id) values ($1, $2)', [
      two.workplan,
      one.workplan,
    ])
    const urgent = { workplan_id: two.workplan, title: 'urgent', priority: 'critical' }
    await made('/tasks', { workplan_id: two.workplan, title: 'later' })
    const task = await made('/tasks', urgent)
    const decision = await made('/decisions', { workplan_id: two.workplan, title: 'how?' })
    const waiting = await settled(client)
    expect(waiting.blocking_decisions).toMatchObject([{ id: decision }])
    expect(waiting.next_steps).toEqual([])
    expect(waiting.open_workplans.find(({ slug }) => slug === 'two')).toMatchObject({ depends_on: ['one'] })
    expect(waiting.open_workplans.find(({ slug }) => slug === 'one')).toMatchObject({ blocks: ['two'] })

    await client.send('PATCH', `/decisions/${decision}`, { status: 'resolved', decided_by: 'ada' })
    await client.send('PATCH', `/workplans/${one.workplan}`, { status: 'finished' })
    const moved = await settled(client)
    expect(moved.blocking_decisions).toEqual([])
    const step = (because: string): object => ({ because, task: { id: task, title: 'urgent' } })
    expect(moved.next_steps).toMatchObject([step('decision-resolved'), step('dependency-cleared')])
  })

  it('a licence that is risky counts once a repository, by its last snapshot', async () => {
    const { query } = database
    await query(`insert into managed_repos (slug, name) values ('repo', 'repo')`)
    const snapshot = (at: string): Promise<unknown> =>
      query(`insert into sbom_snapshots (repo_id, snapshot_at, source) select id, $1, 'scanner' from managed_repos`, [
        at,
      ])
    await snapshot('2026-01-01T00:00:00Z')
    await query(`insert into sbom_entries (snapshot_id, ecosystem, package, licence)
      select id, 'npm', p, 'AGPL-3.0' from sbom_snapshots, unnest(array['a', 'b', 'b']) p`)
    expect(await settled(client)).toMatchObject({ licence_risk_count: 2 })
    await snapshot('2026-01-02T00:00:00Z')
    expect(await settled(client)).toMatchObject({ licence_risk_count: 0 })
  })

  it.each([
    ['POST', '/topics', { slug: 'x' }, /`title` to be given/],
    ['POST', '/topics', { slug: 'x', title: 'x', colour: 'red' }, /`colour` to be one of slug, title/],
    ['POST', '/topics', { slug: 'x', title: 'x', status: 'open' }, /`status` to be one of active, archived/],
    ['POST', '/topics', { slug: 'x', title: 7 }, /`title` to be a text/],
    ['POST', '/topics', { slug: 'x', title: 'a\0b' }, /`title` to be a text/],
    ['POST', '/topics', 'x', /`body` to be a JSON object/],
    ['POST', '/tasks', { workplan_id: 'x', title: 'x' }, /`workplan_id` to be a UUID/],
    ['POST', '/decisions', { title: 'x', deadline: '2026-02-30' }, /`deadline` to be a day/],
    ['POST', '/decisions', { title: 'x', deadline: '0000-01-01' }, /`deadline` to be a day/],
    ['POST', '/decisions', { title: 'x', status: null }, /null: `status`/],
    ['POST', '/progress', { event_type: 'x' }, /`summary` to be given/],
    ['PATCH', '/tasks/7', { title: 'x' }, /`id` to be a UUID/],
    ['PATCH', `/tasks/${NOBODY}`, {}, /at least one field/],
    ['PATCH', `/tasks/${NOBODY}`, { title: null }, /`title` to be given/],
    ['POST', '/invalidate', { section: 'tasks' }, /`section` to be one of all, core, progress/],
    ['POST', '/invalidate', { section: null }, /`section` to be one of all, core, progress/],
    ['POST', '/invalidate', null, /`body` to be a JSON object, or nothing/],
    ['POST', '/invalidate', 'core', /`body` to be a JSON object, or nothing/],
    ['POST', '/invalidate', [], /`body` to be a JSON object, or nothing/],
  ] as const)('%s %s %j does not fit, and nothing moves', async (method, path, body, message) => {
    await settled(client)
    await refused(await client.send(method, path, body), 400, message)
    expect((await client.read()).outcome).toBe('hit-revision')
  })

  it('a body that is broken invalidates nothing; none at all, everything', async () => {
    await settled(client)
    await refused(await client.sendText('POST', '/invalidate', '{'), 400, /`body` to be a JSON object/)
    expect((await client.read()).outcome).toBe('hit-revision')
    expect(await (await client.send('POST', '/invalidate')).json()).toEqual({ invalidated: 'all' })
    expect((await client.read()).outcome).toBe('stale')
  })

  it('a slug that no index takes is refused', async () => {
    const body = { slug: 'x'.repeat(201), title: 'x' }
    await refused(await client.send('POST', '/topics', body), 400, /`slug` to be a text of 1 to 200/)
  })

  it('a body that is too large is not read', async () => {
    await settled(client)
    await refused(await client.sendText('POST', '/progress', '['.repeat(1024 * 1024 + 1)), 413, /1048576 bytes/)
    await refused(
      await client.sendText('POST', '/progress', '['.repeat(1024 * 1024)),
      400,
      /`body` to be a JSON object/,
    )
    expect((await client.read()).outcome).toBe('hit-revision')
  })

  it('what the database does not take, or is not there, is told', async () => {
    const { workplan } = await plan('third')
    await refused(await client.send('POST', '/topics', { slug: 'third', title: 'again' }), 409, /already/)
    await refused(await client.send('POST', '/tasks', { workplan_id: NOBODY, title: 'x' }), 400, /not there/)
    const task = await made('/tasks', { workplan_id: workplan, title: 'x' })
    await refused(await client.send('PATCH', `/tasks/${task}`, { status: null }), 400, /null: `status`/)
    await refused(await client.send('PATCH', `/tasks/${task}`, { needs_human: null }), 400, /null: `needs_human`/)
    await refused(await client.send('PATCH', `/tasks/${NOBODY}`, { title: 'x' }), 404, /no tasks\//)
    await refused(await client.send('DELETE', `/decisions/${NOBODY}`), 404, /no decisions\//)
    await refused(await client.get('/tasks'), 404, /no GET/)
    expect((await settled(client)).open_workplans.map(({ id }) => id)).toContain(workplan)
    expect(client.errors).toEqual([])
  })
})

async function refused(response: Response, status: number, message: RegExp): Promise<void> {
  expect(response.status).toBe(status)
  expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(message)
}
