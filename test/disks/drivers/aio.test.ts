// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { AioDriver } from '../../../src/disks/drivers/index.js';
import { ESHUTDOWN } from '../../../src/disks/index.js';
import { Results } from '../bench.js';
import { diskWorld, resultOf, pattern, readSectors, told, writeSectors } from './disk-world.js';
import { FileScript, scriptedDriver } from './file-script.js';

t.test('sectors are read and written at their places', async (t) => {
  const world = diskWorld(t);
  const path = world.path('disk.img');
  writeFileSync(path, pattern(64, 1));
  const vbd = await world.open(`aio:${path}`);
  t.strictSame(vbd.info, { sectors: 64, sectorSize: 512, info: 0 });
  t.strictSame(await readSectors(vbd, 0, 64), pattern(64, 1));
  t.equal(await writeSectors(vbd, 10, pattern(4, 9)), 0);
  t.equal(await told((done) => vbd.flush(done)), 0);
  const expected = pattern(64, 1);
  expected.set(pattern(4, 9), 10 * 512);
  t.strictSame(await readSectors(vbd, 0, 64), expected);
  t.strictSame(readFileSync(path), expected, 'and the file has them');
  t.match(vbd.describe(), `[aio ${path} 64 sectors]`);
});

t.test(
  'a file’s last bytes that fill no sector belong to the disk, and the file does not grow',
  async (t) => {
    const world = diskWorld(t);
    const path = world.path('odd.img');
    writeFileSync(path, Buffer.alloc(1300, 'x'));
    const vbd = await world.open(`aio:${path}`);
    t.same(vbd.info, { sectors: 3, sectorSize: 512, bytes: 1300, info: 0 });
    t.equal(vbd.sizeBytes, 1300);
    t.equal((await readSectors(vbd, 2, 1)).toString('latin1'), `${'x'.repeat(276)}${'\0'.repeat(236)}`);
    t.equal(await writeSectors(vbd, 1, pattern(2, 3)), 0);
    t.equal(await writeSectors(vbd, 3, pattern(1, 3)), -errno.EINVAL);
    const bytes = readFileSync(path);
    t.equal(bytes.length, 1300);
    t.strictSame(bytes.subarray(512), pattern(2, 3).subarray(0, 788));
    for (const noHole of [true, false]) {
      t.equal(await told((done) => vbd.writeZeroes(2, 1, done, { noHole })), 0);
      t.equal(await writeSectors(vbd, 2, pattern(1, 4)), 0);
    }
    t.equal(await told((done) => vbd.discard(0, 3, done)), 0);
    t.equal(readFileSync(path).length, 1300);
    t.same(
      world.lines.filter((line) => line.startsWith('aio')),
      [],
    );
  },
);

t.test('a file of 8 PiB is refused: what is beyond cannot be addressed exactly', async (t) => {
  const world = diskWorld(t, { large: true });
  const path = world.path('sparse.img');
  writeFileSync(path, pattern(1, 1));
  const made = spawnSync('truncate', ['--size=9P', path], { encoding: 'utf8' });
  if (made.status !== 0) t.pass('refused', { skip: `no file system for such files: ${made.stderr}` });
  else {
    t.equal(await world.tryOpen(`aio:${path}`), -errno.EFBIG);
    t.match(world.lines.join('\n'), /sectors are too many: expected at most 17592186044415 \(8 PiB\)/);
    t.equal(await world.tryOpen(`aio:${path}`), -errno.EFBIG, 'and the image is let go of');
    spawnSync('truncate', ['--size=8191T', path]);
    const vbd = await world.open(`aio:${path}`);
    const last = vbd.info.sectors - 1;
    t.equal(last, 2 ** 44 - 2 ** 31 - 1);
    t.equal(await writeSectors(vbd, last, pattern(1, 7)), 0);
    t.strictSame(await readSectors(vbd, last, 1), pattern(1, 7));
    t.strictSame(await readSectors(vbd, 0, 1), pattern(1, 1));
  }
});

t.test(
  'a file that was cut short while open reads as zeroes after its end, which is reported once',
  async (t) => {
    const world = diskWorld(t);
    const path = world.path('short.img');
    writeFileSync(path, pattern(8, 1));
    const vbd = await world.open(`aio:${path}`);
    truncateSync(path, 512 * 3 + 100);
    const expected = Buffer.alloc(8 * 512);
    expected.set(pattern(8, 1).subarray(0, 512 * 3 + 100));
    t.strictSame(await readSectors(vbd, 0, 8), expected);
    await readSectors(vbd, 0, 8);
    const logged = world.lines.filter((line) => line.startsWith('aio: '));
    t.same(logged, [`aio: ${path} was cut short while open: missing data reads as zeroes`]);
  },
);

t.test('a file that is not an image is refused with the reason', async (t) => {
  const world = diskWorld(t);
  symlinkSync(world.path('nowhere'), world.path('dangling'));
  t.equal(await world.tryOpen(`aio:${world.path('missing')}`), -errno.ENOENT);
  t.equal(await world.tryOpen(`aio:${world.path('dangling')}`), -errno.ENOENT);
  t.equal(await world.tryOpen(`aio:${world.directory}`), -errno.EINVAL, 'a directory');
  t.match(world.lines, [
    /cannot open .*missing: no such file or directory/,
    /cannot open .*dangling: no such file or directory/,
    /cannot open .*: neither a regular file nor a block device/,
  ]);
  t.equal(await world.tryOpen('aio:/dev/null'), -errno.EINVAL, 'a character device');
  t.equal(await world.tryOpen('aio:'), -errno.EINVAL);
  t.equal(await world.tryOpen('aio:/a\0b'), -errno.EINVAL);
  t.equal(await world.tryOpen(`aio:${'x'.repeat(5000)}`), -errno.ENAMETOOLONG);
});

t.test('an image opened read-only is not changed', async (t) => {
  const world = diskWorld(t);
  const path = world.path('ro.img');
  writeFileSync(path, pattern(8, 1), { mode: 0o444 });
  const vbd = await world.open(`aio:${path}`, { readOnly: true });
  t.equal(await writeSectors(vbd, 0, pattern(1, 2)), -errno.EROFS);
  t.strictSame(await readSectors(vbd, 0, 8), pattern(8, 1));
  t.equal(await told((done) => vbd.flush(done)), 0);
  t.match(vbd.describe(), /ro\.img 8 sectors read-only/);
});

t.test('the driver by itself refuses changes of a read-only image', (t) => {
  const script = new FileScript();
  const driver = new AioDriver('/image', script.parts);
  driver.open({ readOnly: true, shared: false }, () => {});
  const results = new Results();
  const range = { sector: 0, sectors: 1, buffer: Buffer.alloc(512), noHole: false, complete: results.done };
  driver.queueWrite(range);
  driver.discard(range);
  driver.writeZeroes(range);
  t.strictSame(results.told, Array(3).fill(-errno.EROFS));
  t.strictSame(script.log, []);
  t.end();
});

t.test('an image has one writer; readers and sharers are not excluded', async (t) => {
  const world = diskWorld(t);
  const path = world.path('locked.img');
  writeFileSync(path, pattern(8, 1));
  const first = await world.open(`aio:${path}`);
  t.equal(await world.tryOpen(`aio:${path}`), -errno.EBUSY);
  t.match(world.lines.at(-1), /locked.img: open for writing elsewhere/);
  t.equal(await world.tryOpen(`aio:${path}`, { shared: true }), -errno.EBUSY, 'the first does not share');
  await world.open(`aio:${path}`, { readOnly: true });
  await first.close();
  await world.open(`aio:${path}`, { shared: true });
  await world.open(`aio:${path}`, { shared: true });
  t.equal(await world.tryOpen(`aio:${path}`), -errno.EBUSY, 'those who share keep out who does not');
});

t.test('a paused VBD releases its image, and locks it again when resumed', async (t) => {
  const world = diskWorld(t);
  const path = world.path('paused.img');
  writeFileSync(path, pattern(8, 1));
  const first = await world.open(`aio:${path}`);
  await first.pause();
  const second = await world.open(`aio:${path}`);
  t.equal(await resultOf(first.resume()), -errno.EBUSY);
  await second.close();
  t.equal(await resultOf(first.resume()), 0);
});

t.test(
  'no descriptor of the kernel’s is left of openings that fail and of those that are closed',
  async (t) => {
    const world = diskWorld(t);
    const path = world.path('many.img');
    writeFileSync(path, pattern(8, 1));
    // Other descriptors come and go meanwhile, as those of helpers that have ended.
    const { ino } = statSync(path);
    const ofImage = (): string[] =>
      readdirSync('/proc/self/fd').filter(
        (fd) => statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })?.ino === ino,
      );
    const first = await world.open(`aio:${path}`);
    t.not(ofImage().length, 0);
    const had = ofImage();
    for (let count = 0; count < 5; count++) t.equal(await world.tryOpen(`aio:${path}`), -errno.EBUSY);
    t.same(ofImage(), had);
    await first.close();
    t.same(ofImage(), []);
  },
);

t.test('zeroes are written over what is not zero, and a hole stays a hole', async (t) => {
  const world = diskWorld(t);
  const path = world.path('sparse.img');
  const sectors = 3 * 2048 + 8;
  const fd = openSync(path, 'w');
  ftruncateSync(fd, sectors * 512);
  closeSync(fd);
  const vbd = await world.open(`aio:${path}`);
  t.equal(await writeSectors(vbd, 2048, pattern(16, 1)), 0);
  t.equal(await told((done) => vbd.writeZeroes(1, sectors - 1, done)), 0);
  t.ok((await readSectors(vbd, 0, sectors)).every((byte) => byte === 0));
  await told((done) => vbd.flush(done));
  // Blocks of 512 bytes: only the MiB that was written to may have any.
  t.ok(statSync(path).blocks <= 2048, `${statSync(path).blocks} blocks`);
  t.equal(await told((done) => vbd.writeZeroes(4096, 2048, done, { noHole: true })), 0);
  await told((done) => vbd.flush(done));
  t.ok(statSync(path).blocks >= 2048, 'with NO_HOLE the blocks are there');
});

t.test('a discard succeeds, and leaves the bytes unchanged', async (t) => {
  const world = diskWorld(t);
  const path = world.path('discard.img');
  writeFileSync(path, pattern(8, 1));
  const vbd = await world.open(`aio:${path}`);
  t.equal(vbd.canDiscard, true);
  t.equal(await told((done) => vbd.discard(0, 8, done)), 0);
  t.strictSame(readFileSync(path), pattern(8, 1));
});

/** A driver over scripted file calls, open for writing. */
function scripted(): {
  readonly script: FileScript;
  readonly driver: AioDriver;
  readonly write: (sector: number, sectors: number) => Results;
} {
  const { script, driver } = scriptedDriver();
  return {
    script,
    driver,
    write(sector, sectors) {
      const results = new Results();
      driver.queueWrite({ sector, sectors, buffer: Buffer.alloc(sectors * 512), complete: results.done });
      return results;
    },
  };
}

t.test('a change waits for earlier ones of its sectors, and for nothing else', (t) => {
  const { script, write, driver } = scripted();
  write(0, 4);
  write(3, 2);
  write(8, 1);
  write(4, 1);
  t.strictSame(script.log, ['write 0+2048', 'write 4096+512'], '3+2 and, behind it, 4+1 wait');
  const zeroed = new Results();
  driver.writeZeroes({ sector: 8, sectors: 1, noHole: true, complete: zeroed.done });
  script.answer('write 0+2048', 2048);
  t.strictSame(script.log.slice(2), ['write 1536+1024']);
  script.answer('write 4096+512', 512);
  t.strictSame(script.log.slice(3), ['write 4096+512'], 'the zeroes have waited too');
  script.answer('write 1536+1024', 1024);
  t.strictSame(script.log.slice(4), ['write 2048+512']);
  t.end();
});

t.test('zeroes no longer needed end after a piece, and requests waiting for them continue', (t) => {
  const { script, write, driver } = scripted();
  const zeroed = new Results();
  let isNeeded = true;
  const range = { sector: 0, sectors: 6144, noHole: true, isNeeded: () => isNeeded };
  driver.writeZeroes({ ...range, complete: zeroed.done });
  const written = write(0, 1);
  script.answer('write 0+1048576', 1 << 20);
  isNeeded = false;
  script.answer('write 1048576+1048576', 1 << 20);
  t.strictSame(zeroed.told, [-ESHUTDOWN]);
  script.answer('write 0+512', 512);
  t.strictSame(written.told, [0]);
  t.end();
});

t.test('zeroes no longer needed are not written, not even through filters', async (t) => {
  const world = diskWorld(t);
  const path = world.path('kept.img');
  writeFileSync(path, pattern(8, 1));
  for (const name of [`aio:${path}`, `log:|aio:${path}`]) {
    const vbd = await world.open(name);
    const result = await told((done) => vbd.writeZeroes(0, 8, done, { isNeeded: () => false }));
    t.equal(result, -ESHUTDOWN, name);
    t.equal(await resultOf(vbd.close()), 0);
  }
  t.strictSame(readFileSync(path), pattern(8, 1));
  t.strictSame(
    world.lines.filter((line) => line.includes('cannot write')),
    [],
  );
});

t.test('zeroes are made fast by a hole that is worth it, and else not at all', (t) => {
  const { script, driver } = scripted();
  const zero = (sectors: number, noHole: boolean): Results => {
    const results = new Results();
    driver.writeZeroesFast({ sector: 0, sectors, noHole, complete: results.done });
    return results;
  };
  t.strictSame(zero(2047, false).told, [-errno.EOPNOTSUPP]);
  t.strictSame(zero(4096, true).told, [-errno.EOPNOTSUPP]);
  t.strictSame(script.log, []);
  const zeroed = zero(2048, false);
  script.answer('punch 0+2048', 0);
  t.strictSame(zeroed.told, [0]);
  const failed = zero(4096, false);
  script.answer('punch 0+4096', -errno.EOPNOTSUPP);
  t.strictSame(failed.told, [-errno.EOPNOTSUPP]);
  t.strictSame(script.log.slice(2), [], 'nothing is written instead');
  t.end();
});

t.test('fast zeroes of a read-only image are refused', (t) => {
  const script = new FileScript();
  const driver = new AioDriver('/image', script.parts);
  driver.open({ readOnly: true, shared: false }, () => {});
  const results = new Results();
  driver.writeZeroesFast({ sector: 0, sectors: 4096, noHole: false, complete: results.done });
  t.strictSame([results.told, script.log], [[-errno.EOPNOTSUPP], []]);
  t.end();
});

t.test('a read does not wait for a write of its sectors', (t) => {
  const { script, write, driver } = scripted();
  write(0, 1);
  driver.queueRead({ sector: 0, sectors: 1, buffer: Buffer.alloc(512), complete: () => {} });
  t.strictSame(script.log, ['write 0+512', 'read 0+512']);
  t.end();
});

t.test('a call that transfers a part is followed by one for the rest', (t) => {
  const { script, write, driver } = scripted();
  const written = write(2, 2);
  script.answer('write 1024+1024', 100);
  script.answer('write 1124+924', 924);
  t.strictSame(written.told, [0]);
  const read = new Results();
  driver.queueRead({ sector: 0, sectors: 2, buffer: Buffer.alloc(1024), complete: read.done });
  script.answer('read 0+1024', 1000);
  script.answer('read 1000+24', 24);
  t.strictSame(read.told, [0]);
  t.end();
});

t.test('an error fails only its request: the next write of the sectors continues', (t) => {
  const { script, write } = scripted();
  const [first, second, third] = [write(0, 2), write(1, 1), write(0, 1)];
  script.answer('write 0+1024', 512);
  script.answer('write 512+512', -errno.ENOSPC);
  t.strictSame(first.told, [-errno.ENOSPC]);
  script.answer('write 512+512', 512);
  script.answer('write 0+512', 0);
  t.strictSame([second.told, third.told], [[0], [-errno.EIO]], 'a file that takes nothing has an error');
  t.end();
});

t.test('a read that fails returns its error', (t) => {
  const { script, driver } = scripted();
  const results = new Results();
  driver.queueRead({ sector: 0, sectors: 1, buffer: Buffer.alloc(512), complete: results.done });
  script.answer('read 0+512', -errno.EIO);
  t.strictSame(results.told, [-errno.EIO]);
  t.end();
});

t.test('zeroing stops at the first error of reading or writing', (t) => {
  const { script, driver } = scripted();
  const results = new Results();
  const range = { sector: 0, sectors: 8, noHole: false, complete: results.done };
  driver.writeZeroes(range);
  script.answer('read 0+4096', -errno.EIO);
  driver.writeZeroes(range);
  script.calls[0]!.buffer.fill(1);
  script.answer('read 0+4096', 4096);
  script.answer('write 0+4096', -errno.ENOSPC);
  t.strictSame(results.told, [-errno.EIO, -errno.ENOSPC]);
  t.end();
});

t.test('flushes that arrive during a flush share the next one', (t) => {
  const { script, driver } = scripted();
  const results = new Results();
  for (let count = 0; count < 3; count++) driver.flush(results.done);
  t.strictSame(script.log, ['fdatasync']);
  script.answer('fdatasync', 0);
  t.strictSame(results.told, [0]);
  script.answer('fdatasync', 0);
  t.strictSame(results.told, [0, 0, 0]);
  t.strictSame(script.calls, []);
  t.end();
});

t.test('after a failed flush all others fail, until the image is opened again', (t) => {
  const { script, driver } = scripted();
  const results = new Results();
  driver.flush(results.done);
  driver.flush(results.done);
  script.answer('fdatasync', -errno.EIO);
  driver.flush(results.done);
  t.strictSame(results.told, Array(3).fill(-errno.EIO));
  t.strictSame(script.log, ['fdatasync']);
  driver.close(() => {});
  script.answer('fdatasync', 0);
  driver.open({ readOnly: false, shared: false }, () => {});
  driver.flush(results.done);
  script.answer('fdatasync', 0);
  t.strictSame(results.told.slice(3), [0]);
  t.end();
});

t.test('close flushes, and returns the error of the flush', (t) => {
  const { script, driver } = scripted();
  const results = new Results();
  driver.close(results.done);
  script.answer('fdatasync', -errno.EIO);
  t.strictSame(results.told, [-errno.EIO]);
  t.end();
});

t.test('an opening that fails late closes its file', (t) => {
  for (const failing of ['lock', 'size', 'fstat'] as const) {
    const script = new FileScript();
    let closed = 0;
    const close: typeof script.files.close = (_fd, done) => {
      closed++;
      done(0);
    };
    const fail = (...parameters: unknown[]): void =>
      (parameters.at(-1) as (result: number) => void)(-errno.ENOLCK);
    const files = { ...script.files, close, ...(failing === 'fstat' && { fstat: fail }) };
    const driver = new AioDriver('/image', {
      ...script.parts,
      files,
      ...(failing !== 'fstat' && { [failing]: fail }),
    });
    const results = new Results();
    driver.open({ readOnly: false, shared: false }, results.done);
    t.strictSame([results.told, closed], [[-errno.ENOLCK], 1], failing);
  }
  t.end();
});
