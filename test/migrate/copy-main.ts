// A migration in a process of its own: copy-main.ts FROM TO. Says how far it has come, and in the end what it did.

import { jsonl, migrate, sqlite } from 'tidemark'

const [from = '', to = ''] = process.argv.slice(2)
const [source, target] = [sqlite({ path: from }), jsonl({ path: to })]
const report = await migrate({
  from: source,
  to: target,
  onProgress: (done) => process.stdout.write(`${JSON.stringify({ done })}\n`),
})
await source.close()
await target.close()
process.stdout.write(`${JSON.stringify({ report })}\n`)
