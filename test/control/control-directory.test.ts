// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { controlDirectory } from '../../src/cli/control-values.js';
import { defaultControlDirectory } from '../../src/control/control-directory.js';

t.test('root’s control directory is that of the C programs', async (t) => {
  t.equal(defaultControlDirectory(0, '/run/user/0'), '/var/run/blktap-control');
});

t.test('other users’ control directory is in their runtime directory, or must be given', async (t) => {
  t.equal(defaultControlDirectory(1000, '/run/user/1000'), '/run/user/1000/blktap-control');
  t.equal(defaultControlDirectory(1000, ''), undefined);
});

t.test('without a default directory one must be given', async (t) => {
  t.equal(
    controlDirectory('/here', () => undefined),
    '/here',
  );
  t.equal(
    controlDirectory(undefined, () => '/there'),
    '/there',
  );
  t.throws(() => controlDirectory(undefined, () => undefined), /missing --control-directory/);
});
