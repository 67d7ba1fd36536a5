// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Metadata, NO_DISK, NO_ID } from '../../../src/replication/disk/format/metadata-record.js';
import { type StandingFacts, standingOf } from '../../../src/replication/disk/standing-of.js';

const GENERATION = 'a'.repeat(16);
const ANCESTORS = [{ generation: 'b'.repeat(16), low: 2, high: 3 }];
const PRIMARY: Metadata = {
  update: 1,
  role: 'primary',
  generation: GENERATION,
  acked: 5,
  sent: 7,
  ancestors: ANCESTORS,
  hasState: true,
  rejoining: false,
  promoted: true,
  diskId: 'd'.repeat(32),
  sectors: 4096,
  grainSectors: 128,
  image: undefined,
  firstLiveSegment: 1,
  resyncId: NO_ID,
  appliedCheckpoint: 0,
  mapSalt: '0'.repeat(16),
  stale: false,
  splitBrain: false,
  peerIsOwn: true,
  clean: false,
  inconsistent: false,
  listens: false,
};
const BACKUP: Metadata = { ...PRIMARY, role: 'backup' };
const FACTS: StandingFacts = { committed: 9, takesFirstSync: false, full: true, resyncId: 'c'.repeat(16) };

t.test('a primary reports what it has sent and what of it was acknowledged, and its ancestors', async (t) => {
  t.same(standingOf(PRIMARY, FACTS), {
    role: 'primary',
    diskId: 'd'.repeat(32),
    sectors: 4096,
    grainSectors: 128,
    hasState: true,
    takesFirstSync: false,
    promoted: true,
    rejoining: false,
    full: true,
    line: [{ generation: GENERATION, low: 5, high: 7 }, ...ANCESTORS],
    resyncId: 'c'.repeat(16),
  });
});

t.test(
  'a backup reports what is committed; one that rejoins, the line of the primary that it was',
  async (t) => {
    t.same(standingOf(BACKUP, FACTS).line[0], { generation: GENERATION, low: 9, high: 9 });
    const rejoining = standingOf({ ...BACKUP, rejoining: true }, FACTS);
    t.same(rejoining.line[0], { generation: GENERATION, low: 5, high: 7 });
    t.equal(rejoining.rejoining, true);
  },
);

t.test('a backup that never had a primary has no disk id, and without a state no line', async (t) => {
  const its = standingOf(
    { ...BACKUP, diskId: NO_DISK, hasState: false },
    { ...FACTS, takesFirstSync: true, resyncId: null },
  );
  t.match(its, { diskId: null, hasState: false, takesFirstSync: true, resyncId: null });
  t.same(its.line, []);
});
