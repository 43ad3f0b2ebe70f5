// One viewer of the show, as a process of its own: somebody else's parsing is no part of the times it takes.

import { Day } from './day.ts'
import { Viewer } from './viewer.ts'
import type { FromViewer, ToViewer } from './viewers.ts'

let viewer: Viewer | undefined
const say = (message: FromViewer, then?: () => void): boolean | undefined =>
  process.send?.(message, undefined, undefined, then)

// Whoever stops the show stops its viewers.
process.once('disconnect', () => process.exit())
process.on('message', (message: ToViewer) => {
  if ('erased' in message) {
    viewer?.erased(message.erased, message.stamps)
    say('noted')
    return
  }
  const { origin, units, hours, scale, maxAge, beganMs, seed } = message
  viewer = new Viewer(new Day(hours, scale, beganMs, seed), origin, units, maxAge)
  void viewer.watch().then((tally) => {
    say({ tally }, () => process.disconnect())
  })
})
