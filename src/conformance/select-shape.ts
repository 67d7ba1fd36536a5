// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { scriptedErrno } from './error-names.js';
import type { Member } from './member.js';

const SETS = ['read', 'write', 'except'] as const;

/** Checks what select returns in a wait. */
export function checkSelectScript(script: Member): void {
  script.only([...SETS, 'elapse', 'errno']);
  for (const set of SETS) {
    if (script.get(set).present) for (const fd of script.get(set).array()) fd.integer();
  }
  if (script.get('elapse').present) script.get('elapse').number();
  const errno = script.get('errno');
  if (errno.present && scriptedErrno(errno.string('an errno name')) === undefined)
    errno.fail('an errno name');
}
