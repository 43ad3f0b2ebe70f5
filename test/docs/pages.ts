// The pages as the tests see them: headings, tables, links, and the code in fences.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** One fenced block of code. */
export interface Snippet {
  /** `docs/freshness.md:12`: where it begins. */
  readonly at: string
  readonly page: string
  /** What follows the opening fence: `ts`, `ts run`, `text`, … */
  readonly info: string
  readonly code: string
  /** The line of the page that holds the first line of code. */
  readonly line: number
  /** The next block of the page, which for `ts run` is what it prints. */
  readonly next: Omit<Snippet, 'next'> | undefined
}

/** Every page of the project: the four in the root, and those in docs. */
export function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.toSorted()]
}

export function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

/** The fenced blocks of a page, in order. */
export function snippetsOf(page: string): Snippet[] {
  const found: Omit<Snippet, 'next'>[] = []
  let open: { info: string; line: number; code: string[] } | undefined
  for (const [i, line] of textOf(page).split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (!fence) open?.code.push(line)
    else if (open) {
      found.push({ page, at: `${page}:${open.line - 1}`, info: open.info, line: open.line, code: open.code.join('\n') })
      open = undefined
    } else open = { info: (fence[1] as string).trim(), line: i + 2, code: [] }
  }
  return found.map((snippet, i) => ({ ...snippet, next: found[i + 1] }))
}

/** What a page declares for all its snippets, in a comment that readers do not see: `<!-- setup: … -->`. */
export function setupOf(page: string): string {
  return [...textOf(page).matchAll(/<!-- setup:\n([\s\S]*?)-->/g)].map((match) => match[1]).join('\n')
}

/** A page without its code, so that nothing in it is taken for a heading or a link. */
export function proseOf(page: string): string {
  return textOf(page)
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/^```.*\n[\s\S]*?^```$/gm, '')
}

/** The rows of the first table under a heading, cell by cell, without its head. */
export function tableUnder(page: string, heading: string): string[][] {
  const lines = proseOf(page).split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`${page} has no heading "${heading}".`)
  const end = lines.findIndex((line, i) => i > start && /^#+ /.test(line))
  const rows = lines.slice(start, end === -1 ? undefined : end)
  const first = rows.findIndex((line) => line.startsWith('|'))
  if (first === -1) throw new Error(`${page} has no table under "${heading}".`)
  const last = rows.findIndex((line, i) => i > first && !line.startsWith('|'))
  return rows.slice(first + 2, last === -1 ? undefined : last).map(cellsOf)
}

/** The names in backticks that the first column of a table says. */
export function namesUnder(page: string, heading: string): string[] {
  return tableUnder(page, heading).flatMap(([first = '']) =>
    [...first.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string),
  )
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** The anchors a page has: its headings as a browser addresses them. */
export function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
}
