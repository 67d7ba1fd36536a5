// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import type { SelectSets } from '../../src/posix/posix.js';
import { ControlConnection } from '../../src/control/control-connection.js';
import { ControlMessage } from '../../src/control/message.js';

const SHORT_SECONDS = 0.05;

async function peer(t: Test, onConnection: (socket: Socket) => void): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'ctl-'));
  const server = createServer((socket) => onConnection(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(join(directory, 's'), resolve));
  t.teardown(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  return join(directory, 's');
}

async function connected(t: Test, posix: NodePosix, path: string): Promise<ControlConnection> {
  const connection = await ControlConnection.open(posix, path, SHORT_SECONDS);
  if (typeof connection === 'number') throw new Error(`open answered ${connection}`);
  t.teardown(() => connection[Symbol.dispose]());
  return connection;
}

t.test('a daemon that never replies causes a timeout', async (t) => {
  const sockets: Socket[] = [];
  const path = await peer(t, (socket) => sockets.push(socket));
  const connection = await connected(t, new NodePosix(), path);
  t.equal(await connection.send(ControlMessage.create(3, 0)), 0);
  t.equal(await connection.receive(), -errno.ETIMEDOUT);
  for (const socket of sockets) socket.destroy();
});

t.test('a daemon that does not read is given up', async (t) => {
  const sockets: Socket[] = [];
  const path = await peer(t, (socket) => sockets.push(socket.pause()));
  const connection = await connected(t, new NodePosix(), path);
  let result = 0;
  while (result === 0) result = await connection.send(ControlMessage.create(3, 0));
  t.equal(result, -errno.ETIMEDOUT);
  for (const socket of sockets) socket.destroy();
});

t.test('an answer received in pieces is put together', async (t) => {
  const bytes = ControlMessage.create(4, 0).setPid(77).bytes;
  const path = await peer(t, (socket) => {
    socket.write(bytes.subarray(0, 100));
    socket.once('data', () => socket.end(bytes.subarray(100)));
  });
  const connection = await connected(t, new NodePosix(), path);
  const answer = connection.receive();
  await connection.send(ControlMessage.create(3, 0));
  const message = await answer;
  t.equal(typeof message === 'number' ? message : message.pid, 77);
});

t.test('an answer that ends before it is whole is an invalid one', async (t) => {
  for (const bytes of [0, 100, 279]) {
    const path = await peer(t, (socket) => socket.end(Buffer.alloc(bytes)));
    const connection = await connected(t, new NodePosix(), path);
    t.equal(await connection.receive(), -errno.EPROTO, `${bytes} bytes`);
  }
});

t.test('a failed connect leaves no descriptor open', async (t) => {
  const posix = new NodePosix({ maxDescriptors: 4 });
  t.equal(await ControlConnection.open(posix, '/nonexistent/socket', 1), -errno.ENOENT);
  t.strictSame(posix.openDescriptors(), []);
  const path = await peer(t, () => {});
  await connected(t, posix, path);
  t.equal(await ControlConnection.open(posix, path, 1), -errno.EMFILE);
});

/** A clock that only waiting to read moves, by a second each time: something seems to be there then. */
class DrippingPosix extends NodePosix {
  readonly passed: { seconds: number };

  constructor() {
    const passed = { seconds: 0 };
    super({ clock: { now: () => passed.seconds } });
    this.passed = passed;
  }

  override select(sets: SelectSets, timeoutSeconds: number): Promise<Required<SelectSets> | number> {
    if (!sets.read) return super.select(sets, timeoutSeconds);
    this.passed.seconds += 1;
    return Promise.resolve({ read: sets.read, write: [], except: [] });
  }
}

t.test('a request ends after 30 s however slow it is, or when one of its steps times out', async (t) => {
  const sockets: Socket[] = [];
  const path = await peer(t, (socket) => sockets.push(socket));
  for (const [stepSeconds, wholeSeconds] of [
    [2, 30],
    [600, 600],
  ] as const) {
    const posix = new DrippingPosix();
    const connection = await ControlConnection.open(posix, path, stepSeconds);
    if (typeof connection === 'number') throw new Error(`open answered ${connection}`);
    t.equal(await connection.receive(), -errno.ETIMEDOUT);
    t.equal(posix.passed.seconds, wholeSeconds);
    connection[Symbol.dispose]();
  }
  for (const socket of sockets) socket.destroy();
});
