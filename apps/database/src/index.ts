// The database of a service.

export { databaseFrom, openDatabase, type Database, type DatabaseOptions, type Queries } from './database.ts'
export { progressBar } from './seeding/progress-bar.ts'
export { Random } from './seeding/random.ts'
export { migrate, type Migration } from './migrate.ts'
