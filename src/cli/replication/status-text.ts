// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isoTime } from '../../posix/clock.js';
import type { ReplicationStatus } from '../../replication/disk/status.js';
import { formatBytes, formatRate, formatSeconds } from '../../server/format.js';
import { percent } from '../percent.js';

/** A replicated disk, with where it is. */
export type PlacedStatus = ReplicationStatus & { readonly pid: number; readonly minor: number };

const NAME_WIDTH = 12;

/** Everything known of a disk, for a terminal of the given width in columns. */
export function statusLines(status: PlacedStatus, columns: number): string[] {
  const { state, reason, nextCommand, pid, minor } = status;
  const rows: (readonly [name: string, value: string])[] = [
    ['why', reason],
    ...(nextCommand === null ? [] : ([['next', nextCommand]] as const)),
    ['role', `${status.role}${status.paused ? ', paused' : ''}, ${status.address}`],
    ['peer', peerText(status)],
    ['checkpoint', checkpointText(status)],
    ['RPO', status.rpoSeconds === null ? 'not known' : formatSeconds(status.rpoSeconds)],
    ['open', `${formatBytes(status.openBytes)}, ${formatBytes(status.dirtyBytes)} dirty`],
    ['journal', `${formatBytes(status.journalUsedBytes)} of ${formatBytes(status.journalLimitBytes)}`],
    ...(status.resync === null ? [] : ([['resync', resyncText(status.resync)]] as const)),
    ['verify', verifyText(status)],
    ...(status.lastError === null ? [] : ([['last error', status.lastError]] as const)),
  ];
  return [
    `disk ${minor} of daemon ${pid}: ${state}`,
    ...rows.flatMap(([name, value]) => wrapped(`  ${name.padEnd(NAME_WIDTH)}`, value, columns)),
  ];
}

/** A disk in one line, for a watch. */
export function statusLine(status: PlacedStatus, columns: number): string {
  const { minor, state, rpoSeconds, openBytes, dirtyBytes, resync } = status;
  const rpo = rpoSeconds === null ? 'RPO not known' : `RPO ${formatSeconds(rpoSeconds)}`;
  const parts = [
    `disk ${minor} ${state}`,
    rpo,
    `open ${formatBytes(openBytes)}`,
    `dirty ${formatBytes(dirtyBytes)}`,
  ];
  if (resync !== null) parts.push(`resync ${percent(resync.bytes, resync.totalBytes)} %`);
  return parts.join(', ').slice(0, columns);
}

function peerText({ connection, peerAddress, peerKind, peerVersion, tls }: PlacedStatus): string {
  if (connection !== 'established' || peerAddress === null) return connection;
  const kind =
    peerKind === 'c'
      ? 'C driver: done means received'
      : `own${peerVersion === null ? '' : ` ${peerVersion}`}`;
  return `${peerAddress} (${kind}), ${tls ? 'TLS' : 'no TLS'}`;
}

function checkpointText({ epochCommitted, epochSent, generation, failedCheckpoints }: PlacedStatus): string {
  const sent = epochSent === epochCommitted ? '' : `, ${epochSent} sent`;
  const failed = failedCheckpoints === 0 ? '' : `, ${failedCheckpoints} failed`;
  return `${epochCommitted} committed${sent}${failed}, generation ${generation ?? 'none'}`;
}

function resyncText({
  bytes,
  totalBytes,
  bytesPerSecond,
  secondsLeft,
  waitingFor,
}: NonNullable<PlacedStatus['resync']>): string {
  if (waitingFor !== null) return `waits for ${waitingFor}`;
  const left = secondsLeft === null ? '' : `, ${formatSeconds(secondsLeft)} left`;
  const share = `${percent(bytes, totalBytes)} %`;
  return `${share}: ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${formatRate(bytesPerSecond)}${left}`;
}

function verifyText({ verifiedAtSeconds, verifyDifferences }: PlacedStatus): string {
  if (verifiedAtSeconds === null) return 'never in this run';
  return `${isoTime(verifiedAtSeconds)}, ${verifyDifferences} sectors differed`;
}

/** A value that may take several lines, each after the first as far in as the first. */
function wrapped(start: string, value: string, columns: number): string[] {
  const width = Math.max(20, columns - start.length);
  const lines: string[] = [];
  let line = '';
  for (const word of value.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((text, index) => `${index === 0 ? start : ' '.repeat(start.length)}${text}`);
}
