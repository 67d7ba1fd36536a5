// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { NbdClient } from '../../src/nbd/index.js';
import { AF_INET } from '../../src/posix/address.js';
import { errno } from '../../src/posix/errno.js';
import { NodePosix } from '../../src/posix/index.js';
import { Scheduler } from '../../src/scheduler/index.js';
import { SILENCE_SECONDS } from '../../src/server/silence.js';
import { ManualClock } from '../control/world.js';
import { MemoryPoller } from '../scheduler/memory-poller.js';

const FD = 7;

/** A connection to a host that is gone: the kernel sends again and again. */
class GoneHost extends NodePosix {
  sentAgain = 1;
  readonly closed: number[] = [];

  override socket(): number {
    return FD;
  }
  override connect(): number {
    return -errno.EINPROGRESS;
  }
  override setsockopt(): number {
    return 0;
  }
  override retransmissions(): number {
    return this.sentAgain;
  }
  override close(fd: number): number {
    this.closed.push(fd);
    return 0;
  }
}

t.test('a client gives up a server whose host leaves what was sent unanswered', async (t) => {
  const clock = new ManualClock();
  const posix = new GoneHost({ clock });
  const scheduler = new Scheduler({ poller: new MemoryPoller(), clock });
  const address = { family: AF_INET, address: '192.0.2.1', port: 10_809 } as const;
  let lost: unknown;
  const connecting = NbdClient.connect({ registrar: scheduler, posix, address }).catch((error: unknown) => {
    lost = error;
  });
  const pass = async (seconds: number): Promise<void> => {
    for (; seconds > 0; seconds--) {
      clock.seconds += 1;
      await scheduler.waitForEvents();
    }
  };
  await pass(SILENCE_SECONDS / 2);
  posix.sentAgain = 0;
  await pass(2 * SILENCE_SECONDS);
  t.equal(lost, undefined, 'one that answers, however late, is waited for');
  posix.sentAgain = 1;
  await pass(SILENCE_SECONDS + 5);
  await connecting;
  t.match(lost, { code: 'ETIMEDOUT', message: /^cannot use the NBD server at 192.0.2.1:10809/ });
  t.same(posix.closed, [FD]);
  t.same([...scheduler.events()], []);
});
