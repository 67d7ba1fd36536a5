// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, NodePosix, SO_ERROR, SOL_SOCKET } from '../../src/posix/index.js';
import { observedCalls } from '../../src/transfer/observed-calls.js';

t.test('an error of a connect in progress is reported, whatever its number', async (t) => {
  for (const pending of [0, errno.EPERM, errno.ECONNREFUSED]) {
    class Pending extends NodePosix {
      override getsockopt(): number {
        return pending;
      }
    }
    const failed: unknown[] = [];
    const calls = observedCalls(new Pending(), {
      connects() {},
      admits: () => true,
      accepted() {},
      failed: (call, error) => failed.push([call, error]),
    });
    t.equal(calls.getsockopt(3, SOL_SOCKET, SO_ERROR), pending);
    t.same(failed, pending === 0 ? [] : [['connect', pending]]);
    failed.length = 0;
    calls.getsockopt(3, SOL_SOCKET, SO_ERROR + 1);
    t.same(failed, []);
  }
});
