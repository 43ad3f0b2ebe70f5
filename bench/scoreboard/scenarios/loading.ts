import { settled, unless, type Scenario, type Stage } from '../scenario.ts'
import type { Cache } from '../peer.ts'

/** What a load read before a change must not be stored after it. */
export const LOADING: readonly Scenario[] = [
  {
    name: 'delete-during-load',
    does: 'A key is deleted while its load runs; whoever reads after that load has ended does not get what it had read.',
    uses: ['delete'],
    play: (stage) => changedDuringLoad(stage, (cache) => cache.delete('k')),
  },
  {
    name: 'reader-after-delete',
    does: 'A reader who comes after a delete has resolved is not made a waiter of the load that began before it.',
    uses: ['delete'],
    play: async ({ open, source }) => {
      const origin = source('old')
      const cache = await open({ load: origin.load })
      const release = origin.hold()
      const early = settled(cache.get('k'))
      await origin.begun()
      await cache.delete('k')
      origin.value = 'new'
      origin.unhold()
      const late = settled(cache.get('k'))
      await new Promise((resolve) => setTimeout(resolve, 30))
      release()
      await early
      return unless(await late, 'new', 'the later reader got')
    },
  },
  {
    name: 'clear-during-load',
    does: 'Everything of a name is cleared while a load runs; whoever reads after that load has ended does not get what it had read.',
    uses: ['clear'],
    play: (stage) => changedDuringLoad(stage, (cache) => cache.clear()),
  },
  {
    name: 'tag-during-load',
    does: 'A tag is invalidated while a value that carries it is loaded; what was read before is not handed out afterwards.',
    uses: ['tags', 'tags on load'],
    play: (stage) => changedDuringLoad(stage, (cache) => cache.invalidateTag('t')),
  },
  {
    name: 'set-during-load',
    does: 'A value is set while an older one is still being loaded; the set one stays.',
    uses: ['set'],
    play: async ({ open, source }) => {
      const origin = source('loaded, older')
      const cache = await open({ load: origin.load })
      const release = origin.hold()
      const early = settled(cache.get('k'))
      await origin.begun()
      await cache.set('k', 'set, newer')
      release()
      await early
      return unless(await settled(cache.get('k')), 'set, newer', 'a later reader got')
    },
  },
  {
    name: 'tag-invalidates',
    does: 'After a tag is invalidated what carries it is gone, and what does not is still there.',
    uses: ['tags', 'set'],
    play: async ({ open, source }) => {
      const origin = source('loaded')
      const cache = await open({ load: origin.load, tags: (key) => [key.startsWith('a') ? 'a' : 'b'] })
      for (const key of ['a1', 'a2', 'b1']) await cache.set(key, 'set')
      // Some compare times in milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 5))
      await cache.invalidateTag('a')
      const got = [await cache.get('a1'), await cache.get('a2'), await cache.get('b1')]
      return unless(got, ['loaded', 'loaded', 'set'], 'a1 and a2 (invalidated) and b1 were')
    },
  },
  {
    name: 'clear-is-exact',
    does: 'Clearing `users` in a shared tier leaves `users2` and `user`.',
    uses: ['clear', 'set', 'second tier'],
    play: async ({ open, source, remote }) => {
      const origin = source('loaded')
      const tier = await remote()
      const make = (name: string): Promise<Cache> => open({ load: origin.load, remote: tier, name })
      const names = ['users', 'users2', 'user']
      for (const cache of await Promise.all(names.map(make))) await cache.set('k', 'set')
      await (await make('users')).clear()
      const got = await Promise.all(names.map(async (name) => (await make(name)).get('k')))
      return unless(got, ['loaded', 'set', 'set'], 'users (cleared), users2 and user were')
    },
  },
]

async function changedDuringLoad(
  { open, source }: Stage,
  change: (cache: Cache) => Promise<unknown>,
): Promise<string | undefined> {
  const origin = source('old')
  const cache = await open({ load: origin.load, tags: () => ['t'] })
  const release = origin.hold()
  const early = settled(cache.get('k'))
  await origin.begun()
  await change(cache)
  origin.value = 'new'
  release()
  await early
  return unless(await settled(cache.get('k')), 'new', 'a later reader got')
}
