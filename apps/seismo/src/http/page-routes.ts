import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { Hono } from 'hono'

const PAGE = new URL('../page/', import.meta.url)

const OWN = [
  ...['page.css', 'source.css', 'table.css', 'fleet.css', 'unit.css', 'icon.svg'],
  ...['main.js', 'fleet.js', 'chosen.js', 'events.js', 'waveform.js', 'plot.js'],
  ...['units.js', 'unit.js', 'era.js', 'recording.js', 'downloads.js', 'source.js', 'api.js'],
  ...['place.js', 'element.js', 'format.js'],
]

/** Paths and the files behind them; nothing else is served. */
const FILES: Readonly<Record<string, URL>> = {
  '/': new URL('index.html', PAGE),
  ...Object.fromEntries(OWN.map((name) => [`/page/${name}`, new URL(name, PAGE)])),
  '/page/uplot.css': new URL(import.meta.resolve('uplot/dist/uPlot.min.css')),
  '/page/uplot.js': new URL(import.meta.resolve('uplot/dist/uPlot.esm.js')),
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The page for people. */
export function pageRoutes(): Hono {
  const app = new Hono()
  for (const [path, file] of Object.entries(FILES)) {
    const type = TYPES[extname(file.pathname)] as string
    app.get(path, async (c) =>
      c.body(await readFile(file, 'utf8'), 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' }),
    )
  }
  return app
}
