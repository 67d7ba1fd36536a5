// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { shortDirectory } from '../short-directory.js';
import { DaemonChild } from './daemon-child.js';

t.test(
  'a daemon that could not close a disk without an error ends with 1, and closes the others',
  async (t) => {
    for (const [disk, status] of [
      ['unclosable:', 1],
      ['ram:1', 0],
    ] as const) {
      const child = new DaemonChild(t, [
        ...['--control-directory', shortDirectory(t), '--disk', `0=${disk}`, '--disk', '1=ram:1'],
      ]);
      await child.ready();
      child.kill('SIGTERM');
      t.equal(await child.exit(), status, disk);
      t.match(child.stderr, /vbd 1: closed ram:1/);
      t.equal(/vbd 0: closing unclosable: failed: .*it will not close/.test(child.stderr), status === 1);
      const lines = child.stderr.split('\n').filter((line) => line.includes('failed'));
      t.equal(lines.length, status, 'one line for one fault');
    }
  },
);
