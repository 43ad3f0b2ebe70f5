import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseProxy, proxyKey } from '../src/proxy/address.ts'

it.for([
  ['http://10.0.0.7:3128', { url: 'http://10.0.0.7:3128' }],
  ['10.0.0.7:3128', { url: 'http://10.0.0.7:3128' }],
  ['10.0.0.7:3128/', { url: 'http://10.0.0.7:3128' }],
  ['HTTP://Proxy.Example.ORG', { url: 'http://proxy.example.org:80' }],
  ['https://proxy.example.org/', { url: 'https://proxy.example.org:443' }],
  ['http://u:p@h:1', { url: 'http://h:1', username: 'u', password: 'p' }],
  ['http://u%40x:p%2Fq@h:1', { url: 'http://h:1', username: 'u@x', password: 'p/q' }],
  ['h:1:user:pass:with:colons', { url: 'http://h:1', username: 'user', password: 'pass:with:colons' }],
  ['http://[::1]:8080', { url: 'http://[::1]:8080' }],
] as const)('%s', ([text, expected]) => {
  expect(parseProxy(text)).toEqual(expected)
})

it.for([
  '',
  ' ',
  'http://',
  'socks5://h:1',
  'ftp://h:1',
  'http://h:1/path',
  'http://h:1?q',
  'h:0',
  'h:99999',
  'http://%zz@h:1',
  'x'.repeat(3000),
  'word',
  'h:99999:user:pass',
  'user:1234:10.0.0.7:8080',
  'user:pass:10.0.0.7:8080',
  '10.0.0.7:8080@user:1234',
])('refuses %s', (text) => {
  expect(() => parseProxy(text)).toThrow('expected http://host:port')
})

it('a refusal names host and port where it is plain which they are, else a length', () => {
  expect(() => parseProxy('socks5://10.0.0.7:1080')).toThrow("'10.0.0.7:1080' has the scheme socks5")
  expect(() => parseProxy('ftp://user:hunter2@h:1')).toThrow('A text of 22 characters has the scheme ftp')
  expect(() => parseProxy('hunter2://user:1')).toThrow('A text of 16 characters has an unknown scheme')
  expect(() => parseProxy('10.0.0.7:8080@user:1234')).toThrow('A text of 23 characters seems to have its host before')
  expect(() => parseProxy('user:pass:10.0.0.7:8080')).toThrow('A text of 23 characters is no address')
})

it('a refusal never repeats a password', () => {
  for (const text of ['http://user:hunter2@h:1/path', 'h:99999:user:hunter2', 'ftp://user:hunter2@h:1']) {
    expect(() => parseProxy(text)).toThrow(/^(?!.*hunter2)/)
  }
})

it('whatever is given, it is an address or a refusal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      try {
        expect(proxyKey(parseProxy(text).url)).toMatch(/^[0-9a-f]{16}$/)
      } catch (error) {
        expect((error as Error).name).toBe('ProxyAddressError')
      }
    }),
  )
})
