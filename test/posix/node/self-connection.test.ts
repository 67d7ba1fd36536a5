// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { programArguments } from '../../../scripts/program.js';
import {
  AF_INET,
  errno,
  READABLE,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  WRITABLE,
} from '../../../src/posix/index.js';
import { hasNamespaces, run } from '../../programs.js';
import { readiness } from '../arms/world.js';
import { nodeServer, posixFor, refusingAddress } from '../fixture.js';

const loopback = { family: AF_INET, address: '127.0.0.1', port: 0 } as const;

t.test('a self-connection is reported as refused', async (t) => {
  const posix = posixFor(t);
  const taken = refusingAddress(t);
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  posix.bind(fd, loopback);
  const own = posix.getsockname(fd) as typeof loopback;
  posix.connect(fd, own);
  await readiness(posix, fd, READABLE | WRITABLE);
  t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ECONNREFUSED);
  t.equal(posix.read(fd, new Uint8Array(1)), -errno.ENOTCONN);
  posix.connect(fd, taken);
  await readiness(posix, fd, READABLE | WRITABLE);
  t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), errno.ECONNREFUSED, 'and it can dial again');
});

t.test(
  'a connection between two addresses is not a self-connection, even if both have the same port',
  async (t) => {
    const posix = posixFor(t);
    const { address } = await nodeServer(t);
    const fd = posix.socket(AF_INET, SOCK_STREAM);
    t.equal(posix.bind(fd, { ...address, address: '127.0.0.2' }), 0);
    posix.connect(fd, address);
    await readiness(posix, fd, WRITABLE);
    t.equal(posix.getsockopt(fd, SOL_SOCKET, SO_ERROR), 0);
    t.same(posix.getpeername(fd), address);
  },
);

const unshare = ['-n', 'sh', '-c'];
const prepare = 'ip link set lo up; echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range';

t.test('a primary does not send its image to itself', async (t) => {
  if (!(await hasNamespaces(t))) return;
  const image = join(t.testdir(), 'image');
  writeFileSync(image, 'image');
  const main = programArguments('src/cli/main.ts');
  const command = `${prepare}; exec timeout -s INT 4 "$0" "$@"`;
  const argv = [...main, 'primary', '--no-status', '--json', '-i', image, '127.0.0.1:40000'];
  const { status, stderr } = await run('unshare', [...unshare, command, process.execPath, ...argv]);
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; code?: string });
  t.notOk(events.some(({ event }) => event === 'established' || event === 'complete'));
  t.ok(events.filter(({ code }) => code === 'ECONNREFUSED').length >= 2, 'it goes on trying');
  t.not(status, 0);
});
