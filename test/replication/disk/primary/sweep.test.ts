// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import type { Done } from '../../../../src/replication/disk/local-disk.js';
import { sweepWhenDurable } from '../../../../src/replication/disk/primary/sweep.js';

/** A sweep whose steps a test ends. */
function sweeping() {
  const waiting: Record<string, Done> = {};
  const state = { isCurrent: true, sweeps: 0 };
  const primary = { flush: (done: Done) => (waiting.flush = done), sweep: () => (state.sweeps += 1) };
  const metadata = { settle: (done: Done) => (waiting.settle = done) };
  sweepWhenDurable(primary as never, metadata as never, () => state.isCurrent);
  return { waiting, state };
}

t.test('bits fall once the image is synced, and then the metadata are durable', async (t) => {
  const { waiting, state } = sweeping();
  t.same([Object.keys(waiting), state.sweeps], [['flush'], 0]);
  waiting.flush?.(0);
  t.same([Object.keys(waiting), state.sweeps], [['flush', 'settle'], 0]);
  waiting.settle?.(0);
  t.equal(state.sweeps, 1);
});

t.test('they stay if either fails, or the role is another one by then', async (t) => {
  const first = sweeping();
  first.waiting.flush?.(-errno.EIO);
  t.same([Object.keys(first.waiting), first.state.sweeps], [['flush'], 0]);
  const second = sweeping();
  second.waiting.flush?.(0);
  second.waiting.settle?.(-errno.EIO);
  t.equal(second.state.sweeps, 0);
  const third = sweeping();
  third.waiting.flush?.(0);
  third.state.isCurrent = false;
  third.waiting.settle?.(0);
  t.equal(third.state.sweeps, 0);
});
