import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const MISSING = `There is no browser at ${EXECUTABLE}. Install Debian's package chromium, or name another one in CHROMIUM.`

/** Neither reaches out by itself, and both run as root and without a screen. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/**
 * Defines tests that need Chromium; a running one is handed to them. Where it is missing they count as skipped, or, with
 * REQUIRE_SERVICES=1, fail.
 */
export function requireChromium(define: (browser: () => Browser) => void): void {
  if (existsSync(EXECUTABLE)) {
    withBrowser(define)
    return
  }
  describe('Chromium', () => {
    it(`is there (${MISSING})`, (context) => {
      if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(MISSING)
      console.warn(MISSING)
      context.skip(MISSING)
    })
  })
}

function withBrowser(define: (browser: () => Browser) => void): void {
  describe('in Chromium', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS })
    })
    afterAll(() => browser.close())
    define(() => browser)
  })
}
