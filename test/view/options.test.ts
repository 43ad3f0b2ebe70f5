import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, type SectionOptions, type View } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { subject } from '../contract/stacks.ts'

const section: SectionOptions<number> = { revision: () => 1, build: () => 1 }

function refusalOf(options: Record<string, unknown>): unknown {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  try {
    tide.view({ name: 'v', sections: { a: section }, ...options })
  } catch (error) {
    return error
  }
  return undefined
}

describe('options of a view', () => {
  const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
    ['view.name', { name: 'a#b' }],
    ['view.sections', { sections: {} }],
    ['view.sections', { sections: undefined }],
    ['view.sections', { sections: { 1: section } }],
    ['view.sections.a', { sections: { a: 5 } }],
    ['view.sections.a.build', { sections: { a: { revision: () => 1 } } }],
    ['view.sections.a.revision', { sections: { a: { build: () => 1 } } }],
    ['view.sections.a.revision', { sections: { a: { ...section, revision: 'r1' } } }],
    ['view.sections.a.rebuild', { sections: { a: { ...section, rebuild: 'later' } } }],
    ['view.sections.a.tables', { sections: { a: { ...section, tables: [] } } }],
    ['view.sections.a.dependsOn', { sections: { a: { ...section, dependsOn: 'b' } } }],
    ['view.combine', { combine: 'merge' }],
    ['view.etag', { etag: 'W/"1"' }],
    ['view.version', { version: {} }],
  ]
  it.for(wrong)('%s is checked: %o', ([option, options]) => {
    const error = refusalOf(options)
    expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    expect((error as Error).message).toContain(`\`${option}\``)
  })

  it.for(['maxStale', 'maxAge', 'staleIfError'])('%s is a duration', (option) => {
    expect(refusalOf({ [option]: 'soon' })).toMatchObject({
      code: 'invalid-duration',
      data: { option: `view.${option}` },
    })
  })

  it('refuses what nothing reads, and names that are taken; a refused one leaves its name free', () => {
    expect(refusalOf({ ttl: '5m' })).toMatchObject({ code: 'unknown-option' })
    expect(refusalOf({ sections: { a: { ...section, ttl: 1 } } })).toMatchObject({ code: 'unknown-option' })
    expect(refusalOf({ timeout: { softest: 1 } })).toMatchObject({ code: 'unknown-option' })
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    expect(() => tide.view({ name: 'v', sections: {} })).toThrow('at least one section')
    tide.view({ name: 'v', sections: { a: section } })
    expect(() => tide.view({ name: 'v', sections: { a: section } })).toThrow('is taken')
  })
})

describe('types', () => {
  it('the value is what the builders make, with their contexts in use', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const plain = tide.view({
      name: 'plain',
      sections: {
        core: { revision: () => 1, build: async ({ signal }) => ({ n: 1, isAborted: signal.aborted }) },
        list: { dependsOn: ['core'], build: ({ sections }) => [String(sections['core'])] },
      },
    })
    const value: { core: { n: number; isAborted: boolean }; list: string[] } = await plain.get()
    expect(value.core.n).toBe(1)
    // @ts-expect-error: there is no such section
    expect(value.other).toBeUndefined()
    // @ts-expect-error: nor can it be invalidated
    await expect(plain.invalidate('other')).rejects.toThrow('one of core, list')

    const combined: View<{ core: { n: number }; list: string[] }, { n: number; size: number }> = tide.view({
      name: 'combined',
      sections: {
        core: { revision: () => 1, build: () => ({ n: 1 }) },
        list: { revision: () => 1, build: async () => ['a'] },
      },
      combine: ({ core, list }) => ({ ...core, size: list.length }),
    })
    expect((await combined.read()).value.size.toFixed()).toBe('1')
  })
})
