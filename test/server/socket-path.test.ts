// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AF_UNIX, errno, NodePosix, SOCK_STREAM } from '../../src/posix/index.js';
import { removeDeadSockets } from '../../src/server/dead-sockets.js';
import {
  checkSocketPath,
  checkSocketPathIsFree,
  removeDead,
  takeSocketPath,
} from '../../src/server/socket-path.js';
import { listenOn } from '../../src/server/acceptor.js';
import { posixFor } from '../posix/fixture.js';
import { UnansweredPosix } from '../posix/unanswered-posix.js';
import { servedSocket, shortDirectory } from '../short-directory.js';

/** A socket file that nobody serves, as a program that was killed leaves it. */
async function leftSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.old`);
  await once(server, 'listening');
  // Node removes the name that it knows.
  renameSync(`${path}.old`, path);
  server.close();
}

function world(t: Test) {
  const posix = posixFor(t);
  const lines: string[] = [];
  const logger = { log: (_: number, line: string): void => void lines.push(line) };
  const listen = (path: string): number => {
    const fd = listenOn(posix, { family: AF_UNIX, path }, 8);
    if (fd < 0) throw Object.assign(new Error(`listen: ${fd}`), { code: fd });
    return fd;
  };
  const take = (path: string): Promise<number> => takeSocketPath({ posix, logger }, path, () => listen(path));
  return { posix, lines, take };
}

t.test('a free path, or one whose socket nobody serves, is taken', async (t) => {
  const { posix, take, lines } = world(t);
  const directory = shortDirectory(t);
  t.ok((await take(join(directory, 'free'))) >= 3);
  await leftSocket(join(directory, 'left'));
  const fd = await take(join(directory, 'left'));
  t.same(readdirSync(directory).toSorted(), ['free', 'left'], 'nothing else is left there');
  posix.close(fd);
  t.same(readdirSync(directory), ['free']);
  t.same(lines, []);
});

t.test('a path that is served, or is another kind of file, is not taken', async (t) => {
  const { posix, take } = world(t);
  const served = await servedSocket(t);
  const before = lstatSync(served).ino;
  await t.rejects(take(served), { code: 'EADDRINUSE', message: /is served by another process$/ });
  t.equal(lstatSync(served).ino, before);
  const file = join(shortDirectory(t), 'file');
  writeFileSync(file, 'precious');
  await t.rejects(take(file), { code: 'EEXIST', message: /exists and is not a socket/ });
  symlinkSync(served, `${file}.link`);
  await t.rejects(take(`${file}.link`), { code: 'EEXIST' });
  const long = { code: 'ENAMETOOLONG', message: /has 108 bytes/ };
  t.throws(() => checkSocketPath(`/${'x'.repeat(107)}`), long);
  await t.rejects(take(`/${'x'.repeat(107)}`), long);
  await t.rejects(checkSocketPathIsFree(posix, `/${'x'.repeat(107)}`), long);
  checkSocketPath(`/${'x'.repeat(106)}`);
});

t.test('a socket is bound where the kernel looks for it, and nowhere as a directory', async (t) => {
  const { take } = world(t);
  const directory = shortDirectory(t);
  mkdirSync(join(directory, 'far/target'), { recursive: true });
  symlinkSync('far/target', join(directory, 'link'));
  t.ok((await take(`${directory}/link/../socket`)) >= 3);
  t.ok(lstatSync(join(directory, 'far/socket')).isSocket());
  for (const name of ['new/', 'new/.'])
    await t.rejects(take(`${directory}/${name}`), { code: -errno.ENOENT });
  await t.rejects(take(`${directory}/far/`), { code: 'EEXIST' });
  t.same(readdirSync(directory).toSorted(), ['far', 'link']);
});

t.test('a dead socket that is already gone needs no removal', async (t) => {
  const { posix } = world(t);
  await t.resolves(removeDead(posix, join(shortDirectory(t), 'none')));
});

t.test('when many claim the path of a stale socket at once, exactly one gets it', async (t) => {
  for (let round = 0; round < 5; round++) {
    const path = join(shortDirectory(t), 's');
    await leftSocket(path);
    const worlds = Array.from({ length: 6 }, () => world(t));
    const outcomes = await Promise.allSettled(worlds.map(({ take }) => take(path)));
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'EADDRINUSE' });
    }
    t.ok(lstatSync(path).isSocket());
  }
});

t.test('without flock(1) a path is taken all the same, with a warning', async (t) => {
  const { take, lines } = world(t);
  const path = join(shortDirectory(t), 's');
  await leftSocket(path);
  const before = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  t.teardown(() => (process.env['PATH'] = before));
  t.ok((await take(path)) >= 3);
  t.match(lines, [/^the directory of .* cannot be locked: flock .*does not start/]);
});

t.test('closing a listener does not remove another’s socket at its path', async (t) => {
  const posix = posixFor(t);
  const path = join(shortDirectory(t), 's');
  const first = listenOn(posix, { family: AF_UNIX, path }, 8);
  rmSync(path);
  const second = listenOn(posix, { family: AF_UNIX, path }, 8);
  t.ok(second > first);
  posix.close(first);
  t.ok(existsSync(path), 'listening');
  posix.close(second);
  t.notOk(existsSync(path));
  const bound = posix.socket(AF_UNIX, SOCK_STREAM);
  t.equal(posix.bind(bound, { family: AF_UNIX, path }), 0);
  rmSync(path);
  const third = listenOn(posix, { family: AF_UNIX, path }, 8);
  posix.close(bound);
  t.ok(existsSync(path), 'bound only');
  posix.close(third);
});

t.test('a process that accepts nobody for two seconds counts as serving its path', async (t) => {
  const path = join(shortDirectory(t), 's');
  await leftSocket(path);
  const posix = new UnansweredPosix();
  await t.rejects(checkSocketPathIsFree(posix, path), {
    code: 'EADDRINUSE',
    message: `${path} is served by another process (ETIMEDOUT)`,
  });
  t.same(posix.waits, [2]);
  t.same(posix.openDescriptors(), []);
});

t.test('a socket that took the place of a dead one meanwhile is not removed', async (t) => {
  const path = join(shortDirectory(t), 's');
  await leftSocket(path);
  class Overtaken extends NodePosix {
    override connect(): number {
      renameSync(path, `${path}.dead`);
      writeFileSync(path, 'another');
      return -errno.ECONNREFUSED;
    }
  }
  await removeDead(new Overtaken(), path);
  t.equal(readFileSync(path, 'utf8'), 'another');
});

t.test('sockets of ended processes are removed, if nobody serves them', async (t) => {
  const directory = shortDirectory(t);
  const NO_PID = 0x7fff_fff0;
  const [dead, alive, served] = ['dead', 'alive']
    .map((name) => join(directory, name))
    .concat(await servedSocket(t));
  await leftSocket(dead as string);
  await leftSocket(alive as string);
  const gone = await removeDeadSockets(new NodePosix(), [
    { path: dead as string, pid: NO_PID },
    { path: alive as string, pid: process.pid },
    { path: served as string, pid: NO_PID },
  ]);
  t.same(gone, [dead]);
  t.same(readdirSync(directory), ['alive']);
});
