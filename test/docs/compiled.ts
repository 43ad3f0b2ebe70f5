// Snippets as modules: what a page shows, after what it declared before, with the imports of both merged.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, setupOf, type Snippet } from './pages.ts'

const IMPORT = /^import (?:(type) )?\{([^}]*)\} from '([^']+)'$/gm

/** A module that a snippet became, and where its lines come from. */
export interface Module {
  readonly text: string
  /** The line of the page a line of the module stands for, or `undefined` for what was put around it. */
  readonly pageLine: (line: number) => number | undefined
}

/** Compiles modules with the project's own settings against the public types. Returns what the compiler says, by line of output. */
export function compile(folder: string, modules: ReadonlyMap<string, string>): string[] {
  mkdirSync(folder, { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const [name, text] of modules) writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const tsconfig = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      // A page may show a name without using it.
      noUnusedLocals: false,
      noUnusedParameters: false,
      paths: publicPaths(),
    },
    include: ['*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  const { stdout, stderr, status, error } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (error) throw error
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
  return status === 0 ? [] : said
}

/** The public names of the package and the source behind them. */
function publicPaths(): Record<string, string[]> {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { readonly default?: string }>
  }
  return Object.fromEntries(
    Object.entries(exports).flatMap(([name, { default: built }]) =>
      built === undefined
        ? []
        : [[`tidemark${name.slice(1)}`, [join(ROOT, built.replace('./dist/', 'src/').replace(/js$/, 'ts'))]]],
    ),
  )
}

/** The module of a snippet: merged imports, the page's setup, then the snippet in a block of its own, so that it may use the same names. */
export function moduleOf(snippet: Snippet): Module {
  const setup = setupOf(snippet.page)
  const head = [...mergedImports(`${setup}\n${snippet.code}`), withoutImports(setup), ';{'].join('\n')
  const offset = head.split('\n').length
  const lines = snippet.code.split('\n').length
  return {
    text: `${head}\n${withoutImports(snippet.code)}\n}\nexport {}\n`,
    pageLine: (line) => {
      const at = line - offset
      return at >= 1 && at <= lines ? snippet.line + at - 1 : undefined
    },
  }
}

/** The code with imports of the package made to lead to its source, for node to run. */
export function runnable(code: string): string {
  const paths = publicPaths()
  return code.replaceAll(/from '(tidemark[^']*)'/g, (whole, name: string) => {
    const [source] = paths[name] ?? []
    return source === undefined ? whole : `from ${JSON.stringify(source)}`
  })
}

/** Imports blanked, line for line, so that the others keep their places. */
function withoutImports(code: string): string {
  return code.replaceAll(IMPORT, (whole) => '\n'.repeat(whole.split('\n').length - 1))
}

/** One import a module, each name once: the setup and the snippet may both ask for it. */
function mergedImports(code: string): string[] {
  const byModule = new Map<string, Map<string, string>>()
  for (const [, allTypes, list = '', from = ''] of code.matchAll(IMPORT)) {
    const names = byModule.get(from) ?? new Map<string, string>()
    byModule.set(from, names)
    for (const part of list.split(',').map((it) => it.trim())) {
      if (part === '') continue
      const name = part.replace(/^type /, '')
      const isType = allTypes !== undefined || part.startsWith('type ')
      // Asked for as a value once, it is a value.
      if (!isType || !names.has(name)) names.set(name, isType ? `type ${name}` : name)
    }
  }
  return [...byModule].map(([from, names]) => `import { ${[...names.values()].join(', ')} } from '${from}'`)
}
