// What the example services have in common as processes.

export { door } from './door.ts'
export { listFrom, wholeFrom, type Environment } from './environment.ts'
export { listen, type Listening } from './listen.ts'
export { stopOnSignal } from './stop.ts'
