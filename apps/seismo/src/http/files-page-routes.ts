import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'

const PAGE = new URL('../page-files/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}
/** Paths and the files behind them; nothing else is served. */
const FILES: Readonly<Record<string, string>> = {
  '/files': 'index.html',
  ...Object.fromEntries(
    ['files.css', 'main.js', 'list.js', 'detail.js', 'place.js', 'fields.js', 'files-api.js'].map((name) => [
      `/page-files/${name}`,
      name,
    ]),
  ),
}

/** The page of files. It borrows the style, the plots and the words of the main page. */
export function filesPageRoutes(): Hono {
  const app = new Hono()
  for (const [path, name] of Object.entries(FILES)) {
    const type = TYPES[name.split('.').at(-1) ?? ''] as string
    app.get(path, async (c) =>
      c.body(await readFile(new URL(name, PAGE), 'utf8'), 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' }),
    )
  }
  return app
}
