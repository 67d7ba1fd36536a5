// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { AF_UNIX } from '../../src/posix/index.js';
import { POLL_READ_FD } from '../../src/scheduler/index.js';
import { Acceptor } from '../../src/server/acceptor.js';
import { nullLogger, TapdiskServer } from '../../src/server/index.js';
import { shortDirectory } from '../short-directory.js';

t.test('without room it does not accept until there is room', async (t) => {
  await using server = new TapdiskServer({ logger: nullLogger });
  const { posix } = server;
  const path = join(shortDirectory(t), 's');
  let places = 0;
  const accepted: number[] = [];
  const acceptor = Acceptor.listen(
    { family: AF_UNIX, path },
    {
      registrar: server,
      posix,
      logger: nullLogger,
      name: 'test',
      backlog: 8,
      room: () => places,
      onConnection: (fd) => void accepted.push(fd),
    },
  );
  if (typeof acceptor === 'number') throw new Error(`listen: ${acceptor}`);
  const looks = (): boolean => [...server.scheduler.events()].some(({ mode }) => mode === POLL_READ_FD);
  const client = connect(path);
  await once(client, 'connect');
  t.ok(looks());
  while (looks()) await server.iterate();
  t.same(accepted, []);
  places = 1;
  acceptor.resume();
  t.ok(looks());
  while (accepted.length === 0) await server.iterate();
  acceptor[Symbol.dispose]();
  for (const fd of accepted) posix.close(fd);
  client.destroy();
  t.same(posix.openDescriptors(), []);
});
