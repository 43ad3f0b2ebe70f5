// Random work of three processes over one PostgreSQL against a plain list of entries.

import { expect } from 'vitest'
import { requireService } from '../services.ts'
import { testAgainstList } from '../tier/model.ts'
import { groupsOver, type Group } from './tiers.ts'

await requireService('postgres', (url) => {
  testAgainstList(groupsOver(url), checkEmpty, 20)
})

async function checkEmpty({ rows }: Group): Promise<void> {
  expect(await rows('select * from $.entries')).toEqual([])
  expect(await rows('select * from $.names where dropped')).toEqual([])
}
