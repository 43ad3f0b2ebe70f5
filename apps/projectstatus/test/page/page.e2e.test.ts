// The page in a real browser, over a service whose database can be switched off.

import { openDatabase, type Database } from '@tidemark/database'
import { listen } from '@tidemark/serve'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { requireChromium } from '../../../../test/browser.ts'
import { seed } from '../../src/seed/seed.ts'
import { openPlace, type Place } from '../place.ts'

interface Stand extends AsyncDisposable {
  readonly page: Page
  readonly place: Place
  readonly url: string
  readonly errors: string[]
}

/** A service, and a page of the browser on it. */
async function openStand(browser: Browser, database: Database, isDemo = true): Promise<Stand> {
  await using cleanup = new AsyncDisposableStack()
  const place = cleanup.use(await openPlace({ database, isDemo }))
  const server = await listen(
    { name: 'projectstatus', portVariable: 'PORT' },
    (it_) => place.service.fetch(it_),
    '127.0.0.1',
    0,
  )
  cleanup.defer(server.close)
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  cleanup.defer(() => context.close())
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
  const all = cleanup.move()
  return { page, place, url: server.url, errors, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

const PATIENT = { timeout: 30_000 }

requireChromium((browser) => {
  let database: Database
  let stand: Stand
  let page: Page

  beforeAll(async () => {
    database = await openDatabase({ schema: 'projectstatus' })
    await seed(database)
  }, 120_000)
  afterAll(() => database.close())

  beforeEach(async () => {
    stand = await openStand(browser(), database)
    ;({ page } = stand)
    await page.goto(stand.url)
    await page.locator('#vendor-rows tr').first().waitFor()
  })

  afterEach(async () => {
    await stand[Symbol.asyncDispose]()
    if (stand.errors.length > 0) throw new Error(`The page's console has errors:\n${stand.errors.join('\n')}`)
  })

  const text = async (id: string): Promise<string> => (await page.locator(`#${id}`).textContent()) ?? ''

  it('lists everything, and says that it is from PostgreSQL', async () => {
    expect(await page.locator('#vendor-rows tr').count()).toBe(45)
    expect(await page.locator('#deployment-rows tr').count()).toBe(50)
    expect(await text('item-count')).toBe('the first 200 of 1,200')
    expect(await text('summary')).toContain('of 45 vendors work, 1,200 work items; from PostgreSQL')
    for (const list of ['vendors', 'work_items', 'deployments'])
      expect(await text(`${list}-origin`)).toBe('from PostgreSQL')
    expect(await page.locator('#answers li').first().textContent()).toContain('GET /status → 200')
    await page.getByRole('combobox', { name: 'Status' }).selectOption('blocked')
    expect(new Set(await page.locator('#item-rows td:nth-child(3)').allTextContents())).toEqual(new Set(['blocked']))
  })

  it('an outage: the same rows from the cache, saying so; and back', async () => {
    const names = await page.locator('#vendor-rows th').allTextContents()
    await page.getByLabel('refuses connections').check()
    await expect.poll(() => text('vendors-origin'), PATIENT).toMatch(/^from the cache, \d+ s old; PostgreSQL is away$/)
    await expect.poll(() => text('database-state'), PATIENT).toContain('is left alone (connect ECONNREFUSED')
    expect(await page.locator('#vendor-rows th').allTextContents()).toEqual(names)
    expect(await text('summary')).toContain('from the cache')
    await expect
      .poll(() => page.locator('#answers li').first().textContent(), PATIENT)
      .toMatch(/GET \/status → 200.*from the cache/)
    await page.reload()
    await expect.poll(() => text('summary'), PATIENT).toContain('from the cache')
    expect(await page.getByLabel('refuses connections').isChecked()).toBe(true)
    await page.getByLabel('none').check()
    await expect.poll(() => text('vendors-origin'), PATIENT).toBe('from PostgreSQL')
    await expect.poll(() => text('database-state'), PATIENT).toMatch(/^answers, in/)
  })

  it('a database that hangs holds nobody up', async () => {
    await page.getByLabel('hangs').check()
    await expect.poll(() => text('vendors-origin'), PATIENT).toContain('from the cache')
    await page.getByLabel('none').check()
    await expect.poll(() => text('vendors-origin'), PATIENT).toBe('from PostgreSQL')
  })

  it('a change is made, and refused in an outage, in words', async () => {
    const row = page.locator('#vendor-rows tr').nth(1)
    const before = await row.locator('td').first().textContent()
    await row.getByRole('button').click()
    await expect.poll(() => row.locator('td').first().textContent(), PATIENT).not.toBe(before)
    await page.getByLabel('refuses connections').check()
    await expect.poll(() => text('database-state'), PATIENT).toContain('is left alone')
    await row.getByRole('button').click()
    await expect.poll(() => text('failure'), PATIENT).toContain('nothing is queued')
    expect(await row.locator('td').first().textContent()).not.toBe(before)
  })

  it('somebody else was quicker: it says that, and shows what they did', async () => {
    const row = page.locator('#vendor-rows tr').nth(2)
    const name = (await row.locator('th').textContent()) ?? ''
    await page.route('**/vendors/*', async (route) => {
      await database.query(
        'update vendor_extractors set version = version + 1, extractor_version = $1 where name = $2',
        ['9.9.9', name],
      )
      await route.continue()
    })
    await row.getByRole('button').click()
    await expect.poll(() => text('failure'), PATIENT).toContain('read it again')
    await expect.poll(() => row.locator('td').nth(1).textContent(), PATIENT).toBe('9.9.9')
  })

  it('shows what rows say as text, whatever they hold', async () => {
    const title = '--> <img src=x onerror=alert(1)> </script>'
    await database.query(
      `insert into work_items (title, item_type, path, created_by, created_at) values ($1, 'task', '/', 'tests', '2199-01-01')`,
      [title],
    )
    await expect.poll(() => page.locator('#item-rows td').first().textContent(), PATIENT).toBe(title)
    expect(await page.locator('#item-rows img').count()).toBe(0)
    await database.query('delete from work_items where title = $1', [title])
  })

  it('without the demonstration there is no switch', async () => {
    await using plain = await openStand(browser(), database, false)
    await plain.page.goto(plain.url)
    await plain.page.locator('#vendor-rows tr').first().waitFor()
    expect(await plain.page.locator('#outage').isVisible()).toBe(false)
    expect(plain.errors).toEqual([])
  })
})
