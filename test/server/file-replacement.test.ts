// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { errno, type FileCalls, NodeFileCalls, SystemError } from '../../src/posix/index.js';
import { FilePlace } from '../../src/server/file-place.js';
import { FileReplacement, nameBeside, type ReplacementOptions } from '../../src/server/file-replacement.js';
import { ATTACKER_UID, attackerArguments, noAttacker, withUmask } from '../attacker.js';
import { shortDirectory } from '../short-directory.js';

const nodeFiles = new NodeFileCalls({ post: (task) => task() });

interface Replaced extends Partial<ReplacementOptions> {
  /** Happens before the commit. */
  readonly meanwhile?: () => void;
}

/** Replaces what a path has with `after`; what was warned of. */
async function replace(path: string, { meanwhile, ...options }: Replaced = {}): Promise<string[]> {
  const files = options.files ?? nodeFiles;
  const warnings: string[] = [];
  const place = await FilePlace.find(files, path);
  const warn = (message: string): void => void warnings.push(message);
  const replacement = await FileReplacement.begin(place, { files, warn, ...options });
  writeSync(replacement.fd, 'after');
  meanwhile?.();
  await replacement.commit();
  await new Promise((resolve) => files.close(replacement.fd, resolve));
  return warnings;
}

/** The same calls, by which each open file belongs to the next user. */
function ofOtherOwner(t: Test, files: FileCalls): FileCalls {
  t.capture(files, 'fstat', (fd: number, done: Parameters<FileCalls['fstat']>[1]) => {
    nodeFiles.fstat(fd, (result, status) => done(result, status && { ...status, uid: status.uid + 1 }));
  });
  return files;
}

const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

function world(t: Test, name = 'copy') {
  const directory = shortDirectory(t);
  return { directory, path: join(directory, name) };
}

t.test(
  'what is new is its owner’s alone, while it is written and afterwards, unless a mode is given',
  async (t) => {
    withUmask(t, 0);
    const { directory, path } = world(t);
    const meanwhile = (): void => void t.equal(modeOf(join(directory, 'copy.partial')), 0o600);
    await replace(path, { meanwhile });
    t.equal(modeOf(path), 0o600);
    await replace(path, { meanwhile, mode: 0o640 });
    t.equal(modeOf(path), 0o640);
    t.same(readdirSync(directory), ['copy'], 'the previous one is not kept unless it is asked for');
  },
);

t.test('a new file can be made where everybody can make one', async (t) => {
  const { directory, path } = world(t);
  chmodSync(directory, 0o1777);
  await replace(path);
  t.equal(readFileSync(path, 'utf8'), 'after');
});

t.test('a replaced file passes on its owner and mode', { skip: noAttacker }, async (t) => {
  const { path } = world(t);
  writeFileSync(path, 'before');
  chownSync(path, 1000, 1001);
  chmodSync(path, 0o4777);
  t.same(await replace(path), []);
  t.match(statSync(path), { uid: 1000, gid: 1001 });
  t.equal(modeOf(path), 0o777, 'all but set-user-ID');
  t.equal(readFileSync(path, 'utf8'), 'after');
});

t.test('a group of its own is passed on as well', { skip: noAttacker }, async (t) => {
  const { path } = world(t);
  writeFileSync(path, 'before');
  const { uid, gid } = statSync(path);
  chownSync(path, uid, gid + 1);
  t.same(await replace(path), []);
  t.match(statSync(path), { uid, gid: gid + 1 });
});

t.test('failing to keep the owner is reported', async (t) => {
  const { path } = world(t);
  writeFileSync(path, 'before');
  const files = ofOtherOwner(t, failing('fchown', -errno.EPERM));
  const { uid, gid } = statSync(path);
  t.match(await replace(path, { files }), [
    `the owner ${uid}:${gid} cannot be kept, it is ${uid + 1}:${gid} from now on`,
  ]);
});

t.test('attributes that cannot be kept are reported, but a fault of the program is thrown', async (t) => {
  const { path } = world(t);
  writeFileSync(path, 'before');
  const lost = 'its access control list and extended attributes, if it has any, are not kept: ';
  t.same(await replace(path, { copyAttributes: async () => 'no room' }), [`${lost}no room`]);
  t.same(await replace(path, { copyAttributes: async () => undefined }), []);
  const copyAttributes = (): Promise<undefined> =>
    Promise.reject(new SystemError(errno.EACCES, 'unreadable'));
  t.same(await replace(path, { copyAttributes }), [`${lost}unreadable`]);
  t.same(await replace(path, { copyAttributes, mode: 0o600 }), [], 'with a mode of its own nothing is kept');
  const descriptors = readdirSync('/proc/self/fd').length;
  t.same(await replace(path, { copyAttributes }), [`${lost}unreadable`]);
  t.equal(readdirSync('/proc/self/fd').length, descriptors, 'no descriptor is left');
  const faulty = (): Promise<undefined> => Promise.reject(new TypeError('a fault'));
  await t.rejects(replace(path, { copyAttributes: faulty }), { name: 'TypeError' });
  t.equal(readFileSync(path, 'utf8'), 'after');
});

t.test('the previous file is kept as FILE.previous, each time', async (t) => {
  const { directory, path } = world(t);
  await replace(path, { keepsPrevious: true });
  t.same(readdirSync(directory), ['copy'], 'there was none');
  for (const before of ['first', 'second']) {
    writeFileSync(path, before);
    await replace(path, { keepsPrevious: true });
    t.equal(readFileSync(path, 'utf8'), 'after');
    t.equal(readFileSync(`${path}.previous`, 'utf8'), before);
  }
  t.same(readdirSync(directory).toSorted(), ['copy', 'copy.previous']);
});

t.test('what was left of an earlier attempt to keep it does not matter', async (t) => {
  const { directory, path } = world(t);
  writeFileSync(path, 'before');
  writeFileSync(`${path}.partial~`, 'left by a process that was killed');
  linkSync(path, `${path}.previous`);
  await replace(path, { keepsPrevious: true });
  t.equal(readFileSync(path, 'utf8'), 'after');
  t.equal(readFileSync(`${path}.previous`, 'utf8'), 'before');
  t.same(readdirSync(directory).toSorted(), ['copy', 'copy.previous']);
});

t.test('beside a hundred unfinished files there is no further one', async (t) => {
  const { directory, path } = world(t);
  writeFileSync(`${path}.partial`, '');
  for (let count = 1; count < 99; count++) writeFileSync(`${path}.partial.${count}`, '');
  await replace(path, {
    meanwhile: () => t.ok(readdirSync(directory).includes('copy.partial.99'), 'the hundredth'),
  });
  writeFileSync(`${path}.partial.99`, '');
  await t.rejects(replace(path), {
    code: 'EEXIST',
    message: /^copy\.partial and 99 more are there from processes that were killed; remove them$/,
  });
});

t.test('a name of 255 bytes still has room for its companion files', async (t) => {
  for (const name of ['n'.repeat(255), 'ä'.repeat(127), 'n'.repeat(247), 'n'.repeat(240)]) {
    const { directory, path } = world(t, name);
    await replace(path);
    await replace(path, { keepsPrevious: true });
    t.equal(readFileSync(path, 'utf8'), 'after');
    t.equal(readdirSync(directory).length, 2);
  }
  t.not(nameBeside(`${'n'.repeat(254)}a`, '.partial'), nameBeside(`${'n'.repeat(254)}b`, '.partial'));
  t.equal(nameBeside('n'.repeat(246), '.partial'), `${'n'.repeat(246)}.partial`);
  t.match(nameBeside('n'.repeat(247), '.partial'), /^n{237}~[\da-f]{8}\.partial$/, 'one byte is left');
  await t.rejects(FilePlace.find(nodeFiles, world(t, 'n'.repeat(256)).path), { code: 'ENAMETOOLONG' });
});

/** Node's calls, one of which fails. */
function failing(call: keyof FileCalls, result: number): FileCalls {
  const files = new NodeFileCalls({ post: (task) => task() });
  const fails = (...args: unknown[]): void => {
    for (const arg of args) if (typeof arg === 'function') (arg as (result: number) => void)(result);
  };
  return Object.assign(files, { [call]: fails });
}

t.test('a failed call keeps the previous file, and leaves nothing else', async (t) => {
  for (const keepsPrevious of [true, false]) {
    const calls = ['fchmod', 'fsync', 'rename', 'stat'] as const;
    for (const call of keepsPrevious ? ([...calls, 'link'] as const) : calls) {
      const { directory, path } = world(t);
      writeFileSync(path, 'before');
      const files = failing(call, -errno.EIO);
      await t.rejects(replace(path, { files, keepsPrevious }), { code: 'EIO' }, call);
      t.equal(readFileSync(path, 'utf8'), 'before');
      t.same(readdirSync(directory), ['copy'], call);
    }
  }
});

t.test(
  'when the directory cannot be synced the new file is there, and the error reports that it may not last',
  async (t) => {
    const { directory, path } = world(t);
    writeFileSync(path, 'before');
    let syncs = 0;
    class FailingSync extends NodeFileCalls {
      override fsync(fd: number, done: (result: number) => void): void {
        if (++syncs === 2) done(-errno.EIO);
        else super.fsync(fd, done);
      }
    }
    const files = new FailingSync({ post: (task) => task() });
    await t.rejects(replace(path, { files }), {
      code: 'EIO',
      message: /^the new file is there, but may not outlast a loss of power: /,
    });
    t.same([readFileSync(path, 'utf8'), readdirSync(directory)], ['after', ['copy']]);
  },
);

t.test('what is no errno of the file system passes as it was thrown', async (t) => {
  const { path } = world(t);
  const thrown = new TypeError('a fault in the file calls');
  let syncs = 0;
  class ThrowingSync extends NodeFileCalls {
    override fsync(fd: number, done: (result: number) => void): void {
      if (++syncs === 2) throw thrown;
      super.fsync(fd, done);
    }
  }
  const error: unknown = await replace(path, { files: new ThrowingSync({ post: (task) => task() }) }).catch(
    (rejection: unknown) => rejection,
  );
  t.equal(error, thrown);
});

t.test(
  'an owner who cannot be kept for another reason, or a file that cannot be made, is an error',
  async (t) => {
    const { directory, path } = world(t);
    writeFileSync(path, 'before');
    const files = ofOtherOwner(t, failing('fchown', -errno.EIO));
    await t.rejects(replace(path, { files }), { code: 'EIO' });
    t.same([readFileSync(path, 'utf8'), readdirSync(directory)], ['before', ['copy']]);
    const place = await FilePlace.find(nodeFiles, path);
    const full = failing('open', -errno.ENOSPC);
    await t.rejects(FileReplacement.begin(place, { files: full, warn: () => {} }), { code: 'ENOSPC' });
    await place.close();
  },
);

t.test('what is given up is removed, or the reason why not is reported', async (t) => {
  const abandoned = async (files: FileCalls): Promise<string[]> => {
    const { directory, path } = world(t);
    const place = await FilePlace.find(files, path);
    const replacement = await FileReplacement.begin(place, { files, warn: () => {} });
    try {
      await replacement.abandon();
    } finally {
      closeSync(replacement.fd);
    }
    return readdirSync(directory);
  };
  t.same(await abandoned(nodeFiles), []);
  t.same(await abandoned(failing('unlink', -errno.ENOENT)), ['copy.partial'], 'somebody else has removed it');
  await t.rejects(abandoned(failing('unlink', -errno.EIO)), { code: 'EIO' });
});

/** The calls, and what was called: with its flags if it is open, and with the one before if that had not completed. */
function recorded(files: FileCalls) {
  const calls: string[] = [];
  let pending: string | undefined;
  const note = (what: string): void =>
    void calls.push(pending === undefined ? what : `${what} before ${pending} has completed`);
  const proxy = new Proxy(files, {
    get: (target, name: keyof FileCalls) => {
      const call = target[name].bind(target) as (...args: unknown[]) => void;
      return (...args: unknown[]) => {
        note(name === 'open' ? `open ${Number(args[1])}` : name);
        pending = name;
        const completed = (done: (...results: unknown[]) => void, results: unknown[]): void => {
          pending = undefined;
          done(...results);
        };
        call(
          ...args.map((arg) =>
            typeof arg === 'function'
              ? (...results: unknown[]) => completed(arg as (...results: unknown[]) => void, results)
              : arg,
          ),
        );
      };
    },
  });
  return { files: proxy, calls, note };
}

t.test('each step waits for the one before, and a failed one for what takes it back', async (t) => {
  const { O_RDONLY, O_DIRECTORY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
  const open = (...flags: number[]): string => `open ${flags.reduce((all, flag) => all | flag)}`;
  const found = ['lstat', open(O_RDONLY, O_DIRECTORY), 'lstat', 'fstat'];
  const begun = [...found, open(O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW), 'fstat'];
  const dressed = [...begun, 'fchown', 'fchmod', open(O_RDONLY, O_NOFOLLOW, O_NONBLOCK), 'close'];
  const checked = ['fsync', 'fstat', 'stat', 'lstat'];
  const renamed = ['rename', 'fsync', 'close', 'close'];
  const { path } = world(t);
  const options = { copyAttributes: async () => undefined, keepsPrevious: true };

  const asNew = recorded(nodeFiles);
  await replace(path, { ...options, files: asNew.files });
  t.same(asNew.calls, [...begun, 'fchmod', ...checked.slice(0, -1), 'lstat', ...renamed]);

  const ofSameOwner = recorded(nodeFiles);
  await replace(path, { files: ofSameOwner.files });
  t.same(ofSameOwner.calls, [...begun, 'fchmod', ...checked, ...renamed]);

  const ofOther = recorded(ofOtherOwner(t, new NodeFileCalls({ post: (task) => task() })));
  await replace(path, { ...options, files: ofOther.files });
  const kept = ['unlink', 'link', 'rename', 'unlink'];
  t.same(ofOther.calls, [...dressed, ...checked, ...kept, ...renamed]);

  const failed = recorded(ofOtherOwner(t, failing('rename', -errno.EIO)));
  await t.rejects(replace(path, { ...options, files: failed.files }), { code: 'EIO' });
  failed.note('rejected');
  t.same(failed.calls, [...dressed, ...checked, ...kept, 'unlink', 'close', 'rejected']);
});

t.test('a directory or file that was replaced meanwhile is not touched', async (t) => {
  const { directory, path } = world(t, 'in/copy');
  mkdirSync(join(directory, 'in'));
  const moved = (): void => {
    renameSync(join(directory, 'in'), join(directory, 'out'));
    mkdirSync(join(directory, 'in'));
  };
  await t.rejects(replace(path, { meanwhile: moved }), { code: 'EBUSY', message: /directory was replaced/ });
  t.same(readdirSync(join(directory, 'in')), []);
  t.same(readdirSync(join(directory, 'out')), []);
  writeFileSync(join(directory, 'victim'), 'precious');
  const linked = (): void => symlinkSync(join(directory, 'victim'), path);
  await t.rejects(replace(path, { meanwhile: linked }), {
    code: 'EBUSY',
    message: /replaced by another file/,
  });
  t.equal(readFileSync(join(directory, 'victim'), 'utf8'), 'precious');
});

t.test('a link is followed only where no other user could have made it', { skip: noAttacker }, async (t) => {
  const { directory, path } = world(t, 'open/copy');
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'precious');
  mkdirSync(join(directory, 'open'));
  chmodSync(join(directory, 'open'), 0o777);
  symlinkSync(victim, path);
  await t.rejects(FilePlace.find(nodeFiles, path), {
    code: 'EPERM',
    message: /it is a link, and others can write/,
  });
  chmodSync(join(directory, 'open'), 0o755);
  lchownSync(path, ATTACKER_UID, 0);
  await t.rejects(FilePlace.find(nodeFiles, path), {
    code: 'EPERM',
    message: /link .*belongs to another user/,
  });
  symlinkSync(directory, join(directory, 'way'));
  lchownSync(join(directory, 'way'), ATTACKER_UID, 0);
  await t.rejects(FilePlace.find(nodeFiles, join(directory, 'way', 'x')), { code: 'EPERM' });
  lchownSync(path, 0, 0);
  await replace(path);
  t.equal(readFileSync(victim, 'utf8'), 'after');
  t.ok(lstatSync(path).isSymbolicLink());
  symlinkSync('nowhere', join(directory, 'dangling'));
  await t.rejects(FilePlace.find(nodeFiles, join(directory, 'dangling')), { code: 'ENOENT' });
});

t.test(
  'a file that another user has left for us in a directory of everybody’s is no place',
  { skip: noAttacker },
  async (t) => {
    const { directory, path } = world(t);
    chmodSync(directory, 0o1777);
    writeFileSync(path, '');
    chownSync(path, ATTACKER_UID, 0);
    await t.rejects(FilePlace.find(nodeFiles, path), {
      code: 'EACCES',
      message: /belongs to another user \(uid 4242\)/,
    });
  },
);

/** Has a path be a file and a link to a victim by turns, as fast as it can. */
const swapper = `
  const fs = require('node:fs');
  const [path, victim] = process.argv.slice(1);
  process.stdout.write('swapping\\n');
  for (;;) {
    try {
      fs.writeFileSync(path + '.mine', '');
      fs.renameSync(path + '.mine', path);
      fs.symlinkSync(victim, path + '.link');
      fs.renameSync(path + '.link', path);
    } catch {}
  }
`;

t.test(
  'another user who swaps file and link all the time does not get a file of ours replaced',
  { skip: noAttacker },
  async (t) => {
    const { directory, path } = world(t, 'open/copy');
    const victim = join(directory, 'victim');
    writeFileSync(victim, 'precious');
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'open'));
    chmodSync(join(directory, 'open'), 0o777);
    const child = spawn('setpriv', [...attackerArguments, process.execPath, '-e', swapper, path, victim], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    await once(child.stdout, 'data');
    const outcomes = new Set<string>();
    for (let round = 0; round < 100; round++) {
      try {
        await replace(path);
        outcomes.add('replaced');
      } catch (error) {
        outcomes.add((error as NodeJS.ErrnoException).code ?? String(error));
      }
      if (readFileSync(victim, 'utf8') !== 'precious') t.fail(`round ${round}`);
    }
    t.comment([...outcomes].join(', '));
    t.equal(readFileSync(victim, 'utf8'), 'precious');
    for (const outcome of outcomes)
      t.ok(['replaced', 'EPERM', 'EACCES', 'EBUSY', 'ENOENT'].includes(outcome), outcome);
  },
);
