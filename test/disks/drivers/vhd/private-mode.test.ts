// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants, existsSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { errno, type FileCalls, NodeFileCalls } from '../../../../src/posix/index.js';
import type { ImageCalls } from '../../../../src/disks/drivers/vhd/image-file.js';
import { runSteps } from '../../../../src/disks/drivers/vhd/steps.js';
import { createImage } from '../../../../src/disks/drivers/vhd/tools/create.js';
import { withUmask } from '../../../attacker.js';

function create(path: string, files: FileCalls = newFiles()): Promise<unknown> {
  const calls: ImageCalls = { files, size: ({ size }, done) => done(Math.floor(size / 512)) };
  const options = { path, size: 1 << 20, uuid: new Uint8Array(16), unixSeconds: 1_000_000_000 };
  return new Promise((resolve) => runSteps(createImage(calls, options), resolve));
}

function newFiles(): FileCalls {
  return new NodeFileCalls({ post: (task) => task() });
}

t.test('a new image is accessible only to its owner, and is not created through a link', async (t) => {
  withUmask(t, 0);
  const directory = t.testdir();
  t.match(await create(join(directory, 'disk.vhd')), { value: undefined });
  t.equal(statSync(join(directory, 'disk.vhd')).mode & 0o777, 0o600);
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'link.vhd'));
  t.match(await create(join(directory, 'link.vhd')), { error: Error });
  t.notOk(existsSync(join(directory, 'elsewhere')));
});

t.test('a new image is accessible to its owner, whatever the umask', async (t) => {
  const path = join(t.testdir(), 'disk.vhd');
  withUmask(t, 0o777);
  t.match(await create(path), { value: undefined });
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('nothing is left of a new image that cannot be opened again', async (t) => {
  const directory = t.testdir();
  const files = newFiles();
  const open = files.open.bind(files);
  files.open = (path, flags, done, mode) =>
    flags & constants.O_CREAT ? open(path, flags, done, mode) : done(-errno.EMFILE);
  t.match(await create(join(directory, 'disk.vhd'), files), { error: { message: /disk.vhd: cannot open/ } });
  t.strictSame(readdirSync(directory), []);
});
