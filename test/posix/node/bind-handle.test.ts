// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import t, { type Test } from 'tap';
import { nodeBindCall } from '../../../src/posix/node/bind-handle.js';
import type { CreateServerHandle, ServerHandle } from '../../../src/posix/node/server-handle.js';
import { bindWithoutHandle } from '../../../src/posix/node/bind-fallback.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  type NodePosix,
  READABLE,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  type SocketAddress,
} from '../../../src/posix/index.js';
import { acceptOne, addressOf, listening, readiness, readText } from '../arms/world.js';
import { openSockets } from '../../open-files.js';
import { shortDirectory } from '../../short-directory.js';
import { nodeServer, posixFor, refusingAddress } from '../fixture.js';

/** A user without any privilege, whatever its name. */
const NOBODY = 65_534;
const loopback = { family: AF_INET, address: '127.0.0.1', port: 0 } as const;

function bind(posix: NodePosix, address: SocketAddress): number {
  const fd = posix.socket(address.family, SOCK_STREAM);
  const outcome = posix.bind(fd, address);
  if (outcome === 0) return fd;
  posix.close(fd);
  return outcome;
}

const hasProc = fs.existsSync('/proc/self/fd');

async function echoOnce(
  t: Test,
  posix: NodePosix,
  listener: number,
  address: net.NetConnectOpts,
): Promise<void> {
  const peer = net.connect(address);
  const fd = await acceptOne(posix, listener);
  peer.end('through');
  t.equal(await readText(posix, fd), 'through');
  posix.close(fd);
}

t.test('a socket closed between bind and listen leaves nothing', { skip: !hasProc }, async (t) => {
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  const before = openSockets();
  const answers: number[] = [];
  for (let n = 0; n < 50; n++) {
    const fd = bind(posix, loopback);
    const unix = bind(posix, { family: AF_UNIX, path: path.join(directory, 's') });
    const address = addressOf(posix.getsockname(fd));
    answers.push(posix.close(fd), posix.close(unix), posix.close(listening(posix, address).fd));
  }
  t.same(
    answers.filter((answer) => answer !== 0),
    [],
  );
  t.ok(openSockets() <= before);
});

t.test('a failed bind or listen leaves nothing', { skip: !hasProc }, async (t) => {
  const posix = posixFor(t);
  const { address } = await nodeServer(t);
  const before = openSockets();
  t.equal(bind(posix, address), -errno.EADDRINUSE);
  t.equal(bind(posix, { ...address, address: '192.0.2.1' }), -errno.EADDRNOTAVAIL);
  t.ok(openSockets() <= before);
});

t.test(
  'two sockets may be bound to a port as long as only one listens: the second fails at listen',
  async (t) => {
    const posix = posixFor(t);
    const first = bind(posix, loopback);
    const address = addressOf(posix.getsockname(first));
    const second = bind(posix, address);
    if (second < 0) return t.equal(second, -errno.EADDRINUSE);
    t.equal(posix.listen(first, 1), 0);
    t.equal(posix.listen(second, 1), -errno.EADDRINUSE);
    return undefined;
  },
);

t.test(
  'a Unix socket: the file is there after bind, its permissions stay, and it goes with the descriptor',
  async (t) => {
    const posix = posixFor(t);
    const file = path.join(shortDirectory(t), 's');
    const fd = bind(posix, { family: AF_UNIX, path: file });
    t.ok(fs.statSync(file).isSocket());
    fs.chmodSync(file, 0o600);
    t.equal(posix.listen(fd, 5), 0);
    t.equal(fs.statSync(file).mode & 0o777, 0o600);
    await echoOnce(t, posix, fd, { path: file });
    posix.close(fd);
    t.notOk(fs.existsSync(file));
  },
);

t.test('a Unix socket whose file was removed after bind can still listen', async (t) => {
  const posix = posixFor(t);
  const file = path.join(shortDirectory(t), 's');
  const fd = bind(posix, { family: AF_UNIX, path: file });
  fs.unlinkSync(file);
  t.equal(posix.listen(fd, 5), 0);
  await echoOnce(t, posix, fd, { path: file });
});

t.test('listen returns -EADDRINUSE if another process took the Unix path after bind', async (t) => {
  const directory = shortDirectory(t);
  const file = path.join(directory, 's');
  const posix = posixFor(t);
  const fd = bind(posix, { family: AF_UNIX, path: file });
  fs.unlinkSync(file);
  fs.mkdirSync(file);
  t.equal(posix.listen(fd, 5), -errno.EADDRINUSE);
});

t.test(
  'a Unix path in a directory that does not exist is -ENOENT, one that exists -EADDRINUSE',
  async (t) => {
    const directory = shortDirectory(t);
    fs.writeFileSync(path.join(directory, 'file'), 'a file');
    for (const bindCall of [nodeBindCall(), bindWithoutHandle]) {
      const posix = posixFor(t, { bindCall });
      t.equal(bind(posix, { family: AF_UNIX, path: path.join(directory, 'no', 's') }), -errno.ENOENT);
      t.equal(bind(posix, { family: AF_UNIX, path: path.join(directory, 'file') }), -errno.EADDRINUSE);
      t.equal(fs.readFileSync(path.join(directory, 'file'), 'utf8'), 'a file');
    }
  },
);

t.test('a Unix socket that is bound cannot connect: -EOPNOTSUPP', async (t) => {
  const posix = posixFor(t);
  const file = path.join(shortDirectory(t), 's');
  const fd = bind(posix, { family: AF_UNIX, path: file });
  t.equal(posix.connect(fd, { family: AF_UNIX, path: file }), -errno.EOPNOTSUPP);
});

/** What a call answers to somebody who is not root. */
function unprivileged<Answer>(call: () => Answer): Answer {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0) return call();
  seteuid?.(NOBODY);
  try {
    return call();
  } finally {
    seteuid?.(0);
  }
}

t.test('a privileged port is -EACCES for non-root users', async (t) => {
  const lowest = Number(fs.readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  const posix = posixFor(t);
  const answer = unprivileged(() => bind(posix, { ...loopback, port: 7 }));
  if (lowest > 7) t.equal(answer, -errno.EACCES);
  else t.ok(answer >= 0, 'here every port is for all');
});

t.test('results of the handle are passed on', async (t) => {
  const closed: string[] = [];
  const handle = (answers: Partial<ServerHandle>): ServerHandle => ({
    listen: () => 0,
    close: () => closed.push('closed'),
    ...answers,
  });
  const make = (create: CreateServerHandle): NodePosix => posixFor(t, { bindCall: nodeBindCall(create) });
  t.equal(
    bind(
      make(() => -errno.EACCES),
      loopback,
    ),
    -errno.EACCES,
  );
  t.equal(
    bind(
      make(() => -errno.EACCES),
      { family: AF_UNIX, path: path.join(shortDirectory(t), 's') },
    ),
    -errno.EACCES,
  );
  t.equal(
    bind(
      make(() => handle({ getsockname: () => -errno.EADDRINUSE })),
      loopback,
    ),
    -errno.EADDRINUSE,
  );
  t.same(closed, ['closed'], 'and a handle that is of no use is closed');
  const posix = make(() => handle({ listen: () => -errno.EADDRINUSE }));
  const fd = bind(posix, { ...loopback, port: 99 });
  t.same(
    posix.getsockname(fd),
    { ...loopback, port: 99 },
    'a handle without a name has the one that was asked for',
  );
  t.equal(posix.listen(fd, 1), -errno.EADDRINUSE);
  t.same(closed.length, 1);
  posix.close(fd);
  t.same(closed.length, 2);
});

t.test('after a connect that failed a bound socket can listen, at the address it had', async (t) => {
  const posix = posixFor(t);
  const address = refusingAddress(t);
  const fd = bind(posix, loopback);
  const name = addressOf(posix.getsockname(fd)) as { port: number };
  posix.connect(fd, address);
  await readiness(posix, fd, READABLE);
  t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ECONNREFUSED);
  t.equal(posix.listen(fd, 5), 0);
  await echoOnce(t, posix, fd, { port: name.port, host: '127.0.0.1' });
});

t.test("after a connect that failed, listen says when the address is somebody else's by now", async (t) => {
  const posix = posixFor(t);
  const address = refusingAddress(t);
  const fd = bind(posix, loopback);
  const name = addressOf(posix.getsockname(fd));
  posix.connect(fd, address);
  await readiness(posix, fd, READABLE);
  listening(posix, name);
  t.equal(posix.listen(fd, 5), -errno.EADDRINUSE);
});

t.test('without the undocumented call the fallback is used', async (t) => {
  const internal = net as { _createServerHandle?: unknown };
  const kept = internal._createServerHandle;
  delete internal._createServerHandle;
  try {
    t.equal(nodeBindCall(), bindWithoutHandle);
  } finally {
    internal._createServerHandle = kept;
  }
  t.not(nodeBindCall(), bindWithoutHandle);
});

t.test('the fallback returns -EADDRNOTAVAIL at once for an address that no interface has', async (t) => {
  const posix = posixFor(t, { bindCall: bindWithoutHandle });
  t.equal(bind(posix, { ...loopback, address: '192.0.2.1' }), -errno.EADDRNOTAVAIL);
  t.equal(bind(posix, { family: AF_INET6, address: '2001:db8::1', port: 0 }), -errno.EADDRNOTAVAIL);
  const own = Object.values(os.networkInterfaces()).flatMap((entries) => entries ?? []);
  const ipv4 = own.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
  for (const address of ['0.0.0.0', '127.0.0.1', '127.1.2.3', ...ipv4]) {
    t.ok(bind(posix, { family: AF_INET, address, port: 0 }) >= 3, address);
  }
  const ipv6 = own.filter(({ family }) => family === 'IPv6').map(({ address }) => address);
  for (const address of ['::', ...ipv6])
    t.ok(bind(posix, { family: AF_INET6, address, port: 0 }) >= 3, address);
  if (ipv6.includes('::1')) t.ok(bind(posix, { family: AF_INET6, address: '0:0:0:0:0:0:0:1', port: 0 }) >= 3);
});

t.test('the fallback listens, accepts and connects as usual', async (t) => {
  const posix = posixFor(t, { bindCall: bindWithoutHandle });
  const fd = bind(posix, loopback);
  t.same(posix.getsockname(fd), loopback, 'the port is chosen later');
  t.equal(posix.listen(fd, 5), 0);
  const server = posix.nodeObject(fd) as net.Server;
  if (!server.listening) await once(server, 'listening');
  const { port } = addressOf(posix.getsockname(fd)) as { port: number };
  await echoOnce(t, posix, fd, { port, host: '127.0.0.1' });
  const client = bind(posix, loopback);
  t.equal(posix.connect(client, { ...loopback, port }), -errno.EINPROGRESS);
  t.ok((await acceptOne(posix, fd)) > client);
});

t.test('the fallback reports a busy port through accept and SO_ERROR', async (t) => {
  const posix = posixFor(t, { bindCall: bindWithoutHandle });
  const { address } = await nodeServer(t);
  for (const ask of [
    (fd: number) => posix.accept(fd),
    (fd: number) => -posix.getsockopt(fd, SOL_SOCKET, SO_ERROR),
  ]) {
    const fd = bind(posix, address);
    t.equal(posix.listen(fd, 5), 0);
    await readiness(posix, fd, READABLE);
    t.equal(ask(fd), -errno.EADDRINUSE);
    t.equal(posix.accept(fd), -errno.EAGAIN);
  }
});

t.test('the fallback binds Unix paths', async (t) => {
  const posix = posixFor(t, { bindCall: bindWithoutHandle });
  const file = path.join(shortDirectory(t), 's');
  const [first, second] = [
    bind(posix, { family: AF_UNIX, path: file }),
    bind(posix, { family: AF_UNIX, path: file }),
  ];
  t.equal(posix.listen(first, 5), 0);
  t.equal(posix.listen(second, 5), -errno.EADDRINUSE);
  await echoOnce(t, posix, first, { path: file });
});

t.test('listen without bind returns the result of binding', async (t) => {
  const posix = posixFor(t, { bindCall: () => -errno.EACCES });
  t.equal(posix.listen(posix.socket(AF_INET, SOCK_STREAM), 1), -errno.EACCES);
});
