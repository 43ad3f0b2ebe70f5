import type { DeviceCache } from '../cache/device-cache.ts'
import { UnitError, type ComplianceConfig } from '../unit/client.ts'
import type { Lines } from './lines.ts'

/**
 * What changes a unit. The cache is told whatever became of the conversation: one that broke off may have done its work.
 */
export class Operations {
  readonly #lines: Lines
  readonly #cache: DeviceCache

  constructor(lines: Lines, cache: DeviceCache) {
    this.#lines = lines
    this.#cache = cache
  }

  async setMonitoring(unit: string, isOn: boolean): Promise<void> {
    try {
      await this.#lines
        .of(unit)
        .converse(undefined, (client) => (isOn ? client.startMonitoring() : client.stopMonitoring()))
    } catch (error) {
      if (mayHaveHappened(error)) await this.#cache.invalidateMonitorStatus(unit)
      throw error
    }
    await this.#cache.invalidateMonitorStatus(unit)
  }

  async writeConfig(unit: string, config: Partial<ComplianceConfig>): Promise<void> {
    try {
      await this.#lines.of(unit).converse(undefined, (client) => client.writeConfig(config))
    } catch (error) {
      if (mayHaveHappened(error)) await this.#outdated(unit)
      throw error
    }
    await this.#outdated(unit)
  }

  /** Erases all events of the unit. Resolves to how many rows of the cache went with them. */
  async erase(unit: string): Promise<{ events: number; waveforms: number }> {
    try {
      await this.#lines.of(unit).converse(undefined, (client) => client.eraseEvents())
    } catch (error) {
      // Only the unit knows whether it still has its events: ask it as soon as it can be reached.
      if (mayHaveHappened(error)) void this.#cache.events.sync(unit).catch(() => {})
      throw error
    }
    const dropped = await this.#cache.deviceMemory.renew(unit, 'erased through the gateway')
    return { events: dropped['events'] ?? 0, waveforms: dropped['waveforms'] ?? 0 }
  }

  async #outdated(unit: string): Promise<void> {
    await this.#cache.markConfigDirty(unit)
    await this.#cache.events.invalidate(unit)
  }
}

function mayHaveHappened(error: unknown): boolean {
  return error instanceof UnitError && (error.code === 'unit-unreachable' || error.code === 'unit-protocol')
}
