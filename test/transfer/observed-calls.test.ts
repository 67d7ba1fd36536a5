// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  AF_INET,
  errno,
  F_GETFL,
  F_SETFL,
  NodePosix,
  O_NONBLOCK,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/posix/index.js';
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

t.test('an accept that fails is reported, and is no connection', async (t) => {
  class Failing extends NodePosix {
    override accept(): number {
      return -errno.EMFILE;
    }
  }
  const seen: unknown[] = [];
  const calls = observedCalls(new Failing(), {
    connects() {},
    admits: (fd) => seen.push(`admits ${fd}`) > 0,
    accepted: (fd) => void seen.push(`accepted ${fd}`),
    failed: (call, error) => seen.push([call, error]),
  });
  t.equal(calls.accept(3), -errno.EMFILE);
  t.same(seen, [['accept', errno.EMFILE]]);
});

t.test('the flags of a descriptor are those that the system has', async (t) => {
  const posix = new NodePosix();
  const calls = observedCalls(posix, {
    connects() {},
    admits: () => true,
    accepted() {},
    failed: () => t.fail('nothing fails'),
  });
  const fd = calls.socket(AF_INET, SOCK_STREAM, 0);
  t.equal(calls.fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  t.equal(calls.bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 }), 0);
  t.equal(calls.fcntl(fd, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
  t.equal(calls.close(fd), 0);
});
