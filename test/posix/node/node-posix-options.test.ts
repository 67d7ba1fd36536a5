// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { NodePosix } from '../../../src/posix/index.js';
import { withDefaults } from '../../../src/posix/node/node-posix-options.js';

t.test('an option out of its range is refused by its name', async (t) => {
  for (const name of ['maxDescriptors', 'receiveBufferBytes', 'sendBufferBytes', 'lingerSeconds']) {
    for (const bad of [0, -1, 1.5, Number.NaN, Infinity, '5']) {
      t.throws(() => new NodePosix({ [name]: bad }), {
        name: 'RangeError',
        message: new RegExp(`^${name} must be a`),
      });
    }
    const least = name === 'maxDescriptors' ? 3 : 1;
    t.ok(new NodePosix({ [name]: least }));
    t.throws(() => new NodePosix({ [name]: least - 1 }), { name: 'RangeError' });
  }
});

t.test('what is not given has its default', async (t) => {
  t.match(withDefaults({}), {
    maxDescriptors: 1024,
    receiveBufferBytes: 256 << 10,
    sendBufferBytes: 128 << 10,
    lingerSeconds: 60,
  });
});
