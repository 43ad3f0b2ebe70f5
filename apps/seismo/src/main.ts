import { join } from 'node:path'
import { listen, stopOnSignal } from '@tidemark/serve'
import { openGateway } from './gateway.ts'
import { settingsFrom } from './settings.ts'
import { startSimulator } from './simulator/start.ts'

/** What is running, to be stopped in the opposite order. */
const running: (() => Promise<void>)[] = []
const stop = stopOnSignal(async () => {
  for (const end of running.toReversed()) await end()
})

try {
  const settings = settingsFrom(process.env)
  const { host } = settings
  const simulator = settings.simulate > 0 ? await startSimulator({ units: settings.simulate }) : undefined
  if (simulator) running.push(() => simulator.stop())
  const simulated = simulator?.units.map((unit) => `tcp:${unit.host}:${unit.port}`) ?? []
  const gateway = await openGateway({
    path: join(settings.dataDir, 'seismo.db'),
    eventFiles: join(settings.dataDir, 'events'),
    units: [...settings.units, ...simulated],
    allowHosts: settings.allowHosts,
    publicHosts: [host, ...settings.publicHosts],
  })
  running.push(() => gateway.close())
  const { migrated } = gateway.cache
  if (migrated) console.log('Took over the database of the older program:', migrated)
  const { url, close } = await listen({ name: 'seismo', portVariable: 'PORT' }, gateway.fetch, host, settings.port)
  running.push(close)
  console.log(`seismo: ${url}`)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
  await stop()
}
