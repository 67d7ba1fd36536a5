// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AF_UNIX, errno, SOCK_STREAM } from '../../../src/posix/index.js';
import { listenOn } from '../../../src/server/acceptor.js';
import { attackerArguments, noAttacker, withUmask } from '../../attacker.js';
import { shortDirectory } from '../../short-directory.js';
import { posixFor } from '../fixture.js';

const permissions = (path: string): number => lstatSync(path).mode & 0o7777;

t.test('a socket has the mode of its address, or the default under the umask', async (t) => {
  withUmask(t, 0o027);
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  const usual = join(directory, 'usual');
  listenOn(posix, { family: AF_UNIX, path: usual }, 8);
  t.equal(permissions(usual), 0o750);
  const secret = { family: AF_UNIX, path: join(directory, 'secret'), mode: 0o600 } as const;
  const fd = posix.socket(AF_UNIX, SOCK_STREAM);
  t.equal(posix.bind(fd, secret), 0);
  t.equal(permissions(secret.path), 0o600, 'bound');
  t.equal(posix.listen(fd, 8), 0);
  t.equal(permissions(secret.path), 0o600, 'listening');
  t.same(posix.getsockname(fd), { family: AF_UNIX, path: secret.path });
  t.same(readdirSync(directory).toSorted(), ['secret', 'usual']);
});

t.test('no mode is read or set through a file that replaced a bound socket', async (t) => {
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  const [path, victim] = [join(directory, 's'), join(directory, 'victim')];
  writeFileSync(victim, '');
  chmodSync(victim, 0o4711);
  const fd = posix.socket(AF_UNIX, SOCK_STREAM);
  t.equal(posix.bind(fd, { family: AF_UNIX, path }), 0);
  symlinkSync(victim, join(directory, 'link'));
  renameSync(join(directory, 'link'), path);
  t.equal(posix.listen(fd, 8), -errno.EADDRINUSE);
  posix.close(fd);
  t.ok(lstatSync(path).isSymbolicLink());
  t.equal(statSync(victim).mode & 0o7777, 0o4711);
});

t.test('the names that are left when the process exits are removed', async (t) => {
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  const fds = ['first', 'second'].map((name) => {
    const fd = posix.socket(AF_UNIX, SOCK_STREAM);
    t.equal(posix.bind(fd, { family: AF_UNIX, path: join(directory, name) }), 0);
    return fd;
  });
  const isRemover = ({ name }: { readonly name: string }): boolean => name === 'removeAll';
  t.equal(process.listeners('exit').filter(isRemover).length, 1, 'one listener for all');
  posix.close(fds[0] as number);
  t.same(readdirSync(directory), ['second']);
  (process.listeners('exit').find(isRemover) as (() => void) | undefined)?.();
  t.same(readdirSync(directory), []);
});

t.test('a bound socket that begins to listen has its name at every moment', async (t) => {
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  const fd = posix.socket(AF_UNIX, SOCK_STREAM);
  t.equal(posix.bind(fd, { family: AF_UNIX, path: join(directory, 's') }), 0);
  const names: (string | null)[] = [];
  const watcher = watch(directory, (_, name) => names.push(name));
  t.teardown(() => watcher.close());
  t.equal(posix.listen(fd, 8), 0);
  writeFileSync(join(directory, 'last'), '');
  while (!names.includes('last')) await new Promise(setImmediate);
  t.same(
    names.filter((name) => name === 's'),
    ['s'],
    'replaced, which is one change; to be removed and made again are two',
  );
  posix.close(fd);
  t.same(readdirSync(directory), ['last']);
});

t.test(
  'a server that was taken from its descriptor takes its socket with it when it is closed',
  async (t) => {
    const posix = posixFor(t);
    const directory = shortDirectory(t);
    const fd = listenOn(posix, { family: AF_UNIX, path: join(directory, 's') }, 8);
    const server = posix.nodeObject(fd) as Server;
    posix.release(fd);
    t.same(readdirSync(directory), ['s']);
    server.close();
    await once(server, 'close');
    t.same(readdirSync(directory), []);
  },
);

/** Connects to a path again and again as another user, and says so when it was let in. */
const intruder = `
  const { connect } = require('node:net');
  const path = process.argv[1];
  const attempt = () => {
    const socket = connect(path);
    socket.on('connect', () => { process.stdout.write('in\\n'); process.exit(); });
    socket.on('error', () => setImmediate(attempt));
  };
  for (let n = 0; n < 4; n++) attempt();
  process.stdout.write('trying\\n');
`;

async function startIntruder(t: Test, path: string): Promise<{ child: ChildProcess; said: () => string }> {
  const child = spawn('setpriv', [...attackerArguments, process.execPath, '-e', intruder, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return { child, said: () => said };
}

t.test('under umask 0 others can never connect to a 0600 socket', { skip: noAttacker }, async (t) => {
  withUmask(t, 0);
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  chmodSync(directory, 0o755);
  const path = join(directory, 's');
  const { child, said } = await startIntruder(t, path);
  for (let round = 0; round < 60 && child.exitCode === null; round++) {
    const fd = listenOn(posix, { family: AF_UNIX, path, mode: 0o600 }, 8);
    await new Promise((resolve) => setImmediate(resolve));
    posix.close(fd);
  }
  t.equal(said(), 'trying\n');
  // That it tries at all shows when it is let in.
  listenOn(posix, { family: AF_UNIX, path, mode: 0o666 }, 8);
  if (child.exitCode === null) await once(child, 'exit');
  t.equal(said(), 'trying\nin\n');
});
