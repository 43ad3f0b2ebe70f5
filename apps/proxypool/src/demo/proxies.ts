import { startLocalProxy, startTarget, type LocalProxy } from './local-proxy.ts'

/** Local proxies of every kind, and something to reach through them. */
export interface Demo extends AsyncDisposable {
  readonly target: string
  /** Addresses with credentials, as a list would have them. */
  readonly addresses: readonly string[]
  readonly proxies: readonly LocalProxy[]
  readonly close: () => Promise<void>
}

/** How often a flapping proxy goes down and comes back. */
const FLAP_MS = 20_000

/** Starts `count` proxies: good, slow, wanting credentials, flapping, silent and dead ones in turn. */
export async function startDemo(count: number): Promise<Demo> {
  const target = await startTarget()
  const proxies: LocalProxy[] = []
  const addresses: string[] = []
  const timers: NodeJS.Timeout[] = []
  for (let i = 0; i < count; i++) {
    const kind = i % 8
    const behaviour =
      kind === 1
        ? { delayMs: 120 }
        : kind === 2
          ? { credentials: 'ada:lovelace' }
          : kind === 5
            ? { isSilent: true }
            : { delayMs: i }
    const proxy = await startLocalProxy(behaviour)
    proxies.push(proxy)
    addresses.push(kind === 2 ? proxy.url.replace('//', '//ada:lovelace@') : proxy.url)
    if (kind === 3)
      timers.push(setInterval(() => (proxy.behaviour.isDown = !(proxy.behaviour.isDown ?? false)), FLAP_MS).unref())
    if (kind === 6) await proxy.close()
  }
  const close = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer)
    await Promise.all(proxies.map((proxy) => proxy.close()))
    target.close()
  }
  return { target: target.url, addresses, proxies, close, [Symbol.asyncDispose]: close }
}
