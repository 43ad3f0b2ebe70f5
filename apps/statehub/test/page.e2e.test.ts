// The page in a real browser, over a real hub in an embedded database; and the service as a process.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { listen } from '@tidemark/serve'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { testFolder } from '../../../test/folder.ts'
import { requireChromium } from '../../../test/browser.ts'
import { openHubDatabase } from '../src/database/open.ts'
import { seed } from '../src/seed/seed.ts'
import { openService, type Service } from '../src/service.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const folder = testFolder()

requireChromium((browser) => {
  const open = async ({ isEmpty = false, width = 1280 } = {}): Promise<{ page: Page; service: Service }> => {
    const stack = new AsyncDisposableStack()
    onTestFinished(() => stack.disposeAsync())
    const database = stack.use(await openHubDatabase({ schema: 'statehub' }))
    if (!isEmpty) await seed(database)
    const service = stack.use(await openService({ database }))
    const server = await listen({ name: 'statehub', portVariable: 'PORT' }, service.fetch, '127.0.0.1', 0)
    stack.defer(server.close)
    const context = await browser().newContext({ viewport: { width, height: 900 } })
    stack.defer(() => context.close())
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text())
    })
    stack.defer(async () => expect(errors).toEqual([]))
    await page.goto(server.url)
    await page.locator('#reads li').first().waitFor()
    return { page, service }
  }
  const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
  /** Among the last reads, newest first, there is one that says this. */
  const readSays = (page: Page, words: RegExp): Promise<void> =>
    page.locator('#reads li').filter({ hasText: words }).first().waitFor()

  it('what is done decides what the next read is answered with', async () => {
    const { page, service } = await open()
    await readSays(page, /miss/)
    await page.getByRole('row', { name: /core same/ }).waitFor()
    await page.getByRole('row', { name: /progress same/ }).waitFor()

    await press(page, 'Read')
    await readSays(page, /hit-revision/)

    await press(page, 'Report progress')
    await readSays(page, /progress-section.*progress events 20000 → 20001/)
    await page.locator('#progress').getByText('Reported from the page').waitFor()

    const { loads } = await service.summary.view.stats()
    await press(page, 'Finish a task')
    await page.locator('#deed', { hasText: 'Finished: ' }).waitFor()
    await readSays(page, /stale/)
    // It reads again by itself: the snapshot was rebuilt behind it, once.
    await readSays(page, /hit-revision.*tasks done \d+ → \d+/)
    expect((await service.summary.view.stats()).loads).toBe(loads + 1)

    await press(page, 'Resolve a decision')
    await readSays(page, /hit-revision.*decisions resolved \d+ → \d+/)
    await press(page, 'Add a workplan')
    await readSays(page, /hit-revision.*workplans ready \d+ → \d+/)
  })

  it('invalidating, rebuilding and forgetting', async () => {
    const { page } = await open()
    const newest = (): Promise<string | null> => page.locator('#reads li').first().textContent()
    await press(page, 'Invalidate core')
    await readSays(page, /stale/)
    await expect.poll(newest).toContain('hit-revision')
    await press(page, 'Rebuild now')
    await expect.poll(newest).toContain('miss')
    await press(page, 'Read')
    await expect.poll(newest).toContain('hit-revision')
    await press(page, 'Forget the snapshot')
    await expect.poll(newest).toContain('miss')
  })

  it('an empty hub says how to fill it; a narrow window does not scroll sideways', async () => {
    const { page } = await open({ isEmpty: true, width: 360 })
    await page.getByText('This hub is empty.').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await press(page, 'Finish a task')
    await page.getByText('There is no task to finish.').waitFor()
  })
})

it('runs with nothing installed, keeps data and snapshot over a restart, and stops when told', async () => {
  const env = { ...process.env, DATABASE_URL: '', DATA_DIR: folder, PORT: '0', SEED: '1' }
  const start = async (): Promise<{ child: ChildProcess; url: string }> => {
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await vi.waitUntil(() => said.includes('\n'), { timeout: 60_000 })
    return { child, url: /^statehub: (http\S+)\/\n$/.exec(said)?.[1] ?? '' }
  }
  const stop = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  }
  const first = await start()
  const built = await fetch(`${first.url}/state/summary`)
  expect(built.headers.get('X-StateHub-Cache')).toBe('miss')
  const body = await built.text()
  await stop(first.child)
  const second = await start()
  const again = await fetch(`${second.url}/state/summary`)
  expect(again.headers.get('X-StateHub-Cache')).toBe('hit-revision')
  expect(await again.text()).toBe(body)
  await stop(second.child)
})
