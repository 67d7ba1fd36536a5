// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  linkOfAnother,
  requireTrusted,
  requireTrustedSocket,
  whoCouldReplace,
} from '../../src/server/trusted-directory.js';
import { ATTACKER_UID, noAttacker } from '../attacker.js';
import { shortDirectory } from '../short-directory.js';

t.test('a directory that others can write to is trusted only with the sticky bit', async (t) => {
  const directory = shortDirectory(t);
  t.equal(whoCouldReplace(directory), undefined);
  const open = join(directory, 'open');
  mkdirSync(open);
  for (const mode of [0o777, 0o775, 0o757]) {
    chmodSync(open, mode);
    t.match(whoCouldReplace(open), `others can write to ${open} (mode 0${mode.toString(8)}; chmod go-w)`);
  }
  mkdirSync(join(open, 'inner'), { mode: 0o700 });
  t.match(whoCouldReplace(join(open, 'inner')), /others can write to .*open /, 'nor is what is in it');
  symlinkSync(directory, join(open, 'link'));
  t.match(whoCouldReplace(join(open, 'link')), /others can write to .*open /, 'nor where a link in it leads');
  chmodSync(open, 0o1777);
  t.equal(whoCouldReplace(open), undefined);
  t.throws(() => whoCouldReplace(join(open, 'none')), { code: 'ENOENT' });
});

t.test('a directory or link of another user is not trusted', { skip: noAttacker }, async (t) => {
  const directory = shortDirectory(t);
  const own = join(directory, 'own');
  const foreign = join(directory, 'foreign');
  mkdirSync(own);
  mkdirSync(join(foreign, 'inner'), { recursive: true });
  chownSync(foreign, ATTACKER_UID, 0);
  t.match(whoCouldReplace(join(foreign, 'inner')), /foreign belongs to another user \(uid 4242\)/);
  symlinkSync(own, join(directory, 'link'));
  t.equal(whoCouldReplace(join(directory, 'link')), undefined);
  lchownSync(join(directory, 'link'), ATTACKER_UID, 0);
  t.match(whoCouldReplace(join(directory, 'link')), /link belongs to another user/);
  t.equal(whoCouldReplace(foreign, ATTACKER_UID), undefined, 'but by that user');
});

t.test('a socket is not used where others could replace it; a missing one is left to connect', async (t) => {
  const directory = shortDirectory(t);
  const socket = join(directory, 's');
  t.doesNotThrow(() => requireTrusted(directory));
  t.doesNotThrow(() => requireTrustedSocket(socket));
  writeFileSync(socket, '');
  t.doesNotThrow(() => requireTrustedSocket(socket));
  chmodSync(directory, 0o777);
  const refused = {
    code: 'EPERM',
    message: `${directory} is no place for a socket that controls or reports: others can write to ${directory} (mode 0777; chmod go-w)`,
  };
  t.throws(() => requireTrusted(directory), refused);
  t.throws(() => requireTrustedSocket(socket), refused);
  t.doesNotThrow(() => requireTrustedSocket(join(directory, 'none')));
});

t.test(
  "another user's socket is not used, nor a path with a link of theirs",
  { skip: noAttacker },
  async (t) => {
    const directory = shortDirectory(t);
    const socket = join(directory, 's');
    writeFileSync(socket, '');
    chownSync(socket, ATTACKER_UID, 0);
    t.throws(() => requireTrustedSocket(socket), {
      code: 'EPERM',
      message: `${socket} belongs to another user (uid ${ATTACKER_UID})`,
    });
    const link = join(directory, 'link');
    symlinkSync(directory, link);
    t.equal(linkOfAnother(join(link, 's')), undefined);
    lchownSync(link, ATTACKER_UID, 0);
    const fault = `the link ${link} belongs to another user (uid ${ATTACKER_UID})`;
    t.equal(linkOfAnother(link), fault);
    t.equal(linkOfAnother(join(link, 'none', 'at all')), fault);
    t.equal(linkOfAnother(join(link, 's'), ATTACKER_UID), undefined, 'it is theirs');
    t.equal(linkOfAnother(socket), undefined, 'only links count');
  },
);
