// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { alignedLines } from '../../server/text-table.js';
import { formatBytes, formatRate, formatSeconds } from '../format.js';

type Row = readonly string[];
const headings: Row = [
  'ROLE',
  'PID',
  'ADDRESS',
  'STATE',
  'DOING',
  'TRIED',
  'BYTES',
  'RATE',
  'FOR',
  'DONE',
  'FILE',
];
/** Columns of numbers are aligned on the right. */
const numeric = new Set([1, 5, 6, 7, 8, 9]);

/** Statuses, as they came from other programs, in a table for a person. */
export function statusText(statuses: readonly object[]): string {
  const table = [headings, ...statuses.map((status) => row(status as Record<string, unknown>))];
  return `${alignedLines(table, numeric).join('\n')}\n`;
}

function row(status: Record<string, unknown>): Row {
  return [
    text(status['role']),
    text(status['pid']),
    text(status['address']),
    text(status['state']),
    text(status['phase']),
    text(status['attempts']),
    number(status['bytes'], formatBytes),
    number(status['rate'], formatRate),
    number(status['seconds'], formatSeconds),
    text(status['transfers']),
    text(status['file']),
  ];
}

/** A member as it can be shown: whoever serves the socket chose it, and control characters would reach the terminal. */
function text(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value.replaceAll(/\p{Cc}+/gu, '?') : '-';
}

function number(value: unknown, format: (value: number) => string): string {
  return typeof value === 'number' ? format(value) : '-';
}
