import { BlockList, isIP } from 'node:net'
import type { Address } from '../cache/conn-key.ts'

/**
 * Which addresses may be dialled. Without a list only this machine: a gateway that dials whatever a request names is a way
 * into the network it stands in.
 *
 * Entries: an address (`10.0.0.7`), a range (`10.0.0.0/8`), a name (`unit-7.example.org`), `serial:COM3`.
 */
export class Permit {
  readonly #ranges = new BlockList()
  readonly #names = new Set<string>(['localhost'])

  /** Throws a `RangeError` for an entry that is none. */
  constructor(entries: readonly string[] = []) {
    this.#ranges.addSubnet('127.0.0.0', 8, 'ipv4')
    this.#ranges.addAddress('::1', 'ipv6')
    for (const entry of entries) this.#add(entry.trim())
  }

  allows(address: Address): boolean {
    if ('port' in address) return this.#names.has(`serial:${address.port}`)
    const host = address.host.toLowerCase()
    const family = isIP(host)
    return family === 0 ? this.#names.has(host) : this.#ranges.check(host, family === 4 ? 'ipv4' : 'ipv6')
  }

  #add(entry: string): void {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address)
    if (family === 0 && (bits !== undefined || entry === '')) {
      throw new RangeError(
        `Expected an address, a range like 10.0.0.0/8, a name or serial:PORT to dial, got '${entry}'.`,
      )
    }
    if (family === 0) this.#names.add(entry.startsWith('serial:') ? entry : entry.toLowerCase())
    else if (bits === undefined) this.#ranges.addAddress(address, `ipv${family as 4 | 6}`)
    else this.#ranges.addSubnet(address, Number(bits), `ipv${family as 4 | 6}`)
  }
}
