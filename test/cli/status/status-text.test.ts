// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { statusText } from '../../../src/cli/status/status-text.js';

t.test('what another program answers is shown as far as it makes sense', async (t) => {
  const [, strange, ...more] = statusText([{ role: ['x'], pid: 7, address: 'a\u001B[31mb', bytes: 'many' }])
    .trimEnd()
    .split('\n');
  t.match(strange, /^- +7 +a\?\[31mb +- +- +- +- +- +- +- +-$/);
  t.same(more, []);
});
