import { join } from 'node:path'
import { listen } from '@tidemark/serve'
import { openHubDatabase } from '@tidemark/statehub/database'
import { seedIfEmpty } from '@tidemark/statehub/seed'
import { openService } from '@tidemark/statehub/service'
import type { Running } from '../running.ts'
import type { Settings } from '../settings.ts'

/** The state summary over PostgreSQL inside this process. */
export async function startStatehub(
  { dataDir, host, statehubPort }: Settings,
  running: Running,
): Promise<{ url: string }> {
  const database = running.add(await openHubDatabase({ schema: 'statehub', dataDir: join(dataDir, 'statehub.pglite') }))
  await seedIfEmpty(database)
  const service = running.add(
    await openService({ database, cachePath: join(dataDir, 'statehub.db'), publicHosts: [host] }),
  )
  return running.add(
    await listen({ name: 'statehub', portVariable: 'STATEHUB_PORT' }, service.fetch, host, statehubPort),
  )
}
