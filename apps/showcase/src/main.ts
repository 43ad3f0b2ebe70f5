// Starts the example services on embedded defaults and says where they are. Ctrl-C stops all of them.

import { join } from 'node:path'
import { startDemo } from '@tidemark/proxypool/demo'
import { openService } from '@tidemark/proxypool/service'
import { openGateway } from '@tidemark/seismo/gateway'
import { listen, stopOnSignal } from '@tidemark/serve'
import { startFleet } from './fleet.ts'
import { showcaseKeyring } from './keys.ts'
import { landingPage } from './landing.ts'
import { settingsFrom } from './settings.ts'

const DEMO_PROXIES = 8

const settings = settingsFrom(process.env)
/** What is running, to be stopped in the opposite order. */
const running: (() => Promise<void>)[] = []
const stop = stopOnSignal(async () => {
  for (const end of running.toReversed()) await end()
})

try {
  const fleet = await startFleet()
  running.push(() => fleet.stop())
  const units = fleet.units.map(({ host, port }) => `tcp:${host}:${port}`)
  const gateway = await openGateway({
    path: join(settings.dataDir, 'seismo.db'),
    eventFiles: join(settings.dataDir, 'events'),
    units,
    publicHosts: [settings.host],
  })
  running.push(() => gateway.close())
  const { host } = settings
  const seismo = await listen({ name: 'seismo', portVariable: 'SEISMO_PORT' }, gateway.fetch, host, settings.seismoPort)
  running.push(() => seismo.close())
  const demo = await startDemo(DEMO_PROXIES)
  running.push(demo.close)
  const pool = openService({
    dataDir: join(settings.dataDir, 'proxypool'),
    target: demo.target,
    keyring: showcaseKeyring(settings.dataDir),
    publicHosts: [host],
    every: '10s',
    timeout: '2s',
  })
  running.push(pool.close)
  await pool.pool.removeSource('demo')
  for (const url of demo.addresses) await pool.pool.add({ url, source: 'demo' })
  const proxypool = await listen(
    { name: 'proxypool', portVariable: 'PROXYPOOL_PORT' },
    pool.fetch,
    host,
    settings.proxypoolPort,
  )
  running.push(proxypool.close)
  const landing = landingPage({ seismoUrl: seismo.url, proxypoolUrl: proxypool.url, fleet })
  const showcase = await listen({ name: 'showcase', portVariable: 'PORT' }, landing.fetch, host, settings.port)
  running.push(() => showcase.close())
  console.log(`
  Tidemark showcase      ${showcase.url}
  Seismograph gateway    ${seismo.url}   (${units.length} simulated units)
  Proxy pool             ${proxypool.url}   (${demo.addresses.length} local proxies)

  Stop with Ctrl-C.
`)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
  await stop()
}
