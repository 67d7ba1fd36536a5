// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Metadata, NO_ID } from '../../../../src/replication/disk/format/metadata-record.js';
import { MetadataFile } from '../../../../src/replication/disk/metadata-file.js';
import { fork } from '../../../../src/replication/disk/primary/fork.js';
import { stateFiles } from '../state-files.js';

export const OLD = 'a'.repeat(16);
export const FIRST: Metadata = {
  update: 1,
  diskId: 'd'.repeat(32),
  sectors: 4096,
  image: undefined,
  role: 'primary',
  grainSectors: 128,
  generation: OLD,
  sent: 7,
  acked: 5,
  firstLiveSegment: 1,
  resyncId: NO_ID,
  appliedCheckpoint: 0,
  mapSalt: '0'.repeat(16),
  ancestors: [{ generation: 'b'.repeat(16), low: 2, high: 3 }],
  promoted: true,
  stale: false,
  splitBrain: false,
  peerIsOwn: true,
  hasState: true,
  clean: false,
  inconsistent: false,
  listens: false,
  rejoining: false,
};

/** Metadata of a primary on a simulated host. */
export async function metadataOf(more: Partial<Metadata> = {}) {
  const its = stateFiles();
  const metadata = await its.world.complete(
    MetadataFile.create(its.files, '/srv/metadata', { ...FIRST, ...more }),
  );
  const forked = () => its.call((done) => fork(metadata, (bytes) => bytes.fill(0xcc), done));
  return { ...its, metadata, forked };
}
