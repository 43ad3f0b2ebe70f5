// The other side of `peer.ts`: one process with a cache over a shared file, that does what its parent says.

import { createTidemark, immutable, memory, ttl, type Tidemark } from '../../src/index.ts'
import { sharedTiers } from './place.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

const [place, coherence] = process.argv.slice(2) as [string, 'eventual' | 'strict']
const { tiers, disconnect } = sharedTiers(place)
const tide: Tidemark = createTidemark({ tiers: [memory(), ...tiers], coherence })
const answers = new Map<number, (value: unknown) => void>()
let asked = 0

/** The source is the parent: it hears of every load and decides when it answers and with what. */
function ask(name: string, key: unknown): Promise<unknown> {
  const id = ++asked
  process.send?.({ ask: id, name, key })
  return new Promise((resolve) => answers.set(id, resolve))
}

const era = tide.era('era')
const users = tide.resource<string, unknown>({
  name: 'users',
  load: (key) => ask('users', key),
  freshness: ttl('1h'),
  scope: () => 'scope',
  tags: () => ['tag'],
})
const waves = tide.resource<readonly [string, number], { id: string }>({
  name: 'waves',
  load: async (key) => (await ask('waves', key)) as { id: string },
  era,
  scope: ([unit]) => unit,
  freshness: immutable({ identity: (wave) => [wave.id] }),
})

const methods: Record<string, (...args: never[]) => unknown> = {
  get: (key: string) => users.get(key),
  peek: (key: string) => users.peek(key) ?? null,
  read: async (key: string) => {
    const { value, tier, reason } = await users.read(key)
    return { value, tier, reason }
  },
  set: (key: string, value: unknown) => users.set(key, value),
  delete: (key: string) => users.delete(key),
  invalidate: (key: string) => users.invalidate(key),
  clear: () => users.clear(),
  clearScope: () => tide.scope('scope').clear(),
  invalidateTag: () => tide.invalidateTag('tag'),
  wave: (unit: string, index: number, refresh: boolean) => waves.get([unit, index], { refresh }),
  waveTier: async (unit: string, index: number) => (await waves.read([unit, index])).tier,
  stats: () => tide.stats(),
  close: async () => {
    await tide.close()
    disconnect()
  },
}

process.on('message', (message: Call | { answer: number; value: unknown }) => {
  if ('answer' in message) {
    answers.get(message.answer)?.(message.value)
    answers.delete(message.answer)
    return
  }
  const { id, method, args } = message
  Promise.resolve()
    .then(() => methods[method]?.(...(args as never[])))
    .then(
      (value) => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
    )
})
process.send?.({ ready: true })
