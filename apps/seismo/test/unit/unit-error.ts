import { expect } from 'vitest'
import { UnitError, type UnitErrorCode } from '../../src/unit/client.ts'

/** The `UnitError` that a conversation fails with; the test fails when it does not, or with another code. */
export async function failureOf(conversation: Promise<unknown>, code: UnitErrorCode): Promise<UnitError> {
  const outcome = await conversation.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  expect(outcome).toMatchObject({ error: { code } })
  const { error } = outcome as { error: unknown }
  expect(error).toBeInstanceOf(UnitError)
  return error as UnitError
}
