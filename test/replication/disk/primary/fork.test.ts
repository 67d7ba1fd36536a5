// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { Metadata } from '../../../../src/replication/disk/format/metadata-record.js';
import { mustFork } from '../../../../src/replication/disk/primary/fork.js';
import { MAX_ANCESTORS } from '../../../../src/replication/disk/standing.js';
import { FIRST, metadataOf, OLD } from './metadata-of.js';

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
