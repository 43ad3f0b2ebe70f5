import { expect, it } from 'vitest'
import { controlOf } from '../../src/interop/transaction-control.ts'

it.for<[string, object | undefined]>([
  ['begin', { kind: 'begin' }],
  ['  BEGIN isolation level serializable', { kind: 'begin' }],
  ['start transaction read only', { kind: 'begin' }],
  ['commit', { kind: 'commit' }],
  ['END;', { kind: 'commit' }],
  ['rollback', { kind: 'rollback' }],
  ['abort work', { kind: 'rollback' }],
  ['savepoint A', { kind: 'savepoint', name: 'a' }],
  ['savepoint "A ""b"""', { kind: 'savepoint', name: 'A "b"' }],
  ['release savepoint s1', { kind: 'release', name: 's1' }],
  ['release s1', { kind: 'release', name: 's1' }],
  ['rollback to s1', { kind: 'rollback-to', name: 's1' }],
  ['rollback transaction to savepoint s1', { kind: 'rollback-to', name: 's1' }],
  ["commit prepared 'x'", undefined],
  ['select 1', undefined],
  ['insert into begin values (1)', undefined],
  ['committed', undefined],
])('%s', ([sql, expected]) => {
  if (expected === undefined) expect(controlOf(sql)).toBeUndefined()
  else expect(controlOf(sql)).toEqual(expect.objectContaining(expected))
})
