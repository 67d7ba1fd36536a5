// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Member } from './member.js';

/** Checks what every vector has that runs on a scheduler which counts seconds. */
export function checkTimed(vector: Member): void {
  vector.get('clock').number();
  if (vector.get('uuid').present) vector.get('uuid').integer(0);
  checkLimit(vector);
}

export function checkLimit(vector: Member): void {
  if (vector.get('limit').present) vector.get('limit').integer(1);
}
