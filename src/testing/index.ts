// For tests: time that stands still, tiers in trouble, and the suite every tier has to pass.

export { FakeClock } from './fake-clock.ts'
export { chaos, type ChaosCall, type ChaosOperation, type ChaosTier } from './chaos.ts'
export { testTier, type TestTierOptions } from './test-tier.ts'
