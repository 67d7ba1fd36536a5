// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { connectionState } from '../../src/transfer/transfer-status.js';

t.test('a status of the connect module has a name, and an invalid one is shown as such', async (t) => {
  t.same([0, 1, 2, 3, 4, -1].map(connectionState), [
    'none',
    'in_progress',
    'established',
    'closed',
    'corrupted',
    'corrupted',
  ]);
});
