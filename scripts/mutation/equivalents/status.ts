// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { GETUID, type Equivalents } from './shared.js';

export const status: Equivalents = {
  'src/status/status-client.ts': [
    [
      'const answer = Buffer.alloc(MAX_ANSWER_BYTES + 1);',
      'const answer = Buffer.alloc(MAX_ANSWER_BYTES + 2);',
      'One byte beyond the limit shows that a reply is too long, and so do two.',
    ],
  ],
  'src/status/status-directory.ts': [
    ['return process.getuid?.() ?? 0;', 'return process.getuid?.();', GETUID],
    ['return process.getuid?.() ?? 0;', 'return process.getuid?.() ?? 1;', GETUID],
  ],
};
