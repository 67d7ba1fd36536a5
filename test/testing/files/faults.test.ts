// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/errno.js';
import type { FileStatus } from '../../../src/posix/files.js';
import { Completions } from '../../../src/server/completions.js';
import {
  type CallFault,
  failEachNamed,
  type FileCallName,
  SimulatedWorld,
  TYPICAL_FILE_ERRORS,
} from '../../../src/testing/index.js';
import { FileWorld, O_CREAT, O_DIRECTORY, O_DSYNC, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from './fixture.js';

t.test('a full disk accepts writes while there is room, and then none', async (t) => {
  const world = new FileWorld();
  const { system } = world.files;
  const fd = await world.open('/a');
  system.capacityBytes = 3 * 4096;
  t.equal(await world.write(fd, 'x'.repeat(20_000), 100), 3 * 4096 - 100);
  t.equal(await world.fails((calls, done) => calls.write(fd, Buffer.from('x'), 12_288, done)), 'ENOSPC');
  t.equal(await world.write(fd, 'y'), 1, 'what has its space can be written');
  const other = await world.open('/b');
  t.equal(await world.fails((calls, done) => calls.allocate(other, 0, 1, done)), 'ENOSPC');
  await world.must((calls, done) => calls.punchHole(fd, 0, 4096, done));
  await world.must((calls, done) => calls.allocate(other, 0, 1, done));
  t.equal(
    await world.fails((calls, done) => calls.write(fd, Buffer.from('x'), 0, done)),
    'ENOSPC',
    'it is a hole now',
  );
  await world.must((calls, done) => calls.ftruncate(other, 0, done));
  t.equal(await world.write(fd, 'z'), 1);
  t.equal(system.copy().capacityBytes, 3 * 4096, 'a copy has as much room');
});

t.test('an open file keeps its space after its name is removed', async (t) => {
  const world = new FileWorld();
  world.files.system.capacityBytes = 4096;
  const fd = await world.open('/a');
  await world.write(fd, 'x');
  await world.must((calls, done) => calls.unlink('/a', done));
  const other = await world.open('/b');
  t.equal(await world.fails((calls, done) => calls.write(other, Buffer.from('x'), 0, done)), 'ENOSPC');
  await world.must((calls, done) => calls.close(fd, done));
  t.equal(await world.write(other, 'x'), 1);
});

t.test('preallocated space can be written on a full disk', async (t) => {
  const world = new FileWorld();
  const fd = await world.open('/a');
  await world.must((calls, done) => calls.allocate(fd, 0, 8192, done));
  t.equal(world.text('/a'), '\0'.repeat(8192));
  world.files.system.capacityBytes = 0;
  t.equal(await world.write(fd, 'x'.repeat(8192)), 8192);
});

t.test('sectors that cannot be read fail every read that has them, until they are written', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('a'.repeat(4096)));
  world.files.spoil('/a', 600, 100);
  const fd = await world.open('/a');
  const read = (position: number, length: number): Promise<string> =>
    world.fails((calls, done) => calls.read(fd, new Uint8Array(length), position, done));
  t.equal(await read(0, 512), '512');
  t.equal(await read(0, 513), 'EIO');
  t.equal(await read(1024, 9999), '3072');
  await world.write(fd, 'b'.repeat(511), 512);
  t.equal(await read(512, 512), 'EIO', 'part of a sector is not enough');
  await world.write(fd, 'b'.repeat(512), 512);
  t.equal(await read(512, 512), '512');
});

t.test('rot changes the medium, and later writes replace it', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('aaaa'));
  await world.write(await world.open('/a'), 'b', 1);
  world.files.rot('/a', 0, 2);
  world.files.rot('/a', 1, 2);
  t.equal(world.text('/a'), 'cbaa');
  world.files.rot('/a', 3, 1);
  t.equal(world.text('/a'), 'cba`', 'the last byte, and no other');
  t.throws(() => world.files.rot('/a', 4), /byte 4 of a file of 4 bytes/);
  t.throws(() => world.files.rot('/b', 0), /there is no file \/b/);
});

t.test('no file is open any more after a power loss', async (t) => {
  const world = new FileWorld();
  await world.open('/a', O_RDWR | O_CREAT);
  t.equal(world.files.descriptors().length, 1);
  world.files.losePower();
  t.same(world.files.descriptors(), []);
});

t.test('open files are listed in the order of their numbers', async (t) => {
  const world = new FileWorld();
  const [first] = [await world.open('/a'), await world.open('/b')];
  await world.must((calls, done) => calls.close(first, done));
  const third = await world.open('/c');
  t.equal(third, first, 'the lowest free number');
  t.match(world.files.descriptors(), [{ fd: third, path: '/c' }, { path: '/b' }]);
});

t.test('calls on stalled files complete only when the stall ends', async (t) => {
  const world = new FileWorld();
  const fd = await world.open('/a');
  world.files.stall(5);
  let ended = false;
  world.calls.write(fd, Buffer.from('x'), 0, () => (ended = true));
  await world.world.run(4.9);
  t.same([ended, world.text('/a')], [false, '']);
  await world.world.run(0.2);
  t.same([ended, world.text('/a')], [true, 'x']);
});

t.test('descriptors are the lowest free numbers, run out, and are unknown once closed', async (t) => {
  const world = new FileWorld();
  const [three, four] = [await world.open('/a'), await world.open('/b')];
  t.same([three, four], [3, 4]);
  await world.write(three, Buffer.alloc(8192));
  await world.must((calls, done) => calls.close(three, done));
  t.equal(await world.fails((calls, done) => calls.close(three, done)), 'EBADF');
  t.equal(await world.fails((calls, done) => calls.fsync(three, done)), 'EBADF');
  t.equal(await world.open('/c'), 3);
  for (let count = 2; count < 1021; count++) await world.open('/c');
  t.equal(await world.fails((calls, done) => calls.open('/a', O_RDONLY, done)), 'EMFILE');
  t.equal(world.files.descriptors().length, 1021);
  world.files.system.unlink('/a');
  world.files.system.capacityBytes = 8192;
  t.equal(await world.write(four, Buffer.alloc(8192)), 8192, 'what could not be opened is not open');
});

t.test('a descriptor opened for reading cannot write, nor one for writing read', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('a'));
  const [reader, writer] = [await world.open('/a', O_RDONLY), await world.open('/a', O_WRONLY)];
  t.equal(await world.fails((calls, done) => calls.write(reader, Buffer.from('x'), 0, done)), 'EBADF');
  t.equal(await world.fails((calls, done) => calls.read(writer, new Uint8Array(1), 0, done)), 'EBADF');
  t.equal(await world.fails((calls, done) => calls.read(reader, new Uint8Array(1), -1, done)), 'EINVAL');
  t.equal(await world.fails((calls, done) => calls.ftruncate(writer, -1, done)), 'EINVAL');
  t.equal(await world.fails((calls, done) => calls.ftruncate(writer, 2 ** 53, done)), 'EFBIG');
  t.equal(await world.fails((calls, done) => calls.ftruncate(writer, 2 ** 53 - 1, done)), '0');
});

t.test('locks exclude as flock does, while the file is open', async (t) => {
  const world = new FileWorld();
  const [one, two, three] = [await world.open('/a'), await world.open('/a'), await world.open('/b')];
  const lock = (fd: number, shared: boolean): Promise<string> =>
    world.fails((calls, done) => calls.flock(fd, shared, done));
  t.equal(await lock(one, true), '0');
  t.equal(await lock(two, true), '0');
  t.equal(await lock(two, false), 'EBUSY');
  t.equal(await lock(three, false), '0', 'another file');
  await world.must((calls, done) => calls.close(one, done));
  t.equal(await lock(two, false), '0');
  const again = await world.open('/a');
  t.equal(await lock(again, true), 'EBUSY');
  world.host.crash('end of file');
  world.host.restart();
  t.equal(await lock(await world.open('/a'), false), '0', 'the lock died with the process');
});

t.test('an injected failure of close still closes, and one of write may have written', async (t) => {
  const states = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const world = new FileWorld({ seed });
    const fd = await world.open('/a');
    world.files.failCalls({ calls: ['write', 'close'], times: Infinity, error: errno.EIO });
    t.equal(await world.fails((calls, done) => calls.write(fd, Buffer.alloc(1024, 'x'), 0, done)), 'EIO');
    t.equal(await world.fails((calls, done) => calls.close(fd, done)), 'EIO');
    t.same(world.files.descriptors(), []);
    states.add(String(world.text('/a')?.length));
  }
  t.ok(states.has('0') && states.has('512'), [...states].join());
});

t.test('every call of a scenario fails in turn, in each of its ways', async (t) => {
  const scenario = async (fault: CallFault<FileCallName>): Promise<string[]> => {
    const world = new FileWorld();
    world.files.put('/d/old', Buffer.from('old'));
    world.files.failCalls(fault);
    const results: number[] = [];
    const must = async (call: Parameters<FileWorld['ask']>[0]): Promise<number> => {
      const { result } = await world.ask(call);
      results.push(result);
      if (result < 0) throw new Error('stop');
      return result;
    };
    try {
      const fd = await must((calls, done) => calls.open('/d/new', O_RDWR | O_CREAT, done));
      await must((calls, done) => calls.write(fd, Buffer.from('new'), 0, done));
      await must((calls, done) => calls.fsync(fd, done));
      await must((calls, done) => calls.close(fd, done));
      await must((calls, done) => calls.rename('/d/new', '/d/old', done));
      await must((calls, done) => calls.syncDirectory('/d', done));
    } catch {
      // What failed is seen below.
    }
    const failure = results.find((result) => result < 0);
    if (failure === undefined ? fault.failed > 0 : failure !== -fault.lastError) return ['another result'];
    world.host.crash('silence');
    const text = world.text('/d/old');
    const expected = failure === undefined ? ['new'] : ['new', 'old'];
    if (!expected.includes(text ?? 'none')) return [`found ${text}`];
    return [];
  };
  const { calls, failedRuns } = await failEachNamed(TYPICAL_FILE_ERRORS, scenario);
  t.same(failedRuns, []);
  t.same([...calls.keys()], ['open', 'write', 'fsync', 'close', 'rename', 'syncDirectory']);
});

t.test(
  'a sync of a directory that fails leaves some of its changes, and the next one succeeds',
  async (t) => {
    const found = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const world = new FileWorld({ seed });
      await world.open('/a');
      await world.open('/b');
      world.files.failCalls({ calls: ['syncDirectory'], error: errno.EIO });
      t.equal(await world.fails((calls, done) => calls.syncDirectory('/', done)), 'EIO');
      await world.must((calls, done) => calls.syncDirectory('/', done));
      t.same(world.paths(), ['/a', '/b']);
      world.host.crash('silence');
      found.add(world.paths().join(' '));
    }
    t.same([...found].toSorted(), ['', '/a', '/a /b', '/b']);
  },
);

t.test('invalid paths are refused as by Linux', async (t) => {
  const world = new FileWorld();
  world.files.put('/d/sub/file', Buffer.from('text'));
  const rename = (from: string, to: string): Promise<string> =>
    world.fails((calls, done) => calls.rename(from, to, done));
  t.equal(await world.fails((calls, done) => calls.open('', O_RDONLY, done)), 'ENOENT');
  t.equal(await world.fails((calls, done) => calls.open('/d/sub/../sub/file', O_RDONLY, done)), '3');
  t.equal(
    await world.fails((calls, done) => calls.open('/d/sub/file', O_RDONLY | O_DIRECTORY, done)),
    'ENOTDIR',
  );
  t.equal(await world.fails((calls, done) => calls.fsync(99, done)), 'EBADF');
  t.equal(await world.fails((calls, done) => calls.fdatasync(99, done)), 'EBADF');
  t.equal(await world.fails((calls, done) => calls.fstat(99, done)), 'EBADF');
  t.equal(await world.fails((calls, done) => calls.link('/d', '/e', done)), 'EPERM');
  t.equal(await rename('/d', '/d/sub/e'), 'EINVAL');
  t.equal(await rename('/d/sub', '/d'), 'ENOTEMPTY');
  for (const [from, to] of [
    ['/d', '/'],
    ['/none', '/'],
    ['/', '/d'],
    ['/', '/'],
  ] as const)
    t.equal(await rename(from, to), 'EBUSY', `${from} to ${to}`);
  await world.must((calls, done) => calls.mkdir('/e', 0o755, done));
  t.equal(await rename('/e', '/d'), 'ENOTEMPTY');
  t.equal(await rename('/d', '/e'), '0', 'a directory replaces an empty one');
  t.equal(world.text('/e/sub/file'), 'text');
  t.throws(() => world.files.put('/e/sub', Buffer.from('')), /is not the path of a file/);
  t.throws(() => world.files.contents('/e'), /there is no file \/e/);
});

t.test('a truncated file frees its space, and reads as zeroes when it grows again', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.alloc(12_288, 'a'));
  const fd = await world.open('/a');
  await world.must((calls, done) => calls.ftruncate(fd, 100, done));
  world.files.system.capacityBytes = 3 * 4096;
  await world.write(await world.open('/b'), Buffer.alloc(8192, 'b'));
  await world.must((calls, done) => calls.ftruncate(fd, 200, done));
  t.equal(world.text('/a'), `${'a'.repeat(100)}${'\0'.repeat(100)}`);
});

t.test(
  'a file that is put there is another file than the one before, and takes room until it has no name',
  async (t) => {
    const world = new FileWorld();
    world.files.put('/a', Buffer.from('before'));
    await world.must((calls, done) => calls.link('/a', '/b', done));
    world.files.put('/a', Buffer.from('now'));
    t.equal(world.text('/a'), 'now');
    t.equal(world.text('/b'), 'before');
    for (const path of ['/a', '/b']) await world.must((calls, done) => calls.unlink(path, done));
    world.files.system.capacityBytes = 4096;
    t.equal(await world.write(await world.open('/c'), 'text'), 4);
  },
);

t.test('rot flips the lowest bit of a byte unless told which', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('aa'));
  world.files.rot('/a', 0);
  world.files.rot('/a', 1, 6);
  t.equal(world.text('/a'), '`g');
});

t.test('calls that take no time end at once, or in the microsecond in which a stall ends', async (t) => {
  const world = new FileWorld();
  world.files.shape({ callSeconds: 0 });
  await world.open('/a');
  t.equal(world.world.nowSeconds, 0);
  world.files.stall(0.000_001);
  await world.open('/b');
  t.equal(world.world.nowSeconds, 0.000_001);
});

t.test('each call leaves a line in the trace', async (t) => {
  const world = new FileWorld();
  const fd = await world.open('/a', O_RDWR | O_CREAT);
  await world.write(fd, 'text', 512);
  world.files.failCalls({ error: errno.EIO });
  await world.fails((calls, done) => calls.fsync(fd, done));
  await world.must((calls, done) => calls.close(fd, done));
  const lines = world.world.trace.lines.map((line) => line.replace(/^ *\d+\.\d+ /, ''));
  t.same(lines, [
    '10.0.0.1 open(/a, 0o102) = 3',
    '10.0.0.1 write(3, 4 at 512) = 4',
    '10.0.0.1 fsync(3) = -EIO (made to fail)',
    '10.0.0.1 close(3) = 0',
  ]);
});

t.test('a line of a call names what it was asked for', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('text'));
  const fd = await world.open('/a', O_RDWR);
  const before = world.world.trace.lines.length;
  const ask: Parameters<FileWorld['fails']>[0][] = [
    (calls, done) => calls.fchmod(fd, 0o644, done),
    (calls, done) => calls.fchown(fd, 1, 2, done),
    (calls, done) => calls.ftruncate(fd, 100, done),
    (calls, done) => calls.ftruncate(99, 100, done),
    (calls, done) => calls.read(fd, new Uint8Array(3), 1, done),
    (calls, done) => calls.allocate(fd, 1, 2, done),
    (calls, done) => calls.punchHole(fd, 1, 2, done),
    (calls, done) => calls.link('/a', '/b', done),
    (calls, done) => calls.rename('/b', '/c', done),
    (calls, done) => calls.syncDirectory('/c', done),
    (calls, done) => calls.readdir('/c', done),
    (calls, done) => calls.realpath('/c', done),
  ];
  for (const call of ask) await world.fails(call);
  const lines = world.world.trace.lines
    .slice(before)
    .map((line) => line.replace(/^ *\d+\.\d+ 10.0.0.1 /, ''));
  t.same(lines, [
    'fchmod(3, 0o644) = 0',
    'fchown(3, 1, 2) = -EPERM',
    'ftruncate(3, 100) = 0',
    'ftruncate(99, 100) = -EBADF',
    'read(3, 3 at 1) = 3',
    'allocate(3, 2 at 1) = 0',
    'punchHole(3, 2 at 1) = 0',
    'link(/a, /b) = 0',
    'rename(/b, /c) = 0',
    'syncDirectory(/c) = -ENOTDIR',
    'readdir(/c) = -ENOTDIR',
    'realpath(/c) = 0',
  ]);
});

t.test('calls that are given a way to complete end that way, and no sooner', async (t) => {
  const world = new FileWorld();
  const posted: (() => void)[] = [];
  const results: number[] = [];
  world.files
    .calls({ post: (task) => void posted.push(task) })
    .stat('/', (result) => void results.push(result));
  await world.world.run(1);
  t.same([results, posted.length], [[], 1]);
  posted[0]?.();
  t.same(results, [0]);
});

t.test(
  'of a write that fails some of the first sectors may be there, as they were to be written',
  async (t) => {
    const bytes = Buffer.from(Array.from({ length: 2048 }, (_, index) => (index * 7) % 251));
    const lengths = new Set<number>();
    for (let seed = 1; seed <= 60; seed++) {
      const world = new FileWorld({ seed });
      const fd = await world.open('/a');
      world.files.failCalls({ calls: ['write'], error: errno.EIO });
      t.equal(await world.fails((calls, done) => calls.write(fd, bytes, 0, done)), 'EIO');
      const found = world.files.contents('/a');
      t.same(found, bytes.subarray(0, found.length));
      lengths.add(found.length);
    }
    for (const length of lengths) t.equal(length % 512, 0);
    t.ok(lengths.size > 2, [...lengths].join());
  },
);

t.test('locks, and what happens to the medium, leave a line in the trace', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('a'));
  const fd = await world.open('/a');
  for (const shared of [true, false]) await world.must((calls, done) => calls.flock(fd, shared, done));
  world.files.rot('/a', 0);
  world.files.spoil('/a', 0, 512);
  world.files.stall(1.5);
  const lines = world.world.trace.lines.map((line) => line.replace(/^ *\d+\.\d+ /, ''));
  t.same(lines.slice(-5), [
    '10.0.0.1 flock(3, shared) = 0',
    '10.0.0.1 flock(3, exclusive) = 0',
    '10.0.0.1 rot in /a at 0',
    '10.0.0.1 cannot read /a, 512 at 0',
    '10.0.0.1 files stall for 1.5 s',
  ]);
});

t.test(
  "given a server's completions, calls end on its scheduler, also where transfers are short",
  async (t) => {
    const world = new SimulatedWorld({ shortTransfers: 0.9 });
    const host = world.host('10.0.0.1');
    const server = host.serve();
    const completions = new Completions(server, host.posix, host.logger);
    const calls = host.files.calls(completions);
    let ended = 0;
    for (let index = 0; index < 20; index++) calls.open(`/${index}`, O_RDWR | O_CREAT, () => (ended += 1));
    await world.run(() => ended === 20, { limitSeconds: 1 });
    const before = host.posix.openDescriptors().length;
    completions[Symbol.dispose]();
    t.equal(host.posix.openDescriptors().length, before - 1);
  },
);

t.test('a status has what was done to the file, and the one owner that there is', async (t) => {
  const world = new FileWorld({ startSeconds: 1_000_000 });
  const status = async (path: string): Promise<FileStatus> => {
    const { value } = await world.ask<FileStatus>((calls, done) => calls.stat(path, done));
    if (value === undefined) throw new Error(`no status of ${path}`);
    return value;
  };
  const fd = await world.open('/a');
  await world.world.run(10);
  const before = world.host.clock.now();
  await world.write(fd, 'text');
  const after = world.host.clock.now();
  const first = await status('/a');
  const { modifiedSeconds, inode } = first;
  t.ok(before <= modifiedSeconds && modifiedSeconds <= after);
  t.same(first, {
    kind: 'regular',
    size: 4,
    device: '0:0',
    inode,
    fileSystem: 1,
    mode: 0o644,
    uid: 0,
    gid: 0,
    modifiedSeconds,
    changedSeconds: modifiedSeconds,
  });
  await world.must((calls, done) => calls.link('/a', '/b', done));
  t.equal((await status('/b')).inode, inode, 'one file of two names');
  await world.open('/c');
  t.not((await status('/c')).inode, inode);
  await world.must((calls, done) => calls.fchmod(fd, 0o104_751, done));
  t.equal((await status('/a')).mode, 0o4751);
  await world.must((calls, done) => calls.fchown(fd, 0, 0, done));
  for (const [uid, gid] of [
    [0, 1],
    [1, 0],
  ] as const)
    t.equal(await world.fails((calls, done) => calls.fchown(fd, uid, gid, done)), 'EPERM');
  t.equal(await world.fails((calls, done) => calls.fchown(99, 0, 0, done)), 'EBADF');
  const root = await status('/');
  t.same([root.kind, root.size, root.mode], ['directory', 4096, 0o755]);
  await world.must((calls, done) => calls.mkdir('/d', 0o777, done));
  t.equal((await status('/d')).mode, 0o755, 'less the umask');
});

t.test('calls take as long as they are made to, drawn anew each time, and syncs longer', async (t) => {
  const world = new FileWorld();
  const fd = await world.open('/a');
  const seconds = async (isSync: boolean): Promise<number[]> => {
    const times: number[] = [];
    for (let count = 0; count < 20; count++) {
      const start = world.world.nowSeconds;
      await world.must((calls, done) => (isSync ? calls.fsync(fd, done) : calls.fchmod(fd, 0o600, done)));
      times.push(world.world.nowSeconds - start);
    }
    return times.toSorted((a, b) => a - b);
  };
  // A microsecond more, to which fractions are rounded up, twice.
  const isWithin = (times: number[], most: number): boolean =>
    (times[0] as number) >= most / 10 && (times.at(-1) as number) <= most + 3e-6 && new Set(times).size > 10;
  t.ok(isWithin(await seconds(false), 0.0001));
  t.ok(isWithin(await seconds(true), 0.002));
  world.files.shape({ callSeconds: 1 });
  t.ok(isWithin(await seconds(false), 1));
  t.ok(isWithin(await seconds(true), 0.002), 'what is not named stays');
  world.files.shape({ syncSeconds: 5 });
  t.ok(isWithin(await seconds(true), 5));
});

t.test(
  'paths have dots, doubled slashes and slashes at their ends, and the root is its own parent',
  async (t) => {
    const world = new FileWorld();
    world.files.put('/d/e/file', Buffer.from('text'));
    const real = async (path: string): Promise<string | number | undefined> => {
      const { result, value } = await world.ask<string>((calls, done) => calls.realpath(path, done));
      return value ?? result;
    };
    t.equal(await real('/'), '/');
    t.equal(await real('/..'), '/');
    t.equal(await real('/../d/./e/../e//file/'), '/d/e/file');
    t.equal(await real('d/e'), '/d/e');
    t.equal(await real('/d/e/..'), '/d');
    t.equal(await real('/d/none'), -errno.ENOENT);
    t.equal(await real('/none/file'), -errno.ENOENT);
    t.equal(await real('/d/e/file/..'), -errno.ENOTDIR);
    t.equal(await real(''), -errno.ENOENT);
  },
);

t.test(
  'a bad sector stays one when the file is cut, and can be written when it has grown again',
  async (t) => {
    const world = new FileWorld();
    world.files.put('/a', Buffer.from('a'.repeat(2048)));
    world.files.spoil('/a', 512, 1);
    const fd = await world.open('/a');
    const read = (): Promise<string> =>
      world.fails((calls, done) => calls.read(fd, new Uint8Array(512), 512, done));
    await world.must((calls, done) => calls.ftruncate(fd, 1000, done));
    t.equal(await read(), 'EIO');
    await world.write(fd, 'b'.repeat(1536), 0);
    t.equal(await read(), '512');
  },
);

t.test('calls of a process that has died are not among those that can be made to fail', async (t) => {
  const world = new FileWorld();
  const { calls } = world;
  world.host.crash('end of file');
  world.host.restart();
  const fault = world.files.failCalls({ error: errno.EIO });
  calls.open('/a', O_RDONLY, () => void t.fail('a call has ended'));
  await world.world.run(1);
  t.equal(fault.calls, 0);
  t.equal(await world.fails((live, done) => live.open('/a', O_RDONLY, done)), 'EIO');
  t.same([fault.calls, fault.failed], [1, 1]);
});

t.test('calls that report nothing but success report it as 0', async (t) => {
  const world = new FileWorld();
  world.files.put('/a', Buffer.from('text'));
  const fd = await world.open('/a');
  const ask: Parameters<FileWorld['fails']>[0][] = [
    (calls, done) => calls.stat('/a', done),
    (calls, done) => calls.lstat('/a', done),
    (calls, done) => calls.fstat(fd, done),
    (calls, done) => calls.fdatasync(fd, done),
    (calls, done) => calls.fsync(fd, done),
    (calls, done) => calls.ftruncate(fd, 2, done),
    (calls, done) => calls.fchmod(fd, 0o600, done),
    (calls, done) => calls.fchown(fd, 0, 0, done),
    (calls, done) => calls.allocate(fd, 0, 10, done),
    (calls, done) => calls.punchHole(fd, 0, 1, done),
    (calls, done) => calls.holes(fd, (holes) => done(typeof holes === 'string' ? -1 : 0)),
    (calls, done) => calls.mkdir('/d', 0o755, done),
    (calls, done) => calls.rename('/a', '/d/a', done),
    (calls, done) => calls.link('/d/a', '/b', done),
    (calls, done) => calls.unlink('/b', done),
    (calls, done) => calls.syncDirectory('/d', done),
    (calls, done) => calls.readdir('/d', done),
    (calls, done) => calls.realpath('/d', done),
    (calls, done) => calls.flock(fd, false, done),
    (calls, done) => calls.close(fd, done),
  ];
  for (const call of ask) t.equal(await world.fails(call), '0', call.toString());
});

t.test('files that are put there, and their directories, have the usual permissions', async (t) => {
  const world = new FileWorld();
  world.files.put('/d/a', Buffer.from('text'));
  t.match(world.files.system.lookup('/d'), { mode: 0o755 });
  t.match(world.files.system.lookup('/d/a'), { mode: 0o644 });
  t.same(world.files.descriptors(), []);
});

t.test('an opening that truncates empties a file of any size', async (t) => {
  const world = new FileWorld();
  for (const size of [0, 1, 5000]) {
    world.files.put('/a', Buffer.alloc(size, 'a'));
    await world.open('/a', O_WRONLY | O_TRUNC);
    t.equal(world.text('/a'), '');
  }
});

t.test('a stall does not end sooner for another one that is shorter', async (t) => {
  const world = new FileWorld();
  world.files.stall(5);
  world.files.stall(1);
  await world.open('/a');
  t.ok(world.world.nowSeconds > 5 && world.world.nowSeconds < 5.1);
});

t.test('a write to a file that is opened with O_DSYNC takes as long as a sync', async (t) => {
  const world = new FileWorld();
  world.files.shape({ callSeconds: 0.001, syncSeconds: 1000 });
  const seconds = async (flags: number): Promise<number> => {
    const fd = await world.open('/a', flags);
    const start = world.world.nowSeconds;
    await world.write(fd, 'text');
    return world.world.nowSeconds - start;
  };
  t.ok((await seconds(O_RDWR | O_CREAT)) < 1);
  t.ok((await seconds(O_RDWR | O_CREAT | O_DSYNC)) > 1);
});

t.test('a transfer of two bytes can be short, and one of one byte cannot', async (t) => {
  const counts = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const world = new FileWorld({ seed, shortTransfers: 0.5 });
    world.files.put('/a', Buffer.from('ab'));
    const fd = await world.open('/a');
    const read = (length: number): Promise<number> =>
      world.must((calls, done) => calls.read(fd, new Uint8Array(length), 0, done));
    counts.add(await read(2));
    t.equal(await read(1), 1);
  }
  t.same(counts, new Set([1, 2]));
  counts.clear();
  const written = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const world = new FileWorld({ seed, shortTransfers: 1 });
    const fd = await world.open('/a');
    for (const length of [100, 1024])
      written.add(`${await world.write(fd, Buffer.alloc(length))} of ${length}`);
  }
  t.same(
    [...written].toSorted(),
    ['100 of 100', '1024 of 1024', '512 of 1024'],
    'a short write ends with a sector',
  );
  for (let seed = 1; seed <= 20; seed++) {
    const world = new FileWorld({ seed, shortTransfers: 1 });
    world.files.put('/a', Buffer.from('ab'));
    const fd = await world.open('/a');
    counts.add(await world.must((calls, done) => calls.read(fd, new Uint8Array(2), 0, done)));
  }
  t.same(counts, new Set([1]), 'one that is short is never whole');
});
