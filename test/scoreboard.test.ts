// The scoreboard: every scenario holds here, and the page says what the scenarios are and that they hold.

import { describe, expect, it } from 'vitest'
import { PEERS } from '../bench/scoreboard/peers/all.ts'
import { tidemark } from '../bench/scoreboard/peers/tidemark.ts'
import { run } from '../bench/scoreboard/run.ts'
import type { Peer } from '../bench/scoreboard/peer.ts'
import { SECTIONS } from '../bench/scoreboard/scenarios/all.ts'
import { versionOf } from '../bench/scoreboard/board.ts'
import { tableUnder, textOf } from './docs/pages.ts'
import { requireService } from './services.ts'

const PAGE = 'docs/scoreboard.md'
const scenarios = Object.values(SECTIONS).flat()

await requireService('redis', () => {
  describe('Tidemark', () => {
    it.for(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s holds', async ([name, scenario]) => {
      expect(await run(tidemark, scenario)).toEqual({ scenario: name, result: 'holds' })
    })
  })
})

describe('a scenario', () => {
  const deaf: Peer = {
    ...tidemark,
    lacks: { tags: 'no tags here' },
    open: async (needs) => ({ ...(await tidemark.open(needs)), delete: async () => undefined }),
  }
  const named = (name: string) => scenarios.find((it) => it.name === name) as (typeof scenarios)[number]

  it('fails with what happened where it does not hold', async () => {
    const outcome = await run(deaf, named('delete-during-load'))
    expect(outcome).toEqual({ scenario: 'delete-during-load', result: 'fails', why: "a later reader got: 'old'" })
  })

  it('cannot be expressed where the interface has no notion of it', async () => {
    const outcome = await run(deaf, named('tag-invalidates'))
    expect(outcome).toEqual({ scenario: 'tag-invalidates', result: 'cannot be expressed', why: 'no tags here' })
  })
})

describe(PAGE, () => {
  const rows = tableUnder(PAGE, 'Outcomes')

  it('lists the scenarios there are, each with what it does', () => {
    expect(rows.slice(0, -1).map(([name]) => name)).toEqual(scenarios.map(({ name }) => `\`${name}\``))
    const page = textOf(PAGE)
    expect(scenarios.filter(({ name, does }) => !page.includes(`- \`${name}\`: ${does}`))).toEqual([])
  })

  it('says that each of them holds for Tidemark', () => {
    expect(rows.slice(0, -1).filter(([, ours]) => ours !== '✓')).toEqual([])
  })

  it('names the versions that are installed', () => {
    const page = textOf(PAGE)
    expect(PEERS.filter(({ name }) => !page.includes(`### ${name} ${versionOf(name)}`))).toEqual([])
  })
})
