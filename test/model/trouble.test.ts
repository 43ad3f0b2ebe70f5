// The same with tiers that fail, hang and answer late, and lines that are cut in every way.

import { checkStacks } from './check.ts'
import { STACK_KINDS } from './stacks.ts'

checkStacks(STACK_KINDS.filter(({ isChaotic }) => isChaotic))
