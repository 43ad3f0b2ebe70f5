// A file that is made anew between its opening and its reading.

import { mkdtempSync, renameSync, rmSync, writeFileSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ArtifactFile } from 'tidemark'
import { DeviceCache } from '../../src/cache/device-cache.ts'
import { Encoder } from '../../src/encoding/encoder.ts'
import { EventFiles } from '../../src/event-file/event-files.ts'
import { fileRoutes } from '../../src/http/file-routes.ts'
import { framesOf } from '../../src/event-file/frames.ts'
import { recordingWith } from '../event-file/recordings.ts'

const wave = Int16Array.from({ length: 1024 }, (_, i) => (i % 64) * 16)

let root: string
let cache: DeviceCache
let encoder: Encoder

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'seismo-changing-'))
  cache = await DeviceCache.open({ path: ':memory:' })
  encoder = new Encoder()
})

afterEach(async () => {
  await Promise.all([cache.close(), encoder.close()])
  rmSync(root, { recursive: true })
})

it.for(['', '/waveform'])('is opened again, and answered whole: /event-files/…%s', async (what) => {
  const files = new EventFiles(cache, { root })
  const recording = recordingWith({ tran: wave, vert: wave, long: wave, micL: wave })
  const saved = await files.store.save({ serial: 'BE11529', recording, project: undefined }, framesOf(recording))
  const path = join(root, saved.folder, saved.filename)
  const open = files.store.open.bind(files.store)
  let opened = 0
  files.store.open = async (folder, filename): Promise<ArtifactFile | undefined> => {
    const file = await open(folder, filename)
    if (opened++ > 0) return file
    // The same bytes in another file, as after a regeneration.
    writeFileSync(`${path}.new`, readFileSync(path))
    renameSync(`${path}.new`, path)
    return file
  }
  const response = await fileRoutes(files, encoder).request(`/${saved.folder}/${saved.filename}${what}`)
  const { byteLength } = await response.arrayBuffer()
  expect([response.status, opened]).toEqual([200, 2])
  expect(byteLength).toBeGreaterThan(0)
})
