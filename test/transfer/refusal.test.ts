// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../src/posix/index.js';
import { CallFault } from '../../src/testing/index.js';
import { Refusal } from '../../src/transfer/refusal.js';
import { failingRegistrar } from '../failing-calls.js';
import { everything, foreignPrimary } from './foreign.js';
import { listeningBackup, serverTest } from './world.js';

serverTest('a refusal without an event to wait with ends at once', async (t, server) => {
  const { posix } = server;
  const fd = posix.eventfd();
  let ends = 0;
  const refusal = new Refusal({
    registrar: failingRegistrar(server, new CallFault({ nth: 1, error: errno.EBUSY })),
    posix,
    fd,
    onEnd: () => (ends += 1),
  });
  t.equal(ends, 1);
  refusal.stop();
  t.equal(posix.close(fd), 0);
});

serverTest('a refused primary gets the whole refusal before its time is over', async (t, server) => {
  const { backup, address } = await listeningBackup(server, { acceptsRaw: false });
  const socket = await foreignPrimary(address);
  socket.write('raw');
  t.match(String(await everything(socket)), /^error EPROTO .*\n$/);
  t.equal(backup.status().phase, 'refusing');
  await backup.stop('SIGTERM');
  socket.destroy();
});
