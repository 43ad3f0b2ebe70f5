// The other side of `worker.ts`: one process with a tier over a shared folder, that does what its parent says.

import { entryOf, valueOf } from '../../src/testing/tier-cases/case.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { jsonl, type JsonlOptions, type Lease, type Selector, type TierReport } from '../../src/index.ts'

const options = JSON.parse(process.argv[2] as string) as JsonlOptions
const tier = jsonl(options)
const clock = new FakeClock()
const reports: TierReport[] = []
tier.attach?.({ clock, report: (news) => reports.push(news) })
const told: unknown[] = []
tier.feed?.listen((changed) => told.push(changed))

const put = (key: string, value: unknown): boolean | Promise<boolean> => tier.put(entryOf(clock, 'users', key, value))
const entry = (key: string, value: unknown) => entryOf(clock, 'users', key, value, { scope: 's', tags: ['t'] })

const methods: Record<string, (...args: never[]) => unknown> = {
  put,
  get: (key: string) => valueOf(tier, 'users', key),
  lease: () => tier.lease(),
  store: (key: string, value: unknown, lease: Lease) => tier.put(entry(key, value), lease),
  remove: (selector: Selector, staleAt?: number) => tier.remove(selector, staleAt),
  count: () => tier.count({ kind: 'all' }),
  acquire: (key: string, owner: string, forMs: number) =>
    tier.claims?.acquire({ name: 'users', id: key }, owner, clock.now() + forMs),
  release: (key: string, owner: string) => tier.claims?.release({ name: 'users', id: key }, owner),
  check: () => tier.feed?.check(),
  told: () => told.splice(0),
  corrupt: () => reports.filter(({ kind }) => kind === 'corrupt').length,
  advance: (ms: number) => clock.advance(ms),
  /** Many rows, several in one append; returns how many it wrote. */
  fill: async (prefix: string, rows: number, bytes: number) => {
    for (let i = 0; i < rows;) {
      const together = Math.min(rows - i, 1 + (i % 7))
      await Promise.all(
        Array.from({ length: together }, (_, k) => put(`${prefix}${i + k}`, `${prefix}${i + k} ${'v'.repeat(bytes)}`)),
      )
      i += together
    }
    return rows
  },
  /** Counts a shared number up: each step is claimed by one process, and taken only from the number before it. */
  increment: async (key: string, times: number) => {
    const current = async (): Promise<number> => ((await valueOf(tier, 'users', key)) as number | undefined) ?? 0
    for (let done = 0; done < times;) {
      const before = await current()
      const step = { name: 'users', id: `${key}#${before + 1}` }
      const isOurs = await tier.claims?.acquire(step, String(process.pid), clock.now() + 60_000)
      if (!isOurs || (await current()) !== before) continue
      await put(key, before + 1)
      done++
    }
  },
  close: () => tier.close(),
}

process.on('message', ({ id, method, args }: { id: number; method: string; args: readonly unknown[] }) => {
  Promise.resolve()
    .then(() => methods[method]?.(...(args as never[])))
    .then(
      (value) => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    )
})
process.send?.({ ready: true })
