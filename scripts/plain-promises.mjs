// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// tap follows every promise with async hooks, to know to which test an error belongs that nobody awaits. That makes
// promises several times as slow, and a run of the suite a tenth. Loaded before tap, this keeps it from doing so: such an
// error ends the process of the test file with its stack then, and the file fails.

import hooks from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';

const none = {
  enable() {
    return this;
  },
  disable() {
    return this;
  },
};
hooks.createHook = () => none;
syncBuiltinESMExports();
