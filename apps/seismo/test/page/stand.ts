import { listen } from '@tidemark/serve'
import type { Browser, Page } from 'playwright-core'
import type { Clock } from 'tidemark'
import { openGateway, type Gateway } from '../../src/gateway.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/start.ts'

/** A gateway that takes requests, simulated units behind it, and a browser's page in front. */
export interface Stand extends AsyncDisposable {
  readonly simulator: Simulator
  readonly gateway: Gateway
  /** Connection keys, by place in the simulator. */
  readonly units: readonly string[]
  readonly url: string
  readonly page: Page
  /** What went wrong in the page, by its console. */
  readonly errors: string[]
  /** The browser's own note of an answer that says no, which a page cannot keep out of the console. */
  readonly refusals: readonly string[]
}

/** How a stand differs from one unit with six events and a wide window. */
export interface StandOptions {
  readonly simulated?: SimulatorOptions
  /** The gateway's. */
  readonly clock?: Clock
  readonly width?: number
  /** The gateway is told of no units. */
  readonly isEmpty?: boolean
}

/** Starts everything; the page is still blank. */
export async function openStand(
  browser: Browser,
  { simulated, clock, width = 1280, isEmpty = false }: StandOptions = {},
): Promise<Stand> {
  await using cleanup = new AsyncDisposableStack()
  const simulator = cleanup.use(await startSimulator({ units: 1, events: 6, scale: 2000, ...simulated }))
  const units = simulator.units.map(({ host, port }) => `tcp:${host}:${port}`)
  const gateway = cleanup.use(await openGateway({ path: ':memory:', clock, units: isEmpty ? [] : units }))
  const server = await listen({ name: 'seismo', portVariable: 'PORT' }, gateway.fetch, '127.0.0.1', 0)
  cleanup.defer(server.close)
  const context = await browser.newContext({ viewport: { width, height: 900 } })
  cleanup.defer(() => context.close())
  const page = await context.newPage()
  const errors: string[] = []
  const refusals: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    const isRefusal = message.text().startsWith('Failed to load resource: the server responded with a status of')
    ;(isRefusal ? refusals : errors).push(message.text())
  })
  const all = cleanup.move()
  return {
    ...{ simulator, gateway, units, url: server.url, page, errors, refusals },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
