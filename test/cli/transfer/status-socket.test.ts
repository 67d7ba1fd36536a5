// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t from 'tap';
import { startStatusServer } from '../../../src/cli/transfer/status-socket.js';
import { NodePosix } from '../../../src/posix/index.js';
import { bench } from '../../disks/bench.js';
import { shortDirectory } from '../../short-directory.js';

class FaultyPosix extends NodePosix {
  override socket(): never {
    throw new TypeError('a fault');
  }
}

t.test('a fault in a status server is not reported as a socket that is missing', async (t) => {
  const path = join(shortDirectory(t), 'status');
  const { server: registrar } = bench(t);
  const logger = { log: () => {} };
  const options = { registrar, posix: new FaultyPosix(), logger, role: 'backup', path, status: () => ({}) };
  await t.rejects(startStatusServer(options), { name: 'TypeError', message: 'a fault' });
});
