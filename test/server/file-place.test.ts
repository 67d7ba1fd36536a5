// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type FileCalls, NodeFileCalls } from '../../src/posix/index.js';
import { FilePlace } from '../../src/server/file-place.js';
import { ATTACKER_UID, noAttacker } from '../attacker.js';
import { shortDirectory } from '../short-directory.js';

const newFiles = (): FileCalls => new NodeFileCalls({ post: (task) => task() });

t.test('a place is checked against what its path leads to by now', async (t) => {
  const directory = join(shortDirectory(t), 'in');
  mkdirSync(directory);
  const place = await FilePlace.find(newFiles(), join(directory, 'file'));
  await place.check();
  writeFileSync(join(directory, 'file'), 'of the same user');
  await place.check();
  renameSync(directory, `${directory}.old`);
  await t.rejects(place.check(), { code: 'ENOENT', message: 'no such file or directory' });
  mkdirSync(directory);
  await t.rejects(place.check(), { code: 'EBUSY', message: 'its directory was replaced meanwhile' });
  await place.close();
});

t.test('a link to a name that is not UTF-8 is refused, as another file would be found', async (t) => {
  const directory = shortDirectory(t);
  const target = Buffer.from(`${directory}/copy\u00e9`, 'latin1');
  writeFileSync(target, 'the copy');
  symlinkSync(target, join(directory, 'link'));
  await t.rejects(FilePlace.find(newFiles(), join(directory, 'link')), {
    code: 'EILSEQ',
    message: 'it is a link to a path that is not UTF-8',
  });
});

t.test('a directory of another file system is another one, whatever its number', async (t) => {
  const files = newFiles();
  const place = await FilePlace.find(files, join(shortDirectory(t), 'file'));
  const stat = files.stat.bind(files);
  files.stat = (path, done) =>
    stat(path, (result, status) =>
      done(result, status && { ...status, fileSystem: status.fileSystem === 1 ? 2 : 1 }),
    );
  await t.rejects(place.check(), { code: 'EBUSY', message: 'its directory was replaced meanwhile' });
  await place.close();
});

t.test('a file of another user is not the one that was found', { skip: noAttacker }, async (t) => {
  const path = join(shortDirectory(t), 'file');
  for (const before of [true, false]) {
    if (before) writeFileSync(path, 'before');
    const place = await FilePlace.find(newFiles(), path);
    writeFileSync(`${path}.other`, '');
    chownSync(`${path}.other`, ATTACKER_UID, 0);
    renameSync(`${path}.other`, path);
    await t.rejects(place.check(), {
      code: 'EBUSY',
      message: 'it was replaced by another file meanwhile',
    });
    await place.close();
    renameSync(path, `${path}.away`);
  }
});

t.test(
  "another user's file is taken where its owner alone can write, or has the directory",
  { skip: noAttacker },
  async (t) => {
    const directory = shortDirectory(t);
    const path = join(directory, 'file');
    writeFileSync(path, '');
    chownSync(path, ATTACKER_UID, 0);
    const found = async (): Promise<number | undefined> => {
      const place = await FilePlace.find(newFiles(), path);
      await place.close();
      return place.existing?.uid;
    };
    const descriptors = readdirSync('/proc/self/fd').length;
    for (const mode of [0o700, 0o755]) {
      chmodSync(directory, mode);
      t.equal(await found(), ATTACKER_UID);
    }
    chmodSync(directory, 0o1777);
    await t.rejects(found(), { code: 'EACCES' });
    chownSync(directory, ATTACKER_UID, 0);
    t.equal(await found(), ATTACKER_UID);
    chownSync(directory, 0, 0);
    t.equal(readdirSync('/proc/self/fd').length, descriptors, 'no descriptor is left');
  },
);
