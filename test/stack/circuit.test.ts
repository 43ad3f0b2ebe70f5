import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Circuit } from '../../src/stack/circuit.ts'

const SETTINGS = { failureThreshold: 3, successThreshold: 2, probeBaseMs: 500, probeMaxMs: 30_000 }
const NOW = 1_900_000_000_000

function opened(settings = SETTINGS): Circuit {
  const circuit = new Circuit(settings)
  for (let i = 0; i < settings.failureThreshold; i++) circuit.failure(NOW, 0)
  return circuit
}

it('opens at the threshold, and only by failures in a row', () => {
  const circuit = new Circuit(SETTINGS)
  for (let i = 0; i < 10; i++) {
    expect(circuit.failure(NOW, 0)).toBe(false)
    expect(circuit.failure(NOW, 0)).toBe(false)
    expect(circuit.success()).toBe(false)
    expect(circuit.failures).toBe(0)
  }
  circuit.failure(NOW, 0)
  circuit.failure(NOW, 0)
  expect(circuit.isOpen).toBe(false)
  expect(circuit.failure(NOW, 0)).toBe(true)
  expect(circuit.isOpen).toBe(true)
})

it('opens at once for a failure that says all', () => {
  const circuit = new Circuit(SETTINGS)
  expect(circuit.failure(NOW, 0, true)).toBe(true)
  expect(circuit.isOpen).toBe(true)
})

it('closes after so many successes in a row, and one failure starts over', () => {
  const circuit = opened()
  expect(circuit.success()).toBe(false)
  expect([circuit.isOpen, circuit.successes, circuit.nextProbeAt]).toEqual([true, 1, 0])
  circuit.failure(NOW, 0)
  expect(circuit.successes).toBe(0)
  expect(circuit.success()).toBe(false)
  expect(circuit.success()).toBe(true)
  expect(circuit.isOpen).toBe(false)
})

it('probes later and later, up to the longest pause, each shortened by chance to at least half', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 10, maxLength: 40 }),
      (chances) => {
        const circuit = new Circuit({ ...SETTINGS, failureThreshold: 1 })
        chances.forEach((chance, i) => {
          circuit.failure(NOW, chance)
          const full = Math.min(500 * 2 ** i, 30_000)
          expect(circuit.nextProbeAt - NOW).toBeGreaterThanOrEqual(full / 2)
          expect(circuit.nextProbeAt - NOW).toBeLessThanOrEqual(full)
        })
      },
    ),
  )
})

it('after it was closed, pauses start from the beginning', () => {
  const circuit = opened()
  for (let i = 0; i < 10; i++) circuit.failure(NOW, 0.999)
  circuit.success()
  circuit.success()
  for (let i = 0; i < 3; i++) circuit.failure(NOW, 0.999)
  expect(circuit.nextProbeAt - NOW).toBeLessThanOrEqual(500)
})
