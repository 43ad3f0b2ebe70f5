import { describe, it } from 'vitest'
import { postgresPrograms } from '../src/show/private-postgres.ts'

const MISSING = 'PostgreSQL is not installed: there is no initdb. Install Debian’s package postgresql.'

/**
 * Defines tests that start a PostgreSQL of their own; the folder of its programs is handed to them. Where it is missing they
 * count as skipped, or, with REQUIRE_SERVICES=1, fail.
 */
export function requirePostgresPrograms(define: (folder: string) => void): void {
  const programs = postgresPrograms()
  if (programs !== undefined) {
    define(programs)
    return
  }
  describe('PostgreSQL', () => {
    it(`is installed (${MISSING})`, (context) => {
      if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(MISSING)
      context.skip(MISSING)
    })
  })
}
