import { join } from 'node:path'
import { openDatabase } from '@tidemark/database'
import { seed } from '@tidemark/projectstatus/seed'
import { openService } from '@tidemark/projectstatus/service'
import { listen } from '@tidemark/serve'
import type { Running } from '../running.ts'
import type { Settings } from '../settings.ts'

/** The status of projects from PostgreSQL inside this process, with a switch that takes it away. */
export async function startProjectstatus(
  { dataDir, host, projectstatusPort }: Settings,
  running: Running,
): Promise<{ url: string }> {
  const database = running.add(
    await openDatabase({ schema: 'projectstatus', dataDir: join(dataDir, 'projectstatus.pglite') }),
  )
  await seed(database)
  const service = running.add(
    await openService({ database, isDemo: true, path: join(dataDir, 'projectstatus.db'), publicHosts: [host] }),
  )
  return running.add(
    await listen({ name: 'projectstatus', portVariable: 'PROJECTSTATUS_PORT' }, service.fetch, host, projectstatusPort),
  )
}
