// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { TransferEvent } from '../../transfer/transfer-event.js';
import type { TransferStatus } from '../../transfer/transfer-status.js';
import { formatBytes, formatRate, formatSeconds } from '../format.js';

/** What has happened, as a line for a person. */
export function describeEvent(role: TransferStatus['role'], event: TransferEvent): string {
  switch (event.event) {
    case 'listening':
      return `waiting for a primary on ${event.address}`;
    case 'connecting':
      return `connecting to ${event.address}`;
    case 'retrying':
      return `the backup is not there (${event.message}); trying again every second`;
    case 'turned-away':
      return `${event.message}; trying again`;
    case 'established':
      return role === 'primary' ? `connected to ${event.peer}` : `connected from ${event.peer}`;
    case 'complete':
      return `${describeComplete(role, event)}\nSHA-256 ${event.sha256}`;
    case 'nothing':
      return `${event.peer} sent nothing`;
    case 'broken':
      return `broken off after ${formatBytes(event.bytes)}, nothing is kept: ${event.message}`;
    case 'failed':
      return `failed: ${event.message}`;
    case 'stopped':
      return `stopped by ${event.signal}`;
  }
}

function describeComplete(
  role: TransferStatus['role'],
  { bytes, seconds, rate, confirmed, file }: Extract<TransferEvent, { event: 'complete' }>,
): string {
  const done = role === 'primary' ? `sent ${file}` : `received, written to ${file}`;
  const amount = `${done}: ${bytes} bytes (${formatBytes(bytes)}) in ${formatSeconds(seconds)}, ${formatRate(rate)}`;
  if (confirmed) return amount;
  return role === 'primary'
    ? `${amount}\nnote: the backup is another program, and did not confirm that it has the image`
    : `${amount}\nnote: the primary sent raw, so that the end of the connection was taken for the end of the image`;
}

/** What is going on, as one line for a terminal. */
export function describeProgress(status: TransferStatus): string {
  const { role, address, peer, phase, attempts, lastError, bytes, totalBytes, rate, seconds } = status;
  const start = `${role} ${address}  ${phase}`;
  if (peer === null) {
    if (role === 'backup' || attempts === 0) return start;
    return `${start}, attempt ${attempts}${lastError === null ? '' : ` (${lastError})`}`;
  }
  const share = totalBytes === null ? '' : ` of ${formatBytes(totalBytes)}, ${percent(bytes, totalBytes)} %`;
  return `${start}  ${formatBytes(bytes)}${share}  ${formatRate(rate)}  ${formatSeconds(seconds)}`;
}

function percent(bytes: number, total: number): number {
  return Math.min(100, Math.floor((100 * bytes) / total));
}
