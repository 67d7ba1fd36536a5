// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno, NodePosix } from '../../src/posix/index.js';
import { listeningBackup, primaryOn, serverTest } from './world.js';

/** The first accepts fail. */
class FailingAccepts extends NodePosix {
  readonly failures = [-errno.EAGAIN, -errno.EMFILE];

  override accept(fd: number): number {
    return this.failures.shift() ?? super.accept(fd);
  }
}

serverTest(
  'an accept that fails is logged, one that finds nobody is not, and the next is taken',
  async (t, server) => {
    const lines: string[] = [];
    const logger = { log: (_: number, line: string) => void lines.push(line) };
    const { backup, address } = await listeningBackup(server, { once: true, logger });
    const { primary } = primaryOn(server, { name: address });
    await Promise.all([primary.start(), primary.ended, backup.ended]);
    const told = lines.filter((line) => line.startsWith('cannot accept'));
    t.same(told, ['cannot accept a connection: too many open files']);
  },
  new FailingAccepts(),
);
