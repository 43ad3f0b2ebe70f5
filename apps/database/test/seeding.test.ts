import { expect, it } from 'vitest'
import { progressBar, Random } from '../src/index.ts'

it('the bar is drawn over itself for people, and is a line for each step in a log', () => {
  const written: string[] = []
  const screen = { isTTY: true, write: (text: string) => written.push(text) }
  const show = progressBar(screen)
  show(1, 2, 'vendors')
  show(2, 2, 'items')
  expect(written[0]).toBe(`\r\u001B[2K${'█'.repeat(15)}${'░'.repeat(15)} 1/2 vendors`)
  expect(written[1]).toMatch(/█{30} 2\/2 items\n$/)
  written.length = 0
  const log = progressBar({ ...screen, isTTY: false })
  for (const done of [1, 2, 3]) log(done, 4, 'vendors')
  log(4, 4, 'items')
  expect(written.map((it_) => it_.trim().split(' ').slice(1).join(' '))).toEqual(['1/4 vendors', '4/4 items'])
})

it('one seed gives one sequence, within its limits', () => {
  const [one, same, other] = [new Random(7), new Random(7), new Random(8)]
  const uuids = Array.from({ length: 100 }, () => one.uuid())
  expect(Array.from({ length: 100 }, () => same.uuid())).toEqual(uuids)
  expect(new Set([...uuids, other.uuid()]).size).toBe(101)
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const drawn = Array.from({ length: 1_000 }, () => one.below(3))
  expect(new Set(drawn)).toEqual(new Set([0, 1, 2]))
  expect(['a', 'b']).toContain(one.pick(['a', 'b']))
})
