// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Vbd } from '../../disks/index.js';
import type { Posix } from '../../posix/posix.js';
import { AwaitedEvent } from '../../scheduler/awaited-event.js';
import { TIMEOUT } from '../../scheduler/event.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import { LOG_ERR, type Logger } from '../../server/logger.js';
import type { HttpDocument, HttpResources, HttpStream } from '../http.js';
import type { Recording } from '../recording.js';
import { type Report, type VbdReport, vbdReport } from '../report.js';
import { DiskHistory } from './disk-history.js';
import { pageFiles } from './page-files.js';
import { PageParts, type PageSources } from './page-parts.js';
import { membersText, messageText, PartChanges, type PartTexts } from './part-changes.js';
import { StreamedAnswers } from './streamed-answers.js';
import { MAX_DOWNLOADS, traceDownload } from './trace-download.js';

/** The interval of measurements and page updates, in seconds. */
const INTERVAL_SECONDS = 1;
/** How many pages may be open at once. */
export const MAX_PAGES = 32;
const JSON_TYPE = 'application/json';

export interface StatusPageOptions extends PageSources {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** Of the disks of the registry as they are. */
  readonly report: () => Report;
  /** Of what the scheduler does: on while a page is open. */
  readonly recording: Recording;
}

/**
 * The status page: what is under `/`, and what it requests. Once created, it measures every disk once a second, so that a page
 * that is opened shows the last ten minutes. While no page is open that is all it does.
 */
export class StatusPage implements Disposable {
  readonly resources: HttpResources;
  readonly #options: StatusPageOptions;
  /** By disk, not by its minor number: the next disk with that number starts its counts at 0. */
  readonly #histories = new WeakMap<Vbd, DiskHistory>();
  readonly #parts: PageParts;
  readonly #changes = new PartChanges();
  readonly #streams: StreamedAnswers;
  readonly #downloads: StreamedAnswers;
  #recorded: Disposable | undefined;
  readonly #timer: AwaitedEvent;

  constructor(options: StatusPageOptions) {
    this.#options = options;
    this.#parts = new PageParts(options);
    this.#streams = new StreamedAnswers({
      ...options,
      limit: MAX_PAGES,
      onNone: () => this.#stopRecording(),
    });
    this.#downloads = new StreamedAnswers({ ...options, limit: MAX_DOWNLOADS });
    this.#timer = new AwaitedEvent(options.registrar, 'status page, each second');
    const events: HttpStream = {
      contentType: 'text/event-stream',
      begin: (reply, head) => (this.#streams.add(reply, () => this.#first(head)) ? 200 : 503),
    };
    this.resources = new Map<string, HttpDocument | HttpStream>([
      ...pageFiles(),
      ['/events', events],
      ['/snapshot.json', { contentType: JSON_TYPE, body: () => this.#snapshot() }],
      ['/history.json', { contentType: JSON_TYPE, body: (query) => this.#history(query.get('minor')) }],
      ['/trace.json', traceDownload(options.recording, this.#downloads)],
    ]);
    this.#tick();
    // One event for good, so that the table of events does not fill up with this page's own.
    const result = this.#timer.set(TIMEOUT, -1, INTERVAL_SECONDS, () => this.#tick());
    if (result < 0) options.logger.log(LOG_ERR, 'metrics: the status page is not updated: no events left');
  }

  /** Measures no more, and drops every page. Idempotent. */
  [Symbol.dispose](): void {
    this.#timer.clear();
    this.#streams[Symbol.dispose]();
    this.#downloads[Symbol.dispose]();
  }

  #stopRecording(): void {
    this.#recorded?.[Symbol.dispose]();
    this.#recorded = undefined;
  }

  #tick(): void {
    const { posix, registry } = this.#options;
    const at = posix.clock.now();
    // Without a page only the disks' part of a report is needed.
    const report = this.#streams.size > 0 ? this.#options.report() : undefined;
    this.#measure(at, report?.vbds ?? registry.vbds().map(vbdReport));
    if (!report) return;
    const { set, gone } = this.#changes.update(this.#texts(at, report));
    this.#streams.sendAll(Buffer.from(messageText('change', at, set, gone)));
  }

  #measure(at: number, reports: readonly VbdReport[]): void {
    for (const own of reports) {
      const vbd = this.#options.registry.get(own.minor) as Vbd;
      const history = this.#histories.get(vbd) ?? new DiskHistory();
      this.#histories.set(vbd, history);
      history.take(at, vbd.latencyCounts(), own);
    }
  }

  /** What a new page gets; all pages have the same parts from then on. */
  #first(head: Buffer): Buffer {
    this.#recorded ??= this.#options.recording.hold();
    const at = this.#options.posix.clock.now();
    // The others get what is new at the next tick: until then they keep to the parts that they were sent.
    const parts = this.#streams.size > 1 ? this.#changes.parts : this.#texts(at);
    this.#changes.update(parts);
    return Buffer.concat([head, Buffer.from(messageText('snapshot', at, parts))]);
  }

  #snapshot(): string {
    const at = this.#options.posix.clock.now();
    return `{"at":${at.toFixed(1)},${membersText(this.#texts(at))}}\n`;
  }

  #history(minor: string | null): string | undefined {
    const vbd =
      minor !== null && /^\d{1,5}$/.test(minor) ? this.#options.registry.get(Number(minor)) : undefined;
    const known = vbd && this.#histories.get(vbd);
    return known && JSON.stringify(known.history(vbd.minor));
  }

  #texts(at: number, report = this.#options.report()): PartTexts {
    return this.#parts.texts(at, report, this.#histories, this.#streams.size);
  }
}
