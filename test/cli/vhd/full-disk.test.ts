// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { dispatch } from '../../../src/cli/dispatch.js';
import { shortDirectory } from '../../short-directory.js';
import { smallFileSystem } from '../../small-file-system.js';
import { skipped } from '../../programs.js';
import { captured } from '../captured-io.js';

t.test('a conversion that fills the file system is reported in one line, and leaves no file', async (t) => {
  const [source, full] = [path.join(shortDirectory(t), 'source'), shortDirectory(t)];
  writeFileSync(source, Buffer.alloc(4 << 20, 1));
  const unmount = smallFileSystem(full, '3M');
  if (typeof unmount === 'string') return void skipped(t, unmount);
  t.teardown(unmount);
  const target = path.join(full, 'copy.vhd');
  const { exitCode, stderr } = await captured(dispatch, ['vhd', 'convert', source, target]);
  t.equal(exitCode, 1);
  t.equal(stderr, `tapdisk-ts vhd convert: ${target}: cannot write: No space left on device\n`);
  t.same(readdirSync(full), []);
});
