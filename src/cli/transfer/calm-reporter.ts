// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { LOG_WARNING, type Priority } from '../../server/logger.js';
import type { TransferEvent } from '../../transfer/transfer-event.js';
import { causeOfLine, Repeats } from '../../server/repeats.js';
import type { Reporter, ReporterOptions } from './reporter.js';

/** What any peer can make happen as often as it likes. */
const ofPeers: ReadonlySet<TransferEvent['event']> = new Set([
  'listening',
  'established',
  'refused',
  'nothing',
  'broken',
]);

/** A backup's reports: of what peers can bring about, a line a second at most for each cause. */
export class CalmReporter implements Reporter {
  readonly #reporter: Reporter;
  readonly #repeats: Repeats;

  constructor(reporter: Reporter, { clock }: Pick<ReporterOptions, 'clock'>) {
    this.#reporter = reporter;
    this.#repeats = new Repeats(clock);
  }

  onEvent(event: TransferEvent): void {
    if (!ofPeers.has(event.event)) {
      this.#repeats.flush(true);
      return this.#reporter.onEvent(event);
    }
    const cause = 'code' in event ? `${event.event} ${event.code}` : event.event;
    return this.#repeats.tell(cause, (leftOut) =>
      this.#reporter.onEvent(leftOut > 0 ? { ...event, leftOut } : event),
    );
  }

  log(priority: Priority, message: string): void {
    if (priority > LOG_WARNING) return this.#reporter.log(priority, message);
    return this.#repeats.tell(`log ${causeOfLine(message)}`, () => this.#reporter.log(priority, message));
  }

  onProgress(): void {
    this.#reporter.onProgress();
  }

  tick(): void {
    this.#repeats.flush(false);
    this.#reporter.tick();
  }

  dump(text: string): void {
    this.#reporter.dump(text);
  }

  end(): void {
    this.#repeats.flush(true);
    this.#reporter.end();
  }
}
