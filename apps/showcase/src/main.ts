// Starts the example services on embedded defaults and says where they are. Ctrl-C stops all of them.

import { listen, stopOnSignal } from '@tidemark/serve'
import { landingPage } from './landing.ts'
import { Running } from './running.ts'
import { startProjectstatus } from './services/projectstatus.ts'
import { startProxypool } from './services/proxypool.ts'
import { startSeismo } from './services/seismo.ts'
import { startStatehub } from './services/statehub.ts'
import { settingsFrom } from './settings.ts'

const settings = settingsFrom(process.env)
const running = new Running()
const stop = stopOnSignal(() => running.stop())

try {
  const seismo = await startSeismo(settings, running)
  const proxypool = await startProxypool(settings, running)
  console.log('  Filling the embedded databases; the first time that takes some seconds …')
  const statehub = await startStatehub(settings, running)
  const projectstatus = await startProjectstatus(settings, running)
  const landing = landingPage({ seismo, statehub, projectstatus, proxypool })
  const { url } = running.add(
    await listen({ name: 'showcase', portVariable: 'PORT' }, landing.fetch, settings.host, settings.port),
  )
  console.log(`
  Tidemark showcase      ${url}
  Seismograph gateway    ${seismo.url}   (${seismo.fleet.units.length} simulated units)
  State summary          ${statehub.url}   (embedded PostgreSQL)
  Project status         ${projectstatus.url}   (embedded PostgreSQL, with a switch that takes it away)
  Proxy pool             ${proxypool.url}   (${proxypool.proxies} local proxies)

  Stop with Ctrl-C.
`)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
  await stop()
}
