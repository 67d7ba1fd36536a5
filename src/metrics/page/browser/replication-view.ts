// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatBytes, formatRate, formatSeconds } from '../../../server/format.js';
import type { ReplicationPart } from '../wire.js';
import { Amount } from './amount.js';
import { Chart } from './chart.js';
import { element, setText } from './elements.js';
import { Facts } from './facts.js';
import { StateMark } from './mark.js';
import type { Series } from './series.js';
import { counted, diskName, replicationMood, timeText } from './words.js';

/** A replicated disk: one word and why, what to type next, and how far the other side lags behind. */
export class ReplicationView {
  readonly root: HTMLElement;
  readonly #name = element('h3');
  readonly #state = new StateMark();
  readonly #reason = element('p', { class: 'reason' });
  readonly #command = element('code', { class: 'command', tabindex: '0', 'aria-label': 'Next command' });
  readonly #next = element('p', { class: 'next' }, 'Next: ', this.#command);
  readonly #facts = new Facts();
  readonly #journal = new Amount('Journal');
  readonly #resync = new Amount('Resync');
  readonly #rpo = new Chart({
    title: 'RPO',
    lines: [['rpoSeconds', 'would be lost']],
    format: formatSeconds,
    atLeast: 2,
  });
  readonly #series: Series;

  constructor(minor: number, series: Series) {
    this.#series = series;
    const head = element('div', { class: 'head' }, this.#name, this.#state.root);
    const amounts = element('div', { class: 'amounts' }, this.#resync.root, this.#journal.root);
    const words = element('div', {}, head, this.#reason, this.#next, amounts, this.#facts.root);
    this.root = element(
      'article',
      { class: 'card replication', id: `replication-${minor}` },
      words,
      this.#rpo.root,
    );
  }

  set(part: ReplicationPart, at: number, exportName: string | undefined): void {
    setText(this.#name, diskName(part.minor, exportName));
    this.#state.set(part.paused ? `${part.state}, paused` : part.state, replicationMood(part.state));
    setText(this.#reason, `${part.reason} (since ${timeText(part.sinceSeconds)})`);
    this.#next.hidden = part.nextCommand === null;
    setText(this.#command, part.nextCommand ?? '');
    this.#facts.set({
      Role: part.role,
      Peer: peerText(part),
      Checkpoint: checkpointText(part),
      Open: formatBytes(part.openBytes),
      Dirty: formatBytes(part.dirtyBytes),
      'Waiting to be sent': formatBytes(part.queuedBytes),
      'Last verification': verifyText(part),
      'Last error': part.lastError ?? undefined,
    });
    const { journalUsedBytes: used, journalLimitBytes: limit } = part;
    this.#journal.set(limit === 0 ? 0 : used / limit, `${formatBytes(used)} of ${formatBytes(limit)}`);
    const { resync } = part;
    this.#resync.root.hidden = resync === null;
    if (resync) this.#resync.set(resync.bytes / Math.max(resync.totalBytes, 1), resyncText(resync));
    this.#rpo.show(this.#series, at);
  }
}

function peerText({ connection, peerAddress, peerKind, address, tls }: ReplicationPart): string {
  if (connection !== 'established' || peerAddress === null) return `${connection} (${address})`;
  return `${peerAddress}${peerKind === 'c' ? ', C driver' : ''}, ${tls ? 'TLS' : 'no TLS'}`;
}

function checkpointText({ epochCommitted, epochSent, failedCheckpoints }: ReplicationPart): string {
  const sent = epochSent === epochCommitted ? '' : `, ${epochSent} sent`;
  const failed = failedCheckpoints === 0 ? '' : `, ${failedCheckpoints} failed`;
  return `${epochCommitted} committed${sent}${failed}`;
}

function verifyText({ verifiedAtSeconds, verifyDifferences }: ReplicationPart): string {
  if (verifiedAtSeconds === null) return 'never in this run';
  const differed =
    verifyDifferences === 0 ? 'no difference' : `${counted(verifyDifferences, 'sector')} differed`;
  return `${timeText(verifiedAtSeconds)}, ${differed}`;
}

function resyncText(resync: NonNullable<ReplicationPart['resync']>): string {
  const { bytes, totalBytes, bytesPerSecond, secondsLeft, waitingFor } = resync;
  const done = `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  if (waitingFor !== null) return `${done}, waits for ${waitingFor}`;
  const left = secondsLeft === null ? '' : `, ${formatSeconds(secondsLeft)} left`;
  return `${done}, ${formatRate(bytesPerSecond)}${left}`;
}
