import { openDatabase, progressBar } from '@tidemark/database'
import { listen, stopOnSignal } from '@tidemark/serve'
import { seed } from './seed/seed.ts'
import { openService } from './service.ts'
import { settingsFrom } from './settings.ts'

/** What is running, to be stopped in the opposite order. */
const running: (() => Promise<void>)[] = []
const stop = stopOnSignal(async () => {
  for (const end of running.toReversed()) await end()
})

try {
  const { host, port, publicHosts, cachePath, isDemo, ...settings } = settingsFrom(process.env)
  const database = await openDatabase(settings.database)
  running.push(() => database.close())
  if (isDemo) await seed(database, progressBar(process.stderr))
  const service = await openService({ database, isDemo, path: cachePath, publicHosts: [host, ...publicHosts] })
  running.push(() => service.close())
  const { url, close } = await listen({ name: 'projectstatus', portVariable: 'PORT' }, service.fetch, host, port)
  running.push(close)
  console.log(`projectstatus: ${url}`)
} catch (error) {
  const { message, hint } = error as Error & { hint?: string }
  console.error(hint === undefined ? message : `${message} ${hint}`)
  process.exitCode = 1
  await stop()
}
