// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SocketAddress } from '../posix/address.js';
import type { Posix } from '../posix/posix.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { ExchangeListener } from '../server/exchange-listener.js';
import type { Logger } from '../server/logger.js';
import { type HttpDocument, type HttpResources, type HttpStream, httpProtocol } from './http.js';
import { accessBy } from './http-access.js';
import { hostsOf } from './http-host.js';
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus.js';
import type { Report } from './report.js';

/** How many connections to the endpoint there may be at once. */
export const MAX_METRICS_CONNECTIONS = 16;
/** A client that sends or takes nothing for this long is dropped. */
export const SLOW_METRICS_CLIENT_SECONDS = 5;

/**
 * Serves `/metrics` over HTTP, and what else is given, until it is disposed of.
 *
 * @throws Error with an errno's name as `code` when the address cannot be listened on
 */
export function metricsEndpoint(
  address: SocketAddress,
  parts: {
    readonly registrar: EventRegistrar;
    readonly posix: Posix;
    readonly logger: Logger;
    readonly report: () => Report;
    /** Names that requests may be for, beside the address (see hostsOf). */
    readonly hosts?: readonly string[];
    /** The status page, by path. */
    readonly page?: HttpResources;
    /** Required of every client; none if omitted. */
    readonly token?: string;
  },
): ExchangeListener {
  const body = (): string => prometheusText(parts.report());
  const resources = new Map<string, HttpDocument | HttpStream>(parts.page);
  resources.set('/metrics', { contentType: PROMETHEUS_CONTENT_TYPE, body });
  const access = parts.token === undefined ? undefined : accessBy(parts.token);
  return new ExchangeListener(address, {
    ...parts,
    protocol: httpProtocol(resources, hostsOf(address, parts.hosts ?? []), access),
    name: 'metrics',
    maxConnections: MAX_METRICS_CONNECTIONS,
    slowClientSeconds: SLOW_METRICS_CLIENT_SECONDS,
    // A scrape sends its request at once: a client that has not is worth less than the next one.
    collectingStaySeconds: 0,
  });
}
