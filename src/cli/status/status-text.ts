// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { activity, STALL_SECONDS } from '../activity.js';
import { formatBytes, formatRate, formatWait } from '../../server/format.js';
import { percent } from '../percent.js';
import { type Clip, tableText } from '../table-text.js';

type Row = readonly string[];
type Members = Readonly<Record<string, unknown>>;

const headings: Row = ['ROLE', 'PID', 'ADDRESS', 'ACTIVITY', 'PROGRESS', 'RATE', 'FILE'];
const rightAligned = new Set([1, 5]);
/** The file first, then the address, then what other programs may have made long. */
const clipped = new Map<number, Clip>([
  [6, { minWidth: 8, keep: 'end' }],
  [2, { minWidth: 12, keep: 'end' }],
  [3, { minWidth: 12, keep: 'start' }],
  [4, { minWidth: 15, keep: 'start' }],
  [0, { minWidth: 7, keep: 'start' }],
]);

/** Statuses, as they came from other programs, in a table for a person. */
export function statusText(statuses: readonly object[], width: number): string {
  return tableText([headings, ...statuses.map((status) => row(status as Members))], {
    rightAligned,
    clipped,
    width,
  });
}

function row(status: Members): Row {
  const isMoving = status['phase'] === 'sending' || status['phase'] === 'receiving';
  return [
    text(status['role']),
    text(status['pid']),
    text(status['address']),
    typeof status['phase'] === 'string' ? activity(status['phase']) : '-',
    progress(status),
    isMoving && typeof status['rate'] === 'number' ? rate(status['rate'], status['quietSeconds']) : '-',
    text(status['file']),
  ];
}

function rate(bytesPerSecond: number, quietSeconds: unknown): string {
  if (typeof quietSeconds !== 'number' || quietSeconds < STALL_SECONDS) return formatRate(bytesPerSecond);
  return `stalled ${formatWait(Math.floor(quietSeconds))}`;
}

/** Of the image while there is a connection, else of the work to get one. */
function progress({ role, peer, bytes, totalBytes, attempts, transfers }: Members): string {
  if (typeof peer === 'string' && typeof bytes === 'number') {
    if (typeof totalBytes !== 'number' || totalBytes <= 0) return formatBytes(bytes);
    return `${formatBytes(bytes)}, ${percent(bytes, totalBytes)}%`;
  }
  if (role === 'primary' && typeof attempts === 'number') return counted(attempts, 'attempt');
  if (role === 'backup' && typeof transfers === 'number') return counted(transfers, 'image');
  return '-';
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** A member as it can be shown. */
function text(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : '-';
}
