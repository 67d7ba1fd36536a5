// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import type { ObserverList } from './combined-observer.js';
import { Ring } from './ring.js';
import { EntryObserver, type SchedulerEntry } from './scheduler-entry.js';
import { traceEvent, traceNames, traceRemark } from './trace-event.js';
import { traceClock } from './trace-observer.js';

/** A recording goes back at most this many seconds. */
export const MAX_RECORDED_SECONDS = 60;
/** It keeps at most this many entries, the latest ones: some 10 MB while it is on. */
export const MAX_RECORDED_ENTRIES = 65_536;
/** Its text comes in pieces of this many entries, some 40 kB each, so that none holds up the event loop. */
const PIECE_ENTRIES = 256;

/** What a recording is made of. */
export interface RecordingOptions {
  readonly clock: Clock;
  /** The process's name in a viewer, as `tapdisk-ts daemon 4711`. */
  readonly name: string;
  /** {@link MAX_RECORDED_ENTRIES} unless given. */
  readonly maxEntries?: number;
}

/**
 * Records what a scheduler does, from the first hold until the last one is released.
 *
 *     off --hold--> on --the last hold is released--> off, with nothing kept
 *
 * While it is off it costs nothing: it is not among the scheduler's observers then.
 */
export class Recording {
  readonly #observers: ObserverList;
  readonly #options: RecordingOptions;
  #holds = 0;
  #run: Run | undefined;

  /** @param observers the scheduler's; it joins them while it is on */
  constructor(observers: ObserverList, options: RecordingOptions) {
    this.#observers = observers;
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#run !== undefined;
  }

  /** Turns it on, if it is not. It stays on until all that hold it have disposed of what this returns. */
  hold(): Disposable {
    this.#run ??= new Run(this.#observers, this.#options);
    this.#holds += 1;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#holds -= 1;
        if (this.#holds > 0) return;
        this.#run?.[Symbol.dispose]();
        this.#run = undefined;
      },
    };
  }

  /**
   * What was recorded, as a JSON document of the trace event format, for Perfetto and chrome://tracing: its entries are in the
   * order of their beginnings. It is of the moment of the call, however slowly it is read.
   *
   * @param seconds how far it goes back, {@link MAX_RECORDED_SECONDS} at most
   * @returns its text in pieces; undefined while it is off
   */
  trace(seconds = MAX_RECORDED_SECONDS): Iterable<string> | undefined {
    return this.#run?.trace(Math.min(seconds, MAX_RECORDED_SECONDS));
  }
}

/** One span of time in which a recording is on. */
class Run implements Disposable {
  readonly #name: string;
  readonly #now: () => number;
  readonly #ring: Ring<SchedulerEntry>;
  readonly #observer: EntryObserver;
  readonly #place: Disposable;

  constructor(observers: ObserverList, { clock, name, maxEntries = MAX_RECORDED_ENTRIES }: RecordingOptions) {
    this.#name = name;
    this.#now = traceClock(clock);
    this.#ring = new Ring(maxEntries);
    this.#observer = new EntryObserver(this.#now, (entry) => this.#ring.add(entry));
    this.#place = observers.add(this.#observer);
  }

  trace(seconds: number): Iterable<string> {
    const start = this.#now() - seconds * 1e6;
    const kept = this.#ring.list();
    const isCut = this.#ring.dropped > 0 && endOf(kept[0] as SchedulerEntry) >= start;
    const entries = [...kept.filter((entry) => endOf(entry) >= start), ...this.#observer.underWay()];
    entries.sort(byBeginning);
    const names = traceNames(this.#name);
    const [first] = entries as [SchedulerEntry];
    const remarks = isCut ? [traceRemark(`only the last ${kept.length} entries were kept`, first.at)] : [];
    return traceText([...names, ...remarks], entries);
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }
}

function* traceText(head: readonly object[], entries: readonly SchedulerEntry[]): Generator<string> {
  yield `{"displayTimeUnit":"ms","traceEvents":[\n${head.map((event) => JSON.stringify(event)).join(',\n')}`;
  for (let index = 0; index < entries.length; index += PIECE_ENTRIES) {
    const piece = entries.slice(index, index + PIECE_ENTRIES);
    yield piece.map((entry) => `,\n${JSON.stringify(traceEvent(entry))}`).join('');
  }
  yield '\n]}\n';
}

function endOf(entry: SchedulerEntry): number {
  return 'duration' in entry ? entry.at + entry.duration : entry.at;
}

/** What holds others comes before them. */
function byBeginning(one: SchedulerEntry, other: SchedulerEntry): number {
  return one.at - other.at || endOf(other) - endOf(one);
}
