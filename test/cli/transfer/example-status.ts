// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { TransferStatus } from '../../../src/transfer/transfer-status.js';

/** The status of a primary that has just begun. */
export const status: TransferStatus = {
  role: 'primary',
  pid: 7,
  state: 'in_progress',
  phase: 'connecting',
  address: '127.0.0.1:9',
  peer: null,
  attempts: 0,
  lastError: null,
  transfers: 0,
  bytes: 0,
  totalBytes: null,
  rate: 0,
  seconds: 0,
  quietSeconds: 0,
  attemptSeconds: null,
  uptimeSeconds: 0,
  file: 'image',
};
