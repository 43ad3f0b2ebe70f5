import type { ProxyRecord } from './record.ts'

/** Shorter words are in any text by chance. */
const TOLD_MIN = 4
const HIDDEN = '…'

/** A text that comes from elsewhere, such as an error of a client, without what may be credentials in it. */
export function concealed(text: string, proxy?: Pick<ProxyRecord, 'username' | 'password'>): string {
  const { username = '', password = '' } = proxy ?? {}
  const basic = Buffer.from(`${username}:${password}`).toString('base64')
  const words = [basic, password, username].flatMap((word) => [word, encodeURIComponent(word.toWellFormed())])
  return words
    .filter((word) => word.length >= TOLD_MIN)
    .reduce((shown, word) => shown.replaceAll(word, HIDDEN), text)
    .replaceAll(/\/\/[^/\s]*@/g, '//')
    .replaceAll(/\b(basic|bearer)\s+[\w+/=~.-]+/gi, `$1 ${HIDDEN}`)
}
