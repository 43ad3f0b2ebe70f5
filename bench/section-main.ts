// Runs one section and sends its report to the process that started this one.

import { SECTIONS, type SectionName } from './sections.ts'

const name = process.argv[2] as SectionName
const run = await SECTIONS[name]()
process.send?.(await run(), () => process.exit())
