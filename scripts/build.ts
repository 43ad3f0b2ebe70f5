// Compiles src to dist, after removing what an earlier build left, and puts the scripts for Redis and PostgreSQL beside it.
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
rmSync(`${root}/dist`, { recursive: true, force: true })
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
for (const script of globSync('**/*.{lua,sql}', { cwd: join(root, 'src') })) {
  cpSync(join(root, 'src', script), join(root, 'dist', script))
}
process.exitCode = status ?? 1
