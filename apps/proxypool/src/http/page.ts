import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ProxyPool, ProxyView } from '../pool/pool.ts'

const SHOWN_MAX = 200
const WIDTH = 240
const HEIGHT = 40

type Html = ReturnType<typeof html>

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #8883 }
.states { display: flex; gap: 1rem; flex-wrap: wrap } .states b { font-size: 1.4rem; display: block }
.healthy { color: #197a3c } .unhealthy, .dead { color: #c0392b } .degraded, .recovering, .checking { color: #b36b00 }
@media (prefers-color-scheme: dark) { .healthy { color: #5fd08a } .unhealthy, .dead { color: #ff8a7a } .degraded, .recovering, .checking { color: #f0b429 } }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5 } .bad { fill: #c0392b } .scroll { overflow-x: auto }`

/** The pool for people: counts by state, every proxy with its health, one proxy's history with a small latency chart. */
export function poolPage(pool: ProxyPool): Hono {
  const app = new Hono()

  app.get('/', async (c) => {
    const views: ProxyView[] = []
    for await (const key of pool.keys()) {
      const view = await pool.view(key)
      if (view) views.push(view)
      if (views.length === SHOWN_MAX) break
    }
    const size = await pool.size()
    return c.html(
      pageOf(
        'Proxy pool',
        html`<p role="status">
            ${size}
            proxies${pool.isDegraded ? html`; <strong class="unhealthy">the pool is degraded: fewer than half are healthy</strong>` : ''}.
          </p>
          <div class="states">
            ${Object.entries(pool.counts).map(([state, count]) => html`<div class="${state}"><b>${count}</b>${state}</div>`)}
          </div>
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>proxy</th>
                  <th>source</th>
                  <th>credentials</th>
                  <th>state</th>
                  <th>last answer</th>
                  <th>checks</th>
                  <th>last error</th>
                </tr>
              </thead>
              <tbody>
                ${views.map(rowOf)}
              </tbody>
            </table>
          </div>
          ${size > views.length ? html`<p>The first ${views.length} are shown.</p>` : ''}`,
      ),
    )
  })

  app.get('/proxy/:key', async (c) => {
    const view = await pool.view(c.req.param('key'))
    if (!view) return c.html(pageOf('No such proxy', html`<p>It was removed. <a href="/">All proxies</a></p>`), 404)
    const checks = await pool.history(view.key)
    return c.html(
      pageOf(
        view.url,
        html`<p><a href="/">All proxies</a></p>
          <p class="${view.status}">${view.status}</p>
          ${chart(checks)}
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>time</th>
                  <th>result</th>
                  <th>answered in</th>
                  <th>error</th>
                </tr>
              </thead>
              <tbody>
                ${checks
                  .toReversed()
                  .slice(0, SHOWN_MAX)
                  .map(
                    (it) =>
                      html`<tr>
                        <td>${new Date(it.at).toISOString()}</td>
                        <td>${it.ok ? 'good' : 'failed'}</td>
                        <td>${it.responseMs} ms</td>
                        <td>${it.error ?? ''}</td>
                      </tr>`,
                  )}
              </tbody>
            </table>
          </div>`,
      ),
    )
  })
  return app
}

function rowOf({ key, url, source, hasCredentials, status, health }: ProxyView): Html {
  return html`<tr>
    <td><a href="/proxy/${key}">${url}</a></td>
    <td>${source}</td>
    <td>${hasCredentials ? 'sealed' : 'none'}</td>
    <td class="${status}">${status}</td>
    <td>${health?.responseMs === undefined ? '' : `${health.responseMs} ms`}</td>
    <td>${health?.checks ?? 0}</td>
    <td>${health?.lastError ?? ''}</td>
  </tr>`
}

/** Answers over time; failed checks are dots on the ground line. */
function chart(checks: readonly { readonly at: number; readonly ok: boolean; readonly responseMs: number }[]): Html {
  if (checks.length === 0) return html`<p>Not checked yet.</p>`
  const most = Math.max(1, ...checks.map((it) => it.responseMs))
  const x = (i: number): string => ((i / Math.max(1, checks.length - 1)) * WIDTH).toFixed(1)
  const y = (ms: number): string => (HEIGHT - (ms / most) * (HEIGHT - 4)).toFixed(1)
  const points = checks.flatMap((it, i) => (it.ok ? [`${x(i)},${y(it.responseMs)}`] : [])).join(' ')
  return html`<figure>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT + 4}"
      width="${WIDTH * 2}"
      role="img"
      aria-label="Answer times of ${checks.length} checks, up to ${most} ms"
    >
      <polyline points="${points}"></polyline>
      ${checks.flatMap((it, i) => (it.ok ? [] : [html`<circle class="bad" cx="${x(i)}" cy="${HEIGHT}" r="2"></circle>`]))}
    </svg>
    <figcaption>Answer times, up to ${most} ms; dots are failed checks.</figcaption>
  </figure>`
}

function pageOf(title: string, body: Html | Promise<Html>): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`
}
