// Random schedules of several processes over every stack, in virtual time, against an oracle that knows what nobody may see
// any more. Sources fail, hang and are slow, processes are started anew, a server loses its data; the tiers answer.

import { checkStacks } from './check.ts'
import { STACK_KINDS } from './stacks.ts'

checkStacks(STACK_KINDS.filter(({ isChaotic }) => !isChaotic))
