import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { Hono } from 'hono'

const PAGE = new URL('../page/', import.meta.url)
const OWN = ['page.css', 'icon.svg', 'main.js', 'hub.js', 'lists.js', 'element.js', 'moved.js']

/** Paths and the files behind them; nothing else is served. */
const FILES: Readonly<Record<string, URL>> = {
  '/': new URL('index.html', PAGE),
  ...Object.fromEntries(OWN.map((name) => [`/page/${name}`, new URL(name, PAGE)])),
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
