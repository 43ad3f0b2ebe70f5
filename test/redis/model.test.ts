// Random work of three processes over one Redis against a plain list of entries.

import { expect } from 'vitest'
import { requireService } from '../services.ts'
import { testAgainstList } from '../tier/model.ts'
import { groupsOver, type Group } from './tiers.ts'

await requireService('redis', (url) => {
  testAgainstList(groupsOver(url), checkEmpty, 60)
})

/** What is left is what says that there is nothing left. */
async function checkEmpty(group: Group): Promise<void> {
  const left = (await group.keys()).filter((it) => !/:(m|s|registry:.*|[\w-]{12}:[igxc])$/.test(it))
  expect(left).toEqual([])
  for (const it of (await group.keys()).filter((one) => /:[ix]$/.test(one) && !one.includes('registry'))) {
    expect(await group.client.zcard(it), it).toBe(1)
  }
  for (const it of (await group.keys()).filter((one) => one.endsWith(':g')))
    expect(await group.client.hlen(it), it).toBe(1)
}
