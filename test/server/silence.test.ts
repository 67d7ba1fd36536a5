// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// When a peer counts as silent; test/transfer/patience.test.ts has it with hosts that are gone.

import t from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPALIVE_PROBES,
  TCP_KEEPIDLE,
} from '../../src/posix/posix.js';
import { Scheduler, TIMEOUT } from '../../src/scheduler/index.js';
import { MIN_SILENCE_SECONDS, probeWhenIdle, SilenceWatch } from '../../src/server/silence.js';
import { ManualClock } from '../control/world.js';
import { MemoryPoller } from '../scheduler/memory-poller.js';

const FD = 7;

/** Notes the options that are set, and says how often the kernel has sent again. */
class NotingPosix extends NodePosix {
  readonly options: number[][] = [];
  sentAgain = 0;

  override setsockopt(fd: number, level: number, option: number, value: number): number {
    this.options.push([fd, level, option, value]);
    return 0;
  }

  override retransmissions(): number {
    return this.sentAgain;
  }
}

const KEPT_ALIVE = [FD, SOL_SOCKET, SO_KEEPALIVE, 1];

/** A watch, the looks of which the test has happen. */
function watch(seconds: number) {
  const clock = new ManualClock();
  const posix = new NotingPosix({ clock });
  const scheduler = new Scheduler({ poller: new MemoryPoller(), clock });
  const state = { silent: 0 };
  const watched = new SilenceWatch({
    registrar: scheduler,
    posix,
    fd: FD,
    seconds,
    onSilent: () => void (state.silent += 1),
  });
  /** Time passes, a second at a time. */
  const pass = async (count: number): Promise<void> => {
    for (; count > 0; count--) {
      clock.seconds += 1;
      await scheduler.waitForEvents();
    }
  };
  return { pass, posix, scheduler, state, watched };
}

t.test('the kernel probes an idle peer so early that it is silent after the time', async (t) => {
  const probed = (seconds: number): number[][] => {
    const posix = new NotingPosix();
    probeWhenIdle(posix, FD, seconds);
    return posix.options;
  };
  const idle = (seconds: number): number[] => [FD, IPPROTO_TCP, TCP_KEEPIDLE, seconds];
  t.same(probed(30), [idle(30 - TCP_KEEPALIVE_PROBES), KEPT_ALIVE]);
  t.same(probed(MIN_SILENCE_SECONDS), [idle(1), KEPT_ALIVE]);
  t.same(probed(1), [idle(1), KEPT_ALIVE], 'not earlier than the kernel can');
  t.same(probed(0), [], '0 leaves it to the kernel');
});

t.test('a peer is silent when all of the time the kernel has had to send again', async (t) => {
  const { pass, posix, scheduler, state, watched } = watch(12);
  t.equal(posix.options.length, 2, 'it is probed when it is idle, too');
  t.match([...scheduler.events()], [{ mode: TIMEOUT, fd: -1, timeoutSeconds: 5 }]);
  await pass(60);
  t.equal(state.silent, 0);
  posix.sentAgain = 1;
  // The first look sees it, and counts the time since the look before.
  await pass(5);
  t.equal(state.silent, 0);
  await pass(5);
  t.equal(state.silent, 0, 'for ten seconds at most so far');
  await pass(5);
  t.equal(state.silent, 1);
  await pass(5);
  t.equal(state.silent, 2, 'each look says so');
  watched[Symbol.dispose]();
  watched[Symbol.dispose]();
  await pass(10);
  t.equal(state.silent, 2);
  t.equal(scheduler.size, 0);
});

t.test('an answer begins the time anew', async (t) => {
  const { pass, posix, state } = watch(10);
  posix.sentAgain = 3;
  await pass(5);
  posix.sentAgain = 0;
  await pass(5);
  posix.sentAgain = 1;
  await pass(5);
  t.equal(state.silent, 0);
  await pass(5);
  t.equal(state.silent, 1);
});

t.test('without a time nothing is watched', async (t) => {
  const { posix, scheduler, watched } = watch(0);
  t.equal(scheduler.size, 0);
  t.same(posix.options, []);
  watched[Symbol.dispose]();
});
