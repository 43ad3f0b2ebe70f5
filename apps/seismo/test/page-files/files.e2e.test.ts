// The files page in a real browser, over a real gateway with simulated units.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from '@tidemark/serve'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openGateway, type Gateway } from '../../src/gateway.ts'
import { startSimulator, type Simulator } from '../../src/simulator/start.ts'
import { requireChromium } from '../../../../test/browser.ts'

interface Stand extends AsyncDisposable {
  readonly page: Page
  readonly gateway: Gateway
  readonly simulator: Simulator
  readonly url: string
  readonly root: string
  readonly errors: string[]
}

const WAVEFORMS = 3

/** A gateway that has downloaded some waveforms, and a page of the browser on its files. */
async function openStand(browser: Browser): Promise<Stand> {
  await using cleanup = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'seismo-files-'))
  cleanup.defer(() => rmSync(folder, { recursive: true }))
  const root = join(folder, 'events')
  const simulator = cleanup.use(await startSimulator({ units: 2, events: 3, scale: 2000 }))
  const gateway = cleanup.use(await openGateway({ path: ':memory:', eventFiles: root, onError: () => {} }))
  for (const [i, { host, port }] of simulator.units.entries()) {
    for (let n = 0; n < (i === 0 ? WAVEFORMS : 1); n++) {
      const { index } = await simulator.record(i, 'waveform')
      const path = `/device/event/${index}/waveform?host=${host}&tcp_port=${port}`
      expect((await gateway.fetch(new Request(`http://127.0.0.1${path}`))).status).toBe(200)
    }
  }
  const server = await listen({ name: 'seismo', portVariable: 'PORT' }, gateway.fetch, '127.0.0.1', 0)
  cleanup.defer(server.close)
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true })
  cleanup.defer(() => context.close())
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
  const all = cleanup.move()
  return { page, gateway, simulator, url: server.url, root, errors, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

requireChromium((browser) => {
  let stand: Stand
  let page: Page

  beforeEach(async () => {
    stand = await openStand(browser())
    ;({ page } = stand)
    await page.goto(`${stand.url}files`)
    await page.locator('#file-rows tr').first().waitFor()
  })

  afterEach(async () => {
    await stand[Symbol.asyncDispose]()
    if (stand.errors.length > 0) throw new Error(`The page's console has errors:\n${stand.errors.join('\n')}`)
  })

  const names = (): Promise<string[]> => page.locator('#file-rows [data-column="file"]').allTextContents()

  it('lists the files, newest first, and searches by unit and day', async () => {
    await expect.poll(names).toHaveLength(WAVEFORMS + 1)
    const times = await page.locator('#file-rows [data-column="time"]').allTextContents()
    expect(times).toEqual(times.toSorted().toReversed())
    expect(await page.locator('#summary').textContent()).toBe(`${WAVEFORMS + 1} files`)
    await page.getByLabel('Serial').fill(stand.simulator.units[1]?.serial ?? '')
    await page.getByRole('button', { name: 'Search' }).click()
    await expect.poll(names).toHaveLength(1)
    await page.getByLabel('Serial').fill('')
    await page.getByLabel('to', { exact: true }).fill('1999-01-01')
    await page.getByRole('button', { name: 'Search' }).click()
    await expect.poll(() => page.locator('#no-files').isVisible()).toBe(true)
    await page.getByLabel('to', { exact: true }).fill((times[0] ?? '').slice(0, 10))
    await page.getByRole('button', { name: 'Search' }).click()
    await expect.poll(async () => (await names()).length).toBeGreaterThan(0)
    await page.getByLabel('Serial').fill('../x')
    await page.getByRole('button', { name: 'Search' }).click()
    await expect.poll(() => page.locator('#failure').textContent()).toContain('one part of a path')
  })

  it('is found from the fleet, and leads back', async () => {
    await page.goto(stand.url)
    await page.getByRole('link', { name: 'Event files' }).click()
    await expect.poll(names).toHaveLength(WAVEFORMS + 1)
    await page.getByRole('link', { name: 'Fleet' }).click()
    await page.getByRole('heading', { name: 'Seismograph gateway' }).waitFor()
  })

  it('shows the recording of a file, and what is known of it', async () => {
    const [name = ''] = await names()
    await page.locator('#file-rows tr').first().click()
    await expect.poll(() => page.locator('#plots canvas').count()).toBe(4)
    expect(await page.locator('#file-title').textContent()).toBe(name)
    const facts = (await page.locator('#file-facts').textContent()) ?? ''
    for (const word of ['samples/s', 'dB', 'bytes', 'SHA-256']) expect(facts).toContain(word)
    expect(await page.locator('#file-rows tr[data-chosen]').count()).toBe(1)
    // The address says which one it is.
    await page.reload()
    await expect.poll(() => page.locator('#plots canvas').count()).toBe(4)
    // Drawn: a canvas that nobody drew on is all transparent.
    const drawn = await page.evaluate(
      `Array.from(document.querySelectorAll('#plots canvas'), (it) =>
        it.getContext('2d').getImageData(0, 0, it.width, it.height).data.some((value) => value !== 0))`,
    )
    expect(drawn).toEqual([true, true, true, true])
  })

  it('downloads the very bytes', async () => {
    const [name = ''] = await names()
    await page.locator('#file-rows tr').first().click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    expect(download.suggestedFilename()).toBe(name)
    const serial = (await page.locator('#file-rows [data-column="unit"]').first().textContent()) ?? ''
    expect(readFileSync(await download.path()).equals(readFileSync(join(stand.root, serial, name)))).toBe(true)
  })

  it('saves a review, as text whatever it holds', async () => {
    const note = '<img src=x onerror=alert(1)>'
    await page.locator('#file-rows tr').first().click()
    await expect.poll(() => page.locator('#plots canvas').count()).toBe(4)
    await page.getByLabel('False trigger').check()
    await page.getByLabel('Note').fill(note)
    await page.getByRole('button', { name: 'Save review' }).click()
    await expect.poll(() => page.locator('#review-state').textContent()).toBe('Saved.')
    const cell = page.locator('#file-rows [data-column="review"]').first()
    expect(await cell.textContent()).toBe('false trigger')
    await page.reload()
    await expect.poll(() => page.getByLabel('Note').inputValue()).toBe(note)
    expect(await page.getByLabel('False trigger').isChecked()).toBe(true)
    await page.getByLabel('False trigger').uncheck()
    await page.getByLabel('Note').fill('')
    await page.getByRole('button', { name: 'Save review' }).click()
    await expect.poll(() => page.locator('#review-state').textContent()).toBe('Saved.')
    expect(await cell.textContent()).toBe('')
  })

  it('says so when a file is damaged', async () => {
    const [name = ''] = await names()
    const serial = (await page.locator('#file-rows [data-column="unit"]').first().textContent()) ?? ''
    writeFileSync(join(stand.root, serial, name), 'garbage')
    await page.locator('#file-rows tr').first().click()
    await expect.poll(() => page.locator('#file-failure').textContent()).toContain('is not the file that was written')
    expect(await page.locator('#plots canvas').count()).toBe(0)
  })
})
