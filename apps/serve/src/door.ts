import { isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'

/**
 * Keeps other web sites out. A page of theirs can make a browser send requests here: under a name of theirs that points
 * to this address (DNS rebinding), so names must be known ones; or as a form or script of theirs, so writes must come from
 * our own pages or from programs, which send no Origin.
 */
export function door(names: readonly string[]): MiddlewareHandler {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())])
  return async (c, next) => {
    const url = new URL(c.req.url)
    const name = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
    if (isIP(name) === 0 && !known.has(name)) {
      const hint = 'Add the name to PUBLIC_HOSTS of the service.'
      return c.json({ error: { code: 'host-unknown', message: `This service is not called ${name}.`, hint } }, 403)
    }
    // An image or a script of another site that points here: its user did not ask for it.
    if (c.req.header('sec-fetch-site') === 'cross-site' && c.req.header('sec-fetch-mode') !== 'navigate') {
      return c.json(
        { error: { code: 'origin-not-allowed', message: 'Pages of other sites may not use this service.' } },
        403,
      )
    }
    const isWrite = !['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)
    const origin = c.req.header('origin')
    if (isWrite && origin !== undefined && hostOf(origin) !== url.host) {
      const message = `Pages of ${origin} may not change anything here.`
      return c.json({ error: { code: 'origin-not-allowed', message } }, 403)
    }
    await next()
    return undefined
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
