// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { FileCalls } from '../../../src/posix/files.js';
import {
  closeAll,
  completed,
  damaged,
  StateError,
  StateFile,
} from '../../../src/replication/disk/state-file.js';
import { stateFiles } from './state-files.js';

const PATH = '/srv/file';

t.test('an error of a file names the file and the errno', async (t) => {
  const error = damaged(PATH, 'it is short');
  t.match(error, { name: 'StateError', result: -errno.EBADMSG, code: 'EBADMSG' });
  t.equal(error.message, '/srv/file is damaged: it is short: EBADMSG');
  t.match(new StateError('cannot do it', -errno.EIO), {
    result: -errno.EIO,
    code: 'EIO',
    message: 'cannot do it: EIO',
  });
});

t.test('a call that completes with 0 or more is waited for, one that fails throws', async (t) => {
  t.equal(await completed('do it', (done) => done(7)), 7);
  t.equal(await completed('do it', (done) => done(0)), 0);
  await t.rejects(
    completed('do it', (done) => done(-errno.EIO)),
    { message: 'cannot do it: EIO', result: -errno.EIO },
  );
});

t.test('a file that is missing is no error, unless it is one of the file system', async (t) => {
  const { world, host, files } = stateFiles();
  t.equal(await world.complete(StateFile.open(files, PATH)), undefined);
  host.files.failCalls({ calls: ['open'], nth: 1, error: errno.EACCES });
  await t.rejects(world.complete(StateFile.open(files, PATH)), { message: 'cannot open /srv/file: EACCES' });
});

t.test('what is written is read, whatever comes after the end is zeroes', async (t) => {
  const { world, host, files } = stateFiles();
  const file = await world.complete(StateFile.create(files, PATH));
  t.equal(file.path, PATH);
  await world.complete(file.writeAt(10, Buffer.from('hello')));
  await world.complete(file.synced());
  t.equal(await world.complete(file.size()), 15);
  const bytes = Buffer.alloc(8, 'x');
  await world.complete(file.readAt(12, bytes));
  t.equal(bytes.toString('latin1'), 'llo\0\0\0\0\0');
  await world.complete(file.truncate(12));
  t.equal(await world.complete(file.size()), 12);
  await world.complete(file.close());
  t.equal(Buffer.from(host.files.contents(PATH)).toString('latin1', 10), 'he');
  const again = await world.complete(StateFile.create(files, PATH));
  t.equal(await world.complete(again.size()), 0, 'a file that is made anew is empty');
});

t.test('a file can be opened again and goes on', async (t) => {
  const { world, files } = stateFiles();
  const file = await world.complete(StateFile.create(files, PATH));
  await world.complete(file.writeAt(0, Buffer.from('abc')));
  await world.complete(file.close());
  const opened = await world.complete(StateFile.open(files, PATH));
  await world.complete(opened?.writeAt(1, Buffer.from('X')) ?? Promise.resolve());
  const bytes = Buffer.alloc(3);
  await world.complete(opened?.readAt(0, bytes) ?? Promise.resolve());
  t.equal(bytes.toString(), 'aXc');
});

for (const [call, what, act] of [
  ['write', 'write', (file: StateFile) => file.writeAt(0, Buffer.from('x'))],
  ['read', 'read', (file: StateFile) => file.readAt(0, Buffer.alloc(1))],
  ['fdatasync', 'sync', (file: StateFile) => file.synced()],
  ['ftruncate', 'truncate', (file: StateFile) => file.truncate(1)],
  ['fstat', 'stat', (file: StateFile) => file.size()],
  ['close', 'close', (file: StateFile) => file.close()],
] as const) {
  t.test(`what fails says what it was: ${what}`, async (t) => {
    const { world, host, files } = stateFiles();
    const file = await world.complete(StateFile.create(files, PATH));
    host.files.failCalls({ calls: [call], nth: 1, error: errno.EIO });
    await t.rejects(world.complete<unknown>(act(file)), {
      message: `cannot ${what} /srv/file: EIO`,
      result: -errno.EIO,
    });
  });
}

t.test('a file that is allocated has all its blocks', async (t) => {
  const { world, host, files } = stateFiles();
  const file = await world.complete(StateFile.create(files, PATH));
  await world.complete(file.allocate(3_000_000));
  t.equal(await world.complete(file.size()), 3_000_000);
  host.files.failCalls({ calls: ['allocate'], nth: 1, error: errno.ENOSPC });
  await t.rejects(world.complete(file.allocate(5_000_000)), {
    message: 'cannot allocate 5000000 bytes for /srv/file: ENOSPC',
    result: -errno.ENOSPC,
  });
});

t.test('where the file system cannot allocate, zeroes are written', async (t) => {
  const { world, host, files } = stateFiles();
  const file = await world.complete(StateFile.create(files, PATH));
  await world.complete(file.writeAt(0, Buffer.from('head')));
  host.files.failCalls({ calls: ['allocate'], error: errno.EOPNOTSUPP });
  await world.complete(file.allocate(2_500_000));
  const contents = Buffer.from(host.files.contents(PATH));
  t.equal(contents.length, 2_500_000);
  t.equal(contents.toString('latin1', 0, 4), 'head', 'what it had stays');
  t.ok(contents.subarray(4).every((byte) => byte === 0));
});

t.test(
  'a file is closed once no call is under way: its number may be another file’s after that',
  async (t) => {
    const { world, held, files } = stateFiles();
    const file = await world.complete(StateFile.create(files, PATH, 'by-write'));
    const calls = {
      write: () => file.write(0, Buffer.from('abc'), (result) => ended.push(result)),
      'durable write': () => file.writeDurably(0, Buffer.from('abc'), (result) => ended.push(result)),
      sync: () => file.sync((result) => ended.push(result)),
      read: () => file.read(0, Buffer.alloc(3), (result) => ended.push(result)),
    };
    const ended: number[] = [];
    const kinds = ['write', 'synced', 'read'] as const;
    for (const kind of kinds) held.hold(kind, PATH);
    for (const call of Object.values(calls)) call();
    let isClosed = false;
    const closed = file.close().then(() => (isClosed = true));
    for (const kind of kinds) {
      await world.run(1);
      t.notOk(isClosed, kind);
      held.release(kind, PATH);
    }
    await world.complete(closed);
    t.equal(ended.filter((result) => result >= 0).length, 4);
  },
);

t.test(
  'only a file that was opened for durable writes makes them, and both descriptors are closed',
  async (t) => {
    const { world, host, files, call } = stateFiles();
    const before = host.leftovers().length;
    const plain = await world.complete(StateFile.create(files, PATH));
    t.throws(() => plain.writeDurably(0, Buffer.from('x'), () => {}), {
      message: '/srv/file was not opened for durable writes',
    });
    await world.complete(plain.close());
    let closes = 0;
    const counted = new Proxy(files, {
      get: (target, name: keyof FileCalls) => {
        if (name === 'close') closes += 1;
        return target[name];
      },
    });
    const durable = await world.complete(StateFile.open(counted, PATH, 'by-write'));
    t.ok((await call((done) => durable?.writeDurably(0, Buffer.from('x'), done))) >= 0);
    await world.complete(durable?.close() ?? Promise.resolve());
    t.same([closes, host.leftovers().length], [2, before]);
  },
);

t.test(
  'files of the state are their owner’s alone, and no link or FIFO is followed or waited for',
  async (t) => {
    const { world, files } = stateFiles();
    const opened: [flags: number, mode: number | undefined][] = [];
    const recording: FileCalls = new Proxy(files, {
      get: (target, name: keyof FileCalls) =>
        name === 'open'
          ? (...[path, flags, done, mode]: Parameters<FileCalls['open']>) => {
              opened.push([flags, mode]);
              target.open(path, flags, done, mode);
            }
          : target[name],
    });
    const made = await world.complete(StateFile.create(recording, '/srv/made', 'by-write'));
    await world.complete(made.close());
    const again = await world.complete(StateFile.open(recording, '/srv/made'));
    await world.complete(again?.close() ?? Promise.resolve());
    const safely = constants.O_NOFOLLOW | constants.O_NONBLOCK;
    t.same(opened, [
      [constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | safely, 0o600],
      [constants.O_WRONLY | constants.O_DSYNC | safely, undefined],
      [constants.O_RDWR | safely, undefined],
    ]);
  },
);

t.test('a close that fails is reported, and closes all the same', async (t) => {
  for (const nth of [1, 2]) {
    const { world, host, files } = stateFiles();
    const file = await world.complete(StateFile.create(files, '/srv/made', 'by-write'));
    host.files.failCalls({ calls: ['close'], nth, error: errno.EIO });
    await t.rejects(world.complete(file.close()), {
      message: 'cannot close /srv/made: EIO',
      result: -errno.EIO,
    });
    await t.rejects(world.complete(file.close()), /EBADF/, 'both descriptors are gone');
  }
});

t.test('all are closed, also after one that fails; the first failure is reported', async (t) => {
  const closed: number[] = [];
  const one = (number: number, fails: boolean) => ({
    close: async () => {
      closed.push(number);
      if (fails) throw new Error(`${number}`);
    },
  });
  await t.rejects(closeAll([one(1, false), undefined, one(2, true), one(3, true), one(4, false)]), {
    message: '2',
  });
  t.same(closed, [1, 2, 3, 4]);
  await closeAll([one(5, false), undefined]);
  t.same(closed.slice(4), [5]);
});
