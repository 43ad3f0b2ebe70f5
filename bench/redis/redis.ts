import type { Report } from '../report.ts'
import { connected } from './clients.ts'
import { groups } from './groups.ts'
import { reads } from './read.ts'
import { writes } from './write.ts'

/** The section `redis`. Needs a Redis at REDIS_URL, by default on this machine. */
export async function redisTier(): Promise<Report> {
  const clients = await connected()
  try {
    const read = await reads(clients)
    const write = await writes(clients)
    return {
      section: 'redis',
      title: 'the Redis tier beside its clients by hand',
      conditions: [
        `Redis ${clients.version} at ${clients.where}: without a network between, the client's own work counts most`,
        'values of 1 KB as JSON, by hand without a checksum, times or leases; the same keys for all, in turns',
      ],
      tables: [...read.tables, ...write.tables, await groups(clients)],
      goals: read.goals,
    }
  } finally {
    await clients.disconnect()
  }
}
