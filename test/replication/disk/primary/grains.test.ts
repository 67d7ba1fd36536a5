// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';

/** A grain that was written, and is in a checkpoint that was acked, and whose write was synced. */
function cleanGrain(): Grains {
  const grains = new Grains(16, 128);
  grains.begin(3, 3);
  grains.open.add(3);
  grains.end(3, 3);
  grains.close(1);
  grains.acked(1);
  grains.syncBegins();
  grains.syncEnded(true);
  return grains;
}

t.test('a grain is clean once its checkpoint is acknowledged and the local disk is synced', async (t) => {
  t.ok(cleanGrain().isClean(3));
});

const NOT_CLEAN: Readonly<Record<string, (grains: Grains) => void>> = {
  'has to be sent': ({ toSend }) => toSend.add(3),
  'is in a resync that is not committed': ({ inResync }) => inResync.add(3),
  'is in the open checkpoint': ({ open }) => open.add(3),
  'is in a checkpoint that is not acked': (grains) => {
    grains.open.add(3);
    grains.close(3);
    grains.acked(2);
  },
  'is in a resync that a checkpoint has which is not acked': (grains) => {
    grains.inResync.add(3);
    grains.close(2);
    grains.acked(1);
  },
  'is being written': (grains) => grains.begin(3, 3),
  'was written since the sync': (grains) => {
    grains.begin(3, 3);
    grains.end(3, 3);
  },
  'is being synced': (grains) => {
    grains.begin(3, 3);
    grains.end(3, 3);
    grains.syncBegins();
  },
  'was not synced, as the sync failed': (grains) => {
    grains.begin(3, 3);
    grains.end(3, 3);
    grains.syncBegins();
    grains.syncEnded(false);
  },
  'was being written when the sync began': (grains) => {
    grains.begin(3, 3);
    grains.syncBegins();
    grains.syncEnded(true);
    grains.begin(3, 3);
    grains.end(3, 3);
  },
  'was written to its end after the sync had begun': (grains) => {
    grains.begin(3, 3);
    grains.syncBegins();
    grains.end(3, 3);
    grains.syncEnded(true);
  },
  'was in a checkpoint that is void': (grains) => {
    grains.open.add(3);
    grains.close(2);
    grains.dropFrom(2);
  },
  'was in the open checkpoint when that was given up': (grains) => {
    grains.open.add(3);
    grains.dropFrom(5);
  },
};

for (const [what, make] of Object.entries(NOT_CLEAN)) {
  t.test(`a grain is not clean that ${what}`, async (t) => {
    const grains = cleanGrain();
    make(grains);
    t.notOk(grains.isClean(3));
    t.ok(grains.isClean(4), 'others are');
  });
}
