import { expect, it } from 'vitest'
import { settingsFrom } from '../src/settings.ts'

it('an empty environment runs on this machine alone', () => {
  expect(settingsFrom({})).toEqual({
    port: 8200,
    host: '127.0.0.1',
    dataDir: 'data',
    units: [],
    allowHosts: [],
    publicHosts: [],
    simulate: 0,
  })
})

it('units are written as addresses or connection keys', () => {
  const { units } = settingsFrom({ UNITS: '10.0.0.7:9034, unit.example.org,[::1]:7,serial:COM3:38400 ,' })
  expect(units).toEqual(['tcp:10.0.0.7:9034', 'tcp:unit.example.org:12345', 'tcp:::1:7', 'serial:COM3:38400'])
})

it.for([
  ['PORT', 'http'],
  ['PORT', '70000'],
  ['PORT', '-1'],
  ['SIMULATE', 'many'],
  ['UNITS', 'a b'],
] as const)('%s=%s is refused by name', ([name, value]) => {
  expect(() => settingsFrom({ [name]: value })).toThrow(name)
})
