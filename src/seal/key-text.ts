// Keys outside the program: in a variable of the environment, or in a file. One format for both.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { TidemarkError } from '../errors.ts'
import type { KeyMaterial } from './key-material.ts'

/** Keys by label, and which of them new secrets are sealed under. */
export interface KeyringKeys {
  readonly active: string
  readonly keys: Readonly<Record<string, KeyMaterial>>
}

/** For whom a file of keys may be readable: its owner. */
const OTHERS = 0o077
const FILE_BYTES_MAX = 64 * 1024

/** The keys of an environment variable. Errors: `keyring-unreadable`. */
export function keysOfEnv(variable: string): KeyringKeys {
  const text = process.env[variable]
  if (text === undefined || text.trim() === '')
    throw unreadable(`The environment variable ${variable} is not set.`, undefined)
  return parseKeys(text, variable)
}

/** The keys of a file that nobody but its owner may read. Errors: `keyring-unreadable`. */
export function keysOfFile(path: string): KeyringKeys {
  return parseKeys(privateText(path), path)
}

/**
 * `label=key`, one a line or with commas between; the first is the active one. A passphrase is written
 * `label=scrypt:salt:passphrase`. Lines that begin with `#` are for people.
 */
function parseKeys(text: string, where: string): KeyringKeys {
  const parts = text
    .split(/[\n,]/)
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('#'))
  const keys = new Map<string, KeyMaterial>()
  for (const [i, part] of parts.entries()) {
    const end = part.indexOf('=')
    const text = part.slice(end + 1).trim()
    // A key alone ends with the sign.
    if (end < 1 || text === '') throw unreadable(`Key ${i + 1} in ${where} is not written as label=key.`, undefined)
    const label = part.slice(0, end).trim()
    if (keys.has(label))
      throw unreadable(`Keys in ${where} have the same label: number ${i + 1} and one before.`, undefined)
    keys.set(label, materialOf(text))
  }
  const [active] = keys.keys()
  if (active === undefined) throw unreadable(`There is no key in ${where}.`, undefined)
  return { active, keys: Object.fromEntries(keys) }
}

function materialOf(text: string): KeyMaterial {
  const [, salt, passphrase] = /^scrypt:([^:]*):(.*)$/.exec(text) ?? []
  return salt === undefined || passphrase === undefined ? text : { salt, passphrase }
}

function privateText(path: string): string {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    throw unreadable(`The key file ${path} could not be opened.`, error)
  }
  try {
    // Of what is open, not of what the path names by now.
    const { mode, size } = fstatSync(descriptor)
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0')
      throw unreadable(
        `The key file ${path} is open to others than its owner (mode ${shown}): chmod 600 it.`,
        undefined,
      )
    }
    if (size > FILE_BYTES_MAX) throw unreadable(`The key file ${path} has ${size} bytes: it is no key file.`, undefined)
    return readFileSync(descriptor, 'utf8')
  } catch (error) {
    throw error instanceof TidemarkError ? error : unreadable(`The key file ${path} could not be read.`, error)
  } finally {
    closeSync(descriptor)
  }
}

function unreadable(message: string, cause: unknown): TidemarkError {
  return new TidemarkError('keyring-unreadable', message, { cause })
}
