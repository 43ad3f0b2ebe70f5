import { listen, stopOnSignal } from '@tidemark/serve'
import { keyring } from 'tidemark/seal'
import { startDemo } from './demo/proxies.ts'
import { openService } from './service.ts'
import { settingsFrom } from './settings.ts'

/** What is running, to be stopped in the opposite order. */
const running: (() => Promise<void>)[] = []
const stop = stopOnSignal(async () => {
  for (const end of running.toReversed()) await end()
})

try {
  const settings = settingsFrom(process.env)
  const { host, dataDir, token } = settings
  const demo = settings.demo > 0 ? await startDemo(settings.demo) : undefined
  if (demo) running.push(demo.close)
  const target = settings.target ?? demo?.target
  if (target === undefined)
    throw new RangeError('Set CHECK_TARGET to what proxies are tried with, or DEMO=8 for local ones.')
  const service = openService({
    dataDir,
    target,
    token,
    keyring: keyring.fromEnv('TIDEMARK_KEYS'),
    publicHosts: [host, ...settings.publicHosts],
    ...(demo ? { every: '10s', timeout: '2s' } : undefined),
  })
  running.push(service.close)
  // Who asks before the proxies of earlier runs are known is told that there are none.
  await service.pool.ready
  service.pool.on(({ at, ...news }) => console.log(JSON.stringify({ at: new Date(at).toISOString(), ...news })))
  for (const url of demo?.addresses ?? []) await service.pool.add({ url, source: 'demo' })
  const { url, close } = await listen({ name: 'proxypool', portVariable: 'PORT' }, service.fetch, host, settings.port)
  running.push(close)
  console.log(`proxypool: ${url}`)
} catch (error) {
  const { message, hint } = error as Error & { hint?: string }
  console.error(hint === undefined ? message : `${message} ${hint}`)
  process.exitCode = 1
  await stop()
}
