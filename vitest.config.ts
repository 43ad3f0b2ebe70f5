import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Tests import the package by its public names, and get the source: `tidemark/x` is what package.json exports as `./x`.
const { exports } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, { default: string }>
}
const alias = Object.entries(exports).flatMap(([name, { default: built }]) =>
  built === undefined
    ? []
    : [
        {
          find: new RegExp(`^tidemark${name.slice(1)}$`),
          replacement: fileURLToPath(new URL(built.replace('./dist/', './src/').replace(/js$/, 'ts'), import.meta.url)),
        },
      ],
)

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.e2e.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Two real cores: more workers only make tests with real processes slow.
    maxWorkers: 2,
  },
})
