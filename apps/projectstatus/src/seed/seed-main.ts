// Fills the database: npm run seed -w apps/projectstatus

import { databaseFrom, openDatabase, progressBar } from '@tidemark/database'
import { seed } from './seed.ts'

try {
  await using database = await openDatabase(databaseFrom(process.env, 'projectstatus'))
  const { vendors, workItems, deployments } = await seed(database, progressBar(process.stderr))
  const where = database.kind === 'postgres' ? 'PostgreSQL' : 'the embedded database'
  console.log(
    `Added ${vendors} vendors, ${workItems} work items and ${deployments} deployments to the schema ${database.schema} of ${where}.`,
  )
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
