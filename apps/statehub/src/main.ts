import { join } from 'node:path'
import { listen, stopOnSignal } from '@tidemark/serve'
import { openHubDatabase } from './database/open.ts'
import { seedIfEmpty } from './seed/seed.ts'
import { openService } from './service.ts'
import { settingsFrom } from './settings.ts'

/** What is running, to be stopped in the opposite order. */
const running: (() => Promise<void>)[] = []
const stop = stopOnSignal(async () => {
  for (const end of running.toReversed()) await end()
})

try {
  const settings = settingsFrom(process.env)
  const { host, dataDir, revisions, maxStaleMs } = settings
  const database = await openHubDatabase(settings.database)
  running.push(() => database.close())
  if (settings.seed > 0) await seedIfEmpty(database, { seed: settings.seed })
  const service = await openService({
    database,
    cachePath: join(dataDir, `${database.schema}.cache.db`),
    revisions,
    maxStaleMs,
    publicHosts: [host, ...settings.publicHosts],
  })
  running.push(service.close)
  const { url, close } = await listen({ name: 'statehub', portVariable: 'PORT' }, service.fetch, host, settings.port)
  running.push(close)
  console.log(`statehub: ${url}`)
} catch (error) {
  const { message, hint } = error as Error & { hint?: string }
  console.error(hint === undefined ? message : `${message} ${hint}`)
  process.exitCode = 1
  await stop()
}
