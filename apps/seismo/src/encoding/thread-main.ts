// The encoder's thread: one job after the other.

import { parentPort } from 'node:worker_threads'
import { failed, run, type Request } from './job.ts'

parentPort?.on('message', ({ id, job }: Request) => {
  try {
    const bytes = run(job)
    parentPort?.postMessage({ id, bytes }, [bytes.buffer])
  } catch (error) {
    parentPort?.postMessage(failed(id, error))
  }
})
