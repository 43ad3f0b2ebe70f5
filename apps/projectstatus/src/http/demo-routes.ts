import { Hono } from 'hono'
import { OUTAGES, type Outage, type OutageKind } from '../demo/outage.ts'
import { bad } from './failure.ts'

/** The switch of the demonstration. */
export function demoRoutes(outage: Outage): Hono {
  const app = new Hono()
  app.get('/demo/outage', (c) => c.json({ kind: outage.kind }, 200, { 'Cache-Control': 'no-store' }))
  app.post('/demo/outage', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined)
    const kind = typeof body === 'object' && body !== null && 'kind' in body ? body.kind : undefined
    if (!(OUTAGES as readonly unknown[]).includes(kind)) throw bad('kind', `one of ${OUTAGES.join(', ')}`)
    outage.set(kind as OutageKind)
    return c.json({ kind: outage.kind })
  })
  return app
}
