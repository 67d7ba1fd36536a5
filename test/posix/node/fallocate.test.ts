// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { fallocate } from '../../../src/posix/node/fallocate.js';

t.test('a program that fails, or is not there, makes the call an unsupported one', async (t) => {
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  const tasks = { post: (task: () => void) => task() };
  const range = { offset: 0, length: 512, punchHole: true };
  const results = ['false', 'true', '/nonexistent/fallocate'].map(
    (program) => new Promise<number>((done) => fallocate(tasks, fd, range, done, program)),
  );
  t.same(await Promise.all(results), [-errno.EOPNOTSUPP, 0, -errno.EOPNOTSUPP]);
});
