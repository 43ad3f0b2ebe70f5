import { expect, it } from 'vitest'
import { memory } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { Guard } from '../../src/stack/guard.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

const SETTINGS = {
  failureThreshold: 3,
  successThreshold: 2,
  probeBaseMs: 500,
  probeMaxMs: 30_000,
  budgetMs: 20,
  journal: { maxItems: 100, maxBytes: 1e6 },
  disabled: false,
}

it('a tier that takes neither reads nor writes is probed with growing pauses, whichever of them was due first', async () => {
  const clock = new FakeClock()
  const broken = chaos(memory())
  const guard = new Guard(broken, SETTINGS, { clock, report: () => {}, stateChanged: () => {} })
  broken.fail('put').fail('remove')
  for (let i = 0; i < 3; i++) await guard.put(entryOf(clock, 'users', i, i))
  broken.fail('get')
  for (let i = 0; i < 3; i++) await guard.get({ name: 'users', id: String(i) })
  const before = broken.calls.length
  await clock.advance('60s')
  // After 0.25 s at the earliest, then at least twice as late each time, and every 15 s in the end.
  expect(broken.calls.length - before).toBeLessThan(12)
  broken.heal()
  await clock.advance('2m')
  expect(guard.status).toMatchObject({ state: 'up', journal: { items: 0 } })
  await guard.close()
  expect(clock.timers).toBe(0)
})
