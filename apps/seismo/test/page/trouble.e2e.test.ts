// What the page says when something is wrong, slow, erased or hostile.

import type { Page } from 'playwright-core'
import { FakeClock } from 'tidemark/testing'
import { afterEach, expect, it } from 'vitest'
import type { SimulatedUnit } from '../../src/simulator/start.ts'
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
    if (stand.errors.length > 0) throw new Error(`The page's console has errors:\n${stand.errors.join('\n')}`)
  })

  it('units that cannot be reached: what is known is marked stale, what is not is an error in words', async () => {
    const clock = new FakeClock()
    const page = await open({ clock })
    const { serial, port } = unit()
    const { index } = await stand.simulator.record(0, 'waveform')
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=${index}`)
    await page.locator('#plots canvas').nth(3).waitFor()
    await page
      .getByText(/^from the unit/)
      .nth(4)
      .waitFor()

    await stand.simulator.kill()
    await clock.advance(4 * 60_000)
    await page.reload()
    const stale = 'STALE: unit cannot be reached; last known 4 min ago'
    await expect.poll(() => page.locator('#events-source').textContent()).toBe(stale)
    const row = page.locator('#fleet-rows tr').filter({ hasText: serial })
    await expect.poll(() => row.getByText(stale).count()).toBe(2)
    expect(await page.locator('#events-source').getAttribute('data-source')).toBe('stale')
    expect(await page.locator('#event-rows tr').count()).toBe(7)
    await page.getByText('1 unit · 1 monitoring · 1 cannot be reached').waitFor()
    // A recording never goes stale, so nobody has to be reached for it.
    await expect.poll(() => page.locator('#recording-source').textContent()).toBe('from the cache (memory), 4 min old')

    await page.getByRole('link', { name: `Event ${index - 1},` }).click()
    const failure = page.locator('#recording-failure')
    await failure.getByText(`127.0.0.1:${port}`).waitFor()
    expect(await failure.innerText()).toMatch(/^Nobody listens at .*check the address, the modem and the unit\.$/)
    expect(await page.locator('#plots canvas').count()).toBe(0)

    await page.getByRole('button', { name: `Stop monitoring of ${serial}` }).click()
    await page.getByRole('alert').getByText(`Monitoring of ${serial} could not be stopped. Nobody listens`).waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await expect.poll(() => page.locator('#complaint').isVisible()).toBe(false)
    expect(stand.refusals.length).toBeGreaterThan(0)
  })

  it('a refresh that fails leaves the recording in sight and says why', async () => {
    const page = await open()
    const { index } = await stand.simulator.record(0, 'waveform')
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=${index}`)
    await page.locator('#plots canvas').nth(3).waitFor()
    await stand.simulator.refuse(0)
    await page.getByRole('button', { name: 'Refresh recording from the unit' }).click()
    await page.getByText('The refresh failed. Nobody listens at').waitFor()
    expect(await page.locator('#plots canvas').count()).toBe(4)
    await stand.simulator.listen(0)
    await page.getByRole('button', { name: 'Refresh recording from the unit' }).click()
    await expect.poll(() => page.locator('#recording-failure').isVisible()).toBe(false)
  })

  it('a gateway that is gone is said to be, and what is known stays with its age', async () => {
    const page = await open()
    await page.goto(stand.url)
    await page.getByText('from the unit just now').nth(2).waitFor()
    await page.route('**/*', (route) => route.abort('connectionrefused'))
    await page.getByRole('alert').getByText('The gateway does not answer.').waitFor()
    await page
      .getByText(/^from the unit \d+ s ago$/)
      .nth(2)
      .waitFor()
    await page.unroute('**/*')
    await expect.poll(() => page.locator('#gateway-failure').isVisible(), { timeout: 10_000 }).toBe(false)
    stand.errors.splice(0, Infinity, ...stand.errors.filter((it) => !it.includes('ERR_CONNECTION_REFUSED')))
  })

  it('monitoring is stopped and started', async () => {
    const page = await open()
    const { serial } = unit()
    await page.goto(stand.url)
    const badge = page.locator('#fleet .badge')
    await expect.poll(() => badge.textContent()).toBe('yes')
    await page.getByRole('button', { name: `Stop monitoring of ${serial}` }).click()
    await expect.poll(() => badge.textContent()).toBe('no')
    await page.getByText('1 unit · 0 monitoring').waitFor()
    await page.getByRole('button', { name: `Start monitoring of ${serial}` }).click()
    await expect.poll(() => badge.textContent()).toBe('yes')
  })

  it('an erase is asked about first, then shown as a new era', async () => {
    const page = await open()
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=2`)
    await page.locator('#plots canvas').nth(3).waitFor()
    const rows = page.locator('#event-rows tr')
    await expect.poll(() => rows.count()).toBe(6)
    const dialog = page.getByRole('dialog', { name: 'Erase all events?' })

    await page.getByRole('button', { name: 'Erase events' }).click()
    await dialog.getByText(`${unit().serial} at 127.0.0.1:${unit().port} forgets its 6 events for good`).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Erase events' }).click()
    await page.keyboard.press('Enter')
    await expect.poll(() => dialog.isVisible()).toBe(false)
    expect((await stand.simulator.counters(0)).conversations.erase).toBe(0)

    await page.getByRole('button', { name: 'Erase events' }).click()
    await dialog.getByRole('button', { name: 'Erase all events' }).click()
    await page
      .getByRole('status')
      .getByText(/memory was erased from here: all events are new\. 6 events and 1 waveform left/)
      .waitFor()
    await page.getByText('The unit has no events.').waitFor()
    // The index names nothing now.
    expect(new URL(page.url()).hash).toBe(`#unit=${stand.units[0]}`)
    expect((await stand.simulator.counters(0)).conversations.erase).toBe(1)
  })

  it('erased and refilled by somebody else: the next look says that all events are new', async () => {
    const page = await open()
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=2`)
    await page.locator('#plots canvas').nth(3).waitFor()
    const first = page.locator('#event-rows tr').last().locator('[data-column="time"]')
    const before = await first.textContent()
    await stand.simulator.erase(0)
    await stand.simulator.refill(0, 6)
    await page.getByRole('button', { name: 'Refresh events from the unit' }).click()
    await page.getByText('The unit’s memory was erased: all events are new.').waitFor()
    await expect.poll(() => first.textContent()).not.toBe(before)
    expect(new URL(page.url()).hash).toBe(`#unit=${stand.units[0]}`)
    expect(await page.locator('#plots canvas').count()).toBe(0)
  })

  it('a new era that another client noticed first is seen by the list itself', async () => {
    const page = await open()
    await page.goto(`${stand.url}#unit=${stand.units[0]}`)
    await expect.poll(() => page.locator('#event-rows tr').count()).toBe(6)
    await stand.simulator.erase(0)
    await stand.simulator.refill(0, 9)
    const asked = async (): Promise<unknown> =>
      (await fetch(`${stand.url}device/events?host=127.0.0.1&tcp_port=${unit().port}`)).json()
    expect([await asked(), await asked()]).toMatchObject([{ era: 'new' }, { era: 'same' }])
    await page.getByRole('button', { name: 'Refresh events from the unit' }).click()
    await page.getByText('The unit’s memory was erased: all events are new.').waitFor()
    expect(await page.locator('#event-rows tr').count()).toBe(9)
  })

  it('another unit at the same address is named', async () => {
    const page = await open()
    await page.goto(`${stand.url}#unit=${stand.units[0]}`)
    const { serial } = unit()
    await page.getByRole('heading', { name: serial }).waitFor()
    const other = await stand.simulator.swap(0)
    await page.getByRole('button', { name: 'Refresh unit and status from the unit' }).click()
    await page.getByText(`Another unit answers at this address: ${other} where ${serial} did.`).waitFor()
    await page.getByRole('heading', { name: other }).waitFor()
  })

  it('a long download has a progress bar, in the fleet and where it is waited for', async () => {
    const page = await open({ simulated: { scale: 5, events: 5 } })
    const { index } = await stand.simulator.record(0, 'waveform')
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=${index}`)
    for (const pane of ['#recording', '#fleet']) {
      const bar = page.locator(pane).getByRole('progressbar', { name: `Download of the recording of event ${index}` })
      await bar.waitFor()
      await page
        .locator(pane)
        .getByText(/^recording of event \d+: \d+ of \d+ pieces$/)
        .waitFor()
      expect(Number(await bar.getAttribute('value'))).toBeGreaterThan(0)
    }
    await page.locator('#plots canvas').nth(3).waitFor()
    await expect.poll(() => page.locator('#recording').getByRole('progressbar').isVisible()).toBe(false)
  })

  it('what units say is text, whatever it looks like', async () => {
    const hostile = '<img src=x onerror="pwned=1">'
    const page = await open({ width: 400 })
    const { port } = unit()
    const config = await fetch(`${stand.url}device/config?host=127.0.0.1&tcp_port=${port}`, {
      method: 'POST',
      body: JSON.stringify({ project: hostile, location: 'x'.repeat(40) }),
    })
    expect(config.status).toBe(200)
    const { index } = await stand.simulator.record(0, 'waveform')
    // A record of the older program may hold anything, and nobody is at this address to say better.
    const legacy = 'tcp:127.0.0.1:1'
    await stand.gateway.cache.setDeviceInfo(legacy, { serial: hostile, model: `${hostile}<script>pwned=1</script>` })
    await stand.gateway.cache.setEvents(legacy, [
      { index: 0, record_type: hostile, timestamp: { iso: `${hostile}${'x'.repeat(200)}` }, project: hostile },
      { index: 1, peaks: { tran: hostile }, project: ['a'], timestamp: 5 as never },
    ])
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=${index}`)
    await page.locator('#plots canvas').nth(3).waitFor()
    await expect.poll(() => page.locator('#unit-facts').innerText()).toContain(hostile)
    expect(await page.locator('#event-rows tr').first().innerText()).toContain(hostile)

    await page.getByRole('link', { name: hostile }).click()
    await page.getByRole('heading', { name: hostile }).waitFor()
    await expect.poll(() => page.locator('#event-rows').innerText()).toContain(hostile)
    await page.getByRole('link', { name: 'Event 1,' }).click()
    await page.locator('#recording-failure').getByText('Nobody listens').waitFor()
    await page.goto(`${stand.url}#unit=${encodeURIComponent(hostile)}&event=${hostile}`)
    await page.getByRole('heading', { name: hostile }).waitFor()
    expect(await page.evaluate(`[typeof pwned, document.querySelectorAll('img').length]`)).toEqual(['undefined', 0])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400)
  })

  it('a record of the older program without samples is said to be one', async () => {
    const page = await open()
    await stand.gateway.cache.setWaveform(stand.units[0] as string, 1, {
      raw: 'AAAA',
      channels: { Tran: 'no samples' },
    })
    await page.goto(`${stand.url}#unit=${stand.units[0]}&event=1`)
    await page.getByText('holds no samples that could be plotted').waitFor()
  })

  const unit = (): SimulatedUnit => {
    const [first] = stand.simulator.units
    if (first) return first
    throw new Error('The simulator has no units.')
  }
})
