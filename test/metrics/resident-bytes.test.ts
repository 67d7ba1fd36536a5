// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { residentBytes } from '../../src/metrics/resident-bytes.js';

t.test('the memory of a process is what the system says, or unknown if the system call fails', async (t) => {
  const failing = (error: Error) => (): never => {
    throw error;
  };
  t.equal(
    residentBytes(() => 4096),
    4096,
  );
  t.ok((residentBytes() ?? 0) > 1 << 20);
  const noDescriptor = Object.assign(new Error('too many open files'), { syscall: 'uv_resident_set_memory' });
  t.equal(residentBytes(failing(noDescriptor)), undefined);
  t.throws(() => residentBytes(failing(new Error('a fault of ours'))), { message: 'a fault of ours' });
});
