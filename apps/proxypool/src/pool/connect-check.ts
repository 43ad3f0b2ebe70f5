import { ProxyAgent, request } from 'undici'
import type { CheckResult } from 'tidemark'
import { concealed } from '../proxy/conceal.ts'
import type { ProxyRecord } from '../proxy/record.ts'

/** Tries a proxy as its users do: a request to `target` through it. Any answer below 500 that is not 407 is a good one. */
export function connectCheck(target: string): (proxy: ProxyRecord, signal: AbortSignal) => Promise<CheckResult> {
  return async (proxy, signal) => {
    const dispatcher = new ProxyAgent({ uri: proxy.url, ...authorization(proxy), proxyTunnel: true })
    const began = performance.now()
    try {
      const { statusCode, body } = await request(target, { dispatcher, signal, method: 'HEAD' })
      await body.dump()
      const responseMs = Math.round(performance.now() - began)
      return statusCode < 500 && statusCode !== 407
        ? { ok: true, responseMs }
        : { ok: false, responseMs, error: `The target answered ${statusCode}.` }
    } catch (error) {
      return { ok: false, responseMs: Math.round(performance.now() - began), error: reasonOf(error, proxy) }
    } finally {
      // Whatever state its connections are in: nobody else uses them.
      void dispatcher.destroy().catch(() => {})
    }
  }
}

function authorization({ username = '', password = '' }: ProxyRecord): { token?: string } {
  if (username === '' && password === '') return {}
  return { token: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** The reason without what an address or a header may hold. */
function reasonOf(error: unknown, proxy: ProxyRecord): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return 'failed'
  const { code } = cause as NodeJS.ErrnoException
  return typeof code === 'string' ? code : concealed(cause.message, proxy).slice(0, 200)
}
