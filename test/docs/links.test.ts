// Nothing the pages point at is missing: pages, headings, scripts, versions, the rooms of the code, the scenarios it cites.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, anchorsOf, pages, proseOf, tableUnder, textOf } from './pages.ts'

interface Manifest {
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest

const linksOf = (page: string): string[] =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string)

/** Texts of all sources under some folders, by path. */
function sources(...folders: string[]): Map<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
  return new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]))
}

describe('links', () => {
  it('index.md has one line for every page', () => {
    const linked = linksOf('docs/index.md').map((link) => normalize(join('docs', link)))
    const docs = pages().filter((page) => page.startsWith('docs/') && page !== 'docs/index.md')
    expect(linked.filter((link) => link.startsWith('docs/')).toSorted()).toEqual(docs.toSorted())
  })

  it.for(pages())('%s leads nowhere in vain', (page) => {
    const dead = linksOf(page).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : normalize(join(dirname(page), path))
      if (!existsSync(join(ROOT, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    })
    expect(dead).toEqual([])
  })

  it('every command of the pages is there', () => {
    const said = pages().flatMap((page) =>
      [...textOf(page).matchAll(/npm (?:run )?([a-z0-9:-]+)(?: -w (apps\/[a-z]+))?/g)]
        .filter(([command]) => command.startsWith('npm run ') || /^npm (start|test)/.test(command))
        .map((match) => ({ page, script: match[1] as string, folder: match[2] ?? '.' })),
    )
    expect(said.length).toBeGreaterThan(3)
    expect(said.filter(({ script, folder }) => !(script in manifestOf(folder).scripts))).toEqual([])
  })

  it('CHANGELOG.md speaks of the version in package.json', () => {
    expect(textOf('CHANGELOG.md')).toMatch(
      new RegExp(`^## .*\\b${manifestOf('.').version.replaceAll('.', '\\.')}\\b`, 'm'),
    )
  })
})

describe('the code and its pages', () => {
  it('ARCHITECTURE.md draws the rooms and levels that test/tidy.test.ts holds', () => {
    const table = /const LEVELS[^{]*\{([^}]*)\}/.exec(readFileSync(join(ROOT, 'test/tidy.test.ts'), 'utf8'))?.[1] ?? ''
    const held = [...table.matchAll(/'?([a-z-]+)'?: (-?\d+),/g)].map(([, room, level]) => `${level} ${room}`)
    const drawn = tableUnder('ARCHITECTURE.md', 'Rooms and levels').flatMap(([level = '', rooms = '']) =>
      [...rooms.matchAll(/`([a-z-]+)`/g)].map((match) => `${level} ${match[1]}`),
    )
    expect(held.length).toBeGreaterThan(10)
    expect(drawn.toSorted()).toEqual(held.toSorted())
  })

  it('every scenario a comment cites has a test of that name', () => {
    const tests = [...sources('test', 'src/testing').values()].join('\n')
    const cited = [...sources('src')].flatMap(([file, text]) =>
      [...text.matchAll(/contract C\d,\s+(?:\*\s+|\/\/\s+)?`([a-z0-9-]+)`/g)].map(
        (match) => [file, match[1] as string] as const,
      ),
    )
    expect(cited.length).toBeGreaterThan(10)
    expect(cited.filter(([, name]) => !tests.includes(`${name}:`) && !tests.includes(`'${name}'`))).toEqual([])
  })

  it('every page a comment in the source points at is there', () => {
    const pointed = [...sources('src')].flatMap(([file, text]) =>
      [...text.matchAll(/\b(docs\/[\w/-]+\.md|ARCHITECTURE\.md)/g)].map((match) => [file, match[1] as string] as const),
    )
    expect(pointed.filter(([, page]) => !existsSync(join(ROOT, page)))).toEqual([])
  })
})
