// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { LATENCY_BOUNDS_SECONDS, REQUEST_KINDS } from '../disks/index.js';
import { family, type Sample } from './prometheus-family.js';
import { replicationFamilies } from './prometheus-replication.js';
import type { Report, VbdReport } from './report.js';

/** The content type of the text format. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A report in Prometheus's text exposition format, version 0.0.4. */
export function prometheusText(report: Report): string {
  const { scheduler, loopLag, vbds } = report;
  const lag = [
    ['', { quantile: '0.5' }, loopLag.p50Seconds],
    ['', { quantile: '0.99' }, loopLag.p99Seconds],
    ['', { quantile: '1' }, loopLag.maxSeconds],
  ] as const;
  return [
    ...gauge('uptime_seconds', 'Seconds since the daemon started.', report.uptimeSeconds),
    ...(report.residentBytes === undefined
      ? []
      : gauge('resident_bytes', 'Memory of the process.', report.residentBytes)),
    ...gauge('descriptors', 'Open descriptors.', report.descriptors),
    ...gauge('control_connections', 'Open control connections.', report.connections.control),
    ...counter('control_connections_total', 'Control connections.', report.connections.controlAccepted),
    ...gauge('nbd_connections', 'Open NBD connections.', report.connections.nbd),
    ...gauge('scheduler_events', 'Registered events.', scheduler.events),
    ...counter('scheduler_events_registered_total', 'Events ever registered.', scheduler.registered),
    ...counter('scheduler_callbacks_total', 'Callbacks called.', scheduler.callbacks),
    ...counter('scheduler_callback_seconds_total', 'Time spent in callbacks.', scheduler.callbackSeconds),
    ...gauge(
      'scheduler_slowest_callback_seconds',
      'The longest callback since the start.',
      scheduler.slowestCallback?.seconds ?? 0,
    ),
    ...family('loop_lag_seconds', 'gauge', 'How late the event loop came round, since the start.', lag),
    ...family('vbd_info', 'gauge', 'What it was opened with; 1.', vbds.map(info)),
    ...each('vbd_state', 'gauge', 'State bits, as LIST shows them.', vbds, ({ state }) => state),
    ...each('vbd_sectors', 'gauge', 'Size in sectors of 512 bytes.', vbds, ({ sectors }) => sectors),
    ...each('vbd_in_flight', 'gauge', 'Requests that the driver has.', vbds, ({ inFlight }) => inFlight),
    ...each('vbd_waiting', 'gauge', 'Requests that wait for the driver.', vbds, ({ waiting }) => waiting),
    ...each(
      'vbd_retries_total',
      'counter',
      'Repeated tries of busy requests.',
      vbds,
      ({ retries }) => retries,
    ),
    ...kinds('vbd_requests_total', 'Completed requests.', vbds, 'completed'),
    ...kinds('vbd_request_errors_total', 'Requests that completed with an error.', vbds, 'failed'),
    ...kinds('vbd_bytes_total', 'Bytes of requests that completed well.', vbds, 'bytes'),
    ...family('vbd_request_seconds', 'histogram', 'From queueing to completion.', vbds.flatMap(latencies)),
    ...replicationFamilies(vbds),
    '',
  ].join('\n');
}

function gauge(name: string, help: string, value: number): string[] {
  return family(name, 'gauge', help, [['', {}, value]]);
}

function counter(name: string, help: string, value: number): string[] {
  return family(name, 'counter', help, [['', {}, value]]);
}

/** The name stands apart: with it in every series, a resume under another name would begin all of them again. */
function info({ minor, name }: VbdReport): Sample {
  return ['', { minor, name }, 1];
}

/** A sample a VBD. */
function each(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  vbds: readonly VbdReport[],
  value: (vbd: VbdReport) => number,
): string[] {
  const samples = vbds.map((vbd): Sample => ['', { minor: vbd.minor }, value(vbd)]);
  return family(name, type, help, samples);
}

/** A sample a VBD and kind of request. */
function kinds(
  name: string,
  help: string,
  vbds: readonly VbdReport[],
  field: 'completed' | 'failed' | 'bytes',
): string[] {
  const samples = vbds.flatMap((vbd) =>
    REQUEST_KINDS.map((kind): Sample => ['', { minor: vbd.minor, kind }, vbd.kinds[kind][field]]),
  );
  return family(name, 'counter', help, samples);
}

/** The buckets are cumulative here, as Prometheus wants them. */
function latencies({ minor, kinds: measured }: VbdReport): Sample[] {
  return REQUEST_KINDS.flatMap((kind) => {
    const { latencyBuckets, latencySumSeconds, completed } = measured[kind];
    let sum = 0;
    const buckets = [...LATENCY_BOUNDS_SECONDS, '+Inf'].map((le, index): Sample => {
      sum += latencyBuckets[index] as number;
      return ['_bucket', { minor, kind, le }, sum];
    });
    return [...buckets, ['_sum', { minor, kind }, latencySumSeconds], ['_count', { minor, kind }, completed]];
  });
}
