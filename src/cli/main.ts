#!/usr/bin/env node
// `tidemark`: one file per command, loaded when it is asked for.

import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
})
