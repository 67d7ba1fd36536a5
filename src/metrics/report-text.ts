// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { LATENCY_BOUNDS_SECONDS, REQUEST_KINDS, type KindSnapshot } from '../disks/index.js';
import { shownText } from '../server/shown-text.js';
import type { Report, VbdReport } from './report.js';

/** A report for a person to read: lines, in which text from outside is shown as shownText has it. */
export function reportText(report: Report): string {
  const { connections, scheduler, loopLag, vbds, residentBytes } = report;
  const resident = residentBytes === undefined ? 'memory unknown' : `${mebibytes(residentBytes)} resident`;
  return [
    `pid ${report.pid}, up ${Math.floor(report.uptimeSeconds)} s, ${resident}, ` +
      `${report.descriptors} descriptors, ${connections.control} control and ${connections.nbd} NBD connections`,
    `  scheduler: ${scheduler.events} events, ${scheduler.callbacks} callbacks in ${scheduler.callbackSeconds.toFixed(3)} s${slowest(report)}`,
    `  loop lag: median ${milliseconds(loopLag.p50Seconds)}, 99 % ${milliseconds(loopLag.p99Seconds)}, at most ${milliseconds(loopLag.maxSeconds)}`,
    ...vbds.flatMap(vbdLines),
    '',
  ]
    .map(shownText)
    .join('\n');
}

function slowest({ scheduler: { slowestCallback } }: Report): string {
  if (!slowestCallback) return '';
  const { seconds, mode, fd, eventId } = slowestCallback;
  return `, the slowest ${milliseconds(seconds)} (${mode} of event ${eventId}, descriptor ${fd})`;
}

function vbdLines(vbd: VbdReport): string[] {
  const used = REQUEST_KINDS.filter((kind) => vbd.kinds[kind].completed > 0);
  return [
    `  vbd ${vbd.minor} ${vbd.phase}${vbd.name && ` ${vbd.name}`}, ${vbd.sectors} sectors, ` +
      `${vbd.inFlight} in flight, ${vbd.waiting} waiting, ${vbd.retries} retries`,
    ...used.map((kind) => `    ${kind}: ${kindText(vbd.kinds[kind])}`),
  ];
}

function kindText(kind: KindSnapshot): string {
  const { completed, failed, bytes, latencySumSeconds } = kind;
  const bound = boundOfMost(kind);
  const most = bound === undefined ? '' : `, 99 % within ${milliseconds(bound)}`;
  return `${completed} (${failed} failed), ${mebibytes(bytes)}, mean ${milliseconds(latencySumSeconds / completed)}${most}`;
}

/** The smallest bound within which 99 of 100 requests completed; undefined when that is beyond all of them. */
function boundOfMost({ completed, latencyBuckets }: KindSnapshot): number | undefined {
  let sum = 0;
  return LATENCY_BOUNDS_SECONDS.find((_, index) => {
    sum += latencyBuckets[index] as number;
    return sum >= 0.99 * completed;
  });
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function milliseconds(seconds: number): string {
  return `${Number((1000 * seconds).toPrecision(3))} ms`;
}
