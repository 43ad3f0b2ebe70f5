import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { APPLICATION_ID, SCHEMA_VERSION, migrate } from '../../src/tier/sqlite/schema.ts'
import { openTier, sql, testPaths } from './tier.ts'

const nextPath = testPaths()
const open = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path)
  onTestFinished(() => {
    if (db.isOpen) db.close()
  })
  return db
}
const pragma = (db: DatabaseSync, name: string): unknown => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]

describe('migration', () => {
  const FIRST = 'CREATE TABLE file (id INTEGER PRIMARY KEY, uid TEXT, seed INTEGER); CREATE TABLE things (name TEXT)'
  const SECOND = 'ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7'
  const THIRD = 'UPDATE things SET size = size * 2'

  it('takes a file from any earlier version to the current one, and loses no row', () => {
    for (const version of [1, 2]) {
      const path = nextPath()
      const db = open(path)
      migrate(db, path, [FIRST, SECOND, THIRD].slice(0, version))
      db.exec("INSERT INTO things (name) VALUES ('a'), ('b')")
      const { uid } = db.prepare('SELECT uid FROM file').get() as { uid: string }
      migrate(db, path, [FIRST, SECOND, THIRD])
      expect(db.prepare('SELECT name, size FROM things ORDER BY name').all()).toEqual([
        { name: 'a', size: 14 },
        { name: 'b', size: 14 },
      ])
      expect(pragma(db, 'user_version')).toBe(3)
      expect(db.prepare('SELECT uid FROM file').get(), 'it is still the same file').toEqual({ uid })
    }
  })

  it('a step that fails leaves the version and the rows there were', () => {
    const path = nextPath()
    const db = open(path)
    migrate(db, path, [FIRST])
    db.exec("INSERT INTO things (name) VALUES ('a')")
    expect(() => migrate(db, path, [FIRST, SECOND, 'CREATE TABLE things (name TEXT)'])).toThrow('already exists')
    expect(db.isTransaction).toBe(false)
    expect(pragma(db, 'user_version')).toBe(1)
    expect(db.prepare('SELECT * FROM things').all()).toEqual([{ name: 'a' }])
    migrate(db, path, [FIRST, SECOND])
    expect(db.prepare('SELECT * FROM things').all()).toEqual([{ name: 'a', size: 7 }])
  })

  it('runs no step again, and says whose the file is', () => {
    const path = nextPath()
    const db = open(path)
    for (let i = 0; i < 3; i++) migrate(db, path, [FIRST, SECOND, THIRD])
    expect(pragma(db, 'application_id')).toBe(APPLICATION_ID)
    expect(db.prepare('SELECT count(*) AS n FROM file').get()).toEqual({ n: 1 })
  })

  it('two processes that open a new file at once make it once', () => {
    const path = nextPath()
    const [one, two] = [open(path), open(path)]
    migrate(one, path, [FIRST, SECOND])
    migrate(two, path, [FIRST, SECOND])
    expect(two.prepare('SELECT uid FROM file').get()).toEqual(one.prepare('SELECT uid FROM file').get())
  })

  it('a later version is refused before anything is done', () => {
    const path = nextPath()
    const db = open(path)
    migrate(db, path, [FIRST, SECOND])
    let error: unknown
    try {
      migrate(db, path, [FIRST])
    } catch (it) {
      error = it
    }
    expect(isTidemarkError(error, 'tier-newer')).toBe(true)
    expect(db.isTransaction).toBe(false)
  })

  it('every file has a seed of its own: nobody can prepare keys that push each other out', () => {
    const seeds = Array.from({ length: 5 }, () => {
      const path = nextPath()
      const db = open(path)
      migrate(db, path)
      return (db.prepare('SELECT seed FROM file').get() as { seed: number }).seed
    })
    expect(new Set(seeds).size).toBe(5)
    expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true)
  })
})

describe('skewed-versions', () => {
  it('a file of layout version 1, as it was written then, is read', async () => {
    const path = nextPath()
    const db = open(path)
    db.exec(VERSION_1)
    db.close()
    const { tier, reports } = openTier(path)
    const found = await tier.get({ name: 'users', id: 'plain' })
    expect(found).toMatchObject({ value: { n: 1 }, loadedAt: 1_893_456_000_000, freshUntil: 1_893_456_030_000 })
    expect(await tier.get({ name: 'users', id: '["tuple",1]' })).toMatchObject({
      value: new Map([['at', new Date(5)]]),
      scope: 's',
      era: 'e',
      tags: ['t'],
      identity: ['k', null],
      staleUntil: 1_893_456_090_000,
      errorUntil: 1_893_459_630_000,
    })
    expect(await tier.get({ name: 'users', id: 'invalidated' })).toMatchObject({
      value: 'v',
      staleAt: 1_893_456_000_500,
    })
    expect(await tier.count({ kind: 'tag', tag: 't' })).toBe(1)
    expect(reports).toEqual([])
    expect(sql(path, 'PRAGMA user_version')).toEqual([{ user_version: SCHEMA_VERSION }])
  })
})

/** Written by the first version, word for word. */
const VERSION_1 = `
   CREATE TABLE file (id INTEGER PRIMARY KEY CHECK (id = 1), uid TEXT NOT NULL, seed INTEGER NOT NULL) STRICT;
   CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dropped INTEGER NOT NULL DEFAULT 0) STRICT;
   CREATE UNIQUE INDEX names_live ON names (name) WHERE dropped = 0;
   CREATE TABLE entries (
     id INTEGER PRIMARY KEY,
     kh INTEGER NOT NULL UNIQUE,
     name INTEGER NOT NULL,
     key TEXT NOT NULL,
     scope TEXT,
     loaded_at INTEGER NOT NULL,
     fresh_until INTEGER NOT NULL,
     stale_ms INTEGER,
     error_ms INTEGER,
     keep_ms INTEGER,
     stale_at INTEGER,
     visited INTEGER NOT NULL DEFAULT 0,
     format INTEGER NOT NULL,
     crc INTEGER NOT NULL,
     extra TEXT,
     value ANY
   ) STRICT;
   CREATE INDEX entries_name ON entries (name);
   CREATE INDEX entries_scope ON entries (scope) WHERE scope IS NOT NULL;
   CREATE INDEX entries_file ON entries (value) WHERE format >= 8;
   CREATE TABLE tags (
     tag TEXT NOT NULL,
     entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE ON UPDATE CASCADE,
   PRIMARY KEY (tag, entry)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX tags_entry ON tags (entry);
   CREATE TABLE changes (seq INTEGER PRIMARY KEY, slots BLOB NOT NULL) STRICT;
   CREATE TABLE claims (kh INTEGER PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
   PRAGMA application_id = 1416193125;
   PRAGMA user_version = 1;
   INSERT INTO file VALUES (1, '72c52d60-3a96-4c54-9685-11af6bc2bb35', 7905893835778003);
   INSERT INTO names VALUES (1, 'users', 0);
   INSERT INTO entries VALUES
     (1, 3187455059373532, 1, 'plain', NULL, 1893456000000, 1893456030000, NULL, NULL, NULL, NULL, 0, 0, 2543589318, NULL, '{"n":1}'),
     (2, 5492984055694887, 1, '["tuple",1]', 's', 1893456000000, 1893456030000, 60000, 3600000, 3600000, NULL, 0, 1, 4143368709,
      '{"era":"e","tags":["t"],"identity":["k",null]}', '{"$":"m","v":[["at",{"$":"d","v":5}]]}'),
     (3, 8808843646381190, 1, 'invalidated', NULL, 1893456000000, 1893456030000, 60000, 3600000, 3600000, 1893456000500, 0, 0,
      1896478846768, NULL, '"v"');
   INSERT INTO tags VALUES ('t', 2);
   INSERT INTO changes VALUES (1, x'c203'), (2, x'228f'), (3, x'963d'), (4, x'963d');`
