// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readVectorFile } from '../../src/conformance/vector-file.js';
import { openOwnFile, readWholeFile } from '../../src/server/own-file.js';
import { ATTACKER_UID, noAttacker, withUmask } from '../attacker.js';
import { shortDirectory } from '../short-directory.js';

t.test('a file is created for its owner only, and written from its start', async (t) => {
  withUmask(t, 0);
  const path = join(shortDirectory(t), 'trace');
  for (const text of ['the first', 'second']) {
    const fd = openOwnFile(path);
    writeSync(fd, text);
    closeSync(fd);
    t.equal(readFileSync(path, 'utf8'), text);
  }
  t.equal(lstatSync(path).mode & 0o777, 0o600);
});

t.test('a file that others can access is not opened for writing, and stays as it is', async (t) => {
  const directory = shortDirectory(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('victim'), 'precious');
  symlinkSync(at('victim'), at('link'));
  t.throws(() => openOwnFile(at('link')), { code: 'ELOOP', message: /link: it is a link$/ });
  linkSync(at('victim'), at('second'));
  t.throws(() => openOwnFile(at('second')), { code: 'EPERM', message: /has another name as well$/ });
  t.equal(readFileSync(at('victim'), 'utf8'), 'precious');
  execFileSync('mkfifo', [at('fifo')]);
  t.throws(() => openOwnFile(at('fifo')), { code: 'ENXIO', message: /is no regular file$/ });
  const reader = openSync(at('fifo'), 'r+');
  t.throws(() => openOwnFile(at('fifo')), { code: 'EPERM', message: /is no regular file$/ });
  closeSync(reader);
  t.throws(() => openOwnFile(at('none/x')), { code: 'ENOENT' });
});

t.test('a file of another user is not opened for writing', { skip: noAttacker }, async (t) => {
  const path = join(shortDirectory(t), 'trace');
  writeFileSync(path, 'precious');
  chownSync(path, ATTACKER_UID, 0);
  t.throws(() => openOwnFile(path), { code: 'EPERM', message: /belongs to another user \(uid 4242\)$/ });
  t.equal(readFileSync(path, 'utf8'), 'precious');
});

t.test('a FIFO where a file is expected is refused without waiting for a writer', async (t) => {
  const directory = shortDirectory(t);
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  t.throws(() => readWholeFile(fifo), { code: 'EINVAL', message: /fifo is a FIFO, expected a file$/ });
  t.match(readVectorFile(fifo), [{ kind: 'fault', fault: { message: /cannot be read: .*is a FIFO/ } }]);
  writeFileSync(join(directory, 'file'), 'content');
  t.equal(readWholeFile(join(directory, 'file')).toString(), 'content');
  t.equal(readWholeFile('/dev/null').length, 0);
});

t.test('what does not end, or is no file, is not read whole', async (t) => {
  t.throws(() => readWholeFile('/dev/zero'), { code: 'EFBIG', message: /zero has more than 4194304 bytes/ });
  const directory = shortDirectory(t);
  t.throws(() => readWholeFile(directory), {
    code: 'EISDIR',
    message: `${directory} is a directory, expected a file`,
  });
  const path = join(directory, 'file');
  writeFileSync(path, 'x'.repeat(200_001));
  t.equal(readWholeFile(path, 200_001).length, 200_001);
  t.throws(() => readWholeFile(path, 200_000), { code: 'EFBIG' });
});

t.test('a FIFO is not written to even if somebody reads it, and no descriptor is left', async (t) => {
  const fifo = join(shortDirectory(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptors = readdirSync('/proc/self/fd').length;
  const refused = { code: 'EPERM', message: `cannot write ${fifo}: it is no regular file` };
  t.throws(() => openOwnFile(fifo), refused);
  t.throws(() => readWholeFile(fifo), { code: 'EINVAL' });
  t.equal(readdirSync('/proc/self/fd').length, descriptors);
  closeSync(reader);
});

t.test('a device is opened as it is', async (t) => {
  const fd = openOwnFile('/dev/null');
  t.ok(fstatSync(fd).isCharacterDevice());
  closeSync(fd);
});
