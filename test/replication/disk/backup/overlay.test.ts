// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { readOverlay } from '../../../../src/replication/disk/backup/overlay.js';
import { RecordPiece } from '../../../../src/replication/disk/backup/record-piece.js';
import { SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { memoryPiece } from './memory-piece.js';

/** A disk of 16 sectors with two maps over it. */
function layers() {
  const disk = new HeldDisk(16);
  disk.bytes.set(tagged(7, 16));
  const [lower, upper] = [new SectorMap(), new SectorMap()];
  lower.set(2, 8, memoryPiece(20, 6), 0);
  upper.set(4, 5, memoryPiece(40, 1), 0);
  upper.set(6, 7, undefined, 0);
  upper.set(10, 12, memoryPiece(50, 3), 512);
  return { disk, maps: [lower, upper] };
}

t.test(
  'a read sees each sector as the topmost map has it that has it at all, else as the disk does',
  async (t) => {
    const expected = [7, 7, 20, 21, 40, 23, 0, 25, 7, 7, 51, 52, 7, 7, 7, 7];
    const wrong: string[] = [];
    for (let start = 0; start < 16; start++) {
      for (let end = start + 1; end <= 16; end++) {
        const { disk, maps } = layers();
        const bytes = new Uint8Array((end - start) * 512).fill(0xee);
        const results: number[] = [];
        readOverlay(disk, maps, start, bytes, (result) => results.push(result));
        const shown = [...contentOf(bytes)].join();
        if (shown !== expected.slice(start, end).join() || results.join() !== '0')
          wrong.push(`${start} to ${end}: ${shown}`);
      }
    }
    t.same(wrong, []);
  },
);

t.test('of the disk only what no map has is read', async (t) => {
  const { disk, maps } = layers();
  readOverlay(disk, maps, 1, new Uint8Array(14 * 512), () => {});
  t.same(disk.calls, ['read 1+1', 'read 8+2', 'read 12+3']);
  disk.calls.length = 0;
  readOverlay(disk, maps, 2, new Uint8Array(6 * 512), () => {});
  t.same(disk.calls, []);
});

t.test('a read ends once every part of it has, with an error if one has', async (t) => {
  const { disk, maps } = layers();
  disk.isHeld = true;
  const results: number[] = [];
  readOverlay(disk, maps, 0, new Uint8Array(16 * 512), (result) => results.push(result));
  disk.waiting[0]?.();
  disk.waiting[1]?.(-errno.EIO);
  t.same(results, []);
  disk.waiting[2]?.();
  t.same(results, [-errno.EIO]);
});

t.test('a read of a piece that is nowhere fails', async (t) => {
  const { disk, maps } = layers();
  maps[1]?.set(0, 1, new RecordPiece(undefined), 0);
  const results: number[] = [];
  readOverlay(disk, maps, 0, new Uint8Array(512), (result) => results.push(result));
  t.same(results, [-errno.EIO]);
});
