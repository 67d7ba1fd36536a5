// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { openFiles } from '../open-files.js';
import { servedSocket } from '../short-directory.js';
import { inputFromFile, inputFromStandard } from '../../src/transfer/input.js';

const directory = t.testdir({ image: 'an image', byte: 'x', nothing: '' });

t.test('a file is read to its end, and its size is known', async (t) => {
  const path = join(directory, 'image');
  const input = await inputFromFile(path);
  t.equal(input.name, path);
  t.equal(input.size, 8);
  t.same(Buffer.concat(await input.stream.toArray()), readFileSync(path));
  const byte = await inputFromFile(join(directory, 'byte'));
  t.equal(byte.size, 1);
  byte.stream.destroy();
});

t.test('an empty file may be a device: its size is unknown', async (t) => {
  const input = await inputFromFile(join(directory, 'nothing'));
  t.equal(input.size, undefined);
  input.stream.destroy();
});

t.test('a file that cannot be an image is refused by name, with a hint', async (t) => {
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  await t.rejects(inputFromFile(join(directory, 'none')), {
    code: 'ENOENT',
    message: /none: no such file or directory$/,
  });
  await t.rejects(inputFromFile(directory), {
    code: 'EISDIR',
    message: /is a directory, but an image is one file$/,
  });
  await t.rejects(inputFromFile(fifo), {
    code: 'EINVAL',
    message: /is a FIFO; give it as standard input instead$/,
  });
  await t.rejects(inputFromFile(await servedSocket(t)), { code: 'EINVAL', message: /it is a socket; give/ });
  writeFileSync(join(directory, 'file'), '');
  await t.rejects(inputFromFile(join(directory, 'file', 'below')), { code: 'ENOTDIR' });
});

t.test('a file as standard input has a size: the bytes from its position to its end', async (t) => {
  const fd = openSync(join(directory, 'image'), 'r');
  t.equal(inputFromStandard(new PassThrough(), fd).size, 8);
  readSync(fd, Buffer.alloc(3));
  t.equal(inputFromStandard(new PassThrough(), fd).size, 5);
  readSync(fd, Buffer.alloc(8));
  t.equal(inputFromStandard(new PassThrough(), fd).size, undefined, 'at its end');
  closeSync(fd);
  const device = openSync('/dev/null', 'r');
  t.equal(inputFromStandard(new PassThrough(), device).size, undefined, 'a device that is not a disk');
  closeSync(device);
});

t.test('standard input may be anything but a terminal', async (t) => {
  const stream = new PassThrough();
  t.match(inputFromStandard(stream), { name: 'standard input', size: undefined });
  t.throws(() => inputFromStandard(Object.assign(stream, { isTTY: true })), {
    code: 'ENOTTY',
    message: /terminal: redirect it \(< IMAGE\), or name a file with --input FILE$/,
  });
});

t.test('a standard input that the process was started without is refused', async (t) => {
  // What Node has in its place.
  const fd = openSync('/dev/null', 'r+');
  t.teardown(() => closeSync(fd));
  t.throws(() => inputFromStandard(new PassThrough(), fd), {
    code: 'EBADF',
    message: 'standard input is closed: redirect it (< IMAGE), or name a file with --input FILE',
  });
});

t.test('a refused input is closed at once, and a good one at its end', async (t) => {
  const image = join(directory, 'image');
  const empty = join(directory, 'a-directory-as-input');
  mkdirSync(empty);
  await t.rejects(inputFromFile(empty), { code: 'EISDIR' });
  t.same(openFiles(empty), []);
  const input = await inputFromFile(image);
  t.same(openFiles(image), [image]);
  const closed = new Promise((resolve) => input.stream.once('close', resolve));
  await input.stream.toArray();
  await closed;
  t.same(openFiles(image), []);
});
