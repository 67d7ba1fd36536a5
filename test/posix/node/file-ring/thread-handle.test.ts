// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { threadStarter } from '../../../../src/posix/node/file-ring/thread-handle.js';

/** Why a thread ended that runs a program. */
function endOf(program: string): Promise<string> {
  const start = threadStarter(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
  return new Promise((resolve) => {
    start({} as never, { onStart() {}, onMessage() {}, onEnd: resolve });
  });
}

t.test('a thread that throws ends with its error, another with its exit code', async (t) => {
  // It holds no process alive, and this test waits for nothing else.
  const alive = setInterval(() => {}, 1000);
  t.equal(await endOf('throw new Error("it is broken")'), 'it is broken');
  t.equal(await endOf('process.exit(7)'), 'exit code 7');
  clearInterval(alive);
});
