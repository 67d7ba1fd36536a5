// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SYSTEM_ERRORS, type Equivalents } from './shared.js';

export const control: Equivalents = {
  'src/control/requests.ts': [
    [
      'if (!(error instanceof SystemError)) throw error;',
      'if (!(error instanceof SystemError)) ;',
      SYSTEM_ERRORS,
    ],
  ],
};
