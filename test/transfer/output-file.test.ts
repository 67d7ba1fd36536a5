// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileLocker } from '../../src/disks/drivers/image-lock.js';
import type { StatusDone } from '../../src/posix/files.js';
import { errno, NodeFileCalls } from '../../src/posix/index.js';
import { copyAttributes } from '../../src/posix/node/copy-attributes.js';
import { MAX_PARTIAL_FILES } from '../../src/server/file-replacement.js';
import { outputToFile } from '../../src/transfer/output-file.js';
import { openFiles } from '../open-files.js';
import { type ProgramResult, run } from '../programs.js';
import { servedSocket } from '../short-directory.js';
import { smallFileSystem } from '../small-file-system.js';
import type { Copy, Output } from '../../src/transfer/output.js';

/** Writes and waits until the stream has handed it on. */
function write(copy: Copy, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    copy.stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Takes as long as so many calls of the file system, one after the other. */
async function fileCalls(count: number): Promise<void> {
  for (let call = 0; call < count; call++) await stat('/');
}

function outputIn(t: Test, name = 'copy') {
  const directory = t.testdir();
  return { directory, path: join(directory, name) };
}

/** Locks a file as a disk does; unlocks it. */
async function locked(t: Test, path: string, shared = false): Promise<() => void> {
  const fd = openSync(path, 'r+');
  const result = await new Promise<number>((resolve) => {
    fileLocker({ post: (task) => task() })(fd, shared, resolve);
  });
  t.equal(result, 0);
  return () => closeSync(fd);
}

t.test('a copy gets its name only when it is complete', async (t) => {
  const { directory, path } = outputIn(t);
  const output = await outputToFile(path);
  t.equal(output.name, path);
  const copy = await output.begin();
  await write(copy, 'half');
  t.notOk(existsSync(path));
  t.same(readdirSync(directory), ['copy.partial']);
  await write(copy, ' and half');
  await copy.commit();
  t.equal(readFileSync(path, 'utf8'), 'half and half');
  t.same(readdirSync(directory), ['copy']);
});

t.test(
  'extended attributes of the copy before are kept, or a warning says that they may not be',
  async (t) => {
    const { path } = outputIn(t);
    writeFileSync(path, 'before');
    const python = (code: string): Promise<ProgramResult> => run('python3', ['-c', `import os; ${code}`]);
    const set = await python(`os.setxattr(${JSON.stringify(path)}, 'user.note', b'kept')`);
    if (set.status !== 0) return void t.pass('left out: no attribute can be set', { skip: true });
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const replace = async (output: Output, text: string): Promise<void> => {
      const copy = await output.begin();
      await write(copy, text);
      await copy.commit();
      t.equal(readFileSync(path, 'utf8'), text);
    };
    const names = async (): Promise<string> =>
      (await python(`print(*os.listxattr(${JSON.stringify(path)}))`)).stdout;
    await replace(await outputToFile(path, { warn }), 'after');
    t.match(await names(), 'user.note');
    t.same(warnings, []);
    const withoutProgram = await outputToFile(path, {
      warn,
      // The process's own PATH is that of the tests beside this one too.
      copyAttributes: (from, to) => copyAttributes(from, to, { PATH: '/nowhere' }),
    });
    await replace(withoutProgram, 'once more');
    t.notMatch(await names(), 'user.note');
    t.match(warnings, [
      /access control list and extended attributes, if it has any, are not kept: cp does not start/,
    ]);
  },
);

t.test('an abandoned copy leaves the previous one', async (t) => {
  const { directory, path } = outputIn(t);
  writeFileSync(path, 'before');
  const copy = await (await outputToFile(path)).begin();
  await write(copy, 'after');
  await copy.abandon();
  t.equal(readFileSync(path, 'utf8'), 'before');
  t.same(readdirSync(directory), ['copy']);
});

t.test('a copy can be abandoned while bytes are in flight', async (t) => {
  const { directory, path } = outputIn(t);
  const copy = await (await outputToFile(path)).begin();
  copy.stream.write(Buffer.alloc(1_000_000));
  await copy.abandon();
  t.same(readdirSync(directory), []);
});

t.test('the previous file keeps its permissions, and a link stays a link', async (t) => {
  const { directory, path } = outputIn(t, 'link');
  mkdirSync(join(directory, 'far'));
  const target = join(directory, 'far', 'file');
  writeFileSync(target, 'before');
  chmodSync(target, 0o600);
  symlinkSync(target, path);
  const copy = await (await outputToFile(path)).begin();
  await write(copy, 'after');
  await copy.commit();
  t.ok(lstatSync(path).isSymbolicLink());
  t.same(
    readdirSync(join(directory, 'far')),
    ['file'],
    'the copy before is not kept unless that is asked for',
  );
  t.equal(readFileSync(target, 'utf8'), 'after');
  t.equal(statSync(target).mode & 0o777, 0o600);
});

t.test('simultaneous copies never share a file, nor one left by a killed backup', async (t) => {
  const { directory, path } = outputIn(t);
  writeFileSync(`${path}.partial`, 'left');
  const output = await outputToFile(path);
  const first = await output.begin();
  const second = await output.begin();
  await write(first, 'first');
  await write(second, 'second');
  t.same(readdirSync(directory), ['copy.partial', 'copy.partial.1', 'copy.partial.2']);
  await second.commit();
  t.equal(readFileSync(path, 'utf8'), 'second');
  await first.commit();
  t.equal(readFileSync(path, 'utf8'), 'first');
  t.equal(readFileSync(`${path}.partial`, 'utf8'), 'left');
});

t.test('files left by killed backups are bounded', async (t) => {
  const { path } = outputIn(t);
  writeFileSync(`${path}.partial`, '');
  for (let count = 1; count < MAX_PARTIAL_FILES; count++) writeFileSync(`${path}.partial.${count}`, '');
  const output = await outputToFile(path);
  await t.rejects(output.begin(), { code: 'EEXIST', message: /remove them$/ });
});

t.test('a copy whose stream has been destroyed can be abandoned', async (t) => {
  const { directory, path } = outputIn(t);
  const copy = await (await outputToFile(path)).begin();
  copy.stream.destroy();
  await once(copy.stream, 'close');
  await copy.abandon();
  t.same(readdirSync(directory), []);
});

t.test('a copy replaces a file through calls that are not the kernel’s, too', async (t) => {
  const { path } = outputIn(t);
  writeFileSync(path, 'before');
  const files = new NodeFileCalls({ post: (task) => task() });
  const unlock = await locked(t, path);
  const copy = await (await outputToFile(path, { files })).begin();
  await write(copy, 'after');
  await copy.commit();
  unlock();
  t.equal(readFileSync(path, 'utf8'), 'after', 'locks are the kernel’s, and nobody is asked for them');
});

t.test('a copy is not synced before its stream has finished', async (t) => {
  let syncs = 0;
  class Syncs extends NodeFileCalls {
    override fsync(fd: number, done: (result: number) => void): void {
      syncs += 1;
      super.fsync(fd, done);
    }
  }
  const files = new Syncs({ post: (task) => task() });
  for (const path of [outputIn(t).path, '/dev/null']) {
    const copy = await (await outputToFile(path, { files })).begin();
    let finish!: () => void;
    const finishing = new Promise<void>((resolve) => {
      copy.stream._final = (done) => {
        finish = done;
        resolve();
      };
    });
    const committed = copy.commit();
    await finishing;
    await fileCalls(20);
    t.equal(syncs, 0, path);
    finish();
    await committed;
    t.ok(syncs > 0, path);
    syncs = 0;
  }
});

t.test('what is abandoned is gone, and is closed, once that is reported', async (t) => {
  const { directory, path } = outputIn(t);
  class SlowUnlink extends NodeFileCalls {
    override unlink(file: string, done: (result: number) => void): void {
      void fileCalls(20).then(() => super.unlink(file, done));
    }
  }
  const files = new SlowUnlink({ post: (task) => task() });
  for (const how of ['commit', 'abandon'] as const) {
    const copy = await (await outputToFile(path, { files })).begin();
    // Nobody else listens for it.
    copy.stream.destroy(Object.assign(new Error('bad sector'), { code: 'EIO', errno: -5 }));
    if (how === 'abandon') await copy.abandon();
    else await t.rejects(copy.commit(), { code: 'EIO', message: `cannot write ${path}: input/output error` });
    t.same([readdirSync(directory), copy.stream.closed], [[], true], how);
  }
});

t.test('a file that only others can read is replaced all the same', async (t) => {
  const { path } = outputIn(t);
  writeFileSync(path, 'before');
  const { value: open } = Object.getOwnPropertyDescriptor(NodeFileCalls.prototype, 'open') as {
    value: NodeFileCalls['open'];
  };
  t.intercept(NodeFileCalls.prototype, 'open', {
    value(this: NodeFileCalls, ...call: Parameters<NodeFileCalls['open']>): void {
      if (call[0].endsWith('/copy')) call[2](-errno.EACCES);
      else open.apply(this, call);
    },
  });
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const copy = await (await outputToFile(path, { warn })).begin();
  await write(copy, 'after');
  await copy.commit();
  t.equal(readFileSync(path, 'utf8'), 'after');
  t.same(warnings, [
    `${path}: its access control list and extended attributes, if it has any, are not kept: permission denied`,
  ]);
});

t.test('what is on a file system that is read-only is refused, unless it is a device', async (t) => {
  const { directory, path } = outputIn(t);
  const remove = smallFileSystem(directory, '64k');
  if (typeof remove === 'string') return void t.pass(`left out: ${remove}`, { skip: true });
  try {
    const device = join(directory, 'device');
    // In a name space of its own even root may make none.
    const hasDevice = spawnSync('mknod', [device, 'c', '1', '3']).status === 0;
    execFileSync('mount', ['-o', 'remount,ro', directory]);
    await t.rejects(outputToFile(path), {
      code: 'EROFS',
      message: `cannot write ${path}: read-only file system`,
    });
    if (hasDevice) t.match(await outputToFile(device), { name: device, appends: false });
  } finally {
    remove();
  }
});

t.test('a file that becomes a FIFO while it is looked at is not waited for', async (t) => {
  const { directory, path } = outputIn(t);
  writeFileSync(path, 'before');
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const { value: open } = Object.getOwnPropertyDescriptor(NodeFileCalls.prototype, 'open') as {
    value: NodeFileCalls['open'];
  };
  t.intercept(NodeFileCalls.prototype, 'open', {
    value(this: NodeFileCalls, ...call: Parameters<NodeFileCalls['open']>): void {
      if (call[0].endsWith('/copy')) renameSync(fifo, path);
      open.apply(this, call);
    },
  });
  const output = await outputToFile(path);
  await t.rejects(output.begin(), { code: 'EINVAL', message: /it is a FIFO/ });
});

t.test('a full device fails the copy, at the write or at the commit', async (t) => {
  const output = await outputToFile('/dev/full');
  const copy = await output.begin();
  copy.stream.on('error', () => {});
  copy.stream.write('bytes');
  await t.rejects(copy.commit(), {
    code: 'ENOSPC',
    message: 'cannot write /dev/full: no space left on device',
  });
});

t.test('a device is written in place', async (t) => {
  const output = await outputToFile('/dev/null');
  const copy = await output.begin();
  await write(copy, 'bytes');
  await copy.commit();
  const abandoned = await output.begin();
  await abandoned.abandon();
  t.ok(statSync('/dev/null').isCharacterDevice());
});

t.test('a commit that fails leaves nothing', async (t) => {
  const { directory, path } = outputIn(t);
  mkdirSync(join(directory, 'in'));
  const copy = await (await outputToFile(join(directory, 'in', 'copy'))).begin();
  await write(copy, 'bytes');
  renameSync(join(directory, 'in'), join(directory, 'out'));
  await t.rejects(copy.commit(), { code: 'ENOENT' });
  t.notOk(existsSync(path));
});

t.test('a device is synced before its copy counts, and a failed sync fails the copy', async (t) => {
  const results = [0, -errno.EINVAL, -errno.ENOTSUP, -errno.EROFS, -errno.EIO];
  const calls: string[] = [];
  class Syncs extends NodeFileCalls {
    override fsync(_fd: number, done: (result: number) => void): void {
      setImmediate(() => {
        calls.push('synced');
        done(results.shift() ?? 0);
      });
    }
  }
  const files = new Syncs({ post: (task) => task() });
  const begin = async (): Promise<Copy> => (await outputToFile('/dev/null', { files })).begin();
  for (const count of [1, 2, 3, 4]) {
    const copy = await begin();
    await write(copy, 'image');
    await copy.commit();
    // What cannot be synced needs no sync: /dev/null says EINVAL.
    t.equal(calls.length, count);
  }
  const copy = await begin();
  await write(copy, 'image');
  await t.rejects(copy.commit(), { code: 'EIO' });
});

t.test('a disk in use is not replaced, at the start, at a transfer or at its end', async (t) => {
  const { path } = outputIn(t);
  writeFileSync(path, 'the disk');
  const busy = { code: 'EBUSY', message: /it is a disk in use: open for writing elsewhere$/ };
  const output = await outputToFile(path);
  let unlock = await locked(t, path);
  await t.rejects(outputToFile(path), busy);
  await t.rejects(output.begin(), busy);
  unlock();
  const copy = await output.begin();
  await write(copy, 'the copy');
  unlock = await locked(t, path);
  await t.rejects(copy.commit(), busy);
  t.same([readFileSync(path, 'utf8'), existsSync(`${path}.partial`)], ['the disk', false]);
  unlock();
  // Whoever only reads loses nothing.
  unlock = await locked(t, path, true);
  t.teardown(unlock);
  const last = await output.begin();
  await write(last, 'the copy');
  await last.commit();
  t.equal(readFileSync(path, 'utf8'), 'the copy');
});

t.test(
  'a device is opened without following a link, and a block device as by the only one that has it',
  async (t) => {
    const flags: number[] = [];
    class Devices extends NodeFileCalls {
      kind: 'character' | 'block' = 'character';

      override lstat(file: string, done: StatusDone): void {
        super.lstat(file, (result, status) =>
          done(result, status?.kind === 'character' ? { ...status, kind: this.kind } : status),
        );
      }
      override open(file: string, mode: number, done: (fd: number) => void): void {
        flags.push(mode);
        super.open(file, mode, done);
      }
    }
    const files = new Devices({ post: (task) => task() });
    const output = await outputToFile('/dev/null', { files });
    await (await output.begin()).abandon();
    t.equal(flags.at(-1), constants.O_WRONLY | constants.O_NOFOLLOW);
    files.kind = 'block';
    // In truth it is another kind of device, which is noticed, but only once it is open.
    await t.rejects(output.begin(), { code: 'EBUSY' });
    t.equal(flags.at(-1), constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_EXCL);
  },
);

t.test('an unwritable target is refused before anything is received', async (t) => {
  const { directory, path } = outputIn(t, 'fifo');
  execFileSync('mkfifo', [path]);
  await t.rejects(outputToFile(directory), { code: 'EISDIR', message: /is a directory; name a file in it$/ });
  await t.rejects(outputToFile(path), {
    code: 'EINVAL',
    message: /is a FIFO; give it as standard output instead$/,
  });
  await t.rejects(outputToFile(await servedSocket(t)), { code: 'EINVAL', message: /it is a socket; give/ });
  await t.rejects(outputToFile(join(directory, 'no', 'copy')), { code: 'ENOENT' });
});

t.test('a path that ends like a directory is no file', async (t) => {
  const directory = t.testdir({ 'a file': 'before', below: {} });
  for (const name of ['new/', 'a file/', 'below/', 'below/.', 'below/..', '.']) {
    await t.rejects(
      outputToFile(`${directory}/${name}`),
      { message: /^cannot write .*: it names a directory; name a file in it$/ },
      name,
    );
  }
  t.same(readdirSync(directory).toSorted(), ['a file', 'below']);
});

t.test('a directory that disappears fails the next copy', async (t) => {
  const { directory } = outputIn(t);
  mkdirSync(join(directory, 'in'));
  const output = await outputToFile(join(directory, 'in', 'copy'));
  renameSync(join(directory, 'in'), join(directory, 'out'));
  await t.rejects(output.begin(), { code: 'ENOENT', message: /in\/copy: no such file or directory$/ });
});

t.test('a device that was replaced between two looks at it is not written', async (t) => {
  class Replaced extends NodeFileCalls {
    override fstat(fd: number, done: StatusDone): void {
      super.fstat(fd, (result, status) => {
        if (status?.kind !== 'character') return done(result, status);
        return done(result, { ...status, inode: status.inode + 1 });
      });
    }
  }
  // No other test writes this device.
  const output = await outputToFile('/dev/random', { files: new Replaced({ post: (task) => task() }) });
  await t.rejects(output.begin(), {
    code: 'EBUSY',
    message: 'cannot write /dev/random: it was replaced by another file meanwhile',
  });
  t.same(openFiles('/dev/random'), [], 'it is closed');
});

t.test('a device that is not there any more, or may not be written, is an error of the copy', async (t) => {
  const { path } = outputIn(t);
  symlinkSync('/dev/null', path);
  const output = await outputToFile(path);
  rmSync(path);
  mkdirSync(path);
  await t.rejects(output.begin(), { code: 'EISDIR', message: /copy: it is a directory; name a file in it$/ });
});

t.test('no descriptor stays open, whatever becomes of a copy', async (t) => {
  const { directory, path } = outputIn(t);
  const open = (): string[] => openFiles(directory);
  const output = await outputToFile(path);
  const device = await outputToFile('/dev/null');
  t.same(open(), []);
  await t.rejects(outputToFile(directory), { code: 'EISDIR' });
  const full = await (await outputToFile('/dev/full')).begin();
  full.stream.on('error', () => {});
  full.stream.write('x');
  await t.rejects(full.commit(), { code: 'ENOSPC' });
  t.same(open(), []);
  const holdsDevices = (): number => openFiles('/dev').filter((held) => held === '/dev').length;
  const before = holdsDevices();
  for (const each of [output, device]) {
    const kept = await each.begin();
    await write(kept, 'image');
    await kept.commit();
    const dropped = await each.begin();
    await dropped.abandon();
    t.same([kept.stream.closed, dropped.stream.closed], [true, true]);
    t.same(open(), [], each.name);
  }
  t.equal(holdsDevices(), before);
  rmSync(path);
  mkdirSync(path);
  await t.rejects(output.begin(), { code: 'EISDIR' });
  t.same(open(), []);
});
