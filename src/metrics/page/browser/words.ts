// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** How a state is shown: by its word, a mark with a shape of its own, and a colour. */
export type Mood = 'good' | 'busy' | 'bad' | 'quiet';

const MARKS: Readonly<Record<Mood, string>> = { good: '●', busy: '◐', bad: '▲', quiet: '○' };

export function markOf(mood: Mood): string {
  return MARKS[mood];
}

/** Of a disk's state, as LIST names it. */
export function diskMood(state: string): Mood {
  if (state === 'running') return 'good';
  if (state === 'closed' || state === 'paused') return 'quiet';
  return 'busy';
}

const REPLICATION_MOODS: Readonly<Record<string, Mood>> = {
  protected: 'good',
  backup: 'good',
  'catching-up': 'busy',
};

/** Of a replicated disk's one word. */
export function replicationMood(state: string): Mood {
  return REPLICATION_MOODS[state] ?? 'bad';
}

/** What a disk is called: `data · disk 1`, `Disk 1`. */
export function diskName(minor: number, exportName: string | undefined): string {
  return exportName === undefined ? `Disk ${minor}` : `${exportName} · disk ${minor}`;
}

/** `3 disks`, `1 disk`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Seconds since 1970 as the time of day here, with the date unless it is today's. */
export function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  const clock = time.toLocaleTimeString('en-GB');
  return time.toDateString() === new Date().toDateString()
    ? clock
    : `${time.toLocaleDateString('en-CA')} ${clock}`;
}

/** A time for a person: `0.42 ms`, `12 ms`, `3.1 s`. */
export function shortTime(seconds: number): string {
  if (seconds < 1e-3) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
  if (seconds < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  return `${Number(seconds.toPrecision(3))} s`;
}

/** `1,234`, `12.5`. */
export function shortCount(count: number): string {
  return count >= 100 ? Math.round(count).toLocaleString('en') : String(Number(count.toPrecision(3)));
}
