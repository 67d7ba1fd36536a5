// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inFile, type Mutant } from './mutant.js';

type Change = readonly [title: string, from: string, to: string];

/** Mutants of a file of src/ that tests of one file have to notice. */
export function noticedBy(test: string, file: string, changes: readonly Change[]): Mutant[] {
  return inFile(
    file,
    changes.map(([title, from, to]) => ['outside', title, from, to] as const),
    { detectors: [`test/${test}.test.ts`] },
  );
}

/** Small ways to break what comes from outside, and what goes there: disks, sockets, files. */
export const OUTSIDE_MUTANTS: readonly Mutant[] = [
  ...noticedBy('disks/drivers/hole-queue', 'disks/drivers/hole-punch.ts', [
    ['joins holes that are a sector apart', 'range.sector <= last.end)', 'range.sector <= last.end + 1)'],
    ['forgets the longer of two holes', 'last.end = Math.max(last.end, end);', 'last.end = end;'],
  ]),
  ...noticedBy('disks/drivers/vhd/order', 'disks/drivers/vhd/block-space.ts', [
    [
      'cuts an image off after a sector of the guest',
      'files.ftruncate(fd, end, (truncated) => {',
      'files.ftruncate(fd, end - SECTOR_SIZE, (truncated) => {',
    ],
    ['cuts leftovers off an image before there are zeroes', 'sync(truncate)', 'truncate(0)'],
  ]),
  ...noticedBy('disks/drivers/vhd/tools/resize', 'disks/drivers/vhd/tools/front-space.ts', [
    [
      'makes no sector after a moved block',
      'yield* file.truncate((place + length + 1) * SECTOR_SIZE);',
      'yield* file.truncate((place + length) * SECTOR_SIZE);',
    ],
  ]),
  ...noticedBy('disks/drivers/vhd/tools/convert', 'disks/drivers/vhd/tools/convert.ts', [
    ['does not see that a hole was cut off', 'yield* source.check();', ''],
  ]),
  ...noticedBy('disks/vbd', 'disks/vbd.ts', [
    ['resumes a disk with a smaller image', 'if (bytes < leastBytes) {', 'if (bytes < 0) {'],
  ]),
  ...noticedBy('replication/disk/blank-image', 'replication/disk/blank-image.ts', [
    [
      'takes a disk for blank whose extents are not known',
      'extents : [{ sectors, zero: false }]',
      'extents : [{ sectors, zero: true }]',
    ],
  ]),
  ...noticedBy('replication/disk/primary/copier', 'replication/disk/primary/copier.ts', [
    [
      'sends a hole that was written meanwhile',
      'if (run.isVoid) this.#ended(run, true);\n      else if (extents[0]?.zero)',
      'if (extents[0]?.zero)',
    ],
    [
      'takes a grain for a hole that is one in part',
      'Math.floor(holeSectors / grains.sectorsEach)',
      'Math.ceil(holeSectors / grains.sectorsEach)',
    ],
  ]),
  ...noticedBy('nbd/far-offsets', 'nbd/requests.ts', [
    ['reads the low half of an offset only', 'return high * 2 ** 32 + low;', 'return high * 0 + low;'],
  ]),
  ...noticedBy('nbd/failed-reads', 'nbd/transmission.ts', [
    [
      'keeps failed reads among the bytes in flight',
      'this.#replies.result(request, result, length);',
      'this.#replies.result(request, result);',
    ],
    [
      'keeps the memory of failed reads',
      'this.#giveData(data);\n        this.#replies.result(request, result, length);',
      'this.#replies.result(request, result, length);',
    ],
    [
      'keeps failed sparse reads among the bytes in flight',
      'this.#replies.result(request, result, bytes);',
      'this.#replies.result(request, result);',
    ],
    [
      'keeps the memory of failed sparse reads',
      'for (const { data } of pieces) if (data) this.#giveData(data);\n',
      '',
    ],
    [
      'keeps writes among the bytes in flight',
      'this.#replies.result(request, result, data.length);',
      'this.#replies.result(request, result);',
    ],
  ]),
  ...noticedBy('server/file-replacement', 'server/file-replacement.ts', [
    ['does not sync the file', 'await fileResult((done) => files.fsync(this.fd, done));\n', ''],
    ['does not sync the directory', 'await place.sync();', ''],
    [
      'syncs the file once it has its name',
      '      await fileResult((done) => files.fsync(this.fd, done));\n      await place.check();\n      if (keepsPrevious && place.existing !== undefined) await this.#keepPrevious();\n      await fileResult((done) => files.rename(place.at(this.#partial), place.at(), done));\n',
      '      await place.check();\n      if (keepsPrevious && place.existing !== undefined) await this.#keepPrevious();\n      await fileResult((done) => files.rename(place.at(this.#partial), place.at(), done));\n      await fileResult((done) => files.fsync(this.fd, done));\n',
    ],
  ]),
  ...noticedBy('transfer/false-verdicts', 'transfer/sending.ts', [
    ['ignores the SHA-256 of the verdict', ' || verdict.sha256 !== sent.sha256', ''],
    ['ignores the length of the verdict', 'verdict.bytes !== sent.bytes || ', ''],
    [
      'does not hear a verdict before a break',
      'while (this.#answer.verdict === undefined && this.#read() > 0);',
      '',
    ],
    [
      'takes a good verdict before the end',
      "if (sent === undefined) return this.#fail(-errno.EPROTO, 'the backup gave its verdict before the end');",
      'if (sent === undefined) return this.#complete(true);',
    ],
  ]),
  ...noticedBy('daemon/failed-close', 'cli/daemon/daemon-command.ts', [
    ['ends well though something failed', 'failedToStart || failures > 0 ?', 'failedToStart ?'],
  ]),
  ...noticedBy('daemon/failed-close', 'daemon/daemon.ts', [
    [
      'ends well though a disk was closed with an error',
      'this.#failures += await closeDisks(',
      'await closeDisks(',
    ],
  ]),
  ...noticedBy('disks/drivers/exclusive-device', 'disks/drivers/aio.ts', [
    [
      'takes a block device that is in use',
      "(exclusive && kind.kind === 'block' ? constants.O_EXCL : 0) |",
      '',
    ],
  ]),
  ...noticedBy('disks/drivers/exclusive-device', 'disks/drivers/vhd/image-file.ts', [
    ['takes a block device that is in use', "(lock && before.kind === 'block' ? constants.O_EXCL : 0)", '0'],
  ]),
  ...noticedBy('server/exchange-listener', 'server/exchange.ts', [
    [
      'listens on to a client that keeps sending',
      '    // A client that goes on sending is not listened to any more: it would keep us busy for nothing.\n    this.#event.clear();\n',
      '',
    ],
  ]),
  ...noticedBy('server/exchange-listener', 'server/exchange-listener.ts', [
    ['takes places away at once', 'now - exchange.acceptedAt >= stay', 'true'],
  ]),
  ...noticedBy('control/message', 'control/message.ts', [
    [
      "swaps the bytes of a path's length",
      'this.#view.setUint16(20, this.#setText(22, path), true);',
      'this.#view.setUint16(20, this.#setText(22, path), false);',
    ],
  ]),
  ...noticedBy('conformance/trace-diff', 'conformance/trace-diff.ts', [
    ['has an equal end overlap an equal start', 'tail < shortest - head &&', 'tail < shortest &&'],
  ]),
  ...noticedBy('disks/client-turns', 'disks/waiting-lines.ts', [
    [
      'has a client go on as long as it has requests',
      '      else if (this.#lines.size > 1) {\n        this.#lines.delete(client);\n        this.#lines.set(client, line);\n      }\n',
      '',
    ],
  ]),
  ...noticedBy('disks/client-turns', 'disks/vbd.ts', [
    ['forgets who asks', 'this.#sequence++, now, done, client)', 'this.#sequence++, now, done)'],
  ]),
  ...noticedBy('nbd/handshake-pace', 'nbd/handshake-pace.ts', [
    ['does not count by peer', ' && ofPeer < perPeerPerSecond', ''],
    ['does not count as a whole', 'this.#started < perSecond && ', ''],
  ]),
  ...noticedBy('replication/disk/map-frames', 'replication/disk/own/map-frames.ts', [
    ['takes the same grains again and again', 'if (first < this.#next) throw', 'if (first < 0) throw'],
  ]),
  ...noticedBy('replication/disk/hostile', 'replication/disk/own/own-link.ts', [
    ['answers each ping', 'if (this.queuedBytes === 0) this.send', 'this.send'],
  ]),
  ...noticedBy('cli/ctl/ctl-command', 'control/control-client.ts', [
    [
      'takes an answer to another request',
      'shaped(cookie, isOurs, `the cookie',
      'shaped(cookie, isOurs || true, `the cookie',
    ],
  ]),
];
