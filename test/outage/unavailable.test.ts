import { describe, expect, it } from 'vitest'
import { TidemarkError, isSourceUnavailable } from 'tidemark'

const withCode = (code: unknown, message = 'x'): Error => Object.assign(new Error(message), { code })

describe('isSourceUnavailable', () => {
  it.for([
    'ECONNREFUSED',
    'ECONNRESET',
    'ETIMEDOUT',
    'EPIPE',
    'ENOTFOUND',
    'EAI_AGAIN',
    'UND_ERR_CONNECT_TIMEOUT',
    'CONNECTION_CLOSED',
    '57P01', // the server is shutting down
    '57P03', // it is starting up
    '57014', // the statement took too long
    '53300', // too many connections
    '53100', // its disk is full
    '08006', // the connection broke
    '58030', // it cannot read its files
    'load-timeout',
  ])('%s is the source’s own failure', (code) => {
    expect(isSourceUnavailable(withCode(code))).toBe(true)
  })

  it.for([
    '23505', // unique_violation
    '23503', // foreign_key_violation
    '42601', // syntax_error
    '42P01', // undefined_table
    '42501', // insufficient_privilege
    '22P02', // invalid_text_representation
    '28P01', // invalid_password
    '40001', // serialization_failure
    '55P03', // lock_not_available
    'ENOENT',
    'load-returned-undefined',
  ])('%s is an answer', (code) => {
    expect(isSourceUnavailable(withCode(code))).toBe(false)
  })

  it.for([
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
  ])('what pg says without a code: %s', (message) => {
    expect(isSourceUnavailable(new Error(message))).toBe(true)
  })

  it('looks into causes, and into failures that come together', () => {
    expect(isSourceUnavailable(new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') }))).toBe(true)
    expect(isSourceUnavailable(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(true)
    expect(isSourceUnavailable(new TidemarkError('load-timeout', 'late'))).toBe(true)
    expect(isSourceUnavailable(new Error('query failed', { cause: withCode('23505') }))).toBe(false)
    // An answer of the database, that was caused by a broken line to another one.
    expect(isSourceUnavailable(Object.assign(withCode('38000'), { cause: withCode('ECONNRESET') }))).toBe(false)
  })

  it('an aborted fetch and a timed out signal are; anything else is not', () => {
    expect(isSourceUnavailable(AbortSignal.abort().reason)).toBe(true)
    expect(isSourceUnavailable(new DOMException('late', 'TimeoutError'))).toBe(true)
    for (const other of [undefined, null, 'ECONNREFUSED', 5, new Error('no such vendor'), {}])
      expect(isSourceUnavailable(other)).toBe(false)
  })

  it('ends for causes that go round in a circle', () => {
    const error = new Error('x')
    error.cause = error
    expect(isSourceUnavailable(error)).toBe(false)
  })
})
