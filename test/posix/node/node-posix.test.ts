// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { AF_INET, AF_INET6, NodePosix } from '../../../src/posix/index.js';
import { behaviours } from '../arms/index.js';
import { closeAll, type World } from '../arms/world.js';

/** Two tables in this process, on real loopback and Unix sockets. */
function nodeWorld(directory: string): World {
  const maxDescriptorsOfA = 40;
  const a = new NodePosix({ maxDescriptors: maxDescriptorsOfA });
  const b = new NodePosix();
  let paths = 0;
  return {
    a,
    b,
    maxDescriptorsOfA,
    hostA: { family: AF_INET, address: '127.0.0.1', port: 0 },
    hostB: { family: AF_INET, address: '127.0.0.1', port: 0 },
    loopback6: hasIPv6() ? { family: AF_INET6, address: '::1', port: 0 } : undefined,
    foreign: { family: AF_INET, address: '192.0.2.1', port: 0 },
    unixPath: () => path.join(directory, `socket-${++paths}`),
    reset(posix, fd) {
      const socket = (posix as NodePosix).nodeObject(fd) as net.Socket;
      (posix as NodePosix).release(fd);
      socket.resetAndDestroy();
    },
  };
}

function hasIPv6(): boolean {
  return Object.values(os.networkInterfaces()).some((entries) =>
    entries?.some(({ address }) => address === '::1'),
  );
}

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'posix-'));
t.teardown(() => {
  fs.rmSync(directory, { recursive: true });
});

for (const { title, body } of behaviours) {
  t.test(title, async (t) => {
    const world = nodeWorld(directory);
    t.teardown(() => {
      closeAll(world);
    });
    await body(t, world);
  });
}

t.test('what is open is listed by number, whenever it was opened', (t) => {
  const posix = new NodePosix();
  const [first, second, third] = [posix.eventfd(0), posix.eventfd(0), posix.eventfd(0)];
  posix.close(first);
  t.equal(posix.eventfd(0), first, 'the lowest free number');
  t.same(
    posix.openDescriptors().map(({ fd }) => fd),
    [first, second, third],
  );
  for (const fd of [first, second, third]) posix.close(fd);
  t.end();
});
