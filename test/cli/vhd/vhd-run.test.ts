// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { imageDirectory } from '../../disks/drivers/vhd/fixture.js';
import { sampleNamed, unpack } from '../../disks/drivers/vhd/samples.js';
import { captured, type Outcome } from '../captured-io.js';

const directory = imageDirectory(t);
const vhd = (...argv: string[]): Promise<Outcome> => captured(dispatch, ['vhd', ...argv]);

t.test('a command leaves signals as they were', async (t) => {
  const listeners = () => ['SIGINT', 'SIGTERM'].map((signal) => process.listenerCount(signal));
  const before = listeners();
  await vhd('info', path.join(directory, 'none.vhd'));
  t.same(listeners(), before);
});

t.test('a file that cannot be opened is an error, in JSON too', async (t) => {
  const file = path.join(directory, 'none.vhd');
  const message = `${file}: cannot open: No such file or directory`;
  t.same(await vhd('info', file), { exitCode: 1, stdout: '', stderr: `tapdisk-ts vhd info: ${message}\n` });
  const { exitCode, stdout, stderr } = await vhd('info', file, '--json');
  t.same([exitCode, stderr], [1, '']);
  t.same(JSON.parse(stdout), { error: { kind: 'file', file, errno: 'ENOENT', message } });
});

t.test('an image error has its parts in JSON, and the status of its kind', async (t) => {
  const own = path.join(directory, 'bad');
  mkdirSync(own);
  const file = unpack(sampleNamed('footer-both-bad'), own);
  const { exitCode, stdout } = await vhd('repair', file, '--json');
  t.equal(exitCode, 10);
  const { error } = JSON.parse(stdout) as { error: Record<string, string> };
  t.match(error, { kind: 'bad-footer', file, message: new RegExp(`^${file}: `) });
  t.same(Object.keys(error), ['kind', 'file', 'field', 'problem', 'remedy', 'message']);
});

t.test('a warning of an image goes to standard error', async (t) => {
  const file = unpack(sampleNamed('footer-missing'), directory);
  const { exitCode, stderr } = await vhd('convert', file, path.join(directory, 'copy.vhd'));
  t.equal(exitCode, 0);
  t.match(stderr, `tapdisk-ts vhd convert: vhd: ${file}: it was not closed properly`);
});
