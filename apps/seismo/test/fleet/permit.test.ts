import { expect, it } from 'vitest'
import { Permit } from '../../src/fleet/permit.ts'

const ask = (permit: Permit, host: string): boolean => permit.allows({ host })

it('without a list only this machine may be dialled', () => {
  const permit = new Permit()
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'LOCALHOST'].filter((host) => !ask(permit, host))).toEqual([])
  const others = [
    '10.0.0.7',
    '0.0.0.0',
    '169.254.169.254',
    'example.org',
    '::2',
    '127.0.0.1.example.org',
    '2130706433',
    '',
  ]
  expect(others.filter((host) => ask(permit, host))).toEqual([])
  expect(permit.allows({ port: 'COM3' })).toBe(false)
})

it('a list adds addresses, ranges, names and serial ports', () => {
  const permit = new Permit(['10.0.0.7', '192.168.0.0/16', 'fd00::/8', 'Unit-7.example.org', 'serial:COM3'])
  expect(['10.0.0.7', '192.168.255.1', 'fd00::1', 'unit-7.example.org'].filter((host) => !ask(permit, host))).toEqual(
    [],
  )
  expect(['10.0.0.8', '192.169.0.1', 'fe80::1', 'example.org'].filter((host) => ask(permit, host))).toEqual([])
  expect([permit.allows({ port: 'COM3' }), permit.allows({ port: 'COM4' })]).toEqual([true, false])
})

it.for(['', 'name/8', '/8', '10.0.0.0/99'])('refuses %j', (entry) => {
  expect(() => new Permit([entry])).toThrow(RangeError)
})
