// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile, type Mutant } from './mutant.js';
import { BY, PRIMARY_MUTANTS } from './primary-mutants.js';

/** Small ways to break the engine of replicated disks; the rules are the promises of docs/replication-protocol.md. */
export const REPLICATION_MUTANTS: readonly Mutant[] = [
  ...inFile(
    'replication/disk/journal/journal.ts',
    [
      [
        'Q2',
        'writes the marker before the records are synced',
        'this.#sync(first, () => this.#sync(second, () => this.#mark(last)));',
        'this.#mark(last);',
      ],
      [
        'Q2',
        'syncs the first file only',
        'this.#sync(first, () => this.#sync(second, () => this.#mark(last)));',
        'this.#sync(first, () => this.#mark(last));',
      ],
      [
        'Q2',
        'syncs while records are on their way',
        'for (const issue of this.#outstanding.keys()) if (issue <= last.issued) return;',
        '',
      ],
      ['Q1', 'reuses a segment that is still needed', '!live.includes(file)', 'file !== this.#current'],
      [
        'Q1',
        'takes the first live segment for free',
        'segment >= this.#firstLive && segment <= newest',
        'segment > this.#firstLive && segment <= newest',
      ],
      [
        'Q1',
        'marks what came after the commit',
        'const marker: Marker = { ...facts, segment: file.segment, sequence: this.#sequence, at };',
        'const marker: Marker = { ...facts, segment: file.segment, sequence: this.#sequence, at: at.end > 0 ? file.at : at };',
      ],
      [
        'Q1',
        'numbers markers anew after a restart',
        'this.#sequence = start.sequence;',
        'this.#sequence = Math.min(start.sequence, 0);',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/journal/recover.ts',
    [
      [
        'Q1',
        'forgets the segment before',
        'if (previous.end !== NOTHING.end && segment > firstLive) {',
        'if (firstLive < 0) {',
      ],
      ['Q9', 'does not check the table of a record', 'hasTableCrc(record, tableCrc) ?', 'tableCrc >= 0 ?'],
      ['Q1', 'goes on at the start of a recovered segment', '  current.at = marker.at;\n', ''],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/journal/record.ts',
    [
      [
        'Q9',
        'does not check the data of a record',
        'if (!isZero && crc32(record.subarray(dataAt, end)) !== crc) return undefined;',
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/journal/segment-file.ts',
    [
      [
        'Q9',
        'takes a damaged marker for none',
        'if (marker === undefined) throw damaged(path, `the marker at ${markerAt(slot)} is not sound`);',
        'if (marker === undefined) return NO_MARKER;',
      ],
      [
        'Q2',
        'ends a commit before its marker is durable',
        'this.file.writeDurably(markerAt(marker.sequence % MARKER_SLOTS)',
        'this.file.write(markerAt(marker.sequence % MARKER_SLOTS)',
      ],
      [
        'Q2',
        'does not write the only record durably',
        'if (durably) this.file.writeDurably(end, record, done);',
        'if (durably) this.file.write(end, record, done);',
      ],
      [
        'Q2',
        'takes what is written during a sync for synced',
        '    this.#unsynced = false;\n    this.file.sync(done);',
        '    this.file.sync((result) => {\n      this.#unsynced = false;\n      done(result);\n    });',
      ],
      [
        'Q1',
        'recovers to the oldest marker',
        'own.toSorted((a, b) => b.sequence - a.sequence)[0]',
        'own.toSorted((a, b) => a.sequence - b.sequence)[0]',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/checkpoint-store.ts',
    [
      [
        'Q4',
        'ends a drain before the commits that are on their way',
        'else if (!this.isCommitting) this.#endDrains(0);',
        'else this.#endDrains(0);',
      ],
    ],
    { detectors: ['test/replication/disk/promote-race.test.ts'] },
  ),
  ...inFile(
    'replication/disk/state-file.ts',
    [['Q4', 'closes a file under a call that is under way', '    await this.#underWay.none();\n', '']],
    { detectors: ['test/replication/disk/state-file.test.ts'] },
  ),
  ...inFile(
    'replication/disk/backup/checkpoint-store.ts',
    [
      [
        'Q1',
        'lets go of the journal before the image is synced',
        'this.#parts.disk.flush((flushed) => {\n      if (flushed < 0) {',
        '[0].forEach((flushed) => {\n      if (flushed < 0) {',
      ],
      [
        'Q1',
        'writes to the image under a checkpoint that is looked at',
        ' || this.#frozen.size > 0) return;',
        ') return;',
      ],
      [
        'Q1',
        'adds to a layer that is being written',
        'last === undefined || isApplying || isFrozen',
        'last === undefined || isFrozen',
      ],
      ['Q1', 'frees segments that a layer needs', ', ...layers, ...closing);', ', ...closing);'],
      [
        'Q1',
        'keeps what was aborted',
        '    this.aborts += 1;\n    this.#open.abort();\n',
        '    this.aborts += 1;\n',
      ],
      ['Q1', 'goes on with the number of the last checkpoint', 'parts.lastNumber + 1,', 'parts.lastNumber,'],
      ['Q1', 'frees the segment of what is being committed', ', ...layers, ...closing);', ', ...layers);'],
      ['Q1', 'frees the segment of the open checkpoint', 'this.#open.firstSegment, ...', '...'],
      [
        'Q1',
        'frees segments before the metadata are durable',
        '    this.#parts.disk.flush((flushed) => {\n      if (flushed < 0) {',
        '    this.#parts.disk.flush((flushed) => {\n      this.#parts.journal.retire(firstLive);\n      this.#open.retry();\n      if (flushed < 0) {',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/recover-layer.ts',
    [
      [
        'Q1',
        'writes what the image has over what it has',
        'if (number <= applied) checkpoints.delete(number);',
        'if (number < 0) checkpoints.delete(number);',
      ],
      ['Q6', 'recovers without the resync', 'if (slots) layer.map.merge(slots.map);', ''],
      [
        'Q1',
        'recovers what was aborted',
        "    if (header.kind === 'abort') {\n      checkpoints.delete(header.checkpoint);\n",
        "    if (header.kind === 'abort') {\n",
      ],
      ['Q1', 'forgets the numbers that the image has', 'let lastNumber = applied;', 'let lastNumber = 0;'],
      [
        'Q1',
        'counts no checkpoint of the journal',
        'lastNumber = Math.max(lastNumber, header.checkpoint);',
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/resync-file.ts',
    [
      [
        'Q2',
        'commits a resync whose file is not synced',
        'await this.#file.writeAt(0, start);\n    await completed(`sync ${this.#file.path}`, (done) => this.sync(done));',
        'await this.#file.writeAt(0, start);',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/own/own-primary-session.ts',
    [
      [
        'Q1',
        'commits a checkpoint while the resync before it is written',
        "    this.#parts.link.pause('commit');\n",
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/judge.ts',
    [
      [
        'Q3',
        'sends what the map says to a backup that lost something',
        'if (committed.low < known.low || ackedSince(primary, known)) return compare(true);',
        '',
      ],
      [
        'Q4',
        'calls a promoted side stale that was written to',
        "if (mineIsOlder === peerIsOlder) return { kind: 'split-brain' };",
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/metadata-file.ts',
    [
      [
        'Q1',
        'says that metadata are in force before they are durable',
        'this.#file.writeDurably(0,',
        'this.#file.write(0,',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/open-checkpoint.ts',
    [['Q1', 'gives two checkpoints one number', '    this.#number += 1;\n', '']],
    BY,
  ),
  ...inFile(
    'replication/disk/commands.ts',
    [
      [
        'Q4',
        'takes back what a resync may have overwritten',
        'if (rejoining && backup.hasCheckpoint)',
        'if (rejoining && backup === undefined)',
      ],
      [
        'Q4',
        'forgets its line when it takes its changes back',
        '...(rejoining ? {} : survivor)',
        '...survivor',
      ],
      [
        'Q4',
        'keeps the journal of a side that was promoted',
        '{ ...now, firstLiveSegment, resyncId',
        '{ ...now, resyncId',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/open-checkpoint.ts',
    [
      [
        'Q1',
        'does not write that a checkpoint was aborted',
        'if (!hadRecords) return;',
        'if (hadRecords || number > 0) return;',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/resync-file.ts',
    [
      [
        'Q1',
        'reports what a resync has brought before it is synced',
        'else this.#file.sync(ended);',
        'else ended(0);',
      ],
      [
        'Q5',
        'does not write which grain is where',
        'for (const { number, bytes } of this.#index.takeChanged())',
        'for (const { number, bytes } of this.#index.takeChanged().slice(1))',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/sync-target.ts',
    [
      [
        'Q5',
        'counts a grain of a first sync as received before the image is synced',
        'this.#disk.flush((flushed) => {\n      if (flushed < 0) {',
        'this.#disk.flush(() => {});\n    [0].forEach((flushed) => {\n      if (flushed < 0) {',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/unfinished-resync.ts',
    [
      ['Q10', 'resumes what a failed sync has left', ' && !known.hasFailed', ''],
      ['Q5', 'resumes a resync that was committed', ' && found.id !== committed', ''],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/backup/backup-role.ts',
    [
      [
        'Q6',
        'begins a first sync before a commit that gives it a state has ended',
        'if (isFirst) await this.#commits.none();',
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/own/own-primary-session.ts',
    [
      [
        'Q5',
        'compares with the last checkpoint what the resync has already',
        'target?.readerOf(sector);',
        'undefined as ReturnType<SyncTarget["readerOf"]>;',
      ],
    ],
    BY,
  ),
  ...PRIMARY_MUTANTS,
];
