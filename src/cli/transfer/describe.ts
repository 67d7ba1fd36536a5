// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { withLeftOut } from '../../server/repeats.js';
import { shownText } from '../../server/shown-text.js';
import type { TransferEvent } from '../../transfer/transfer-event.js';
import type { ReportedEvent } from './reporter.js';
import type { TransferStatus } from '../../transfer/transfer-status.js';
import { formatBytes, formatRate, formatSeconds } from '../../server/format.js';

/** An event, in lines for a person. */
export function describeEvent(role: TransferStatus['role'], reported: ReportedEvent): string {
  return withLeftOut(describeOne(role, reported), reported.leftOut ?? 0);
}

function describeOne(role: TransferStatus['role'], reported: TransferEvent): string {
  const event = shown(reported);
  switch (event.event) {
    case 'listening':
      return `waiting for a primary on ${event.address}`;
    case 'connecting':
      return `connecting to ${event.address}`;
    case 'retrying':
      return event.address === undefined
        ? `backup not available (${event.message}); retrying every second`
        : `backup not available at ${event.address} (${event.message}); trying its addresses in turn`;
    case 'turned-away':
      return `${event.message}; retrying`;
    case 'established':
      return role === 'primary' ? `connected to ${event.peer}` : `connected from ${event.peer}`;
    case 'complete':
      return `${describeComplete(role, event)}\nSHA-256 ${event.sha256}`;
    case 'refused':
      return `${event.peer} was rejected: its address is not allowed`;
    case 'nothing':
      return `${event.peer} sent nothing`;
    case 'broken':
      return `transfer broke after ${formatBytes(event.bytes)}, nothing was kept: ${event.message}`;
    case 'failed':
      return `failed: ${event.message}`;
    case 'stopped':
      return `stopped by ${event.signal}`;
  }
}

/** The event with its texts as they can be shown: some are the peer's. */
function shown<Event extends object>(event: Event): Event {
  const members = Object.entries(event).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? shownText(value) : value,
  ]);
  return Object.fromEntries(members) as Event;
}

function describeComplete(
  role: TransferStatus['role'],
  { bytes, seconds, rate, confirmed, file }: Extract<TransferEvent, { event: 'complete' }>,
): string {
  const done = role === 'primary' ? `sent ${file}` : `received, written to ${file}`;
  const amount = `${done}: ${bytes} bytes (${formatBytes(bytes)}) in ${formatSeconds(seconds)}, ${formatRate(rate)}`;
  if (confirmed) return amount;
  return role === 'primary'
    ? `${amount}\nnote: the backup is another program and did not confirm the image`
    : `${amount}\nnote: the primary sent raw: the end of the connection counted as the end of the image`;
}
