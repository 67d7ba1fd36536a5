// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { FlushGroup } from '../../../src/disks/drivers/flush-group.js';
import type { Done } from '../../../src/disks/index.js';
import { errno } from '../../../src/posix/index.js';

t.test('a flush covers all who asked before it began', async (t) => {
  const syncs: Done[] = [];
  const group = new FlushGroup((done) => syncs.push(done));
  const results: string[] = [];
  const flush = (name: string): void => group.flush((result) => results.push(`${name} ${result}`));
  flush('a');
  flush('b');
  flush('c');
  t.equal(syncs.length, 1);
  syncs[0]?.(0);
  t.same([results, syncs.length], [['a 0'], 2]);
  flush('d');
  syncs[1]?.(0);
  t.same([results, syncs.length], [['a 0', 'b 0', 'c 0'], 3]);
  syncs[2]?.(-errno.EIO);
  flush('e');
  t.same([results.slice(3), syncs.length], [['d -5', 'e -5'], 3], 'a failure is remembered');
});
