// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { TransferStatus } from '../../transfer/transfer-status.js';
import { activity, STALL_SECONDS } from '../activity.js';
import { percent } from '../percent.js';
import { formatBytes, formatRate, formatSeconds, formatWait } from '../../server/format.js';
import { progressBar } from './progress-bar.js';

const MIN_BAR = 10;
const MAX_BAR = 30;
const GAP = '  ';

/** What is going on, as one line; with a bar, and no wider than the columns, where they are given. */
export function describeProgress(status: TransferStatus, columns?: number): string {
  const { role, address, peer, phase } = status;
  const where = `${role} ${address}`;
  const doing = activity(phase);
  if (peer === null) return [where, `${doing}${attempt(status)}`].join(GAP).slice(0, columns);
  const facts = [amount(status), ...speed(status)];
  if (columns === undefined) return [where, doing, ...facts].join(GAP);
  for (const start of [[where, doing], [doing]]) {
    const room = columns - [...start, '', ...facts].join(GAP).length;
    if (room < MIN_BAR) continue;
    return [...start, progressBar(Math.min(MAX_BAR, room), status), ...facts].join(GAP);
  }
  return [doing, ...facts].join(GAP).slice(0, columns);
}

function attempt({ role, phase, attempts, attemptSeconds, lastError }: TransferStatus): string {
  if (role === 'backup' || phase === 'ended' || attempts === 0) return '';
  const waited =
    attemptSeconds === null || attemptSeconds < STALL_SECONDS
      ? ''
      : `, no reply for ${formatWait(Math.floor(attemptSeconds))}`;
  return `, attempt ${attempts}${lastError === null ? '' : ` (${lastError})`}${waited}`;
}

function amount({ bytes, totalBytes }: TransferStatus): string {
  if (totalBytes === null) return formatBytes(bytes);
  return `${percent(bytes, totalBytes)}%${GAP}${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
}

/** The current rate with the time that is left, or that has gone by where the end is not known. */
function speed({ phase, bytes, totalBytes, rate, seconds, quietSeconds }: TransferStatus): string[] {
  if (phase !== 'sending' && phase !== 'receiving') return [];
  if (quietSeconds >= STALL_SECONDS) return [`stalled for ${formatWait(Math.floor(quietSeconds))}`];
  if (totalBytes === null) return [formatRate(rate), formatSeconds(seconds)];
  if (rate === 0) return [formatRate(rate)];
  return [formatRate(rate), `${formatWait(Math.ceil(Math.max(0, totalBytes - bytes) / rate))} left`];
}
