// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listenAt } from '../../src/daemon/socket-path.js';
import { formatAddress, NodePosix } from '../../src/posix/index.js';
import { shortDirectory } from '../short-directory.js';

/** Where it is listened for a text, and what is logged of it. */
function world(t: Test) {
  const lines: string[] = [];
  const directory = shortDirectory(t);
  const logger = { log: (_: number, line: string): void => void lines.push(line) };
  const at = (text: string): Promise<string> =>
    listenAt({ posix: new NodePosix(), logger }, 'nbd', text, formatAddress);
  return { at, directory, lines };
}

t.test('a host and port, or a path, is listened on without a word', async (t) => {
  const { at, directory, lines } = world(t);
  const path = join(directory, 's');
  t.equal(await at('127.0.0.1:10809'), '127.0.0.1:10809');
  t.equal(await at(path), path);
  t.same(lines, []);
});

t.test('that others could replace a socket is a warning', async (t) => {
  const { at, directory, lines } = world(t);
  chmodSync(directory, 0o777);
  const path = join(directory, 's');
  t.equal(await at(path), path);
  t.same(lines, [
    `--nbd ${path}: others could put another socket there: others can write to ${directory} (mode 0777; chmod go-w)`,
  ]);
});

t.test('an address that is none names its option, and a file that is no socket is left alone', async (t) => {
  const { at, directory } = world(t);
  await t.rejects(at('nowhere'), { message: /^--nbd: / });
  const path = join(directory, 'file');
  writeFileSync(path, 'precious');
  await t.rejects(at(path), { code: 'EEXIST', message: `${path} exists and is not a socket` });
});
