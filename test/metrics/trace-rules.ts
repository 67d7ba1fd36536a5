// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';

/** An entry of a trace, as a reader of the trace event format takes it. */
export interface ReadTraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly cat?: string;
  readonly ts: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Holds a document to the trace event format's published rules, as far as they concern the phases in use, and returns its entries
 * without those that only give names.
 *
 * Beyond what the format asks for, entries must come in the order of their times, and complete ones must lie within each other or apart.
 */
export function checkedTrace(t: Test, text: string): readonly ReadTraceEvent[] {
  const document = JSON.parse(text) as { traceEvents: Record<string, unknown>[]; displayTimeUnit: string };
  t.ok(['ms', 'ns'].includes(document.displayTimeUnit), 'the time unit is one of the two that there are');
  const events = document.traceEvents;
  const named = events.filter(({ ph }) => ph === 'M');
  t.same(
    named.map(({ name }) => name),
    ['process_name', 'thread_name'],
    'the process and the thread have names',
  );
  const problems = events.flatMap((event) => problemsOf(event).map((problem) => ({ problem, event })));
  t.strictSame(problems, [], 'every entry is as its phase wants it');
  const timed = events.filter(({ ph }) => ph !== 'M') as unknown as ReadTraceEvent[];
  t.strictSame(
    timed.map(({ ts }) => ts),
    timed.map(({ ts }) => ts).toSorted((one, other) => one - other),
    'times never go back',
  );
  const ends: number[] = [];
  for (const { ph, ts, dur = 0, name } of timed) {
    if (ph !== 'X') continue;
    while ((ends.at(-1) ?? Infinity) <= ts) ends.pop();
    if (ts + dur > (ends.at(-1) ?? Infinity)) t.fail(`${name} at ${ts} ends after what it lies in`);
    ends.push(ts + dur);
  }
  return timed;
}

function problemsOf(event: Record<string, unknown>): string[] {
  const problems: string[] = [];
  const { name, ph, ts, dur, pid, tid, s, args, cat } = event;
  if (typeof name !== 'string' || name === '') problems.push('no name');
  if (!Number.isInteger(pid) || !Number.isInteger(tid)) problems.push('no pid or tid');
  if (args !== undefined && (typeof args !== 'object' || args === null)) problems.push('args are no object');
  if (cat !== undefined && typeof cat !== 'string') problems.push('the category is no text');
  const isTime = (value: unknown): boolean => typeof value === 'number' && value >= 0;
  if (ph === 'M') {
    if (typeof (args as { name?: unknown } | undefined)?.name !== 'string')
      problems.push('a name without a name');
    return problems;
  }
  if (!isTime(ts)) problems.push('no time');
  if (ph === 'X') {
    if (!isTime(dur)) problems.push('no duration');
  } else if (ph === 'i') {
    if (!['g', 'p', 't'].includes(s as string)) problems.push('an instant without a scope');
  } else problems.push(`an unknown phase ${String(ph)}`);
  return problems;
}
