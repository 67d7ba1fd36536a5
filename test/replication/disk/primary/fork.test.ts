// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Metadata, NO_ID } from '../../../../src/replication/disk/format/metadata-record.js';
import { MetadataFile } from '../../../../src/replication/disk/metadata-file.js';
import { fork, mustFork } from '../../../../src/replication/disk/primary/fork.js';
import { MAX_ANCESTORS } from '../../../../src/replication/disk/standing.js';
import { stateFiles } from '../state-files.js';

const OLD = 'a'.repeat(16);
const FIRST: Metadata = {
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

async function metadataOf(more: Partial<Metadata> = {}) {
  const its = stateFiles();
  const metadata = await its.world.complete(
    MetadataFile.create(its.files, '/srv/metadata', { ...FIRST, ...more }),
  );
  const forked = () => its.call((done) => fork(metadata, (bytes) => bytes.fill(0xcc), done));
  return { metadata, forked };
}

t.test(
  'a new generation goes on from all that was sent, of which it knows what was acknowledged',
  async (t) => {
    const { metadata, forked } = await metadataOf();
    t.equal(await forked(), 0);
    t.match(metadata.current, {
      generation: 'c'.repeat(16),
      sent: 7,
      acked: 7,
      promoted: false,
      role: 'primary',
      diskId: FIRST.diskId,
    });
    t.same(metadata.current.ancestors, [{ generation: OLD, low: 5, high: 7 }, ...FIRST.ancestors]);
  },
);

t.test('no more ancestors are kept than a line may have; the oldest are forgotten', async (t) => {
  const ancestors = Array.from({ length: MAX_ANCESTORS }, (_, index) => ({
    generation: String(index).repeat(16),
    low: 10 - index,
    high: 10 - index,
  }));
  const { metadata, forked } = await metadataOf({ ancestors });
  await forked();
  t.same(metadata.current.ancestors, [
    { generation: OLD, low: 5, high: 7 },
    ...ancestors.slice(0, MAX_ANCESTORS - 1),
  ]);
});

t.test('one is needed once a commit was sent in the present generation, and not before', async (t) => {
  const sentIn = async (sent: number, ancestors: Metadata['ancestors']): Promise<boolean> =>
    mustFork((await metadataOf({ sent, ancestors })).metadata);
  t.same([await sentIn(0, []), await sentIn(1, [])], [false, true]);
  const parent = { generation: OLD, low: 5, high: 7 };
  t.same([await sentIn(7, [parent]), await sentIn(8, [parent])], [false, true]);
  const { metadata, forked } = await metadataOf();
  t.ok(mustFork(metadata));
  await forked();
  t.notOk(mustFork(metadata), 'nothing was sent in the new one');
});
