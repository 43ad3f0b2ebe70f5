// Every line of lines.ts is in the title of a test, and every label of a title is a line.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { PROXIES, SUMMARY } from './lines.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['test', 'apps/proxypool/test']

/** The labels of one kind, where they stand in a title. */
function labelsIn(kind: string): Set<string> {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(ROOT, folder, name)),
  )
  const titles = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\[(\w+) ([\dS, ]+)\]['`]/g)])
  return new Set(titles.filter(([, of]) => of === kind).flatMap(([, , numbers = '']) => numbers.split(', ')))
}

it.for([
  ['proxies', PROXIES],
  ['summary', SUMMARY],
] as const)('every line about %s has a test, and no test names a line that is none', ([kind, lines]) => {
  expect([...labelsIn(kind)].toSorted()).toEqual(Object.keys(lines).toSorted())
})
