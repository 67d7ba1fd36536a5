// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { controlDirectory } from '../../src/cli/control-values.js';
import {
  controlSocketPath,
  defaultControlDirectory,
  listedPids,
  prepareControlDirectory,
} from '../../src/control/control-directory.js';

t.test('root’s control directory is that of the C programs', async (t) => {
  t.equal(defaultControlDirectory(0, '/run/user/0'), '/var/run/blktap-control');
});

t.test('other users’ control directory is in their runtime directory, or must be given', async (t) => {
  t.equal(defaultControlDirectory(1000, '/run/user/1000'), '/run/user/1000/blktap-control');
  t.equal(defaultControlDirectory(1000, ''), undefined);
  t.equal(defaultControlDirectory(1000, 'run/user/1000'), undefined, 'a relative one is no directory');
});

t.test('without a default directory one must be given', async (t) => {
  t.equal(
    controlDirectory('/here', () => undefined),
    '/here',
  );
  t.equal(
    controlDirectory(undefined, () => '/there'),
    '/there',
  );
  t.throws(() => controlDirectory(undefined, () => undefined), /missing --control-directory/);
});

/** The path of a directory that is not there yet, short enough for sockets. */
function newPath(t: Test): string {
  const parent = mkdtempSync(join(tmpdir(), 'ctl-'));
  t.teardown(() => rmSync(parent, { recursive: true }));
  return join(parent, 'control');
}

t.test('the pids of sockets are listed in ascending order, and other names are passed over', async (t) => {
  const directory = newPath(t);
  t.same(listedPids(directory), [], 'there is no directory');
  prepareControlDirectory(directory, 5);
  t.same(listedPids(directory), []);
  t.equal(statSync(directory).mode & 0o777, 0o755);
  prepareControlDirectory(directory, 5);
  const others = ['ctl', 'ctl0', 'ctl07', 'ctl5x', 'xctl5', 'ctl-5', 'ctl99999999999999999999'];
  for (const name of [...others, 'ctl10', 'ctl9', 'ctl100']) writeFileSync(join(directory, name), '');
  t.same(listedPids(directory), [9, 10, 100]);
  t.equal(controlSocketPath(directory, 9), join(directory, 'ctl9'));
});

t.test('a directory in which others could replace a socket is neither used nor listed', async (t) => {
  const directory = newPath(t);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  t.throws(() => listedPids(directory), { code: 'EPERM' });
  t.throws(() => prepareControlDirectory(directory, 5), { code: 'EPERM' });
  writeFileSync(join(directory, 'file'), '');
  chmodSync(directory, 0o755);
  t.throws(() => listedPids(join(directory, 'file')), { code: 'ENOTDIR' });
});
