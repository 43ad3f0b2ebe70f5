// What the pages show is true: every `ts` block compiles against the public types, every `ts run` block prints what the
// block after it says.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { compile, moduleOf, runnable, type Module } from './compiled.ts'
import { pages, snippetsOf, type Snippet } from './pages.ts'

const folder = testFolder()
const snippets = pages()
  .flatMap(snippetsOf)
  .filter(({ info }) => info === 'ts' || info === 'ts run')
const runs = snippets.filter(({ info }) => info === 'ts run')

const nameOf = ({ at }: Snippet): string => `${at.replaceAll(/[^\w]/g, '_')}.ts`

describe('snippets', () => {
  it('are in every page that explains something', () => {
    const shown = new Set(snippets.map(({ page }) => page))
    const plain = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/index.md', 'docs/generated']
    expect(pages().filter((page) => !shown.has(page) && !plain.some((it) => page.startsWith(it)))).toEqual([])
  })

  it('compile against the public types [proxies 41]', () => {
    const modules = new Map<string, Module & { readonly snippet: Snippet }>(
      snippets.map((snippet) => [nameOf(snippet), { ...moduleOf(snippet), snippet }]),
    )
    const said = compile(join(folder, 'compiled'), new Map([...modules].map(([name, { text }]) => [name, text])))
    const onPages = said.map((line) =>
      line.replace(/^(\S+\.ts)\((\d+),\d+\)/, (whole, name: string, at: string) => {
        const made = modules.get(name)
        return made ? `${made.snippet.page}:${made.pageLine(Number(at)) ?? 'setup'}` : whole
      }),
    )
    expect(onPages).toEqual([])
  })

  it('a compiler that says nothing would not do: one that does not fit is refused, with its place', () => {
    const page = 'README.md'
    const wrong: Snippet = {
      page,
      at: 'x',
      info: 'ts',
      line: 7,
      code: 'const n: number = 1\nn.nope()',
      next: undefined,
    }
    const { text, pageLine } = moduleOf(wrong)
    const said = compile(join(folder, 'wrong'), new Map([['wrong.ts', text]]))
    const place = /^wrong\.ts\((\d+),/.exec(said[0] ?? '')
    expect(said.join('\n')).toContain("Property 'nope' does not exist")
    expect(pageLine(Number(place?.[1]))).toBe(8)
  })
})

describe('examples', () => {
  it('README has one that runs', () => {
    expect(runs.map(({ page }) => page)).toContain('README.md')
  })

  it.for(runs.map((snippet) => [snippet.at, snippet] as const))('%s prints what the page says', ([, snippet]) => {
    expect(snippet.next?.info, 'a `text` block follows').toBe('text')
    const place = join(folder, 'run', nameOf(snippet).replace('.ts', ''))
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(place, 'main.ts'), runnable(snippet.code))
    const env = { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'development', NO_COLOR: '1' }
    const printed = execFileSync(process.execPath, ['main.ts'], { cwd: place, env, encoding: 'utf8', timeout: 20_000 })
    expect(printed.trimEnd()).toBe(snippet.next?.code.trimEnd())
  })
})
