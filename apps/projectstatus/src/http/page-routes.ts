import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { Hono } from 'hono'

const PAGE = new URL('../page/', import.meta.url)
const OWN = ['page.css', 'icon.svg', 'main.js', 'api.js', 'element.js', 'list.js', 'outage.js', 'origin.js']
/** Paths and the files behind them; nothing else is served. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  ...Object.fromEntries(OWN.map((name) => [`/page/${name}`, name])),
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
  for (const [path, name] of Object.entries(FILES)) {
    const headers = { 'Content-Type': TYPES[extname(name)] as string, 'Cache-Control': 'no-cache' }
    app.get(path, async (c) => c.body(await readFile(new URL(name, PAGE), 'utf8'), 200, headers))
  }
  return app
}
