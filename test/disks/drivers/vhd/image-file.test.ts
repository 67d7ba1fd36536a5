// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import t from 'tap';
import { Header } from '../../../../src/disks/drivers/vhd/header.js';
import { identityOf, type ImageCalls, ImageFile } from '../../../../src/disks/drivers/vhd/image-file.js';
import { findParent, openToRead } from '../../../../src/disks/drivers/vhd/parent-search.js';
import type { Steps } from '../../../../src/disks/drivers/vhd/steps.js';
import { emptyLocator, type LocatorEntry, locatorText } from '../../../../src/disks/drivers/vhd/locator.js';
import { errno } from '../../../../src/posix/errno.js';
import type { StatusDone } from '../../../../src/posix/files.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { simulated, simulatedCalls } from './sim-disk.js';

function worldOf(files: Readonly<Record<string, string | Uint8Array>>): FileWorld {
  const world = new FileWorld({ seed: 1, traceLines: 0 });
  for (const [path, content] of Object.entries(files)) world.files.put(path, Buffer.from(content));
  return world;
}

const run = <T>(world: FileWorld, steps: (calls: ImageCalls) => Steps<T>): Promise<T> =>
  simulated(world, steps(simulatedCalls(world)));

t.test('a file is read as far as it goes, or filled up with zeroes', async (t) => {
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const file = await run(world, (calls) => openToRead(calls, '/d/a'));
  const text = async (steps: Steps<Uint8Array>): Promise<string> =>
    Buffer.from(await simulated(world, steps)).toString('latin1');
  t.equal(file.length, 8);
  t.equal(await text(file.read(2, 3)), 'cde');
  t.equal(await text(file.read(6, 5)), 'gh');
  t.equal(await text(file.read(8, 5)), '');
  t.equal(await text(file.read(20, 5)), '');
  t.equal(await text(file.readPadded(2, 3)), 'cde');
  t.equal(await text(file.readPadded(6, 5)), 'gh\0\0\0');
  t.equal(await text(file.readPadded(20, 2)), '\0\0');
  await simulated(world, file.close());
});

t.test('what is read and changed later is not changed in what was read', async (t) => {
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const file = await run(world, (calls) => openToRead(calls, '/d/a'));
  for (const bytes of [
    await simulated(world, file.read(0, 8)),
    await simulated(world, file.readPadded(0, 8)),
  ]) {
    const copy = bytes.slice();
    copy[0] = 0;
    t.equal(bytes[0], 97);
  }
});

t.test('a file knows its length while it is written and cut', async (t) => {
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const file = await run(world, (calls) => ImageFile.open(calls, '/d/a', constants.O_RDWR));
  await simulated(world, file.write(2, Buffer.from('XY')));
  t.equal(file.length, 8);
  await simulated(world, file.write(7, Buffer.from('ZZ')));
  t.equal(file.length, 9);
  await simulated(world, file.truncate(4));
  t.equal(file.length, 4);
  await simulated(world, file.sync());
  await simulated(world, file.close());
  world.files.losePower();
  t.equal(world.text('/d/a'), 'abXY');
});

t.test('each call that fails is named, and an opening that fails leaves nothing open', async (t) => {
  for (const [call, action] of [
    ['stat', 'open'],
    ['open', 'open'],
    ['fstat', 'stat'],
  ] as const) {
    const world = worldOf({ '/d/a': 'abcdefgh' });
    world.files.failCalls({ calls: [call], error: errno.EIO });
    await t.rejects(
      run(world, (calls) => openToRead(calls, '/d/a')),
      { message: `/d/a: cannot ${action}: Input/output error` },
      call,
    );
    t.same(world.files.descriptors(), []);
  }
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const lock = run(world, (calls) =>
    ImageFile.open(calls, '/d/a', constants.O_RDWR, (_fd, done) => done(-errno.EBUSY)),
  );
  await t.rejects(lock, /\/d\/a: cannot lock: /);
  t.same(world.files.descriptors(), []);
  for (const [call, action, steps] of [
    ['read', 'read', (file: ImageFile) => file.read(0, 8)],
    ['write', 'write', (file: ImageFile) => file.write(0, Buffer.from('x'))],
    ['ftruncate', 'truncate', (file: ImageFile) => file.truncate(1)],
    ['fsync', 'sync', (file: ImageFile) => file.sync()],
  ] as const) {
    const file = await run(world, (calls) => ImageFile.open(calls, '/d/a', constants.O_RDWR));
    world.files.failCalls({ calls: [call], error: errno.EIO });
    const failing: Steps<unknown> = steps(file);
    await t.rejects(simulated(world, failing), { message: `/d/a: cannot ${action}: Input/output error` });
    t.equal(file.length, 8);
    await simulated(world, file.close());
  }
});

t.test('a block device is opened for its only user where it is locked, and waits for nobody', async (t) => {
  for (const kind of ['regular', 'block'] as const) {
    for (const isLocked of [false, true]) {
      const world = worldOf({ '/d/a': 'abcdefgh' });
      const calls = simulatedCalls(world);
      const asDevice =
        (done: StatusDone): StatusDone =>
        (result, status) =>
          done(result, status && { ...status, kind });
      const [stat, fstat, openFile] = [
        calls.files.stat.bind(calls.files),
        calls.files.fstat.bind(calls.files),
        calls.files.open.bind(calls.files),
      ];
      calls.files.stat = (path, done) => stat(path, asDevice(done));
      calls.files.fstat = (fd, done) => fstat(fd, asDevice(done));
      let asked = 0;
      calls.files.open = (path, flags, done, mode) => {
        asked = flags;
        openFile(path, flags & ~constants.O_EXCL, done, mode);
      };
      const lock = isLocked ? (_fd: number, done: (result: number) => void): void => done(0) : undefined;
      const size: ImageCalls['size'] = (_status, done) => done(16);
      const file = await simulated(world, ImageFile.open({ ...calls, size }, '/d/a', constants.O_RDWR, lock));
      const exclusive = kind === 'block' && isLocked ? constants.O_EXCL : 0;
      t.equal(asked, constants.O_RDWR | constants.O_NONBLOCK | exclusive, `${kind}, ${isLocked}`);
      t.equal(file.length, kind === 'block' ? 16 * 512 : 8);
      await simulated(world, file.close());
    }
  }
});

t.test('what turns out to be no file once it is open is closed again', async (t) => {
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const steps = run(world, (calls) => {
    const fstat = calls.files.fstat.bind(calls.files);
    calls.files.fstat = (fd, done) =>
      fstat(fd, (result, status) => done(result, status && { ...status, kind: 'other' }));
    return openToRead(calls, '/d/a');
  });
  await t.rejects(steps, {
    number: errno.EINVAL,
    message: /^\/d\/a: cannot open it, which is neither a regular file nor a block device: /,
  });
  t.same(world.files.descriptors(), []);
});

/** An image file with the texts of locators in it, and a header of them. */
function childWith(texts: readonly (readonly [code: 'MacX' | 'W2ku' | 'W2ru' | 'Wi2k', text: string])[]) {
  const bytes = new Uint8Array(512 * texts.length);
  const locators = texts.map(([code, text], index): LocatorEntry => {
    const encoded = code === 'Wi2k' ? Buffer.from(text) : locatorText(code, text);
    bytes.set(encoded, index * 512);
    return { code, dataSpace: 512, dataLength: encoded.length, offset: index * 512 };
  });
  return { bytes, header: Header.create({ parentName: 'p.vhd', locators: [emptyLocator, ...locators] }) };
}

/** Where the parent of `/d/child` is found. */
async function parentOf(
  files: Readonly<Record<string, string>>,
  texts: Parameters<typeof childWith>[0],
  directories?: readonly string[],
): Promise<string> {
  const { bytes, header } = childWith(texts);
  const world = worldOf({ ...files, '/d/child': bytes });
  return await run(world, function* (calls) {
    const child = yield* openToRead(calls, '/d/child');
    const { path } = yield* findParent(calls, child, header, directories ? { directories } : {});
    return path;
  });
}

t.test('the first file that a locator leads to is the parent', async (t) => {
  const both = { '/d/a.vhd': 'a', '/d/b.vhd': 'b', '/x/c.vhd': 'c', '/d/x/y.vhd': 'y' };
  t.equal(
    await parentOf(both, [
      ['MacX', './none.vhd'],
      ['W2ru', './b.vhd'],
      ['W2ku', './a.vhd'],
    ]),
    '/d/b.vhd',
  );
  t.equal(await parentOf(both, [['W2ku', '/x/c.vhd']]), '/x/c.vhd', 'an absolute path as it is');
  t.equal(await parentOf(both, [['W2ku', '/x/y.vhd']]), '/d/x/y.vhd', "or below the child's directory");
  t.equal(await parentOf(both, [['MacX', '../x/c.vhd']]), '/x/c.vhd');
  t.equal(
    await parentOf(both, [
      ['Wi2k', './a.vhd'],
      ['MacX', './b.vhd'],
    ]),
    '/d/b.vhd',
    'old codes are passed over',
  );
});

t.test('where a parent was looked for is said, each place once', async (t) => {
  await t.rejects(
    parentOf({}, [
      ['MacX', './none.vhd'],
      ['W2ku', './none.vhd'],
      ['W2ru', '/x/none.vhd'],
    ]),
    /parent-missing: .*: none of '\/d\/none.vhd', '\/x\/none.vhd', '\/d\/x\/none.vhd' can be read \(the parent's name is 'p.vhd'\)/,
  );
  await t.rejects(parentOf({}, [['Wi2k', './a']]), /parent-missing: .*: no locator has a path/);
});

t.test('a parent must be below an allowed directory, if there are any', async (t) => {
  const files = { '/d/a.vhd': 'a', '/x/c.vhd': 'c', '/xy/c.vhd': 'c' };
  t.equal(await parentOf(files, [['MacX', './a.vhd']], ['/x', '/d']), '/d/a.vhd');
  t.equal(await parentOf(files, [['MacX', './a.vhd']], ['/']), '/d/a.vhd');
  await t.rejects(
    parentOf(files, [['MacX', '../xy/c.vhd']], ['/x', '/d']),
    /parent-refused: .*: '\/xy\/c.vhd' is not below '\/x', '\/d'/,
  );
  await t.rejects(parentOf(files, [['MacX', './a.vhd']], []), /parent-refused/);
});

t.test('of a file that was cut after its opening there is what is left', async (t) => {
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const file = await run(world, (calls) => openToRead(calls, '/d/a'));
  file.length = 20;
  t.equal(Buffer.from(await simulated(world, file.read(6, 10))).toString(), 'gh');
  t.same(await simulated(world, file.read(10, 5)), new Uint8Array(0));
  await simulated(world, file.close());
});

t.test('a file is told from others by its number, and a block device by its own', async (t) => {
  const world = worldOf({ '/d/a': 'abcdefgh' });
  const { status, identity } = await run(world, (calls) => openToRead(calls, '/d/a'));
  t.equal(identity, `${status.fileSystem} ${status.inode}`);
  t.equal(identityOf({ ...status, kind: 'block', device: '8:1' }), 'block 8:1');
});
