import { Hono } from 'hono'
import { html } from 'hono/html'
import { secureHeaders } from 'hono/secure-headers'
import type { Simulator } from '@tidemark/seismo/simulator'

/** What the landing page links and lets a visitor do. */
export interface Showcase {
  readonly seismo: { readonly url: string; readonly fleet: Simulator }
  readonly statehub: { readonly url: string }
  readonly projectstatus: { readonly url: string }
  readonly proxypool: { readonly url: string }
}

/** What a visitor can do to a unit that no request could: what happens in the field. */
const DEEDS = {
  record: { label: 'a blast is recorded', run: (fleet: Simulator, unit: number) => fleet.record(unit, 'waveform') },
  erase: { label: 'erase at its panel', run: (fleet: Simulator, unit: number) => fleet.erase(unit) },
  swap: { label: 'swap for another unit', run: (fleet: Simulator, unit: number) => fleet.swap(unit) },
  unplug: { label: 'unplug', run: (fleet: Simulator, unit: number) => fleet.refuse(unit) },
  plug: { label: 'plug in', run: (fleet: Simulator, unit: number) => fleet.listen(unit) },
} as const

/** The first page: what runs here, and buttons for what happens in the field. */
export function landingPage({ seismo, statehub, projectstatus, proxypool }: Showcase): Hono {
  const { fleet, url: seismoUrl } = seismo
  const app = new Hono()
  app.use(
    secureHeaders({
      strictTransportSecurity: false,
      contentSecurityPolicy: { defaultSrc: ["'self'"], styleSrc: ["'unsafe-inline'"], formAction: ["'self'"] },
    }),
  )

  app.get('/', (c) => {
    const done = c.req.query('done')
    return c.html(
      html`<!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <title>Tidemark showcase</title>
            <style>
              :root {
                color-scheme: light dark;
                font:
                  16px/1.5 system-ui,
                  sans-serif;
              }
              body {
                max-width: 60rem;
                margin: 2rem auto;
                padding: 0 1rem;
              }
              table {
                border-collapse: collapse;
              }
              th,
              td {
                padding: 0.3rem 0.8rem 0.3rem 0;
                text-align: left;
              }
              form {
                display: inline;
              }
              .done {
                padding: 0.3rem 0.6rem;
                border-left: 4px solid #2a7;
              }
            </style>
          </head>
          <body>
            <h1>Tidemark showcase</h1>
            <p>A cache that knows how each kind of data goes stale, at work in real services.</p>
            <h2><a href="${seismoUrl}">Seismograph gateway</a></h2>
            <p>
              ${fleet.units.length} simulated seismographs over real TCP, ${fleet.scale} times faster than over a modem.
              The gateway answers from its cache and goes to a unit only when it must; every answer says where it came
              from and how old it is.
            </p>
            ${done === undefined ? '' : html`<p class="done" role="status">${done}. Now look at the <a href="${seismoUrl}">gateway</a>.</p>`}
            <table>
              <caption>
                What happens in the field
              </caption>
              ${fleet.units.map(
                ({ host, port, serial }, unit) =>
                  html`<tr>
                    <th scope="row">
                      <a href="${seismoUrl}#unit=${encodeURIComponent(`tcp:${host}:${port}`)}">${serial}</a>
                    </th>
                    <td>${host}:${port}</td>
                    <td>
                      ${Object.entries(DEEDS).map(
                        ([deed, { label }]) =>
                          html`<form method="post" action="/units/${unit}/${deed}"><button>${label}</button></form> `,
                      )}
                    </td>
                  </tr>`,
              )}
            </table>
            <h2><a href="${statehub.url}">State summary</a></h2>
            <p>
              A whole hub in one snapshot, made of some twenty queries. It is served as long as its revision has not
              moved; when only progress was reported, only that part is built anew.
            </p>
            <h2><a href="${projectstatus.url}">Project status</a></h2>
            <p>
              Every read asks the database first. Take the database away with the switch on the page: what was read
              before goes on being answered, with its age and a warning.
            </p>
            <h2><a href="${proxypool.url}">Proxy pool</a></h2>
            <p>
              Real proxies on this machine: good ones, a slow one, one that wants credentials, one that comes and goes,
              a silent and a dead one. They lie in three tiers, their credentials sealed, and are checked every ten
              seconds.
            </p>
          </body>
        </html>`,
    )
  })

  app.post('/units/:unit/:deed', async (c) => {
    const unit = Number(c.req.param('unit'))
    const deed = c.req.param('deed')
    const origin = c.req.header('origin')
    if (origin !== undefined && origin !== new URL(c.req.url).origin) return c.text('Only from this page.', 403)
    if (!fleet.units[unit] || !Object.hasOwn(DEEDS, deed)) return c.text('No such unit or deed.', 404)
    const { run, label } = DEEDS[deed as keyof typeof DEEDS]
    const happened = await run(fleet, unit).then(
      () => `${fleet.units[unit]?.serial}: ${label}`,
      (error: Error) => `${fleet.units[unit]?.serial}: ${error.message}`,
    )
    return c.redirect(`/?done=${encodeURIComponent(happened)}`, 303)
  })
  return app
}
