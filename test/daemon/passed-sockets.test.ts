// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { renameSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { takePassedSockets } from '../../src/daemon/passed-sockets.js';
import { errno, NodePosix } from '../../src/posix/index.js';
import { hasPrograms } from '../programs.js';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild, nbdClient } from './daemon-child.js';

/** Says what systemd says to the process that follows it. */
const asSystemd = ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh'];

/** A socket that listens, and its number in this process, which accepts on it until it is closed. */
async function listening(t: Test, where: string | number): Promise<readonly [Server, number]> {
  const server = createServer();
  if (typeof where === 'number') server.listen(where, '127.0.0.1');
  else server.listen(where);
  await once(server, 'listening');
  t.teardown(() => {
    if (server.listening) server.close();
  });
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  return [server, handle.fd];
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

t.test('the variables for this process list the descriptors, and are removed', async (t) => {
  const environment = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', PATH: '/bin' };
  t.same(takePassedSockets({ ...environment }, 8), [], 'those of another process are not ours');
  t.same(takePassedSockets({ LISTEN_PID: '7' }, 7), []);
  t.same(takePassedSockets(environment, 7), [3, 4]);
  t.same(environment, { PATH: '/bin' });
  t.same(takePassedSockets({ LISTEN_PID: '7', LISTEN_FDS: '0' }, 7), []);
  t.equal(takePassedSockets({ LISTEN_PID: '7', LISTEN_FDS: '64' }, 7).at(-1), 66);
  for (const text of ['', '-1', 'x', '65', '1e1'])
    t.throws(() => takePassedSockets({ LISTEN_PID: '7', LISTEN_FDS: text }, 7), {
      message: `LISTEN_FDS is '${text}', expected a number of sockets up to 64`,
    });
});

t.test('only a listening socket can be inherited', async (t) => {
  const posix = new NodePosix();
  const [server] = await listening(t, 0);
  const socket = connect(portOf(server), '127.0.0.1');
  await once(socket, 'connect');
  t.teardown(() => socket.destroy());
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } };
  for (const number of [handle.fd, 0x7fff, -1]) t.equal(posix.inherit(number), -errno.EINVAL, `${number}`);
  t.same(posix.openDescriptors(), []);
});

t.test('a daemon serves disks on inherited sockets beside its own', async (t) => {
  const directory = shortDirectory(t);
  const path = join(directory, 'passed');
  const [tcp, tcpFd] = await listening(t, 0);
  const [unix, unixFd] = await listening(t, path);
  const port = portOf(tcp);
  const daemon = new DaemonChild(
    t,
    [
      ...['--control-directory', directory, '--disk', '0=ram:1'],
      ...['--nbd', 'systemd', '--nbd', join(directory, 'own')],
    ],
    { LISTEN_FDS: '2' },
    undefined,
    { launcher: asSystemd, descriptors: [tcpFd, unixFd] },
  );
  // Node takes the file away with the server.
  renameSync(path, `${path}.kept`);
  for (const server of [tcp, unix]) await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.kept`, path);
  await daemon.ready();
  const where = [`127.0.0.1:${port}`, path, join(directory, 'own')];
  t.same(daemon.nbdAddresses, where);
  for (const each of where) t.equal((await nbdClient(t, each)).facts.size, 1 << 20, each);
  daemon.kill('SIGTERM');
  t.equal(await daemon.exit(), 0, daemon.stderr);
  t.ok(statSync(path).isSocket(), 'the file of a passed socket is not the daemon’s to remove');
});

t.test('without sockets, or with other descriptors, it reports what is missing', async (t) => {
  const directory = shortDirectory(t);
  const argv = ['--control-directory', directory, '--nbd', 'systemd'];
  const none = new DaemonChild(t, argv);
  t.equal(await none.exit(), 2);
  t.match(none.stderr, /--nbd systemd: no sockets were passed \(LISTEN_PID and LISTEN_FDS\)/);
  const other = new DaemonChild(t, argv, { LISTEN_FDS: '1' }, undefined, {
    launcher: asSystemd,
    descriptors: [2],
  });
  t.equal(await other.exit(), 1);
  t.match(other.stderr, /cannot serve NBD on the passed descriptor 3: EINVAL/);
});

t.test('systemd-socket-activate starts a daemon for the first client', async (t) => {
  if (!hasPrograms(t, 'systemd-socket-activate')) return;
  const directory = shortDirectory(t);
  const path = join(directory, 'activated');
  const daemon = new DaemonChild(
    t,
    ['--control-directory', directory, '--disk', '0=ram:2', '--exit-when-idle'],
    {},
    undefined,
    { launcher: ['systemd-socket-activate', '-l', path] },
  );
  await daemon.told(/Listening on/);
  const client = await nbdClient(t, path);
  t.equal(client.facts.size, 2 << 20);
  client.disconnect();
  t.equal(await daemon.exit(), 0, 'the last client has gone');
  t.match(daemon.stderr, /the last NBD client has gone: shutting down/);
});
