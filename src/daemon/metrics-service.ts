// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DriverTypes, VbdRegistry } from '../disks/index.js';
import { metricsEndpoint } from '../metrics/metrics-endpoint.js';
import { readToken } from '../metrics/http-access.js';
import type { Recording } from '../metrics/recording.js';
import type { Report } from '../metrics/report.js';
import type { SchedulerView } from '../metrics/scheduler-view.js';
import { parseNbdAddress } from '../nbd/index.js';
import { formatAddress } from '../posix/address.js';
import type { Posix } from '../posix/posix.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_WARNING, type Logger } from '../server/logger.js';
import { packageVersion } from '../server/package-file.js';
import type { DaemonOptions } from './daemon-options.js';
import type { NumberedChange } from './replication-control.js';
import { listenAt } from './socket-path.js';

export interface MetricsServiceParts {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  readonly registry: VbdRegistry;
  readonly report: () => Report;
  readonly types: DriverTypes;
  readonly schedulerView: () => SchedulerView;
  readonly recording: Recording;
  readonly changes: () => readonly NumberedChange[];
  readonly exportName: (minor: number) => string | undefined;
  readonly diskUri: (minor: number) => string | undefined;
}

/** What `--metrics` serves: the metrics, and the status page. */
export class MetricsService implements Disposable {
  readonly #options: DaemonOptions;
  readonly #parts: MetricsServiceParts;
  readonly #closing: Disposable[] = [];

  constructor(options: DaemonOptions, parts: MetricsServiceParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * @param text a path or HOST:PORT
   * @returns where it listens
   * @throws (rejects with) Error that says what is not available
   */
  async listen(text: string): Promise<string> {
    const { metricsTokenFile, metricsHosts = [] } = this.#options;
    const token = metricsTokenFile === undefined ? undefined : readToken(metricsTokenFile);
    const page = await this.#page().catch((error: Error) => {
      // Disks and metrics matter more than the page.
      this.#parts.logger.log(LOG_WARNING, `--metrics: no status page: ${error.message}`);
      return undefined;
    });
    const parsed = parseNbdAddress(text);
    const named = typeof parsed === 'object' && 'host' in parsed ? [parsed.host] : [];
    const parts = {
      ...this.#parts,
      hosts: [...named, ...metricsHosts],
      ...(page && { page: page.resources }),
      ...(token !== undefined && { token }),
    };
    return listenAt(this.#parts, 'metrics', text, (address) => {
      const listener = metricsEndpoint(address, parts);
      this.#closing.push(listener);
      return formatAddress(listener.address);
    });
  }

  /** Drops all clients at once. Idempotent. */
  [Symbol.dispose](): void {
    for (const each of this.#closing.splice(0)) each[Symbol.dispose]();
  }

  /** A daemon without a page to serve does not load it. */
  async #page() {
    const { StatusPage } = await import('../metrics/page/status-page.js');
    const { types, exportName, diskUri } = this.#parts;
    const page = new StatusPage({
      ...this.#parts,
      names: { types, exportName, uri: diskUri },
      version: packageVersion(),
    });
    this.#closing.push(page);
    return page;
  }
}
