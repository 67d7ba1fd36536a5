// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventPart, SchedulerPart } from '../wire.js';
import { element } from './elements.js';
import { Facts } from './facts.js';
import { Table } from './table.js';
import { counted, shortCount, shortTime, timeText } from './words.js';

const TRACE_SECONDS = 10;

/** The scheduler: how busy it is, what held it up, and what it waits for. */
export class SchedulerView {
  readonly #facts = new Facts();
  readonly #slowest = new Table<number>('Slowest callbacks of the last minutes', [
    { name: 'Took', isNumber: true },
    { name: 'Event', isNumber: true },
    { name: 'Mode' },
    { name: 'Descriptor', isNumber: true },
    { name: 'Ended' },
  ]);
  readonly #events = new Table<number>('Events', [
    { name: 'Event', isNumber: true },
    { name: 'Mode' },
    { name: 'Descriptor', isNumber: true },
    { name: 'What it is for' },
    { name: 'Timeout', isNumber: true },
    { name: 'Due in', isNumber: true },
    { name: 'Masked' },
  ]);
  readonly #filter = element('input', {
    type: 'search',
    id: 'event-filter',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  readonly #trace = element(
    'a',
    { href: `trace.json?seconds=${TRACE_SECONDS}`, download: 'tapdisk-ts-trace.json' },
    `Download the last ${TRACE_SECONDS} s as a trace for Perfetto`,
  );
  #shown: readonly EventPart[] = [];
  #registered = 0;
  #at = 0;

  constructor(parent: Element) {
    const label = element('label', { for: 'event-filter' }, 'Filter by any of its columns');
    const search = element('div', { class: 'filter' }, label, this.#filter);
    const trace = element('p', {}, this.#trace);
    const left = element('div', {}, this.#facts.root, trace, this.#slowest.root);
    parent.append(
      element('div', { class: 'card scheduler' }, left, element('div', {}, search, this.#events.root)),
    );
    this.#filter.addEventListener('input', () => this.#list());
  }

  /** @param at now, in seconds since 1970 */
  set(part: SchedulerPart, events: readonly EventPart[], at: number): void {
    this.#facts.set({
      'Callbacks a second': shortCount(part.callbacksPerSecond),
      'Time in callbacks': `${(100 * part.busy).toFixed(1)} %`,
      Events: shortCount(part.events),
      'Loop lag, p50': shortTime(part.lagP50Seconds),
      'Loop lag, p99': shortTime(part.lagP99Seconds),
      'Loop lag, most': shortTime(part.lagMaxSeconds),
      Scheduler: part.dialect,
    });
    this.#slowest.set(
      part.slowest.map(({ seconds, eventId, mode, fd, atSeconds }, rank) => [
        rank,
        [shortTime(seconds), String(eventId), mode, descriptorText(fd), timeText(atSeconds)],
      ]),
    );
    this.#at = at;
    this.#shown = events;
    this.#registered = part.events;
    this.#list();
  }

  #list(): void {
    const wanted = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.#shown
      .map((event) => [event.id, rowOf(event, this.#at)] as const)
      .filter(([, texts]) => {
        const text = texts.join(' ').toLowerCase();
        return wanted.every((word) => text.includes(word));
      });
    const all =
      this.#shown.length < this.#registered
        ? `${this.#registered}, the first ${this.#shown.length} here`
        : '';
    const of =
      wanted.length > 0
        ? `${rows.length} of ${counted(this.#shown.length, 'event')}`
        : counted(rows.length, 'event');
    this.#events.set(rows, all === '' ? of : `${of} (${all})`);
  }
}

function rowOf(event: EventPart, now: number): string[] {
  const { id, mode, fd, purpose, timeoutSeconds, dueAt, masked } = event;
  const modes = mode.replaceAll('|', ' | ');
  const due = typeof dueAt === 'number' ? dueAt - Math.floor(now) : dueAt;
  return [
    String(id),
    modes,
    descriptorText(fd),
    purpose,
    spanText(timeoutSeconds),
    spanText(due),
    masked ? 'masked' : '',
  ];
}

/** Of no descriptor: -1, or null. */
function descriptorText(fd: number | null): string {
  return fd === null || fd < 0 ? '' : String(fd);
}

function spanText(seconds: number | string | null): string {
  if (seconds === null) return '';
  return typeof seconds === 'number' ? `${Number(seconds.toFixed(3))} s` : seconds;
}
