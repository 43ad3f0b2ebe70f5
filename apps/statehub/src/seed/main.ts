// Fills a hub: npm run seed -w apps/statehub -- --seed 7

import { parseArgs } from 'node:util'
import { databaseFrom, progressBar } from '@tidemark/database'
import { openHubDatabase } from '../database/open.ts'
import { seed } from './seed.ts'

try {
  const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } })
  if (!/^\d{1,9}$/.test(values.seed))
    throw new RangeError(`Expected --seed to be a whole number, got '${values.seed}'.`)
  await using database = await openHubDatabase(databaseFrom(process.env, 'statehub'))
  const rows = await seed(database, { seed: Number(values.seed), onProgress: progressBar(process.stderr) })
  console.log(`statehub: ${rows} rows in the schema ${database.schema} (${database.kind})`)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
