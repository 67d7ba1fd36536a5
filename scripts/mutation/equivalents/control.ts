// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SYSTEM_ERRORS, type Equivalents } from './shared.js';

export const control: Equivalents = {
  'src/control/control-client.ts': [
    [
      'request.setParameters(0, text),',
      'request.setParameters(1, text),',
      'A request about replicated disks has no flags: nobody looks at them.',
    ],
  ],
  'src/control/requests.ts': [
    [
      'if (!(error instanceof SystemError)) throw error;',
      'if (!(error instanceof SystemError)) ;',
      SYSTEM_ERRORS,
    ],
  ],
};
