import type { Tier } from '../tier/tier.ts'
import { FakeClock } from './fake-clock.ts'
import { basicCases } from './tier-cases/basic.ts'
import type { TierCase } from './tier-cases/case.ts'
import { keyCases } from './tier-cases/keys.ts'
import { leaseCases } from './tier-cases/leases.ts'
import { selectorCases } from './tier-cases/selectors.ts'
import { valueCases } from './tier-cases/values.ts'

/** How the suite is run. */
export interface TestTierOptions {
  /** Registers one test; defaults to the global `it` or `test` of vitest, jest or `node --test` with globals. */
  readonly test?: (name: string, run: () => Promise<void>) => unknown
  /** Values of more bytes are left out, for a tier that cannot hold them. Defaults to no limit. */
  readonly maxValueBytes?: number
}

/**
 * The suite of the tier contract: what every tier has to do, whatever it is made of. `make` returns an empty tier each
 * time; the suite attaches and closes it.
 *
 * @example
 * testTier('memory', () => memory(), { test: it })
 */
export function testTier(label: string, make: () => Tier | Promise<Tier>, options: TestTierOptions = {}): void {
  const test = options.test ?? globalTest()
  const cases: readonly TierCase[] = [
    ...basicCases,
    ...leaseCases,
    ...selectorCases,
    ...keyCases,
    ...valueCases(options.maxValueBytes),
  ]
  for (const { name, run } of cases) {
    test(`${label}: ${name}`, async () => {
      const clock = new FakeClock()
      const tier = await make()
      tier.attach?.({ clock, report: () => {} })
      try {
        await run(tier, clock)
      } finally {
        await tier.close()
      }
    })
  }
}

function globalTest(): NonNullable<TestTierOptions['test']> {
  const { it, test } = globalThis as { it?: TestTierOptions['test']; test?: TestTierOptions['test'] }
  const found = it ?? test
  if (!found)
    throw new Error('testTier found no global `it` or `test`: pass one, as in testTier(label, make, { test: it }).')
  return found
}
