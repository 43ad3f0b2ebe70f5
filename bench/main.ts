// `npm run bench`: every section in a process of its own, one after the other.
// --only hit,sqlite   only these sections        --json   nothing but the results, as JSON

import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printed, type Report } from './report.ts'
import { SECTIONS, type SectionName } from './sections.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean', default: false } } })
const names = values.only === undefined ? Object.keys(SECTIONS) : values.only.split(',')
const unknown = names.filter((name) => !Object.hasOwn(SECTIONS, name))
if (unknown.length > 0) {
  console.error(`No section ${unknown.join(', ')}. There are: ${Object.keys(SECTIONS).join(', ')}.`)
  process.exit(2)
}

const machine = `Node ${process.versions.node}, SQLite ${process.versions.sqlite}, ${cpus().length} × ${cpus()[0]?.model}`
if (!values.json) console.log(`${machine}\nOther work on this machine shows in every figure; ratios suffer least.`)
const reports: Report[] = []
for (const name of names as SectionName[]) {
  const report = await runSection(name)
  reports.push(report)
  if (!values.json) console.log(printed(report))
}
if (values.json) console.log(JSON.stringify({ machine, reports }, undefined, 2))

/** A section in a fresh process, as in production. What libraries print there goes to stderr. */
function runSection(name: SectionName): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./section-main.ts', import.meta.url)), [name], {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 2, 'inherit', 'ipc'],
    })
    child.once('message', (report) => resolve(report as Report))
    child.once('exit', (code) => reject(new Error(`The section ${name} ended with code ${code} and no report.`)))
  })
}
