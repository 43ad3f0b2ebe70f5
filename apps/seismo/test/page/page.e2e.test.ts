// What the page shows, in a real browser over a real gateway and real lines to simulated units.

import type { Locator, Page } from 'playwright-core'
import { FakeClock } from 'tidemark/testing'
import { afterEach, expect, it } from 'vitest'
import { requireChromium } from '../../../../test/browser.ts'
import { openStand, type Stand, type StandOptions } from './stand.ts'

requireChromium((browser) => {
  let stand: Stand

  const open = async (options?: StandOptions): Promise<Page> => {
    stand = await openStand(browser(), options)
    return stand.page
  }

  afterEach(async () => {
    await stand[Symbol.asyncDispose]()
    const complaints = [...stand.errors, ...stand.refusals]
    if (complaints.length > 0) throw new Error(`The page's console has errors:\n${complaints.join('\n')}`)
  })

  it('the fleet appears, each answer with its source and age; a second look is answered from the cache', async () => {
    const clock = new FakeClock()
    const page = await open({ simulated: { units: 3 }, clock })
    await page.goto(stand.url)
    const serials = stand.simulator.units.map(({ serial }) => serial)
    await expect.poll(() => page.locator('#fleet .name').allTextContents()).toEqual(serials)
    const row = rowOf(page, serials[1] as string)
    await row.getByText('from the unit just now').nth(2).waitFor()
    const { host, port } = stand.simulator.units[1] as { host: string; port: number }
    expect(await row.innerText()).toContain(`MiniMate Plus · ${host}:${port}`)
    expect(await row.innerText()).toMatch(
      /[67]\.\d\d V[^]*\d+ of 960 KB free[^]*yes[^]*histogram, Vert 0\.\d+ in\/s[^]*6 events/,
    )
    const used = Number(await row.getByRole('meter', { name: 'Memory used' }).getAttribute('aria-valuenow'))
    expect(used).toBeGreaterThan(0)
    await page.getByText('3 units · 3 monitoring').waitFor()

    await clock.advance(12_000)
    await page.reload()
    await row
      .getByText(/^from the cache \(memory\), 1[2-9] s old$/)
      .nth(1)
      .waitFor()
    await row.getByText(/^list from the cache, checked with the unit (just now|\d s ago)$/).waitFor()
  })

  it('ages go on without anybody asking', async () => {
    const page = await open()
    await page.goto(stand.url)
    await page.getByText('from the unit just now').nth(2).waitFor()
    await page.getByText('from the unit 3 s ago').first().waitFor()
    await page.getByText('from the unit 5 s ago').first().waitFor()
  })

  it('polls status every 15 s and events every minute, and nobody while it is hidden', async () => {
    const page = await open()
    await page.clock.install()
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const within = async (seconds: number): Promise<(path: string) => number> => {
      for (let i = 0; i < seconds; i++) await page.clock.runFor(1000)
      await page.waitForLoadState('networkidle')
      const counted = asked.splice(0)
      return (path) => counted.filter((it) => it === path).length
    }
    await page.goto(stand.url)
    await page.getByText('from the unit').nth(2).waitFor()
    await within(1)
    const visible = await within(150)
    expect(visible('/device/monitor/status')).toBeGreaterThanOrEqual(8)
    expect(visible('/device/monitor/status')).toBeLessThanOrEqual(10)
    expect(visible('/device/events')).toBe(2)
    expect(visible('/device/info')).toBe(0)

    await setVisibility(page, 'hidden')
    await within(2)
    const hidden = await within(120)
    expect(['/fleet', '/device/monitor/status', '/device/events'].map(hidden)).toEqual([0, 0, 0])

    await setVisibility(page, 'visible')
    const again = await within(1)
    expect(again('/device/monitor/status')).toBe(1)
  })

  it('events of a unit: peaks per channel, sorted by any column, waveforms alone', async () => {
    const page = await open({ simulated: { events: 24 } })
    await page.goto(stand.url)
    await page.getByRole('link', { name: serial() }).click()
    const rows = page.locator('#event-rows tr')
    await expect.poll(() => rows.count()).toBe(24)
    const events = await listed()
    expect(await texts(rows.first())).toEqual(shown(events.at(-1) as Listed))

    await page.getByRole('button', { name: 'Vert' }).click()
    const loudest = events.toSorted((a, b) => b.peaks.vert - a.peaks.vert)[0] as Listed
    expect(await texts(rows.first())).toEqual(shown(loudest))
    expect(await page.getByRole('columnheader', { name: 'Vert' }).getAttribute('aria-sort')).toBe('descending')
    await page.getByRole('button', { name: 'Time' }).click()
    await page.getByRole('button', { name: 'Time' }).click()
    expect(await texts(rows.first())).toEqual(shown(events[0] as Listed))

    await page.getByLabel('Waveforms only').check()
    const waveforms = events.filter((event) => event.record_type === 'waveform').length
    expect(await rows.count()).toBe(waveforms)
    expect(waveforms).toBeGreaterThan(0)
  })

  it('a waveform: four channels over one time axis, peaks marked and labelled, facts, source', async () => {
    const page = await open()
    const { index } = await stand.simulator.record(0, 'waveform')
    await page.goto(stand.url)
    await page.getByRole('link', { name: serial() }).click()
    await page.getByRole('link', { name: `Event ${index},` }).click()
    await page.locator('#plots canvas').nth(3).waitFor()
    expect(page.url()).toContain(`#unit=${stand.units[0]}&event=${index}`)
    expect(await page.locator('#recording-source').textContent()).toBe('from the unit just now')

    const { channels, sample_rate: rate } = await recordingOf(index)
    expect(await page.locator('#plots strong').allTextContents()).toEqual(['Tran', 'Vert', 'Long', 'MicL'])
    for (const [i, [name, { unit, peak }]] of Object.entries(channels).entries()) {
      const caption = await page.locator(`#plots figure[data-channel="${name}"] .peak`).textContent()
      const [, value, its, at] = /^peak (\S+) (\S+) at (\S+) s$/.exec(caption ?? '') ?? []
      expect(Number(value) / peak.value).toBeCloseTo(1, 2)
      expect([its, Number(at)]).toEqual([unit, Number(peak.at.toFixed(3))])
      const painted = await paintedOf(page.locator('#plots canvas').nth(i))
      expect(painted.all).toBeGreaterThan(2000)
      expect(painted.peak).toBeGreaterThan(20)
    }
    expect(await page.locator('#recording-facts').innerText()).toContain(`${rate} samples/s`)
    expect(await page.locator('#recording-facts').innerText()).toMatch(/Before the trigger\s+0\.25 s/)
  })

  it('a histogram is said to be one', async () => {
    const page = await open()
    const { index } = await stand.simulator.record(0, 'histogram')
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=${index}`)
    await page.getByText('This is a histogram: the largest value of each interval').waitFor()
    await page.getByRole('heading', { name: `Event ${index}, histogram` }).waitFor()
    expect(await page.locator('#plots .peak').first().textContent()).toMatch(/^peak 0\.\d+ in\/s at \d+ min$/)
    expect(await page.locator('#recording-facts').innerText()).toMatch(/Interval\s+60 s/)
  })

  it('a deep link opens unit and recording; refreshing asks the unit and the source says so', async () => {
    const clock = new FakeClock()
    const page = await open({ clock })
    const { index } = await stand.simulator.record(0, 'waveform')
    const link = `${stand.url}#unit=${stand.units[0]}&event=${index}`
    await page.goto(link)
    await page.locator('#plots canvas').nth(3).waitFor()
    await clock.advance(4 * 60_000)
    await page.reload()
    const sources = { recording: page.locator('#recording-source'), info: page.locator('#info-source') }
    const before = { recording: await recordings(), info: await infos() }
    for (const source of Object.values(sources)) {
      await expect.poll(() => source.textContent()).toBe('from the cache (memory), 4 min old')
    }
    await page.getByRole('button', { name: 'Refresh recording from the unit' }).click()
    await page.getByRole('button', { name: 'Refresh unit and status from the unit' }).click()
    for (const source of Object.values(sources)) {
      await expect.poll(() => source.textContent()).toMatch(/^from the unit (just now|\d s ago)$/)
    }
    expect([await recordings(), await infos()]).toEqual([before.recording + 1, before.info + 1])
    await page.locator('#plots canvas').nth(3).waitFor()

    await page.locator('#events-source').getByText('list from the cache, checked with the unit').waitFor()
    await page.getByRole('button', { name: 'Refresh events from the unit' }).click()
    await page
      .locator('#events-source')
      .getByText(/^from the unit/)
      .waitFor()
  })

  it('is used with the keyboard alone', async () => {
    const page = await open({ simulated: { units: 2, events: 8 } })
    await page.goto(stand.url)
    await page.getByRole('link', { name: serial(1) }).focus()
    await page.keyboard.press('Enter')
    const link = (index: number): Locator => page.getByRole('link', { name: `Event ${index},` })
    await link(7).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Event 6,' }).waitFor()
    await page.locator('#plots canvas').nth(3).waitFor()
    expect(await link(6).getAttribute('aria-current')).toBe('true')
    await page.goBack()
    await page.getByText('Choose an event to see its recording.').waitFor()
    await page.getByRole('link', { name: 'Close this unit' }).press('Enter')
    await expect.poll(() => page.locator('#unit').isVisible()).toBe(false)
  })

  it.for([400, 860, 1440])('at %i px nothing scrolls sideways', async (width) => {
    const page = await open({ width, simulated: { units: 3 } })
    const { index } = await stand.simulator.record(0, 'waveform')
    await page.goto(stand.url)
    await page.getByText('from the unit just now').nth(8).waitFor()
    expect(await sidewaysOf(page)).toEqual([])
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=${index}`)
    await page.locator('#plots canvas').nth(3).waitFor()
    expect(await sidewaysOf(page)).toEqual([])
    const [canvas, frame] = [await page.locator('#plots canvas').first().boundingBox(), page.viewportSize()]
    expect(canvas?.width).toBeGreaterThan(250)
    expect((canvas?.x ?? 0) + (canvas?.width ?? 0)).toBeLessThanOrEqual(frame?.width ?? 0)
  })

  it('without units it says how to add some', async () => {
    const page = await open({ isEmpty: true })
    await page.goto(stand.url)
    await page.getByText('This gateway knows no units yet.').waitFor()
    const words = await page.locator('#no-units').innerText()
    expect(words).toContain('UNITS=10.0.0.7:12345')
    expect(words).toContain('SIMULATE=4')
  })

  it('loads nothing from elsewhere', async () => {
    const page = await open()
    const hosts = new Set<string>()
    page.on('request', (request) => hosts.add(new URL(request.url()).host))
    const answer = await page.goto(stand.url)
    await page.getByText('from the unit just now').nth(2).waitFor()
    expect([...hosts]).toEqual([new URL(stand.url).host])
    expect(answer?.headers()['content-security-policy']).toContain("default-src 'self'")
  })

  const serial = (unit = 0): string => stand.simulator.units[unit]?.serial ?? ''
  const infos = async (): Promise<number> => (await stand.simulator.counters(0)).conversations.info
  const recordings = async (): Promise<number> => (await stand.simulator.counters(0)).conversations.waveform
  const ask = async (path: string): Promise<unknown> => {
    const { host, port } = stand.simulator.units[0] as { host: string; port: number }
    return (await fetch(`${stand.url}${path}?host=${host}&tcp_port=${port}`)).json()
  }
  const listed = async (): Promise<Listed[]> => ((await ask('device/events')) as { events: Listed[] }).events
  const recordingOf = (index: number): Promise<Recorded> => ask(`device/event/${index}/waveform`) as Promise<Recorded>
})

interface Listed {
  readonly index: number
  readonly timestamp: string
  readonly record_type: string
  readonly peaks: Readonly<Record<'tran' | 'vert' | 'long' | 'mic_l', number>>
  readonly project: { readonly project: string }
}

interface Recorded {
  readonly sample_rate: number
  readonly channels: Readonly<
    Record<string, { readonly unit: string; readonly peak: { readonly value: number; readonly at: number } }>
  >
}

function rowOf(page: Page, serial: string): Locator {
  return page.locator('#fleet-rows tr').filter({ hasText: serial })
}

function texts(row: Locator): Promise<string[]> {
  return row.locator('th, td').allTextContents()
}

function shown({ index, timestamp, record_type: type, peaks, project }: Listed): string[] {
  const numbers = [peaks.tran, peaks.vert, peaks.long, peaks.mic_l].map((it) => String(Number(it.toPrecision(3))))
  return [String(index), timestamp.replace('T', ' '), type, ...numbers, project.project]
}

/** Pixels of a plot that are not blank, and those in the colour of peaks. */
function paintedOf(canvas: Locator): Promise<{ all: number; peak: number }> {
  return canvas.evaluate((node) => {
    const { width, height } = node
    const pixels: Uint8ClampedArray = node.getContext('2d').getImageData(0, 0, width, height).data
    const painted = { all: 0, peak: 0 }
    for (let i = 0; i < pixels.length; i += 4) {
      const [red = 0, green = 0, blue = 0, alpha = 0] = pixels.subarray(i, i + 4)
      if (alpha > 0) painted.all++
      // --plot-peak, #c2410c
      if (Math.abs(red - 0xc2) + Math.abs(green - 0x41) + Math.abs(blue - 0x0c) < 12 && alpha > 200) painted.peak++
    }
    return painted
  })
}

/** The page and its boxes, where they are wider inside than outside. */
function sidewaysOf(page: Page): Promise<string[]> {
  return page.evaluate(`
    [document.documentElement, ...document.querySelectorAll('.scroll, section')]
      .filter((it) => it.scrollWidth > it.clientWidth)
      .map((it) => (it.id || it.parentElement?.id || it.tagName) + ': ' + it.scrollWidth + ' > ' + it.clientWidth)
  `)
}

async function setVisibility(page: Page, state: 'visible' | 'hidden'): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' })
    document.dispatchEvent(new Event('visibilitychange'))
  `)
}
