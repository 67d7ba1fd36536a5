// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { getEventListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loader, moduleUrl } from '../../scripts/program.js';
import { whenAborted } from '../../src/posix/when-aborted.js';
import { run } from '../programs.js';

t.test('all users of a signal are called once, in order, and leave no listener', async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: string[] = [];
  const forgets = ['a', 'b', 'c'].map((name) => whenAborted(signal, () => told.push(name)));
  t.equal(getEventListeners(signal, 'abort').length, 1);
  forgets[1]?.();
  forgets[1]?.();
  controller.abort();
  t.strictSame(told, ['a', 'c']);
  const other = new AbortController();
  whenAborted(other.signal, () => told.push('d'))();
  t.equal(getEventListeners(other.signal, 'abort').length, 0);
  other.abort();
  t.strictSame(told, ['a', 'c']);
});

t.test('a handler that throws does not prevent the others from being called', async (t) => {
  const controller = new AbortController();
  const told: string[] = [];
  whenAborted(controller.signal, () => {
    throw new Error('thrown');
  });
  whenAborted(controller.signal, () => told.push('b'));
  const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
  controller.abort();
  t.strictSame(told, ['b']);
  t.match(await uncaught, { message: 'thrown' });
});

t.test('twenty uses of one signal and twelve servers cause no warning of leaks', async (t) => {
  const program = join(t.testdir(), 'uses.mjs');
  writeFileSync(
    program,
    `
    import { TapdiskServer } from '${moduleUrl('src/server/tapdisk-server.ts')}';
    import { connectReplica } from '${moduleUrl('src/replication/connect-replica.ts')}';
    import { serveReplica } from '${moduleUrl('src/replication/serve-replica.ts')}';
    const controller = new AbortController();
    const { signal } = controller;
    const logger = { log() {} };
    const servers = Array.from({ length: 12 }, () => new TapdiskServer({ logger }));
    const runs = servers.map((server) => server.run({ signal }));
    const ends = [];
    for (let count = 0; count < 20; count++) {
      const server = servers[count % servers.length];
      ends.push(server.sleep(1000, { signal }));
      ends.push(serveReplica(server, { host: '127.0.0.1', port: 0, signal }));
      ends.push(connectReplica(server, { host: '127.0.0.1', port: 1, signal }));
    }
    setTimeout(() => controller.abort(), 100);
    await Promise.allSettled([...runs, ...ends]);
    process.exit();`,
  );
  const { status, stderr } = await run(process.execPath, [...loader, program]);
  t.equal(status, 0, stderr);
  t.notMatch(stderr, /MaxListenersExceededWarning/);
});
