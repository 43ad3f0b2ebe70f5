// What a program loads when it imports the package: node itself, and nothing else.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Built here, so that the test does not depend on what an earlier build left, nor change it. */
const dist = join(testFolder(), 'dist')

beforeAll(() => {
  const { stdout } = spawnSync(
    join(ROOT, 'node_modules', '.bin', 'tsc'),
    ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', dist],
    { encoding: 'utf8' },
  )
  if (!existsSync(join(dist, 'index.js'))) throw new Error(`Nothing was built.\n${stdout}`)
  writeFileSync(join(dist, 'package.json'), '{ "type": "module" }')
})

/** Every module name a built file imports, statically or not. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g,
    ),
  ].map((match) => (match[1] ?? match[2]) as string)
}

/** The files reachable from one, and the names of all other modules they import. */
function walk(entry: string): { files: string[]; modules: string[] } {
  const files = new Set<string>()
  const modules = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const name of importsOf(file)) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name))
      else modules.add(name)
    }
  }
  visit(entry)
  return { files: [...files], modules: [...modules].toSorted() }
}

describe('the root entry', () => {
  it('reaches its own files, and of all other modules only those of node', () => {
    const { files, modules } = walk(join(dist, 'index.js'))
    expect(files.length).toBeGreaterThan(50)
    expect(files.filter((file) => !existsSync(file))).toEqual([])
    expect(modules.filter((name) => !name.startsWith('node:') || !isBuiltin(name))).toEqual([])
    expect(modules).toContain('node:sqlite')
  })

  it('has no testing kit in it', () => {
    const { files } = walk(join(dist, 'index.js'))
    expect(files.map((file) => relative(dist, file)).filter((file) => file.startsWith('testing'))).toEqual([])
    expect(walk(join(dist, 'testing', 'index.js')).modules.filter((name) => !name.startsWith('node:'))).toEqual([])
  })

  it('loads in a process without any package, prints nothing, opens no file, starts no timer, and ends', () => {
    const script = `
      // Node's own util looks at the output streams when it is loaded.
      const active = () => process.getActiveResourcesInfo().filter((it) => it !== 'PipeWrap').length
      const before = active()
      const { createTidemark, memory, ttl } = await import(${JSON.stringify(pathToFileURL(join(dist, 'index.js')).href)})
      // What reading the modules left is gone after a turn or two.
      await new Promise((resolve) => setTimeout(resolve, 100))
      const idle = active() - before
      await using tide = createTidemark({ tiers: [memory()] })
      const users = tide.resource({ name: 'users', load: (key) => key, freshness: ttl('1m') })
      console.log(await users.get('works'), idle)`
    const folder = testFolder()
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ stdout, stderr, status }).toEqual({ stdout: 'works 0\n', stderr: '', status: 0 })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('the package', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string; default: string }>
  }

  it('has a file and its types for everything it exports', () => {
    for (const [name, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue
      for (const file of [target.types, target.default])
        expect(existsSync(join(dirname(dist), file)), `${name}: ${file}`).toBe(true)
    }
  })

  it('its types import nothing that is not there', () => {
    const declarations = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.d.ts'),
    )
    expect(declarations.length).toBeGreaterThan(50)
    const missing = declarations.flatMap((name) =>
      importsOf(join(dist, name))
        .filter((it) => it.startsWith('.'))
        .map((it) => resolve(dirname(join(dist, name)), it.replace(/\.(ts|js)$/, '.d.ts')))
        .filter((file) => !existsSync(file)),
    )
    expect(missing).toEqual([])
  })
})
