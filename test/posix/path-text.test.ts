// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { namesDirectory, pathFrom, pathIn } from '../../src/posix/path-text.js';
import { shortDirectory } from '../short-directory.js';

t.test('a path is absolute from its base, and what the kernel would find stays the same', async (t) => {
  t.equal(pathFrom('/a/b', 'c//./d'), '/a/b/c/d');
  t.equal(pathFrom('/a/b', './../c'), '/a/c');
  t.equal(pathFrom('/a/b', '../../../c'), '/c');
  t.equal(pathFrom('/a/b', '/../c/'), '/c');
  t.equal(pathFrom('/', '.'), '/');
  t.equal(pathFrom('/a', 'link/../c'), '/a/link/../c');
});

t.test('the directory above a linked one is that of its target', async (t) => {
  const directory = realpathSync.native(shortDirectory(t));
  mkdirSync(join(directory, 'far/target'), { recursive: true });
  mkdirSync(join(directory, 'far/socket'));
  symlinkSync('far/target', join(directory, 'link'));
  t.equal(realpathSync.native(pathFrom(directory, 'link/../socket')), join(directory, 'far/socket'));
  const inLink = pathIn(`${directory}/link/..`, 'socket');
  t.equal(dirname(realpathSync.native(inLink)), join(directory, 'far'));
  t.equal(pathIn('/', 'a'), '/a');
  t.equal(pathIn('ctl', 'ctl7'), 'ctl/ctl7');
});

t.test('a path that ends like a directory is of one', async (t) => {
  for (const path of ['a/', 'a/.', 'a/..', '.', '..', '/']) t.ok(namesDirectory(path), path);
  for (const path of ['a', 'a/b', '...', 'a/...', '.a', 'a.', 'a/b..']) t.notOk(namesDirectory(path), path);
});
