import { join } from 'node:path'
import { startDemo } from '@tidemark/proxypool/demo'
import { openService } from '@tidemark/proxypool/service'
import { listen } from '@tidemark/serve'
import { showcaseKeyring } from '../keys.ts'
import type { Running } from '../running.ts'
import type { Settings } from '../settings.ts'

const DEMO_PROXIES = 8

/** The pool over proxies of this machine. */
export async function startProxypool(
  { dataDir, host, proxypoolPort }: Settings,
  running: Running,
): Promise<{ url: string; proxies: number }> {
  const { addresses, target } = running.add(await startDemo(DEMO_PROXIES))
  const service = running.add(
    openService({
      dataDir: join(dataDir, 'proxypool'),
      target,
      keyring: showcaseKeyring(dataDir),
      publicHosts: [host],
      every: '10s',
      timeout: '2s',
    }),
  )
  await service.pool.ready
  await service.pool.removeSource('demo')
  for (const url of addresses) await service.pool.add({ url, source: 'demo' })
  const { url } = running.add(
    await listen({ name: 'proxypool', portVariable: 'PROXYPOOL_PORT' }, service.fetch, host, proxypoolPort),
  )
  return { url, proxies: addresses.length }
}
