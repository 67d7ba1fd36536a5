// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile, type Mutant } from './mutant.js';

/** What runs the engine of replicated disks. */
export const BY = {
  detectors: ['decisions', 'rot', 'stores', 'lives', 'prefixes', 'steps'],
} as const;

/** Small ways to break the primary's side of a replicated disk, and how C drivers are spoken to. */
export const PRIMARY_MUTANTS: readonly Mutant[] = [
  ...inFile(
    'replication/disk/primary/grains.ts',
    [
      [
        'Q3',
        'forgets the open checkpoint when the connection ends',
        '    this.toSend.addAll(this.open);\n',
        '',
      ],
      [
        'Q3',
        'forgets closed checkpoints when the connection ends',
        'if (closed.epoch >= epoch) this.toSend.addAll(closed.grains);',
        ';',
      ],
      [
        'Q3',
        'forgets what a resync has brought when its checkpoint fails',
        'this.open.addAll(this.inResync);',
        '',
      ],
      [
        'Q3',
        'lets bits fall before the local sync',
        'this.isAtBackup(grain) &&\n      !this.#unsynced.has(grain) &&\n      ![...this.#syncing].some((grains) => grains.has(grain))',
        'this.isAtBackup(grain)',
      ],
      [
        'Q3',
        'lets bits fall while the local sync is under way',
        '![...this.#syncing].some((grains) => grains.has(grain))',
        'true',
      ],
      [
        'Q3',
        'takes a failed sync for one',
        'if (!succeeded) for (const grain of covered) this.#unsynced.add(grain);',
        '',
      ],
      ['Q3', 'lets bits of the open checkpoint fall', '      !this.open.has(grain) &&\n', ''],
      [
        'Q3',
        'lets bits fall before the ack',
        '      !this.committing.some(({ grains }) => grains.has(grain)) &&\n',
        '',
      ],
      [
        'Q3',
        'trusts grains of a resync that the backup no longer has',
        'if (!received.has(grain) && !this.#equal.has(grain)) this.again(grain);',
        ';',
      ],
      ['Q3', 'lets bits of a resync fall', '      !this.inResync.has(grain) &&\n', ''],
      [
        'Q3',
        'takes all closed checkpoints for acked',
        'closed.epoch > epoch);\n  }\n\n  /** The open',
        'closed.epoch > epoch + 1);\n  }\n\n  /** The open',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/primary-role.ts',
    [
      ['Q3', 'forgets writes while it copies', '      else this.grains.toSend.add(grain);\n', ''],
      [
        'Q1',
        'commits before all of the resync is sent',
        'this.#isStreaming && this.#resync.copier?.isDone &&',
        'this.#isStreaming &&',
      ],
      [
        'Q4',
        'sends a commit before its number is durable',
        '    metadata.whenDurable((result) => {\n      this.checkpoints.isClosing = false;\n      if (result === 0) letGo();',
        '    letGo();\n    metadata.whenDurable((result) => {\n      this.checkpoints.isClosing = false;\n      if (result === 0) this.#parts.nowSeconds();',
      ],
      ['Q3', 'does not tell the copier of a write', 'this.#resync.copier?.written(from, to);', ''],
      [
        'Q10',
        'trusts an image whose sync failed',
        "if (result < 0) this.#parts.events.failed('sync the image', result);",
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/primary-role.ts',
    [
      [
        'Q3',
        'lays what was open over a resync that was ordered later',
        'if (this.#peer?.canAbort) this.#dropFrom(this.epochs.open, reason, kind);\n    else ',
        '',
      ],
    ],
    { detectors: ['test/replication/disk/verify.test.ts'] },
  ),
  ...inFile(
    'replication/disk/primary/resync.ts',
    [
      [
        'Q3',
        'commits no resync of which all is at the backup',
        "grains.resyncing > 0 || kind === 'first' || known !== null",
        'grains.toSend.count > 0',
      ],
    ],
    { detectors: ['test/replication/disk/resync-begin.test.ts'] },
  ),
  ...inFile(
    'replication/disk/primary/resync.ts',
    [
      [
        'Q3',
        'trusts a resync of the backup that it has not asked about',
        'this.#goesOn &&= known',
        'this.#goesOn = known',
      ],
      ['Q5', 'asks nothing about what the backup has', '(received, this.#goesOn)', '(received, true)'],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/dirty-map.ts',
    [
      [
        'Q3',
        'lets a write go when its bits are set, not durable',
        'if (!this.#durable.has(grain)) return false;',
        'if (!this.#bits.has(grain)) return false;',
      ],
      ['Q3', 'raises without a sync', 'this.#file.writeDurably(run.at', 'this.#file.write(run.at'],
      ['Q3', 'relies on a bit that has fallen', '    this.#durable.delete(grain);\n', ''],
      [
        'Q3',
        'takes a bit for durable that fell while it was written',
        'if (this.#bits.has(grain)) this.#durable.add(grain)',
        'this.#durable.add(grain)',
      ],
      [
        'Q3',
        'takes bits for durable that were set while others were written',
        'for (const grain of raised) if',
        'for (const grain of sectors.flatMap((index) => this.#grainsOf(index))) if',
      ],
      [
        'Q9',
        'takes a damaged part of the map for equal',
        'map.#bits.addRange(first, Math.min(first + GRAINS_A_SECTOR, grains) - 1);',
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/raised-writes.ts',
    [
      [
        'Q3',
        'writes before the bits are durable',
        '      this.#waiting.add(write, true);\n      return;\n    }\n    this.#waiting.add(write, false);',
        '      this.#waiting.add(write, true);\n      return;\n    }\n    this.#waiting.add(write, true);',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/epochs.ts',
    [
      [
        'Q4',
        'gives a checkpoint no number of its own in the metadata',
        'if (promoted || sent > this.#closed) return;',
        'if (promoted || sent >= this.#closed) return;',
      ],
      [
        'Q4',
        'goes on in the generation of its promotion',
        'if (this.#metadata.current.promoted) this.#metadata.note(forked(this.#metadata, this.#random));',
        '',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/fork.ts',
    [
      [
        'Q4',
        'begins no new generation alone',
        'return sent > (current.ancestors[0]?.high ?? 0);',
        'return sent < 0;',
      ],
      [
        'Q4',
        'forgets the generation that it went on from',
        'ancestors: [parent, ...ancestors]',
        'ancestors: [...ancestors, parent].slice(0, ancestors.length)',
      ],
      [
        'Q4',
        'forgets the generations before the one that it went on from',
        'ancestors: [parent, ...ancestors]',
        'ancestors: [parent, ...ancestors.slice(1)]',
      ],
      [
        'Q4',
        'forgets what was sent in the generation that it went on from',
        'high: sent };',
        'high: acked };',
      ],
      [
        'Q4',
        'writes alone before the new generation is durable',
        'metadata.update(forked(metadata, random), done);',
        'metadata.update(forked(metadata, random), () => {});\n  done(0);',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/copier.ts',
    [
      [
        'Q3',
        'forgets what it could not read',
        '      this.#ended(run, true);\n      this.#isStopped = true;',
        '      this.#ended(run, false);\n      this.#isStopped = true;',
      ],
      [
        'Q3',
        'forgets reads under way when the connection ends',
        '      this.#again(run);\n      if (run.asks',
        '      if (run.asks',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/primary/backup-queue.ts',
    [
      [
        'Q11',
        'streams again at once to a backup that cannot keep up',
        'this.#resumedSeconds >= CALM_SECONDS',
        'this.#resumedSeconds >= 0',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/c/c-message.ts',
    [
      [
        'Q13',
        'sends 16 sectors in a message',
        'export const MAX_WRITE_SECTORS = 8;',
        'export const MAX_WRITE_SECTORS = 16;',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/c/c-reader.ts',
    [
      [
        'Q13',
        'ends the connection at an unknown tag',
        '    } else if (tag === WREQ) {',
        "    } else if (tag !== WREQ) {\n      throw new RangeError('an unknown tag');\n    } else {",
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/c/c-primary-session.ts',
    [
      [
        'Q2',
        'answers a C primary before its checkpoint is durable',
        "const isReceived = this.#connection.options.done === 'received';",
        'const isReceived = this.#connection.options.done !== undefined;',
      ],
      [
        'Q1',
        'keeps the open checkpoint of a C primary that is gone',
        '    this.#connection.stream.close();\n    this.#receiver.abort();',
        '    this.#connection.stream.close();',
      ],
      [
        'Q2',
        'answers an empty commit before those before it',
        '      if (last === undefined) this.#answer(1);\n      else last.answers += 1;',
        '      this.#answer(last === undefined ? 1 : 1);',
      ],
    ],
    BY,
  ),
  ...inFile(
    'replication/disk/c/c-backup-peer.ts',
    [
      [
        'Q13',
        'takes any answer for done',
        'if (this.#answer.readUInt32LE() === DONE) this.#done();',
        'if (this.#answer.readUInt32LE() !== 0) this.#done();',
      ],
    ],
    BY,
  ),
];
