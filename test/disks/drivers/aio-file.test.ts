// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import t from 'tap';
import { AioDriver, type AioParts } from '../../../src/disks/drivers/aio.js';
import { ESHUTDOWN, type ImageFile } from '../../../src/disks/index.js';
import { errno } from '../../../src/posix/index.js';
import { Results } from '../bench.js';
import { FileScript } from './file-script.js';

type Outcome = [result: number, reason?: string | undefined];

/** A driver over scripted calls, of which some are replaced, with what it logs. */
function scripted(flags: { readOnly?: boolean; shared?: boolean } = {}, changes: Partial<AioParts> = {}) {
  const script = new FileScript();
  const lines: string[] = [];
  const logger = { log: (_priority: number, line: string): void => void lines.push(line) };
  const parts = { ...script.parts, logger, ...changes };
  const driver = new AioDriver('/image', { ...parts, files: { ...script.files, ...changes.files } });
  const opened: Outcome[] = [];
  const open = (): void =>
    driver.open({ readOnly: false, shared: false, ...flags }, (...outcome) => opened.push(outcome));
  open();
  const resized = (): Outcome[] => {
    const outcomes: Outcome[] = [];
    driver.resize((...outcome) => outcomes.push(outcome));
    return outcomes;
  };
  return { script, driver, lines, opened, open, resized };
}

t.test('a disk takes the size that its file has grown to', async (t) => {
  const { script, driver, resized } = scripted();
  t.same(driver.info(), { sectors: 2048, sectorSize: 512, info: 0 });
  script.size += 512;
  t.same(resized(), [[0]]);
  t.equal(driver.info().sectors, 2049);
  t.same(resized(), [[0]], 'the same size is one');
  script.size -= 1;
  t.same(resized(), [
    [-errno.EINVAL, 'it has 1049087 bytes, fewer than the 1049088 of the disk: a disk in use cannot shrink'],
  ]);
  script.size = 0;
  t.match(resized(), [[-errno.EINVAL, /^it has 0 bytes, fewer than the 1049088 of the disk/]]);
  t.equal(driver.info().sectors, 2049);
});

t.test('a disk of a file that ends in a sector grows by the bytes that fill it', async (t) => {
  const size = (kind: { size: number }, done: (sectors: number) => void): void =>
    done(Math.floor(kind.size / 512));
  const { script, driver, resized, open } = scripted({}, { size });
  script.size = 1300;
  open();
  t.same(driver.info(), { sectors: 3, sectorSize: 512, bytes: 1300, info: 0 });
  script.size = 1299;
  t.match(resized(), [[-errno.EINVAL, /1299 bytes, fewer than the 1300/]]);
  script.size = 1536;
  t.same(resized(), [[0]]);
  t.same(driver.info(), { sectors: 3, sectorSize: 512, info: 0 });
  const results = new Results();
  driver.queueWrite({ sector: 2, sectors: 1, buffer: Buffer.alloc(512), complete: results.done });
  t.same(script.log, ['write 1024+512'], 'what is written there is kept');
});

t.test('of a file that ends in a sector only the bytes that it has are read and written', async (t) => {
  const size = (kind: { size: number }, done: (sectors: number) => void): void =>
    done(Math.floor(kind.size / 512));
  const { script, driver, open } = scripted({}, { size });
  script.size = 1300;
  open();
  const results = new Results();
  const buffer = Buffer.alloc(1024, 7);
  driver.queueRead({ sector: 1, sectors: 2, buffer, complete: results.done });
  t.same([...new Set(buffer.subarray(788))], [0]);
  script.answer('read 512+788', 788);
  driver.queueWrite({ sector: 1, sectors: 2, buffer, complete: results.done });
  script.answer('write 512+788', 788);
  driver.queueWrite({ sector: 0, sectors: 1, buffer, complete: results.done });
  script.answer('write 0+512', 512);
  driver.writeZeroes({ sector: 2, sectors: 1, noHole: true, complete: results.done });
  script.answer('write 1024+276', 276);
  t.same(results.told, [0, 0, 0, 0]);
});

t.test('a size that cannot be found out changes nothing', async (t) => {
  let sectors = 2048;
  const { script, driver, resized } = scripted({}, { size: (_kind, done) => done(sectors) });
  sectors = -errno.EIO;
  script.size *= 2;
  t.same(resized(), [[-errno.EIO]]);
  t.equal(driver.info().sectors, 2048);
  const failing: Outcome[] = [];
  script.files.fstat = (_fd, done) => done(-errno.EACCES);
  const other = new AioDriver('/image', { ...script.parts, files: script.files });
  other.resize((...outcome) => failing.push(outcome));
  t.same(failing, [[-errno.EACCES]]);
});

t.test('the size that an earlier opening asked for does not become that of the next one', async (t) => {
  const waiting: (() => void)[] = [];
  let holds = false;
  const { script, driver, resized, open } = scripted(
    {},
    { size: (kind, done) => (holds ? waiting.push(() => done(kind.size / 512)) : done(kind.size / 512)) },
  );
  holds = true;
  const outcomes = resized();
  holds = false;
  driver.close(() => {});
  script.answer('fdatasync', 0);
  open();
  for (const go of waiting) go();
  t.same(outcomes, [[-ESHUTDOWN]]);
});

t.test(
  'a map of holes ends where the file ended, so that it is read again when that has grown',
  async (t) => {
    const { script, driver, resized } = scripted();
    const holes = (): unknown[] => {
      const found: unknown[] = [];
      driver.blockStatus({ sector: 0, sectors: 8 }, (_, extents) => found.push(extents));
      return found;
    };
    holes();
    script.onMap([{ start: 0, end: Number.POSITIVE_INFINITY }]);
    resized();
    t.equal(holes().length, 1, 'of a file of the same size it is kept');
    script.size += 4096;
    resized();
    t.equal(holes().length, 0);
    t.same(script.log, ['map', 'map']);
  },
);

t.test('an open image is identified by its file', async (t) => {
  const { driver } = scripted();
  const found: [number, ImageFile | undefined][] = [];
  driver.identify((...result) => found.push([result[0], result[1]]));
  t.same(found, [[0, { path: '/image', fileSystem: 1, inode: 1, modifiedMicroseconds: 0 }]]);
});

t.test('a block device is no file that an image could be identified by, and has no map', async (t) => {
  const script = new FileScript();
  const device = {
    kind: 'block',
    size: 0,
    device: '8:1',
    inode: 1,
    fileSystem: 1,
    mode: 0o600,
    uid: 0,
    gid: 0,
    modifiedSeconds: 0,
    changedSeconds: 0,
  } as const;
  const files = {
    ...script.files,
    stat: (_path: string, done: (result: number, status?: typeof device) => void) => done(0, device),
    fstat: (_fd: number, done: (result: number, status?: typeof device) => void) => done(0, device),
  };
  let sectors = 1000;
  const { driver, opened, resized } = scripted({}, { files, size: (_kind, done) => done(sectors) });
  t.same([opened, driver.info()], [[[0]], { sectors: 1000, sectorSize: 512, info: 0 }]);
  const codes: number[] = [];
  driver.identify((code) => codes.push(code));
  t.same(codes, [-errno.EOPNOTSUPP]);
  const extents: unknown[] = [];
  driver.blockStatus({ sector: 0, sectors: 8 }, (...outcome) => extents.push(outcome));
  t.same(extents, [[0]], 'all is data');
  sectors = 999;
  t.match(resized(), [[-errno.EINVAL, /it has 511488 bytes, fewer than the 512000/]]);
  sectors = 1001;
  t.same([resized(), driver.info().sectors], [[[0]], 1001]);
  driver.blockStatus({ sector: 0, sectors: 8 }, (...outcome) => extents.push(outcome));
  t.same([extents, script.log], [[[0], [0]], []], 'as it is once it has grown');
});

t.test('how a file is opened and locked depends on who may write', async (t) => {
  for (const [flags, mode, locks] of [
    [{}, constants.O_RDWR, ['exclusive']],
    [{ shared: true }, constants.O_RDWR, ['shared']],
    [{ readOnly: true }, constants.O_RDONLY, []],
    [{ readOnly: true, shared: true }, constants.O_RDONLY, []],
  ] as const) {
    const script = new FileScript();
    const modes: number[] = [];
    const taken: string[] = [];
    const files = {
      ...script.files,
      open: (_path: string, asked: number, done: (fd: number) => void) => {
        modes.push(asked);
        done(7);
      },
    };
    const { opened } = scripted(flags, {
      files,
      lock: (fd, shared, done) => {
        t.equal(fd, 7);
        taken.push(shared ? 'shared' : 'exclusive');
        done(0);
      },
    });
    t.same([opened, modes, taken], [[[0]], [mode | constants.O_NONBLOCK], locks], JSON.stringify(flags));
  }
});

t.test('what keeps an image from being opened is said in words', async (t) => {
  const { files } = new FileScript();
  const missing = scripted({}, { files: { ...files, stat: (_path, done) => done(-errno.ENOENT) } });
  t.same(missing.opened, [[-errno.ENOENT, 'no such file or directory']]);
  const denied = scripted({}, { files: { ...files, open: (_path, _mode, done) => done(-errno.EACCES) } });
  t.same(denied.opened, [[-errno.EACCES, 'permission denied']]);
  const busy = scripted({}, { lock: (_fd, _shared, done) => done(-errno.EBUSY) });
  t.same(busy.opened, [[-errno.EBUSY, 'open for writing elsewhere']]);
  const paths: Outcome[] = [];
  for (const path of ['', '/a\0b'])
    new AioDriver(path, new FileScript().parts).open({ readOnly: false, shared: false }, (...outcome) =>
      paths.push(outcome),
    );
  t.same(paths, [
    [-errno.EINVAL, '"" is not a path: expected aio:/path'],
    [-errno.EINVAL, String.raw`"/a\u0000b" is not a path: expected aio:/path`],
  ]);
});

t.test('changes that fail are logged, and what is expected to fail is not', async (t) => {
  const { script, driver, lines } = scripted();
  const results = new Results();
  const range = { sector: 4, sectors: 2, noHole: false, complete: results.done };
  driver.queueWrite({ ...range, buffer: Buffer.alloc(1024) });
  script.answer('write 2048+1024', -errno.ENOSPC);
  driver.writeZeroes(range);
  script.answer('read 2048+1024', -errno.EIO);
  driver.writeZeroes({ ...range, isNeeded: () => false });
  driver.writeZeroesFast({ ...range, sector: 0, sectors: 2048 });
  script.answer('punch 0+2048', -errno.EOPNOTSUPP);
  t.same(results.told, [-errno.ENOSPC, -errno.EIO, -ESHUTDOWN, -errno.EOPNOTSUPP]);
  t.same(lines, [
    'aio: /image: cannot write 2 sectors at 4: ENOSPC',
    'aio: /image: cannot write 2 sectors at 4: EIO',
  ]);
});

t.test('an image that was opened read-only has nothing to flush, also at its end', async (t) => {
  const { script, driver } = scripted({ readOnly: true });
  const results = new Results();
  driver.flush(results.done);
  driver.close(results.done);
  t.same([results.told, script.log], [[0, 0], []]);
});

t.test('the error of the flush counts before that of the close', async (t) => {
  for (const [synced, expected] of [
    [0, -errno.EIO],
    [-errno.ENOSPC, -errno.ENOSPC],
  ] as const) {
    const { files } = new FileScript();
    const { driver } = scripted(
      {},
      {
        files: {
          ...files,
          fdatasync: (_fd, done) => done(synced),
          close: (_fd, done) => done(-errno.EIO),
        },
      },
    );
    const results = new Results();
    driver.close(results.done);
    t.same(results.told, [expected]);
  }
});

t.test('with too many holes waiting a discard is ignored', async (t) => {
  const { script, driver } = scripted();
  const results = new Results();
  const complete = results.done;
  for (let count = 0; count <= 34; count++) driver.discard({ sector: count * 8192, sectors: 2048, complete });
  t.same([script.log, results.told], [['punch 0+2048'], [0, 0]], 'one is under way, and 32 wait');
});

t.test('between shared openers a range is a hole if it is worth one by itself', async (t) => {
  const { script, driver } = scripted({ shared: true });
  const results = new Results();
  const complete = results.done;
  driver.discard({ sector: 0, sectors: 2047, complete });
  driver.discard({ sector: 2047, sectors: 1, complete });
  t.same([results.told, script.log], [[0, 0], []]);
  driver.discard({ sector: 0, sectors: 2048, complete });
  t.same(script.log, ['punch 0+2048']);
});

t.test('a driver describes its image', async (t) => {
  t.equal(scripted().driver.describe(), 'aio /image 2048 sectors');
  t.equal(scripted({ readOnly: true }).driver.describe(), 'aio /image 2048 sectors read-only');
});

t.test('a driver that is opened again begins anew: with holes, and with what it reports once', async (t) => {
  const { script, driver, lines, open } = scripted();
  t.same(new AioDriver('/image', script.parts).info(), { sectors: 0, sectorSize: 512, info: 0 });
  const results = new Results();
  const hole = { sector: 0, sectors: 2048, noHole: false, complete: results.done };
  const readShort = (): void => {
    driver.queueRead({ sector: 0, sectors: 2, buffer: Buffer.alloc(1024), complete: () => {} });
    script.answer('read 0+1024', 100);
    script.answer('read 100+924', 0);
  };
  driver.writeZeroesFast(hole);
  script.answer('punch 0+2048', -errno.EOPNOTSUPP);
  driver.writeZeroesFast(hole);
  t.same(results.told, [-errno.EOPNOTSUPP, -errno.EOPNOTSUPP], 'no more are tried');
  readShort();
  readShort();
  t.equal(lines.length, 1);
  driver.close(() => {});
  script.answer('fdatasync', 0);
  open();
  driver.writeZeroesFast(hole);
  script.answer('punch 0+2048', 0);
  t.same(results.told.slice(2), [0]);
  readShort();
  t.equal(lines.length, 2);
});

t.test('what was given up before is remembered for one opening', async (t) => {
  const { script, driver, open } = scripted();
  const complete = (): void => {};
  driver.discard({ sector: 0, sectors: 1000, complete });
  driver.close(() => {});
  script.answer('fdatasync', 0);
  open();
  script.log.length = 0;
  driver.discard({ sector: 1000, sectors: 1048, complete });
  t.same(script.log, []);
  driver.discard({ sector: 0, sectors: 1000, complete });
  t.same(script.log, ['punch 0+2048']);
});

t.test('the only writer of a file that has grown does not look at its time of change', async (t) => {
  const { script, driver, resized } = scripted();
  const kinds: unknown[] = [];
  const ask = (): void =>
    driver.blockStatus({ sector: 0, sectors: 8 }, (_, extents) => kinds.push(extents?.[0]?.zero));
  ask();
  script.onMap([]);
  script.size += 4096;
  resized();
  ask();
  script.onMap([{ start: 0, end: Number.POSITIVE_INFINITY }]);
  script.changedSeconds = 99;
  ask();
  t.same(
    [kinds, script.log],
    [
      [false, true, true],
      ['map', 'map'],
    ],
  );
});

t.test('an image whose file cannot be looked at has no identity, and the error is reported', async (t) => {
  let isLost = false;
  const { files } = new FileScript();
  const { driver } = scripted(
    {},
    { files: { ...files, fstat: (fd, done) => (isLost ? done(-errno.EIO) : files.fstat(fd, done)) } },
  );
  isLost = true;
  const found: unknown[] = [];
  driver.identify((...outcome) => found.push(outcome));
  t.same(found, [[-errno.EIO]]);
});

t.test('an empty file is a disk without sectors, which can grow', async (t) => {
  const { script, driver, opened, open, resized } = scripted();
  script.size = 0;
  open();
  t.same([opened, driver.info().sectors], [[[0], [0]], 0]);
  t.same(resized(), [[0]]);
  script.size = 512;
  t.same([resized(), driver.info().sectors], [[[0]], 1]);
});

t.test('zeroes that must stay allocated are never part of a later hole, and others are', async (t) => {
  const { script, driver } = scripted();
  const complete = (): void => {};
  driver.discard({ sector: 0, sectors: 1024, complete });
  driver.writeZeroes({ sector: 512, sectors: 8, noHole: true, complete });
  script.answer('write 262144+4096', 4096);
  driver.discard({ sector: 1024, sectors: 1024, complete });
  t.same(script.log, ['write 262144+4096']);
  driver.discard({ sector: 8192, sectors: 1024, complete });
  driver.writeZeroes({ sector: 8704, sectors: 1536, noHole: false, complete });
  t.same(script.log.slice(1), ['punch 8192+2048']);
});

t.test('what is written is never part of a later hole', async (t) => {
  const { script, driver } = scripted();
  const complete = (): void => {};
  driver.discard({ sector: 0, sectors: 1024, complete });
  driver.queueWrite({ sector: 512, sectors: 1, buffer: Buffer.alloc(512), complete });
  script.answer('write 262144+512', 512);
  driver.discard({ sector: 1024, sectors: 1024, complete });
  t.same(script.log, ['write 262144+512']);
});
