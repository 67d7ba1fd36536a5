// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../posix/posix.js';
import { type EventDescription, modeName, TIMEOUT } from '../scheduler/event.js';
import { alignedLines } from './text-table.js';

/**
 * The tables of events and descriptors as text, a line each, for a person to read.
 *
 * @param nowSeconds what deadlines are counted from: whole seconds with tapdisk2's scheduler
 */
export function dumpTables(
  events: Iterable<EventDescription>,
  descriptors: ReturnType<Posix['openDescriptors']>,
  nowSeconds: number,
): string {
  const eventRows = [...events].map(({ id, mode, fd, timeoutSeconds, deadlineSeconds }) => [
    String(id),
    modeName(mode),
    String(fd),
    mode & TIMEOUT ? spanText(timeoutSeconds) : '-',
    mode & TIMEOUT ? dueText(deadlineSeconds - nowSeconds) : '-',
  ]);
  const descriptorRows = descriptors.map(({ fd, description }) => [String(fd), description]);
  return [
    `${eventRows.length} events`,
    ...formatTable(['id', 'mode', 'fd', 'timeout', 'due'], eventRows),
    `${descriptorRows.length} descriptors`,
    ...formatTable(['fd', 'what'], descriptorRows),
    '',
  ].join('\n');
}

function dueText(seconds: number): string {
  return Number.isFinite(seconds) ? `in ${spanText(seconds)}` : 'never';
}

/** Seconds, to the millisecond. */
function spanText(seconds: number): string {
  return Number.isFinite(seconds) ? `${Number(seconds.toFixed(3))} s` : 'infinite';
}

/** The rows under their headings in aligned columns, indented; nothing when there are no rows. */
function formatTable(headings: string[], rows: string[][]): string[] {
  if (rows.length === 0) return [];
  return alignedLines([headings, ...rows]).map((line) => `  ${line}`);
}
